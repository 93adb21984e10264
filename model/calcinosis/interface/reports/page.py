"""A report: a folder of tables (CSV), figures (SVG) and a page that shows them."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from calcinosis.inference.posterior import DISCLAIMER, Posterior
from calcinosis.interface.paths import check_out
from calcinosis.knowledge.folder import write_whole

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

PAGE = "index.html"

Figures = Mapping[str, tuple["Callable[[], Axes]", str]]
"""Figures by the name of their file: how each is drawn, and what it shows in words."""

STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
figure { margin: 2rem 0; background: #fff; padding: 0.5rem; border-radius: 6px; }
figure img { width: 100%; height: auto; }
figcaption { color: #333; font-size: 0.95rem; padding: 0.25rem 0.5rem; }
table { border-collapse: collapse; font-size: 0.9rem; margin: 1rem 0; width: 100%; }
th, td { text-align: left; padding: 0.3rem 0.8rem 0.3rem 0; border-bottom: 1px solid #8884; vertical-align: top; }
td:first-child { width: 34%; overflow-wrap: anywhere; }
td.wide { width: 40%; overflow-wrap: anywhere; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.note { font-size: 0.9rem; opacity: 0.8; }
"""


@dataclass(frozen=True, eq=False)
class Report:
    """What a report says: a title, what it comes to, blocks of HTML such as `paragraph` and `table` make, figures, and
    tables by the name of their file; below, notes and the `digest` of the priors."""

    title: str
    lead: str
    blocks: Sequence[str]
    figures: Figures
    tables: Mapping[str, pd.DataFrame]
    notes: Sequence[str]
    digest: str

    @classmethod
    def on_patient(
        cls,
        title: str,
        posterior: Posterior,
        blocks: Sequence[str],
        figures: Figures,
        tables: Mapping[str, pd.DataFrame],
    ) -> Report:
        """The report on one patient: what leads, and below what was found of him."""
        notes = posterior.findings_in_words
        return cls(title, posterior.verdict, blocks, figures, tables, notes, posterior.digest)


def write_report(report: Report, folder: Path, *, force: bool = False) -> list[Path]:
    """The files of a report, written into a folder that is made if need be; the page is index.html.

    Raises:
        InputError: if the folder holds something already and `force` is not given, or is no folder.
        OSError: if a file cannot be written.
    """
    _prepared(folder, force)
    written = write_tables(report.tables, folder, force=True)
    for name, (draw, _) in report.figures.items():
        written.append(write_whole(folder / f"{name}.svg", _svg(draw), force=True))
    written.append(write_whole(folder / PAGE, page_of(report), force=True))
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
    check_out(folder, force)
    folder.mkdir(parents=True, exist_ok=True)


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


def page_of(report: Report) -> str:
    """The page: what it comes to, the blocks, then the figures and links to the tables."""
    title = escape(report.title)
    figures = "".join(
        f'<figure><img src="{name}.svg" alt="{escape(words)}"><figcaption>{escape(words)}</figcaption></figure>'
        for name, (_, words) in report.figures.items()
    )
    links = ", ".join(f'<a href="{name}.csv">{name}.csv</a>' for name in report.tables)
    notes = "\n".join(f'<p class="note">{escape(note)}</p>' for note in report.notes)
    blocks = "\n".join(block for block in report.blocks if block)
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{STYLE}</style>
<h1>{title}</h1>
<p><strong>{escape(report.lead)}</strong></p>
{blocks}
{figures}
<h2>Tables</h2>
<p>{links}</p>
{notes}
<p class="note">Priors {report.digest[:12]}. {DISCLAIMER}</p>
</html>
"""


def paragraph(words: str) -> str:
    """Words as a paragraph of the page; nothing for no words."""
    return f"<p>{escape(words)}</p>" if words else ""


def heading(words: str, level: int = 2) -> str:
    """Words as a heading of the page."""
    return f"<h{level}>{escape(words)}</h{level}>"


def table_of(lines: Sequence[Mapping[str, str]], numbers: Collection[int] = ()) -> str:
    """Lines of cells by heading, as a terminal shows them, as a table of the page."""
    return table(list(lines[0]), [list(line.values()) for line in lines], numbers) if lines else ""


def table(heads: Sequence[str], lines: Sequence[Sequence[str]], numbers: Collection[int] = (), wide: int = -1) -> str:
    """A table of the page, its columns of `numbers` to the right, one of them perhaps `wide`; nothing without lines."""
    if not lines:
        return ""

    def cell(tag: str, column: int, words: str) -> str:
        look = "number" if column in numbers else "wide" if column == wide and tag == "td" else ""
        own = escape(words).replace(chr(10), "<br>")
        own = own if column in numbers else re.sub(r"([=,@])(?=\w)", r"\1<wbr>", own)  # long names break here
        look = f' class="{look}"' if look else ""
        return f"<{tag}{look}>{own}</{tag}>"

    rows = [("th", heads), *(("td", line) for line in lines)]
    shown = "".join(f"<tr>{''.join(cell(tag, i, words) for i, words in enumerate(line))}</tr>" for tag, line in rows)
    return f"<table>{shown}</table>"
