"""One-way sensitivity: the posterior as a function of every single entry of the tables, exactly and all at once.

`sensitivity_function` describes a single function, `table_functions` computes all of them. The range of an entry within
which the diagnosis stays the same is its admissible deviation (van der Gaag and Renooij, UAI 2001).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from calcinosis.analysis.plain import plain_lines
from calcinosis.analysis.sensitivity.covariation import Scheme
from calcinosis.analysis.sensitivity.sensitivity_function import SensitivityFunction
from calcinosis.analysis.sensitivity.table_functions import TableFunctions, table_functions
from calcinosis.inference.entries import Entries, Entry
from calcinosis.inference.findings.evidence import Evidence
from calcinosis.inference.model import Model
from calcinosis.inference.network import Array
from calcinosis.inference.posterior import CREDIBLE, DISCLAIMER, Posterior
from calcinosis.inference.question_error import QuestionError
from calcinosis.inference.result import Result
from calcinosis.knowledge.arguments import checked

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, repr=False)
class OneWay(Result):
    """The effect of every entry of the tables on one patient's posterior.

    `frame` has one line per entry:

    - entry, table, state, given, value, weight, source: as in the priors;
    - lower, upper: the credible interval of the entry by the weight of its row;
    - at_lower, at_upper: the most probable state's posterior at these limits; swing: the distance between them;
    - derivative: of that posterior by the entry, at its present value (from above, at a knee);
    - flip_below, flip_above: the nearest values at which another state ranks first, and leader_below, leader_above,
      which one; NaN and None if none does; admissible_below, admissible_above: the admissible deviation (inf where the
      entry may take any value);
    - flips_at, flips_to, distance: the nearer flip by Chan-Darwiche distance, its state, and that distance (natural
      logarithm, inf where a structural zero would have to change);
    - fragile: whether a flip lies within lower and upper.

    `by_state` has one line per entry and state of the target: derivative, at_lower, at_upper.
    """

    posterior: Posterior
    scheme: Scheme
    mass: float
    entries: Entries
    functions: Mapping[str, TableFunctions]
    lower: Array
    upper: Array

    @checked
    def function(self, entry: str | Entry) -> SensitivityFunction:
        """The posterior as a function of one entry.

        Raises:
            UnknownEntry: if there is no entry of this name.
        """
        resolved = self.entries.find(entry)
        return self.functions[resolved.variable].function(resolved, tuple(self.posterior))

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One line per entry; columns as above."""
        import pandas as pd

        states = np.array([*self.posterior, None], dtype=object)
        lead = list(self.posterior).index(self.posterior.leading)
        limits = [at[:, lead] for at in self._limits]
        flips = [_gathered([table.flip(lead, side) for table in self.functions.values()]) for side in (0, 1)]
        (below, to_below), (above, to_above) = flips
        values = self.entries.values
        far_below, far_above = self._distances(below), self._distances(above)
        nearer = np.nan_to_num(far_below, nan=np.inf) <= np.nan_to_num(far_above, nan=np.inf)
        moves = values - below, above - values
        columns = {
            "lower": self.lower,
            "upper": self.upper,
            "at_lower": limits[0],
            "at_upper": limits[1],
            "swing": np.abs(limits[1] - limits[0]),
            "derivative": self._derivatives[:, lead],
            "flip_below": below,
            "leader_below": states[to_below],
            "flip_above": above,
            "leader_above": states[to_above],
            "admissible_below": np.where(np.isnan(moves[0]), np.inf, moves[0]),
            "admissible_above": np.where(np.isnan(moves[1]), np.inf, moves[1]),
            "flips_at": np.where(nearer, below, above),
            "flips_to": states[np.where(nearer, to_below, to_above)],
            "distance": np.fmin(far_below, far_above),
            "fragile": (below >= self.lower) | (above <= self.upper),
        }
        return pd.concat([self.entries.frame, pd.DataFrame(columns)], axis=1)

    @cached_property
    def by_state(self) -> pd.DataFrame:
        """One line per entry and state of the target; columns as above."""
        import pandas as pd

        states = list(self.posterior)
        at_lower, at_upper = self._limits
        columns = {"derivative": self._derivatives, "at_lower": at_lower, "at_upper": at_upper}
        return pd.DataFrame(
            {
                "entry": self.entries.frame["entry"].array.repeat(len(states)),
                self.posterior.target: pd.Categorical.from_codes(
                    np.tile(np.arange(len(states)), len(self.entries.names)), pd.Index(states)
                ),
                **{name: values.ravel() for name, values in columns.items()},
            }
        )

    @cached_property
    def rows(self) -> pd.DataFrame:
        """One line per row of the tables that moves the most probable state's posterior, the largest swing first.

        Each row is represented by its entry with the largest swing, with the columns of `frame`.
        """
        frame = self.frame
        number = self.entries.rows
        # the two entries of a binary row are mirror images: take the later state, which findings name
        order = np.lexsort((-np.arange(len(frame)), -frame["swing"].fillna(0.0).round(12).to_numpy()))
        _, first = np.unique(number[order], return_index=True)
        chosen = frame.iloc[order[np.sort(first)]]
        chosen = chosen[chosen["swing"] > 1e-12]
        return chosen.reset_index(drop=True)

    @property
    def fragile(self) -> pd.DataFrame:
        """The entries that could change the most probable state within their interval, the nearest flip first."""
        return self.frame[self.frame["fragile"]].sort_values("distance", kind="stable")

    @property
    def summary(self) -> str:
        """One sentence: how many rows could change which state ranks first."""
        rows, label = self.rows, self.posterior.labels[self.posterior.leading]
        return (
            f"{int(rows['fragile'].sum())} of {len(rows)} relevant rows of the tables could, within their own credible "
            f"intervals, make another state more probable than {label}."
        )

    @checked
    def to_dict(self, most: int | None = 10) -> dict[str, Any]:
        """The result as plain values, for JSON; the first `most` rows, None for all."""
        return {
            "posterior": self.posterior.to_dict(),
            "scheme": self.scheme,
            "mass": self.mass,
            "summary": self.summary,
            "rows": plain_lines(self.rows, most),
            "disclaimer": DISCLAIMER,
        }

    def _at(self, x: Array) -> Array:
        """The posterior with each entry at its own x, axes `(entries, target states)`."""
        parts = []
        for variable, table in self.functions.items():
            first = self.entries.first[variable]
            parts.append(table.posteriors(x[first : first + table.size]))
        return np.concatenate(parts)

    @cached_property
    def _limits(self) -> tuple[Array, Array]:
        """The posterior with each entry at its lower and at its upper limit."""
        return self._at(self.lower), self._at(self.upper)

    @cached_property
    def _derivatives(self) -> Array:
        return np.concatenate([table.derivatives() for table in self.functions.values()])

    def _distances(self, x: Array) -> Array:
        """The Chan-Darwiche distance of moving each entry to its own x; NaN where x is NaN."""
        parts = []
        for variable, table in self.functions.items():
            first = self.entries.first[variable]
            parts.append(table.distances(x[first : first + table.size]))
        return np.concatenate(parts)


def _gathered(parts: list[tuple[Array, npt.NDArray[np.intp]]]) -> tuple[Array, npt.NDArray[np.intp]]:
    return np.concatenate([x for x, _ in parts]), np.concatenate([to for _, to in parts])


@checked
def one_way(
    model: Model,
    findings: Mapping[str, Any] | Evidence | None = None,
    /,
    *,
    scheme: Scheme = "proportional",
    mass: float = CREDIBLE,
    **named: Any,
) -> OneWay:
    """The effect of every entry of the tables on a patient's posterior.

    Args:
        findings: in the grammar, as for `model.posterior`.
        scheme: how the rest of a row moves with an entry: proportional, uniform or order-preserving.
        mass: probability of the credible intervals of the entries.

    Raises:
        FindingsError, ImpossibleEvidence: as `model.posterior`.
        QuestionError: for a mass not between 0 and 1, or an unknown scheme.

    >>> import calcinosis as cc
    >>> result = cc.sensitivity.one_way(cc.load(), warfarin="yes", pain="severe")
    >>> row = result.frame.set_index("entry").loc["warfarin=yes@esrd=no,subtype=calciphylaxis"]
    >>> bool(row["derivative"] > 0), float(row["weight"])
    (True, 53.0)
    """
    if not 0.0 < mass < 1.0:
        raise QuestionError(f"the mass of an interval is {mass}: give a number between 0 and 1")
    model = model.of_record(named)
    posterior = model.posterior(findings, **named)
    entries = model.entries
    lower, upper = entries.interval(mass)
    return OneWay(
        posterior, scheme, mass, entries, table_functions(model.network, posterior.evidence, scheme), lower, upper
    )
