"""How each result shows itself: its summary, its text, its page, its picture and its report."""

from __future__ import annotations

import io
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from calcinosis.inference.posterior import DISCLAIMER, Posterior
from calcinosis.interface.words import posterior as words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from calcinosis.interface.words.document import Document

MOST, WIDTH = 12, 100
"""The lines of each table, and the characters on each line, that Python and notebooks show."""

DOCUMENTS = {
    "Posterior": "posterior.diagnosis",
    "Explanation": "explain.explanation",
    "ModelComparison": "whatif.comparison",
    "NextTest": "workup.next_test",
    "Sensitivity": "sensitivity.sensitivity",
    "Decision": "decide.decision",
    "DecisionCurve": "validate.decision_curve",
    "Update": "learn.update",
}
"""The function that makes the document of each class of results; any other is shown by its summary and its table."""

REPORTS = DOCUMENTS | {"Validation": "validate.validation"}
"""The same for a report, which takes its time."""

PICTURES = {
    "CohortCheck": "cohort_check",
    "Decision": "actions",
    "DecisionCurve": "decision_curve",
    "Explanation": "waterfall",
    "NextTest": "next_test",
    "OneWay": "tornado",
    "Posterior": "posterior",
    "Sensitivity": "tornado",
    "SerialTesting": "serial_testing",
    "Trajectory": "trajectory",
    "TwoWay": "two_way",
    "Uncertainty": "distributions",
    "Update": "learned_rows",
    "Validation": "calibration",
    "WhatIf": "what_if",
}
"""The function of `calcinosis.plot` that draws each class of results."""


def summary(result: Any) -> str:
    """A result in one sentence."""
    return words.verdict(result) if isinstance(result, Posterior) else str(result.summary)


def text(result: Any) -> str:
    """A result in Python: a posterior in full, any other in one sentence."""
    if not isinstance(result, Posterior):
        return f"{result.summary}\n{DISCLAIMER}"
    from calcinosis.interface.words.terminal import console, show

    page = io.StringIO()
    show(words.diagnosis(result), console(file=page, width=WIDTH, color_system=None))
    return page.getvalue().rstrip("\n")


def html(result: Any) -> str:
    """A result in a notebook."""
    from calcinosis.interface.reports.page import fragment_of

    return fragment_of(document(result, MOST))


def plot(result: Any, ax: Axes | None = None) -> Axes:
    """The picture of a result.

    Raises:
        TypeError: for a class of results that has none.
    """
    from calcinosis import plot as plots

    name = type(result).__name__
    if name not in PICTURES:
        raise TypeError(f"{name} has no picture of its own: those of calcinosis.plot are {', '.join(plots.__all__)}")
    draw: Callable[..., Axes] = getattr(plots, PICTURES[name])
    return draw(result.one_way if name == "Sensitivity" else result, ax=ax)


def save(result: Any, folder: Path, *, force: bool = False) -> list[Path]:
    """The files of the report of a result.

    Raises:
        InputError, OSError: as `write_report`.
    """
    from calcinosis.interface.reports.page import write_report

    return write_report(document(result, None), folder, force=force)


def document(result: Any, most: int | None) -> Document:
    """The document of a result, with `most` lines of each table, or all."""
    from calcinosis.interface.words.document import Document, Picture, TableBlock, headed
    from calcinosis.interface.words.sensitivity import cells_of

    name = type(result).__name__
    places = REPORTS if most is None else DOCUMENTS
    if name in places:
        module, _, function = places[name].partition(".")
        make: Callable[..., Document] = getattr(import_module(f"calcinosis.interface.words.{module}"), function)
        patient = isinstance(result, Posterior) or hasattr(result, "posterior")
        return make(result, title="One patient" if patient else name, most=most)
    frame, pictures = result.frame, {}
    if name in PICTURES:
        pictures["picture"] = Picture(PICTURES[name], result, result.summary)
    blocks = [TableBlock(headed("Table", len(frame), most), cells_of(frame[:most]))]
    return Document(name, result.summary, [], blocks, [DISCLAIMER], pictures, lambda: {"table": frame})
