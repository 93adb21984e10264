"""What-if analyses in words: how the answer came about, what would change it, and how two models differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from calcinosis.analysis.plain import lines_of
from calcinosis.inference.numbers import odds_factor, percent, signed
from calcinosis.inference.phrases import counted
from calcinosis.inference.posterior import DISCLAIMER
from calcinosis.interface.words.document import Block, Cells, Document, Picture, Published, TableBlock, foot_of, headed
from calcinosis.interface.words.posterior import on_patient

if TYPE_CHECKING:
    import pandas as pd

    from calcinosis.analysis.whatif.models import ModelComparison
    from calcinosis.analysis.whatif.overview import Exploration

LEAST = 0.005
"""Patients whose probabilities all change by less are not listed."""


def exploration(result: Exploration, title: str = "", published: Published = None, most: int | None = None) -> Document:
    """The document on one patient: finding by finding, single changes, and the fewest with another leading subtype."""
    posterior, sweep = result.posterior, result.sweep.frame
    searched = result.flips.searched
    among = "every single finding" if searched == 1 else f"every set of up to {counted(searched)} findings"
    fewest = f"Fewest findings that would make another subtype the most probable, among {among}"
    unseen = ", ".join(f"{name}={state}" for name, state in result.unseen.states.items())
    blocks: list[Block] = [
        *_instead(result),
        TableBlock("Finding by finding", _steps(result)),
        TableBlock(headed("Single changes with the largest effect", len(sweep), most), _changes(result, most)),
        TableBlock(fewest, _flips(result, 4 if most is None else max(1, most // 3))),
        f"Most probable combination of everything not observed ({percent(result.unseen.probability)}): {unseen}.",
    ]
    pictures = {
        "trajectory": Picture("trajectory", result.trajectory, "How the posterior moved as the findings came in."),
        "what_if_map": Picture(
            "what_if",
            result.sweep,
            "The posterior after each single change of the findings; changes with another leading subtype are marked.",
        ),
    }
    return on_patient(f"{title}: what if", posterior, published, blocks, pictures, lambda: _tables(result))


def _tables(result: Exploration) -> dict[str, pd.DataFrame]:
    tables = {"changes": result.sweep.frame, "flips": result.flips.frame, "trajectory": result.trajectory.frame}
    tables["most_probable"] = result.unseen.frame
    if result.instead:
        tables |= {"instead_states": result.instead.frame, "instead_findings": result.instead.findings}
    return tables


def explorations(results: Mapping[str, Exploration], digest: str, most: int | None = None) -> Document:
    """Of each of many patients: which subtype leads, and the likeliest of the fewest findings that would change it."""
    lines = []
    for name, result in results.items():
        posterior = result.posterior
        line = {"patient": name, "leading": posterior.leading, "probability": percent(posterior[posterior.leading])}
        line |= {"most probable then": "", "if": "", "chance": ""}
        for row in lines_of(result.flips.frame.head(1)):
            line |= {"most probable then": row.leading, "if": row.findings, "chance": percent(row.chance)}
        lines.append(line)
    blocks = [TableBlock("What would change the most probable subtype", lines)]
    return Document("What if", "", [], blocks, foot_of(digest))


def comparison(
    result: ModelComparison, title: str = "", published: Published = None, most: int | None = None
) -> Document:
    """The document on two models: the entries that differ, and what that does to the answers."""
    entries = [
        {
            "table": line["table"],
            "given": line["given"],
            "state": line["state"],
            "A": _number(line["first"]),
            "B": _number(line["second"]),
            "weight A": _number(line["weight_first"]),
            "weight B": _number(line["weight_second"]),
        }
        for line in result.rows.to_dict("records")
    ]
    if len(result.patients) == 1:
        answers = TableBlock(
            "Posterior",
            [{"state": p.state, "A": percent(p.first), "B": percent(p.second)} for p in lines_of(result.frame)],
        )
    else:
        ranked = result.patients.sort_values(["changed", "largest"], ascending=False, kind="stable")
        patients = [
            {"patient": p.patient, "A": p.first, "B": p.second, "largest difference": percent(p.largest)}
            for p in lines_of(ranked[ranked["largest"] >= LEAST])
        ]
        answers = TableBlock(headed("Patients whose answer changes", len(patients), most), patients[:most])
    blocks = [TableBlock(headed("Entries that differ", len(entries), most), entries[:most]), answers]
    digests = " · ".join(model.digest[:12] for model in (result.first, result.second))
    tables = {"rows": result.rows, "probabilities": result.frame, "patients": result.patients}
    return Document(title, result.summary, [], blocks, (f"priors {digests}", DISCLAIMER), {}, lambda: tables)


def _instead(result: Exploration) -> list[TableBlock]:
    """The same patient with other findings instead, if that was asked for."""
    if result.instead is None:
        return []
    states = [
        {
            "subtype": row.state,
            "now": percent(row.first),
            "then": percent(row.second),
            "its odds": odds_factor(row.weight) if abs(row.weight) < 700 else "",
        }
        for row in lines_of(result.instead.frame)
    ]
    findings = [
        {
            "finding": row.variable,
            "now": row.first or "unknown",
            "then": row.second or "unknown",
            "odds": odds_factor(row.contribution),
            "nats": signed(row.contribution),
        }
        for row in lines_of(result.instead.findings)
    ]
    chosen = " or ".join(result.instead.hypothesis.chosen)
    return [TableBlock("Instead", states), TableBlock(f"Contributions to the difference for {chosen}", findings)]


def _steps(result: Exploration) -> Sequence[Cells]:
    trajectory = result.trajectory
    return [
        {"finding": words or "no findings", **{state: percent(p) for state, p in posterior.probabilities_of.items()}}
        for posterior, (_, _, words) in zip(trajectory.steps, trajectory.added, strict=True)
    ]


def _changes(result: Exploration, most: int | None) -> Sequence[Cells]:
    frame = result.sweep.frame.sort_values("moved", ascending=False, kind="stable").head(
        most or len(result.sweep.frame)
    )
    leading = result.posterior.leading
    return [
        {
            "what if": f"{row['variable']}={row['value']}",
            "chance": "" if row["kind"] == "removed" else percent(row["chance"]),
            f"{leading}, now {percent(result.posterior[leading])}": percent(row[leading]),
            "most probable then": f"{row['leading']} {percent(row[row['leading']])}" if row["flips"] else "",
        }
        for row in frame.to_dict("records")
    ]


def _flips(result: Exploration, most: int) -> Sequence[Cells]:
    """For each subtype that can come to lead, the first so many of the smallest sets."""
    return [
        {
            "most probable then": row.leading,
            "if": row.findings,
            "with": percent(row.probability),
            "chance": percent(row.chance),
        }
        for row in lines_of(result.flips.frame.groupby("leading", sort=False).head(most))
    ]


def _number(value: Any) -> str:
    return "" if value != value else f"{value:g}"
