"""Sensitivity over many patients: which rows of the tables, and which sources, matter most across them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from calcinosis.analysis.sensitivity.covariation import Scheme
from calcinosis.analysis.sensitivity.one_way import one_way
from calcinosis.analysis.sensitivity.uncertainty import DRAWS_EACH, uncertainty
from calcinosis.inference.findings.evidence import Evidence
from calcinosis.inference.findings.grammar import is_mentioned
from calcinosis.inference.findings.reader import Fault, FindingsError, show
from calcinosis.inference.model import Model
from calcinosis.inference.posterior import CREDIBLE
from calcinosis.inference.question_error import QuestionError
from calcinosis.knowledge.arguments import checked
from calcinosis.knowledge.problem import choose_from
from calcinosis.knowledge.records import ASKED, EACH, RECORD

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class AcrossPatients:
    """What the diagnoses of many patients hang on.

    - `patients`: one line per patient: patient, leading, probability, lower, upper (its interval), leads (how probable
      it is that it truly leads), fragile (how many entries could flip it within their intervals), nearest (the entry
      whose flip is the nearest in distance), flips_to, distance.
    - `entries`: one line per entry of the tables, the most important first: entry, value, weight, source, flips (in how
      many patients it could flip the diagnosis within its interval), swing (how far the leading state's posterior moves
      over that interval, on average over the patients), largest_swing.
    - `sources`: one line per source: source, first_order and total (its share of the variance of the leading state's
      posterior, on average over the patients), kind, citation.
    """

    patients: pd.DataFrame
    entries: pd.DataFrame
    sources: pd.DataFrame


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
        FindingsError, ImpossibleEvidence: for the first patient whose findings are at fault.
        ValueError: if there is no patient; for draws, mass or scheme as `uncertainty` and `one_way`.

    >>> import calcinosis as cc
    >>> found = cc.sensitivity.across_patients(cc.load(), cc.cases().head(2), draws=200)
    >>> len(found.patients), len(found.entries)
    (2, 713)
    """
    import pandas as pd

    if not isinstance(patients, Mapping):
        model = model.by_record(patients.columns)
    read = _read(model, patients)
    lines, swings, flips, shares = [], [], [], []
    for name, evidence in read.items():
        found = one_way(model, evidence, scheme=scheme, mass=mass)
        frame, posterior = found.frame, found.posterior
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
    """The tables that an analysis gives for each of many patients, below one another, with a column `patient` first.

    A patient of whom it cannot be asked (QuestionError) has one line with the reason in the column `not_asked`. For
    patients from several kinds of record, give `model.recorded("each")`, here and to the analysis.

    Raises:
        FindingsError, ImpossibleEvidence: for the first patient whose findings are at fault.
        QuestionError: if there is no patient; for a column `record` if the model does not read each patient's own.

    >>> import calcinosis as cc
    >>> model = cc.load()
    >>> patients = cc.cases().head(2).drop(columns="record")
    >>> bounds = cc.sensitivity.each_patient(
    ...     model, patients, lambda known: cc.sensitivity.robust_bounds(model, known).frame
    ... )
    >>> len(bounds), bounds.columns[0]
    (10, 'patient')
    """
    import pandas as pd

    if not isinstance(patients, Mapping) and model.by_record(patients.columns) is not model:
        raise QuestionError("the patients have a column record: give model.recorded('each'), to the analysis too")
    parts = []
    for name, evidence in _read(model, patients).items():
        try:
            found = analysis(evidence)
        except QuestionError as error:
            found = pd.DataFrame({"not_asked": [str(error)]})
        if not hasattr(found, "columns"):
            raise TypeError(f"each_patient: analysis must return a pandas.DataFrame, not {type(found).__name__}")
        found = found.reset_index(drop=True)
        found.insert(0, "patient", name)
        parts.append(found)
    return pd.concat(parts, ignore_index=True)


def _read(model: Model, patients: Mapping[str, Evidence] | pd.DataFrame) -> Mapping[str, Evidence]:
    """The evidence of each patient; of a table by its index, cells perhaps in the units that headings name."""
    from calcinosis.inference.findings.batch import with_unit

    if not len(patients):
        raise QuestionError("there is no patient")
    if isinstance(patients, Mapping):
        return patients
    headings = model.headings(patients.columns)
    several = model.record == EACH and RECORD in patients.columns
    read = {}
    for name, row in zip(patients.index, patients.to_dict("records"), strict=True):
        kind = _kind(model, row[RECORD]) if several else None
        read[str(name)] = model.read({h.name: with_unit(row[h.column], h.unit) for h in headings}, record=kind)
    return read


def _kind(model: Model, cell: Any) -> str:
    """The kind of record that a cell names, `asked` where it is empty.

    Raises:
        FindingsError: for a kind that the priors do not have.
    """
    word = ASKED if is_mentioned(cell) is False else show(cell).strip()
    known = list(model.mentions_by_record)
    if word not in known:
        raise FindingsError([Fault(RECORD, word, "no such kind of record", choose_from(word, known))])
    return word


def _averaged(shares: list[pd.DataFrame], patients: int) -> pd.DataFrame:
    import pandas as pd

    if not shares or all(own.empty for own in shares):
        return pd.DataFrame(columns=["source", "first_order", "total", "kind", "citation"])
    every = pd.concat(shares)
    # a source that says nothing of a patient's findings has no share there
    found = every.groupby("source")[["first_order", "total"]].sum() / patients
    told = every.drop_duplicates("source").set_index("source")[["kind", "citation"]]
    return found.join(told).sort_values("total", ascending=False, kind="stable").reset_index()
