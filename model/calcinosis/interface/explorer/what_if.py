"""The view 'What if': what each finding not yet made would do, and the fewest after which another state leads."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from calcinosis.analysis.whatif.changes import KINDS, Change, Kind, changes_of
from calcinosis.analysis.whatif.flips import flips
from calcinosis.inference.numbers import percent
from calcinosis.inference.phrases import capitalised, listed, phrase, uncapitalised
from calcinosis.interface.explorer.previews import last_result
from calcinosis.interface.explorer.situation import Situation

FIRST = 8
"""How many findings, and how many ways to another answer, are shown at once; the rest is unfolded."""

EACH = 4
"""How many ways are told to each state that could come to lead."""

MANY = 300
"""With more changes to choose from than this, only single ones are tried: two at a time would take too long."""

ENTERED: tuple[Kind, ...] = ("changed", "removed")
"""What can be done with a finding that was entered."""

OPEN: tuple[Kind, ...] = ("added", "repeated")
"""What can be done with one that was not, or that can be made once more."""


def view(situation: Situation) -> dict[str, Any]:
    """What its template shows.

    `first` and `rest` are the findings not yet made, with their answers; the one that can move a probability furthest
    comes first. `entered` and `not_yet` are the ways to another leading state: by other findings, by further ones, at
    most `searched` of them together.
    """
    posterior = situation.posterior
    assert posterior is not None
    findings = _findings(situation)
    return {
        "states": [(state, posterior.labels[state], percent(p)) for state, p in posterior.probabilities_of.items()],
        "leading": posterior.labels[posterior.leading],
        "lead": posterior.leading,
        "first": findings[:FIRST],
        "rest": findings[FIRST:],
        **_ways(situation),
        "known": len(situation.evidence),
    }


def _findings(situation: Situation) -> list[dict[str, Any]]:
    """The findings not yet made, and further results of those that can be made again, each with its answers."""
    assert situation.posterior is not None
    frame, states = situation.sweep.frame, list(situation.posterior)
    chosen = frame[frame["kind"].isin(OPEN)]
    columns = (chosen[name].to_list() for name in ("variable", "kind", "value", "chance", "leading", "flips", "moved"))
    lines = zip(zip(*columns, strict=True), chosen[states].to_numpy().tolist(), strict=True)
    found = []
    for name, own in groupby(lines, key=lambda line: line[0][0]):
        variable, every = situation.model.variables[name], list(own)
        answers = [
            {
                "value": last.name,
                "label": last.label or last.name,
                "chance": percent(chance),
                "leads": situation.label(leading) if flips else "",
                "bars": [
                    {"state": s, "percent": percent(p), "width": f"{100 * p:.2f}", "top": s == leading}
                    for s, p in zip(states, bars, strict=True)
                ],
            }
            for (_, _, value, chance, leading, flips, _), bars in every
            for last in [last_result(variable, value)]
        ]
        found.append(
            {
                "variable": name,
                "label": variable.label or name.replace("_", " "),
                "again": every[0][0][1] == "repeated",
                "asked": situation.page.findings.get(name, ""),
                "do": "add" if variable.repeatable else "set",
                "moved": max(line[0][6] for line in every),
                "answers": answers,
            }
        )
    return sorted(found, key=lambda own: -own["moved"])


def _ways(situation: Situation) -> dict[str, Any]:
    """The smallest changes after which another state leads, those of what was entered and those of what was not apart;
    and how many were tried together.

    One search finds both: no part of a set of one kind is of another.
    """
    changes = {str(change): change for change in changes_of(situation.model, situation.evidence)}
    most = 1 if len(changes) > MANY else 2
    found = flips(situation.model, situation.evidence, kinds=KINDS, most_changes=most)
    columns = (found.frame[name].to_list() for name in ("findings", "leading", "probability", "chance"))
    ways: dict[Sequence[Kind], list[dict[str, Any]]] = {ENTERED: [], OPEN: []}
    told: Counter[tuple[Sequence[Kind], str]] = Counter()
    for words, leading, probability, chance in zip(*columns, strict=True):
        made = _made(words, changes)
        for kinds, own in ways.items():
            if made and all(change.kind in kinds for change in made) and told[kinds, leading] < EACH:
                told[kinds, leading] += 1
                own.append(_way(situation, made, leading, probability, chance))
    sides = {"entered": ENTERED, "not_yet": OPEN}
    return {
        "searched": found.searched,
        **{
            name: {
                "first": ways[kinds][:FIRST],
                "rest": ways[kinds][FIRST:],
                "any": any(change.kind in kinds for change in changes.values()),
            }
            for name, kinds in sides.items()
        },
    }


def _made(words: str, changes: Mapping[str, Change]) -> list[Change]:
    """The changes that a text of several names, such as 'pain=severe, livedo=yes'; none, if it cannot be read.

    Names may hold a comma themselves, so the text is cut only where both parts are known.
    """
    if words in changes:
        return [changes[words]]
    parts = words.split(", ")
    for end in range(1, len(parts)):
        head, rest = ", ".join(parts[:end]), ", ".join(parts[end:])
        if head in changes and (others := _made(rest, changes)):
            return [changes[head], *others]
    return []


def _way(
    situation: Situation, made: Sequence[Change], leading: str, probability: float, chance: float
) -> dict[str, Any]:
    values = [(change.variable, change.finding.given if change.finding else "") for change in made]
    return {
        "id": "-".join(f"{name}-{value or 'without'}" for name, value in values),
        "words": capitalised(listed(_in_words(situation, change) for change in made)),
        "findings": json.dumps(values),
        "leading": situation.label(leading),
        "percent": percent(probability),
        "chance": percent(chance) if any(change.finding for change in made) else "",
    }


def _in_words(situation: Situation, change: Change) -> str:
    variable = situation.model.variables[change.variable]
    if change.finding is None:
        return f"{uncapitalised(variable.label or variable.name)} not known"
    if change.kind == "repeated":
        last = change.finding.likelihoods[-1]
        label = variable.states[last.index(max(last))].label or variable.states[last.index(max(last))].name
        return f"{uncapitalised(variable.label or variable.name)}, once more: {label}"
    return phrase(variable, change.finding)
