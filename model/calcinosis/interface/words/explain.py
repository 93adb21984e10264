"""How the answer of `calcinosis explain` reads in a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from calcinosis.analysis.plain import lines_of
from calcinosis.inference.numbers import entry, odds_factor, signed, weight
from calcinosis.inference.phrases import capitalised
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
    from calcinosis.analysis.explain.explanation import Explanation

CONVENTION = (
    "× multiplies and ÷ divides the odds; the product of all factors is the whole change. Nats are their natural "
    "logarithms: above 0 for, below 0 against. Each factor is the mean over all orders of the findings. Alone: with "
    "nothing else known; last: with all other findings known."
)


def show_explanation(found: Explanation, most: int, published: dict[str, str] | None) -> None:
    """Print the explanation for one patient, `most` lines of each table."""
    shown, posterior = console(), found.posterior
    print_head(shown, posterior, published, misfit=False)
    print_words(shown, posterior.fit_in_words)
    print_words(shown, found.summary)
    cells = contribution_cells(found, most)
    title = f"Effect of each finding on the odds of {' or '.join(found.hypothesis.chosen)} against "
    title += "all others" if found.hypothesis.against_all else " or ".join(found.hypothesis.against)
    print_table(shown, f"{title} ({how_many(len(found.frame), most)})", cells)
    print_words(shown, CONVENTION)
    rows = found.rows
    print_table(shown, f"Rows of the tables behind these effects ({how_many(len(rows), most)})", _rows(found, most))
    print_foot(shown, posterior.digest)


def contribution_cells(found: Explanation, most: int | None = None) -> list[Cells]:
    """One line per finding, in order; of the `most` strongest only, if given."""
    ranked = found.frame["contribution"].abs().sort_values(ascending=False, kind="stable").index[:most]
    return [
        {
            "group": line.group,
            "finding": line.finding,
            "odds": odds_factor(line.contribution),
            "nats": signed(line.contribution),
            "alone": odds_factor(line.alone),
            "last": odds_factor(line.left_out),
        }
        for line in lines_of(found.frame[found.frame.index.isin(ranked)])
    ]


def sources_in_words(found: Explanation, keys: str) -> str:
    """The sources of a row with their kinds, one to a line."""
    priors = found.model.priors
    if priors is None:
        return ""
    return "\n".join(f"{priors.sources[key].citation} ({priors.sources[key].kind})" for key in keys.split(";"))


def _rows(found: Explanation, most: int) -> list[Cells]:
    # of every finding its first row before the second of any
    rank = found.rows.groupby("variable", sort=False).cumcount()
    rows = found.rows.loc[rank.sort_values(kind="stable").index].head(most)
    return [
        {
            "row of the tables": row.entry,
            "for": row.variable,
            "now": entry(row.value),
            "weight": weight(row.weight),
            "source": row.source.replace(";", " "),
        }
        for row in lines_of(rows)
    ]


def show_accounts(found: Mapping[str, Explanation], digest: str) -> None:
    """Print the account of each of many patients."""
    from rich.text import Text

    shown = console()
    for name, own in found.items():
        shown.print(Text(name, style="bold"))
        shown.print(Text(capitalised(own.posterior.verdict)))
        shown.print(Text(own.posterior.silence))
        shown.print(Text(own.posterior.fit_in_words))
        shown.print(Text(own.summary), "", sep="\n")
    print_foot(shown, digest)
