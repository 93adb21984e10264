"""Exact Shapley values, and the log-odds of every coalition of a patient's findings.

The value of a player is the change it brings, on average over all orders in which the players could join (Shapley, A
value for n-person games, 1953). It is computed from all 2^n coalitions, in blocks, so that memory stays bounded:

    value(i) = Σ over coalitions S with i of  (|S| - 1)! (n - |S|)! / n! · v(S)
             - Σ over coalitions S without i of  |S|! (n - |S| - 1)! / n! · v(S)

Where the engine answers from one open clique, the weight of a coalition is a sum over its entries of a product of rows,
one row per lookup table. The lookups are split into two halves with about as many switches each; the rows of each half
are multiplied once for all its coalitions, and the rest is a product of two matrices. That is ten times as fast as
weighing each coalition separately, which remains the method for all other networks, and for weights so small that
digits may be lost.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from calcinosis.analysis.explain.hypothesis import Hypothesis
from calcinosis.inference.engine.engine import TINY, Engine
from calcinosis.inference.findings.encoding import Coder, Codes
from calcinosis.inference.findings.evidence import Evidence
from calcinosis.inference.model import Model
from calcinosis.inference.network import Array

Coalitions = npt.NDArray[np.int64]
"""Sets of players as integers: player i belongs to the set if bit i is set."""

BLOCK = 2**16
"""Number of coalitions evaluated at a time."""


def shapley_values(players: int, value: Callable[[Coalitions], Array]) -> Array:
    """The contribution of each player, axis `(players,)`: they sum to v(all) - v(none).

    `value` returns the value of coalitions, axis `(coalitions,)`, finite. It is called in blocks of at most BLOCK.

    By hand: two players who reach 1 each alone, and 4 together, get 2 each.

    >>> shapley_values(2, lambda coalitions: np.array([0.0, 1.0, 1.0, 4.0])[coalitions]).tolist()
    [2.0, 2.0]
    """
    orders = math.factorial(players)
    joined, missed = np.zeros(players + 1), np.zeros(players + 1)
    for size in range(players):
        # one division of integers, so that the weights are exact to the last digit
        missed[size] = math.factorial(size) * math.factorial(players - size - 1) / orders
        joined[size + 1] = missed[size]
    contributions, without = np.zeros(players), 0.0
    empty = float(value(np.zeros(1, dtype=np.int64))[0])
    for first in range(0, 2**players, BLOCK):
        coalitions = np.arange(first, min(first + BLOCK, 2**players), dtype=np.int64)
        sizes = np.bitwise_count(coalitions)
        # only differences matter, and small numbers lose fewer digits
        reached = value(coalitions) - empty
        without += float(reached @ missed[sizes])
        weighed = reached * (joined + missed)[sizes]
        for player in range(players):
            contributions[player] += _with(weighed, player, first)
    return contributions - without


def _with(weighed: Array, player: int, first: int) -> float:
    """The sum over the coalitions of a block that contain a player."""
    size = 2**player
    if size >= len(weighed):
        return float(weighed.sum()) if first & size else 0.0
    return float(weighed.reshape(-1, 2, size)[:, 1].sum())


MOST_ENTRIES = 2**10
"""Maximum size of an open clique whose rows are multiplied in advance."""

FEW = 2**6
"""Fewer coalitions than this are weighed one by one."""


@dataclass(frozen=True, eq=False)
class Halves:
    """The product of the rows of each half of the lookups, axes `(coalitions of its switches, entries)`.

    The switches of the `left` half come first. `owner` is the number of the target's state for each entry.
    """

    left: Array
    right: Array
    owner: Codes

    def summed(self, states: Sequence[int], first: int, last: int) -> Array:
        """The weight of some states in the coalitions from `first` to `last` (exclusive), both multiples of the size of
        the left half."""
        mine = np.isin(self.owner, states)
        size = len(self.left)
        return (self.right[first // size : last // size, mine] @ self.left[:, mine].T).ravel()


@dataclass(frozen=True, eq=False)
class Switches:
    """Variables that are switched between their findings in two scenarios; findings common to both are `fixed`.

    `off` and `on` are the codes of each variable in `names` in the first and the second scenario.
    """

    model: Model
    coder: Coder
    names: tuple[str, ...]
    off: Mapping[str, int]
    on: Mapping[str, int]
    fixed: Mapping[str, int]

    @classmethod
    def between(cls, model: Model, first: Evidence, second: Evidence) -> Switches:
        """The switches between two scenarios: every variable whose findings differ."""
        coder = Coder(model.engine.base)
        codes = [{f.variable: coder.code(f.variable, f.likelihoods)[0] for f in side} for side in (first, second)]
        observed = [name for name in model.variables if name in codes[0] or name in codes[1]]
        off, on = ({name: side.get(name, model.engine.base[name][()]) for name in observed} for side in codes)
        names = [name for name in observed if off[name] != on[name]]
        fixed = {name: off[name] for name in observed if name not in names}
        return cls(model, coder, tuple(_by_half(model, names)), off, on, fixed)

    def log_odds(self, hypothesis: Hypothesis, coalitions: Coalitions) -> Array:
        """The log-odds of a hypothesis, axis `(coalitions,)`; variable i of `names` is on in coalitions with bit i."""
        first, last = int(coalitions[0]), int(coalitions[-1]) + 1
        if len(coalitions) >= FEW and last - first == len(coalitions) and self._halves is not None:
            size = len(self._halves.left)
            if first % size == 0 and last % size == 0:
                mine, theirs = (
                    self._halves.summed([hypothesis.states.index(state) for state in side], first, last)
                    for side in (hypothesis.chosen, hypothesis.against)
                )
                if min(mine.min(), theirs.min()) > TINY:
                    return np.asarray(np.log(mine / theirs))
        return hypothesis.log_odds(self._weigh(self.names, coalitions))

    def _weigh(self, names: Sequence[str], coalitions: Coalitions) -> Array:
        """The joint weight of each state of the target, axes `(coalitions, states)`, up to a factor per coalition."""
        coded = self.coder.coded(len(coalitions), self._codes(names, coalitions))
        return self.model.engine.weigh(coded).weights

    def _codes(self, names: Sequence[str], coalitions: Coalitions) -> dict[str, Codes]:
        """The codes of every observed variable in coalitions of some switches, with the others off."""
        count = len(coalitions)
        codes: dict[str, Codes] = {name: np.full(count, code, dtype=np.int32) for name, code in self.fixed.items()}
        codes |= {name: np.full(count, self.off[name], dtype=np.int32) for name in self.names if name not in names}
        for bit, name in enumerate(names):
            chosen = (coalitions >> bit & 1).astype(np.int32)
            codes[name] = self.off[name] + chosen * (self.on[name] - self.off[name])
        return codes

    @cached_property
    def _halves(self) -> Halves | None:
        """The two halves; None if the engine does not answer from one open clique."""
        engine = _one_clique(self.model)
        if engine is None:
            return None
        clique = engine.cliques[engine.open[0].clique]
        parts: list[Array] = [np.ones((1, len(clique.weights))) for _ in range(2)]
        left = set(self.names[: _left(engine, self.names)])
        for number, lookup in enumerate(engine.lookups):
            # every coalition of the switches of this lookup, with the row it selects
            switches = [name for name in self.names if engine.shifts[name][0] == number]
            coalitions = np.arange(2 ** len(switches), dtype=np.int64)
            coded = self.coder.coded(len(coalitions), self._codes(switches, coalitions))
            rows, which, _ = engine.joined(lookup.branches, lookup.weights, coded)
            rows = rows if lookup.spread is None else rows[:, lookup.spread]
            rows = (rows / rows.max())[which]
            half = 0 if set(switches) <= left else 1
            parts[half] = (rows[:, None] * parts[half]).reshape(-1, len(clique.weights))
        return Halves(parts[0], parts[1], np.array(engine.root_states)[clique.onto])


def _one_clique(model: Model) -> Engine | None:
    """The engine of a model, if it answers from one open clique that is small enough; otherwise None."""
    engine = model.engine
    if not isinstance(engine, Engine) or len(engine.open) != 1 or engine.open[0].children:
        return None
    return engine if len(engine.cliques[engine.open[0].clique].weights) <= MOST_ENTRIES else None


def _by_half(model: Model, names: Sequence[str]) -> list[str]:
    """The names in the order of their lookups, if the engine has lookups."""
    engine = _one_clique(model)
    return list(names) if engine is None else sorted(names, key=lambda name: engine.shifts[name][0])


def _left(engine: Engine, names: Sequence[str]) -> int:
    """How many of the names, in the order of their lookups, form the left half: whole lookups, as near to half as
    possible."""
    lookups = [engine.shifts[name][0] for name in names]
    ends = [place for place, pair in enumerate(pairwise(lookups), start=1) if pair[0] != pair[1]]
    return min([0, *ends, len(names)], key=lambda place: abs(place - len(names) / 2))
