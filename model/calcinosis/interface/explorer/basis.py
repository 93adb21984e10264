"""What is behind a finding: the rows of the tables it weighs through, their sources, and where another state leads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from calcinosis.inference.entries import Entry
from calcinosis.inference.network import NetworkError
from calcinosis.interface.explorer.cited import cited
from calcinosis.interface.explorer.situation import Situation
from calcinosis.interface.words.entries import entry_in_words

if TYPE_CHECKING:
    from calcinosis.analysis.explain.explanation import Explanation

UNBROKEN = 10_000
"""So many characters that no line of words is broken: the browser does that."""

LEAST = 0.001
"""A lower limit below this is not told more closely."""


def basis(situation: Situation, found: Explanation, variable: str) -> dict[str, Any]:
    """The rows of the tables that a finding weighs through, the strongest first: its `own`, and those of `others`.

    `none` says why there are none; it is empty if there are.
    """
    from calcinosis.analysis.explain.table_effects import rows_of_finding

    try:
        behind = rows_of_finding(found, variable)
        own, others = ([_row(situation, place) for place in places] for places in behind)
    except NetworkError as error:
        return {"own": [], "others": [], "none": f"The rows of the tables cannot be told: {error}."}
    none = "" if own or others else "It weighs through no row of the tables by more than a trace."
    return {"own": own, "others": others, "none": none}


def _row(situation: Situation, place: int) -> dict[str, Any]:
    """One row of a table, named by one of its entries."""
    model = situation.model
    entry = model.entries.at(place)
    what, _, given = entry_in_words(entry, model.network, UNBROKEN).partition("\n")
    weight = float(model.entries.weights[place])
    row = model.priors.tables[entry.variable].rows[entry.row] if model.priors else None
    edits = {(edit.variable, edit.given) for edit in situation.page.edits}
    return {
        "what": what,
        "given": given,
        "value": number(float(model.entries.values[place])),
        "weight": "" if np.isnan(weight) else f"{weight:g} patient{'’s' if weight == 1 else 's’'}",
        "note": row.note if row else "",
        "edited": (entry.variable, tuple(entry.given.values())) in edits,
        "sources": cited(model.priors, row.sources if row else ()),
        "flip": _flip(situation, entry, place),
    }


def number(probability: float) -> str:
    """A probability of the tables in three digits.

    >>> number(0.24), number(0.12345), number(0.00001234), number(1.0)
    ('0.24', '0.123', '0.0000123', '1')
    """
    return np.format_float_positional(probability, precision=3, unique=False, fractional=False, trim="-")


def _flip(situation: Situation, entry: Entry, place: int) -> str:
    """At which values of an entry another state would lead, in a sentence."""
    found, states = situation.one_way, list(situation.model.states)
    table, own = found.functions[entry.variable], place - situation.model.entries.first[entry.variable]
    lead = states.index(situation.leading)
    told, within = [], False
    for side, word in enumerate(("below", "above")):
        values, leaders = table.flip(lead, side)
        value = float(values[own])
        if np.isnan(value):
            continue
        told.append((situation.label(states[int(leaders[own])]), f"{word} {number(value)}"))
        within |= bool(found.lower[place] <= value <= found.upper[place])
    now = number(float(situation.model.entries.values[place]))
    if not told:
        return f"No value of it changes what leads (now {now})."
    words = ", and ".join(f"{who} would lead if this were {where}" for who, where in told)
    lower = float(found.lower[place])
    limits = f"{number(lower) if lower >= LEAST else f'under {LEAST}'} to {number(float(found.upper[place]))}"
    close = f" That lies within what its sources leave open ({limits})." if within else ""
    return f"{words[:1].upper()}{words[1:]} (now {now}).{close}"
