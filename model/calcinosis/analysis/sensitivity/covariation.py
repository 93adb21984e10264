"""How the rest of a row moves when one of its entries does: proportional, uniform or order-preserving.

A row sums to 1, so no entry moves alone. Each scheme is piecewise linear in the entry x, and is given by the row at
three knots: the lowest x, the x of today, the highest x.

- proportional: the others keep their ratios (Laskey, IEEE Transactions on Systems, Man and Cybernetics 25, 1995). It
  changes the joint distribution least (Chan and Darwiche, International Journal of Approximate Reasoning 38, 2005). If
  the others are all 0, they share what is left equally.
- uniform: the others share what is left equally, today's row included, which therefore jumps.
- order-preserving: no entry overtakes another (Renooij, International Journal of Approximate Reasoning 55, 2014); x is
  bounded. Her scheme leaves out the largest entry; here it falls until all are equal, the others moving towards that.
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
    whole row at each, axes `(rows, states, 3, states)`.

    Raises:
        ValueError: for a scheme that is none.

    >>> x, moved = knots(np.array([[0.2, 0.3, 0.5]]), "proportional")
    >>> x[0, 0].tolist(), moved[0, 0, 2].tolist()
    ([0.0, 0.2, 1.0], [1.0, 0.0, 0.0])
    """
    if scheme not in SCHEMES:
        raise QuestionError(f"no way of co-variation {scheme!r}: one of {', '.join(SCHEMES)}")
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
    own = np.eye(states, dtype=bool)
    others = np.where(own, 0.0, rows[:, None])  # (rows, column, states)
    rest = others.sum(axis=2, keepdims=True)
    equal = np.where(own, 0.0, 1.0 / (states - 1))
    shares = np.where(rest > 0, others / np.where(rest > 0, rest, 1.0), equal)
    if scheme == "uniform":
        shares = np.broadcast_to(equal, shares.shape)
        moved[:, :, 1] = np.where(own, rows[:, :, None], (1 - rows)[:, :, None] * shares)
    x[:, :, 0], x[:, :, 2] = 0.0, 1.0
    moved[:, :, 0], moved[:, :, 2] = shares, own
    return x, moved


def _in_order(row: Array, column: int) -> tuple[Array, Array]:
    """The row when the entry is lowest and highest (Renooij 2014, section 4); equal entries keep the states' order."""
    states = len(row)
    order = np.argsort(row, kind="stable")
    place = int(np.flatnonzero(order == column)[0])
    below, above = order[:place], order[place + 1 :]
    if not len(above):
        return np.full(states, 1.0 / states), np.where(np.arange(states) == column, 1.0, 0.0)
    low, high = row.copy(), row.copy()
    # down to 0: the smaller shrink with it, the larger take what is left in their ratios
    low[[*below, column]] = 0.0
    low[above] = row[above] / row[above].sum()
    # up to where all larger ones are level with it and the smaller have vanished
    high[below], high[[column, *above]] = 0.0, 1.0 / (1 + len(above))
    return low, high
