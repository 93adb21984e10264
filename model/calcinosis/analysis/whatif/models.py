"""Two models on the same patients: which rows of their tables differ, and what that does to the answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from calcinosis.analysis.plain import plain_lines
from calcinosis.inference.findings.evidence import Evidence
from calcinosis.inference.model import Model
from calcinosis.inference.posterior import DISCLAIMER
from calcinosis.inference.question_error import QuestionError
from calcinosis.inference.result import Result
from calcinosis.knowledge.arguments import checked
from calcinosis.knowledge.records import EACH, Priors

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, repr=False)
class ModelComparison(Result):
    """Two models, the rows in which they differ, and their posteriors for the same patients.

    - `rows`: each entry that differs: table, given, state, first, second, weight_first, weight_second; NaN where one
      model has no such row.
    - `frame`: patient, state, first, second, difference: the probability of each state under each model.
    - `patients`: patient, first, second, changed, largest: the most probable state under each model, whether it
      changed, and the largest difference in a probability. A patient with no answer under one model has none here.
    """

    first: Model
    second: Model
    rows: pd.DataFrame
    frame: pd.DataFrame
    patients: pd.DataFrame

    @property
    def summary(self) -> str:
        """One sentence: how many rows differ, and in how many patients the most probable state changes."""
        count = self.rows.drop_duplicates(["table", "given"]).shape[0]
        rows = "The tables are the same" if not count else f"{count} row{'s differ' if count > 1 else ' differs'}"
        changed, every = int(self.patients["changed"].sum()), len(self.patients)
        if every == 1:
            return f"{rows}; the most probable state is {'another' if changed else 'the same'}."
        return f"{rows}; the most probable state changes in {changed} of {every} patients."

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "summary": self.summary,
            "rows": plain_lines(self.rows),
            "patients": plain_lines(self.patients),
            "probabilities": plain_lines(self.frame),
            "priors": [self.first.digest, self.second.digest],
            "disclaimer": DISCLAIMER,
        }


@checked
def compare(
    first: Model,
    second: Model,
    findings: Mapping[str, Any] | Evidence | pd.DataFrame | None = None,
    /,
    *,
    record: str | None = None,
    **named: Any,
) -> ModelComparison:
    """Two models on one patient, or on many: the rows that differ, and the posteriors side by side.

    Args:
        first, second: models with the same target and states, for example of two priors folders.
        findings: those of one patient, or a DataFrame of patients as for `model.posteriors`.
        record: the kind of record, as for `model.posterior`.

    Raises:
        FindingsError, ImpossibleEvidence: as `model.posterior`.
        QuestionError: if the models have different targets or states.

    >>> import calcinosis as cc
    >>> model = cc.load()
    >>> other = model.with_row("warfarin", subtype="calciphylaxis", esrd="no", yes=0.05)
    >>> cc.compare(model, other, warfarin="yes", esrd="no", pain="severe")
    1 row differs; the most probable state is the same.
    For research and teaching. Not a medical device; not medical advice.
    """
    import pandas as pd

    if (first.target, first.states) != (second.target, second.states):
        raise QuestionError("the two models have different targets or states, so their answers cannot be compared")
    states = list(first.states)
    if isinstance(findings, Mapping | Evidence) or findings is None:
        answers = [pd.DataFrame([m.probabilities(findings, record=record, **named)]) for m in (first, second)]
        names = [""]
    else:
        both = [m.posteriors(findings, record=record) for m in (first, second)]
        kept = both[0][states].notna().all(axis=1) & both[1][states].notna().all(axis=1)
        answers = [answer.loc[kept, states] for answer in both]
        names = [str(name) for name in answers[0].index]
    one, other = (answer[states].to_numpy(dtype=float) for answer in answers)
    patients = pd.DataFrame(
        {
            "patient": names,
            "first": [states[i] for i in one.argmax(axis=1)],
            "second": [states[i] for i in other.argmax(axis=1)],
            "changed": one.argmax(axis=1) != other.argmax(axis=1),
            "largest": abs(other - one).max(axis=1),
        }
    )
    frame = pd.DataFrame(
        {
            "patient": [name for name in names for _ in states],
            "state": states * len(names),
            "first": one.ravel(),
            "second": other.ravel(),
            "difference": (other - one).ravel(),
        }
    )
    return ModelComparison(first, second, _rows(first, second), frame, patients)


def _rows(first: Model, second: Model) -> pd.DataFrame:
    """The entries that differ; models of network files have no rows to compare."""
    import pandas as pd

    lines: list[dict[str, Any]] = []
    if first.priors is not None and second.priors is not None:
        before, after = (dict(_entries(_folder(model))) for model in (first, second))
        nothing = (float("nan"), float("nan"))
        for key in [*before, *(key for key in after if key not in before)]:
            if before.get(key) != after.get(key):
                (p, weight), (q, other) = before.get(key, nothing), after.get(key, nothing)
                names = dict(zip(("table", "given", "state"), key, strict=True))
                lines.append(names | {"first": p, "second": q, "weight_first": weight, "weight_second": other})
    return pd.DataFrame(lines, columns=["table", "given", "state", "first", "second", "weight_first", "weight_second"])


def _folder(model: Model) -> Priors:
    """The priors of a model's folder, whatever kind of record it reads."""
    priors = (model.base or model).priors
    assert priors is not None
    return priors


def _entries(priors: Priors) -> Iterator[tuple[tuple[str, str, str], tuple[float, float]]]:
    """The entries of the tables and of the rates at which records mention findings."""
    every = priors.with_mentions(EACH)
    for name, table in every.tables.items():
        states = every.variables[name].state_names
        for row in table.rows:
            given = ", ".join(f"{parent}={cell}" for parent, cell in zip(table.parents, row.given, strict=True))
            for state, probability in zip(states, row.probabilities, strict=True):
                yield (name, given, state), (probability, row.weight)
