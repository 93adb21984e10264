"""How sure, and what is it hanging on: every analysis of one patient, as one record that every surface shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from calcinosis.analysis.plain import plain, plain_lines
from calcinosis.analysis.sensitivity.covariation import Scheme
from calcinosis.analysis.sensitivity.one_way import OneWay, one_way
from calcinosis.analysis.sensitivity.robust import EPSILON, RobustBounds, robust_bounds
from calcinosis.analysis.sensitivity.smallest_changes import SmallestChanges, smallest_changes
from calcinosis.analysis.sensitivity.two_way import TwoWay, two_way
from calcinosis.analysis.sensitivity.uncertainty import DRAWS, Uncertainty, uncertainty
from calcinosis.inference.entries import Entry
from calcinosis.inference.findings.evidence import Evidence
from calcinosis.inference.model import Model
from calcinosis.inference.posterior import DISCLAIMER, Posterior
from calcinosis.knowledge.arguments import checked

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 10
"""How many lines of each table are shown where not all are."""


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """All that is asked of one posterior: `uncertainty` is None where the rows of the tables have no weights, `changes`
    where nothing but new zeros could change the answer, `two_way` where no two entries were named."""

    posterior: Posterior
    one_way: OneWay
    robust: RobustBounds
    changes: SmallestChanges | None
    uncertainty: Uncertainty | None
    two_way: TwoWay | None

    @property
    def rows(self) -> pd.DataFrame:
        """The rows of the tables that move the leading state's posterior, as `OneWay.rows`."""
        return self.one_way.rows

    @property
    def hangs_on(self) -> pd.DataFrame:
        """The rows that could flip the diagnosis within their own intervals, the nearest first."""
        return self.rows[self.rows["fragile"]].sort_values("distance", kind="stable", ignore_index=True)

    @property
    def verdict(self) -> str:
        """One sentence: on how many rows of the tables the diagnosis hangs, and on which most."""
        found, label = self.hangs_on, self.posterior.labels[self.posterior.leading]
        if not len(found):
            return f"No single row of the tables, within its own interval, takes the lead from {label}."
        count = f"{len(found)} rows of the tables" if len(found) > 1 else "one row of the tables"
        each = "each of which" if len(found) > 1 else "which"
        first = found.iloc[0]
        return (
            f"That {label} leads hangs on {count}, {each} could take the lead away within its own interval; "
            f"the nearest is {first['entry']}, now {first['value']:.3g}: at {first['flips_at']:.3g} "
            f"{self.posterior.labels[first['flips_to']]} leads."
        )

    @checked
    def as_dict(self, most: int | None = SHOWN) -> dict[str, Any]:
        """The answer as plain values, for JSON; `most` lines of each table, None for all."""

        def lines(frame: pd.DataFrame) -> list[dict[str, Any]]:
            return plain_lines(frame, most)

        leading = self.posterior.leading
        found: dict[str, Any] = {"posterior": self.posterior.as_dict(), "verdict": self.verdict}
        found["hangs_on"], found["rows"] = lines(self.hangs_on), lines(self.rows)
        found["robust"] = {
            "epsilon": self.robust.epsilon,
            "leader_is_safe": self.robust.leader_is_safe,
            "states": lines(self.robust.frame),
        }
        if self.changes is not None:
            found["changes"] = {
                "goal": self.changes.goal,
                "bound": self.changes.bound,
                **{name: lines(getattr(self.changes, name)) for name in ("entries", "rows", "tables", "together")},
                "together_distance": plain(self.changes.together_distance),
            }
        if self.uncertainty is not None:
            own = self.uncertainty
            found["uncertainty"] = {
                "draws": len(own.sample.weights),
                "seed": own.seed,
                "states": lines(own.frame),
                "by_table": lines(own.by_table[own.by_table["state"] == leading]),
                "by_source": lines(own.by_source[own.by_source["state"] == leading]),
            }
        if self.two_way is not None:
            found["two_way"] = {
                "entries": [str(entry) for entry in self.two_way.entries],
                "present": list(self.two_way.present),
                "boundary": lines(self.two_way.boundary),
            }
        return found | {"disclaimer": DISCLAIMER}


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
    """How sure a patient's posterior is, and what it hangs on: every analysis at once.

    Args:
        state, probability: what the smallest changes shall reach; by default that another state leads.
        entries: two entries for the two-way analysis.
        scheme, epsilon, draws, seed: as for `one_way`, `robust_bounds` and `uncertainty`.

    Raises:
        FindingsError, ImpossibleEvidence: as `model.posterior`.
        UnknownEntry, ValueError: as the analyses.

    >>> import calcinosis as cc
    >>> cc.sensitivity.overview(cc.load(), pain="severe", draws=100).verdict
    'No single row of the tables, within its own interval, takes the lead from calciphylaxis.'
    """
    model = model.of_record(named)
    evidence = model.read(findings, **named)
    swept = one_way(model, evidence, scheme=scheme)
    posterior = swept.posterior
    certain = max(posterior.probabilities_of.values()) == 1.0
    asked = state is not None or probability is not None
    return Sensitivity(
        posterior=posterior,
        one_way=swept,
        robust=robust_bounds(model, evidence, epsilon=epsilon),
        changes=smallest_changes(model, evidence, state=state, probability=probability)
        if asked or not certain
        else None,
        uncertainty=uncertainty(model, evidence, draws=draws, seed=seed) if model.second_order else None,
        two_way=two_way(model, evidence, *entries) if entries else None,
    )
