"""How the answer of `calcinosis next-test` reads in a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from calcinosis.analysis.plain import lines_of
from calcinosis.inference.numbers import percent, percents, price
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
    from calcinosis.analysis.workup.ranking import NextTest
    from calcinosis.analysis.workup.serial import SerialTesting

PRICES = (
    "Information: expected information, in nats; two tests: together with the best test after it. Right: "
    "probability that the most probable subtype is then the true one. Changes: probability that another subtype is the "
    "most probable then. Cost, harm (probability of a complication) and days until the result are from tests.csv of "
    "the priors, partly by judgement."
)


ASK = (
    "Silence is weaker evidence than an answer: findings that the record does not mention can still be asked for. Each "
    "test below starts from the probabilities after the silence."
)
"""What helps where a record is silent."""


def show_next_test(found: NextTest, plan: SerialTesting | None, most: int, published: dict[str, str] | None) -> None:
    """Print the answer for one patient, `most` lines of each table."""
    shown = console()
    print_head(shown, found.posterior, published)
    print_words(shown, found.summary)
    if len(found.posterior.evidence.silent):
        print_words(shown, ASK)
    count = how_many(len(found.frame), most)
    print_table(shown, f"Remaining tests ({count})", test_cells(found, most))
    results = outcome_cells(found, most)
    if results:
        best = found.frame.iloc[0]
        total = int((found.outcomes["test"] == best["test"]).sum())
        title = f"What the results of {best['test']} would mean ({how_many(total, most)}, most probable first)"
        print_table(shown, title, results)
        print_words(shown, PRICES)
    if plan is not None:
        print_table(shown, f"Serial testing: {plan.variable.name}", plan_cells(plan))
        print_words(shown, plan.summary)
    print_foot(shown, found.posterior.digest)


def test_cells(found: NextTest, most: int) -> list[Cells]:
    """One line per test, the best first."""
    priced = "cost" in found.frame
    return [
        {
            "test": row.test,
            "information": f"{row.information:.3f}",
            "two tests": f"{row.in_two:.3f}",
            "right": percent(row.right),
            "changes": percent(row.flips),
        }
        | ({"cost": price(row.cost), "harm": _harm(row.harm), "days": f"{row.days:g}"} if priced else {})
        for row in lines_of(found.frame.head(most))
    ]


def _harm(harm: float) -> str:
    return "0" if harm == 0 else percent(harm)


def outcome_cells(found: NextTest, most: int) -> list[Cells]:
    """The likeliest results of the best test, and what each would mean."""
    if found.frame.empty:
        return []
    frame = found.outcomes[found.outcomes["test"] == found.frame.iloc[0]["test"]]
    frame = frame.sort_values("chance", ascending=False, kind="stable").head(most)
    return [
        {
            "result": row["outcome"],
            "chance": percent(row["chance"]),
            "most probable then": f"{row['leading']} {percent(row[row['leading']])}",
            "next test": row["then"],
        }
        for row in frame.to_dict("records")
    ]


def plan_cells(plan: SerialTesting) -> list[Cells]:
    """One line per negative result that may come, with what the probability is if it is another result instead."""
    found = plan.frame.to_dict("records")
    chain = [row for row in found if row["result"] in ("", plan.negative)]
    lines = []
    for row in chain:
        line = {
            f"further {plan.negative}": f"{row['step']}" if row["step"] else "now",
            "chance": percent(row["chance"]) if row["step"] else "",
            plan.state: percent(row[plan.state]),
        }
        if "lower" in row:
            line["interval"] = percents(row["lower"], row["upper"])
        others = [own for own in found if own["step"] == row["step"] and own["result"] not in ("", plan.negative)]
        for state in plan.variable.state_names:
            if state != plan.negative:
                line[f"if {state} instead"] = next((percent(o[plan.state]) for o in others if o["result"] == state), "")
        lines.append(line | {"most probable then": row["leading"]})
    return lines


def show_best(found: Mapping[str, tuple[NextTest, SerialTesting | None]], digest: str) -> None:
    """Print the best test of each of many patients, and after how many negative results a plan would be done."""
    shown = console()
    lines = []
    for name, (own, plan) in found.items():
        leading = own.posterior.leading
        line = {"patient": name, "leading": leading, "probability": percent(own.posterior[leading])}
        line |= {"next test": "", "information": "", "right": "", "changes": ""}
        for row in lines_of(own.frame.head(1)):
            line |= {"next test": row.test, "information": f"{row.information:.3f}", "right": percent(row.right)}
            line["changes"] = percent(row.flips)
        if plan is not None:
            line["negative results to the threshold"] = "not reached" if plan.enough is None else str(plan.enough)
        lines.append(line)
    print_table(shown, "The next test", lines)
    print_foot(shown, digest)
