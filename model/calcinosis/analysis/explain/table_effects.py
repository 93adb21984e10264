"""The rows of the tables behind a finding: how its weight of evidence changes with each of them.

The derivative of the log-odds of a hypothesis by the logarithm of a table's entry is the difference in the expected use
of that entry between the hypothesis and its alternative (Darwiche, A differential approach to inference in Bayesian
networks, Journal of the ACM 50, 2003). With u for these differences in a row with probabilities p, the slope by the
log-odds of entry i, the others keeping their ratios, is u_i - p_i Σu.

The contribution of a finding to the slopes is the slope of its own weight of evidence. It depends on the other
findings, so it is averaged over two cases: no other finding, and all other findings.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from calcinosis.analysis.explain.hypothesis import Hypothesis
from calcinosis.inference.findings.evidence import Evidence
from calcinosis.inference.intervals.elimination import Family, contract
from calcinosis.inference.model import Model
from calcinosis.inference.network import Array

if TYPE_CHECKING:
    from calcinosis.analysis.explain.explanation import Explanation

LEAST_SLOPE = 0.1
"""Rows with a smaller slope are not named: their effect is below a tenth of that of the finding's own row."""


def slopes_of_findings(
    model: Model,
    evidence: Evidence,
    hypothesis: Hypothesis,
    background: Evidence,
    variables: Collection[str] | None = None,
) -> dict[str, Array]:
    """By variable of `evidence`, the slope of its weight of evidence by the log-odds of each entry: axis `(entries,)`,
    in the order of `model.entries`. The `background` is always known. Only for the given `variables`, if any.
    """

    def slopes(*parts: Evidence) -> Array:
        findings = tuple(finding for part in (background, *parts) for finding in part)
        return slopes_of_odds(model, Evidence(findings), hypothesis)

    nothing, everything = slopes(), slopes(evidence)
    by_variable = {}
    for finding in evidence:
        if variables is not None and finding.variable not in variables:
            continue
        alone = Evidence((finding,))
        others = Evidence(tuple(other for other in evidence if other is not finding))
        by_variable[finding.variable] = (slopes(alone) - nothing + everything - slopes(others)) / 2
    return by_variable


def slopes_of_odds(model: Model, evidence: Evidence, hypothesis: Hypothesis) -> Array:
    """The slope of the log-odds of a hypothesis by the log-odds of each entry: axis `(entries,)`, between -1 and 1 for
    an entry that is used once."""
    contraction = contract(model.network, evidence)
    rows = contraction.rows()
    factors = [family.factor(table) for family, table in zip(contraction.families, rows, strict=True)]
    weights = contraction.weights(factors)
    entries = model.entries
    slopes = np.zeros(len(entries.values))
    sides = [_shares(hypothesis, side, weights) for side in (hypothesis.chosen, hypothesis.against)]
    by_state = sides[0] - sides[1]
    for family, table, factor, derivative in zip(
        contraction.families, rows, factors, contraction.derivatives(factors), strict=True
    ):
        used = np.tensordot(by_state, derivative * factor, axes=1)
        if family.closed:
            used = used[:, None] * _uses(family, table)
        used = used - table * used.sum(axis=1, keepdims=True)
        states = table.shape[1]
        places = entries.first[family.variable] + family.rows[:, None] * states + np.arange(states)
        slopes[places] = used
    return slopes


def _shares(hypothesis: Hypothesis, side: Sequence[str], weights: Array) -> Array:
    """The inverse weight of a side for its states; 0 for the others."""
    mine = np.array([state in side for state in hypothesis.states])
    return np.asarray(mine / weights[mine].sum())


def _uses(family: Family, rows: Array) -> Array:
    """The expected use of each entry of a row by the observed results, axes `(rows, states)`."""
    weighed = family.likelihoods[:, None, :] * rows[None]
    total = weighed.sum(axis=2, keepdims=True)
    return np.asarray(np.divide(weighed, total, out=np.zeros_like(weighed), where=total > 0).sum(axis=0))


MOST_ROWS_EACH = 3
"""Maximum rows named from the finding's own table, and from other tables."""

TRACE = 1e-6
"""Rows of the finding's own table with a smaller slope have no effect."""


class RowsOfFinding(NamedTuple):
    """The rows behind a finding, each as the number of one of its entries in `model.entries`, the steepest first: rows
    of its `own` table and of `others`."""

    own: tuple[int, ...]
    others: tuple[int, ...]


def rows_of_finding(explanation: Explanation, variable: str) -> RowsOfFinding:
    """The rows of the tables behind one finding: as `explanation.rows`, but including rows of its own table with a
    small slope, since its numbers are there.

    Raises:
        NetworkError: if the treewidth is too large for exact inference on the tables.

    >>> import calcinosis as cc
    >>> why = cc.explain(cc.load(), radiograph="nodular_mass", cirrhosis="yes")
    >>> [why.model.entries.names[place] for place in rows_of_finding(why, "radiograph").own[:1]]
    ['radiograph=nodular_mass@form=calciphylaxis_uraemic/calciphylaxis_nonuraemic']
    """
    model, findings, hypothesis = explanation.model, explanation.findings, explanation.hypothesis
    slopes = slopes_of_findings(model, findings, hypothesis, explanation.background, [variable])[variable]
    first, size = model.entries.first[variable], model.network.rows(variable).size
    mine = np.zeros(len(slopes), dtype=bool)
    mine[first : first + size] = True
    # rows of its own table are named by the observed entry, other rows by the steepest
    seen = np.array(findings[variable].likelihoods).max(axis=0) > 0
    own = np.where(mine, slopes, 0.0)
    own[first : first + size] *= np.tile(seen, size // len(seen))
    return RowsOfFinding(_steepest(model, own, TRACE), _steepest(model, np.where(mine, 0.0, slopes), LEAST_SLOPE))


def _steepest(model: Model, slopes: Array, least: float) -> tuple[int, ...]:
    """The steepest entry of each of the steepest rows."""
    strength = np.abs(slopes)
    by_row: dict[int, int] = {}
    for place in np.argsort(-strength, kind="stable").tolist():
        if strength[place] < least or len(by_row) == MOST_ROWS_EACH:
            break
        by_row.setdefault(int(model.entries.rows[place]), place)
    return tuple(by_row.values())
