"""A row of a table as it is edited: a probability or its weight changed, and the row as words of a link."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from calcinosis.inference.model import Model
from calcinosis.interface.explorer.measured import with_point
from calcinosis.interface.explorer.page import Edit
from calcinosis.knowledge.number import NotANumber, fault_of_weight, parse_number, plain

Edits = tuple[Edit, ...]

LEAST = 1e-6
"""How near to 0 or 1 a probability may be set: nearer is certainty, which no figure has."""

SMALLEST = 1e-9
"""How small the others of its row may become by that: beyond it, repeated edits would end at 0."""

DIGITS = 6
"""How many digits the probabilities that move along have: a link holds them all, and more would mean nothing."""

ROOM = 5_200
"""How many characters of a link the edited rows may take up, so that there is room for the patient."""


class EditError(ValueError):
    """An edit that cannot be made, in words for the one who made it."""


def with_edit(edits: Edits, action: Mapping[str, Any], model: Model) -> Edits:
    """The edits after one more: of a probability (`state`), of the weight, or the row restored (`field` says which).

    The rest of a row moves along in proportion. A row that is as in the model is no edit.

    Raises:
        EditError: for a row that is none, or a number that cannot be.

    >>> import calcinosis as cc
    >>> action = {"variable": "sex", "given": "dystrophic_damage", "state": "male", "value": "0,6"}
    >>> with_edit((), action, cc.load())[0].probabilities
    (0.4, 0.6)
    """
    shipped = _shipped(action, model)
    before = next((edit for edit in edits if edit[:2] == shipped[:2]), shipped)
    if action.get("field") == "restore":
        return tuple(edit for edit in edits if edit is not before)
    value = _number(str(action.get("value", "")))
    after = _weighed(before, value) if action.get("field") == "weight" else _moved(before, action, value, model)
    if after == before:
        return edits
    if after == shipped:
        return tuple(edit for edit in edits if edit is not before)
    if before not in edits:
        edits = (*edits, before)
    edits = tuple(after if edit is before else edit for edit in edits)
    if len(quote(";".join(map(in_words, edits)), safe=":/,")) > ROOM:
        raise EditError(
            "The link of this page has no room for more edited rows: download the edited folder, and open it with "
            "'calcinosis explore --priors FOLDER' to go on."
        )
    return edits


def _shipped(action: Mapping[str, Any], model: Model) -> Edit:
    """The row that is meant, as the model has it."""
    name, given = str(action.get("variable", "")), _given(str(action.get("given", "")))
    if model.priors is None or name not in model.priors.tables:
        raise EditError("There is no such table to edit.")
    row = next((row for row in model.priors.tables[name].rows if row.given == given), None)
    if row is None:
        raise EditError(f"{name} has no such row.")
    return Edit(name, given, row.probabilities, row.weight)


def _given(words: str) -> tuple[str, ...]:
    return tuple(filter(None, words.split(",")))


def _number(text: str) -> float:
    """A number as typed, with a decimal comma or as a percentage if need be."""
    text = text.strip()
    digits = text.removesuffix("%").strip()
    try:
        number = parse_number(with_point(digits))
    except NotANumber as fault:
        raise EditError(f"That is {fault.what}: {fault.fix}.") from None
    return number / 100 if text.endswith("%") else number


def _weighed(edit: Edit, weight: float) -> Edit:
    fault = fault_of_weight(weight)
    if fault is not None:
        raise EditError(f"That is {fault}: a weight is a number of patients.")
    return edit._replace(weight=weight)


def _moved(edit: Edit, action: Mapping[str, Any], value: float, model: Model) -> Edit:
    """The row with another probability of one state, the others in proportion; together they make 1."""
    states, old = model.variables[edit.variable].state_names, edit.probabilities
    if action.get("state") not in states:
        raise EditError(f"{edit.variable} has no such state.")
    place = states.index(str(action["state"]))
    others = [i for i in range(len(old)) if i != place and old[i] > 0]
    if old[place] == 0 or not others:
        number = 1 if old[place] else 0
        raise EditError(
            f"This probability is {number} by definition: edit the folder itself if the definition is another."
        )
    if not LEAST <= value <= 1 - LEAST:
        raise EditError("A probability lies between 0 and 1, and is neither: that could never be overruled.")
    share = (1 - value) / math.fsum(old[i] for i in others)
    new = {i: float(f"{old[i] * share:.{DIGITS}g}") for i in others}
    if min(new.values()) < SMALLEST:
        raise EditError("With that, another probability of the row would come too near to 0: raise that one first.")
    largest = max(others, key=new.__getitem__)
    new[largest] = round(1 - value - math.fsum(own for i, own in new.items() if i != largest), 15)
    return edit._replace(probabilities=tuple(value if i == place else new.get(i, 0.0) for i in range(len(old))))


def in_words(edit: Edit) -> str:
    """An edited row as a link holds it, with every digit.

    >>> in_words(Edit("sex", ("dystrophic_damage",), (0.4, 0.6), 10.0))
    'sex:dystrophic_damage:.4:.6:10'
    """
    numbers = [plain(number).removeprefix("0") or "0" for number in (*edit.probabilities, edit.weight)]
    return ":".join([edit.variable, ",".join(edit.given), *numbers])


def from_words(words: str, model: Model) -> Edit:
    """The edited row that a link holds.

    Raises:
        EditError: if it cannot be read.
    """
    variable, _, rest = words.partition(":")
    given, *numbers = rest.split(":")
    try:
        *probabilities, weight = map(parse_number, numbers)
    except ValueError:
        raise EditError("The link holds an edited row that cannot be read.") from None
    known = model.variables.get(variable)
    if known is None or len(probabilities) != len(known.states) or fault_of_weight(weight):
        raise EditError("The link holds an edited row that cannot be read.")
    return Edit(variable, _given(given), tuple(probabilities), weight)


def count_in_words(edits: Sequence[Edit]) -> str:
    """How many rows are edited.

    >>> count_in_words(()), count_in_words([Edit("sex", (), (0.4, 0.6), 10.0)])
    ('No row is edited.', '1 row is edited.')
    """
    return {0: "No row is edited.", 1: "1 row is edited."}.get(len(edits), f"{len(edits)} rows are edited.")
