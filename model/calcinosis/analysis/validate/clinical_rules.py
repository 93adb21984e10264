"""The clinical rules of expectations.csv: whether they hold, and the contexts in which they fail.

A rule states that one state of a finding, compared with another, raises or lowers the probability of a subtype. It must
do so without other findings, and must not do the opposite in any context. The contexts are enumerated: no other
finding, then every state of every other finding, then every pair of them, up to `most_contexts`. A context in which the
finding is uninformative (antibodies, given the connective tissue disease) is not a failure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product

import numpy as np

from calcinosis.inference.findings.encoding import Coded, Codes
from calcinosis.inference.findings.evidence import Evidence
from calcinosis.inference.intervals.dirichlet import SecondOrder, joint_of
from calcinosis.inference.intervals.sparse import plan_for
from calcinosis.inference.model import Model
from calcinosis.inference.network import Array
from calcinosis.knowledge.records import Expectation

MOST_CONTEXTS = 20_000
"""Maximum contexts per rule; pairs of findings stay far below it in the shipped network."""

LOG_ODDS_TOLERANCE = 1e-9
"""Changes of the log-odds below this are rounding."""

SURE = 0.99
"""Learned tables break a rule if they do so with at least this probability, given the weights of their rows."""

DRAWS = 2**11
"""Monte Carlo samples of the tables for that probability."""

Context = tuple[tuple[str, str], ...]
"""Findings, as pairs of variable and state."""


@dataclass(frozen=True)
class Failure:
    """A context in which a rule fails: `compared` and `given` are the probabilities of the subtype (or, for a rule
    against a rival, of the subtype among the two) under the one state and under the other."""

    context: Context
    compared: float
    given: float

    def __str__(self) -> str:
        context = ", ".join(f"{variable}={state}" for variable, state in self.context) or "nothing else known"
        return f"{context}: {self.compared:.6g} → {self.given:.6g}"


@dataclass(frozen=True)
class RuleCheck:
    """One rule, the number of contexts tried, those in which it fails, the worst first, and the number of further
    contexts left `open` because the tables are too uncertain."""

    rule: Expectation
    contexts: int
    failures: tuple[Failure, ...]
    open: int = 0

    @property
    def holds(self) -> bool:
        """Whether the rule fails in no context."""
        return not self.failures


def check_expectations(model: Model, most_contexts: int = MOST_CONTEXTS) -> tuple[RuleCheck, ...]:
    """Each rule of the model's expectations.csv, with the contexts in which it fails.

    >>> import calcinosis as cc
    >>> all(check.holds for check in check_expectations(cc.load(), most_contexts=100))
    True
    """
    rules = model.priors.expectations if model.priors else ()
    return tuple(_check(model, rule, most_contexts) for rule in rules)


def surely_broken(model: Model, check: RuleCheck) -> RuleCheck:
    """The same for tables that learned from a cohort: the rule fails if, without other findings, its effect is reversed
    with probability SURE; other failing contexts count as open.

    Small numbers of patients move rows by chance, so with two other findings a few of a thousand contexts may reverse.
    They are reported, but are not an error of the folder.
    """
    if check.holds or not model.network.weights:
        return check
    alone = [failure for failure in check.failures if not failure.context]
    second_order = SecondOrder(model.network, DRAWS)
    kept = tuple(failure for failure in alone if _contrary(model, second_order, check.rule, failure) >= SURE)
    return replace(check, failures=kept, open=len(check.failures) - len(kept))


def _contrary(model: Model, second_order: SecondOrder, rule: Expectation, failure: Failure) -> float:
    """The share of Monte Carlo samples in which a rule's effect is reversed, or absent, in a context."""
    subtype = model.states.index(rule.subtype)
    rivals = [i for i, state in enumerate(model.states) if (state == rule.against if rule.against else i != subtype)]
    odds = []
    for state in (rule.compared_with, rule.state):
        evidence: Evidence = model.read({**dict(failure.context), rule.finding: state})
        question = plan_for(model.network, evidence)
        drawn = joint_of(question, second_order.numbers(question), DRAWS)[0].astype(np.float64)
        odds.append(drawn[subtype] / np.maximum(drawn[rivals].sum(axis=0), np.finfo(float).tiny))
    change = (odds[1] - odds[0]) * (1 if rule.direction == "raises" else -1)
    return float((change <= 0).mean())


def contexts_of(model: Model, finding: str, most: int) -> list[Context]:
    """The contexts in which a rule on `finding` is tried: none, one, then two other findings, at most `most`."""
    others = [v for v in model.variables.values() if v.name not in model.inferred and v.name != finding]
    contexts: list[Context] = []
    for size in range(3):
        level: list[Context] = [
            tuple(zip((v.name for v in chosen), states, strict=True))
            for chosen in combinations(others, size)
            for states in product(*(v.state_names for v in chosen))
        ]
        if len(contexts) + len(level) > most and contexts:
            return contexts
        contexts += level
    return contexts


def _check(model: Model, rule: Expectation, most: int) -> RuleCheck:
    contexts = contexts_of(model, rule.finding, most)
    compared, given = _log_odds(model, rule, contexts)
    change = (given - compared) * (1 if rule.direction == "raises" else -1)
    broken = change < -LOG_ODDS_TOLERANCE
    broken[0] = change[0] <= LOG_ODDS_TOLERANCE  # without other findings the rule must have its effect
    worst = sorted(np.flatnonzero(broken).tolist(), key=lambda i: float(change[i]))
    failures = tuple(Failure(contexts[i], _probability(compared[i]), _probability(given[i])) for i in worst)
    return RuleCheck(rule, int(np.isfinite(change).sum()), failures)


def _log_odds(model: Model, rule: Expectation, contexts: Sequence[Context]) -> tuple[Array, Array]:
    """The log-odds of the rule's subtype in each context, under the state compared with and under the rule's state;
    NaN, which breaks no rule, where the context is impossible."""
    subtype = model.states.index(rule.subtype)
    others = [i for i in range(len(model.states)) if i != subtype]
    rivals = [model.states.index(rule.against)] if rule.against else others
    codes = _codes(model, contexts)
    odds = []
    for state in (rule.compared_with, rule.state):
        states = np.full(len(contexts), model.variables[rule.finding].state_names.index(state))
        none = np.zeros(len(contexts), dtype=np.int64)
        weights = model.engine.weigh(Coded(len(contexts), codes | {rule.finding: states}, {}, none)).weights
        with np.errstate(divide="ignore", invalid="ignore"):
            odds.append(np.log(weights[:, subtype]) - np.log(weights[:, rivals].sum(axis=1)))
    return odds[0], odds[1]


def _codes(model: Model, contexts: Sequence[Context]) -> dict[str, Codes]:
    """One patient per context."""
    codes: dict[str, Codes] = {}
    for i, context in enumerate(contexts):
        for name, state in context:
            if name not in codes:
                codes[name] = np.full(len(contexts), model.engine.base[name][()])
            codes[name][i] = model.variables[name].state_names.index(state)
    return codes


def _probability(log_odds: float) -> float:
    return float(1 / (1 + np.exp(-log_odds)))
