"""Robust bounds: the lowest and highest posterior under ε-contamination of every row of every table.

Each row may be any (1 − ε)·row + ε·q, with q any distribution (Berger, Statistical Decision Theory, 1985, section 4.7).
This makes the network a credal network with separately specified rows (Cozman, Artificial Intelligence 120, 2000). Two
numbers enclose each limit:

- `attained`: a posterior that tables within ε reach. One table after the other moves to its best corner until nothing
  improves. All rows of a table move at once, as they never multiply each other.
- `bound`: no tables within ε exceed it. Variables are summed out children first, and each row takes its best value in
  every context in which it is used, even if no single row has both. Rows that are relevant to several states of the
  target are tried at both ends in every combination, up to MOST_SHARED rows.

Where the two are equal, the limit is exact; `gap` is their distance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, Any

import numpy as np

from calcinosis.analysis.plain import plain_lines
from calcinosis.inference.findings.evidence import Evidence
from calcinosis.inference.intervals.elimination import Contraction, Family, contract
from calcinosis.inference.model import Model
from calcinosis.inference.network import Array
from calcinosis.inference.posterior import DISCLAIMER, Posterior
from calcinosis.inference.question_error import QuestionError
from calcinosis.inference.result import Result
from calcinosis.knowledge.arguments import checked

if TYPE_CHECKING:
    import pandas as pd

EPSILON = 0.01
"""Default contamination: every row is trusted to 99%."""

MOST_SHARED = 8
"""Maximum rows whose ends are tried in every combination."""

MOST_SWEEPS = 2_000
"""Maximum sweeps over all tables, or over the results of a row; a handful is usually enough."""

CLOSE = 1e-13
"""Tolerance of a log-likelihood at its maximum."""


@dataclass(frozen=True, eq=False, repr=False)
class RobustBounds(Result):
    """The lowest and highest posterior of each state under ε-contamination of all rows.

    `frame` has one line per state: probability, lower_bound, lower_attained, upper_attained, upper_bound, and gap, the
    larger of the two distances between bound and attained; 0 means exact.
    `leader_is_safe` is whether the most probable state ranks first for all tables within ε (by bounds on each pair).
    """

    posterior: Posterior
    epsilon: float
    frame: pd.DataFrame
    leader_is_safe: bool

    @property
    def summary(self) -> str:
        """One sentence: whether the most probable state ranks first for all tables within ε."""
        label = self.posterior.labels[self.posterior.leading]
        does = "ranks first" if self.leader_is_safe else "does not provably rank first"
        return f"With every row contaminated by up to {self.epsilon:g}, {label} {does} for all tables."

    @checked
    def to_dict(self, most: int | None = None) -> dict[str, Any]:
        """The result as plain values, for JSON; the first `most` states, None for all."""
        return {
            "epsilon": self.epsilon,
            "leader_is_safe": self.leader_is_safe,
            "summary": self.summary,
            "states": plain_lines(self.frame, most),
            "disclaimer": DISCLAIMER,
        }


@checked
def robust_bounds(
    model: Model,
    findings: Mapping[str, Any] | Evidence | None = None,
    /,
    *,
    epsilon: float = EPSILON,
    **named: Any,
) -> RobustBounds:
    """The lowest and highest posterior of each state under contamination of every row by a share `epsilon`.

    Raises:
        FindingsError, ImpossibleEvidence: as `model.posterior`.
        QuestionError: for an epsilon not between 0 and 1.

    >>> import calcinosis as cc
    >>> result = cc.sensitivity.robust_bounds(cc.load(), pain="severe", epsilon=0.02).frame
    >>> bool(result["probability"].between(result["lower_bound"], result["upper_bound"]).all())
    True
    """
    import pandas as pd

    if not 0.0 < epsilon < 1.0:
        raise QuestionError(f"epsilon is {epsilon}: give a number between 0 and 1")
    model = model.of_record(named)
    posterior = model.posterior(findings, **named)
    credal = _Credal(contract(model.network, posterior.evidence), epsilon)
    states, each = list(posterior), np.eye(len(posterior))
    lead = states.index(posterior.leading)
    lines, safe = [], True
    lowest, highest = np.split(credal.attained(np.vstack([1 - each, each]), np.vstack([each, 1 - each])), 2)
    for k, state in enumerate(states):
        own, others = each[k], 1.0 - each[k]
        lower, upper = 1.0 - float(lowest[k]), float(highest[k])
        least, most = 1.0 - credal.bound(others, own), credal.bound(own, others)
        # up to rounding, a bound is never tighter than the attained value
        least, most = min(least, lower), max(most, upper)
        lines.append((state, posterior[state], least, lower, upper, most, max(lower - least, most - upper)))
        if k != lead:  # zeros are contaminated too, so an excluded state may rank first
            safe &= credal.bound(own, each[lead]) < 0.5
    columns = [
        model.target, "probability", "lower_bound", "lower_attained", "upper_attained", "upper_bound", "gap",
    ]  # fmt: skip
    return RobustBounds(posterior, epsilon, pd.DataFrame(lines, columns=columns), safe)


@dataclass(frozen=True, eq=False)
class _Credal:
    """One patient's contraction, with rows contaminated by ε."""

    contraction: Contraction
    epsilon: float

    def attained(self, up: Array, down: Array) -> Array:
        """The highest up·P / (up + down)·P reached by moving one table after the other, axis `(goals,)`; the goals `up`
        and `down` have the axes `(goals, target states)`."""
        families = self.contraction.families
        nominal = self.contraction.rows()
        ends = [
            self._ends(family, rows, self._scale(family, rows), reached=True) if family.closed else None
            for family, rows in zip(families, nominal, strict=True)
        ]
        # all goals at once, along a last axis of every factor
        numbers = [
            np.repeat(family.factor(rows)[..., None], len(up), axis=-1)
            for family, rows in zip(families, nominal, strict=True)
        ]
        share = self._shares(self.contraction.weights(numbers), up, down)
        for _ in range(MOST_SWEEPS):
            before = share
            for i, family in enumerate(families):
                sign = (1 - share)[:, None] * up - share[:, None] * down
                gain = np.einsum("gt,t...g->...g", sign, self.contraction.derivatives(numbers)[i])
                limits = ends[i]
                if limits is not None:
                    numbers[i] = np.where(gain >= 0, limits[1][:, None], limits[0][:, None])
                else:
                    likelihood = family.likelihoods[0][:, None]
                    corner = np.eye(gain.shape[1])[(gain * likelihood).argmax(axis=1)].swapaxes(1, 2)
                    numbers[i] = ((1 - self.epsilon) * nominal[i][..., None] + self.epsilon * corner) * likelihood
                share = self._shares(self.contraction.weights(numbers), up, down)
            if (share <= before + 1e-14).all():
                break
        return share

    def bound(self, up: Array, down: Array) -> float:
        """An upper bound of up·P / (up + down)·P."""
        shared = self._shared_rows
        combinations = 2 ** len(shared)
        highest = self._extremes(up, shared, combinations, upper=True)
        lowest = self._extremes(down, shared, combinations, upper=False)
        with np.errstate(invalid="ignore", divide="ignore"):
            shares = highest / (highest + lowest)
        return float(np.nan_to_num(shares, nan=1.0).max())

    def _shares(self, weights: Array, up: Array, down: Array) -> Array:
        total = ((up + down) * weights.T).sum(axis=1)
        return np.asarray(np.divide((up * weights.T).sum(axis=1), total, out=np.zeros(len(total)), where=total > 0))

    def _scale(self, family: Family, rows: Array) -> float:
        """The scale of the factor of repeated results, as a logarithm."""
        return float(family.log_likelihood(rows).max()) if family.repeated else 0.0

    def _ends(self, family: Family, rows: Array, scale: float, *, reached: bool) -> tuple[Array, Array]:
        """The lowest and highest factor of each row of a closed family within ε.

        The highest is a value that is reached, or an upper bound; they differ little, and only for several results.
        """
        trusted = (1 - self.epsilon) * rows
        corners = trusted[:, None] + self.epsilon * np.eye(rows.shape[1])  # (rows, corners, states)
        if not family.repeated:
            at_corners = corners @ family.likelihoods[0]
            return at_corners.min(axis=1), at_corners.max(axis=1)
        distinct, times = family.distinct
        with np.errstate(divide="ignore"):
            low = np.exp((np.log(corners @ distinct.T) @ times).min(axis=1) - scale)
        highest, limit = _highest_of_repeated(trusted, self.epsilon, distinct, times)
        return low, np.exp((highest if reached else limit) - scale)

    @cached_property
    def _shared_rows(self) -> list[tuple[int, int]]:
        """The rows of closed families that are relevant to several states of the target, at most MOST_SHARED."""
        numbers = [
            family.factor(own) for family, own in zip(self.contraction.families, self.contraction.rows(), strict=True)
        ]
        shared: list[tuple[int, int]] = []
        for i, (family, by_factor) in enumerate(
            zip(self.contraction.families, self.contraction.derivatives(numbers), strict=True)
        ):
            if family.closed:
                shared += [(i, int(row)) for row in np.flatnonzero((by_factor > 0).sum(axis=0) > 1)]
        return shared[:MOST_SHARED]

    def _extremes(self, counted: Array, shared: list[tuple[int, int]], combinations: int, *, upper: bool) -> Array:
        """The highest (or lowest) relaxed weight of the counted states, for each combination of ends of the shared
        rows: axis `(combinations,)`."""
        contraction, network = self.contraction, self.contraction.network
        closed: list[tuple[tuple[str, ...], Array]] = []
        own: dict[str, tuple[Family, Array]] = {}
        for i, (family, rows) in enumerate(zip(contraction.families, contraction.rows(), strict=True)):
            if not family.closed:
                own[family.variable] = family, rows
                continue
            low, high = self._ends(family, rows, self._scale(family, rows), reached=False)
            values = np.repeat((high if upper else low)[:, None], combinations, axis=1)
            for bit, (number, row) in enumerate(shared):
                if number == i:
                    values[row] = np.where(np.arange(combinations) >> bit & 1, high[row], low[row])
            closed.append((family.scope, family.laid_out(values)))
        order = TopologicalSorter({v: [p for p in network.parents[v] if p in own] for v in own}).static_order()
        factors = closed
        for variable in reversed(list(order)):
            family, rows = own[variable]
            chosen = [f for f in factors if variable in f[0]]
            factors = [f for f in factors if variable not in f[0]]
            scope = tuple(dict.fromkeys([*(v for f in chosen for v in f[0]), *family.scope]))
            scope = (*(v for v in scope if v != variable), variable)
            message: Array = np.ones(())
            for names, array in chosen:
                message = message * _spread(array, names, scope)
            message = message * family.likelihoods[0][:, None]
            if variable == network.target:
                message = message * counted[:, None]
            table = _spread(family.laid_out(rows)[..., None], family.scope, scope)
            message = np.broadcast_to(message, np.broadcast_shapes(message.shape, table.shape))
            free = message.max(axis=-2) if upper else message.min(axis=-2)
            total = (1 - self.epsilon) * (table * message).sum(axis=-2) + self.epsilon * free
            factors.append((scope[:-1], total))
        product: Array = np.ones(combinations)
        for _, array in factors:
            product = product * array
        return product


def _spread(array: Array, scope: tuple[str, ...], wider: tuple[str, ...]) -> Array:
    """An array over a scope and a last axis, with its axes in the order of a wider scope."""
    order = sorted(range(len(scope)), key=lambda i: wider.index(scope[i]))
    moved = array.transpose((*order, len(scope)))
    return moved[tuple([slice(None) if name in scope else None for name in wider] + [slice(None)])]


def _highest_of_repeated(trusted: Array, epsilon: float, distinct: Array, times: Array) -> tuple[Array, Array]:
    """The highest log-likelihood of repeated results reached for each row, and an upper bound: axes `(rows,)`.

    It is concave in the contamination q, so the fixed point of q ∝ q · gradient is its maximum, and from any q it rises
    by at most the excess of the largest component of the gradient over their mean under q.
    """
    doubt = np.full(trusted.shape, 1.0 / trusted.shape[1])

    def rise() -> tuple[Array, Array]:
        """The gradient, and the remaining possible rise of the log-likelihood."""
        gradient = epsilon * (times / ((trusted + epsilon * doubt) @ distinct.T)) @ distinct
        mean = (doubt * gradient).sum(axis=1, keepdims=True)
        return gradient / mean, np.maximum(gradient.max(axis=1) - mean[:, 0], 0.0)

    better, left = rise()
    for _ in range(MOST_SWEEPS):
        if (left < CLOSE).all():
            break
        doubt = doubt * better
        better, left = rise()
    highest = np.log((trusted + epsilon * doubt) @ distinct.T) @ times
    with np.errstate(divide="ignore"):
        corners = np.log((trusted[:, None] + epsilon * np.eye(trusted.shape[1])) @ distinct.T) @ times
    reached = np.maximum(highest, corners.max(axis=1))
    return reached, np.maximum(highest + left, reached)
