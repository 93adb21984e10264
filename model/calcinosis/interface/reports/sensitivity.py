"""The report of a sensitivity analysis, in tables, figures and a page."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from calcinosis.analysis.plain import lines_of
from calcinosis.analysis.sensitivity.overview import Sensitivity
from calcinosis.inference.numbers import entry, exact_percent, percent
from calcinosis.interface.reports.page import Figures, Report, paragraph, table

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

WIDTH = 60
"""How many characters of an entry in words stand on one line."""


def sensitivity_report(found: Sensitivity, title: str) -> Report:
    """The report on one patient: the most probable subtype, its interval, and the rows and sources it depends on."""
    blocks = (
        paragraph(_interval(found)),
        paragraph(found.summary),
        _hanging(found),
        paragraph(_changes(found)),
        paragraph(_robust(found)),
    )
    title = f"{title}: uncertainty and sensitivity"
    return Report.on_patient(title, found.posterior, blocks, figures_of(found), tables_of(found))


def tables_of(found: Sensitivity) -> dict[str, pd.DataFrame]:
    """Every table of the analyses, by the name of its file."""
    posterior = found.posterior
    frame = posterior.probabilities.reset_index()
    if found.uncertainty is not None:
        frame = frame.assign(**posterior.interval().reset_index(drop=True), leads=posterior.leads.to_numpy())
    tables = {
        "posterior": frame,
        "depends_on": found.depends_on,
        "rows": found.rows,
        "entries": found.one_way.frame,
        "entries_by_state": found.one_way.by_state,
        "robust": found.robust.frame,
    }
    if found.uncertainty is not None:
        tables["distribution"] = found.uncertainty.frame
        tables["variance_by_table"] = found.uncertainty.by_table
        tables["variance_by_source"] = found.uncertainty.by_source
    if found.changes is not None:
        tables["changes_entries"] = found.changes.entries
        tables["changes_rows"] = found.changes.rows
    if found.two_way is not None:
        tables["two_way"] = found.two_way.frame
        tables["two_way_boundary"] = found.two_way.boundary
    return tables


def figures_of(found: Sensitivity) -> Figures:
    """Every figure of the analyses, by the name of its file: how it is drawn, and what it shows in words."""
    from calcinosis.interface.figures import sensitivity as figures

    leading = found.posterior.labels[found.posterior.leading]
    own = found.uncertainty
    drawn: dict[str, tuple[Callable[[], Axes], str]] = {
        "posterior": (found.posterior.plot, "How probable each subtype is, with the interval that the tables leave."),
        "tornado": (
            lambda: figures.tornado(found.one_way),
            f"The rows of the tables that move {leading} most, each over its own interval. A marker shows where "
            "another subtype would lead.",
        ),
        "curves": (
            lambda: figures.curves(found.one_way),
            "Each subtype as one entry of the tables moves from its lowest to its highest value; the band is its "
            "interval.",
        ),
    }
    if own is not None:
        drawn["distribution"] = (
            lambda: figures.distributions(own),
            f"Each subtype in {len(own.sample.weights):,} draws of all tables at once.",
        )
        drawn["variance_by_table"] = (
            lambda: figures.variance_by_table(own),
            f"Which tables make {leading} uncertain: dark, what would go if the table were known exactly; light, with "
            "its joint effects.",
        )
        if len(own.by_source):
            drawn["variance_by_source"] = (
                lambda: figures.variance_by_source(own),
                f"Which sources make {leading} uncertain. A row counts for every source it cites.",
            )
    pair = found.two_way
    if pair is not None:
        drawn["two_way"] = (
            lambda: figures.two_way_map(pair),
            "Which subtype leads as two entries move together; the dot is where they are now.",
        )
    return drawn


def _hanging(found: Sensitivity) -> str:
    """The rows that could take the lead away, as a table of the page."""
    from calcinosis.interface.words.entries import entry_in_words

    entries, labels = found.one_way.entries, found.posterior.labels
    lines = [
        (
            f"{entry_in_words(entries.find(row.entry), entries.network, WIDTH)}\n({row.entry})",
            entry(row.value),
            entry(row.flips_at),
            labels[row.flips_to],
            _weight(row.weight),
            *_sources(found, row.source),
        )
        for row in lines_of(found.depends_on)
    ]
    return table(("row of the tables", "now", "flips at", "to", "weight", "rests on"), lines, (1, 2, 4), wide=5)


def _weight(weight: float) -> str:
    return "" if weight != weight else f"{weight:g}"


def _sources(found: Sensitivity, keys: str) -> tuple[str]:
    """The sources of a row in words, one to a line."""
    priors = found.one_way.entries.priors
    if priors is None:
        return ("",)
    return ("\n".join(f"{priors.sources[key].citation} ({priors.sources[key].kind})" for key in keys.split(";")),)


def _interval(found: Sensitivity) -> str:
    posterior = found.posterior
    if not posterior.sureness:
        return "The rows of the tables have no weights, so nothing is known of how sure this is."
    label = posterior.labels[posterior.leading]
    return f"{label.capitalize()}: {posterior.ranges[posterior.leading]}, the {posterior.sureness}"


def _changes(found: Sensitivity) -> str:
    changes = found.changes
    if changes is None:
        return "No change of the tables but new zeros gives another answer."
    parts = [f"The smallest changes until {changes.goal}, by Chan-Darwiche distance:"]
    if len(changes.entries):
        first = changes.entries.iloc[0]
        parts.append(
            f"one entry, {first['entry']} from {entry(first['value'])} to {entry(first['new'])} "
            f"({entry(first['distance'])});"
        )
    if len(changes.rows):
        row = changes.rows.iloc[0]
        parts.append(
            f"one row, {row['table']} ({row['given'] or 'no parents'}), to {row['after']} ({entry(row['distance'])});"
        )
    return " ".join([*parts, f"No change of any kind can do it within {entry(changes.bound)}."])


def _robust(found: Sensitivity) -> str:
    line = next(line for line in lines_of(found.robust.frame) if line[0] == found.posterior.leading)
    label = found.posterior.labels[found.posterior.leading]
    safe = "it leads all the same" if found.robust.leader_is_safe else "it need not lead"
    return (
        f"If every row may be wrong by {exact_percent(found.robust.epsilon)} at once, {label} lies between "
        f"{percent(line.lower_bound)} and {percent(line.upper_bound)}, and {safe}."
    )
