"""Patients simulated from the network, with known diagnosis, for teaching, testing and benchmarks.

They come in blocks of a fixed size, each with its own random streams. Any number of patients can thus be sampled in the
memory of one block, in any order, or on several machines.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import chain, count
from typing import TYPE_CHECKING, Any

import numpy as np

from calcinosis.inference.findings.encoding import Codes
from calcinosis.inference.findings.repeats import read_repeats, texts
from calcinosis.inference.network import Network
from calcinosis.inference.simulate.missingness import Mask, Missing, Missingness, read_missing
from calcinosis.inference.simulate.sampling import Sampler, Scale, has_scale, scale_of
from calcinosis.inference.streams import Seed, root_of, stream
from calcinosis.knowledge.problem import nearest

if TYPE_CHECKING:
    import pandas as pd

MOST_PATIENTS = 1_000_000_000
"""The maximum number of patients."""

UNKNOWN = "unknown"
"""The cell of what was asked for and is not known."""

BLOCK = 2**16
"""The number of patients per block. Another number gives other patients."""


@dataclass(frozen=True, eq=False)
class Simulation:
    """The patients of `Model.simulate`, with the same arguments, in DataFrames of `BLOCK` rows, the last one shorter.

    `block(i)` samples the patients from `i * BLOCK` on, whichever block was sampled before. Iteration gives all blocks,
    with one in memory at a time. Invalid arguments are reported before the first block is sampled.

    Raises:
        ValueError, TypeError: as `Model.simulate`.

    >>> import calcinosis as cc
    >>> plan = Simulation(cc.load().network, 100_000, missing=0.5, seed=1)
    >>> plan.blocks, [len(block) for block in plan]
    (2, [65536, 34464])
    """

    network: Network
    patients: int
    missing: Missing = 0.0
    repeats: Mapping[str, int] | None = None
    numbers: bool = False
    hidden: bool = False
    seed: Seed = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if operator.index(self.patients) < 0:
            raise ValueError(f"{self.patients} patients: give a whole number, 0 or more")
        if self.patients > MOST_PATIENTS:
            raise ValueError(f"{self.patients:,} patients: give {MOST_PATIENTS:,} at most")
        # the arguments are checked, and a Generator advances, now and once
        _ = self.results, self.missingness, self.texts, self.root

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The variables that are reported."""
        readable = self.network.without_mentions.variables
        return tuple(n for n, v in readable.items() if n != self.network.target and (self.hidden or v.observable))

    @cached_property
    def results(self) -> Mapping[str, int]:
        """The number of results of each repeated variable."""
        return read_repeats(self.repeats or {}, self.network.variables)

    @cached_property
    def missingness(self) -> Missingness:
        """Which findings are missing."""
        return read_missing(self.missing, self.network, self.columns)

    @cached_property
    def texts(self) -> Mapping[str, tuple[str, ...]]:
        """For the target and each column, the cell of each code."""
        names = (self.network.target, *self.columns)
        return {name: texts(self.network.variables[name], self.results.get(name, 1)) for name in names}

    @cached_property
    def scales(self) -> Mapping[str, Scale]:
        """The printed values of the variables that are reported as numbers."""
        variables = {name: self.network.variables[name] for name in self.columns if self.results.get(name, 1) == 1}
        return {name: scale_of(v) for name, v in variables.items() if has_scale(v)} if self.numbers else {}

    @cached_property
    def root(self) -> np.random.SeedSequence:
        """The root of all random streams."""
        return root_of(self.seed)

    @property
    def blocks(self) -> int:
        """The number of blocks; without patients, one empty block."""
        return max(1, -(-self.patients // BLOCK))

    def __iter__(self) -> Iterator[pd.DataFrame]:
        return map(self.block, range(self.blocks))

    def block(self, number: int) -> pd.DataFrame:
        """One block of patients; its index numbers them through all blocks.

        Raises:
            IndexError: for a block that does not exist.
        """
        import pandas as pd

        if not 0 <= number < self.blocks:
            raise IndexError(f"no block {number}: there are {self.blocks}, the first is 0")
        index = pd.RangeIndex(number * BLOCK, min((number + 1) * BLOCK, self.patients))
        source = partial(stream, self.root, number)
        drawn = self._sampler.draw(source, len(index), self.results)
        masks = self.missingness.draw(source, len(index))
        silent = {name: drawn[mention] == 0 for name, mention in self.network.mentions.items()}
        target = self.network.target
        cells: dict[str, Any] = {truth_column(self.network): self._category(target, drawn[target])}
        for name in self.columns:
            scale = self.scales.get(name)
            if scale is None:
                cells[name] = self._category(name, drawn[name], masks.get(name), silent.get(name))
                continue
            if name in silent:
                masks[name] = masks[name] | silent[name] if name in masks else silent[name]
            values = scale.values(drawn[name], source("value", name).random(len(index)))
            if name in masks:
                values[masks[name]] = np.nan
            cells[f"{name} ({self.network.variables[name].unit})"] = values
        return pd.DataFrame(cells, index=index, copy=False)

    def _category(
        self, name: str, codes: Codes, missing: Mask | None = None, silent: Mask | None = None
    ) -> pd.Categorical:
        """The cells of a variable: empty where it is missing, or where the record is silent on it.

        Where a record could be silent, what is missing is the word `unknown`, which is no silence.
        """
        import pandas as pd

        if silent is not None:
            codes = codes | -silent.astype(codes.dtype)  # -1 has all bits set
        if missing is not None and silent is None:
            codes = codes | -missing.astype(codes.dtype)
        elif missing is not None:
            codes = np.where(missing, np.array(len(self.texts[name]), codes.dtype), codes)
        return pd.Categorical.from_codes(codes, dtype=self._dtypes[name], validate=False)

    @cached_property
    def _dtypes(self) -> Mapping[str, pd.CategoricalDtype]:
        import pandas as pd

        return {
            name: pd.CategoricalDtype(
                [*cells, *([UNKNOWN] if name in self.network.mentions and self.missingness.concerns(name) else [])]
            )
            for name, cells in self.texts.items()
        }

    @cached_property
    def _sampler(self) -> Sampler:
        return Sampler(self.network)


def truth_column(network: Network) -> str:
    """The heading of the target's true states: `diagnosis`, or another if a variable has that or a similar name.

    >>> import calcinosis as cc
    >>> truth_column(cc.load().network)
    'diagnosis'
    """
    taken = [*network.variables, *(correction.covariate for correction in network.corrections)]
    names = chain(("diagnosis", f"true_{network.target}", "truth"), (f"truth_{number}" for number in count(2)))
    return next(name for name in names if nearest(name, taken, cutoff=0.8) is None)
