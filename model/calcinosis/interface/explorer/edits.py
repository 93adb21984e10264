"""Rows of the tables edited in the page: a new model of them, the folder they came from untouched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from calcinosis.inference.model import Model
from calcinosis.interface.explorer.page import Edit
from calcinosis.knowledge.records import Priors, Row

if TYPE_CHECKING:
    import pandas as pd

NOTE = "edited in the explorer"
"""What the note of an edited row says first."""

SOURCE = "judgement"
"""The source that an edited row rests on: nobody published what was typed into a page."""


def edited(model: Model, edits: Sequence[Edit]) -> Model:
    """The model with some rows of its tables replaced; the model itself if there are none.

    Raises:
        PriorsError: with every fault of the new rows.
        ValueError: for a row that is none of the table, or a model without a priors folder.
    """
    if not edits:
        return model
    tables = {name: _replaced(model, name, [e for e in edits if e.variable == name]) for name in _named(edits)}
    return model.with_tables(tables)


def _named(edits: Sequence[Edit]) -> list[str]:
    return list(dict.fromkeys(edit.variable for edit in edits))


def _replaced(model: Model, variable: str, edits: Sequence[Edit]) -> pd.DataFrame:
    if model.priors is None:
        raise ValueError("this model has no priors folder, so none of its tables can be edited")
    table = model.priors.tables[variable]
    frame = model.priors.table(variable)
    places = {row.given: place for place, row in enumerate(table.rows)}
    for edit in edits:
        if edit.given not in places:
            raise ValueError(f"{variable} has no row for {', '.join(edit.given)}")
        place = places[edit.given]
        for state, probability in zip(model.variables[variable].state_names, edit.probabilities, strict=True):
            frame.loc[place, state] = probability
        frame.loc[place, "weight"] = edit.weight
        frame.loc[place, "source"] = ";".join(_sources(model.priors, table.rows[place]))
        frame.loc[place, "note"] = f"{NOTE}; was: {table.rows[place].note}"
    return frame


def _sources(priors: Priors, row: Row) -> list[str]:
    """What an edited row rests on: a judgement, beside the definition that its zeros may rest on."""
    if SOURCE not in priors.sources:
        return list(row.sources)
    return [key for key in row.sources if priors.sources[key].kind == "definition"] + [SOURCE]
