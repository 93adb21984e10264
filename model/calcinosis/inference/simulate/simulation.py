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
from calcinosis.inference.simulate.printed_values import Scale, has_scale, scale_of
from calcinosis.inference.simulate.sampling import Sampler
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
    """A plan of a simulation: `block(i)` samples the patients from `i * BLOCK` on, whichever block was sampled before.

    `truth` is the heading of the target's states, `columns` are the variables shown, `texts` the cells of each by code.
    Variables in `scales` are given as numbers.
    """

    network: Network
    patients: int
    truth: str
    columns: tuple[str, ...]
    missing: Missingness
    results: Mapping[str, int]
    texts: Mapping[str, tuple[str, ...]]
    scales: Mapping[str, Scale]
    root: np.random.SeedSequence = field(repr=False)

    @property
    def blocks(self) -> int:
        """The number of blocks; without patients, one empty block."""
        return max(1, -(-self.patients // BLOCK))

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
        masks = self.missing.draw(source, len(index))
        silent = {name: drawn[mention] == 0 for name, mention in self.network.mentions.items()}
        cells: dict[str, Any] = {self.truth: self._category(self.network.target, drawn[self.network.target])}
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
                [*cells, *([UNKNOWN] if name in self.network.mentions and self.missing.concerns(name) else [])]
            )
            for name, cells in self.texts.items()
        }

    @cached_property
    def _sampler(self) -> Sampler:
        return Sampler(self.network)


def simulation(
    network: Network,
    patients: int,
    *,
    missing: Missing = 0.0,
    repeats: Mapping[str, int] | None = None,
    numbers: bool = False,
    hidden: bool = False,
    seed: Seed = None,
) -> Simulation:
    """The patients of `Model.simulate`, with the same arguments, in blocks and any order.

    Raises:
        ValueError, TypeError: as `Model.simulate`.

    >>> import calcinosis as cc
    >>> plan = simulation(cc.load().network, 100_000, seed=1)
    >>> plan.blocks, len(plan.block(1))
    (2, 34464)
    """
    if operator.index(patients) < 0:
        raise ValueError(f"{patients} patients: give a whole number, 0 or more")
    if patients > MOST_PATIENTS:
        raise ValueError(f"{patients:,} patients: give {MOST_PATIENTS:,} at most")
    variables = network.variables
    readable = network.without_mentions.variables
    columns = tuple(n for n, v in readable.items() if n != network.target and (hidden or v.observable))
    results = read_repeats({} if repeats is None else repeats, variables)
    missingness = read_missing(missing, network, columns)
    # a number cannot be 'unknown', and an empty cell would be silence: such a variable stays in words
    in_words = {name for name in network.mentions if missingness.concerns(name)}
    return Simulation(
        network=network,
        patients=operator.index(patients),
        truth=truth_column(network),
        columns=columns,
        missing=missingness,
        results=results,
        texts={name: texts(variables[name], results.get(name, 1)) for name in (network.target, *columns)},
        scales={
            name: scale_of(variables[name])
            for name in columns
            if numbers and has_scale(variables[name]) and results.get(name, 1) == 1 and name not in in_words
        },
        root=root_of(seed),
    )


def simulate_blocks(
    network: Network,
    patients: int,
    *,
    missing: Missing = 0.0,
    repeats: Mapping[str, int] | None = None,
    numbers: bool = False,
    hidden: bool = False,
    seed: Seed = None,
) -> Iterator[pd.DataFrame]:
    """The patients of `Model.simulate`, with the same arguments, in DataFrames of `BLOCK` rows, the last one shorter.

    Only one block is in memory at a time. Invalid arguments are reported before the first block is sampled.

    Raises:
        ValueError, TypeError: as `Model.simulate`.

    >>> import calcinosis as cc
    >>> [len(block) for block in simulate_blocks(cc.load().network, 100_000, missing=0.5, seed=1)]
    [65536, 34464]
    """
    plan = simulation(network, patients, missing=missing, repeats=repeats, numbers=numbers, hidden=hidden, seed=seed)
    return map(plan.block, range(plan.blocks))


def truth_column(network: Network) -> str:
    """The heading of the target's true states: `diagnosis`, or another if a variable has that or a similar name.

    >>> import calcinosis as cc
    >>> truth_column(cc.load().network)
    'diagnosis'
    """
    taken = [*network.variables, *(correction.covariate for correction in network.corrections)]
    names = chain(("diagnosis", f"true_{network.target}", "truth"), (f"truth_{number}" for number in count(2)))
    return next(name for name in names if nearest(name, taken, cutoff=0.8) is None)
