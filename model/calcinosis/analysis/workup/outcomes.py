"""Available tests, every outcome each may have, and the evidence extended by results."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import prod

import numpy as np

from calcinosis.inference.findings.encoding import Coder, Codes
from calcinosis.inference.findings.evidence import Evidence
from calcinosis.inference.findings.reader import certain, finding_from
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
    seen = [v for v in model.variables.values() if v.name not in model.inferred]
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


def outcomes(model: Model, evidence: Evidence, looks: Sequence[tuple[str, ...]]) -> list[Outcomes]:
    """For each of several sets of variables, every outcome of looking at them; the last varies fastest.

    A variable that is named several times is looked at several times. All are weighed at once.

    Raises:
        QuestionError: if one set has more than a million outcomes.
    """
    if not looks:
        return []
    results = [_results(model, reveals) for reveals in looks]
    bounds = np.cumsum([0, *map(len, results)])
    coder = Coder(model.engine.base)
    names = dict.fromkeys([finding.variable for finding in evidence] + [name for reveals in looks for name in reveals])
    codes: dict[str, Codes] = {}
    tables: dict[tuple[str, int], Codes] = {}
    for name in names:
        codes[name] = np.full(bounds[-1], _codes(model, evidence, coder, name, 0)[0], dtype=np.int32)
    for reveals, own, first, last in zip(looks, results, bounds, bounds[1:], strict=False):
        for name in dict.fromkeys(reveals):
            shown = own[:, [place for place, other in enumerate(reveals) if other == name]]
            count, size = shown.shape[1], len(model.variables[name].states)
            table = tables.get((name, count))
            if table is None:
                table = tables[name, count] = _codes(model, evidence, coder, name, count)
            codes[name][first:last] = table[shown @ (size ** np.arange(count)[::-1])]
    weights = model.engine.weigh(coder.coded(int(bounds[-1]), codes))
    # outcomes that are all improbable lose no digits: each set is scaled by its own most probable
    parts = np.split(weights.logarithms, bounds[1:-1])
    scaled = [np.exp(part - part.max()) for part in parts]
    return [
        Outcomes(reveals, own, joint / joint.sum()) for reveals, own, joint in zip(looks, results, scaled, strict=True)
    ]


def _results(model: Model, reveals: tuple[str, ...]) -> Codes:
    """Every combination of states that some looks can show, axes `(outcomes, looks)`."""
    sizes = [len(model.variables[name].states) for name in reveals]
    if prod(sizes) > MOST_OUTCOMES:
        raise QuestionError(f"{', '.join(reveals)} have {prod(sizes):,} outcomes together, too many to look at each")
    return np.indices(sizes).reshape(len(sizes), -1).T


def _codes(model: Model, evidence: Evidence, coder: Coder, name: str, looks: int) -> Codes:
    """The code of a variable after each combination of further looks, beside what is known of it."""
    known = evidence.get(name)
    before = known.likelihoods if known else ()
    certain = np.eye(len(model.variables[name].states)).tolist()
    return np.array([coder.code(name, [*before, *shown])[0] for shown in product(certain, repeat=looks)])


Shown = tuple[tuple[str, tuple[str, ...]], ...]
"""The results of tests: variables, each with the states that were shown of it, in no order, so that it can be a key."""


def shown(model: Model, reveals: Sequence[str], results: Sequence[int]) -> Shown:
    """The results that looks at some variables gave, each by the number of its state.

    >>> import calcinosis as cc
    >>> shown(cc.load(), ["vascular_histology", "vasculopathy", "vascular_histology"], [1, 0, 0])
    (('vascular_histology', ('absent', 'intramural_calcification')), ('vasculopathy', ('no',)))
    """
    found: dict[str, list[str]] = {}
    for name, number in zip(reveals, results, strict=True):
        found.setdefault(name, []).append(model.variables[name].state_names[number])
    return tuple((name, tuple(sorted(states))) for name, states in sorted(found.items()))


def with_results(model: Model, evidence: Evidence, results: Mapping[str, Sequence[str]]) -> Evidence:
    """The evidence with further results, the states shown of each variable; those of before are kept.

    >>> import calcinosis as cc
    >>> model = cc.load()
    >>> first = model.read(vascular_histology="absent")
    >>> print(with_results(model, first, {"vascular_histology": ["absent", "intramural_calcification"]}))
    vascular_histology = absent,absent,intramural_calcification
    """
    found = {finding.variable: finding for finding in evidence}
    for name, states in results.items():
        variable = model.variables[name]
        before = found[name].likelihoods if name in found else ()
        found[name] = finding_from(variable, (*before, *certain(variable, *states).likelihoods))
    return Evidence(tuple(found[name] for name in model.variables if name in found), evidence.notes)
