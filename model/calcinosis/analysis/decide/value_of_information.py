"""The value of information: EVPI and, for each test, EVSI, in the points of the utilities.

The expected value of sample information (EVSI) of a test is the gain in expected utility when the treatment may depend
on its result (Raiffa and Schlaifer, 1961). Its net value subtracts the harm of the test and the days until its result.
EVSI is 0 exactly where the same treatment is optimal after every result: then the test, however informative, cannot
change the treatment. The expected value of perfect information (EVPI) is that of knowing the state.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from calcinosis.analysis.decide.batch import DIGITS, DecisionBatch, leading
from calcinosis.analysis.decide.problem import DecisionProblem, Workup
from calcinosis.analysis.decide.strategy import Solved, leaves

if TYPE_CHECKING:
    import pandas as pd

NOTHING = 1e-9
"""Gains below this, in points, are rounding."""

WORTHWHILE = 0.05
"""A net EVSI below this, in points, would be shown as 0.0, so the test is not called worth its price."""


@dataclass(frozen=True, eq=False)
class ValueOfInformation:
    """The value of each test, of each action with more than one test, and of perfect information about the state.

    `frame` has one line each, the highest net value first: test, label, kind (test, action or perfect), evsi (points
    gained by knowing the results, before their price; EVPI for kind perfect), harm and delay (expected points lost to
    the tests), net_evsi (evsi less both), changes (the probability that the optimal treatment changes), cost (expected
    US dollars; not part of the points).
    """

    problem: DecisionProblem

    @cached_property
    def best_now(self) -> float:
        """The expected utility of the best treatment without a test."""
        return float(DecisionBatch.of(self.problem).treatments().max())

    @cached_property
    def evpi(self) -> float:
        """The expected value of perfect information about the state, in points."""
        worth = self.problem.parts @ self.problem.values
        return float(self.problem.states @ worth.max(axis=0)) - self.best_now

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One line per test, action with tests, and perfect information; columns as above."""
        import pandas as pd

        single_tests = self.problem.single_tests
        longer = [workup for workup in self.problem.workups if len(workup.tests) > 1 or workup.action.meanwhile]
        workups = (*single_tests, *longer)
        kinds = ["test"] * len(single_tests) + ["action"] * len(longer)
        solved = DecisionBatch.of(replace(self.problem, workups=workups)).solved()
        lines = [
            {"kind": kind, **self._line(workup, strategy)}
            for kind, workup, strategy in zip(kinds, workups, solved, strict=True)
        ]
        lines.sort(key=lambda line: -round(float(line["net_evsi"]), DIGITS))
        certain = self.problem.states[(self.problem.parts @ self.problem.values).argmax(axis=0) != self._leader].sum()
        lines.append(
            {"kind": "perfect", "test": "", "label": "to know the subtype for certain", "evsi": self.evpi}
            | {"harm": 0.0, "delay": 0.0, "net_evsi": self.evpi, "changes": float(certain), "cost": np.nan}
        )
        columns = ["test", "label", "kind", "evsi", "harm", "delay", "net_evsi", "changes", "cost"]
        return pd.DataFrame(lines, columns=columns)

    @property
    def can_change(self) -> bool:
        """Whether any available test could change which treatment is optimal."""
        tests = self.frame[self.frame["kind"] != "perfect"]
        return bool((tests["evsi"] > NOTHING).any())

    @property
    def worthwhile(self) -> bool:
        """Whether any test is worth its harm and the days it takes."""
        tests = self.frame[self.frame["kind"] != "perfect"]
        return bool((tests["net_evsi"] >= WORTHWHILE).any())

    @cached_property
    def _leader(self) -> int:
        return int(leading(DecisionBatch.of(self.problem).treatments()[0]))

    def _line(self, workup: Workup, solved: Solved) -> dict[str, Any]:
        """The value of a sequence of tests, under the strategy that is optimal at their price."""
        problem = self.problem
        ends = leaves(workup.joint, [choices[0] for choices in solved.choices])
        delays = np.array([item.kind == "delay" for item in problem.items])
        prices = np.einsum("tsi,i->tsi", workup.costs, problem.values)
        money = np.array([test.cost for test in workup.tests])
        harm = sum(float(end.states @ prices[: end.tests, :, ~delays].sum(axis=(0, 2))) for end in ends)
        delay = sum(float(end.states @ prices[: end.tests, :, delays].sum(axis=(0, 2))) for end in ends)
        net = float(solved.values[0]) - self.best_now
        return {
            "test": workup.action.name,
            "label": workup.action.label,
            "evsi": net + harm + delay,
            "harm": harm,
            "delay": delay,
            "net_evsi": net,
            "changes": sum(end.probability for end in ends if end.treatment != self._leader),
            "cost": sum(end.probability * float(money[: end.tests].sum()) for end in ends),
        }
