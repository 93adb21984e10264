"""How the answer of `calcinosis validate` reads in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from calcinosis.analysis.plain import lines_of
from calcinosis.inference.numbers import exact_percent, p_value, percent, percents, signed, signed_interval
from calcinosis.interface.words.printing import Cells, console, how_many, print_foot, print_table, print_words

if TYPE_CHECKING:
    import pandas as pd

    from calcinosis.analysis.decide.curve import DecisionCurve
    from calcinosis.analysis.validate.cohort_check import CohortCheck
    from calcinosis.analysis.validate.validation import Validation

SHARES = ("accuracy", "top_two", "balanced_accuracy")
"""The metrics that are shares of patients."""

BY = {"known": "known", "hard": "unusual", "subtype": "subtype", "setting": "seen in"}
"""What patients are grouped by, in words."""


def show_validation(found: Validation, curve: DecisionCurve, most: int, published: bool) -> None:
    """Print the answer, `most` lines of each long table."""
    from rich.text import Text

    shown = console()
    shown.print(Text(found.summary, style="bold"))
    for words in (found.records_in_words, found.own_mix_in_words, PUBLISHED if published else ""):
        if words:
            print_words(shown, words)
    print_table(shown, f"Metrics, with {exact_percent(found.mass)} intervals", metric_cells(found))
    print_table(shown, "Baselines", baseline_cells(found))
    print_table(shown, "Subgroups", group_cells(found))
    print_table(shown, "True subtype (lines) and most probable one", confusion_cells(found))
    print_table(shown, "Each subtype against all others", roc_cells(found))
    print_words(shown, curve.summary)
    print_table(shown, "Near-certain probabilities, and how often they were wrong", surprise_cells(found))
    wrong = how_many(len(found.wrong), most)
    print_table(shown, f"Wrong answers ({wrong}, most confident first)", wrong_cells(found, most))
    variables = how_many(len(found.variables), most)
    print_table(shown, f"Variable importance ({variables}, the most misleading first)", variable_cells(found, most))
    print_words(shown, CARRIES)
    show_fit(found.cohort_check, most)
    print_foot(shown, found.model.digest)


PUBLISHED = (
    "These patients were published because they were unusual, and their reports name findings that were present far "
    "more often than absent ones. They do not represent a clinic; these figures hold for such patients only."
)
"""What published cases can and cannot show."""

CARRIES = "Log loss without the variable, minus log loss with it, in nats: below 0, the variable makes them worse."


def show_fit(found: CohortCheck, most: int) -> None:
    """Print whether a cohort is as the tables expect."""
    shown = console()
    print_words(shown, found.summary)
    variables, rows = fit_cells(found, most)
    if variables:
        print_table(shown, "Variables not consistent with the tables", variables)
    if rows:
        print_table(shown, "Rows not consistent with the tables", rows)


def metric_cells(found: Validation) -> list[Cells]:
    """One line per metric."""
    return [
        {
            "metric": line.label,
            "value": _value(line.metric, line.value),
            "interval": _interval(line.metric, line.lower, line.upper),
            "better": line.better,
        }
        for line in lines_of(found.metrics)
    ]


def baseline_cells(found: Validation) -> list[Cells]:
    """One line per baseline."""
    lines = []
    for name in dict.fromkeys(found.baselines["baseline"]):
        own = {line.metric: line for line in lines_of(found.baselines[found.baselines["baseline"] == name])}
        loss = own["log_loss"]
        off = f"{signed(loss.difference, 3)} ({signed_interval(loss.difference_lower, loss.difference_upper, 2)})"
        lines.append(
            {
                "what": loss.label,
                "right": percent(own["accuracy"].value),
                "first two": percent(own["top_two"].value),
                "log loss": f"{loss.value:.3f}",
                "difference": "" if name == "model" else off,
                "Brier": f"{own['brier'].value:.3f}",
            }
        )
    return lines


def group_cells(found: Validation) -> list[Cells]:
    """One line per group of patients."""
    return [
        {
            "by": BY.get(line.by, line.by),
            "group": line.group.replace("_", " "),
            "patients": f"{line.patients:,}",
            "right": f"{line.right:,}",
            "that is": percent(line.accuracy),
            "interval": percents(line.accuracy_lower, line.accuracy_upper),
            "log loss": f"{line.log_loss:.3f}",
        }
        for line in lines_of(found.groups)
    ]


def confusion_cells(found: Validation) -> list[Cells]:
    """One line per true subtype, one column per answer."""
    counts = {(line.truth, line.leading): line.patients for line in lines_of(found.confusion)}
    states = found.model.states
    return [{"true": true} | {said: f"{counts[true, said] or ''}" for said in states} for true in states]


def roc_cells(found: Validation) -> list[Cells]:
    """One line per subtype."""
    return [
        {
            "subtype": line.subtype,
            "patients": f"{line.patients:,}",
            "area under ROC": f"{line.area:.3f}",
            "interval": f"{line.lower:.3f}–{line.upper:.3f}",
        }
        for line in lines_of(found.roc)
    ]


def surprise_cells(found: Validation) -> list[Cells]:
    """One line for each level of being sure, over all subtypes."""
    return [
        {
            "probability": line.said,
            "times": f"{line.times:,}",
            "wrong": f"{line.otherwise:,}",
            "that is": exact_percent(line.share, 1),
            "at most": exact_percent(line.allowed, 1),
        }
        for line in lines_of(found.surprise.query("subtype == 'all'"))
    ]


def wrong_cells(found: Validation, most: int) -> list[Cells]:
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
        for line in lines_of(found.wrong.head(most))
    ]


def variable_cells(found: Validation, most: int) -> list[Cells]:
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
        for line in lines_of(found.variables.head(most))
    ]


def fit_cells(found: CohortCheck, most: int) -> tuple[list[Cells], list[Cells]]:
    """The variables and the rows that are not as expected."""
    variables: list[Cells] = [
        {
            "variable": line.label,
            "patients": f"{line.patients:,}",
            "state": line.state,
            "observed": f"{line.observed:,}",
            "expected": f"{line.predicted:.1f}",
            "q": p_value(line.q),
        }
        for line in lines_of(_different(found.variables, most))
    ]
    rows: list[Cells] = [
        {
            "table": line.table,
            "row": line.given,
            "state": line.state,
            "patients": f"{line.cases:.1f}",
            "observed": percent(line.observed),
            "expected": f"{percent(line.expected)} ({percents(line.lower, line.upper)})",
            "q": p_value(line.q),
        }
        for line in lines_of(_different(found.rows, most))
    ]
    return variables, rows


def _different(frame: pd.DataFrame, most: int) -> pd.DataFrame:
    return frame[frame["differs"]].head(most)


def _value(metric: str, value: float) -> str:
    return percent(value) if metric in SHARES else f"{value:.3f}"


def _interval(metric: str, lower: float, upper: float) -> str:
    return percents(lower, upper) if metric in SHARES else f"{lower:.3f}–{upper:.3f}"
