"""Tests in words: which would be the most informative, what its results would mean, and serial testing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from calcinosis.analysis.plain import lines_of
from calcinosis.inference.numbers import percent, percents, price
from calcinosis.interface.words.document import Block, Cells, Document, Picture, Published, TableBlock, foot_of, headed
from calcinosis.interface.words.posterior import on_patient

if TYPE_CHECKING:
    from calcinosis.analysis.workup.ranking import NextTest
    from calcinosis.analysis.workup.serial import SerialTesting

    Workup = NextTest | tuple[NextTest, SerialTesting | None]
    """The tests ranked, perhaps with serial testing."""

PRICES = (
    "Information: expected information, in nats; two tests: together with the best test after it. Right: "
    "probability that the most probable subtype is then the true one. Changes: probability that another subtype is the "
    "most probable then. Cost, harm (probability of a complication) and days until the result are from tests.csv of "
    "the priors, partly by judgement."
)

ASK = (
    "Not mentioning a finding is weaker evidence than recording that it is absent, so it can still be asked about. The "
    "probabilities below already count what the record does not mention."
)
"""What helps where a record is silent."""


def next_test(workup: Workup, title: str = "", published: Published = None, most: int | None = None) -> Document:
    """The document on one patient: the tests ranked, what each result of the first would mean, and serial testing."""
    result, serial = workup if isinstance(workup, tuple) else (workup, None)
    posterior = result.posterior
    blocks: list[Block] = [
        result.summary,
        ASK if len(posterior.evidence.silent) else "",
        TableBlock(headed("Remaining tests", len(result.frame), most), ranking_cells(result, most)),
    ]
    outcomes = _outcome_cells(result)
    if outcomes:
        title_of = f"What the results of {result.frame.iloc[0]['test']} would mean"
        blocks += [TableBlock(headed(title_of, len(outcomes), most, "most probable first"), outcomes[:most]), PRICES]
    pictures = {
        "next_test": Picture("next_test", result, "What each test would tell, alone and with the best after it.")
    }
    tables = {"tests": result.frame, "outcomes": result.outcomes}
    if serial is not None:
        blocks += [TableBlock(f"Serial testing: {serial.variable.name}", _serial_cells(serial)), serial.summary]
        caption = "What further results would do, and how probable each is."
        pictures["serial_testing"] = Picture("serial_testing", serial, caption)
        tables["serial_testing"] = serial.frame
    return on_patient(f"{title}: the next test", posterior, published, blocks, pictures, lambda: tables)


def next_tests(results: Mapping[str, Workup], digest: str, most: int | None = None) -> Document:
    """The best test of each of many patients, and the number of negative results to the threshold of serial testing."""
    lines = []
    for name, workup in results.items():
        result, serial = workup if isinstance(workup, tuple) else (workup, None)
        leading = result.posterior.leading
        line = {"patient": name, "leading": leading, "probability": percent(result.posterior[leading])}
        line |= {"next test": "", "information": "", "right": "", "changes": ""}
        for row in lines_of(result.frame.head(1)):
            line |= {"next test": row.test, "information": f"{row.information:.3f}", "right": percent(row.right)}
            line["changes"] = percent(row.flips)
        if serial is not None:
            line["negative results to the threshold"] = "not reached" if serial.enough is None else str(serial.enough)
        lines.append(line)
    return Document("The next test", "", [], [TableBlock("The next test", lines)], foot_of(digest))


def ranking_cells(result: NextTest, most: int | None = None) -> Sequence[Cells]:
    """One line per test, the best first."""
    priced = "cost" in result.frame
    return [
        {
            "test": row.test,
            "information": f"{row.information:.3f}",
            "two tests": f"{row.in_two:.3f}",
            "right": percent(row.right),
            "changes": percent(row.flips),
        }
        | ({"cost": price(row.cost), "harm": _harm(row.harm), "days": f"{row.days:g}"} if priced else {})
        for row in lines_of(result.frame[:most])
    ]


def _harm(harm: float) -> str:
    return "0" if harm == 0 else percent(harm)


def _outcome_cells(result: NextTest) -> Sequence[Cells]:
    """The results of the best test, the likeliest first, and what each would mean."""
    if result.frame.empty:
        return []
    frame = result.outcomes[result.outcomes["test"] == result.frame.iloc[0]["test"]]
    return [
        {
            "result": row["outcome"],
            "chance": percent(row["chance"]),
            "most probable then": f"{row['leading']} {percent(row[row['leading']])}",
            "next test": row["then"],
        }
        for row in frame.sort_values("chance", ascending=False, kind="stable").to_dict("records")
    ]


def _serial_cells(serial: SerialTesting) -> Sequence[Cells]:
    """One line per negative result that may come, with what the probability is if it is another result instead."""
    rows = serial.frame.to_dict("records")
    chain = [row for row in rows if row["result"] in ("", serial.negative)]
    lines = []
    for row in chain:
        line = {
            f"further {serial.negative}": f"{row['step']}" if row["step"] else "now",
            "chance": percent(row["chance"]) if row["step"] else "",
            serial.state: percent(row[serial.state]),
        }
        if "lower" in row:
            line["interval"] = percents(row["lower"], row["upper"])
        others = [
            other for other in rows if other["step"] == row["step"] and other["result"] not in ("", serial.negative)
        ]
        for state in serial.variable.state_names:
            if state != serial.negative:
                line[f"if {state} instead"] = next(
                    (percent(o[serial.state]) for o in others if o["result"] == state), ""
                )
        lines.append(line | {"most probable then": row["leading"]})
    return lines
