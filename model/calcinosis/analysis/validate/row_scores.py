"""Expected counts of patients in each row of the tables, and the effective number of complete patients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from calcinosis.inference.engine.conditioning import Conditioned
from calcinosis.inference.engine.expected_counts import informed_by
from calcinosis.inference.engine.marginals import family_posteriors
from calcinosis.inference.findings.encoding import Coded
from calcinosis.inference.model import Model
from calcinosis.inference.network import Array
from calcinosis.inference.question_error import QuestionError

BLOCK = 2**12
"""Number of patients processed at a time, to bound memory."""


@dataclass(frozen=True, eq=False)
class Counts:
    """Expected counts of patients in a table.

    `cases`, axes `(rows, states)`, is the expected number of patients in each cell, among those who are informative
    about the table: its variable, or a descendant, was observed. `informed`, axis `(rows,)`, is the equivalent number
    of complete patients: the number in the row times the share of the information that is not missing. With complete
    data it is their number.
    """

    cases: Array
    informed: Array


def row_counts(model: Model, coded: Coded) -> Mapping[str, Counts]:
    """The expected counts and the information of patients for each row, under the tables of the model.

    The information of a row with probabilities θ is Σ (q_k − q·θ_k)²/θ_k over the patients, q_k being the posterior of
    the cell and q that of the row; if nothing were missing it would be Σ q_k (1/θ_k − 1) (missing information
    principle: Orchard & Woodbury, 6th Berkeley Symposium, 1972; Louis, JRSS B 44, 1982).

    Raises:
        QuestionError: if the treewidth is too large for exact inference.

    >>> import calcinosis as cc
    >>> from calcinosis.inference.findings.encoding import encode
    >>> model = cc.load()
    >>> patients = encode(model.engine.base, [model.read(subtype="idiopathic", ulceration="no", pain="none")] * 4)
    >>> counts = row_counts(model, patients)["pain"]
    >>> counts.cases.sum(), counts.informed.sum().round(9)
    (np.float64(4.0), np.float64(4.0))
    """
    if isinstance(model.engine, Conditioned):
        raise QuestionError("the treewidth is too large for exact inference on the rows of the tables")
    network, engine = model.network, model.engine
    informed = informed_by(engine, network, coded)
    cases = {name: np.zeros_like(network.rows(name)) for name in network.variables}
    observed = {name: np.zeros(len(table)) for name, table in cases.items()}
    complete = {name: np.zeros(len(table)) for name, table in cases.items()}
    for first in range(0, coded.patients, BLOCK):
        part = slice(first, first + BLOCK)
        for name, posteriors in family_posteriors(engine, network, coded.some(part)):
            patients = len(coded.exponents[part])
            posterior = np.broadcast_to(posteriors, (patients, *posteriors.shape[1:]))[informed[name][part]]
            table = network.rows(name)
            inverse = np.divide(1.0, table, out=np.zeros_like(table), where=table > 0)
            total = posterior.sum(axis=0)
            cases[name] += total
            complete[name] += (total * (inverse - 1)).sum(axis=1)
            observed[name] += _observed(posterior, table, inverse)
    return {
        name: Counts(counts, _informed(counts.sum(axis=1), observed[name], complete[name]))
        for name, counts in cases.items()
    }


def _observed(posterior: Array, table: Array, inverse: Array) -> Array:
    """The observed information of each row of a table, axis `(rows,)`."""
    row = posterior.sum(axis=2, keepdims=True)
    results = row.sum(axis=(1, 2))
    once = results < 1.5
    squares = (posterior[once] - row[once] * table) ** 2
    single: Array = (squares * inverse).sum(axis=(0, 2))
    # several results of one patient are each certain; only the row they belong to may be missing
    several, many = posterior[~once], row[~once] / results[~once][:, None, None]
    return np.asarray(single + (several * many * (inverse - 1)).sum(axis=(0, 2)))


def _informed(cases: Array, observed: Array, complete: Array) -> Array:
    """The number of patients in each row times the share of the information that is not missing."""
    share = np.divide(observed, complete, out=np.zeros_like(observed), where=complete > 0)
    return np.asarray(cases * np.minimum(share, 1.0))
