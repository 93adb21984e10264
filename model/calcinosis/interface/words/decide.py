"""How the answer of `calcinosis decide` reads in a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from calcinosis.analysis.plain import lines_of
from calcinosis.inference.numbers import percent, points, price
from calcinosis.inference.phrases import listed
from calcinosis.interface.words.printing import (
    Cells,
    console,
    how_many,
    print_foot,
    print_head,
    print_table,
    print_words,
)
from calcinosis.interface.words.validate import PUBLISHED

if TYPE_CHECKING:
    import pandas as pd

    from calcinosis.analysis.decide.curve import DecisionCurve
    from calcinosis.analysis.decide.decision import Decision

POINTS = (
    "Points: expected utility from 0 to 100, with its credible interval. Best: share of samples in which the action "
    "has the highest utility (ties go to the first listed). Regret: the expected loss against the best action of each "
    "sample, in points. Testing first is seldom the best in a sample, since the treatment it leads to would be better "
    "without the test; its regret may still be the smallest."
)
WORTH = (
    "Points. Gross: expected gain from the results. Harm, delay: expected points lost to them; money is not in the "
    "points. Net: gross less harm and delay. Changes: probability that another treatment then ranks first."
)
EXPECTED = "Harms, waiting: points lost to them. For the expected frequency of each harm: --json, or --out DIR."
LIKELY = "One at a time, the rest of a row in proportion. Likely: within the credible interval of the entry."
CURVE_AT = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""The thresholds that a terminal shows of a decision curve."""


def show_decision(found: Decision, most: int, published: dict[str, str] | None) -> None:
    """Print the decision for one patient, `most` lines of what would have to change."""
    from calcinosis.analysis.decide.decision import NO_ADVICE

    shown = console()
    print_head(shown, found.posterior, published)
    print_words(shown, found.summary)
    print_table(shown, "Actions, in points", action_cells(found))
    print_words(shown, POINTS)
    print_table(shown, "Expected outcomes of each action", expected_cells(found))
    print_words(shown, EXPECTED)
    first = tests_first(found)
    if first:
        frame = found.then[found.then["action"] == first]
        print_table(shown, f"The results of {first} ({how_many(len(frame), most)})", then_cells(found)[:most])
        print_words(shown, then_words(found))
    where = threshold_cells(found)
    if where:
        label = found.posterior.labels[found.state]
        print_table(shown, f"Highest expected utility at each probability of {label}", where)
    print_table(shown, "Value of information, in points", testing_cells(found, most))
    print_words(shown, WORTH)
    for title, frame in changes_of(found).items():
        count = how_many(len(frame), most)
        print_table(shown, f"{title} ({count})", change_cells(frame.head(most)))
    print_words(shown, LIKELY)
    print_words(shown, NO_ADVICE)
    print_foot(shown, found.posterior.digest)


def action_cells(found: Decision) -> list[Cells]:
    """One line per action, the best first."""
    return [
        {
            "action": line.action,
            "in words": line.label,
            "points": points(line.expected_utility),
            "interval": f"{points(line.lower)}–{points(line.upper)}",
            "best": percent(line.best),
            "regret": points(line.regret),
        }
        for line in lines_of(found.spread)
    ]


def expected_cells(found: Decision) -> list[Cells]:
    """One line per action: how probable each outcome is, the points that harms and waiting take, the days."""
    outcomes = dict.fromkeys(item.item for item in found.problem.items if item.kind == "outcome")
    return [
        {"action": str(line["action"])}
        | {name: percent(float(line[name])) for name in outcomes}
        | {"harms": points(line["harm_points"]), "waiting": points(line["delay_points"])}
        | {"days": f"{line.get('days', 0):.0f}"}
        for line in found.frame.to_dict("records")
    ]


def tests_first(found: Decision) -> str:
    """The best action with tests; nothing if there is none."""
    treatments = {action.name for action in found.problem.treatments}
    return next((name for name in found.frame["action"] if name not in treatments), "")


def then_cells(found: Decision) -> list[Cells]:
    """What is best after each result of the best action with tests."""
    frame = found.then[found.then["action"] == tests_first(found)]
    return [
        {
            "result": line["result"],
            "chance": percent(line["chance"]),
            found.state: percent(line[found.state]),
            "then": line["treatment"],
        }
        for line in frame.to_dict("records")
    ]


def then_words(found: Decision) -> str:
    """How probable each treatment is after the best action with tests."""
    first = tests_first(found)
    chances = found.then[found.then["action"] == first].groupby("treatment", sort=False)["chance"].sum()
    chances = chances.sort_values(ascending=False, kind="stable")
    return f"{first} ends in {listed(f'{name} ({percent(own)})' for name, own in chances.items())}."


def threshold_cells(found: Decision) -> list[Cells]:
    """One line per stretch of probabilities."""
    if found.thresholds is None:
        return []
    return [
        {
            "from": percent(line["from"]) if line["from"] > 0 else "0%",
            "to": percent(line["to"]) if line["to"] < 1 else "100%",
            "action": line["action"],
            "in words": line["label"],
            "": "now" if line["now"] else "",
        }
        for line in found.thresholds.frame.to_dict("records")
    ]


def testing_cells(found: Decision, most: int) -> list[Cells]:
    """What testing is worth: the best `most`, and perfect knowledge."""
    frame = found.value_of_information.frame
    chosen = frame[(frame["kind"] == "perfect") | (frame.index < most)]
    return [
        {
            "test": line.test or "(perfect)",
            "in words": line.label,
            "gross": points(line.evsi, 2),
            "harm": points(line.harm, 2),
            "delay": points(line.delay, 2),
            "net": points(line.net_evsi, 2),
            "changes": "0" if line.changes < 1e-12 else percent(min(line.changes, 1.0)),
            "cost": "" if line.cost != line.cost else price(line.cost),
        }
        for line in lines_of(chosen)
    ]


def changes_of(found: Decision) -> dict[str, pd.DataFrame]:
    """The three tables of what would have to change, by their titles."""
    lead = found.leading
    return {
        f"Values with which {lead} would no longer rank first": found.changes.utilities,
        f"Responses with which {lead} would no longer rank first": found.changes.responses,
        f"Rows of the tables with which {lead} would no longer rank first": found.changes.tables,
    }


def change_cells(frame: pd.DataFrame) -> list[Cells]:
    """One line per change: from what to what, and who leads then."""
    lines = []
    for line in frame.to_dict("records"):
        cells: dict[str, Any] = {"what": line["name"]}
        if "lower" in line:
            cells |= {"now": f"{line['value']:.3g}", "at": f"{line['at']:.3g}"}
            cells |= {"first then": line["to"], "likely": "yes" if line["likely"] else "no"}
        else:
            cells |= {"now": f"{line['value']:.4g}", "at": f"{line['at']:.3g}", "first then": line["to"]}
        lines.append(cells)
    return lines


def show_decisions(found: Mapping[str, Decision], digest: str) -> None:
    """Print what leads for each of many patients."""
    from calcinosis.analysis.decide.decision import NO_ADVICE

    shown = console()
    lines = []
    for name, own in found.items():
        line = own.spread.iloc[0]
        lines.append(
            {
                "patient": name,
                own.state: percent(own.posterior[own.state]),
                "leads": str(line["action"]),
                "points": f"{line['expected_utility']:.1f}",
                "best": percent(float(line["best"])),
                "regret": f"{line['regret']:.1f}",
                "testing": "can change it" if own.value_of_information.can_change else "cannot change it",
            }
        )
    print_table(shown, "What has the highest expected utility", lines)
    print_words(shown, NO_ADVICE)
    print_foot(shown, digest)


def show_curve(found: DecisionCurve, published: bool) -> None:
    """Print a decision curve."""
    from rich.text import Text

    shown = console()
    shown.print(Text(found.summary, style="bold"))
    if published:
        print_words(shown, PUBLISHED)
    print_table(shown, f"Net benefit, {len(found.validation.cases):,} patients", curve_cells(found))
    print_words(shown, BENEFIT)
    print_foot(shown, found.validation.model.digest)


BENEFIT = (
    "Net benefit: of 100 patients, so many with the subtype who are treated, less those treated for nothing, each of "
    "these counted as the threshold says. Treating none has 0. Threshold: the probability from which one would treat."
)


def curve_cells(found: DecisionCurve) -> list[Cells]:
    """Some lines of a decision curve."""
    frame = found.frame
    near = frame[frame["threshold"].round(6).isin(CURVE_AT)]
    return [
        {
            "threshold": percent(line.threshold),
            "net benefit": f"{100 * line.net_benefit:.1f}",
            "interval": f"{100 * line.lower:.1f} to {100 * line.upper:.1f}",
            "treat all": f"{100 * line.treat_all:.1f}",
            "gain": f"{100 * line.gain:.1f}",
            "its interval": f"{100 * line.gain_lower:.1f} to {100 * line.gain_upper:.1f}",
            "treated": percent(line.treated),
        }
        for line in lines_of(near if len(near) else frame)
    ]
