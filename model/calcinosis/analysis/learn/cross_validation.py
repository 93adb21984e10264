"""Does learning help? A cohort learned from all but a part of itself, and asked of that part, in turn."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from calcinosis.analysis.learn.update import update
from calcinosis.analysis.plain import lines_of, plain_lines
from calcinosis.analysis.validate.bootstrap import bootstrap_weights, interval
from calcinosis.analysis.validate.labelled_cases import Diagnosed, read_diagnosed
from calcinosis.analysis.validate.metrics import METRICS
from calcinosis.inference.model import Model
from calcinosis.inference.posterior import CREDIBLE, DISCLAIMER
from calcinosis.inference.question_error import QuestionError
from calcinosis.inference.streams import root_of
from calcinosis.knowledge.arguments import checked

if TYPE_CHECKING:
    import pandas as pd

ASKED = ("accuracy", "top_two", "log_loss", "brier")
"""The metrics that are compared."""

DRAWS = 1000
"""How many times the patients are weighed anew for the intervals."""


@dataclass(frozen=True, eq=False)
class LeftOut:
    """How the answers for patients change when the tables have learned from the others.

    `frame` has one line per metric: metric, label, before, after, difference (after − before), lower and upper (its
    95 % interval). `patients` is how many were asked, `folds` in how many parts the cohort was cut.
    """

    frame: pd.DataFrame
    folds: int
    patients: int

    @property
    def verdict(self) -> str:
        """Whether learning improves the cross-validated log loss, in words."""
        line = next(line for line in lines_of(self.frame) if line.metric == "log_loss")
        known = f"the cross-validated log loss goes from {line.before:.3f} to {line.after:.3f}"
        if line.upper < 0:
            return f"Learning from this cohort helps: {known}."
        if line.lower > 0:
            return f"Learning from this cohort harms: {known}."
        return f"It is unclear whether learning from this cohort helps: {known}."

    def as_dict(self) -> dict[str, Any]:
        """The comparison as plain values, for JSON."""
        return {
            "patients": self.patients,
            "folds": self.folds,
            "verdict": self.verdict,
            "metrics": plain_lines(self.frame),
            "disclaimer": DISCLAIMER,
        }


@checked
def cross_validate(
    model: Model,
    cases: pd.DataFrame | Diagnosed,
    /,
    *,
    folds: int = 5,
    weight: float = 1.0,
    only: Collection[str] | None = None,
    keep: Collection[str] = (),
    seed: int = 0,
    progress: Callable[[int], None] | None = None,
) -> LeftOut:
    """How well patients are answered by tables that learned from the others, beside the tables as they are.

    The cohort is cut into parts, each with its share of every subtype. Patients without a diagnosis take part in the
    learning only. `progress` is called with the number of parts that are done.

    Raises:
        CasesError, QuestionError: as `update`; QuestionError also if there are fewer patients with a diagnosis than
            parts, or fewer than two parts.

    >>> import calcinosis as cc
    >>> model = cc.load()
    >>> found = cross_validate(model, model.simulate(60, seed=1), folds=3)
    >>> found.patients, found.frame["metric"].tolist()
    (60, ['accuracy', 'top_two', 'log_loss', 'brier'])
    """
    import pandas as pd

    known = cases if isinstance(cases, Diagnosed) else read_diagnosed(model, cases, every=False)
    diagnosed = np.flatnonzero(known.truth >= 0)
    if not 2 <= folds <= len(diagnosed):
        raise QuestionError(
            f"{len(diagnosed)} patients with a diagnosis cannot be left out in {folds} parts: give from 2 to "
            f"{len(diagnosed)}"
        )
    part = _parts(known, folds, seed)
    truth = known.truth[diagnosed]
    before = known.probabilities()[diagnosed]
    after = np.empty_like(before)
    for number in range(folds):
        learned = update(model, known.some(np.flatnonzero(part != number)), weight=weight, only=only, keep=keep)
        asked = np.flatnonzero(part[diagnosed] == number)
        after[asked] = replace(known.some(diagnosed[asked]), model=learned.model).probabilities()
        if progress is not None:
            progress(number + 1)
    draws = bootstrap_weights(len(diagnosed), DRAWS, seed)
    own = np.ones((1, len(diagnosed)))
    lines = []
    for metric in METRICS:
        if metric.name in ASKED:
            now, then = (float(metric.function(p, truth, own)[0]) for p in (before, after))
            lower, upper = interval(
                metric.function(after, truth, draws) - metric.function(before, truth, draws), CREDIBLE
            )
            lines.append((metric.name, metric.label, now, then, then - now, float(lower), float(upper)))
    frame = pd.DataFrame(lines, columns=["metric", "label", "before", "after", "difference", "lower", "upper"])
    return LeftOut(frame, folds, len(diagnosed))


def _parts(cases: Diagnosed, folds: int, seed: int) -> Any:
    """The part of each patient, every subtype spread over the parts as evenly as can be; -1 without a diagnosis."""
    rng = np.random.default_rng(root_of(seed))
    shuffled = rng.permutation(np.flatnonzero(cases.truth >= 0))
    dealt = shuffled[np.argsort(cases.truth[shuffled], kind="stable")]
    part = np.full(len(cases), -1)
    part[dealt] = np.arange(len(dealt)) % folds
    return part
