"""Serial testing: the posterior after one, two, … negative results of a repeated test, and their probability."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from calcinosis.analysis.plain import plain_lines
from calcinosis.analysis.workup.outcomes import with_results
from calcinosis.inference.engine.impossible import ImpossibleEvidence
from calcinosis.inference.findings.evidence import Evidence
from calcinosis.inference.model import Model
from calcinosis.inference.numbers import percent
from calcinosis.inference.phrases import capitalised, counted
from calcinosis.inference.posterior import CREDIBLE, DISCLAIMER, Posterior
from calcinosis.inference.question_error import QuestionError
from calcinosis.inference.result import Result
from calcinosis.knowledge.arguments import checked
from calcinosis.knowledge.problem import choose_from
from calcinosis.knowledge.records import Variable

if TYPE_CHECKING:
    import pandas as pd

THRESHOLD = 0.05
"""Default probability below which a state counts as excluded: a judgement, not a rule of care."""

STEPS = 6
"""Default number of further results."""

ENDLESS = 1000
"""Number of negative results that represents any number of them."""


@dataclass(frozen=True, eq=False, repr=False)
class SerialTesting(Result):
    """The effect of further results of a repeated test on the probability of a state.

    `frame` has one line per possible result: step (0 for now), result (`negative` leads to the next step, any other
    ends the series), chance (its probability, given the present findings), one column of probabilities per state of the
    target, lower and upper (the interval of the probability of `state`; missing if the rows of the tables have no
    weights), leading, below (whether the probability of `state` is below `threshold`). Impossible results are omitted.

    `enough` is the number of negative results after which it is below, 0 if it is now, None if not within the series;
    `limit` is its probability after any number of them.
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
    def summary(self) -> str:
        """Two sentences: how many negative results it takes, how probable they are, and what they can reach at all."""
        label = self.posterior.labels[self.state]
        chain = _chain(self.frame, self.negative)
        steps = int(chain.index.max())
        if self.enough == 0:
            now = percent(self.posterior[self.state])
            return f"{capitalised(label)} is below {percent(self.threshold)} now: {now}."
        last = steps if self.enough is None else self.enough
        if last == 0:
            now = percent(self.posterior[self.state])
            return f"No further result can be negative; the probability of {label} is {now}."
        results = "one more negative result" if last == 1 else f"{counted(last)} more negative results"
        yet = f", not below {percent(self.threshold)}" if self.enough is None else ""
        they = {1: "it is negative", 2: "both are negative"}.get(last, f"all {counted(last)} are negative")
        return (
            f"After {results} the probability of {label} is {percent(chain[self.state][last])}, instead of "
            f"{percent(self.posterior[self.state])} now{yet}; {they} with probability "
            f"{percent(chain['chance'][last])}. With many negative results it approaches "
            f"{percent(self.limit)}."
        )

    def to_dict(self) -> dict[str, Any]:
        """The result as plain values, for JSON."""
        return {
            "posterior": self.posterior.to_dict(),
            "variable": self.variable.name,
            "state": self.state,
            "threshold": self.threshold,
            "negative": self.negative,
            "enough": self.enough,
            "limit": self.limit,
            "summary": self.summary,
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
) -> SerialTesting:
    """The probability of a state after successive negative results of a repeated test.

    Args:
        state: the state to exclude; by default the most probable one.
        variable: the repeatable variable to observe; by default the only one.
        negative: its state that counts as negative; by default the first.
        threshold: the probability, between 0 and 1, below which the state counts as excluded.
        steps: number of further results, 1 or more.
        mass: probability of the credible intervals.

    Raises:
        FindingsError, ImpossibleEvidence: as `model.posterior`.
        QuestionError: for an unknown state or repeatable variable, or numbers out of range.

    >>> import calcinosis as cc
    >>> series = cc.serial_testing(cc.load(), cirrhosis="yes", ulceration="yes", state="calciphylaxis", steps=3)
    >>> chain = series.frame.loc[series.frame["result"] != "intramural_calcification", "calciphylaxis"]
    >>> bool(chain.is_monotonic_decreasing)
    True
    """
    import pandas as pd

    model = model.of_record(named)
    posterior = model.posterior(findings, **named)
    tested = _variable(model, variable)
    state, negative = state or posterior.leading, negative or tested.state_names[0]
    for word, among, of in ((state, model.states, model.target), (negative, tested.state_names, tested.name)):
        if word not in among:
            raise QuestionError(f"no state {word!r} of {of}: {choose_from(word, list(among))}")
    _check_numbers(threshold, steps)

    def after(*results: str) -> Posterior | None:
        try:
            return model.posterior(with_results(model, posterior.evidence, {tested.name: results}))
        except (ImpossibleEvidence, QuestionError):
            return None

    def line(step: int, result: str, after_it: Posterior) -> dict[str, Any]:
        chance = float(np.exp(after_it.log_evidence - posterior.log_evidence))
        columns = {"step": step, "result": result, "chance": chance, **after_it.probabilities_of}
        return (
            columns
            | after_it.limits(mass).get(state, {})
            | {"leading": after_it.leading, "below": after_it[state] < threshold}
        )

    lines = [line(0, "", posterior)]
    results = [negative, *(other for other in tested.state_names if other != negative)]
    for step in range(1, steps + 1):
        posteriors = {result: after(*[negative] * (step - 1), result) for result in results}
        lines += [line(step, result, after_it) for result, after_it in posteriors.items() if after_it is not None]
        if posteriors[negative] is None:
            break  # no further negative result can come
    frame = pd.DataFrame(lines)
    chain = _chain(frame, negative)
    reached = chain.index[chain["below"]]
    enough = int(reached[0]) if len(reached) else None
    return SerialTesting(
        posterior, tested, state, threshold, negative, frame, enough, _limit(after, negative, chain[state])
    )


def _check_numbers(threshold: float, steps: int) -> None:
    if not 0.0 < threshold < 1.0:
        raise QuestionError(f"the threshold is {threshold}: give a number between 0 and 1")
    if not 1 <= steps <= ENDLESS:
        raise QuestionError(f"{steps} further results: give a number from 1 to {ENDLESS:,}")


def _chain(frame: pd.DataFrame, negative: str) -> pd.DataFrame:
    """The lines as long as every result is negative, by step."""
    return frame[frame["result"].isin(["", negative])].set_index("step")


def _limit(after: Callable[..., Posterior | None], negative: str, chain: pd.Series[float]) -> float:
    """The limit of the probability of a state along the `chain`, after as many negative results as can be computed.

    If the product of so many results underflows, half of them, or a quarter, are used.
    """
    count = ENDLESS
    while count > chain.index[-1]:
        own = after(*[negative] * count)
        if own is not None:
            return own[str(chain.name)]
        count //= 2
    return float(chain.iloc[-1])


def _variable(model: Model, name: str | None) -> Variable:
    """The repeatable variable."""
    repeatable = [v.name for v in model.variables.values() if v.repeatable]
    if name is None and len(repeatable) == 1:
        return model.variables[repeatable[0]]
    if name is None or name not in repeatable:
        if not repeatable:
            raise QuestionError("no variable of this network is repeatable, so there is nothing to repeat")
        raise QuestionError(f"no repeatable variable {name!r}: {choose_from(name or '', repeatable)}")
    return model.variables[name]
