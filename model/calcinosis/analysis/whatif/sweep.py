"""The posterior after every single change of a patient's findings, and after every pair of changes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from calcinosis.analysis.explain.hypothesis import Hypothesis
from calcinosis.analysis.plain import plain_lines
from calcinosis.analysis.whatif.changes import KINDS, Alternatives, Kind
from calcinosis.inference.engine.messages import Weights
from calcinosis.inference.findings.encoding import Codes
from calcinosis.inference.findings.evidence import Evidence
from calcinosis.inference.model import Model
from calcinosis.inference.network import Array
from calcinosis.inference.posterior import DISCLAIMER, Posterior
from calcinosis.inference.result import Result
from calcinosis.knowledge.arguments import checked

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, repr=False)
class WhatIf(Result):
    """The posterior after every change of a patient's findings.

    `frame` has one line per change, or per pair of changes, in the order of the variables: variable, kind (added,
    changed, repeated, removed; see `calcinosis.analysis.whatif.changes`), value, chance (the probability of this
    finding, given the unchanged ones; 1 for a removed finding), one column of probabilities per state of the target,
    leading, flips (whether another state ranks first), moved (the largest change of any state's probability). For
    pairs, the first three columns occur twice, with suffixes 1 and 2, and together is their interaction: the change of
    the most probable state's log-odds, in nats, beyond the sum of both alone (NaN where one of them is decisive).
    Changes with evidence of probability zero are omitted.
    """

    posterior: Posterior
    frame: pd.DataFrame

    @property
    def flips(self) -> pd.DataFrame:
        """The changes after which another state ranks first, the most probable first."""
        return self.frame[self.frame["flips"]].sort_values("chance", ascending=False, kind="stable", ignore_index=True)

    @property
    def summary(self) -> str:
        """One sentence: how many changes make another state rank first."""
        label = self.posterior.labels[self.posterior.leading]
        return (
            f"{int(self.frame['flips'].sum()):,} of {len(self.frame):,} possible changes of the findings make another "
            f"state more probable than {label}."
        )

    @checked
    def to_dict(self, most: int | None = None) -> dict[str, Any]:
        """The result as plain values, for JSON; the `most` lines that move most, None for all in their order."""
        frame = self.frame if most is None else self.frame.sort_values("moved", ascending=False, kind="stable")
        return {"posterior": self.posterior.to_dict(), "changes": plain_lines(frame, most), "disclaimer": DISCLAIMER}


@checked
def sweep(
    model: Model,
    findings: Mapping[str, Any] | Evidence | None = None,
    /,
    *,
    kinds: Collection[Kind] = KINDS,
    **named: Any,
) -> WhatIf:
    """The posterior after every single change: every other state of every variable, observed or not.

    Raises:
        FindingsError, ImpossibleEvidence: as `model.posterior`.
        QuestionError: for an unknown kind of change.

    >>> import calcinosis as cc
    >>> result = cc.whatif.sweep(cc.load(), pain="severe", ulceration="yes")
    >>> result.posterior.leading, result.flips["value"][result.flips["variable"] == "calcium_exposure"].to_list()
    ('calciphylaxis', ['yes'])
    """
    model = model.of_record(named)
    posterior = model.posterior(findings, **named)
    alternatives = Alternatives.of(model, posterior.evidence, kinds)
    return _what_if(posterior, alternatives, np.arange(len(alternatives.changes))[:, None])[0]


@checked
def pairs(
    model: Model,
    findings: Mapping[str, Any] | Evidence | None = None,
    /,
    *,
    kinds: Collection[Kind] = ("added", "changed", "repeated"),
    **named: Any,
) -> WhatIf:
    """The posterior after every pair of changes of two different variables.

    Raises:
        FindingsError, ImpossibleEvidence, QuestionError: as `sweep`.

    >>> import calcinosis as cc
    >>> result = cc.whatif.pairs(cc.load(), pain="severe")
    >>> bool(result.frame["flips"].any()), result.frame.columns[:2].to_list()
    (True, ['variable_1', 'variable_2'])
    """
    model = model.of_record(named)
    posterior = model.posterior(findings, **named)
    alternatives = Alternatives.of(model, posterior.evidence, kinds)
    first, second = np.triu_indices(len(alternatives.changes), 1)
    different = alternatives.variables[first] != alternatives.variables[second]
    sets = np.column_stack([first[different], second[different]])
    result, possible = _what_if(posterior, alternatives, sets)
    leads = Hypothesis.of(model.states, posterior.leading)
    singles = leads.log_odds(alternatives.weigh(np.arange(len(alternatives.changes))[:, None]).weights)
    both = leads.log_odds(result.frame[list(model.states)].to_numpy())
    now = leads.log_odds(np.array(list(posterior.probabilities_of.values())))
    with np.errstate(invalid="ignore"):
        together = both - singles[sets[possible]].sum(axis=1) + now
    return WhatIf(posterior, result.frame.assign(together=together))


def chances(alternatives: Alternatives, sets: Codes, weights: Weights) -> Array:
    """The probability of the changed findings, given the unchanged ones: axis `(sets,)`."""
    return np.asarray(np.exp(weights.log_evidence - alternatives.weigh_without(sets).log_evidence))


def _what_if(posterior: Posterior, alternatives: Alternatives, sets: Codes) -> tuple[WhatIf, Codes]:
    import pandas as pd

    weights = alternatives.weigh(sets)
    possible = np.flatnonzero(weights.weights.any(axis=1))
    sets, weights = sets[possible], Weights(weights.weights[possible], weights.exponents[possible])
    probabilities = weights.weights / weights.weights.sum(axis=1, keepdims=True)
    states = list(posterior)
    now = np.array(list(posterior.probabilities_of.values()))
    leading = probabilities.argmax(axis=1)
    columns: dict[str, Any] = {}
    for name in ("variable", "kind", "value"):
        words = np.array([getattr(change, name) for change in alternatives.changes], dtype=object)
        for made in range(sets.shape[1]):
            columns[name if sets.shape[1] == 1 else f"{name}_{made + 1}"] = words[sets[:, made]]
    columns["chance"] = chances(alternatives, sets, weights)
    columns |= dict(zip(states, probabilities.T, strict=True))
    columns["leading"] = np.array(states, dtype=object)[leading]
    columns["flips"] = leading != states.index(posterior.leading)
    columns["moved"] = np.abs(probabilities - now).max(axis=1, initial=0.0)
    return WhatIf(posterior, pd.DataFrame(columns)), possible
