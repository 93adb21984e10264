"""An explanation in a paragraph of plain words, which claims no more than the figures do."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from calcinosis.analysis.explain.hypothesis import Hypothesis
from calcinosis.inference.phrases import capitalised, counted, listed
from calcinosis.knowledge.records import REPORTING

NOTABLE = math.log(1.25)
"""A finding that changes the odds by a smaller factor is not named."""

MOST_NAMED = 6
"""How many findings are named on each side."""

EVEN = math.log(1.05)
"""Odds nearer to 1 than this are called equal."""

GROUPS = {"laboratory": "the laboratory values", REPORTING: "what the record does not mention", "": "what was found"}
"""What a group of findings is called in a sentence, where it is not simply its name."""


class Contribution(NamedTuple):
    """A finding in words, the group it belongs to, and what it contributes to the log-odds, in nats."""

    group: str
    words: str
    nats: float


def account(
    hypothesis: Hypothesis,
    labels: Mapping[str, str],
    before: float,
    after: float,
    contributions: Sequence[Contribution],
    redundant: Sequence[str] = (),
    background: bool = False,
) -> str:
    """The paragraph: where the odds began, what speaks for and against the hypothesis, where they ended.

    The contributions come in the order in which they shall be named, those of one group on one side together.
    `redundant` are findings that tell hardly anything that the others do not. With a `background`, the odds before are
    those that it gives.

    >>> of = Hypothesis.of(["flu", "cold"], "flu", "cold")
    >>> labels = {"flu": "influenza", "cold": "a cold"}
    >>> told = [Contribution("history", "fever", math.log(6.0)), Contribution("examination", "a cough", -math.log(2.0))]
    >>> print(account(of, labels, 0.0, math.log(3.0), told))
    With nothing known, influenza and a cold are about equally probable; with these findings, influenza is 3 times as \
probable as a cold. For influenza speaks the history, which makes a cold 6 times less likely relative to \
influenza: fever. Against it speaks the examination, which makes a cold twice as likely relative to influenza: a cough.
    """
    one = listed((labels[state] for state in hypothesis.chosen), "or")
    others = hypothesis.against_all and len(hypothesis.against) > 1
    other = "the others together" if others else listed((labels[state] for state in hypothesis.against), "or")
    are = "are" if others else "is"
    start = f"With {'only the background' if background else 'nothing'} known, {_odds(before, one, other, are)}"
    if not contributions:
        return f"{start}. There are no findings to explain it by."
    these = "this finding" if len(contributions) == 1 else "these findings"
    sentences = [f"{start}; with {these}, {_odds(after, one, other, are)}."]
    named: list[Contribution] = []
    for sign, side in ((1, f"For {one}"), (-1, "Against it")):
        shown = [own for own in contributions if own.nats * sign > NOTABLE][:MOST_NAMED]
        named += shown
        if shown:
            sentences.append(f"{side} {_side(shown, one, other)}.")
    rest = [own for own in contributions if own not in named]
    if rest:
        sentences.append(_rest(rest, bool(named), one, other))
    if redundant:
        named_so = listed(redundant) if len(redundant) == 1 else f"each of {listed(redundant)}"
        sentences.append(f"{capitalised(named_so)} tells hardly anything that the other findings do not.")
    return " ".join(sentences)


def _side(shown: Sequence[Contribution], one: str, other: str) -> str:
    """What speaks on one side, group by group: the first with all its words, the others in short."""
    groups = [list(own) for _, own in groupby(shown, key=lambda own: own.group)]
    told = []
    for number, members in enumerate(groups):
        total = sum(own.nats for own in members)
        name = GROUPS.get(members[0].group, f"the {members[0].group}")
        if number == 0:
            name += f", which {'make' if name.endswith('s') else 'makes'} {_change(total, one, other)}"
        elif len(members) > 1:
            name += f", {_factor(total)}"
        known = len(members) == 1 and number == 0
        told.append(
            f"{name}: {', '.join(own.words if known else f'{own.words} {_factor(own.nats)}' for own in members)}"
        )
    verb = "speak" if GROUPS.get(shown[0].group, "").endswith("s") else "speaks"
    return f"{verb}{' most' if len(told) > 1 else ''} {'; then '.join(told)}"


def _change(nats: float, one: str, other: str) -> str:
    """What a factor does to the one that a hypothesis is held against."""
    if nats < 0 and _times(-nats) == "2 times":
        return f"{other} twice as likely relative to {one}"
    return f"{other} {_times(abs(nats))} {'less' if nats > 0 else 'more'} likely relative to {one}"


def _odds(log_odds: float, one: str, other: str, are: str) -> str:
    """Which of two is more probable, and how many times."""
    if abs(log_odds) < EVEN:
        return f"{one} and {other} are about equally probable"
    if log_odds > 0:
        return f"{one} is {_times(log_odds)} as probable as {other}"
    return f"{other} {are} {_times(-log_odds)} as probable as {one}"


def _times(nats: float) -> str:
    """A factor of at least 1 in words.

    >>> _times(math.log(4.04)), _times(math.log(1.26)), _times(math.log(53210)), _times(math.log(5e6))
    ('4 times', '1.3 times', '53,000 times', 'over a million times')
    """
    return f"{factor_in_words(nats)} times"


def _factor(nats: float) -> str:
    """The same as a sign, the larger of the factor and its inverse: what a heading says the direction of.

    >>> _factor(math.log(4.04)), _factor(-math.log(1.26))
    ('×4', '×1.3')
    """
    return f"×{factor_in_words(abs(nats))}"


def factor_in_words(nats: float) -> str:
    """A factor in two digits, from its logarithm; a very small one as a fraction, one beyond a million in words.

    >>> [factor_in_words(math.log(factor)) for factor in (6.008, 0.2498, 1.04, 0.0011, 53210.0)]
    ['6', '0.25', '1.04', '1/910', '53,000']
    >>> factor_in_words(700.0), factor_in_words(-700.0)
    ('over a million', 'under 1/million')
    """
    if abs(nats) > math.log(1e6):
        return "over a million" if nats > 0 else "under 1/million"
    factor = math.exp(nats)
    if factor < 0.01:
        return f"1/{factor_in_words(-nats)}"
    digits = 2 if abs(nats) < EVEN else 1 - math.floor(math.log10(factor))
    words = f"{round(factor, digits):,.{max(digits, 0)}f}"
    return words.rstrip("0").rstrip(".") if "." in words else words


def _rest(rest: Sequence[Contribution], some_named: bool, one: str, other: str) -> str:
    """What the findings that were not named do together."""
    total, single = sum(own.nats for own in rest), len(rest) == 1
    if some_named:
        who = "The other finding" if single else f"The {counted(len(rest))} other findings together"
    else:
        who = "The finding" if single else f"The {counted(len(rest))} findings together"
    if abs(total) < EVEN:
        return f"{who} hardly {'changes' if single else 'change'} the odds."
    return f"{who} {'makes' if single else 'make'} {_change(total, one, other)}."
