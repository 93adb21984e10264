"""All sensitivity analyses of one patient, in one record that every interface shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from calcinosis.analysis.plain import plain_lines
from calcinosis.analysis.sensitivity.covariation import Scheme
from calcinosis.analysis.sensitivity.one_way import OneWay, one_way
from calcinosis.analysis.sensitivity.robust import EPSILON, RobustBounds, robust_bounds
from calcinosis.analysis.sensitivity.smallest_changes import SmallestChanges, smallest_changes
from calcinosis.analysis.sensitivity.two_way import TwoWay, two_way
from calcinosis.analysis.sensitivity.uncertainty import DRAWS, Uncertainty, uncertainty
from calcinosis.inference.entries import Entry
from calcinosis.inference.findings.evidence import Evidence
from calcinosis.inference.model import Model
from calcinosis.inference.numbers import entry
from calcinosis.inference.phrases import capitalised
from calcinosis.inference.posterior import DISCLAIMER, Posterior
from calcinosis.inference.result import Result
from calcinosis.knowledge.arguments import checked

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 10
"""Maximum rows per table where not all are shown."""


@dataclass(frozen=True, eq=False, repr=False)
class Sensitivity(Result):
    """All sensitivity analyses of one posterior. `uncertainty` is None if the rows of the tables have no weights,
    `changes` if only new zeros could change the answer, `two_way` if no two entries were named."""

    posterior: Posterior
    one_way: OneWay
    robust: RobustBounds
    changes: SmallestChanges | None
    uncertainty: Uncertainty | None
    two_way: TwoWay | None

    @property
    def rows(self) -> pd.DataFrame:
        """The rows of the tables that move the most probable state's posterior, as `OneWay.rows`."""
        return self.one_way.rows

    @property
    def frame(self) -> pd.DataFrame:
        """The rows of the tables that move the most probable state's posterior."""
        return self.one_way.rows

    @property
    def depends_on(self) -> pd.DataFrame:
        """The rows that could change the diagnosis within their own credible intervals, the nearest first."""
        return self.rows[self.rows["fragile"]].sort_values("distance", kind="stable", ignore_index=True)

    @property
    def summary(self) -> str:
        """How many rows of the tables the diagnosis depends on, and on which most."""
        found, label = self.depends_on, self.posterior.labels[self.posterior.leading]
        if not len(found):
            return f"{capitalised(label)} stays the most probable when any single row moves within its interval."
        count = f"{len(found)} rows of the tables" if len(found) > 1 else "one row of the tables"
        first = found.iloc[0]
        return (
            f"That {label} is the most probable depends on {count}: moved within its interval, "
            f"{'each' if len(found) > 1 else 'it'} could change this. The nearest is {first['entry']}, now "
            f"{entry(first['value'])}: at {entry(first['flips_at'])} {self.posterior.labels[first['flips_to']]} is the "
            "most probable."
        )

    @checked
    def to_dict(self, most: int | None = SHOWN) -> dict[str, Any]:
        """The result as plain values, for JSON; `most` lines of each table, None for all."""

        def lines(frame: pd.DataFrame) -> list[dict[str, Any]]:
            return plain_lines(frame, most)

        result: dict[str, Any] = {"posterior": self.posterior.to_dict(), "summary": self.summary}
        result["depends_on"], result["rows"] = lines(self.depends_on), lines(self.rows)
        parts = {
            "robust": self.robust,
            "changes": self.changes,
            "uncertainty": self.uncertainty,
            "two_way": self.two_way,
        }
        for name, part in parts.items():
            if part is not None:
                result[name] = part.to_dict(most)
                del result[name]["disclaimer"]
        return result | {"disclaimer": DISCLAIMER}


@checked
def overview(
    model: Model,
    findings: Mapping[str, Any] | Evidence | None = None,
    /,
    *,
    state: str | None = None,
    probability: float | None = None,
    entries: tuple[str | Entry, str | Entry] | None = None,
    scheme: Scheme = "proportional",
    epsilon: float = EPSILON,
    draws: int = DRAWS,
    seed: int = 0,
    **named: Any,
) -> Sensitivity:
    """The uncertainty of a patient's posterior, and what it depends on: every sensitivity analysis at once.

    Args:
        state, probability: the target of the smallest changes; by default that another state ranks first.
        entries: two entries for the two-way analysis.
        scheme, epsilon, draws, seed: as for `one_way`, `robust_bounds` and `uncertainty`.

    Raises:
        FindingsError, ImpossibleEvidence: as `model.posterior`.
        UnknownEntry, QuestionError: as the analyses.

    >>> import calcinosis as cc
    >>> cc.sensitivity.overview(cc.load(), pain="severe", draws=100).summary
    'Calciphylaxis stays the most probable when any single row moves within its interval.'
    """
    model = model.of_record(named)
    evidence = model.read(findings, **named)
    single = one_way(model, evidence, scheme=scheme)
    posterior = single.posterior
    certain = max(posterior.probabilities_of.values()) == 1.0
    has_target = state is not None or probability is not None
    return Sensitivity(
        posterior=posterior,
        one_way=single,
        robust=robust_bounds(model, evidence, epsilon=epsilon),
        changes=smallest_changes(model, evidence, state=state, probability=probability)
        if has_target or not certain
        else None,
        uncertainty=uncertainty(model, evidence, draws=draws, seed=seed) if model.second_order else None,
        two_way=two_way(model, evidence, *entries) if entries else None,
    )
