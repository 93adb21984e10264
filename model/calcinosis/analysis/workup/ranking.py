"""Ranking of the next tests: expected information, alone and with the best test after it, and price."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from calcinosis.analysis.plain import plain_lines
from calcinosis.analysis.workup.information import entropy, expected_gain, expected_information
from calcinosis.analysis.workup.outcomes import Outcomes, offered, outcomes, tests_of
from calcinosis.inference.findings.evidence import Evidence
from calcinosis.inference.model import Model
from calcinosis.inference.network import Array
from calcinosis.inference.numbers import percent
from calcinosis.inference.phrases import uncapitalised
from calcinosis.inference.posterior import DISCLAIMER, Posterior
from calcinosis.inference.question_error import QuestionError
from calcinosis.inference.result import Result
from calcinosis.knowledge.arguments import checked
from calcinosis.knowledge.decisions import ClinicalTest
from calcinosis.knowledge.problem import choose_from

if TYPE_CHECKING:
    import pandas as pd

Ranking = Literal["information", "right", "cost", "harm"]
RANKINGS: tuple[Ranking, ...] = get_args(Ranking)

WORTHWHILE = 0.05
"""Minimum probability that a test changes the most probable state, for it to count as worthwhile."""


@dataclass(frozen=True, eq=False, repr=False)
class NextTest(Result):
    """The available tests, and their expected information.

    - `frame` has one line per test, the best first: test, label, reveals (variables, separated by ';'), information
      (expected, in nats), share (of the entropy of the target, 0 to 1), right (the expected probability that the most
      probable state is true, once the result is known), gain (its increase), flips (the probability that another state
      ranks first), in_two and right_in_two (information and right with the best test after it, which may depend on the
      result), cost (US dollars), harm (probability of a complication), days, per_cost (nats per 100 dollars), per_harm
      (nats per expected complication), source. Without prices the columns from cost on are missing.
    - `outcomes` has one line per test and outcome: test, outcome, chance, one column of probabilities per state of the
      target, leading, then (the best test after it; empty if none is left or informative). Impossible outcomes are
      omitted.
    """

    posterior: Posterior
    by: Ranking
    frame: pd.DataFrame
    outcomes: pd.DataFrame

    @property
    def worthwhile(self) -> bool:
        """Whether any test is likely enough to change the most probable state."""
        return bool((self.frame["flips"] >= WORTHWHILE).any())

    @property
    def summary(self) -> str:
        """One or two sentences: the best test, and whether any is likely to change the answer."""
        if self.frame.empty:
            return "No test remains."
        best = self.frame.iloc[0]
        what = {
            "information": "Most informative remaining test",
            "right": "Remaining test that most improves the diagnosis",
            "cost": "Most informative remaining test for its cost",
            "harm": "Most informative remaining test for its harm",
        }[self.by]
        found = (
            f"{what}: {uncapitalised(best['label'])}. On average it reduces the uncertainty by "
            f"{percent(best['share'])} and raises the probability that the most probable subtype is the true one from "
            f"{percent(self.posterior[self.posterior.leading])} to {percent(best['right'])}."
        )
        if not self.worthwhile:
            found += " No remaining test is likely to change which subtype is the most probable."
        return found

    @checked
    def to_dict(self, most: int | None = None) -> dict[str, Any]:
        """The result as plain values, for JSON; the best `most` tests, None for all."""
        frame = self.frame if most is None else self.frame.head(most)
        outcomes = self.outcomes[self.outcomes["test"].isin(frame["test"])]
        return {
            "posterior": self.posterior.to_dict(),
            "by": self.by,
            "unit": "nats",
            "summary": self.summary,
            "tests": plain_lines(frame),
            "outcomes": plain_lines(outcomes),
            "disclaimer": DISCLAIMER,
        }


@checked
def next_test(
    model: Model,
    findings: Mapping[str, Any] | Evidence | None = None,
    /,
    *,
    by: Ranking = "information",
    without: Collection[str] = (),
    **named: Any,
) -> NextTest:
    """The available tests, ranked by their expected information about the target.

    The tests are those of `tests.csv`; without any, observing each variable is a test. Every outcome of every test is
    weighed, and after each of them every outcome of every test that is then available.

    Args:
        by: 'information', 'right' (the gain in the probability of being right), 'cost' or 'harm' (information per
            unit).
        without: tests that are not available.

    Raises:
        FindingsError, ImpossibleEvidence: as `model.posterior`.
        QuestionError: for an unknown ranking or test, unknown prices, or tests with too many outcomes.

    >>> import calcinosis as cc
    >>> tests = cc.next_test(cc.load(), cirrhosis="yes", weight_loss="yes", without=["skin_examination"])
    >>> tests.frame["test"][0], bool((tests.frame["information"] >= 0).all())
    ('wedge_biopsy', True)
    """
    import pandas as pd

    model = model.of_record(named)
    posterior = model.posterior(findings, **named)
    evidence = posterior.evidence
    tests = _available(tests_of(model), by, without)
    known = {finding.variable for finding in evidence}
    criterion = expected_gain if by == "right" else expected_information
    first = offered(model, tests, known)
    second = {test.name: offered(model, tests, {*known, *test.reveals}) for test in first}
    pairs = [(test, later) for test in first for later in second[test.name]]
    sequences = [test.reveals for test in first] + [(*test.reveals, *later.reveals) for test, later in pairs]
    results = outcomes(model, evidence, sequences)
    after: dict[str, list[tuple[str, Array]]] = {test.name: [] for test in first}
    for (test, later), both in zip(pairs, results[len(first) :], strict=True):
        after[test.name].append((later.name, both.joint))
    lines, best = [], []
    for test, own in zip(first, results, strict=False):
        then, worth, right = _second(own.joint, after[test.name], criterion)
        lines.append(_line(posterior, test, own.joint, worth, right))
        best.append(then)
    priced = model.priors is not None and bool(model.priors.tests)
    columns = [*_line(posterior, _NONE, np.eye(len(model.states)), 0.0, 0.0)]
    frame = pd.DataFrame(lines, columns=columns if priced else columns[: columns.index("cost")])
    keys = {"information": ["information"], "right": ["gain", "information"]}
    order = keys.get(by, [f"per_{by}", "information"])
    frame = frame.sort_values(order, ascending=False, kind="stable", ignore_index=True)
    by_outcome = _outcome_lines(model, first, results[: len(first)], best)
    rank = by_outcome["test"].map({name: place for place, name in enumerate(frame["test"])})
    return NextTest(posterior, by, frame, by_outcome.loc[rank.sort_values(kind="stable").index].reset_index(drop=True))


TIE = 1e-12
"""Differences in worth below this are rounding."""

_NONE = ClinicalTest("", "", (), 0.0, 0.0, 0.0, ())


def _available(tests: Sequence[ClinicalTest], by: str, without: Collection[str]) -> list[ClinicalTest]:
    if by not in RANKINGS:
        raise QuestionError(f"no ranking {by!r}: {choose_from(by, RANKINGS)}")
    names = [test.name for test in tests]
    for name in without:
        if name not in names:
            raise QuestionError(f"no test {name!r}: {choose_from(name, names)}")
    if by in ("cost", "harm") and all(test.sources == () for test in tests):
        raise QuestionError(f"this network has no tests with a {by}: rank them by information or right")
    return [test for test in tests if test.name not in without]


def _second(
    now: Array, after: Sequence[tuple[str, Array]], criterion: Callable[[Array], Array]
) -> tuple[list[str], float, float]:
    """The best test after each outcome of a first one, with the expected information and probability of being right for
    both. `after` has the tests with the outcomes of both."""
    chance = now.sum(axis=1)
    names = np.full(len(now), "", dtype=object)
    best, information = np.zeros(len(now)), np.zeros(len(now))
    right = now.max(axis=1)
    for name, both in after:
        joint = both.reshape(len(now), -1, now.shape[1])
        worth = criterion(joint)
        better = worth > best + TIE  # ties go to the first
        best = np.where(better, worth, best)
        information = np.where(better, expected_information(joint), information)
        right = np.where(better, joint.max(axis=2).sum(axis=1), right)
        names[better] = name
    return names.tolist(), float(expected_information(now) + chance @ information), float(right.sum())


def _line(posterior: Posterior, test: ClinicalTest, joint: Array, in_two: float, right_in_two: float) -> dict[str, Any]:
    information, gain = float(expected_information(joint)), float(expected_gain(joint))
    leading = posterior.leading
    unknown = float(entropy(np.array(list(posterior.probabilities_of.values()))))
    flips = joint.argmax(axis=1) != list(posterior).index(leading)
    return {
        "test": test.name,
        "label": test.label,
        "reveals": ";".join(test.reveals),
        "information": information,
        "share": information / unknown if unknown > 0 else 0.0,
        "right": posterior[leading] + gain,
        "gain": gain,
        "flips": float(joint[flips].sum()),
        "in_two": in_two,
        "right_in_two": right_in_two,
        "cost": test.cost,
        "harm": test.harm,
        "days": test.days,
        "per_cost": _per(100 * information, test.cost),
        "per_harm": _per(information, test.harm),
        "source": ";".join(test.sources),
    }


def _per(amount: float, price: float) -> float:
    """An amount per unit of price; infinite at no price, unless the amount is 0."""
    return amount / price if price > 0 else np.inf if amount > 0 else 0.0


def _outcome_lines(
    model: Model, tests: Sequence[ClinicalTest], seen: Sequence[Outcomes], then: Sequence[Sequence[str]]
) -> pd.DataFrame:
    """The outcomes as text; results of one variable are merged, in whatever order they came."""
    import pandas as pd

    words = [(test.name, line) for test, own in zip(tests, seen, strict=True) for line in _in_words(model, own)]
    joint = np.concatenate([np.zeros((0, len(model.states))), *(own.joint for own in seen)])
    frame = pd.DataFrame(dict(zip(model.states, joint.T, strict=True)))
    frame.insert(0, "test", [name for name, _ in words])
    frame.insert(1, "outcome", [line for _, line in words])
    frame["then"] = [name for own in then for name in own]
    by = ["test", "outcome"]
    summed = frame.groupby(by, sort=False)[list(model.states)].sum().reset_index()
    chance = summed[list(model.states)].sum(axis=1)
    summed.insert(2, "chance", chance)
    summed[list(model.states)] = summed[list(model.states)].div(chance, axis=0)
    summed = summed.assign(then=frame.drop_duplicates(by)["then"].to_numpy())[summed["chance"] > 0]
    leading = summed[list(model.states)].to_numpy().argmax(axis=1) if len(summed) else []
    summed.insert(len(summed.columns) - 1, "leading", [model.states[place] for place in leading])
    return summed.reset_index(drop=True)


def _in_words(model: Model, seen: Outcomes) -> list[str]:
    """Each outcome as findings."""
    places = {name: [i for i, other in enumerate(seen.reveals) if other == name] for name in seen.reveals}
    states = {name: model.variables[name].state_names for name in places}
    return [
        ", ".join(
            f"{name}={','.join(states[name][state] for state in sorted(row[i] for i in own))}"
            for name, own in places.items()
        )
        for row in seen.results.tolist()
    ]
