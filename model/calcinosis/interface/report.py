"""A sensitivity report: a folder of tables (CSV), figures (SVG) and a page that shows them, for one patient."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from calcinosis.analysis.plain import lines_of
from calcinosis.analysis.sensitivity import Sensitivity
from calcinosis.inference.posterior import DISCLAIMER, percent
from calcinosis.interface.options import InputError
from calcinosis.knowledge.folder import write_whole

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

PAGE = "index.html"

WIDTH = 60
"""How many characters of an entry in words stand on one line."""

STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
figure { margin: 2rem 0; background: #fff; padding: 0.5rem; border-radius: 6px; }
figure img { width: 100%; height: auto; }
figcaption { color: #333; font-size: 0.95rem; padding: 0.25rem 0.5rem; }
table { border-collapse: collapse; font-size: 0.9rem; margin: 1rem 0; width: 100%; }
th, td { text-align: left; padding: 0.3rem 0.8rem 0.3rem 0; border-bottom: 1px solid #8884; vertical-align: top; }
td:first-child { width: 34%; overflow-wrap: anywhere; }
td:last-child { width: 40%; overflow-wrap: anywhere; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
.note { font-size: 0.9rem; opacity: 0.8; }
"""


def write_report(found: Sensitivity, folder: Path, *, title: str, force: bool = False) -> list[Path]:
    """The files of a report, written into a folder that is made if need be; the page is index.html.

    Raises:
        InputError: if the folder holds something already and `force` is not given, or is no folder.
        OSError: if a file cannot be written.
    """
    _prepared(folder, force)
    tables = tables_of(found)
    figures = {name: draw for name, (draw, _) in figures_of(found).items()}
    written = write_tables(tables, folder, force=True)
    for name, draw in figures.items():
        written.append(write_whole(folder / f"{name}.svg", _svg(draw), force=True))
    written.append(write_whole(folder / PAGE, page_of(found, title, list(tables)), force=True))
    return written


def write_tables(tables: Mapping[str, pd.DataFrame], folder: Path, *, force: bool = False) -> list[Path]:
    """The CSV files of some tables, written into a folder that is made if need be.

    Raises:
        InputError, OSError: as `write_report`.
    """
    _prepared(folder, force)
    return [
        write_whole(folder / f"{name}.csv", frame.to_csv(index=False, lineterminator="\n"), force=True)
        for name, frame in tables.items()
    ]


def _prepared(folder: Path, force: bool) -> None:
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is no folder: name another")
    if folder.exists() and any(folder.iterdir()) and not force:
        raise InputError(f"{folder} holds files already: name another folder, or write into it with --force")
    folder.mkdir(parents=True, exist_ok=True)


def tables_of(found: Sensitivity) -> dict[str, pd.DataFrame]:
    """Every table of the analyses, by the name of its file."""
    posterior = found.posterior
    frame = posterior.probabilities.reset_index()
    if found.uncertainty is not None:
        frame = frame.assign(**posterior.interval().reset_index(drop=True), leads=posterior.leads.to_numpy())
    tables = {
        "posterior": frame,
        "hangs_on": found.hangs_on,
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
        tables["changes_tables"] = found.changes.tables
        tables["changes_together"] = found.changes.together
    if found.two_way is not None:
        tables["two_way"] = found.two_way.frame
        tables["two_way_boundary"] = found.two_way.boundary
    return tables


def figures_of(found: Sensitivity) -> dict[str, tuple[Callable[[], Axes], str]]:
    """Every figure of the analyses, by the name of its file: how it is drawn, and what it shows in words."""
    from calcinosis.interface import figures

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
            f"Each subtype in {own.drawn.shape[1]:,} draws of all tables at once.",
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


def _svg(draw: Callable[[], Axes]) -> bytes:
    """A figure as SVG, the same bytes each time."""
    import matplotlib as mpl
    import matplotlib.pyplot as plt

    image = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "calcinosis", "svg.fonttype": "none"}):
        axes = draw()
        figure = axes.get_figure(root=True)
        assert figure is not None
        figure.savefig(image, format="svg", metadata={"Date": None}, bbox_inches="tight")
        plt.close(figure)
    return image.getvalue()


def page_of(found: Sensitivity, title: str, tables: list[str]) -> str:
    """The page: what leads, how sure that is, what it hangs on and on which papers, then the figures and the tables."""
    from calcinosis.interface.figures_words import entry_in_words

    posterior, entries = found.posterior, found.one_way.entries

    def words(name: str) -> str:
        return entry_in_words(entries.find(name), entries.network, WIDTH)

    hanging = [
        (
            f"{words(row.entry)}\n({row.entry})",
            f"{row.value:.3g}",
            f"{row.flips_at:.3g}",
            posterior.labels[row.flips_to],
            _weight(row.weight),
            *_sources(found, row.source),
        )
        for row in lines_of(found.hangs_on)
    ]
    heads = ("row of the tables", "now", "flips at", "to", "weight", "rests on")
    lines = "".join(
        "<tr>" + "".join(f"<td{_number(i)}>{cell}</td>" for i, cell in enumerate(map(_escaped, line))) + "</tr>"
        for line in hanging
    )
    shown = "".join(f"<th{_number(i)}>{escape(head)}</th>" for i, head in enumerate(heads))
    table = f"<table><tr>{shown}</tr>{lines}</table>" if hanging else ""
    figures = "".join(
        f'<figure><img src="{name}.svg" alt="{escape(words)}"><figcaption>{escape(words)}</figcaption></figure>'
        for name, (_, words) in figures_of(found).items()
    )
    links = ", ".join(f'<a href="{name}.csv">{name}.csv</a>' for name in tables)
    evidence = "; ".join(map(str, posterior.evidence)) or "nothing observed"
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}: how sure, and what it hangs on</title>
<style>{STYLE}</style>
<h1>{escape(title)}: how sure, and what it hangs on</h1>
<p><strong>{escape(posterior.verdict)}</strong></p>
<p>{escape(_interval(found))}</p>
<p>{escape(found.verdict)}</p>
{table}
<p>{escape(_changes(found))}</p>
<p>{escape(_robust(found))}</p>
{figures}
<h2>Tables</h2>
<p>{links}</p>
<p class="note">Findings: {escape(evidence)}</p>
<p class="note">Priors {posterior.digest[:12]}. {DISCLAIMER}</p>
</html>
"""


def _number(column: int) -> str:
    return ' class="number"' if column in (1, 2, 4) else ""


def _escaped(cell: str) -> str:
    return escape(cell).replace("\n", "<br>")


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
            f"one entry, {first['entry']} from {first['value']:.3g} to {first['new']:.3g} ({first['distance']:.3g});"
        )
    if len(changes.rows):
        row = changes.rows.iloc[0]
        parts.append(
            f"one row, {row['table']} ({row['given'] or 'no parents'}), to {row['after']} ({row['distance']:.3g});"
        )
    if len(changes.together):
        parts.append(f"tables together, {', '.join(changes.together['table'])} ({changes.together_distance:.3g}).")
    return " ".join([*parts, f"No change of any kind can do it within {changes.bound:.3g}."])


def _robust(found: Sensitivity) -> str:
    line = next(line for line in lines_of(found.robust.frame) if line[0] == found.posterior.leading)
    label = found.posterior.labels[found.posterior.leading]
    safe = "it leads all the same" if found.robust.leader_is_safe else "it need not lead"
    return (
        f"If every row may be wrong by {100 * found.robust.epsilon:g} % at once, {label} lies between "
        f"{percent(line.lower_bound)} and {percent(line.upper_bound)}, and {safe}."
    )
