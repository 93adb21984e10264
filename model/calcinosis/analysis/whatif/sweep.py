"""What if one finding were another, or were known too: the posterior after every change, and after every two."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from calcinosis.analysis.explain.hypothesis import Hypothesis
from calcinosis.analysis.plain import plain_lines
from calcinosis.analysis.whatif.changes import KINDS, Alternatives, Kind
from calcinosis.inference.engine.engine import Weights
from calcinosis.inference.findings.encoding import Codes
from calcinosis.inference.findings.evidence import Evidence
from calcinosis.inference.model import Model
from calcinosis.inference.network import Array
from calcinosis.inference.posterior import DISCLAIMER, Posterior
from calcinosis.knowledge.arguments import checked

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class WhatIf:
    """The posterior after every change of a patient's findings.

    `frame` has one line per change, or per two of them, in the order of the variables: variable, kind (added, changed,
    repeated, removed; see `calcinosis.analysis.whatif.changes`), value, chance (how probable it is that just this would
    be found, the unchanged findings being as they are; 1 for a finding removed), one column of probabilities per state
    of the target, leading, flips (whether another state leads than now), moved (how far the probability of any state
    goes up or down, at most). Of pairs, the first three columns stand twice, with 1 and 2 behind, and together tells
    how many nats the two move the log-odds of the leading state beyond what each alone does (NaN where one of them
    settles it). Changes that make the findings impossible are left out.
    """

    posterior: Posterior
    frame: pd.DataFrame

    @property
    def flips(self) -> pd.DataFrame:
        """The changes after which another state leads, the most probable first."""
        return self.frame[self.frame["flips"]].sort_values("chance", ascending=False, kind="stable", ignore_index=True)

    def __repr__(self) -> str:
        count = int(self.frame["flips"].sum())
        return f"<WhatIf: {len(self.frame):,} changes, {count:,} make another state lead than {self.posterior.leading}>"

    @checked
    def as_dict(self, most: int | None = None) -> dict[str, Any]:
        """The answer as plain values, for JSON; `most` lines, those that move most, None for all in their order."""
        frame = self.frame if most is None else self.frame.sort_values("moved", ascending=False, kind="stable")
        return {"posterior": self.posterior.as_dict(), "changes": plain_lines(frame, most), "disclaimer": DISCLAIMER}


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
        QuestionError: for words that are no kind of change.

    >>> import calcinosis as cc
    >>> found = cc.whatif.sweep(cc.load(), pain="severe", ulceration="yes")
    >>> found.posterior.leading, found.flips["value"][found.flips["variable"] == "calcium_exposure"].to_list()
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
    """The posterior after every two changes of two different variables.

    Raises:
        FindingsError, ImpossibleEvidence, QuestionError: as `sweep`.

    >>> import calcinosis as cc
    >>> found = cc.whatif.pairs(cc.load(), pain="severe")
    >>> bool(found.frame["flips"].any()), found.frame.columns[:2].to_list()
    (True, ['variable_1', 'variable_2'])
    """
    model = model.of_record(named)
    posterior = model.posterior(findings, **named)
    alternatives = Alternatives.of(model, posterior.evidence, kinds)
    first, second = np.triu_indices(len(alternatives.changes), 1)
    different = alternatives.variables[first] != alternatives.variables[second]
    sets = np.column_stack([first[different], second[different]])
    found, possible = _what_if(posterior, alternatives, sets)
    leads = Hypothesis.of(model.states, posterior.leading)
    singles = leads.log_odds(alternatives.weigh(np.arange(len(alternatives.changes))[:, None]).weights)
    both = leads.log_odds(found.frame[list(model.states)].to_numpy())
    now = leads.log_odds(np.array(list(posterior.probabilities_of.values())))
    with np.errstate(invalid="ignore"):
        together = both - singles[sets[possible]].sum(axis=1) + now
    return WhatIf(posterior, found.frame.assign(together=together))


def chances(alternatives: Alternatives, sets: Codes, weights: Weights) -> Array:
    """How probable it is that just these findings are made, those left as they are being known: axis `(sets,)`."""
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
