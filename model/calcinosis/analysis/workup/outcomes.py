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
from calcinosis.knowledge.decisions import ClinicalTest

MOST_OUTCOMES = 2**20
"""Maximum number of outcomes weighed at once."""


def tests_of(model: Model) -> tuple[ClinicalTest, ...]:
    """The tests of the model's priors folder; without any, observing each variable is a test."""
    if model.priors is not None and model.priors.tests:
        return tuple(model.priors.tests.values())
    observable = [v for v in model.variables.values() if v.name not in model.inferred]
    tests = [ClinicalTest(v.name, v.label, (v.name,), 0.0, 0.0, 0.0, ()) for v in observable]
    repeats = [
        replace(test, name=f"{v.name}_again", label=f"{test.label}, again", after=(v.name,))
        for v, test in zip(observable, tests, strict=True)
        if v.repeatable
    ]
    return (*tests, *repeats)


def offered(model: Model, tests: Collection[ClinicalTest], known: Collection[str]) -> list[ClinicalTest]:
    """The available tests: those that would reveal something not yet known, restricted to that.

    A repeatable variable counts as known once it has a result, except for a test that comes `after` it; a first test of
    it is then no longer available.
    """
    available = []
    for test in tests:
        repeats = {name for name in test.after if model.variables[name].repeatable}
        again = {name for name in test.reveals if model.variables[name].repeatable and name in known} - repeats
        reveals = tuple(name for name in test.reveals if name not in known or name in repeats)
        if reveals and not again and all(name in known for name in test.after):
            available.append(replace(test, reveals=reveals))
    return available


@dataclass(frozen=True, eq=False)
class Outcomes:
    """Every outcome of a sequence of tests, given a patient's findings.

    `joint`, axes `(outcomes, states)`, is the probability of each outcome together with each state of the target, given
    the findings. `results`, axes `(outcomes, results)`, is the number of the observed state of each variable in
    `reveals`.
    """

    reveals: tuple[str, ...]
    results: Codes
    joint: Array


def outcomes(model: Model, evidence: Evidence, sequences: Sequence[tuple[str, ...]]) -> list[Outcomes]:
    """Every outcome of observing each of several sequences of variables; the last variable varies fastest.

    A variable that occurs several times is observed several times. All outcomes are weighed at once.

    Raises:
        QuestionError: if a sequence has more than a million outcomes.
    """
    if not sequences:
        return []
    results = [_results(model, reveals) for reveals in sequences]
    bounds = np.cumsum([0, *map(len, results)])
    coder = Coder(model.engine.base)
    names = dict.fromkeys(
        [finding.variable for finding in evidence] + [name for reveals in sequences for name in reveals]
    )
    codes: dict[str, Codes] = {}
    tables: dict[tuple[str, int], Codes] = {}
    for name in names:
        codes[name] = np.full(bounds[-1], _codes(model, evidence, coder, name, 0)[0], dtype=np.int32)
    for reveals, own, first, last in zip(sequences, results, bounds, bounds[1:], strict=False):
        for name in dict.fromkeys(reveals):
            observed = own[:, [place for place, other in enumerate(reveals) if other == name]]
            count, size = observed.shape[1], len(model.variables[name].states)
            table = tables.get((name, count))
            if table is None:
                table = tables[name, count] = _codes(model, evidence, coder, name, count)
            codes[name][first:last] = table[observed @ (size ** np.arange(count)[::-1])]
    weights = model.engine.weigh(coder.coded(int(bounds[-1]), codes))
    # scale each sequence by its most probable outcome, so that improbable ones lose no digits
    parts = np.split(weights.logarithms, bounds[1:-1])
    scaled = [np.exp(part - part.max()) for part in parts]
    return [
        Outcomes(reveals, own, joint / joint.sum())
        for reveals, own, joint in zip(sequences, results, scaled, strict=True)
    ]


def _results(model: Model, reveals: tuple[str, ...]) -> Codes:
    """Every combination of states of a sequence of variables, axes `(outcomes, results)`."""
    sizes = [len(model.variables[name].states) for name in reveals]
    if prod(sizes) > MOST_OUTCOMES:
        raise QuestionError(
            f"{', '.join(reveals)} have {prod(sizes):,} outcomes together: at most {MOST_OUTCOMES:,} can be weighed"
        )
    return np.indices(sizes).reshape(len(sizes), -1).T


def _codes(model: Model, evidence: Evidence, coder: Coder, name: str, results: int) -> Codes:
    """The code of a variable after each combination of further results, in addition to its findings."""
    finding = evidence.get(name)
    before = finding.likelihoods if finding else ()
    certain = np.eye(len(model.variables[name].states)).tolist()
    return np.array([coder.code(name, [*before, *further])[0] for further in product(certain, repeat=results)])


Shown = tuple[tuple[str, tuple[str, ...]], ...]
"""The results of tests: variables, each with its observed states in sorted order, so that it can be a key."""


def shown(model: Model, reveals: Sequence[str], results: Sequence[int]) -> Shown:
    """The results of observing some variables, each given by the number of its state.

    >>> import calcinosis as cc
    >>> shown(cc.load(), ["vascular_histology", "vasculopathy", "vascular_histology"], [1, 0, 0])
    (('vascular_histology', ('absent', 'intramural_calcification')), ('vasculopathy', ('no',)))
    """
    by_variable: dict[str, list[str]] = {}
    for name, number in zip(reveals, results, strict=True):
        by_variable.setdefault(name, []).append(model.variables[name].state_names[number])
    return tuple((name, tuple(sorted(states))) for name, states in sorted(by_variable.items()))


def with_results(model: Model, evidence: Evidence, results: Mapping[str, Sequence[str]]) -> Evidence:
    """The evidence extended by further results, given by the observed states of each variable.

    >>> import calcinosis as cc
    >>> model = cc.load()
    >>> first = model.read(vascular_histology="absent")
    >>> print(with_results(model, first, {"vascular_histology": ["absent", "intramural_calcification"]}))
    vascular_histology = absent,absent,intramural_calcification
    """
    findings = {finding.variable: finding for finding in evidence}
    for name, states in results.items():
        variable = model.variables[name]
        before = findings[name].likelihoods if name in findings else ()
        findings[name] = finding_from(variable, (*before, *certain(variable, *states).likelihoods))
    return Evidence(tuple(findings[name] for name in model.variables if name in findings), evidence.notes)
