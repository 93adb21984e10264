"""The view 'next test': few tests, each with what it would tell, its price, and what each of its results would do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from calcinosis.inference.evidence import Finding
from calcinosis.inference.model import Model
from calcinosis.inference.phrases import capitalised, phrase, uncapitalised
from calcinosis.inference.posterior import percent
from calcinosis.interface.explorer.cited import cited
from calcinosis.interface.explorer.situation import Situation
from calcinosis.knowledge.records import ClinicalTest, Variable

if TYPE_CHECKING:
    from calcinosis.analysis.next_test import NextTest, Ranking

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


def view(situation: Situation) -> dict[str, Any]:
    """What its template shows.

    Raises:
        QuestionError: for tests with too many outcomes to look at each.
    """
    from calcinosis.analysis.next_test import WORTHWHILE, next_test
    from calcinosis.analysis.offered import offered, tests_of

    page, model, evidence = situation.page, situation.model, situation.evidence
    tests = {test.name: test for test in tests_of(model)}
    priced = _priced(model)
    rankings = {name: words for name, words in RANKINGS.items() if priced or name in ("information", "right")}
    # a link may name a ranking or a test that these priors do not have
    by = page.ranking if page.ranking in rankings else "information"
    away = [name for name in tests if name in page.away]
    found = next_test(model, evidence, by=cast("Ranking", by), without=away)
    left = {test.name: test for test in offered(model, tests.values(), {finding.variable for finding in evidence})}
    lines = found.frame.to_dict("records")
    return {
        "verdict": found.verdict,
        "worthwhile": found.worthwhile,
        "threshold": percent(WORTHWHILE),
        "rankings": rankings,
        "ranking": by,
        "priced": priced,
        "labels": list(found.posterior.labels.values()),
        "tests": [_best(situation, found, line, left[line["test"]], tests) for line in lines[:BEST]],
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


def _prices(test: ClinicalTest) -> dict[str, str]:
    """What a test costs in money, harm and time, as the priors count it."""
    return {
        "cost": f"US$ {test.cost:,.0f}" if test.cost else "none counted",
        "harm": f"{percent(test.harm)} with a complication" if test.harm else "none counted",
        "days": f"{test.days:g} {'day' if test.days == 1 else 'days'}" if test.days else "at once",
    }


def _best(
    situation: Situation,
    found: NextTest,
    line: Mapping[Any, Any],
    test: ClinicalTest,
    tests: Mapping[str, ClinicalTest],
) -> dict[str, Any]:
    """One of the best tests: its figures, what they rest on, and its results."""
    opened = f"results-{test.name}"
    results = _results(situation.model, found, test, tests)
    shown = results if opened in situation.page.opened else results[:LIKELIEST]
    rarer = results[LIKELIEST:]
    leading = found.posterior.leading
    return _line(situation.model, line, test) | {
        "now": percent(found.posterior[leading]),
        "sources": cited(situation.model.priors, test.sources),
        "note": f"{capitalised(test.note)}." if test.note else "",
        "results": shown,
        "opened": opened,
        "all_shown": len(shown) == len(results),
        "rarer": len(rarer),
        "rarer_chance": percent(sum(own["probability"] for own in rarer)),
        "rarer_flips": sum(own["flips"] for own in rarer),
        "can_enter": any(own["enter"] for own in shown),
    }


def _results(
    model: Model, found: NextTest, test: ClinicalTest, tests: Mapping[str, ClinicalTest]
) -> list[dict[str, Any]]:
    """Every result that a test can have, the likeliest first, and what it would do to the answer."""
    posterior = found.posterior
    frame = found.outcomes[found.outcomes["test"] == test.name].sort_values("chance", ascending=False, kind="stable")
    columns = [frame[name].to_list() for name in ("outcome", "chance", "leading", "then")]
    after = frame[list(posterior)].to_numpy().tolist()
    lines = []
    for (text, chance, leading, then), bars in zip(zip(*columns, strict=True), after, strict=True):
        shown = results_of(text, test.reveals)
        lines.append(
            {
                "words": capitalised(_in_words(model.variables, shown)),
                "probability": chance,
                "chance": percent(chance),
                "leading": posterior.labels[leading],
                "flips": leading != posterior.leading,
                "bars": [
                    {"label": label, "width": f"{100 * p:.2f}", "percent": percent(p), "leading": state == leading}
                    for (state, label), p in zip(posterior.labels.items(), bars, strict=True)
                ],
                "then": tests[then].label if then else "",
                "enter": _enter(model.variables, shown),
            }
        )
    return lines


def results_of(text: str, reveals: Sequence[str]) -> dict[str, list[str]]:
    """The states that an outcome shows, by variable.

    >>> results_of("biopsy=absent,absent, vasculopathy=no", ("biopsy", "biopsy", "vasculopathy"))
    {'biopsy': ['absent', 'absent'], 'vasculopathy': ['no']}
    """
    names = list(dict.fromkeys(reveals))
    found = {}
    for name, following in zip(names, [*names[1:], None], strict=True):
        text = text.removeprefix(f"{name}=")
        own, _, text = (text, "", "") if following is None else text.partition(f", {following}=")
        found[name] = own.split(",") if reveals.count(name) > 1 else [own]
    return found


def _in_words(variables: Mapping[str, Variable], shown: Mapping[str, Sequence[str]]) -> str:
    parts = []
    for name, results in shown.items():
        states = variables[name].state_names
        certain = tuple(tuple(float(state == own) for state in states) for own in results)
        parts.append(phrase(variables[name], Finding(name, "", "", certain, states)))
    return "; ".join(parts)


def _enter(variables: Mapping[str, Variable], shown: Mapping[str, Sequence[str]]) -> dict[str, str] | None:
    """What enters a result by one click: only a single result of a single variable can be."""
    (name, results), *more = shown.items()
    if more or len(results) > 1:
        return None
    return {"do": "add" if variables[name].repeatable else "set", "variable": name, "value": results[0]}
