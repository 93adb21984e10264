"""Interactions of findings: how far the weight of two together differs from the sum of each alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from calcinosis.analysis.explain.hypothesis import Hypothesis
from calcinosis.analysis.explain.shapley import Switches
from calcinosis.inference.findings.evidence import Evidence
from calcinosis.inference.model import Model
from calcinosis.inference.question_error import QuestionError

MOST_FINDINGS = 60
"""Maximum number of findings to pair: each is one bit of an integer."""


@dataclass(frozen=True)
class Pair:
    """The variables of two findings, and their weights of evidence for a hypothesis, given all other findings.

    `alone` are the weights of the `first` and of the `second` without the other, `both` their joint weight, in nats.
    """

    first: str
    second: str
    alone: tuple[float, float]
    both: float

    @property
    def beyond(self) -> float:
        """The interaction: the joint weight minus the sum of each alone, in nats; 0 without interaction."""
        return self.both - sum(self.alone)


def joint_pairs(model: Model, known: Evidence, evidence: Evidence, hypothesis: Hypothesis) -> tuple[Pair, ...]:
    """Every pair of a patient's findings outside the `known` background, the strongest interaction first.

    With L for the log-odds, the interaction of two findings is L(all) - L(all but the first) - L(all but the second) +
    L(all but both). Pairs with infinite odds, where a finding excludes one side, are omitted.

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
        raise QuestionError(f"{count} findings are too many to pair: give at most {MOST_FINDINGS}")
    if count < 2:
        return ()
    each = 2 ** np.arange(count, dtype=np.int64)
    first, second = np.triu_indices(count, 1)
    everyone = int(each.sum())
    coalitions = everyone - np.concatenate([[0], each, each[first] + each[second]])
    reached = switches.log_odds(hypothesis, coalitions)
    with_all, without, without_both = reached[0], reached[1 : count + 1], reached[count + 1 :]
    with np.errstate(invalid="ignore"):
        alone = np.column_stack([without[second], without[first]]) - without_both[:, None]
        both = with_all - without_both
        beyond = np.abs(both - alone.sum(axis=1))
    return tuple(
        Pair(
            switches.names[first[place]], switches.names[second[place]], (float(one), float(other)), float(both[place])
        )
        for place in np.argsort(-beyond, kind="stable").tolist()
        if np.isfinite(beyond[place])
        for one, other in [alone[place]]
    )
