"""An explanation in words: what each finding contributed, and through which rows of the tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from calcinosis.analysis.plain import lines_of
from calcinosis.inference.numbers import entry, odds_factor, signed, weight
from calcinosis.interface.words.document import Cells, Document, Picture, Published, TableBlock, foot_of, headed
from calcinosis.interface.words.entries import citations, named_entry
from calcinosis.interface.words.posterior import fit_in_words, on_patient, silence_of, verdict

if TYPE_CHECKING:
    from calcinosis.analysis.explain.explanation import Explanation

CONVENTION = (
    "× multiplies and ÷ divides the odds; the product of all factors is the whole change. Nats are their natural "
    "logarithms: above 0 for, below 0 against. Each factor is the mean over all orders of the findings. Alone: with "
    "nothing else known; last: with all other findings known."
)

ROWS_EACH = 2
"""How many rows a report names for each finding; all are in its tables."""


def explanation(result: Explanation, title: str = "", published: Published = None, most: int | None = None) -> Document:
    """The document on one patient: the account, every contribution, and the rows behind it."""
    against = "all others" if result.hypothesis.against_all else " or ".join(result.hypothesis.against)
    effect = f"Effect of each finding on the odds of {' or '.join(result.hypothesis.chosen)} against {against}"
    blocks = (
        fit_in_words(result.posterior),
        result.summary,
        TableBlock(headed(effect, len(result.frame), most), contribution_cells(result, most)),
        CONVENTION,
        TableBlock(headed("Rows of the tables behind these effects", len(result.rows), most), _row_cells(result, most)),
    )
    pictures = {"waterfall": Picture("waterfall", result, "What each finding adds to the log-odds.")}
    tables = {"contributions": result.frame, "rows": result.rows}
    return on_patient(f"{title}: why", result.posterior, published, blocks, pictures, lambda: tables)


def explanations(results: Mapping[str, Explanation], digest: str, most: int | None = None) -> Document:
    """The account of each of many patients."""
    blocks = []
    for name, result in results.items():
        posterior = result.posterior
        words = (name, verdict(posterior), silence_of(posterior), fit_in_words(posterior), result.summary)
        blocks.append("\n".join(words))
    return Document("Why", "", [], blocks, foot_of(digest))


def contribution_cells(result: Explanation, most: int | None = None) -> Sequence[Cells]:
    """One line per finding, in order; of the `most` strongest only, if given."""
    ranked = result.frame["contribution"].abs().sort_values(ascending=False, kind="stable").index[:most]
    return [
        {
            "group": line.group,
            "finding": line.finding,
            "odds": odds_factor(line.contribution),
            "nats": signed(line.contribution),
            "alone": odds_factor(line.alone),
            "last": odds_factor(line.left_out),
        }
        for line in lines_of(result.frame[result.frame.index.isin(ranked)])
    ]


def _row_cells(result: Explanation, most: int | None) -> Sequence[Cells]:
    # of every finding its first row before the second of any
    rank = result.rows.groupby("variable", sort=False).cumcount()
    rows = result.rows.loc[rank.sort_values(kind="stable").index]
    rows = rows[rank.loc[rows.index] < ROWS_EACH] if most is None else rows.head(most)
    return [
        {
            "row of the tables": row.entry if most else named_entry(row.entry, result.model.entries),
            "for": row.variable,
            "now": entry(row.value),
            "weight": weight(row.weight),
            "source": row.source.replace(";", " ") if most else citations(row.source, result.model.priors),
        }
        for row in lines_of(rows)
    ]
