"""Missing findings: completely at random per variable, or missingness patterns resampled from a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from calcinosis.inference.findings.columns import Heading, column_of, read_headings
from calcinosis.inference.findings.grammar import read_value
from calcinosis.inference.findings.measurement import NotUnderstood
from calcinosis.inference.network import Network
from calcinosis.inference.simulate.sampling import Stream
from calcinosis.knowledge.problem import choose_from
from calcinosis.knowledge.records import Variable

if TYPE_CHECKING:
    import pandas as pd

Missing: TypeAlias = "float | Mapping[str, float] | pd.DataFrame"
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Missingness:
    """The share of each variable that is missing completely at random, and missingness patterns by variable.

    The `patterns` have the axis `(rows,)`. Each patient gets the pattern of a random row, which preserves the
    dependence between missing variables.
    """

    shares: Mapping[str, float]
    patterns: Mapping[str, Mask] = field(default_factory=dict)
    rows: int = 0

    def concerns(self, name: str) -> bool:
        """Whether a variable may be missing."""
        return self.shares.get(name, 0) > 0 or name in self.patterns

    def draw(self, stream: Stream, patients: int) -> dict[str, Mask]:
        """By variable, the patients in whom it is missing, axis `(patients,)`; complete variables are omitted.

        With the same seed, a larger share is missing in a superset of the patients.
        """
        masks = {
            name: stream("missing", name).random(patients) < share for name, share in self.shares.items() if share > 0
        }
        if self.rows:
            copied = stream("pattern").integers(self.rows, size=patients)
            masks |= {name: pattern.take(copied) for name, pattern in self.patterns.items()}
        return masks


def read_missing(missing: Any, network: Network, columns: Sequence[str]) -> Missingness:
    """The missingness of the variables in `columns`, from one share, shares by variable, or a DataFrame.

    Raises:
        ValueError: for a share outside 0 to 1, a name not in `columns`, or a DataFrame without rows.
        FindingsError: for a DataFrame with a heading that looks misspelled, or without variables.
        TypeError: for any other argument.
    """
    if hasattr(missing, "columns"):
        return _copied(missing, network, columns)
    if not hasattr(missing, "keys"):
        return Missingness({name: _share(missing, "all variables") for name in columns})
    missing = dict(missing)
    for name in missing:
        if name not in columns:
            why = f"no variable {name!r}"
            if name == network.target:
                why = f"{name} is what is asked for and never missing"
            elif name in network.without_mentions.variables:
                why = f"{name} is hidden, and not drawn unless hidden=True"
            raise ValueError(f"missing: {why}: {choose_from(str(name), columns)}")
    return Missingness({name: _share(share, name) for name, share in missing.items()})


def _share(share: Any, name: str) -> float:
    try:
        if isinstance(share, bool):
            raise TypeError
        value = float(share)
    except (TypeError, ValueError, OverflowError):
        kind = type(share).__name__
        raise TypeError(f"missing: give a share, shares by variable, or a DataFrame, not a {kind} for {name}") from None
    if not 0 <= value <= 1:
        raise ValueError(f"missing: {value:g} of {name}: give a share from 0 (none missing) to 1 (all missing)")
    return value


def _copied(frame: pd.DataFrame, network: Network, columns: Sequence[str]) -> Missingness:
    if not len(frame):
        raise ValueError("missing: the DataFrame has no rows whose patterns could be copied")
    variables = network.without_mentions.variables
    units = {name: variable.units for name, variable in variables.items()}
    units |= {correction.covariate: correction.units for correction in network.corrections}
    headings = {heading.name: heading for heading in read_headings(frame.columns, variables, units)}
    patterns = {name: _absent(frame, headings[name], network.variables[name]) for name in columns if name in headings}
    return Missingness({name: 1.0 for name in columns if name not in headings}, patterns, len(frame))


def _absent(frame: pd.DataFrame, heading: Heading, variable: Variable) -> Mask:
    """The rows in which nothing was observed; a value that is not understood counts as observed."""
    column = column_of(frame[heading.column])
    if column.numbers is not None:
        return np.isnan(column.numbers)
    # the last element is for rows without a cell (-1)
    absent: Mask = np.array([_says_nothing(cell, variable) for cell in column.cells] + [True])[column.which]
    return absent


def _says_nothing(cell: Any, variable: Variable) -> bool:
    try:
        return not read_value(cell, variable)
    except NotUnderstood:
        return False
