"""Sensitivity analyses in words: how sure a posterior is, and which rows of the tables it depends on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING

from calcinosis.analysis.plain import lines_of
from calcinosis.inference.numbers import entry, exact_percent, percent, percents, weight
from calcinosis.interface.words.document import Block, Cells, Document, Picture, Published, TableBlock, foot_of, headed
from calcinosis.interface.words.entries import citations, named_entry
from calcinosis.interface.words.posterior import frame_of, on_patient

if TYPE_CHECKING:
    import pandas as pd

    from calcinosis.analysis.sensitivity.across_patients import AcrossPatients
    from calcinosis.analysis.sensitivity.overview import Sensitivity
    from calcinosis.analysis.sensitivity.two_way import TwoWay


def sensitivity(result: Sensitivity, title: str = "", published: Published = None, most: int | None = None) -> Document:
    """The document on one patient: the interval, and the rows and sources that the most probable subtype depends on."""
    blocks: list[Block] = [result.summary]
    if len(result.depends_on):
        blocks.append(TableBlock(headed("Depends on", len(result.depends_on), most), _depends_on(result, most)))
    blocks.append(TableBlock(headed("Rows with the largest effect", len(result.rows), most), _effects(result, most)))
    if result.uncertainty is not None:
        blocks.append(TableBlock("Sources of uncertainty, by table and by source", _shares(result, most)))
    blocks.append(TableBlock(_robust_title(result), _robust(result)))
    if result.changes is not None:
        blocks.append(TableBlock(f"The smallest changes until {result.changes.goal}", _changes(result, most)))
    else:
        blocks.append("No change of the tables, except new zeros, gives another answer.")
    if result.two_way is not None:
        blocks.append(_two_way(result.two_way, most))
    title = f"{title}: uncertainty and sensitivity"
    return on_patient(title, result.posterior, published, blocks, _pictures(result), lambda: tables_of(result))


def across_patients(
    result: AcrossPatients, each: Mapping[str, pd.DataFrame], digest: str, most: int | None
) -> Document:
    """The document on many patients: what their diagnoses depend on; then the tables that have lines of `each`."""
    columns = set(result.patients.columns)
    patients = [
        {
            "patient": row.patient,
            "leading": row.leading,
            "probability": percent(row.probability),
            "95% interval": percents(row.lower, row.upper) if "lower" in columns else "",
            "ranks first": percent(row.leads) if "leads" in columns else "",
            "fragile": str(row.fragile),
            "nearest flip": f"{row.flips_to}: {row.nearest}" if row.nearest else "",
        }
        for row in lines_of(result.patients)
    ]
    entries = [
        {
            "row of the tables": row.entry,
            "flips": str(row.flips),
            "swing": percent(row.swing),
            "weight": weight(row.weight),
            "source": row.source.replace(";", " "),
        }
        for row in lines_of(result.entries[:most])
    ]
    sources = [
        {"source": row.source, "alone": percent(row.first_order), "total": percent(row.total)}
        for row in lines_of(result.sources[:most])
    ]
    blocks = [
        TableBlock("Patients", patients),
        TableBlock(headed("Rows that matter most", len(result.entries), most), entries),
        *([TableBlock(headed("Sources of uncertainty", len(result.sources), most), sources)] if sources else []),
        *(
            TableBlock(f"{name.replace('_', ' ').capitalize()}, of each patient", cells_of(frame))
            for name, frame in each.items()
        ),
    ]
    lead = f"What {len(result.patients)} diagnoses depend on"
    tables = {"patients": result.patients, "entries": result.entries, "sources": result.sources, **each}
    return Document("Sensitivity", lead, [], blocks, foot_of(digest), {}, lambda: tables)


def _depends_on(result: Sensitivity, most: int | None) -> Sequence[Cells]:
    return [
        {
            "row of the tables": row.entry if most else named_entry(row.entry, result.one_way.entries),
            "now": entry(row.value),
            "changes at": entry(row.flips_at),
            "to": row.flips_to,
            "weight": weight(row.weight),
            "source": row.source.replace(";", " ") if most else citations(row.source, result.one_way.entries.priors),
        }
        for row in lines_of(result.depends_on[:most])
    ]


def _effects(result: Sensitivity, most: int | None) -> Sequence[Cells]:
    return [
        {
            "row of the tables": row.entry,
            "now": entry(row.value),
            "95% interval": f"{entry(row.lower)}–{entry(row.upper)}",
            result.posterior.leading: percents(min(row.at_lower, row.at_upper), max(row.at_lower, row.at_upper)),
            "weight": weight(row.weight),
            "source": row.source.replace(";", " "),
        }
        for row in lines_of(result.rows[:most])
    ]


def _shares(result: Sensitivity, most: int | None) -> Sequence[Cells]:
    """The shares of the variance by table, and beside them those by source."""
    draws, leading = result.uncertainty, result.posterior.leading
    assert draws is not None

    def shares(frame: pd.DataFrame, name: str, mark: str = "") -> list[dict[str, str]]:
        counted = frame[(frame["state"] == leading) & (frame["total"] > 0)][:most]
        columns = zip(counted[name], counted["first_order"], counted["total"], strict=True)
        return [
            {name: key, f"alone{mark}": percent(alone), f"total{mark}": percent(total)} for key, alone, total in columns
        ]

    by_table, by_source = shares(draws.by_table, "table"), shares(draws.by_source, "source", " ")
    blank = dict.fromkeys(("table", "alone", "total"), ""), dict.fromkeys(("source", "alone ", "total "), "")
    pairs = zip_longest(by_table, by_source)
    return [(table or blank[0]) | (source or blank[1]) for table, source in pairs]


def _robust_title(result: Sensitivity) -> str:
    safe = "still ranks first" if result.robust.leader_is_safe else "may not rank first"
    label = result.posterior.labels[result.posterior.leading]
    return f"If every row may be wrong by {exact_percent(result.robust.epsilon)}, {label} {safe}"


def _robust(result: Sensitivity) -> Sequence[Cells]:
    return [
        {
            "state": row[0],
            "now": percent(row[1]),
            "range found": percents(row[3], row[4]),
            "outer bound": percents(row[2], row[5]),
        }
        for row in lines_of(result.robust.frame)
    ]


def _changes(result: Sensitivity, most: int | None) -> Sequence[Cells]:
    changes = result.changes
    assert changes is not None
    lines = [
        {"change": f"one entry: {row.entry}, {entry(row.value)} → {entry(row.new)}", "distance": entry(row.distance)}
        for row in lines_of(changes.entries[:most])
    ]
    lines += [
        {
            "change": f"one row: {row.table} ({row.given or 'no parents'}) → {row.after}",
            "distance": entry(row.distance),
        }
        for row in lines_of(changes.rows[: most and max(1, most // 2)])
    ]
    return [*lines, {"change": "no change is nearer than", "distance": entry(changes.bound)}]


def _two_way(result: TwoWay, most: int | None) -> TableBlock:
    boundary = result.boundary
    near = (boundary["x"] - result.present[0]).abs() + (boundary["y"] - result.present[1]).abs()
    title = (
        f"Moved together: x = {result.entries[0]}, now {entry(result.present[0])}; "
        f"y = {result.entries[1]}, now {entry(result.present[1])}; "
        "nearest points at which the most probable subtype changes"
    )
    lines = [
        {"x": entry(row.x), "y": entry(row.y), "between": f"{row.one} and {row.other}"}
        for row in lines_of(boundary.loc[near.sort_values(kind="stable").index][:most])
    ]
    return TableBlock(title, lines)


def cells_of(frame: pd.DataFrame) -> Sequence[Cells]:
    """The lines of a table as they are."""

    def cell(value: object) -> str:
        if isinstance(value, float):
            return "" if value != value else entry(value)
        return "" if value is None else str(value)

    return [{str(name): cell(value) for name, value in line.items()} for line in frame.to_dict("records")]


def tables_of(result: Sensitivity) -> dict[str, pd.DataFrame]:
    """Every table of the analyses, by the name of its file."""
    posterior = frame_of(result.posterior)
    if result.uncertainty is not None:
        posterior = posterior.assign(leads=result.posterior.leads.to_numpy())
    tables = {
        "posterior": posterior,
        "depends_on": result.depends_on,
        "rows": result.rows,
        "entries": result.one_way.frame,
        "entries_by_state": result.one_way.by_state,
        "robust": result.robust.frame,
    }
    if result.uncertainty is not None:
        tables["distribution"] = result.uncertainty.frame
        tables["variance_by_table"] = result.uncertainty.by_table
        tables["variance_by_source"] = result.uncertainty.by_source
    if result.changes is not None:
        tables |= {"changes_entries": result.changes.entries, "changes_rows": result.changes.rows}
    if result.two_way is not None:
        tables |= {"two_way": result.two_way.frame, "two_way_boundary": result.two_way.boundary}
    return tables


def _pictures(result: Sensitivity) -> dict[str, Picture]:
    leading = result.posterior.labels[result.posterior.leading]
    draws = result.uncertainty
    pictures = {
        "tornado": Picture(
            "tornado",
            result.one_way,
            f"The rows of the tables with the largest effect on {leading}, each over its own interval. A marker shows "
            "where another subtype would lead.",
        ),
        "curves": Picture(
            "curves",
            result.one_way,
            "Each subtype as one entry of the tables moves from its lowest to its highest value; the band is its "
            "interval.",
        ),
    }
    if draws is not None:
        pictures["distribution"] = Picture(
            "distributions", draws, f"Each subtype in {len(draws.sample.weights):,} draws of all tables at once."
        )
        pictures["variance_by_table"] = Picture(
            "variance_by_table",
            draws,
            f"Which tables make {leading} uncertain: dark, what would go if the table were known exactly; light, with "
            "its joint effects.",
        )
        if len(draws.by_source):
            caption = f"Which sources make {leading} uncertain. A row counts for every source it cites."
            pictures["variance_by_source"] = Picture("variance_by_source", draws, caption)
    if result.two_way is not None:
        caption = "Which subtype leads as two entries move together; the dot is where they are now."
        pictures["two_way"] = Picture("two_way", result.two_way, caption)
    return pictures
