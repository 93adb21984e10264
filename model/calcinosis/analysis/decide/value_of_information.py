"""What testing is worth before a treatment is chosen, in the points of the utilities.

The expected value of a test is how much higher the expected utility is when the treatment may depend on its result
(Raiffa and Schlaifer, 1961); net of the harm of the test and of the days until its result. It is 0 exactly where the
same treatment is the best after every result: then the test, however much it tells, cannot change what one would do.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from calcinosis.analysis.decide.batch import DIGITS, DecisionBatch, leading
from calcinosis.analysis.decide.problem import DecisionProblem, Looks
from calcinosis.analysis.decide.strategy import Solved, leaves

if TYPE_CHECKING:
    import pandas as pd

NOTHING = 1e-9
"""A gain smaller than this, in points, is rounding."""

WORTHWHILE = 0.05
"""Testing that gains less than this net, in points, is not called worth its price: it would be shown as 0.0."""


@dataclass(frozen=True, eq=False)
class Testing:
    """What each test, each action that is more than one test, and perfect knowledge of the state are worth.

    `frame` has one line each, the highest net worth first: test, label, kind (test, action or perfect), gross (points
    gained by knowing the results, at no price), harm and delay (points that the tests are expected to cost), net (gross
    less both), changes (the probability that another treatment is the best after it than now), cost (US dollars, as
    expected; not in the points).
    """

    problem: DecisionProblem

    @cached_property
    def best_now(self) -> float:
        """The expected utility of the best treatment without a test."""
        return float(DecisionBatch.of(self.problem).treatments().max())

    @cached_property
    def perfect(self) -> float:
        """The expected value of perfect information of the state, in points."""
        worth = self.problem.parts @ self.problem.values
        return float(self.problem.states @ worth.max(axis=0)) - self.best_now

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One line per test, action with tests and perfect knowledge, as told above."""
        import pandas as pd

        more = [own for own in self.problem.looks if len(own.tests) > 1 or own.action.meanwhile]
        looks = (*self.problem.alone, *more)
        kinds = ["test"] * len(self.problem.alone) + ["action"] * len(more)
        solved = DecisionBatch.of(replace(self.problem, looks=looks)).solved()
        lines = [{"kind": kind, **self._line(own, best)} for kind, own, best in zip(kinds, looks, solved, strict=True)]
        lines.sort(key=lambda line: -round(float(line["net"]), DIGITS))
        certain = self.problem.states[(self.problem.parts @ self.problem.values).argmax(axis=0) != self._leader].sum()
        lines.append(
            {"kind": "perfect", "test": "", "label": "to know the subtype for certain", "gross": self.perfect}
            | {"harm": 0.0, "delay": 0.0, "net": self.perfect, "changes": float(certain), "cost": np.nan}
        )
        columns = ["test", "label", "kind", "gross", "harm", "delay", "net", "changes", "cost"]
        return pd.DataFrame(lines, columns=columns)

    @property
    def can_change(self) -> bool:
        """Whether any test that could be done could change which treatment is the best."""
        own = self.frame[self.frame["kind"] != "perfect"]
        return bool((own["gross"] > NOTHING).any())

    @property
    def worthwhile(self) -> bool:
        """Whether any test is worth its harm and the days it takes."""
        own = self.frame[self.frame["kind"] != "perfect"]
        return bool((own["net"] >= WORTHWHILE).any())

    @cached_property
    def _leader(self) -> int:
        return int(leading(DecisionBatch.of(self.problem).treatments()[0]))

    def _line(self, looks: Looks, found: Solved) -> dict[str, Any]:
        """What a set of tests is worth, by the strategy that is the best at their price."""
        problem = self.problem
        ends = leaves(looks.joint, [own[0] for own in found.choices])
        delays = np.array([item.kind == "delay" for item in problem.items])
        prices = np.einsum("tsi,i->tsi", looks.costs, problem.values)
        money = np.array([test.cost for test in looks.tests])
        harm = sum(float(end.states @ prices[: end.tests, :, ~delays].sum(axis=(0, 2))) for end in ends)
        delay = sum(float(end.states @ prices[: end.tests, :, delays].sum(axis=(0, 2))) for end in ends)
        net = float(found.values[0]) - self.best_now
        return {
            "test": looks.action.name,
            "label": looks.action.label,
            "gross": net + harm + delay,
            "harm": harm,
            "delay": delay,
            "net": net,
            "changes": sum(end.probability for end in ends if end.treatment != self._leader),
            "cost": sum(end.probability * float(money[: end.tests].sum()) for end in ends),
        }
