"""Cross-validation of learning: tables learn from all folds of a cohort but one, and predict that fold."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from calcinosis.analysis.learn.update import update
from calcinosis.analysis.plain import lines_of, plain_lines
from calcinosis.analysis.validate.labelled_cases import LabelledCases, read_cases
from calcinosis.analysis.validate.metrics import METRICS
from calcinosis.analysis.validate.patient_weights import bootstrap_weights, interval
from calcinosis.inference.model import Model
from calcinosis.inference.posterior import CREDIBLE, DISCLAIMER
from calcinosis.inference.question_error import QuestionError
from calcinosis.inference.result import Result
from calcinosis.inference.streams import root_of
from calcinosis.knowledge.arguments import checked

if TYPE_CHECKING:
    import pandas as pd

COMPARED = ("accuracy", "top_two", "log_loss", "brier")
"""The metrics compared."""

DRAWS = 1000
"""Number of bootstrap samples for the intervals."""


@dataclass(frozen=True, eq=False, repr=False)
class CrossValidation(Result):
    """Performance on held-out patients before and after the tables learned from the other folds.

    `frame` has one line per metric: metric, label, before, after, difference (after − before), lower and upper (its 95%
    interval). `patients` is the number of labelled patients, `folds` the number of folds.
    """

    frame: pd.DataFrame
    folds: int
    patients: int

    @property
    def summary(self) -> str:
        """Whether learning improves the cross-validated log loss, in words."""
        line = next(line for line in lines_of(self.frame) if line.metric == "log_loss")
        known = f"the cross-validated log loss goes from {line.before:.3f} to {line.after:.3f}"
        if line.upper < 0:
            return f"Learning from this cohort helps: {known}."
        if line.lower > 0:
            return f"Learning from this cohort harms: {known}."
        return f"It is unclear whether learning from this cohort helps: {known}."

    def to_dict(self) -> dict[str, Any]:
        """The result as plain values, for JSON."""
        return {
            "patients": self.patients,
            "folds": self.folds,
            "summary": self.summary,
            "metrics": plain_lines(self.frame),
            "disclaimer": DISCLAIMER,
        }


@checked
def cross_validate(
    model: Model,
    cases: pd.DataFrame | LabelledCases,
    /,
    *,
    folds: int = 5,
    weight: float = 1.0,
    only: Collection[str] | None = None,
    keep: Collection[str] = (),
    seed: int = 0,
    progress: Callable[[int], None] | None = None,
) -> CrossValidation:
    """Performance on held-out patients with tables that learned from the other folds, against the present tables.

    Folds are stratified by subtype. Patients without a diagnosis are used for learning only. `progress` is called with
    the number of completed folds.

    Raises:
        CasesError, QuestionError: as `update`; QuestionError also for fewer labelled patients than folds, or fewer than
            two folds.

    >>> import calcinosis as cc
    >>> model = cc.load()
    >>> result = cross_validate(model, model.simulate(60, seed=1), folds=3)
    >>> result.patients, result.frame["metric"].tolist()
    (60, ['accuracy', 'top_two', 'log_loss', 'brier'])
    """
    import pandas as pd

    labelled = cases if isinstance(cases, LabelledCases) else read_cases(model, cases, every=False)
    diagnosed = np.flatnonzero(labelled.truth >= 0)
    if not 2 <= folds <= len(diagnosed):
        raise QuestionError(
            f"{folds} folds for {len(diagnosed)} patients with a diagnosis: give from 2 to {len(diagnosed)} folds"
        )
    fold = _folds(labelled, folds, seed)
    truth = labelled.truth[diagnosed]
    before = labelled.probabilities()[diagnosed]
    after = np.empty_like(before)
    for number in range(folds):
        learned = update(model, labelled.some(np.flatnonzero(fold != number)), weight=weight, only=only, keep=keep)
        held_out = np.flatnonzero(fold[diagnosed] == number)
        after[held_out] = replace(labelled.some(diagnosed[held_out]), model=learned.model).probabilities()
        if progress is not None:
            progress(number + 1)
    draws = bootstrap_weights(len(diagnosed), DRAWS, seed)
    equal = np.ones((1, len(diagnosed)))
    lines = []
    for metric in METRICS:
        if metric.name in COMPARED:
            now, then = (float(metric.function(p, truth, equal)[0]) for p in (before, after))
            lower, upper = interval(
                metric.function(after, truth, draws) - metric.function(before, truth, draws), CREDIBLE
            )
            lines.append((metric.name, metric.label, now, then, then - now, float(lower), float(upper)))
    frame = pd.DataFrame(lines, columns=["metric", "label", "before", "after", "difference", "lower", "upper"])
    return CrossValidation(frame, folds, len(diagnosed))


def _folds(cases: LabelledCases, folds: int, seed: int) -> Any:
    """The fold of each patient, stratified by subtype; -1 without a diagnosis."""
    rng = np.random.default_rng(root_of(seed))
    shuffled = rng.permutation(np.flatnonzero(cases.truth >= 0))
    dealt = shuffled[np.argsort(cases.truth[shuffled], kind="stable")]
    fold = np.full(len(cases), -1)
    fold[dealt] = np.arange(len(dealt)) % folds
    return fold
