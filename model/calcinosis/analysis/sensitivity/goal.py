"""What a change of the tables shall reach: a probability of a state, or that it leads."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from calcinosis.inference.network import Array
from calcinosis.inference.posterior import Posterior


@dataclass(frozen=True)
class Goal:
    """What shall be reached: that `state` has a `probability`, or, without one, that it leads.

    `rivals`, axes `(rivals, target states)`, weigh the joint weights so that each sum is 0 at the goal and above 0
    beyond it: one for a probability, one per other state for leading.
    """

    state: str
    probability: float | None
    rivals: Array

    @classmethod
    def of(cls, posterior: Posterior, state: str, probability: float | None) -> Goal:
        """The goal, as seen from a posterior that has not reached it."""
        states = list(posterior)
        own = np.array([other == state for other in states])
        if probability is None:
            others = [i for i, other in enumerate(states) if other != state and posterior[other] > 0]
            return cls(state, None, np.array([np.where(own, 1.0, 0.0) - np.eye(len(states))[i] for i in others]))
        sign = 1.0 if posterior[state] < probability else -1.0
        return cls(state, probability, sign * np.where(own, 1 - probability, -probability)[None])

    def reached(self, weights: Array) -> bool:
        """Whether joint weights reach the goal, but for rounding."""
        return bool((self.rivals @ weights >= -1e-9 * weights.sum()).all())

    def bound(self, posterior: Posterior) -> float:
        """The least distance of any change that could reach it: how far log-odds must move."""
        weights = np.array(list(posterior.probabilities_of.values()))
        if self.probability is None:
            # over each rival, the log-odds of the two, given that it is one of them
            return max(math.log(weights.max()) - math.log(posterior[self.state]), 0.0)
        now = posterior[self.state]
        return abs(math.log(self.probability / (1 - self.probability)) - math.log(now / (1 - now)))

    def __str__(self) -> str:
        return f"{self.state} leads" if self.probability is None else f"P({self.state}) = {self.probability:g}"
