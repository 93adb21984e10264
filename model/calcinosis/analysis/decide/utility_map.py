"""The optimal action over a grid of two utilities, and for some values of a third."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from calcinosis.analysis.decide.batch import DecisionBatch, leading
from calcinosis.analysis.decide.problem import DecisionProblem
from calcinosis.inference.network import Array
from calcinosis.inference.question_error import QuestionError
from calcinosis.knowledge.decisions import HIGHEST, LOWEST
from calcinosis.knowledge.problem import choose_from

if TYPE_CHECKING:
    import pandas as pd

POINTS = 61
"""Grid points of each of the two utilities."""

NARROW = 10.0
"""The scale of a utility of harm reaches at least this many points."""


@dataclass(frozen=True, eq=False)
class UtilityMap:
    """The optimal action at each value of two or three utilities.

    `names` are their names; `x`, `y` and `z` the values, `z` of length 1 without a third; `leading`, axes `(z, x, y)`,
    is the number of the optimal action, `ahead` its lead over the next, in points.
    """

    problem: DecisionProblem
    names: tuple[str, ...]
    x: Array
    y: Array
    z: Array
    leading: npt.NDArray[np.intp]
    ahead: Array

    @property
    def present(self) -> tuple[float, ...]:
        """The present values, in the order of the names."""
        places = [item.name for item in self.problem.items]
        return tuple(float(self.problem.values[places.index(name)]) for name in self.names)

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One line per grid point: a column per utility by name, leading (the action's name), ahead (points)."""
        import pandas as pd

        z, x, y = np.meshgrid(self.z, self.x, self.y, indexing="ij")
        actions = np.array([action.name for action in self.problem.actions], dtype=object)
        columns = dict(zip(self.names, (x.ravel(), y.ravel(), z.ravel()), strict=False))
        return pd.DataFrame(columns | {"leading": actions[self.leading.ravel()], "ahead": self.ahead.ravel()})


def utility_map(problem: DecisionProblem, names: Sequence[str], points: int = POINTS) -> UtilityMap:
    """The optimal action as two or three utilities vary over the whole scale.

    The third takes its present value and the values half way to either end of the scale.

    Raises:
        QuestionError: for fewer than two or more than three names, a name given twice, or an unknown utility.
    """
    items = [item.name for item in problem.items]
    if not 2 <= len(names) <= 3 or len(set(names)) < len(names):
        raise QuestionError(f"a map of {', '.join(names) or 'no utility'}: name two or three utilities, each once")
    for name in names:
        if name not in items:
            raise QuestionError(f"no utility {name!r}: {choose_from(name, items)}")
    places = [items.index(name) for name in names]
    x, y = (_reach(problem, place, points) for place in places[:2])
    z = np.array([0.0])
    if len(names) == 3:
        now = float(problem.values[places[2]])
        reach = _reach(problem, places[2], points)
        z = np.unique([(reach[0] + now) / 2, now, (reach[-1] + now) / 2])
    grid = np.meshgrid(z, x, y, indexing="ij")
    values = np.tile(problem.values, (grid[0].size, 1))
    for place, own in zip(places, (grid[1], grid[2], grid[0]), strict=False):
        values[:, place] = own.ravel()
    utilities = DecisionBatch.of(problem, values).utilities()
    ordered = np.sort(utilities, axis=1)
    ahead = ordered[:, -1] - ordered[:, -2] if utilities.shape[1] > 1 else np.zeros(len(utilities))
    shape = grid[0].shape
    return UtilityMap(problem, tuple(names), x, y, z, leading(utilities).reshape(shape), ahead.reshape(shape))


def _reach(problem: DecisionProblem, place: int, points: int) -> Array:
    """The values over which a utility varies: the whole scale for an outcome, its low end for a harm or a delay."""
    if problem.items[place].kind == "outcome":
        return np.linspace(LOWEST, HIGHEST, points)
    now = float(problem.values[place])
    highest = 1.0 if problem.items[place].kind == "delay" else NARROW
    return np.linspace(LOWEST, min(max(highest, 3 * now), HIGHEST), points)
