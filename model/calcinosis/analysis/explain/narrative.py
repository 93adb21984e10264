"""An explanation in a paragraph of plain words, which claims no more than the figures do."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from calcinosis.analysis.explain.hypothesis import Hypothesis
from calcinosis.inference.numbers import EVEN, odds_factor, times
from calcinosis.inference.phrases import capitalised, counted, listed
from calcinosis.knowledge.records import REPORTING

NOTABLE = math.log(1.25)
"""A finding that changes the odds by a smaller factor is not named."""

MOST_NAMED = 6
"""How many findings are named on each side."""

GROUPS = {"laboratory": "the laboratory values", REPORTING: "not mentioned", "": "the findings"}
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
    """The paragraph: where the odds began, the evidence for and against the hypothesis, where they ended.

    The contributions are in the order in which they are named, those of one group on one side together.
    `redundant` are findings that add hardly anything to the others. With a `background`, the odds before are
    those that it gives.

    >>> of = Hypothesis.of(["flu", "cold"], "flu", "cold")
    >>> labels = {"flu": "influenza", "cold": "a cold"}
    >>> fever = Contribution("history", "fever", math.log(6.0))
    >>> cough = Contribution("examination", "a cough", -math.log(2.0))
    >>> print(account(of, labels, 0.0, math.log(3.0), [fever, cough]))
    Before any finding, influenza and a cold are about equally probable; with these findings, influenza is 3 times as \
probable as a cold. The history is evidence for influenza and makes a cold 6 times less likely relative to influenza: \
fever. The examination is evidence against it and makes a cold twice as likely relative to influenza: a cough.
    """
    one = listed((labels[state] for state in hypothesis.chosen), "or")
    others = hypothesis.against_all and len(hypothesis.against) > 1
    other = "the others together" if others else listed((labels[state] for state in hypothesis.against), "or")
    are = "are" if others else "is"
    start = (
        f"{'With only the background known' if background else 'Before any finding'}, {_odds(before, one, other, are)}"
    )
    if not contributions:
        return f"{start}. There are no findings to explain."
    these = "this finding" if len(contributions) == 1 else "these findings"
    sentences = [f"{start}; with {these}, {_odds(after, one, other, are)}."]
    named: list[Contribution] = []
    for sign, word in ((1, "for"), (-1, "against")):
        shown = [own for own in contributions if own.nats * sign > NOTABLE][:MOST_NAMED]
        if shown:
            sentences.append(_side(shown, f"{word} {'it' if named else one}", one, other))
        named += shown
    rest = [own for own in contributions if own not in named]
    if rest:
        sentences.append(_rest(rest, bool(named), one, other))
    if redundant:
        named_so = listed(redundant) if len(redundant) == 1 else f"each of {listed(redundant)}"
        plural = len(redundant) == 1 and "variables not mentioned" in redundant[0]
        sentences.append(
            f"{capitalised(named_so)} {'add' if plural else 'adds'} hardly anything to the other findings."
        )
    return " ".join(sentences)


def _side(shown: Sequence[Contribution], side: str, one: str, other: str) -> str:
    """The evidence on one side, group by group: the first with its effect in words, the others as factors."""
    groups = [list(members) for _, members in groupby(shown, key=lambda line: line.group)]
    first, *others = groups
    name = GROUPS.get(first[0].group, f"the {first[0].group}")
    plural, alone = name.endswith("s"), len(first) == 1
    rank = "the strongest " if others else ""
    effect = _change(sum(line.nats for line in first), one, other)
    named = f": {_named(first, alone)}"
    if first[0].group == REPORTING:  # of what is not mentioned, some may be evidence for and some against
        name, named = f"that the record does not mention {listed(_silences(first, alone), 'or')}", ""
    sentences = [
        f"{capitalised(name)} {'are' if plural else 'is'} {rank}evidence {side} and "
        f"{'make' if plural else 'makes'} {effect}{named}."
    ]
    if others:
        sentences.append(f"Further evidence {side}: {'; '.join(map(_further, others))}.")
    return " ".join(sentences)


def _further(members: Sequence[Contribution]) -> str:
    """A further group of findings with its factors."""
    name = GROUPS.get(members[0].group, f"the {members[0].group}")
    total = f" ({odds_factor(sum(line.nats for line in members))})" if len(members) > 1 else ""
    return f"{name}{total}: {_named(members)}"


def _named(members: Sequence[Contribution], alone: bool = False) -> str:
    return ", ".join(_bare(line) if alone else f"{_bare(line)} {odds_factor(line.nats)}" for line in members)


def _silences(members: Sequence[Contribution], alone: bool) -> list[str]:
    """What a record does not mention, each with its factor unless it is alone."""
    return [_bare(line) if alone else f"{_bare(line)} ({odds_factor(line.nats)})" for line in members]


def _bare(line: Contribution) -> str:
    """A finding in words; of one that is not mentioned, which the sentence says, the variable alone."""
    return line.words.removesuffix(" not mentioned") if line.group == REPORTING else line.words


def _change(nats: float, one: str, other: str) -> str:
    """What a factor does to the one that a hypothesis is held against."""
    if nats < 0 and times(-nats) == "2":
        return f"{other} twice as likely relative to {one}"
    return f"{other} {times(abs(nats))} times {'less' if nats > 0 else 'more'} likely relative to {one}"


def _odds(log_odds: float, one: str, other: str, are: str) -> str:
    """Which of two is more probable, and how many times."""
    if abs(log_odds) < EVEN:
        return f"{one} and {other} are about equally probable"
    if log_odds > 0:
        return f"{one} is {times(log_odds)} times as probable as {other}"
    return f"{other} {are} {times(-log_odds)} times as probable as {one}"


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
