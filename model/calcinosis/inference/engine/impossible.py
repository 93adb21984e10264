"""Evidence of probability zero, and its smallest contradictory subset."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, islice

import numpy as np

from calcinosis.inference.engine.conditioning import Conditioned
from calcinosis.inference.engine.engine import Engine
from calcinosis.inference.findings.encoding import Coded, encode
from calcinosis.inference.findings.evidence import Evidence, Finding
from calcinosis.inference.findings.reader import Fault
from calcinosis.inference.question_error import QuestionError

AT_ONCE = 4096
"""The number of subsets of the findings evaluated in one batch."""

MOST_SUBSETS = 200_000
"""The maximum number of subsets searched for the smallest contradiction; beyond it, an irreducible one is returned."""


class ImpossibleEvidence(ValueError):  # noqa: N818 - a public name: the state of affairs, as in 'ZeroDivision'
    """Findings with joint probability zero; `clash` is the smallest contradictory subset."""

    def __init__(self, clash: tuple[Finding, ...]) -> None:
        self.clash = clash
        named = " and ".join(f"{f.variable}={f.given}" for f in clash)
        verb = "cannot be" if len(clash) == 1 else "cannot be true together"
        super().__init__(f"impossible evidence: {named} {verb}: one of them, or a zero in the tables, must be wrong")

    def fault(self, who: str) -> Fault:
        """The contradiction as an error of one patient among many."""
        names = ", ".join(finding.variable for finding in self.clash)
        values = ", ".join(finding.given for finding in self.clash)
        return Fault(f"{who}: {names}", values, "impossible evidence", "correct one of them")

    def __reduce__(self) -> tuple[type[ImpossibleEvidence], tuple[tuple[Finding, ...]]]:
        return type(self), (self.clash,)


def why_nothing(engine: Engine | Conditioned, evidence: Evidence) -> ImpossibleEvidence | QuestionError:
    """The error for evidence whose joint weight is 0: it is impossible, or its probability underflows.

    Whether results are possible does not depend on how often each was observed, but their probability does: that of a
    thousand improbable results may be below the smallest float.
    """
    once = Evidence(tuple(replace(f, likelihoods=tuple(dict.fromkeys(f.likelihoods))) for f in evidence))
    if _possible(engine, [once.findings])[0]:
        many = max(evidence, key=lambda finding: len(finding.likelihoods))
        return QuestionError(
            f"{len(many.likelihoods):,} results of {many.variable} have, with the other findings, a probability too "
            "small for a floating-point number: give fewer results"
        )
    return ImpossibleEvidence(smallest_clash(engine, once))


def smallest_clash(engine: Engine | Conditioned, evidence: Evidence) -> tuple[Finding, ...]:
    """The smallest set of findings with joint probability 0; of several, the first in order."""
    findings = evidence.findings
    budget = MOST_SUBSETS
    for size in range(1, len(findings) + 1):
        subsets = combinations(findings, size)
        while batch := list(islice(subsets, AT_ONCE)):
            budget -= len(batch)
            for subset, possible in zip(batch, _possible(engine, batch), strict=True):
                if not possible:
                    return subset
            if budget < 0:
                (clash,) = clashes(engine, encode(engine.base, [evidence]))
                return tuple(finding for finding in findings if finding.variable in clash)
    return findings


def _possible(engine: Engine | Conditioned, subsets: list[tuple[Finding, ...]]) -> list[bool]:
    weights = engine.weigh(encode(engine.base, [Evidence(subset) for subset in subsets])).weights
    return list(weights.sum(axis=1) > 0)


def clashes(engine: Engine | Conditioned, coded: Coded) -> list[tuple[str, ...]]:
    """For each patient with impossible evidence, the variables of an irreducible contradiction.

    Variables are dropped one by one, for all patients at once; the result is not always the smallest contradiction.
    """
    if not coded.patients:
        return []
    missing = {name: engine.base[name][()] for name in coded.codes}
    patterns, which = np.unique(np.stack(list(coded.codes.values()), axis=1), axis=0, return_inverse=True)
    codes = {name: patterns[:, i].copy() for i, name in enumerate(coded.codes)}
    few = Coded(len(patterns), codes, coded.further, np.zeros(len(patterns), dtype=np.int64))
    for name in codes:
        without = replace(few, codes=codes | {name: np.full_like(codes[name], missing[name])})
        possible = engine.weigh(without).weights.any(axis=1)
        codes[name][~possible] = missing[name]
    kept = [tuple(name for name in codes if codes[name][row] != missing[name]) for row in range(few.patients)]
    return [kept[i] for i in which.ravel().tolist()]
