"""The evidence once further results are there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from calcinosis.inference.findings.evidence import Evidence
from calcinosis.inference.findings.reader import certain, finding_from
from calcinosis.inference.model import Model

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
