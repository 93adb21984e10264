"""The view 'Why': what each finding does to the log-odds of a state, for and against on one scale, and why."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from calcinosis.inference.numbers import odds_factor, odds_ratio, percent, signed
from calcinosis.inference.phrases import capitalised, listed, phrase
from calcinosis.inference.question_error import QuestionError
from calcinosis.interface.explorer.asked import MOST_EXPLAINED
from calcinosis.interface.explorer.basis import basis
from calcinosis.interface.explorer.situation import Situation

if TYPE_CHECKING:
    from calcinosis.analysis.explain.explanation import Explanation

FULL = math.log(30)
"""The log-odds, in nats, of a bar as wide as its column, always: so a finding that says little has a short bar."""

TICKS = (3, 10, 30)
"""The factors on the odds that are marked on the scale."""

TELLING = math.log(1.5)
"""Two findings are said to act jointly if together they change the odds by so much more, or less, than each alone."""

EVEN = 1e-9
"""A finding that changes the log-odds by less says nothing either way."""

Line = dict[str, Any]


def view(situation: Situation) -> dict[str, Any]:
    """What its template shows.

    `for_it` and `against_it` have a line per finding with its `nats`; with those of `neither` they add up to
    `after - before`. `refused` says why there is nothing to show; empty if there is.
    """
    state, other = situation.explained
    shown = _question(situation, state, other)
    found = situation.explanation
    if isinstance(found, QuestionError):
        return shown | {"refused": f"{capitalised(str(found))}."}
    lines = _lines(situation, found)
    for_it = [line for line in lines if line["nats"] > EVEN]
    against_it = [line for line in lines if line["nats"] < -EVEN]
    return {
        **shown,
        "refused": "",
        "for_it": for_it,
        "against_it": against_it,
        "neither": [line for line in lines if abs(line["nats"]) <= EVEN],
        "headline": _headline(shown["one"], for_it, against_it),
        "ticks": [(factor, f"{100 * math.log(factor) / FULL:.2f}") for factor in TICKS],
        "before": found.before,
        "after": found.after,
        "sums": _sums(found, for_it, against_it),
        "joint": _jointly(situation, found, shown["one"]),
        "account": found.summary if lines else "",
        "known": listed(phrase(situation.model.variables[f.variable], f) for f in found.background),
        "most": MOST_EXPLAINED,
        "pairwise": not found.hypothesis.against_all,
    }


def _question(situation: Situation, state: str, other: str) -> dict[str, Any]:
    """What can be asked: the two choices, and the nearest rival."""
    posterior = situation.posterior
    assert posterior is not None
    labels = posterior.labels
    rivals = sorted((own for own in posterior if own != state), key=lambda own: -posterior[own])
    leading = f"the leading one ({labels[situation.leading]})"
    mine = [(own, labels[own], situation.page.state == own) for own in posterior]
    theirs = [(own, labels[own], other == own) for own in posterior if own != state]
    return {
        "states": [("", leading, not situation.page.state), *mine],
        "others": [("", "all others", not other), *theirs],
        "one": labels[state],
        "other": labels[other] if other else "all others",
        "rival": (rivals[0], labels[rivals[0]]) if len(rivals) > 1 and rivals[0] != other else None,
        "entered": len(situation.evidence),
    }


def _lines(situation: Situation, found: Explanation) -> list[Line]:
    """One line per finding, the strongest first."""
    columns = (found.frame[name].to_list() for name in ("variable", "finding", "contribution"))
    return [
        {
            "variable": variable,
            "words": words,
            "nats": nats,
            "factor": odds_factor(nats),
            "signed": signed(nats),
            "width": f"{min(100.0, 100 * abs(nats) / FULL):.2f}",
            "cut": abs(nats) > FULL,
            "basis": basis(situation, found, variable) if f"why:{variable}" in situation.page.opened else None,
        }
        for variable, words, nats in sorted(zip(*columns, strict=True), key=lambda line: -abs(line[2]))
    ]


def _headline(one: str, for_it: Sequence[Line], against_it: Sequence[Line]) -> str:
    """The strongest evidence for it and against it, in one sentence."""
    sides = ((f"for {one}", for_it), ("against it" if for_it else f"against {one}", against_it))
    told = [f"{side}: {own[0]['words']} ({own[0]['factor']} on the odds)" for side, own in sides if own]
    return f"Strongest evidence {'; '.join(told)}." if told else ""


def _sums(found: Explanation, for_it: Sequence[Line], against_it: Sequence[Line]) -> list[dict[str, str]]:
    """The sum line by line: before, what is added, what is taken away, after."""
    gained, lost = (math.fsum(line["nats"] for line in side) for side in (for_it, against_it))
    before = "before, with what counts as known" if found.background else "before, with nothing known"
    return [
        {"what": before, "nats": signed(found.before), **_in_words(found.before)},
        {"what": "+ for", "nats": f"{gained:.2f}", "odds": odds_factor(gained), "probability": ""},
        {"what": "− against", "nats": f"{abs(lost):.2f}", "odds": odds_factor(lost), "probability": ""},
        {"what": "= after, with all findings", "nats": signed(found.after), **_in_words(found.after)},
    ]


def _in_words(log_odds: float) -> dict[str, str]:
    return {"odds": odds_ratio(log_odds), "probability": percent(1 / (1 + math.exp(min(-log_odds, 700.0))))}


def _jointly(situation: Situation, found: Explanation, one: str) -> str:
    """A sentence on the two findings that act most jointly; empty if none do."""
    from calcinosis.analysis.explain.interactions import joint_pairs

    pairs = joint_pairs(situation.model, found.background, found.posterior.evidence, found.hypothesis)
    if not pairs or abs(pairs[0].beyond) < TELLING:
        return ""
    pair, apart = pairs[0], sum(pairs[0].alone)
    more = "the opposite" if apart * pair.both < 0 else "more" if abs(pair.both) > abs(apart) else "less"
    names = [phrase(situation.model.variables[name], found.findings[name]) for name in (pair.first, pair.second)]
    first, second, both, expected = (odds_factor(own) for own in (*pair.alone, pair.both, apart))
    than = "of what" if more == "the opposite" else "than"
    return (
        f"{capitalised(listed(names))} tell {more} together {than} each alone would add: with all else known, one "
        f"changes the odds of {one} {first}, the other {second}, and both together {both}, not {expected}."
    )
