"""Which test to do next: what each would tell on average, alone and with the best test after it, and at what price."""

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
from calcinosis.inference.phrases import uncapitalised
from calcinosis.inference.posterior import DISCLAIMER, Posterior, percent
from calcinosis.inference.question_error import QuestionError
from calcinosis.knowledge.arguments import checked
from calcinosis.knowledge.problem import choose_from
from calcinosis.knowledge.records import ClinicalTest

if TYPE_CHECKING:
    import pandas as pd

Ranking = Literal["information", "right", "cost", "harm"]
RANKINGS: tuple[Ranking, ...] = get_args(Ranking)

WORTHWHILE = 0.05
"""A test after which another state leads with a smaller probability than this is unlikely to change the answer."""


@dataclass(frozen=True, eq=False)
class NextTest:
    """The tests that could be done next, and what they would tell.

    - `frame` has one line per test, the best first: test, label, reveals (variables, with ';'), information (expected,
      in nats), share (of all that is not known of the target, 0 to 1), right (the expected probability that the leading
      state is the true one, once the result is known), gain (how much more that is than now), flips (how probable it
      is that another state leads then), in_two and right_in_two (information and right with the best test after it,
      which may depend on the result), cost (US dollars), harm (probability of a complication), days, per_cost (nats for
      100 dollars), per_harm (nats for each complication that is to be expected), source. Without prices the columns
      from cost on are missing.
    - `outcomes` has one line per test and outcome: test, outcome, chance, one column of probabilities per state of the
      target, leading, then (the test that is best after it; empty where none is left, or none tells anything). Outcomes
      that cannot be are left out.
    """

    posterior: Posterior
    by: Ranking
    frame: pd.DataFrame
    outcomes: pd.DataFrame

    @property
    def worthwhile(self) -> bool:
        """Whether any test is likely enough to change which state leads."""
        return bool((self.frame["flips"] >= WORTHWHILE).any())

    @property
    def verdict(self) -> str:
        """One or two sentences: the best test, and whether any is likely to change the answer."""
        if self.frame.empty:
            return "Nothing is left to be tested."
        best = self.frame.iloc[0]
        what = {
            "information": "tells most",
            "right": "helps most to be right",
            "cost": "tells most for its cost",
            "harm": "tells most for its harm",
        }[self.by]
        found = (
            f"Of the tests that are left this one {what}: {uncapitalised(best['label'])}. On average it takes away "
            f"{percent(best['share'])} of what is not known, and whoever names the leading subtype then is right with "
            f"{percent(best['right'])} instead of {percent(self.posterior[self.posterior.leading])}."
        )
        if not self.worthwhile:
            found += " No test that is left is likely to change which subtype leads."
        return found

    def __repr__(self) -> str:
        return self.verdict

    @checked
    def as_dict(self, most: int | None = None) -> dict[str, Any]:
        """The answer as plain values, for JSON; the best `most` tests, None for all."""
        frame = self.frame if most is None else self.frame.head(most)
        shown = self.outcomes[self.outcomes["test"].isin(frame["test"])]
        return {
            "posterior": self.posterior.as_dict(),
            "by": self.by,
            "unit": "nats",
            "verdict": self.verdict,
            "tests": plain_lines(frame),
            "outcomes": plain_lines(shown),
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
    """The tests that would reveal something not yet known, ranked by what they would tell of the target.

    The tests are those of `tests.csv`; where there are none, looking at each variable is a test. Every outcome of every
    test is weighed, and after each of them every outcome of every test that is possible then.

    Args:
        by: 'information', 'right' (the gain in the probability of being right), 'cost' or 'harm' (information for
            each).
        without: tests that are not available.

    Raises:
        FindingsError, ImpossibleEvidence: as `model.posterior`.
        QuestionError: for words that are no ranking or no test, prices that are not known, or tests with too many
            outcomes.

    >>> import calcinosis as cc
    >>> found = cc.next_test(cc.load(), cirrhosis="yes", weight_loss="yes", without=["skin_examination"])
    >>> found.frame["test"][0], bool((found.frame["information"] >= 0).all())
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
    looks = [test.reveals for test in first] + [(*test.reveals, *later.reveals) for test, later in pairs]
    seen = outcomes(model, evidence, looks)
    after: dict[str, list[tuple[str, Array]]] = {test.name: [] for test in first}
    for (test, later), both in zip(pairs, seen[len(first) :], strict=True):
        after[test.name].append((later.name, both.joint))
    lines, best = [], []
    for test, own in zip(first, seen, strict=False):
        then, worth, right = _second(own.joint, after[test.name], criterion)
        lines.append(_line(posterior, test, own.joint, worth, right))
        best.append(then)
    priced = model.priors is not None and bool(model.priors.tests)
    columns = [*_line(posterior, _NONE, np.eye(len(model.states)), 0.0, 0.0)]
    frame = pd.DataFrame(lines, columns=columns if priced else columns[: columns.index("cost")])
    keys = {"information": ["information"], "right": ["gain", "information"]}
    order = keys.get(by, [f"per_{by}", "information"])
    frame = frame.sort_values(order, ascending=False, kind="stable", ignore_index=True)
    told = _told(model, first, seen[: len(first)], best)
    rank = told["test"].map({name: place for place, name in enumerate(frame["test"])})
    return NextTest(posterior, by, frame, told.loc[rank.sort_values(kind="stable").index].reset_index(drop=True))


TIE = 1e-12
"""Tests that are worth as much but for rounding are equal."""

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
    """The best test after each outcome of a first one; and the information, and the probability of being right, that
    are to be expected of both. `after` has the tests with the outcomes of both."""
    chance = now.sum(axis=1)
    names = np.full(len(now), "", dtype=object)
    best, told = np.zeros(len(now)), np.zeros(len(now))
    right = now.max(axis=1)
    for name, both in after:
        joint = both.reshape(len(now), -1, now.shape[1])
        worth = criterion(joint)
        better = worth > best + TIE  # of equals the first
        best = np.where(better, worth, best)
        told = np.where(better, expected_information(joint), told)
        right = np.where(better, joint.max(axis=2).sum(axis=1), right)
        names[better] = name
    return names.tolist(), float(expected_information(now) + chance @ told), float(right.sum())


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
    """How much there is for a price; what costs nothing is worth infinitely much, unless it tells nothing."""
    return amount / price if price > 0 else np.inf if amount > 0 else 0.0


def _told(
    model: Model, tests: Sequence[ClinicalTest], seen: Sequence[Outcomes], then: Sequence[Sequence[str]]
) -> pd.DataFrame:
    """The outcomes in words; looks at one variable are told together, in whatever order they came."""
    import pandas as pd

    words = [(test.name, line) for test, own in zip(tests, seen, strict=True) for line in _in_words(model, own)]
    joint = np.concatenate([np.zeros((0, len(model.states))), *(own.joint for own in seen)])
    every = pd.DataFrame(dict(zip(model.states, joint.T, strict=True)))
    every.insert(0, "test", [name for name, _ in words])
    every.insert(1, "outcome", [line for _, line in words])
    every["then"] = [name for own in then for name in own]
    by = ["test", "outcome"]
    summed = every.groupby(by, sort=False)[list(model.states)].sum().reset_index()
    chance = summed[list(model.states)].sum(axis=1)
    summed.insert(2, "chance", chance)
    summed[list(model.states)] = summed[list(model.states)].div(chance, axis=0)
    summed = summed.assign(then=every.drop_duplicates(by)["then"].to_numpy())[summed["chance"] > 0]
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
