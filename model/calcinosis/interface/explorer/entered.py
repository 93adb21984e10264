"""Findings as Python, the shell or a case file has them, as a page holds them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from calcinosis.inference.findings.evidence import Evidence
from calcinosis.inference.findings.grammar import is_missing
from calcinosis.inference.model import Model
from calcinosis.inference.question_error import QuestionError
from calcinosis.interface.explorer.page import SILENT, Findings, enterable
from calcinosis.knowledge.frozen import FrozenMap


def entered(model: Model, given: Mapping[str, Any]) -> Findings:
    """Findings as a page holds them: texts in the grammar, and the words for what is not known.

    Raises:
        FindingsError: with every finding that was not understood.
        QuestionError: for a finding that cannot be entered in a page, such as the target.

    >>> import calcinosis as cc
    >>> dict(entered(cc.load(), {"pain": {"severe"}, "vascular_histology": ["absent"] * 2, "pth": "pending"}))
    {'pain': 'severe', 'vascular_histology': 'absent,absent', 'pth': 'pending'}
    """
    words = {name: own for name, own in given.items() if isinstance(own, str)}
    silent = {name: own for name, own in words.items() if own in SILENT and name in model.names}
    evidence = model.read({name: value for name, value in given.items() if name not in silent})
    for name in given:
        if name not in enterable(model):
            raise QuestionError(f"{name} cannot be entered in the page: nobody can observe it")
    texts = {name: silent.get(name) or _text(evidence, name, value) for name, value in given.items()}
    return FrozenMap({name: text for name, text in texts.items() if text})


def _text(evidence: Evidence, name: str, value: Any) -> str:
    """A finding as a text; empty if nothing was observed."""
    finding = evidence.get(name)
    if finding is None:  # nothing was observed, or it is what another value is corrected by
        return value.strip() if isinstance(value, str) and not is_missing(value) else ""
    return finding.understood if finding.understood in finding.states else finding.given
