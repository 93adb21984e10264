"""The error raised by an invalid query."""

from __future__ import annotations


class QuestionError(ValueError):
    """A query that is not valid for this model or this patient; the message gives the reason and an alternative."""
