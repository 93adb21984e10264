"""Which findings act jointly: how much more, or less, two of them tell together than each adds alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from calcinosis.analysis.explain.hypothesis import Hypothesis
from calcinosis.analysis.explain.shapley import Switches
from calcinosis.inference.findings.evidence import Evidence
from calcinosis.inference.model import Model
from calcinosis.inference.question_error import QuestionError

MOST_FINDINGS = 60
"""How many findings are paired at most: each is a bit of a whole number."""


@dataclass(frozen=True)
class Pair:
    """Two findings by their variables, and what they move the log-odds of a hypothesis by, all others being known.

    `alone` is what the `first`, and what the `second`, adds without the other; `both` what they add together; all in
    nats, above 0 for the hypothesis.
    """

    first: str
    second: str
    alone: tuple[float, float]
    both: float

    @property
    def beyond(self) -> float:
        """How far both together go beyond the sum of each alone, in nats: 0 where they do not act jointly."""
        return self.both - sum(self.alone)


def joint_pairs(model: Model, known: Evidence, evidence: Evidence, hypothesis: Hypothesis) -> tuple[Pair, ...]:
    """Every two of a patient's findings that are not `known` in any case, the two that act most jointly first.

    With L for the log-odds, what two findings tell beyond each alone is L(all) - L(all but the first) - L(all but the
    second) + L(all but both). Pairs of which one rules a side out are left out: their odds are infinite.

    Raises:
        QuestionError: for more than 60 findings.

    >>> import calcinosis as cc
    >>> model = cc.load()
    >>> evidence = model.read(diabetes="yes", obesity="yes", esrd="no")
    >>> of = Hypothesis.of(model.states, "calciphylaxis")
    >>> [(pair.first, pair.second) for pair in joint_pairs(model, Evidence(()), evidence, of)]
    [('esrd', 'obesity'), ('esrd', 'diabetes'), ('diabetes', 'obesity')]
    """
    switches = Switches.between(model, known, evidence)
    count = len(switches.names)
    if count > MOST_FINDINGS:
        raise QuestionError(f"{count} findings are too many to be paired, the most is {MOST_FINDINGS}")
    if count < 2:
        return ()
    each = 2 ** np.arange(count, dtype=np.int64)
    first, second = np.triu_indices(count, 1)
    every = int(each.sum())
    coalitions = every - np.concatenate([[0], each, each[first] + each[second]])
    reached = switches.log_odds(hypothesis, coalitions)
    all_known, without, without_both = reached[0], reached[1 : count + 1], reached[count + 1 :]
    with np.errstate(invalid="ignore"):
        alone = np.column_stack([without[second], without[first]]) - without_both[:, None]
        both = all_known - without_both
        beyond = np.abs(both - alone.sum(axis=1))
    return tuple(
        Pair(
            switches.names[first[place]], switches.names[second[place]], (float(one), float(other)), float(both[place])
        )
        for place in np.argsort(-beyond, kind="stable").tolist()
        if np.isfinite(beyond[place])
        for one, other in [alone[place]]
    )
