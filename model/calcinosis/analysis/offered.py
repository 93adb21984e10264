"""Which tests can be done next, and every outcome that each may have."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from itertools import product
from math import prod

import numpy as np

from calcinosis.inference.coding import Coder, Codes
from calcinosis.inference.evidence import Evidence
from calcinosis.inference.model import Model
from calcinosis.inference.network import Array
from calcinosis.inference.question_error import QuestionError
from calcinosis.knowledge.records import ClinicalTest

MOST_OUTCOMES = 2**20
"""How many outcomes are looked at at once."""


def tests_of(model: Model) -> tuple[ClinicalTest, ...]:
    """The tests of the model's priors folder; where it has none, looking at each variable is a test."""
    if model.priors is not None and model.priors.tests:
        return tuple(model.priors.tests.values())
    seen = [v for v in model.variables.values() if v.group != "hidden" and v.name != model.target]
    looks = [ClinicalTest(v.name, v.label or v.name, (v.name,), 0.0, 0.0, 0.0, ()) for v in seen]
    again = [
        replace(look, name=f"{v.name}_again", label=f"{look.label}, again", after=(v.name,))
        for v, look in zip(seen, looks, strict=True)
        if v.repeatable
    ]
    return (*looks, *again)


def offered(model: Model, tests: Collection[ClinicalTest], known: Collection[str]) -> list[ClinicalTest]:
    """The tests that would reveal something not yet known, each with only that.

    A repeatable variable counts as known once it has a result, except for a test that comes `after` it; and once it has
    one, a first look at it is no longer offered.
    """
    found = []
    for test in tests:
        repeats = {name for name in test.after if model.variables[name].repeatable}
        again = {name for name in test.reveals if model.variables[name].repeatable and name in known} - repeats
        reveals = tuple(name for name in test.reveals if name not in known or name in repeats)
        if reveals and not again and all(name in known for name in test.after):
            found.append(replace(test, reveals=reveals))
    return found


@dataclass(frozen=True, eq=False)
class Outcomes:
    """Every outcome of some tests, done one after the other beside what is known of a patient.

    `joint`, axes `(outcomes, states)`, is how probable each outcome is together with each state of the target, given
    the findings. `results`, axes `(outcomes, looks)`, is the state that each variable of `reveals` shows, by number.
    """

    reveals: tuple[str, ...]
    results: Codes
    joint: Array


def outcomes(model: Model, evidence: Evidence, reveals: tuple[str, ...]) -> Outcomes:
    """Every outcome of looking at some variables, one of them perhaps several times; the last varies fastest.

    Raises:
        QuestionError: if there are more than a million.
    """
    count = prod(len(model.variables[name].states) for name in reveals)
    if count > MOST_OUTCOMES:
        raise QuestionError(f"{', '.join(reveals)} have {count:,} outcomes together, too many to look at each")
    results = np.array(list(product(*(range(len(model.variables[name].states)) for name in reveals))), dtype=np.int32)
    coder = Coder(model.engine.base)
    codes: dict[str, Codes] = {
        f.variable: np.full(count, coder.code(f.variable, f.likelihoods)[0], dtype=np.int32) for f in evidence
    }
    for name in dict.fromkeys(reveals):
        size = len(model.variables[name].states)
        before = evidence[name].likelihoods if name in evidence else ()
        columns = results[:, [place for place, other in enumerate(reveals) if other == name]]
        shown, which = np.unique(columns, axis=0, return_inverse=True)
        own = [
            coder.code(name, [*before, *(tuple(np.eye(size)[state].tolist()) for state in looks)])[0]
            for looks in shown.tolist()
        ]
        codes[name] = np.array(own, dtype=np.int32)[which.ravel()]
    weights = model.engine.weigh(coder.coded(count, codes, np.zeros(count, dtype=np.int64)))
    scaled = np.exp(weights.logarithms - np.logaddexp.reduce(weights.logarithms, axis=None))
    return Outcomes(reveals, results, scaled)
