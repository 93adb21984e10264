"""The error of a question that cannot be asked."""

from __future__ import annotations


class QuestionError(ValueError):
    """A question that cannot be asked of this model or of this patient; the message says why, and what can."""
