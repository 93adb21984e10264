"""The view 'priors': a table with what each of its rows rests on, to be edited in the page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import islice, product
from typing import Any, NamedTuple
from urllib.parse import quote

from calcinosis.inference.phrases import listed
from calcinosis.interface.explorer.edit_rows import count_in_words
from calcinosis.interface.explorer.page import Edit
from calcinosis.interface.explorer.situation import Situation
from calcinosis.knowledge.records import Source

MOST_ROWS = 120
"""How many rows of a table are shown at most."""


class Cell(NamedTuple):
    """A number of a row: as it is, as it was before it was edited (empty if it was not), and whether it can be."""

    name: str
    label: str
    text: str
    was: str
    fixed: bool


class Basis(NamedTuple):
    """A source of a row, with its address if it has one."""

    kind: str
    citation: str
    year: str
    address: str


class Line(NamedTuple):
    """A row of the table: which patients it is for, its numbers, and what it rests on."""

    given: str
    patients: tuple[tuple[str, str], ...]
    here: bool
    cells: tuple[Cell, ...]
    weight: Cell | None
    edited: bool
    kinds: str
    sources: tuple[Basis, ...]
    note: str


def view(situation: Situation) -> dict[str, Any]:
    """What its template shows."""
    model, page = situation.model, situation.page
    name = page.table or model.target
    count = Counter(edit.variable for edit in page.edits)
    labels = {own: variable.label or own for own, variable in model.variables.items()}
    rows = model.network.tables[name][..., 0].size
    return {
        "name": name,
        "label": labels[name],
        "choices": [(own, f"{label} ({count[own]} edited)" if count[own] else label) for own, label in labels.items()],
        "parents": [labels[parent] for parent in model.network.parents[name]],
        "states": [state.label or state.name for state in model.variables[name].states],
        "lines": _lines(situation, name),
        "weighed": bool(model.network.weights),
        "left_out": max(0, rows - MOST_ROWS),
        "folder": model.priors is not None,
        "edits": len(page.edits),
        "edited": count_in_words(page.edits),
    }


def _lines(situation: Situation, name: str) -> list[Line]:
    network = situation.shipped.network
    parents = network.parents[name]
    states = [situation.model.variables[parent].state_names for parent in parents]
    possible = _possible(situation, parents)
    edits = {edit.given: edit for edit in situation.page.edits if edit.variable == name}
    weights = network.weights[name].ravel().tolist() if network.weights else None
    priors = situation.shipped.priors
    rows = priors.tables[name].rows if priors else None
    probabilities = network.tables[name].reshape(-1, len(situation.model.variables[name].states))
    found = []
    for place, given in enumerate(islice(product(*states), MOST_ROWS)):
        row = rows[place] if rows else None
        shipped = Edit(
            name,
            given,
            row.probabilities if row else tuple(probabilities[place].tolist()),
            weights[place] if weights else 0.0,
        )
        here = bool(possible) and all(given[i] in own for i, own in possible.items())
        sources = [priors.sources[key] for key in row.sources] if priors and row else []
        found.append(_line(situation, shipped, edits.get(given, shipped), here, sources, row.note if row else ""))
    return found


def _possible(situation: Situation, parents: Sequence[str]) -> dict[int, set[str]]:
    """By place the states of the parents that the findings leave possible; parents of which nothing is known left out."""
    found = {}
    for place, parent in enumerate(parents):
        finding = situation.evidence.get(parent)
        if finding is not None:
            likelihoods = zip(finding.states, *finding.likelihoods, strict=True)
            found[place] = {state for state, *own in likelihoods if all(own)}
    return found


def _line(situation: Situation, shipped: Edit, now: Edit, here: bool, sources: Sequence[Source], note: str) -> Line:
    network, variables = situation.model.network, situation.model.variables
    certain = max(shipped.probabilities) == 1
    cells = tuple(
        Cell(
            state.name,
            state.label or state.name,
            _text(value),
            _text(was) if value != was else "",
            certain or was == 0 or situation.model.priors is None,
        )
        for state, value, was in zip(
            variables[now.variable].states, now.probabilities, shipped.probabilities, strict=True
        )
    )
    weight = Cell(
        "weight",
        "weight",
        _text(now.weight),
        _text(shipped.weight) if now.weight != shipped.weight else "",
        certain or situation.model.priors is None,
    )
    labels = [
        (
            variables[parent].label or parent,
            next(s.label or s.name for s in variables[parent].states if s.name == state),
        )
        for parent, state in zip(network.parents[now.variable], now.given, strict=True)
    ]
    kinds = listed(dict.fromkeys(source.kind for source in sources))
    bases = tuple(
        Basis(own.kind, own.citation, own.year, f"https://doi.org/{quote(own.doi)}" if own.doi else "")
        for own in sources
    )
    return Line(
        "/".join(now.given),
        tuple(labels),
        here,
        cells,
        weight if network.weights else None,
        now != shipped,
        kinds,
        bases,
        note,
    )


def _text(number: float) -> str:
    """A number in a few digits: as a judgement has them."""
    return f"{number:.4g}" if number < 10000 else f"{number:.10g}"
