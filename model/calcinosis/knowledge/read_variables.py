"""variables.csv, states.csv, units.csv and corrections.csv: variables, states and their bands, and units."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Mapping, Sequence

from calcinosis.knowledge.cells import Cells, Draft
from calcinosis.knowledge.frozen import FrozenMap
from calcinosis.knowledge.names import folded
from calcinosis.knowledge.number import NotANumber, parse_bounded
from calcinosis.knowledge.problem import choose_from
from calcinosis.knowledge.records import GROUPS, Band, Correction, State, Variable

Units = Mapping[tuple[str, str], tuple[float, Cells]]
"""For each quantity and unit of units.csv, the factor to the quantity's own unit, and the row."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_UNIT = re.compile(r"[^\d\s.,:;=<>≤≥~+()\[\]-][^,;=()\[\]\x00-\x1f]*")


def read_units(draft: Draft) -> Units:
    """The unit factors; rows with errors are reported and omitted."""
    units: dict[tuple[str, str], tuple[float, Cells]] = {}
    for row in draft.rows("units.csv"):
        factor = row.number("factor")
        if not row.filled("unit", "write the unit as a laboratory prints it"):
            continue
        _check_readable(row)
        if factor is not None and factor <= 0:
            fix = "write what one such unit is in the variable's own unit"
            row.report("a factor that is not positive", fix, "factor")
        elif factor is not None:
            units.setdefault((row["variable"], row["unit"]), (factor, row))
    return units


def _check_readable(row: Cells) -> None:
    """Report a unit that cannot be separated from the number before it, or used in a heading."""
    if not _UNIT.fullmatch(row["unit"]):
        fix = "begin it with a letter, % or µ, and use no comma, semicolon, equals sign or bracket"
        row.report("a unit that no number can be read in", fix, "unit")


def accepted(units: Units, quantity: str, own_unit: str) -> Mapping[str, float]:
    """The units of a quantity with their factors, its own unit first; empty if it has none."""
    others = {unit: factor for (name, unit), (factor, _) in units.items() if name == quantity}
    return FrozenMap({own_unit: 1.0} | others if own_unit else {})


def check_units(units: Units, units_of: Mapping[str, str]) -> None:
    """Report units of unknown quantities, units of quantities without one, and own units with a factor other than 1."""
    for (quantity, unit), (factor, row) in units.items():
        own = units_of.get(quantity)
        if own is None:
            row.report("no such variable", choose_from(quantity, list(units_of)), "variable")
        elif not own:
            row.report("a unit for a variable without one", "give it a unit and bands, or remove the line", "variable")
        elif unit != own and folded(unit) == folded(own):
            what = f"too like '{own}', the unit of {quantity} itself, to tell apart"
            row.report(what, "remove the line, or spell it as there with the factor 1", "unit")
        elif unit == own and factor != 1.0:
            row.report("the variable's own unit", "write 1", "factor")


def read_variables(draft: Draft, units: Units) -> tuple[list[str], dict[str, Variable]]:
    """All declared names, and the valid variables in order, with states and units."""
    rows = _variable_rows(draft)
    states = _read_states(draft, rows)
    return list(rows), {
        name: Variable(
            name=name,
            states=tuple(states[name]),
            label=row["label"],
            group=row["group"],
            repeatable=row["repeatable"] == "yes",
            unit=row["unit"],
            units=accepted(units, name, row["unit"]),
            description=row["description"],
        )
        for name, row in rows.items()
        if name in states
    }


def _variable_rows(draft: Draft) -> dict[str, Cells]:
    """The rows with a valid name, sorted by group, then by the column `order`, then by position in the file."""
    rows = draft.rows("variables.csv")
    named: dict[str, Cells] = {}
    outcomes = []
    for row in rows:
        if not _NAME.fullmatch(row["variable"]):
            row.report("not a name", "use letters, digits and underscores, as in serum_calcium", "variable")
            continue
        if not row.name("variable", "variable"):
            continue
        row.filled("label", "write the name a reader would use")
        group = row.word("group", GROUPS, "unknown group")
        row.word("repeatable", ("yes", "no"), "neither yes nor no")
        if group == "outcome":
            outcomes.append(row)
        if row["unit"]:
            _check_readable(row)
        if row["repeatable"] == "yes" and group in ("outcome", "hidden", "setting"):
            what = f"a variable of the group {group} has one state, not repeated results"
            row.report(what, "write no", "repeatable")
        named.setdefault(row["variable"], row)
    if not outcomes and rows.sheet.lines:
        fix = "give the variable that is asked for the group outcome"
        rows.report("no variable of the group outcome", fix, "group")
    for row in outcomes[1:]:
        what = f"a second outcome, beside {outcomes[0]['variable']}"
        row.report(what, "only one variable can be the outcome", "group", row["variable"])
    places = {group: place for place, group in enumerate(GROUPS)}
    return dict(sorted(named.items(), key=lambda item: (places.get(item[1]["group"], len(GROUPS)), _order(item[1]))))


def _order(row: Cells) -> float:
    """The number in the column `order`; rows without one come last."""
    value = row.number("order") if row["order"] else None
    return math.inf if value is None else value


def _read_states(draft: Draft, variables: Mapping[str, Cells]) -> dict[str, list[State]]:
    """The states of each variable that has at least two."""
    rows = draft.rows("states.csv")
    if not rows.sheet.columns:
        return {}
    taken = {folded(name) for name in variables}
    states: dict[str, dict[str, Cells]] = {}
    for row in rows:
        variable, state = row["variable"], row["state"]
        if variables and variable not in variables:
            row.report("no such variable in variables.csv", choose_from(variable, list(variables)), "variable")
        elif not state or folded(state) in taken:
            what = "the cell is empty" if not state else "a table has another column of that name"
            row.report(what, "give the state a name of its own", "state")
        else:
            outcome = variable in variables and variables[variable]["group"] == "outcome"
            if row.name("state", "subtype" if outcome else "state"):
                states.setdefault(variable, {}).setdefault(state, row)
    for name in [name for name in variables if len(states.get(name, ())) < 2]:
        states.pop(name, None)
        fix = "write at least two lines for it in states.csv"
        variables[name].report("fewer than two states", fix, "variable")
    return {name: _states([*states[name].values()], row) for name, row in variables.items() if name in states}


def _states(rows: list[Cells], variable: Cells) -> list[State]:
    rows = sorted(rows, key=_order)
    return [
        State(row["state"], row["label"] or row["state"], row["description"], band)
        for row, band in zip(rows, _bands(rows, variable), strict=True)
    ]


def _bands(rows: Sequence[Cells], variable: Cells) -> Sequence[Band | None]:
    """The bands of a variable's states, which must not leave gaps or overlap; None for each if there are none."""
    given = [row for row in rows if row["from"] or row["to"]]
    if given and not variable["unit"]:
        given[0].report("a band for a variable without a unit", "give the variable a unit in variables.csv", "from")
    if not given or not variable["unit"]:
        return [None] * len(rows)
    bands = [_band(row) for row in rows]
    joined = [(band, row) for band, row in zip(bands, rows, strict=True) if band is not None]
    if len(joined) < len(rows):
        return [None] * len(rows)
    joined.sort(key=lambda pair: pair[0].lower)
    for (lower, _), (upper, row) in itertools.pairwise(joined):
        if lower.upper != upper.lower:
            what = "the bands leave a gap" if lower.upper < upper.lower else "the bands overlap"
            row.report(what, f"the band below ends at {lower.upper:g}: begin where it ends", "from")
    return bands


def _band(row: Cells) -> Band | None:
    """One band; `from` begins with '>' if the limit itself belongs to the band below."""
    limits = {"from": row["from"].removeprefix(">").strip(), "to": row["to"]}
    values = {}
    for column, text in limits.items():
        try:
            values[column] = parse_bounded(text)
        except NotANumber as fault:
            row.report(fault.what if text else "the other limit is given, this one is not", fault.fix, column)
    if len(values) < 2:
        return None
    if values["from"] >= values["to"]:
        row.report("the band ends before it begins", "write the smaller limit in 'from'", "to")
        return None
    return Band(values["from"], values["to"], row["from"].startswith(">"))


def read_corrections(draft: Draft, units: Units) -> tuple[Correction, ...]:
    """The laboratory corrections; empty without corrections.csv."""
    numeric = [key for key, value in draft.variables.items() if value.numeric]
    corrections = []
    first: dict[str, Cells] = {}
    for row in draft.rows("corrections.csv"):
        reference, slope, lower, upper = (row.number(column) for column in ("reference", "slope", "from", "to"))
        keys = row.sources(draft.sources)
        variable, covariate, unit = row["variable"], row["covariate"], row["unit"]
        if variable not in numeric:
            fix = choose_from(variable, numeric)
            row.report("no variable that can be given as a number", fix, "variable")
        if folded(covariate) in map(folded, draft.variables) or not covariate.isidentifier():
            what = "a variable of the model" if covariate.isidentifier() else "not a name"
            row.report(what, "name a quantity that is not a variable, such as albumin", "covariate")
        elif row.name("covariate", "variable"):
            row.spelled("covariate", first)
        if row.filled("unit", "write the covariate's unit"):
            _check_readable(row)
        if reference is None or slope is None or lower is None or upper is None:
            continue
        if not lower <= reference <= upper:
            fix = "write the believable range, smaller limit first, with the reference inside"
            row.report("the range does not hold the reference", fix, "from")
        factors = accepted(units, covariate, unit)
        corrections.append(
            Correction(variable, covariate, unit, factors, reference, slope, lower, upper, ";".join(keys))
        )
    return tuple(corrections)
