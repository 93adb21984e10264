"""A validation in words: how good the answers are, for whom, and which findings mislead."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from calcinosis.analysis.plain import lines_of
from calcinosis.inference.numbers import exact_percent, p_value, percent, percents, signed, signed_interval
from calcinosis.interface.words.document import Block, Cells, Document, Picture, TableBlock, foot_of, headed

if TYPE_CHECKING:
    import pandas as pd

    from calcinosis.analysis.decide.curve import DecisionCurve
    from calcinosis.analysis.validate.cohort_check import CohortCheck
    from calcinosis.analysis.validate.validation import Validation

SHARES = ("accuracy", "top_two", "balanced_accuracy")
"""The metrics that are shares of patients."""

CURVE_AT = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""The thresholds that a terminal shows of a decision curve."""

BY = {"known": "known", "hard": "unusual", "subtype": "subtype", "setting": "seen in"}
"""What patients are grouped by, in words."""


PUBLISHED = (
    "These patients were published because they were unusual, and their reports name findings that were present far "
    "more often than absent ones. They do not represent a clinic; these figures hold for such patients only."
)
"""What published cases can and cannot show."""

CARRIES = "Log loss without the variable, minus log loss with it, in nats: below 0, the variable makes them worse."


BENEFIT = (
    "Net benefit: of 100 patients, so many with the subtype who are treated, less those treated for nothing, each of "
    "these counted as the threshold says. Treating none has 0. Threshold: the probability from which one would treat."
)


def validation(
    result: Validation,
    curve: DecisionCurve | None = None,
    title: str = "",
    published: bool = False,
    most: int | None = None,
) -> Document:
    """The document on how good the answers for some patients are, and on what deciding by one of them gains."""
    from calcinosis.analysis.decide import curve as curves

    curve, whole = curve or curves.decision_curve(result.model, result), most is None
    benefit: list[Block] = [
        TableBlock(f"Net benefit of deciding by the probability of {curve.state}", _curve_cells(curve)),
        BENEFIT,
    ]
    wrong = headed("Wrong answers", len(result.wrong), most, "most confident first")
    importance = headed("Variable importance", len(result.variables), most, "the most misleading first")
    blocks: list[Block] = [
        result.records_in_words,
        result.own_mix_in_words,
        PUBLISHED if published else "",
        TableBlock(f"Metrics, with {exact_percent(result.mass)} intervals", _metric_cells(result)),
        TableBlock("Baselines", _baseline_cells(result)),
        TableBlock("Subgroups", _group_cells(result)),
        TableBlock("True subtype (lines) and most probable one", _confusion_cells(result)),
        TableBlock("Each subtype against all others", _roc_cells(result)),
        curve.summary,
        *(benefit * whole),
        TableBlock("Near-certain probabilities, and how often they were wrong", _surprise_cells(result)),
        TableBlock(wrong, _wrong_cells(result, most)),
        *([f"{line.patient}: {line.explanation}" for line in lines_of(result.wrong)] * whole),
        TableBlock(importance, _variable_cells(result, most)),
        CARRIES,
        *cohort_check(result.cohort_check, most),
    ]
    mass = exact_percent(result.mass)
    counts = f"{len(result.cases):,} patients; {mass} intervals from {len(result.weights):,} bootstrap samples."
    if result.prevalence is not None:
        mix = zip(result.model.states, result.prevalence, strict=True)
        shares = ", ".join(f"{state} {exact_percent(share)}" for state, share in mix)
        counts += f" Subtypes in the mix {shares}; the patients are weighted to it."
    blocks += [counts] * whole
    foot = foot_of(result.model.digest)
    pictures = _pictures(result) | {"decision_curve": _curve_picture(curve)}
    tables = tables_of(result) | {"decision_curve": curve.frame}
    return Document(title, result.summary, [], blocks, foot, pictures, lambda: tables)


def tables_of(result: Validation) -> dict[str, pd.DataFrame]:
    """Every table, by the name of its file."""
    names = ("metrics", "baselines", "groups", "calibration", "roc", "curves", "confusion", "surprise", "variables")
    check = {"expected_variables": result.cohort_check.variables, "expected_rows": result.cohort_check.rows}
    return {name: getattr(result, name) for name in (*names, "patients", "wrong")} | check


def _pictures(result: Validation) -> dict[str, Picture]:
    captions = {
        "calibration": "How often a subtype was the true one, against the probability that it was given.",
        "baselines": "The log loss of the network, of some of its findings, and of two models fitted to the patients.",
        "confusion": "The true subtype, and the most probable one.",
        "variables": "How much worse the answers are without each variable.",
        **({"roc": "Each subtype against all others, at every threshold."} if len(result.roc) else {}),
    }
    plots = {name: "variable_importance" if name == "variables" else name for name in captions}
    pictures = {name: Picture(plots[name], result, caption) for name, caption in captions.items()}
    return pictures | {"expected": cohort_picture(result.cohort_check)}


def decision_curve(
    result: DecisionCurve, title: str = "", published: bool = False, most: int | None = None
) -> Document:
    """The document on a decision curve; `published` says that the patients are published cases."""
    validation = result.validation
    blocks: list[Block] = [
        PUBLISHED if published else "",
        TableBlock(f"Net benefit, {len(validation.cases):,} patients", _curve_cells(result)),
        BENEFIT,
        f"{exact_percent(validation.mass)} intervals from {len(validation.weights):,} bootstrap samples.",
    ]
    pictures = {"decision_curve": _curve_picture(result)}
    foot, tables = foot_of(validation.model.digest), {"decision_curve": result.frame}
    return Document(title, result.summary, [], blocks, foot, pictures, lambda: tables)


def _curve_picture(result: DecisionCurve) -> Picture:
    """The decision curve as a picture."""
    caption = f"What treating by the probability of {result.state} gains, beside treating all and treating none."
    return Picture("decision_curve", result, caption)


def cohort_picture(result: CohortCheck) -> Picture:
    """A cohort check as a picture."""
    return Picture("cohort_check", result, "The rows of the tables that fit these patients worst.")


def cohort_check(result: CohortCheck, most: int | None = None) -> list[Block]:
    """Whether a cohort is as the tables expect, as part of a document."""
    variables, rows = fit_cells(result, most)
    return [
        result.summary,
        *([TableBlock("Variables not consistent with the tables", variables)] if variables else []),
        *([TableBlock("Rows not consistent with the tables", rows)] if rows else []),
    ]


def _metric_cells(result: Validation) -> Sequence[Cells]:
    """One line per metric."""
    return [
        {
            "metric": line.label,
            "value": _value(line.metric, line.value),
            "interval": _interval(line.metric, line.lower, line.upper),
            "better": line.better,
        }
        for line in lines_of(result.metrics)
    ]


def _baseline_cells(result: Validation) -> Sequence[Cells]:
    """One line per baseline."""
    lines = []
    for name in dict.fromkeys(result.baselines["baseline"]):
        own = {line.metric: line for line in lines_of(result.baselines[result.baselines["baseline"] == name])}
        loss = own["log_loss"]
        off = f"{signed(loss.difference, 3)} ({signed_interval(loss.difference_lower, loss.difference_upper, 2)})"
        lines.append(
            {
                "what": loss.label,
                "right": exact_percent(own["accuracy"].value, 0),
                "first two": exact_percent(own["top_two"].value, 0),
                "log loss": f"{loss.value:.3f}",
                "difference": "" if name == "model" else off,
                "Brier": f"{own['brier'].value:.3f}",
            }
        )
    return lines


def _group_cells(result: Validation) -> Sequence[Cells]:
    """One line per group of patients."""
    return [
        {
            "by": BY.get(line.by, line.by),
            "group": line.group.replace("_", " "),
            "patients": f"{line.patients:,}",
            "right": f"{line.right:,}",
            "that is": exact_percent(line.accuracy, 0),
            "interval": percents(line.accuracy_lower, line.accuracy_upper),
            "log loss": f"{line.log_loss:.3f}",
        }
        for line in lines_of(result.groups)
    ]


def _confusion_cells(result: Validation) -> Sequence[Cells]:
    """One line per true subtype, one column per answer."""
    counts = {(line.truth, line.leading): line.patients for line in lines_of(result.confusion)}
    states = result.model.states
    return [{"true": true} | {said: f"{counts[true, said] or ''}" for said in states} for true in states]


def _roc_cells(result: Validation) -> Sequence[Cells]:
    """One line per subtype."""
    return [
        {
            "subtype": line.subtype,
            "patients": f"{line.patients:,}",
            "area under ROC": f"{line.area:.3f}",
            "interval": f"{line.lower:.3f}–{line.upper:.3f}",
        }
        for line in lines_of(result.roc)
    ]


def _surprise_cells(result: Validation) -> Sequence[Cells]:
    """One line for each level of being sure, over all subtypes."""
    return [
        {
            "probability": line.said,
            "times": f"{line.times:,}",
            "wrong": f"{line.otherwise:,}",
            "that is": exact_percent(line.share, 1),
            "at most": exact_percent(line.allowed, 1),
        }
        for line in lines_of(result.surprise.query("subtype == 'all'"))
    ]


def _wrong_cells(result: Validation, most: int | None) -> Sequence[Cells]:
    """One line per patient who was answered wrong."""
    return [
        {
            "patient": str(line.patient),
            "true": line.truth,
            "given": percent(line.probability),
            "said": line.leading,
            "with": percent(line.leading_probability),
            "true came": f"{line.rank}.",
        }
        for line in lines_of(result.wrong[:most])
    ]


def _variable_cells(result: Validation, most: int | None) -> Sequence[Cells]:
    """One line per variable, the most misleading first."""
    return [
        {
            "variable": line.label,
            "patients": f"{line.patients:,}",
            "change": signed(line.change, 3),
            "interval": signed_interval(line.lower, line.upper),
            "helped": f"{line.helped:,}",
            "misled": f"{line.misled:,}",
        }
        for line in lines_of(result.variables[:most])
    ]


def fit_cells(result: CohortCheck, most: int | None) -> tuple[Sequence[Cells], Sequence[Cells]]:
    """The variables and the rows that are not as expected."""
    variables: Sequence[Cells] = [
        {
            "variable": line.label,
            "patients": f"{line.patients:,}",
            "state": line.state,
            "observed": f"{line.observed:,}",
            "expected": f"{line.predicted:.1f}",
            "q": p_value(line.q),
        }
        for line in lines_of(_different(result.variables, most))
    ]
    rows: Sequence[Cells] = [
        {
            "table": line.table,
            "row": line.given,
            "state": line.state,
            "patients": f"{line.cases:.1f}",
            "observed": percent(line.observed),
            "expected": f"{percent(line.expected)} ({percents(line.lower, line.upper)})",
            "q": p_value(line.q),
        }
        for line in lines_of(_different(result.rows, most))
    ]
    return variables, rows


def _different(frame: pd.DataFrame, most: int | None) -> pd.DataFrame:
    return frame[frame["differs"]][:most]


def _value(metric: str, value: float) -> str:
    return exact_percent(value, 0) if metric in SHARES else f"{value:.3f}"


def _interval(metric: str, lower: float, upper: float) -> str:
    return percents(lower, upper) if metric in SHARES else f"{lower:.3f}–{upper:.3f}"


def _curve_cells(result: DecisionCurve) -> Sequence[Cells]:
    """Some lines of a decision curve."""
    frame = result.frame
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
