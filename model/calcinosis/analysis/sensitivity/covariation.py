"""How the rest of a row moves when one of its entries does: proportional, uniform or order-preserving.

A row sums to 1, so no entry moves alone. Each scheme is piecewise linear in the entry x, and is given by the row at
three knots: the lowest, the present and the highest x.

- proportional: the others keep their ratios (Laskey, IEEE Transactions on Systems, Man and Cybernetics 25, 1995). It
  minimises the distance of the joint distributions (Chan and Darwiche, International Journal of Approximate Reasoning
  38, 2005). If all others are 0, they share the remainder equally.
- uniform: the others share the remainder equally. The present row is generally not uniform, so it jumps there.
- order-preserving: no entry overtakes another (Renooij, International Journal of Approximate Reasoning 55, 2014); x is
  bounded. The published scheme excludes the largest entry; here it falls until all entries are equal.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from calcinosis.inference.network import Array
from calcinosis.inference.question_error import QuestionError

Scheme = Literal["proportional", "uniform", "order-preserving"]
SCHEMES: tuple[str, ...] = get_args(Scheme)


def knots(rows: Array, scheme: Scheme) -> tuple[Array, Array]:
    """The knots of every entry of some rows, axes `(rows, states)`: its values there, axes `(rows, states, 3)`, and the
    complete row at each, axes `(rows, states, 3, states)`.

    Raises:
        QuestionError: for an unknown scheme.

    >>> x, moved = knots(np.array([[0.2, 0.3, 0.5]]), "proportional")
    >>> x[0, 0].tolist(), moved[0, 0, 2].tolist()
    ([0.0, 0.2, 1.0], [1.0, 0.0, 0.0])
    """
    if scheme not in SCHEMES:
        raise QuestionError(f"no covariation scheme {scheme!r}: give one of {', '.join(SCHEMES)}")
    count, states = rows.shape
    x = np.repeat(rows[:, :, None], 3, axis=2)
    moved = np.repeat(np.repeat(rows[:, None, None], states, axis=1), 3, axis=2)
    if states == 1:
        return x, moved
    if scheme == "order-preserving":
        for row in range(count):
            for column in range(states):
                moved[row, column, 0], moved[row, column, 2] = _in_order(rows[row], column)
                x[row, column] = moved[row, column, :, column]
        return x, moved
    diagonal = np.eye(states, dtype=bool)
    others = np.where(diagonal, 0.0, rows[:, None])  # (rows, column, states)
    rest = others.sum(axis=2, keepdims=True)
    equal = np.where(diagonal, 0.0, 1.0 / (states - 1))
    shares = np.where(rest > 0, others / np.where(rest > 0, rest, 1.0), equal)
    if scheme == "uniform":
        shares = np.broadcast_to(equal, shares.shape)
        moved[:, :, 1] = np.where(diagonal, rows[:, :, None], (1 - rows)[:, :, None] * shares)
    x[:, :, 0], x[:, :, 2] = 0.0, 1.0
    moved[:, :, 0], moved[:, :, 2] = shares, diagonal
    return x, moved


def _in_order(row: Array, column: int) -> tuple[Array, Array]:
    """The row at the lowest and the highest value of an entry (Renooij 2014, section 4); ties keep their order."""
    states = len(row)
    order = np.argsort(row, kind="stable")
    place = int(np.flatnonzero(order == column)[0])
    below, above = order[:place], order[place + 1 :]
    if not len(above):
        return np.full(states, 1.0 / states), np.where(np.arange(states) == column, 1.0, 0.0)
    low, high = row.copy(), row.copy()
    # down to 0: smaller entries shrink with it, larger ones share the remainder in proportion
    low[[*below, column]] = 0.0
    low[above] = row[above] / row[above].sum()
    # up to where it equals all larger entries and the smaller ones are 0
    high[below], high[[column, *above]] = 0.0, 1.0 / (1 + len(above))
    return low, high
