"""The posteriors of many patients as arrays, the columns of a DataFrame or a file."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, replace

import numpy as np

from calcinosis.inference.engine.conditioning import Conditioned
from calcinosis.inference.engine.engine import Engine
from calcinosis.inference.engine.impossible import clashes
from calcinosis.inference.findings.batch import Prepared, prepare
from calcinosis.inference.findings.columns import Column, Heading
from calcinosis.inference.findings.encoding import Codes
from calcinosis.inference.findings.reader import Fault, show
from calcinosis.inference.network import Array, Network
from calcinosis.inference.question_error import QuestionError

PART = 2**16
"""The number of patients a core takes at a time."""

OK = "ok"
"""The status of a patient who has a posterior."""


@dataclass(frozen=True, eq=False)
class Scores:
    """The posteriors of many patients.

    `probabilities`, axes `(states, patients)`, are NaN where the status is not OK; `leading` is the number of the most
    probable state, -1 without a posterior; `log_evidence` is the natural logarithm of the probability of the evidence.
    `status` indexes `statuses`: first OK, then texts that begin with 'invalid: ' or 'impossible: ' and give the reason.
    `faults` lists the errors of each patient.
    """

    probabilities: Array
    leading: Codes
    log_evidence: Array
    status: Codes
    statuses: tuple[str, ...]
    faults: Mapping[int, tuple[Fault, ...]]


def score(
    engine: Engine | Conditioned,
    network: Network,
    columns: Mapping[Heading, Column],
    patients: int,
    cores: int = 0,
    wrong: Mapping[int, Fault] | None = None,
) -> Scores:
    """The posterior of each patient, with a status; no patient's result depends on another's.

    Patients are evaluated in parts that fit into a core's cache, on as many `cores` (0: all that this process may use).
    `wrong` has errors beyond the findings by patient, such as an unknown kind of record.
    """
    if patients < 0 or any(len(column) != patients for column in columns.values()):
        raise QuestionError(f"{patients} patients: give 0 or more, the length of every column")
    states = network.sizes[network.target]
    scores = Scores(
        np.empty((states, patients)),
        np.empty(patients, dtype=np.int8 if states < 2**7 else np.int32),
        np.empty(patients),
        np.zeros(patients, dtype=np.int32),
        (OK,),
        {},
    )

    prepared = prepare(columns, network.variables, network.corrections, engine.base)

    def fill(part: slice) -> tuple[int, Mapping[int, str], Mapping[int, tuple[Fault, ...]]]:
        part_faults = {row - part.start: fault for row, fault in (wrong or {}).items() if part.start <= row < part.stop}
        return part.start, *_fill(engine, prepared, columns, part, scores, part_faults)

    parts = [slice(first, min(first + PART, patients)) for first in range(0, patients, PART)]
    cores = min(cores or available_cores(), len(parts))
    with ThreadPoolExecutor(cores) if cores > 1 else nullcontext() as pool:
        reports = list(pool.map(fill, parts) if pool else map(fill, parts))
    statuses = {OK: 0}
    faults: dict[int, tuple[Fault, ...]] = {}
    for first, reasons, part_faults in reports:
        for row, reason in reasons.items():
            scores.status[first + row] = statuses.setdefault(reason, len(statuses))
        faults |= {first + row: some for row, some in part_faults.items()}
    return replace(scores, statuses=tuple(statuses), faults=faults)


def _fill(
    engine: Engine | Conditioned,
    prepared: Prepared,
    columns: Mapping[Heading, Column],
    part: slice,
    scores: Scores,
    wrong: Mapping[int, Fault],
) -> tuple[Mapping[int, str], Mapping[int, tuple[Fault, ...]]]:
    """Fill one part of the scores; returns the reasons and errors of patients without a posterior, from its start."""
    batch = prepared.part(part)
    faults = dict(batch.faults) | {row: (fault, *batch.faults.get(row, ())) for row, fault in wrong.items()}
    reasons = {row: "invalid: " + "; ".join(map(str, row_faults)) for row, row_faults in faults.items()}
    # joint weights of target and evidence, summed from left to right
    weighed = engine.weigh(batch.coded)
    weights = weighed.weights.T
    totals = weights[0].copy()
    for weight in weights[1:]:
        totals += weight
    # evidence of probability zero: name the contradictory findings
    none = np.flatnonzero(totals <= 0)
    for row, clash in zip(none.tolist(), clashes(engine, batch.coded.some(none)), strict=True):
        cells = {h.column: show(column.cell(part.start + row)) for h, column in columns.items() if h.name in clash}
        named = " and ".join(f"{column}={cell}" for column, cell in cells.items())
        reasons[row] = f"impossible: {named} cannot be{' true together' if len(cells) > 1 else ''}"
        fault = Fault(", ".join(cells), ", ".join(cells.values()), "impossible evidence", "correct one of them")
        faults[row] = (fault,)
    bad = np.fromiter(faults, dtype=np.intp, count=len(faults))
    totals[bad] = np.nan
    # normalise, then find the most probable state (the first, if several are equal)
    probabilities = np.divide(weights, totals, out=scores.probabilities[:, part])
    best = probabilities[0].copy()
    leading = np.zeros(len(best), dtype=scores.leading.dtype)
    for state, probability in enumerate(probabilities[1:], start=1):
        # take the later state if it is more probable, without a branch
        np.maximum(leading, (probability > best) * leading.dtype.type(state), out=leading)
        np.maximum(best, probability, out=best)
    leading[bad] = -1
    mantissa, power = np.frexp(totals)
    scores.log_evidence[part] = np.log(mantissa) + (power + weighed.exponents) * math.log(2)
    scores.log_evidence[part][none] = -np.inf
    scores.leading[part] = leading
    return reasons, faults


def available_cores() -> int:
    """The number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
