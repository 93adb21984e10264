"""The report to print: all that the page says of a patient, as one file that asks no other for anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from calcinosis.analysis.explain.explanation import Explanation
from calcinosis.analysis.plain import lines_of
from calcinosis.inference.numbers import burden, entry, odds_factor, odds_ratio, percent, signed, weight
from calcinosis.inference.phrases import phrase, uncapitalised
from calcinosis.inference.posterior import CREDIBLE, DISCLAIMER, Posterior
from calcinosis.inference.question_error import QuestionError
from calcinosis.interface.explorer.answer import answer
from calcinosis.interface.explorer.cited import source_in_words
from calcinosis.interface.explorer.entry import entry_rows, groups
from calcinosis.interface.explorer.letter import (
    patients_in_words,
    silent,
    stamp,
    unused,
    why_leading,
)
from calcinosis.interface.explorer.page import PENDING, SILENT, UNKNOWN
from calcinosis.interface.explorer.rendering import render
from calcinosis.interface.explorer.situation import Situation
from calcinosis.interface.words.entries import entry_in_words, given_in_words

KINDS = {
    "added": "if it were found as well",
    "repeated": "if it were found as well",
    "changed": "if it had been found instead",
    "removed": "if this were not known",
}
"""What each kind of change says of a finding, see `calcinosis.analysis.whatif.changes`."""

MOST_FLIPS = 3
"""How many changes of each kind are named that would make another state lead."""

MOST_TESTS = 4
"""How many tests are named."""

STRONGEST = 3
"""Of how many findings the rows are named that they weigh through, and their sources."""

ROWS_EACH = 2
"""How many rows are named of each."""

Values = dict[str, Any]


def report(situation: Situation, published: Mapping[str, str] | None, today: date) -> str:
    """The HTML of the report; it prints on A4, in a few pages."""
    posterior = situation.posterior
    assert posterior is not None
    why = why_leading(situation)
    shown = answer(situation) | {
        "today": today.isoformat(),
        "stamp": stamp(situation, today),
        "disclaimer": DISCLAIMER,
        "mass": f"{100 * CREDIBLE:.0f}",
        "leader": situation.label(posterior.leading),
        "target": situation.model.variables[posterior.target].label or posterior.target.replace("_", " "),
        "groups": list(_findings(situation)),
        "not_asked": _not_asked(situation),
        "silent": silent(situation),
        "patients": patients_in_words(situation, posterior),
        "published": published,
        "diagnosis": _diagnosis(situation, published),
        "flips": _flips(situation),
        "edited": [_edited(situation, place) for place in range(len(situation.page.edits))],
        "shipped": situation.shipped.digest[:12],
    }
    return render("report", **shown, **_why(why), **_tests(situation, posterior), **_rows(why))


def _diagnosis(situation: Situation, published: Mapping[str, str] | None) -> str:
    """What was published, in words where it is one of the states."""
    told = published["diagnosis"] if published else ""
    return situation.label(told) if told in situation.model.states else told


def _findings(situation: Situation) -> Iterator[Values]:
    """By group what was asked: each finding as understood and as entered."""
    rows, typed = entry_rows(situation), unused(situation)
    asked = {**situation.page.findings, **typed}
    for group in groups(situation.model):
        lines = [
            {
                "label": rows[name]["label"],
                "understood": _understood(situation, rows[name], asked[name]),
                "entered": asked[name],
                "used": name not in typed and asked[name] not in SILENT,
            }
            for name in group["rows"]
            if name in asked
        ]
        if lines:
            yield {"title": group["title"], "lines": lines}


def _understood(situation: Situation, row: Values, text: str) -> str:
    """A finding as the model understands it, in words, with the days of its results."""
    if text in SILENT:
        return {UNKNOWN: "asked, but unknown", PENDING: "the result is pending"}[text]
    if row["fault"]:
        return f"not used: {row['fault']}"
    chosen = [choice["label"] for choice in row["choices"] if choice["chosen"]]
    results: list[str] = row["results"] or [row["echo"] or row["other"] or ", ".join(chosen) or text]
    days = situation.page.dates_of(row["name"], len(results))
    told = Counter(f"{result}, {day}" if day else result for result, day in zip(results, days, strict=True))
    return "; ".join(result if count == 1 else f"{result} ({count} times)" for result, count in told.items())


def _not_asked(situation: Situation) -> list[str]:
    """What was not asked, in words."""
    asked = {*situation.page.findings, *situation.page.drafts}
    variables = situation.model.variables
    return [
        uncapitalised(variables[name].label or name.replace("_", " "))
        for group in groups(situation.model)
        for name in group["rows"]
        if name in variables and name not in asked
    ]


def _why(found: Explanation | QuestionError) -> Values:
    """What speaks for and against the leading state, and how it adds up; or why that cannot be told."""
    if isinstance(found, QuestionError):
        return {"account": f"What each finding contributes cannot be told: {found}.", "sides": (), "sum": None}
    pairs = sorted(
        zip(found.frame["finding"].to_list(), found.frame["contribution"].to_list(), strict=True),
        key=lambda own: -abs(own[1]),
    )
    sides = [[own for own in pairs if own[1] >= 0], [own for own in pairs if own[1] < 0]]
    totals = [sum(nats for _, nats in side) for side in sides]
    return {
        "account": found.summary,
        "sides": [
            {
                "title": title,
                "lines": [{"finding": words, "odds": odds_factor(n), "nats": signed(n)} for words, n in side],
                "odds": odds_factor(total),
                "nats": signed(total),
            }
            for title, side, total in zip(("for", "against"), sides, totals, strict=True)
        ],
        "sum": {
            name: {"nats": signed(nats), "odds": odds_ratio(nats)}
            for name, nats in (("before", found.before), ("after", found.after))
        },
    }


def _flips(situation: Situation) -> list[Values]:
    """The single changes after which another state leads, by their kind."""
    frame = situation.sweep.flips
    columns = [frame[name].to_list() for name in ("variable", "kind", "value", "chance", "leading")]
    reached = frame[list(situation.model.states)].to_numpy().max(axis=1, initial=0.0).tolist()
    found: dict[str, list[Values]] = {title: [] for title in KINDS.values()}
    for variable, kind, value, chance, leading, probability in zip(*columns, reached, strict=True):
        found[KINDS[kind]].append(
            {
                "what": _changed(situation, variable, kind, value),
                "chance": "" if kind == "removed" else percent(chance),
                "leading": situation.label(leading),
                "percent": percent(probability),
            }
        )
    return [
        {"title": title, "lines": lines[:MOST_FLIPS], "left": max(0, len(lines) - MOST_FLIPS)}
        for title, lines in found.items()
        if lines
    ]


def _changed(situation: Situation, name: str, kind: str, value: str) -> str:
    """A change of one finding in words."""
    variable = situation.model.variables[name]
    return phrase(
        variable, situation.evidence[name] if kind == "removed" else situation.model.read({name: value})[name]
    )


def _tests(situation: Situation, posterior: Posterior) -> Values:
    """The tests that tell most, as the page ranks them."""
    from calcinosis.analysis.workup.ranking import next_test

    page = situation.page
    try:
        found = next_test(situation.model, posterior.evidence, by=page.ranking, without=page.away)  # type: ignore[arg-type]
    except QuestionError as error:
        return {"tests": (), "tests_verdict": f"What to test next cannot be told: {error}.", "priced": False}
    priced = "cost" in found.frame
    lines = [
        {
            "label": line.label,
            "share": percent(line.share),
            "flips": percent(line.flips),
            "right": percent(line.right),
            "price": burden(line.cost, line.harm, line.days) if priced else "",
        }
        for line in lines_of(found.frame.head(MOST_TESTS))
    ]
    return {"tests": lines, "tests_verdict": found.summary, "priced": priced}


def _rows(found: Explanation | QuestionError) -> Values:
    """The rows of the tables that the strongest findings weigh through, and the sources they rest on, by number."""
    if isinstance(found, QuestionError) or found.frame.empty:
        return {"rows": (), "sources": ()}
    strongest = _strongest(found)
    entries = found.model.entries
    known = dict(zip(entries.names, entries, strict=True))
    try:
        frame = found.rows
    except ValueError:  # the network is too tightly knit to be asked about its tables
        return {"rows": (), "sources": ()}
    sources = found.model.priors.sources if found.model.priors else {}
    cited: dict[str, int] = {}
    groups: dict[str, list[Values]] = {}
    for line in lines_of(frame[frame["variable"].isin(strongest)].groupby("variable", sort=False).head(ROWS_EACH)):
        keys = [key for key in line.source.split(";") if key in sources]
        groups.setdefault(strongest[line.variable], []).append(
            {
                "row": entry_in_words(known[line.entry], entries.network, 1000).split("\n"),
                "value": entry(line.value),
                "weight": weight(line.weight),
                "sources": [cited.setdefault(key, len(cited) + 1) for key in keys],
            }
        )
    rows = [{"finding": finding, "lines": lines} for finding, lines in groups.items()]
    return {"rows": rows, "sources": [source_in_words(sources[key]) for key in cited]}


def _strongest(found: Explanation) -> Mapping[str, str]:
    """The findings that contribute most, either way, by variable, in words."""
    frame = found.frame
    order = frame["contribution"].abs().sort_values(ascending=False, kind="stable").index[:STRONGEST]
    return dict(zip(frame["variable"][order], frame["finding"][order], strict=True))


def _edited(situation: Situation, place: int) -> Values:
    """An edited row of a table: what it is of, and its figures before and now."""
    edit, shipped = situation.page.edits[place], situation.shipped
    assert shipped.priors is not None
    before = next(row for row in shipped.priors.tables[edit.variable].rows if row.given == edit.given)
    network = shipped.network
    parents = zip(network.parents[edit.variable], edit.given, strict=True)
    return {
        "table": network.variables[edit.variable].label or edit.variable,
        "given": "; ".join(words for parent, cell in parents if (words := given_in_words(parent, cell, network))),
        "before": _figures(situation, edit.variable, before.probabilities, before.weight),
        "now": _figures(situation, edit.variable, edit.probabilities, edit.weight),
    }


def _figures(situation: Situation, name: str, probabilities: Sequence[float], weight: float) -> str:
    states = situation.shipped.variables[name].states
    told = [f"{own.label or own.name} {share:.3g}" for own, share in zip(states, probabilities, strict=True)]
    return f"{', '.join(told)}; weight {weight:g}"
