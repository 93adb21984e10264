"""How the answer of `calcinosis sensitivity` reads in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from calcinosis.analysis.plain import lines_of
from calcinosis.analysis.sensitivity.across_patients import AcrossPatients
from calcinosis.analysis.sensitivity.overview import Sensitivity
from calcinosis.inference.numbers import entry, exact_percent, percent, percents, weight
from calcinosis.interface.words.printing import (
    Cells,
    console,
    how_many,
    print_foot,
    print_head,
    print_table,
    print_words,
)

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console


def show_one(found: Sensitivity, most: int) -> None:
    """Print the answer for one patient, `most` lines of each table."""
    shown, posterior = console(), found.posterior
    print_head(shown, posterior)
    print_words(shown, found.summary)
    if len(found.depends_on):
        print_table(shown, f"Depends on ({how_many(len(found.depends_on), most)})", _hanging(found, most))
    print_table(shown, f"Rows with the largest effect ({how_many(len(found.rows), most)})", _moving(found, most))
    if found.uncertainty is not None:
        print_table(shown, "Sources of uncertainty, by table and by source", _shares(found, most))
    print_table(shown, _robust_title(found), _robust(found))
    if found.changes is not None:
        print_table(shown, f"The smallest changes until {found.changes.goal}", _changes(found, most))
    if found.two_way is not None:
        _show_two_way(shown, found, most)
    print_foot(shown, posterior.digest)


def _hanging(found: Sensitivity, most: int) -> list[Cells]:
    return [
        {
            "row of the tables": row.entry,
            "now": entry(row.value),
            "changes at": entry(row.flips_at),
            "to": row.flips_to,
            "weight": weight(row.weight),
            "source": row.source.replace(";", " "),
        }
        for row in lines_of(found.depends_on.head(most))
    ]


def _moving(found: Sensitivity, most: int) -> list[Cells]:
    return [
        {
            "row of the tables": row.entry,
            "now": entry(row.value),
            "95% interval": f"{entry(row.lower)}–{entry(row.upper)}",
            found.posterior.leading: percents(min(row.at_lower, row.at_upper), max(row.at_lower, row.at_upper)),
            "weight": weight(row.weight),
            "source": row.source.replace(";", " "),
        }
        for row in lines_of(found.rows.head(most))
    ]


def _shares(found: Sensitivity, most: int) -> list[Cells]:
    own = found.uncertainty
    assert own is not None
    leading = found.posterior.leading
    tables, sources = (
        frame[(frame["state"] == leading) & (frame["total"] > 0)].head(most) for frame in (own.by_table, own.by_source)
    )
    lines = []
    for i in range(max(len(tables), len(sources))):
        one = tables.iloc[i] if i < len(tables) else None
        other = sources.iloc[i] if i < len(sources) else None
        lines.append(
            {
                "table": "" if one is None else one["table"],
                "alone": "" if one is None else percent(one["first_order"]),
                "total": "" if one is None else percent(one["total"]),
                "source": "" if other is None else other["source"],
                "alone ": "" if other is None else percent(other["first_order"]),
                "total ": "" if other is None else percent(other["total"]),
            }
        )
    return lines


def _robust_title(found: Sensitivity) -> str:
    safe = "still ranks first" if found.robust.leader_is_safe else "may not rank first"
    label = found.posterior.labels[found.posterior.leading]
    return f"If every row may be wrong by {exact_percent(found.robust.epsilon)}, {label} {safe}"


def _robust(found: Sensitivity) -> list[Cells]:
    return [
        {
            "state": row[0],
            "now": percent(row[1]),
            "reached": percents(row[3], row[4]),
            "never beyond": percents(row[2], row[5]),
        }
        for row in lines_of(found.robust.frame)
    ]


def _changes(found: Sensitivity, most: int) -> list[Cells]:
    changes = found.changes
    assert changes is not None
    lines = [
        {"change": f"one entry: {row.entry}, {entry(row.value)} → {entry(row.new)}", "distance": entry(row.distance)}
        for row in lines_of(changes.entries.head(most))
    ]
    lines += [
        {
            "change": f"one row: {row.table} ({row.given or 'no parents'}) → {row.after}",
            "distance": entry(row.distance),
        }
        for row in lines_of(changes.rows.head(max(1, most // 2)))
    ]
    return [*lines, {"change": "no change of any kind within", "distance": entry(changes.bound)}]


def _show_two_way(shown: Console, found: Sensitivity, most: int) -> None:
    own = found.two_way
    assert own is not None
    boundary = own.boundary
    near = (boundary["x"] - own.present[0]).abs() + (boundary["y"] - own.present[1]).abs()
    title = (
        f"Moved together: x = {own.entries[0]}, now {entry(own.present[0])}; "
        f"y = {own.entries[1]}, now {entry(own.present[1])}; nearest points at which the most probable subtype changes"
    )
    lines = [
        {"x": entry(row.x), "y": entry(row.y), "between": f"{row.one} and {row.other}"}
        for row in lines_of(boundary.loc[near.sort_values(kind="stable").index].head(most))
    ]
    print_table(shown, title, lines)


def show_many(found: AcrossPatients, digest: str, most: int) -> None:
    """Print the answer for many patients, `most` lines of each table but that of the patients."""
    from rich.text import Text

    shown = console()
    shown.print(Text(f"What {len(found.patients)} diagnoses depend on", style="bold"))
    columns = set(found.patients.columns)
    print_table(
        shown,
        "Patients",
        [
            {
                "patient": row.patient,
                "leading": row.leading,
                "probability": percent(row.probability),
                "95% interval": percents(row.lower, row.upper) if "lower" in columns else "",
                "ranks first": percent(row.leads) if "leads" in columns else "",
                "fragile": str(row.fragile),
                "nearest flip": f"{row.flips_to}: {row.nearest}" if row.nearest else "",
            }
            for row in lines_of(found.patients)
        ],
    )
    print_table(
        shown,
        f"Rows that matter most ({how_many(len(found.entries), most)})",
        [
            {
                "row of the tables": row.entry,
                "flips": str(row.flips),
                "swing": percent(row.swing),
                "weight": weight(row.weight),
                "source": row.source.replace(";", " "),
            }
            for row in lines_of(found.entries.head(most))
        ],
    )
    if len(found.sources):
        print_table(
            shown,
            f"Sources of uncertainty ({how_many(len(found.sources), most)})",
            [
                {"source": row.source, "alone": percent(row.first_order), "total": percent(row.total)}
                for row in lines_of(found.sources.head(most))
            ],
        )
    print_foot(shown, digest)


def show_each(title: str, frame: pd.DataFrame) -> None:
    """Print a table that has lines of each patient."""

    def cell(value: object) -> str:
        if isinstance(value, float):
            return "" if value != value else entry(value)
        return "" if value is None else str(value)

    names = list(frame.columns)
    lines = [{name: cell(value) for name, value in zip(names, line, strict=True)} for line in lines_of(frame)]
    print_table(console(), f"{title[:1].upper()}{title[1:]}, of each patient", lines)
