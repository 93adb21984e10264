"""Sensitivity across many patients: the rows of the tables, and the sources, with the largest effect."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from calcinosis.analysis.plain import plain_lines
from calcinosis.analysis.sensitivity.covariation import Scheme
from calcinosis.analysis.sensitivity.one_way import one_way
from calcinosis.analysis.sensitivity.uncertainty import DRAWS_EACH, uncertainty
from calcinosis.inference.findings.evidence import Evidence
from calcinosis.inference.findings.silence import record_kind
from calcinosis.inference.model import Model
from calcinosis.inference.posterior import CREDIBLE, DISCLAIMER
from calcinosis.inference.question_error import QuestionError
from calcinosis.inference.result import Result
from calcinosis.knowledge.arguments import checked
from calcinosis.knowledge.records import EACH, RECORD

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, repr=False)
class AcrossPatients(Result):
    """What the diagnoses of many patients depend on.

    - `patients`: one line per patient: patient, leading, probability, lower, upper (its interval), leads (the
      probability that it ranks first), fragile (number of entries that could change it within their intervals), nearest
      (the entry with the nearest flip), flips_to, distance.
    - `entries`: one line per entry of the tables, the most important first: entry, value, weight, source, flips (number
      of patients whose diagnosis it could change within its interval), swing (mean movement of the most probable
      state's posterior over that interval), largest_swing.
    - `sources`: one line per source: source, first_order and total (its mean share of the variance of the most probable
      state's posterior), kind, citation.
    """

    patients: pd.DataFrame
    entries: pd.DataFrame
    sources: pd.DataFrame

    @property
    def frame(self) -> pd.DataFrame:
        """One line per patient."""
        return self.patients

    @property
    def summary(self) -> str:
        """One sentence: in how many patients a single entry could change the diagnosis."""
        fragile = int((self.patients["fragile"] > 0).sum())
        return (
            f"In {fragile} of {len(self.patients)} patients a single entry of the tables could change the diagnosis "
            "within its credible interval."
        )

    @checked
    def to_dict(self, most: int | None = 10) -> dict[str, Any]:
        """The result as plain values, for JSON; all patients, the first `most` entries and sources."""
        return {
            "summary": self.summary,
            "patients": plain_lines(self.patients),
            "entries": plain_lines(self.entries, most),
            "sources": plain_lines(self.sources, most),
            "disclaimer": DISCLAIMER,
        }


@checked
def across_patients(
    model: Model,
    patients: Mapping[str, Evidence] | pd.DataFrame,
    /,
    *,
    scheme: Scheme = "proportional",
    mass: float = CREDIBLE,
    draws: int = DRAWS_EACH,
    seed: int = 0,
) -> AcrossPatients:
    """What the diagnoses of many patients depend on; a DataFrame has a patient per row, as for `model.posteriors`.

    A column `record` names each patient's kind of record, as there.

    Raises:
        FindingsError, ImpossibleEvidence: for the first patient with invalid findings.
        QuestionError: if there is no patient; for draws, mass or scheme as `uncertainty` and `one_way`.

    >>> import calcinosis as cc
    >>> result = cc.sensitivity.across_patients(cc.load(), cc.cases().head(2), draws=200)
    >>> len(result.patients), len(result.entries)
    (2, 713)
    """
    import pandas as pd

    if not isinstance(patients, Mapping):
        model = model.by_record(patients.columns)
    read = _read(model, patients)
    lines, swings, flips, shares = [], [], [], []
    for name, evidence in read.items():
        result = one_way(model, evidence, scheme=scheme, mass=mass)
        frame, posterior = result.frame, result.posterior
        lead = posterior.leading
        swings.append(frame["swing"].fillna(0.0).to_numpy())
        flips.append(frame["fragile"].to_numpy())
        distances = frame["distance"].to_numpy()
        nearest = int(np.nanargmin(distances)) if np.isfinite(distances).any() else -1
        line = {"patient": name, "leading": lead, "probability": posterior[lead]}
        if model.second_order is not None:
            spread = posterior.spread(mass)
            place = list(posterior).index(lead)
            line |= {"lower": spread.lower[place], "upper": spread.upper[place], "leads": spread.leads[place]}
            sources = uncertainty(model, evidence, draws=draws, seed=seed, mass=mass).by_source
            shares.append(sources[sources["state"] == lead].assign(patient=name))
        flip = frame.iloc[nearest]
        line |= {
            "fragile": int(frame["fragile"].sum()),
            "nearest": flip["entry"] if nearest >= 0 else None,
            "flips_to": flip["flips_to"] if nearest >= 0 else None,
            "distance": float(flip["distance"]) if nearest >= 0 else np.inf,
        }
        lines.append(line)
    entries = model.entries.frame[["entry", "value", "weight", "source"]].assign(
        flips=np.sum(flips, axis=0), swing=np.mean(swings, axis=0), largest_swing=np.max(swings, axis=0)
    )
    entries = entries.sort_values(["flips", "swing"], ascending=False, kind="stable", ignore_index=True)
    return AcrossPatients(pd.DataFrame(lines), entries, _averaged(shares, len(read)))


@checked
def each_patient(
    model: Model,
    patients: Mapping[str, Evidence] | pd.DataFrame,
    analysis: Callable[[Evidence], pd.DataFrame],
    /,
) -> pd.DataFrame:
    """The table of an analysis for each of many patients, concatenated, with a first column `patient`.

    A patient for whom the analysis raises QuestionError has one line with the reason in the column `not_asked`. For
    patients from several kinds of record, give `model.recorded("each")`, here and to the analysis.

    Raises:
        FindingsError, ImpossibleEvidence: for the first patient with invalid findings.
        QuestionError: if there is no patient; for a column `record` if the model does not read it.

    >>> import calcinosis as cc
    >>> model = cc.load()
    >>> patients = cc.cases().head(2).drop(columns="record")
    >>> bounds = cc.sensitivity.each_patient(
    ...     model, patients, lambda evidence: cc.sensitivity.robust_bounds(model, evidence).frame
    ... )
    >>> len(bounds), bounds.columns[0]
    (10, 'patient')
    """
    import pandas as pd

    if not isinstance(patients, Mapping) and model.by_record(patients.columns) is not model:
        raise QuestionError("the patients have a column record: give model.recorded('each'), also to the analysis")
    parts = []
    for name, evidence in _read(model, patients).items():
        try:
            frame = analysis(evidence)
        except QuestionError as error:
            frame = pd.DataFrame({"not_asked": [str(error)]})
        if not hasattr(frame, "columns"):
            raise TypeError(f"each_patient: analysis must return a pandas.DataFrame, not {type(frame).__name__}")
        frame = frame.reset_index(drop=True)
        frame.insert(0, "patient", name)
        parts.append(frame)
    return pd.concat(parts, ignore_index=True)


def _read(model: Model, patients: Mapping[str, Evidence] | pd.DataFrame) -> Mapping[str, Evidence]:
    """The evidence of each patient; for a table by its index, with the units named in its headings."""
    from calcinosis.inference.findings.batch import with_unit

    if not len(patients):
        raise QuestionError("no patient: give at least one row")
    if isinstance(patients, Mapping):
        return patients
    headings = model.headings(patients.columns)
    several = model.record == EACH and RECORD in patients.columns
    read = {}
    for name, row in zip(patients.index, patients.to_dict("records"), strict=True):
        kind = record_kind(row[RECORD], model.mentions_by_record) if several else None
        read[str(name)] = model.read({h.name: with_unit(row[h.column], h.unit) for h in headings}, record=kind)
    return read


def _averaged(shares: list[pd.DataFrame], patients: int) -> pd.DataFrame:
    import pandas as pd

    if not shares or all(frame.empty for frame in shares):
        return pd.DataFrame(columns=["source", "first_order", "total", "kind", "citation"])
    together = pd.concat(shares)
    # a source that is not relevant to a patient's findings counts as 0 there
    means = together.groupby("source")[["first_order", "total"]].sum() / patients
    citations = together.drop_duplicates("source").set_index("source")[["kind", "citation"]]
    return means.join(citations).sort_values("total", ascending=False, kind="stable").reset_index()
