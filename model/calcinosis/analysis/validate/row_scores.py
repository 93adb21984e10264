"""What patients tell of each row of the tables: how many belong there, and how much of that is information."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from calcinosis.inference.engine.conditioning import Conditioned
from calcinosis.inference.engine.expected_counts import informed_by
from calcinosis.inference.engine.family_marginals import family_posteriors
from calcinosis.inference.findings.encoding import Coded
from calcinosis.inference.model import Model
from calcinosis.inference.network import Array
from calcinosis.inference.question_error import QuestionError

BLOCK = 2**12
"""How many patients are taken at a time, so that memory stays bounded."""


@dataclass(frozen=True, eq=False)
class Counts:
    """What patients tell of a table.

    `cases`, axes `(rows, states)`, is the expected number of patients in each cell, of those who tell of the table at
    all: its variable, or one below it, was looked at in them. `informed`, axis `(rows,)`, is how many complete patients
    would tell as much: the number in the row times the share of the information that is not missing. With complete data
    it is their number.
    """

    cases: Array
    informed: Array


def row_counts(model: Model, coded: Coded) -> Mapping[str, Counts]:
    """What patients tell of each row, under the tables of the model.

    The information of a row with probabilities θ is Σ (q_k − q·θ_k)²/θ_k over the patients, q_k being the posterior of
    the cell and q that of the row; if nothing were missing it would be Σ q_k (1/θ_k − 1) (missing information
    principle: Orchard & Woodbury, 6th Berkeley Symposium, 1972; Louis, JRSS B 44, 1982).

    Raises:
        QuestionError: if the network is too tightly knit.

    >>> import calcinosis as cc
    >>> from calcinosis.inference.findings.encoding import encode
    >>> model = cc.load()
    >>> patients = encode(model.engine.base, [model.read(subtype="idiopathic", ulceration="no", pain="none")] * 4)
    >>> told = row_counts(model, patients)["pain"]
    >>> told.cases.sum(), told.informed.sum().round(9)
    (np.float64(4.0), np.float64(4.0))
    """
    if isinstance(model.engine, Conditioned):
        raise QuestionError("this network is too tightly knit to be asked about the rows of its tables")
    network, engine = model.network, model.engine
    informed = informed_by(engine, network, coded)
    cases = {name: np.zeros_like(network.rows(name)) for name in network.variables}
    seen = {name: np.zeros(len(own)) for name, own in cases.items()}
    whole = {name: np.zeros(len(own)) for name, own in cases.items()}
    for first in range(0, coded.patients, BLOCK):
        part = slice(first, first + BLOCK)
        for name, every in family_posteriors(engine, network, coded.some(part)):
            patients = len(coded.exponents[part])
            posterior = np.broadcast_to(every, (patients, *every.shape[1:]))[informed[name][part]]
            table = network.rows(name)
            inverse = np.divide(1.0, table, out=np.zeros_like(table), where=table > 0)
            total = posterior.sum(axis=0)
            cases[name] += total
            whole[name] += (total * (inverse - 1)).sum(axis=1)
            seen[name] += _told(posterior, table, inverse)
    return {name: Counts(own, _informed(own.sum(axis=1), seen[name], whole[name])) for name, own in cases.items()}


def _told(posterior: Array, table: Array, inverse: Array) -> Array:
    """The information that patients give of each row of a table, axis `(rows,)`."""
    row = posterior.sum(axis=2, keepdims=True)
    results = row.sum(axis=(1, 2))
    once = results < 1.5
    squares = (posterior[once] - row[once] * table) ** 2
    found: Array = (squares * inverse).sum(axis=(0, 2))
    # several results of one patient are certain each; what may be missing is which row they belong to
    several, many = posterior[~once], row[~once] / results[~once][:, None, None]
    return np.asarray(found + (several * many * (inverse - 1)).sum(axis=(0, 2)))


def _informed(cases: Array, seen: Array, whole: Array) -> Array:
    """The number of patients in each row times the share of the information that is not missing."""
    share = np.divide(seen, whole, out=np.zeros_like(seen), where=whole > 0)
    return np.asarray(cases * np.minimum(share, 1.0))
