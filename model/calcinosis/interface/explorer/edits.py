"""Rows of the tables edited in the page: a new model of them, the folder they came from untouched."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from calcinosis.inference.model import Model
from calcinosis.interface.explorer.page import Edit
from calcinosis.knowledge.number import plain
from calcinosis.knowledge.records import Priors, Row, Table

NOTE = "Edited in the explorer"
"""What the note of an edited row says first; then comes what the row was, so that nothing of it is lost."""


def edited(model: Model, edits: Sequence[Edit]) -> Model:
    """The model with some rows of its tables replaced; the model itself if there are none.

    Raises:
        PriorsError: with every fault of the new rows.
        ValueError: for a row that is none of the table, stands twice or has another definition; or a model without a
            priors folder.
    """
    if not edits:
        return model
    if model.priors is None:
        raise ValueError("this model has no priors folder, so none of its tables can be edited")
    tables = {}
    for name in dict.fromkeys(edit.variable for edit in edits):
        table = _edited_table(model.priors, name, [edit for edit in edits if edit.variable == name])
        tables[name] = table.frame(model.variables)
    return _with_draws(model.with_tables(tables), model, tables)


def _with_draws(new: Model, model: Model, changed: Collection[str]) -> Model:
    """The new model with what was drawn of the tables that stay: it would be drawn the same again, which takes long."""
    known, own = model.second_order, new.second_order
    if known is not None and own is not None:
        for key, numbers in dict(known.kept).items():
            if key[0] not in changed:
                own.kept.keep(key, numbers)
    return new


def _edited_table(priors: Priors, variable: str, edits: Sequence[Edit]) -> Table:
    if variable not in priors.tables:
        raise ValueError(f"there is no table {variable}")
    table = priors.tables[variable]
    new = {edit.given: edit for edit in edits}
    unknown = new.keys() - {row.given for row in table.rows}
    if unknown:
        raise ValueError(f"{variable} has no row for {', '.join(unknown.pop())}")
    if len(new) < len(edits):
        raise ValueError(f"a row of {variable} is edited twice")
    rows = (_edited_row(priors, row, new[row.given]) if row.given in new else row for row in table.rows)
    return replace(table, rows=tuple(rows))


def _edited_row(priors: Priors, row: Row, edit: Edit) -> Row:
    if [p == 0 for p in edit.probabilities] != [p == 0 for p in row.probabilities]:
        raise ValueError(f"{edit.variable} has zeros by definition, which stay as they are")
    if (edit.probabilities, edit.weight) == (row.probabilities, row.weight):
        return row
    was = " ".join(map(plain, row.probabilities))
    note = f"{NOTE}; was {was}, weight {plain(row.weight)}, from {'; '.join(row.sources)}. {row.note}"
    return replace(
        row,
        probabilities=edit.probabilities,
        weight=edit.weight,
        sources=_sources(priors, row),
        note=note.strip(),
    )


def _sources(priors: Priors, row: Row) -> tuple[str, ...]:
    """What an edited row rests on: a judgement, beside the definition that its zeros rest on.

    Nobody published what was typed into a page. A folder that knows no judgement at all keeps what it has: the note
    says what was done.
    """
    judgements = [key for key, source in priors.sources.items() if source.kind == "judgement"]
    if not judgements:
        return row.sources
    own = next((key for key in row.sources if key in judgements), judgements[0])
    return (own, *(key for key in row.sources if priors.sources[key].kind == "definition"))
