"""How the answer of `calcinosis what-if` reads in a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from calcinosis.analysis.plain import lines_of
from calcinosis.inference.numbers import odds_factor, percent, signed
from calcinosis.inference.phrases import counted
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
    from calcinosis.analysis.whatif.compare import Comparison
    from calcinosis.analysis.whatif.overview import Exploration


def show_explored(found: Exploration, most: int, published: dict[str, str] | None) -> None:
    """Print the answer for one patient, `most` lines of each table."""
    shown, posterior = console(), found.posterior
    print_head(shown, posterior, published)
    if found.instead:
        print_table(shown, "Instead", _states(found.instead))
        print_table(
            shown, f"Contributions to the difference for {_hypothesis(found.instead)}", _differences(found.instead)
        )
    print_table(shown, "Finding by finding", _steps(found))
    moving = found.sweep.frame
    print_table(shown, f"Single changes with the largest effect ({how_many(len(moving), most)})", _changes(found, most))
    print_table(shown, flips_title(found), flip_cells(found, max(1, most // 3)))
    print_words(shown, unseen_in_words(found))
    print_foot(shown, posterior.digest)


def _steps(found: Exploration) -> list[Cells]:
    return [
        {
            "finding": lines[0].finding or "no findings",
            **{line.state: percent(line.probability) for line in lines},
        }
        for _, frame in found.trajectory.frame.groupby("step")
        for lines in [lines_of(frame)]
    ]


def _changes(found: Exploration, most: int) -> list[Cells]:
    frame = found.sweep.frame.sort_values("moved", ascending=False, kind="stable").head(most)
    leading = found.posterior.leading
    return [
        {
            "what if": f"{row['variable']}={row['value']}",
            "chance": "" if row["kind"] == "removed" else percent(row["chance"]),
            f"{leading}, now {percent(found.posterior[leading])}": percent(row[leading]),
            "most probable then": f"{row['leading']} {percent(row[row['leading']])}" if row["flips"] else "",
        }
        for row in frame.to_dict("records")
    ]


def flips_title(found: Exploration) -> str:
    """What was searched for, in words."""
    searched = found.flips.searched
    among = "every single finding" if searched == 1 else f"every set of up to {counted(searched)} findings"
    return f"Fewest findings that would make another subtype the most probable, among {among}"


def flip_cells(found: Exploration, most: int) -> list[Cells]:
    """For each subtype that can come to lead, the first so many of the smallest sets."""
    frame = found.flips.frame.groupby("leading", sort=False).head(most)
    return [
        {
            "most probable then": row.leading,
            "if": row.findings,
            "with": percent(row.probability),
            "chance": percent(row.chance),
        }
        for row in lines_of(frame)
    ]


def unseen_in_words(found: Exploration) -> str:
    """The most probable combination of states of everything not observed, in one sentence."""
    states = ", ".join(f"{name}={state}" for name, state in found.unseen.states.items())
    return f"Most probable combination of everything not observed ({percent(found.unseen.probability)}): {states}."


def _states(found: Comparison) -> list[Cells]:
    return [
        {
            "subtype": row.state,
            "now": percent(row.first),
            "then": percent(row.second),
            "its odds": odds_factor(row.weight) if abs(row.weight) < 700 else "",
        }
        for row in lines_of(found.frame)
    ]


def _differences(found: Comparison) -> list[Cells]:
    return [
        {
            "finding": row.variable,
            "now": row.first or "unknown",
            "then": row.second or "unknown",
            "odds": odds_factor(row.contribution),
            "nats": signed(row.contribution),
        }
        for row in lines_of(found.findings)
    ]


def _hypothesis(found: Comparison) -> str:
    return " or ".join(found.hypothesis.chosen)


def show_each(found: Mapping[str, Exploration], digest: str) -> None:
    """Print, of each of many patients, who leads and the likeliest of the fewest findings that would change it."""
    shown = console()
    lines = []
    for name, own in found.items():
        posterior, fewest = own.posterior, own.flips.frame.head(1)
        line = {"patient": name, "leading": posterior.leading, "probability": percent(posterior[posterior.leading])}
        for row in lines_of(fewest):
            line |= {"most probable then": row.leading, "if": row.findings, "chance": percent(row.chance)}
        lines.append({"most probable then": "", "if": "", "chance": ""} | line)
    order = ("patient", "leading", "probability", "most probable then", "if", "chance")
    print_table(
        shown, "What would change the most probable subtype", [{key: line[key] for key in order} for line in lines]
    )
    print_foot(shown, digest)
