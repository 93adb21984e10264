"""Through which rows of the tables a finding weighs: where its weight of evidence would move if they did.

The log-odds of a hypothesis rise with the logarithm of a table's entry by how much more often that entry is expected to
be used if the hypothesis is true than if it is not (Darwiche, A differential approach to inference in Bayesian
networks, Journal of the ACM 50, 2003). With u for these differences in a row with probabilities p, the slope by the
log-odds of entry i, the others keeping their ratios, is u_i - p_i Σu.

What a finding adds to the slopes is the slope of its own weight. It depends on what else is known, so it is taken
twice: with nothing else known and with all else known, the first and the last place a finding can have in an order, and
averaged.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from calcinosis.analysis.explain.hypothesis import Hypothesis
from calcinosis.inference.findings.evidence import Evidence
from calcinosis.inference.intervals.elimination import Family, contract
from calcinosis.inference.model import Model
from calcinosis.inference.network import Array


def slopes_of_findings(
    model: Model,
    evidence: Evidence,
    hypothesis: Hypothesis,
    background: Evidence,
    variables: Collection[str] | None = None,
) -> dict[str, Array]:
    """By variable of `evidence`, how its weight of evidence moves with the log-odds of each entry: axis `(entries,)`,
    in the order of `model.entries`. The `background` is known in any case. Only of some `variables`, if they are given.
    """

    def slopes(*known: Evidence) -> Array:
        findings = tuple(finding for own in (background, *known) for finding in own)
        return slopes_of_odds(model, Evidence(findings), hypothesis)

    nothing, everything = slopes(), slopes(evidence)
    found = {}
    for finding in evidence:
        if variables is not None and finding.variable not in variables:
            continue
        alone = Evidence((finding,))
        others = Evidence(tuple(other for other in evidence if other is not finding))
        found[finding.variable] = (slopes(alone) - nothing + everything - slopes(others)) / 2
    return found


def slopes_of_odds(model: Model, evidence: Evidence, hypothesis: Hypothesis) -> Array:
    """How the log-odds of a hypothesis move with the log-odds of each entry: axis `(entries,)`, within -1 and 1 for an
    entry that is used once."""
    contraction = contract(model.network, evidence)
    rows = contraction.rows()
    factors = [family.factor(own) for family, own in zip(contraction.families, rows, strict=True)]
    weights = contraction.weights(factors)
    entries = model.entries
    found = np.zeros(len(entries.values))
    sides = [_shares(hypothesis, side, weights) for side in (hypothesis.chosen, hypothesis.against)]
    by_state = sides[0] - sides[1]
    for family, own, factor, derivative in zip(
        contraction.families, rows, factors, contraction.derivatives(factors), strict=True
    ):
        used = np.tensordot(by_state, derivative * factor, axes=1)
        if family.closed:
            used = used[:, None] * _uses(family, own)
        used = used - own * used.sum(axis=1, keepdims=True)
        states = own.shape[1]
        places = entries.first[family.variable] + family.rows[:, None] * states + np.arange(states)
        found[places] = used
    return found


def _shares(hypothesis: Hypothesis, side: Sequence[str], weights: Array) -> Array:
    """One over the weight of a side, for its states; 0 for the others."""
    mine = np.array([state in side for state in hypothesis.states])
    return np.asarray(mine / weights[mine].sum())


def _uses(family: Family, rows: Array) -> Array:
    """How often each entry of a row is expected to be used by the results that were found, axes `(rows, states)`."""
    weighed = family.likelihoods[:, None, :] * rows[None]
    total = weighed.sum(axis=2, keepdims=True)
    return np.asarray(np.divide(weighed, total, out=np.zeros_like(weighed), where=total > 0).sum(axis=0))
