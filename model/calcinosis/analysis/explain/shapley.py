"""Exact Shapley values: how much each player contributes to what all of them reach together.

The value of a player is what adding him changes, on average over all orders in which the players could come (Shapley, A
value for n-person games, 1953). It is computed from all 2^n coalitions, in blocks, so that memory stays bounded:

    value(i) = Σ over coalitions S with i of  (|S| - 1)! (n - |S|)! / n! · v(S)
             - Σ over coalitions S without i of  |S|! (n - |S| - 1)! / n! · v(S)
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from calcinosis.inference.network import Array

Coalitions = npt.NDArray[np.int64]
"""Sets of players by number: player i is in it where bit i is set."""

BLOCK = 2**16
"""How many coalitions are valued at a time."""


def shapley_values(players: int, value: Callable[[Coalitions], Array]) -> Array:
    """The contribution of each player, axis `(players,)`: they sum to v(all) - v(none).

    `value` gives what coalitions reach, axis `(coalitions,)`, finite. It is called in blocks of at most BLOCK.

    By hand: two players of whom each alone reaches 1, and both 4, get 2 each.

    >>> shapley_values(2, lambda coalitions: np.array([0.0, 1.0, 1.0, 4.0])[coalitions]).tolist()
    [2.0, 2.0]
    """
    orders = math.factorial(players)
    joined, missed = np.zeros(players + 1), np.zeros(players + 1)
    for size in range(players):
        # integers divided once, so that the weights are right to the last digit
        missed[size] = math.factorial(size) * math.factorial(players - size - 1) / orders
        joined[size + 1] = missed[size]
    found, without = np.zeros(players), 0.0
    empty = float(value(np.zeros(1, dtype=np.int64))[0])
    for first in range(0, 2**players, BLOCK):
        coalitions = np.arange(first, min(first + BLOCK, 2**players), dtype=np.int64)
        sizes = np.bitwise_count(coalitions)
        # only differences count, and small numbers lose fewer digits
        reached = value(coalitions) - empty
        without += float(reached @ missed[sizes])
        weighed = reached * (joined + missed)[sizes]
        for player in range(players):
            found[player] += _with(weighed, player, first)
    return found - without


def _with(weighed: Array, player: int, first: int) -> float:
    """The sum over the coalitions of a block that have a player."""
    size = 2**player
    if size >= len(weighed):
        return float(weighed.sum()) if first & size else 0.0
    return float(weighed.reshape(-1, 2, size)[:, 1].sum())
