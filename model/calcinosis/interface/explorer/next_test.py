"""The view 'next test': few tests, each with what it would tell, its price, and what each of its results would do."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from calcinosis.inference.findings.evidence import Finding
from calcinosis.inference.model import Model
from calcinosis.inference.numbers import days, percent, price
from calcinosis.inference.phrases import capitalised, phrase, uncapitalised
from calcinosis.inference.posterior import Posterior
from calcinosis.interface.explorer.actions import LONGEST
from calcinosis.interface.explorer.cited import cited
from calcinosis.interface.explorer.situation import Situation
from calcinosis.knowledge.decisions import ClinicalTest
from calcinosis.knowledge.records import Variable

if TYPE_CHECKING:
    from calcinosis.analysis.workup.ranking import NextTest, Ranking

BEST = 5
"""How many tests are shown with all that is to be said of them."""

LIKELIEST = 6
"""How many results of a test are shown; the rarer ones are counted, and shown if asked for."""

RANKINGS = {
    "information": "what it tells",
    "right": "how often the leading subtype is then right",
    "cost": "what it tells for its cost",
    "harm": "what it tells for its harm",
}
"""How tests may be ranked, in words."""


class Result(NamedTuple):
    """A result of a test: in the findings grammar, how likely it is, and the answer there would be after it."""

    outcome: str
    chance: float
    leading: str
    after: Sequence[float]


def view(situation: Situation) -> dict[str, Any]:
    """What its template shows.

    Raises:
        QuestionError: for tests with too many outcomes to look at each.
    """
    from calcinosis.analysis.workup.outcomes import offered, tests_of
    from calcinosis.analysis.workup.ranking import WORTHWHILE, next_test

    page, model, evidence = situation.page, situation.model, situation.evidence
    tests = {test.name: test for test in tests_of(model)}
    priced = _priced(model)
    rankings = {name: words for name, words in RANKINGS.items() if priced or name in ("information", "right")}
    # a link may name a ranking or a test that these priors do not have
    by = page.ranking if page.ranking in rankings else "information"
    away = [name for name in tests if name in page.away]
    found = next_test(model, evidence, by=cast("Ranking", by), without=away)
    left = {test.name: test for test in offered(model, tests.values(), {finding.variable for finding in evidence})}
    lines, results = found.frame.to_dict("records"), _results(found)
    return {
        "verdict": found.summary,
        "worthwhile": found.worthwhile,
        "threshold": percent(WORTHWHILE),
        "rankings": rankings,
        "ranking": by,
        "priced": priced,
        "tests": [
            _best(situation, line, left[line["test"]], results[line["test"]], found.posterior) for line in lines[:BEST]
        ],
        "others": [_line(model, line, left[line["test"]]) for line in lines[BEST:]],
        "away": [{"name": name, "label": tests[name].label} for name in away],
    }


def _priced(model: Model) -> bool:
    """Whether there is a list of tests with their prices; without one, looking at each variable is a test."""
    return model.priors is not None and bool(model.priors.tests)


def _line(model: Model, line: Mapping[Any, Any], test: ClinicalTest) -> dict[str, Any]:
    """A test and the figures of it."""
    return {
        "name": test.name,
        "label": test.label,
        "reveals": [_looked_at(model, test, name) for name in dict.fromkeys(test.reveals)],
        "share": percent(line["share"]),
        "width": f"{100 * min(max(line['share'], 0.0), 1.0):.1f}",
        "flips": percent(line["flips"]),
        "right": percent(line["right"]),
        # what actions know as a test; a second look at a variable is none of them
        "known": _priced(model) or test.name in model.variables,
    } | (_prices(test) if _priced(model) else {})


def _looked_at(model: Model, test: ClinicalTest, name: str) -> str:
    looks = test.reveals.count(name)
    label = uncapitalised(model.variables[name].label or name.replace("_", " "))
    return label if looks == 1 else f"{label} ({looks} looks)"


def _prices(test: ClinicalTest) -> dict[str, Any]:
    """What a test costs in money, harm and time, as the priors count it."""
    return {
        "cost": price(test.cost) if test.cost else "none counted",
        "harm": percent(test.harm) if test.harm else "none counted",
        "harmful": test.harm > 0,
        "days": days(test.days),
    }


def _best(
    situation: Situation, line: Mapping[Any, Any], test: ClinicalTest, results: Sequence[Result], now: Posterior
) -> dict[str, Any]:
    """One of the best tests: its figures, what they rest on, and its results."""
    opened = f"results-{test.name}"
    shown = results if opened in situation.page.opened else results[:LIKELIEST]
    rarer = results[LIKELIEST:]
    return _line(situation.model, line, test) | {
        "now": percent(now[now.leading]),
        "sources": cited(situation.model.priors, test.sources),
        "note": f"{capitalised(test.note)}." if test.note else "",
        "results": [_in_words(situation, test, result, now) for result in shown],
        "opened": opened,
        "all_shown": len(shown) == len(results),
        "rarer": len(rarer),
        "rarer_chance": percent(sum(result.chance for result in rarer)),
        "rarer_flips": sum(result.leading != now.leading for result in rarer),
    }


def _results(found: NextTest) -> dict[str, list[Result]]:
    """Of each test every result that it can have, the likeliest first."""
    frame = found.outcomes
    by_test: dict[str, list[Result]] = {}
    columns = [frame[name].to_list() for name in ("test", "outcome", "chance", "leading")]
    after = frame[list(found.posterior)].to_numpy().tolist()
    for test, *own in zip(*columns, after, strict=True):
        by_test.setdefault(test, []).append(Result(*own))
    return {test: sorted(results, key=lambda own: -own.chance) for test, results in by_test.items()}


def _in_words(situation: Situation, test: ClinicalTest, result: Result, now: Posterior) -> dict[str, Any]:
    """A result, and the answer there would be after it."""
    shown = states_of(result.outcome, test.reveals)
    variables = situation.model.variables
    labels = zip(now.labels.items(), result.after, strict=True)
    return {
        "id": f"test:{test.name}:{result.outcome}",
        "words": capitalised("; ".join(_phrase(variables[name], own) for name, own in shown.items())),
        "chance": percent(result.chance),
        "leading": now.labels[result.leading],
        "flips": result.leading != now.leading,
        "bars": [
            {"label": label, "width": f"{100 * p:.2f}", "percent": percent(p), "leading": state == result.leading}
            for (state, label), p in labels
        ],
        "enter": _enter(situation, shown),
    }


def states_of(outcome: str, reveals: Sequence[str]) -> dict[str, list[str]]:
    """The states that an outcome shows, by variable.

    >>> states_of("biopsy=absent,absent, vasculopathy=no", ("biopsy", "biopsy", "vasculopathy"))
    {'biopsy': ['absent', 'absent'], 'vasculopathy': ['no']}
    """
    names = list(dict.fromkeys(reveals))
    found = {}
    for name, following in zip(names, [*names[1:], None], strict=True):
        outcome = outcome.removeprefix(f"{name}=")
        own, _, outcome = (outcome, "", "") if following is None else outcome.partition(f", {following}=")
        found[name] = own.split(",") if reveals.count(name) > 1 else [own]
    return found


def _phrase(variable: Variable, shown: Sequence[str]) -> str:
    states = variable.state_names
    certain = tuple(tuple(float(state == own) for state in states) for own in shown)
    return phrase(variable, Finding(variable.name, "", "", certain, states))


def _enter(situation: Situation, shown: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The action that enters a result; empty if it is too long to be one."""
    variables, known = situation.model.variables, situation.page.findings
    (name, states), *more = shown.items()
    if not more and len(states) == 1:
        return {"do": "add" if variables[name].repeatable else "set", "variable": name, "value": states[0]}
    before = {own: [known[own]] for own in shown if variables[own].repeatable and own in situation.evidence}
    findings = json.dumps([[own, ",".join([*before.get(own, []), *states])] for own, states in shown.items()])
    return {"do": "adopt", "findings": findings} if len(findings) <= LONGEST else {}
