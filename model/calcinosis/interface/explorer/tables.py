"""The view 'priors': a table with what each of its rows rests on, to be edited in the page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

from calcinosis.inference.phrases import listed
from calcinosis.interface.explorer.cited import Cited, cited
from calcinosis.interface.explorer.edit_rows import count_in_words
from calcinosis.interface.explorer.page import Edit
from calcinosis.interface.explorer.situation import Situation
from calcinosis.interface.words.entries import given_in_words
from calcinosis.knowledge.contexts import states_in
from calcinosis.knowledge.records import Priors, Row, Variable

MOST_ROWS = 120
"""How many rows of a table are shown at most."""


class Cell(NamedTuple):
    """A number of a row: as it is, as it was before it was edited (empty if it was not), and whether it can be."""

    name: str
    label: str
    text: str
    was: str
    fixed: bool


class Line(NamedTuple):
    """A row of the table: which patients it is for, whether this is one, its numbers, and what it rests on."""

    given: str
    patients: tuple[str, ...]
    here: bool
    cells: tuple[Cell, ...]
    weight: Cell | None
    edited: bool
    kinds: str
    sources: list[Cited]
    note: str


def view(situation: Situation) -> dict[str, Any]:
    """What its template shows."""
    model, page = situation.model, situation.page
    name = page.table or model.target
    count = Counter(edit.variable for edit in page.edits)
    labels = {own: variable.label or own for own, variable in model.variables.items()}
    rows = len(model.network.rows(name))
    return {
        "name": name,
        "label": labels[name],
        "choices": [(own, f"{label} ({count[own]} edited)" if count[own] else label) for own, label in labels.items()],
        "parents": listed(labels[parent] for parent in model.network.parents[name]),
        "states": [state.label or state.name for state in model.variables[name].states],
        "lines": _lines(situation, name),
        "weighed": bool(model.network.weights),
        "left_out": max(0, rows - MOST_ROWS),
        "folder": model.priors is not None,
        "edits": len(page.edits),
        "edited": count_in_words(page.edits),
    }


def _lines(situation: Situation, name: str) -> list[Line]:
    network, priors = situation.shipped.network, situation.shipped.priors
    edits = {edit.given: edit for edit in situation.page.edits if edit.variable == name}
    possible = _possible(situation, name)
    states = [network.variables[parent].state_names for parent in network.parents[name]]
    found = []
    for place, given in enumerate(network.given(name)[:MOST_ROWS]):
        row = priors.tables[name].rows[place] if priors else None
        shipped = _shipped(situation, name, given, place)
        now = edits.get(given, shipped)
        found.append(
            Line(
                given=",".join(given),
                patients=_patients(situation, name, given),
                here=bool(possible)
                and all(own.intersection(states_in(given[i], states[i])) for i, own in possible.items()),
                cells=_cells(situation.model.variables[name], now, shipped, folder=priors is not None),
                weight=_weight(now, shipped, folder=priors is not None) if network.weights else None,
                edited=now != shipped,
                kinds=_kinds(priors, row),
                sources=cited(priors, row.sources if row else ()),
                note=row.note if row else "",
            )
        )
    return found


def _shipped(situation: Situation, name: str, given: tuple[str, ...], place: int) -> Edit:
    """A row before any edit: as it stands in its file, if it came from one."""
    network, priors = situation.shipped.network, situation.shipped.priors
    if priors is not None:
        row = priors.tables[name].rows[place]
        return Edit(name, given, row.probabilities, row.weight)
    probabilities = network.rows(name)[place]
    weight = float(network.weights[name][place]) if network.weights else 0.0
    return Edit(name, given, tuple(probabilities.tolist()), weight)


def _possible(situation: Situation, name: str) -> Mapping[int, set[str]]:
    """By place the states of the parents that the findings leave possible; parents that were not observed left out."""
    found = {}
    for place, parent in enumerate(situation.model.network.parents[name]):
        finding = situation.evidence.get(parent)
        if finding is not None:
            likelihoods = zip(finding.states, *finding.likelihoods, strict=True)
            found[place] = {state for state, *own in likelihoods if all(own)}
    return found


def _patients(situation: Situation, name: str, given: tuple[str, ...]) -> tuple[str, ...]:
    """The states of the parents in words, such as 'no cirrhosis'; first that of the target, which needs no name."""
    network = situation.model.network
    pairs = sorted(zip(network.parents[name], given, strict=True), key=lambda pair: pair[0] != network.target)
    return tuple(words for parent, cell in pairs if (words := given_in_words(parent, cell, network)))


def _cells(variable: Variable, now: Edit, shipped: Edit, *, folder: bool) -> tuple[Cell, ...]:
    return tuple(
        Cell(
            name=state.name,
            label=state.label or state.name,
            text=_text(value),
            was=_text(was) if value != was else "",
            fixed=not folder or was in (0, 1),
        )
        for state, value, was in zip(variable.states, now.probabilities, shipped.probabilities, strict=True)
    )


def _weight(now: Edit, shipped: Edit, *, folder: bool) -> Cell:
    was = _text(shipped.weight) if now.weight != shipped.weight else ""
    return Cell("weight", "weight", _text(now.weight), was, fixed=not folder or 1 in shipped.probabilities)


def _kinds(priors: Priors | None, row: Row | None) -> str:
    if priors is None or row is None:
        return ""
    return listed(dict.fromkeys(priors.sources[key].kind for key in row.sources))


def _text(number: float) -> str:
    """A number in a few digits: a judgement has no more, and the field must hold them."""
    return f"{number:.4g}" if number < 10_000 else f"{number:.10g}"
