"""Documents as HTML, and reports: a folder of tables (CSV), pictures (SVG) and a page that shows them."""

from __future__ import annotations

import io
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from calcinosis import plot
from calcinosis.inference.numbers import percent
from calcinosis.inference.posterior import Posterior
from calcinosis.interface.paths import check_out
from calcinosis.interface.words.document import Bars, Block, Cell, Document, Picture, TableBlock, lines_in
from calcinosis.interface.words.posterior import ranges_of
from calcinosis.interface.words.terminal import figures
from calcinosis.knowledge.folder import write_whole

if TYPE_CHECKING:
    import pandas as pd

PAGE = "index.html"

LEADING, OTHER = "#2f7ab0", "#9db8cc"
"""The colours of bars: of the most probable state, and of the others."""

STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
figure { margin: 2rem 0; background: #fff; padding: 0.5rem; border-radius: 6px; }
figure img { width: 100%; height: auto; }
figcaption { color: #333; font-size: 0.95rem; padding: 0.25rem 0.5rem; }
table { border-collapse: collapse; font-size: 0.9rem; margin: 1rem 0; width: 100%; }
th, td { text-align: left; padding: 0.3rem 0.8rem 0.3rem 0; border-bottom: 1px solid #8884; vertical-align: top; }
td { overflow-wrap: anywhere; min-width: 7rem; }
td.number, th.number { min-width: 0; text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.note { font-size: 0.9rem; opacity: 0.8; }
"""


def write_report(document: Document, folder: Path, *, force: bool = False) -> list[Path]:
    """The files of a report, written into a folder that is made if need be; the page is index.html.

    Raises:
        InputError: if the folder holds something already and `force` is not given, or is no folder.
        OSError: if a file cannot be written.
    """
    written = write_tables(document.tables(), folder, force=force)
    for name, picture in document.pictures.items():
        written.append(write_whole(folder / f"{name}.svg", _svg(picture), force=True))
    return [*written, write_whole(folder / PAGE, page_of(document), force=True)]


def write_tables(tables: Mapping[str, pd.DataFrame], folder: Path, *, force: bool = False) -> list[Path]:
    """The CSV files of some tables, written into a folder that is made if need be.

    Raises:
        InputError, OSError: as `write_report`.
    """
    check_out(folder, force)
    folder.mkdir(parents=True, exist_ok=True)
    return [
        write_whole(folder / f"{name}.csv", frame.to_csv(index=False, lineterminator="\n"), force=True)
        for name, frame in tables.items()
    ]


def page_of(document: Document) -> str:
    """The page: the answer, then the pictures, and links to the tables."""
    title = escape(document.title)
    pictures = "".join(
        f'<figure><img src="{name}.svg" alt="{escape(picture.caption)}">'
        f"<figcaption>{escape(picture.caption)}</figcaption></figure>"
        for name, picture in document.pictures.items()
    )
    links = ", ".join(f'<a href="{name}.csv">{name}.csv</a>' for name in document.tables())
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{STYLE}</style>
<h1>{title}</h1>
{_body(document)}
{pictures}
<h2>Tables</h2>
<p>{links}</p>
{_foot(document)}
</html>
"""


def fragment_of(document: Document) -> str:
    """The answer as HTML for a notebook."""
    return f"<div>{_body(document)}{_foot(document)}</div>"


def _body(document: Document) -> str:
    lead = f"<p><strong>{escape(document.lead)}</strong></p>" if document.lead else ""
    head = [f'<p class="note">{escape(line)}</p>' for line in document.head]
    return "\n".join([lead, *head, *(_block(block) for block in document.blocks if block)])


def _foot(document: Document) -> str:
    return "\n".join(f'<p class="note">{escape(line)}</p>' for line in document.foot)


def _block(block: Block) -> str:
    if isinstance(block, Bars):
        return _bars(block.posterior)
    if isinstance(block, TableBlock):
        title = f"<h2>{escape(block.title)}</h2>" if block.title else ""
        return title + (_table(block) if block.lines else "<p>none</p>")
    return f"<p>{_lines(block)}</p>"


def _table(table: TableBlock) -> str:
    numbers = {name for name in table.lines[0] if figures(table.lines, name)}

    def cell(tag: str, name: str, words: Cell) -> str:
        text = "<br>".join(map(escape, lines_in(words)))
        return f'<{tag} class="number">{text}</{tag}>' if name in numbers else f"<{tag}>{text}</{tag}>"

    head = "".join(cell("th", name, name) for name in table.lines[0])
    rows = ("".join(cell("td", name, words) for name, words in line.items()) for line in table.lines)
    return f"<table><tr>{head}</tr>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"


def _bars(posterior: Posterior) -> str:
    ranges, cell = ranges_of(posterior), '<td style="padding:2px 10px 2px 0'
    rows = "".join(
        f'<tr>{cell}">{escape(posterior.labels[state])}</td>'
        f'{cell};text-align:right">{escape(percent(p))}</td>'
        f'{cell};text-align:right;opacity:0.7">{escape(ranges[state])}</td>'
        f'<td style="width:22em;padding:2px 0"><div style="background:rgba(127,127,127,0.15)">'
        f'<div role="img" aria-label="{escape(percent(p))}" style="width:{100 * p:.2f}%;height:0.9em;'
        f'background:{LEADING if state == posterior.leading else OTHER}"></div></div></td></tr>'
        for state, p in posterior.probabilities_of.items()
    )
    return f"<table>{rows}</table>"


def _lines(words: str) -> str:
    return escape(words).replace("\n", "<br>")


def _svg(picture: Picture) -> bytes:
    """A picture as SVG, the same bytes each time."""
    import matplotlib as mpl
    import matplotlib.pyplot as plt

    image = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "calcinosis", "svg.fonttype": "none"}):
        figure = getattr(plot, picture.plot)(picture.of).get_figure(root=True)
        figure.savefig(image, format="svg", metadata={"Date": None}, bbox_inches="tight")
        plt.close(figure)
    return image.getvalue()
