"""Decisions in words: treat, test or wait, what each is worth, and what would change that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from calcinosis.analysis.decide.decision import NO_ADVICE
from calcinosis.analysis.plain import lines_of
from calcinosis.inference.numbers import percent, points, price
from calcinosis.inference.phrases import listed
from calcinosis.interface.words.document import Block, Cells, Document, Picture, Published, TableBlock, foot_of, headed
from calcinosis.interface.words.posterior import on_patient

if TYPE_CHECKING:
    import pandas as pd

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
LIKELY = "One at a time, the rest of a row in proportion. Within interval: inside the credible interval of the entry."


def decision(
    result: Decision, title: str = "", published: Published = None, most: int | None = None, names: Sequence[str] = ()
) -> Document:
    """The document on one patient: the actions, what the choice depends on, and a map of utilities by their names."""
    label = result.posterior.labels[result.state]
    blocks: list[Block] = [
        result.summary,
        TableBlock("Actions, in points", _action_cells(result)),
        POINTS,
        TableBlock("Expected outcomes of each action", _expected_cells(result)),
        EXPECTED if most else "",
        *([] if most else [TableBlock("Expected number of each harm", _harm_cells(result))]),
        *_then(result, most),
    ]
    if result.thresholds is not None:
        blocks.append(TableBlock(f"Highest expected utility at each probability of {label}", _threshold_cells(result)))
    blocks += [TableBlock("Value of information, in points", _testing_cells(result, most)), WORTH]
    for heading, frame in _changes(result).items():
        blocks.append(TableBlock(headed(heading, len(frame), most), _change_cells(frame[:most])))
    blocks += [LIKELY, *([] if most else [TableBlock("The utilities", _utility_cells(result))]), NO_ADVICE]
    title = f"{title}: treat, test or wait"
    return on_patient(
        title, result.posterior, published, blocks, _pictures(result, names), lambda: _tables(result, names)
    )


def decisions(results: Mapping[str, Decision], digest: str, most: int | None = None) -> Document:
    """What leads for each of many patients."""
    lines = []
    for name, result in results.items():
        first = result.spread.iloc[0]
        lines.append(
            {
                "patient": name,
                result.state: percent(result.posterior[result.state]),
                "leads": str(first["action"]),
                "points": points(first["expected_utility"]),
                "best": percent(float(first["best"])),
                "regret": points(first["regret"]),
                "testing": "can change it" if result.value_of_information.can_change else "cannot change it",
            }
        )
    blocks: list[Block] = [TableBlock("What has the highest expected utility", lines), NO_ADVICE]
    return Document("Decisions", "", [], blocks, foot_of(digest))


def _pictures(result: Decision, names: Sequence[str]) -> dict[str, Picture]:
    label = result.posterior.labels[result.state]
    pictures = {
        "actions": Picture(
            "actions", result, "The expected utility of each action, with the draws of all rows around it."
        ),
        "testing": Picture("value_of_testing", result, "What each test is worth, gross, and net of harm and delay."),
        "utilities": Picture("utilities", result, "How far each utility can move before another action ranks first."),
    }
    if result.thresholds is not None:
        caption = f"The expected utility of each action at every probability of {label}; below, which is the highest."
        pictures["thresholds"] = Picture("thresholds", result.thresholds, caption)
    if names:
        caption = "Which action ranks first as these utilities move together; the dot is where they are now."
        pictures["map"] = Picture("utility_map", result.map(*names), caption)
    return pictures


def _tables(result: Decision, names: Sequence[str]) -> dict[str, pd.DataFrame]:
    tables = {
        "actions": result.spread,
        "expected": result.frame,
        "then": result.then,
        "testing": result.value_of_information.frame,
        "changes_utilities": result.changes.utilities,
        "changes_responses": result.changes.responses,
        "changes_tables": result.changes.tables,
    }
    where = result.thresholds
    if where is not None:
        tables |= {"thresholds": where.frame, "thresholds_curve": where.curve, "thresholds_rivals": where.rivals}
    return tables | ({"map": result.map(*names).frame} if names else {})


def _action_cells(result: Decision) -> Sequence[Cells]:
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
        for line in lines_of(result.spread)
    ]


def _expected_cells(result: Decision) -> Sequence[Cells]:
    """One line per action: how probable each outcome is, the points that harms and waiting take, the days."""
    outcomes = dict.fromkeys(item.item for item in result.problem.items if item.kind == "outcome")
    return [
        {"action": str(line["action"])}
        | {name: percent(float(line[name])) for name in outcomes}
        | {"harms": points(line["harm_points"]), "waiting": points(line["delay_points"])}
        | {"days": f"{line.get('days', 0):.0f}"}
        for line in result.frame.to_dict("records")
    ]


def _then(result: Decision, most: int | None) -> list[Block]:
    """What ranks first after each result of the best action with tests, and how probable each treatment is then."""
    treatments = {action.name for action in result.problem.treatments}
    first = next((name for name in result.frame["action"] if name not in treatments), "")
    if not first:
        return []
    frame = result.then[result.then["action"] == first]
    cells = [
        {
            "result": line["result"],
            "chance": percent(line["chance"]),
            result.state: percent(line[result.state]),
            "then": line["treatment"],
        }
        for line in frame[:most].to_dict("records")
    ]
    chances = frame.groupby("treatment", sort=False)["chance"].sum().sort_values(ascending=False, kind="stable")
    ends = listed(f"{name} ({percent(chance)})" for name, chance in chances.items())
    return [TableBlock(headed(f"The results of {first}", len(frame), most), cells), f"{first} ends in {ends}."]


def _threshold_cells(result: Decision) -> Sequence[Cells]:
    """One line per stretch of probabilities."""
    if result.thresholds is None:
        return []
    return [
        {
            "from": percent(line["from"]) if line["from"] > 0 else "0%",
            "to": percent(line["to"]) if line["to"] < 1 else "100%",
            "action": line["action"],
            "in words": line["label"],
            "": "now" if line["now"] else "",
        }
        for line in result.thresholds.frame.to_dict("records")
    ]


def _testing_cells(result: Decision, most: int | None) -> Sequence[Cells]:
    """What testing is worth: the best `most`, and perfect knowledge."""
    frame = result.value_of_information.frame
    chosen = frame[(frame["kind"] == "perfect") | (frame.index < (most or len(frame)))]
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


def _changes(result: Decision) -> dict[str, pd.DataFrame]:
    """The three tables of what would have to change, by their titles."""
    lead = result.leading
    return {
        f"Values with which {lead} would no longer rank first": result.changes.utilities,
        f"Responses with which {lead} would no longer rank first": result.changes.responses,
        f"Rows of the tables with which {lead} would no longer rank first": result.changes.tables,
    }


def _change_cells(frame: pd.DataFrame) -> Sequence[Cells]:
    """One line per change: from what to what, and who leads then."""
    lines = []
    for line in frame.to_dict("records"):
        cells: dict[str, Any] = {"what": line["name"]}
        if "lower" in line:
            cells |= {"now": f"{line['value']:.3g}", "at": f"{line['at']:.3g}"}
            cells |= {"first then": line["to"], "within interval": "yes" if line["likely"] else "no"}
        else:
            cells |= {"now": f"{line['value']:.4g}", "at": f"{line['at']:.3g}", "first then": line["to"]}
        lines.append(cells)
    return lines


def _harm_cells(result: Decision) -> Sequence[Cells]:
    """One line per action: how often each harm is to be expected, in 100 patients."""
    labels = {item.item: item.label for item in result.problem.items if item.kind == "harm"}
    lines: list[Cells] = []
    for line in result.frame.to_dict("records"):
        harms = [f"{label}: {100 * line[name]:.0f}" for name, label in labels.items() if line[name] > 1e-12]
        lines.append({"action": str(line["action"]), "in 100 patients": tuple(harms) or "none"})
    return lines


def _utility_cells(result: Decision) -> Sequence[Cells]:
    """The values that were used, and where each comes from."""
    return [
        {
            "name": item.name,
            "in words": item.label,
            "points": f"{value:g}",
            "from": "changed here" if value != item.value else "; ".join(item.sources),
            "why": item.note,
        }
        for item, value in zip(result.problem.items, result.problem.values.tolist(), strict=True)
    ]
