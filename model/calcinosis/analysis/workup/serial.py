"""A test done again and again: the posterior if the next result is negative, and the next, and how probable that is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from calcinosis.analysis.plain import plain_lines
from calcinosis.analysis.workup.results import with_results
from calcinosis.inference.engine.impossible import ImpossibleEvidence
from calcinosis.inference.findings.evidence import Evidence
from calcinosis.inference.model import Model
from calcinosis.inference.phrases import capitalised, counted
from calcinosis.inference.posterior import CREDIBLE, DISCLAIMER, Posterior, percent
from calcinosis.inference.question_error import QuestionError
from calcinosis.knowledge.arguments import checked
from calcinosis.knowledge.problem import choose_from
from calcinosis.knowledge.records import Variable

if TYPE_CHECKING:
    import pandas as pd

THRESHOLD = 0.05
"""Below which probability a state is called unlikely enough, unless told otherwise: a judgement, not a rule of care."""

STEPS = 6
"""How many results are looked ahead, unless told otherwise."""

ENDLESS = 1000
"""So many negative results stand for any number of them."""


@dataclass(frozen=True, eq=False)
class Plan:
    """What further results of a test would do to the probability of a state.

    `frame` has one line per result that may come: step (0 for now), result (`negative` goes on to the next step, any
    other ends the plan), chance (that it comes to this, seen from now), one column of probabilities per state of the
    target, lower and upper (the interval of the probability of `state`; missing where there is none, as where the rows
    of the tables have no weights), leading, below (whether the probability of `state` is below `threshold`). Results
    that cannot come are left out.

    `enough` is after how many negative results it is below, 0 if it is now, None if not within the plan; `limit` is
    what its probability comes to after any number of them.
    """

    posterior: Posterior
    variable: Variable
    state: str
    threshold: float
    negative: str
    frame: pd.DataFrame
    enough: int | None
    limit: float

    @property
    def verdict(self) -> str:
        """Two sentences: how many negative results it takes, how probable they are, and what they can reach at all."""
        label = self.posterior.labels[self.state]
        chain = _chain(self.frame, self.negative)
        steps = int(chain.index.max())
        if self.enough == 0:
            now = percent(self.posterior[self.state])
            return f"{capitalised(label)} is below {percent(self.threshold)} now: {now}."
        last = steps if self.enough is None else self.enough
        if last == 0:
            return f"No further result can be negative; {label} stands at {percent(self.posterior[self.state])}."
        results = "one more negative result" if last == 1 else f"{counted(last)} more negative results"
        yet = f", not below {percent(self.threshold)}" if self.enough is None else ""
        they = {1: "that it is negative", 2: "that both are negative"}.get(
            last, f"that all {counted(last)} are negative"
        )
        return (
            f"After {results} the probability of {label} is {percent(chain[self.state][last])}, instead of "
            f"{percent(self.posterior[self.state])} now{yet}; {they} is {percent(chain['chance'][last])} probable. "
            f"Any number of them would bring it to {percent(self.limit)}."
        )

    def __repr__(self) -> str:
        return self.verdict

    def as_dict(self) -> dict[str, Any]:
        """The answer as plain values, for JSON."""
        return {
            "posterior": self.posterior.as_dict(),
            "variable": self.variable.name,
            "state": self.state,
            "threshold": self.threshold,
            "negative": self.negative,
            "enough": self.enough,
            "limit": self.limit,
            "verdict": self.verdict,
            "steps": plain_lines(self.frame),
            "disclaimer": DISCLAIMER,
        }


@checked
def serial_testing(
    model: Model,
    findings: Mapping[str, Any] | Evidence | None = None,
    /,
    *,
    state: str | None = None,
    variable: str | None = None,
    negative: str | None = None,
    threshold: float = THRESHOLD,
    steps: int = STEPS,
    mass: float = CREDIBLE,
    **named: Any,
) -> Plan:
    """What it does to the probability of a state if further results of a test are negative, one after the other.

    Args:
        state: the state that is to be excluded; the leading one, unless told.
        variable: the repeatable variable that is looked at again; the only one there is, unless told.
        negative: its state that counts as negative; its first, unless told.
        threshold: below which probability, between 0 and 1, the state counts as excluded.
        steps: how many results are looked ahead, 1 or more.
        mass: how much of its distribution the interval of a probability holds.

    Raises:
        FindingsError, ImpossibleEvidence: as `model.posterior`.
        QuestionError: for words that are no state or no repeatable variable, or numbers out of range.

    >>> import calcinosis as cc
    >>> found = cc.serial_testing(cc.load(), cirrhosis="yes", ulceration="yes", state="calciphylaxis", steps=3)
    >>> chain = found.frame.loc[found.frame["result"] != "intramural_calcification", "calciphylaxis"]
    >>> bool(chain.is_monotonic_decreasing)
    True
    """
    import pandas as pd

    model = model.of_record(named)
    posterior = model.posterior(findings, **named)
    asked = _variable(model, variable)
    state, negative = state or posterior.leading, negative or asked.state_names[0]
    for word, among, of in ((state, model.states, model.target), (negative, asked.state_names, asked.name)):
        if word not in among:
            raise QuestionError(f"no state {word!r} of {of}: {choose_from(word, list(among))}")
    if not 0.0 < threshold < 1.0:
        raise QuestionError(f"a threshold lies between 0 and 1, not at {threshold}")
    if not 1 <= steps <= ENDLESS:
        raise QuestionError(f"between 1 and {ENDLESS:,} results can be looked ahead, not {steps}")

    def after(*results: str) -> Posterior | None:
        try:
            return model.posterior(with_results(model, posterior.evidence, {asked.name: results}))
        except (ImpossibleEvidence, QuestionError):
            return None

    def line(step: int, result: str, own: Posterior) -> dict[str, Any]:
        chance = float(np.exp(own.log_evidence - posterior.log_evidence))
        found = {"step": step, "result": result, "chance": chance, **own.probabilities_of}
        return found | own.limits(mass).get(state, {}) | {"leading": own.leading, "below": own[state] < threshold}

    lines = [line(0, "", posterior)]
    results = [negative, *(other for other in asked.state_names if other != negative)]
    for step in range(1, steps + 1):
        found = {result: after(*[negative] * (step - 1), result) for result in results}
        lines += [line(step, result, own) for result, own in found.items() if own is not None]
        if found[negative] is None:
            break  # no further negative result can come
    frame = pd.DataFrame(lines)
    chain = _chain(frame, negative)
    reached = chain.index[chain["below"]]
    enough = int(reached[0]) if len(reached) else None
    return Plan(posterior, asked, state, threshold, negative, frame, enough, _limit(after, negative, chain[state]))


def _chain(frame: pd.DataFrame, negative: str) -> pd.DataFrame:
    """The lines of a plan as long as every result is negative, by step."""
    return frame[frame["result"].isin(["", negative])].set_index("step")


def _limit(after: Callable[..., Posterior | None], negative: str, chain: pd.Series[float]) -> float:
    """What the probability of a state, now along the `chain`, comes to after as many negative results as can be told
    apart.

    So many results that all of their product underflows are too many; half of them, or a quarter, do as well.
    """
    count = ENDLESS
    while count > chain.index[-1]:
        own = after(*[negative] * count)
        if own is not None:
            return own[str(chain.name)]
        count //= 2
    return float(chain.iloc[-1])


def _variable(model: Model, name: str | None) -> Variable:
    """The repeatable variable that is asked for."""
    repeatable = [v.name for v in model.variables.values() if v.repeatable]
    if name is None and len(repeatable) == 1:
        return model.variables[repeatable[0]]
    if name is None or name not in repeatable:
        if not repeatable:
            raise QuestionError("no variable of this network takes several results, so there is nothing to repeat")
        raise QuestionError(f"no repeatable variable {name!r}: {choose_from(name or '', repeatable)}")
    return model.variables[name]
