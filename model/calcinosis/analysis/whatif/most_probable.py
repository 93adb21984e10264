"""The most probable explanation: the most probable joint state of all unobserved variables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from calcinosis.inference.findings.encoding import encode
from calcinosis.inference.findings.evidence import Evidence, Finding
from calcinosis.inference.findings.reader import certain
from calcinosis.inference.findings.silence import as_likelihoods
from calcinosis.inference.intervals.elimination import contract
from calcinosis.inference.model import Model
from calcinosis.inference.network import Array
from calcinosis.inference.question_error import QuestionError
from calcinosis.inference.result import Result
from calcinosis.knowledge.arguments import checked
from calcinosis.knowledge.problem import choose_from
from calcinosis.knowledge.records import Variable

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, repr=False)
class MostProbable(Result):
    """The most probable joint state of the target and of all unobserved variables.

    `states` maps each such variable to its state, `probability` is their joint probability given the findings (and the
    state of the target, if given). `frame` has one line per variable: variable, state, alone (the marginal probability
    of that state, which may be lower than that of another).
    """

    states: Mapping[str, str]
    probability: float
    frame: pd.DataFrame

    @property
    def summary(self) -> str:
        """One sentence: the joint probability of the most probable explanation."""
        return f"The most probable joint state of {len(self.states)} variables has probability {self.probability:.3g}."

    def to_dict(self) -> dict[str, Any]:
        """The result as plain values, for JSON."""
        return {"states": dict(self.states), "probability": self.probability}


@checked
def most_probable(
    model: Model, findings: Mapping[str, Any] | Evidence | None = None, /, *, state: str | None = None, **named: Any
) -> MostProbable:
    """The most probable joint state of the target and of all unobserved variables.

    With `state`, the target is fixed to it: the most probable patient of that kind. A partially observed variable
    (either of, likelihoods) counts as unobserved, unless it has several results; an unobserved repeatable one gets one
    result. Exact, with maxima in place of sums (Pearl, Probabilistic Reasoning in Intelligent Systems, 1988, section
    5.6); one of several in case of ties.

    Raises:
        FindingsError, ImpossibleEvidence: as `model.posterior`.
        QuestionError: for an unknown state of the target, or one that the findings exclude.
        NetworkError: if the treewidth is too large for exact inference.

    >>> import calcinosis as cc
    >>> findings = {"vascular_histology": "intramural_calcification", "pain": "severe", "esrd": "yes"}
    >>> explanation = cc.whatif.most_probable(cc.load(), findings)
    >>> explanation.states["subtype"], explanation.states["vessel_calcification"]
    ('calciphylaxis', 'yes')
    """
    import pandas as pd

    model = model.of_record(named)
    evidence = model.read(findings, **named)
    if model.base is not None:  # silence becomes a likelihood of the variable, so mentions are not explained
        return most_probable(model.base, as_likelihoods(model, evidence), state=state)
    if state is not None:
        if state not in model.states:
            raise QuestionError(f"no state {state!r} of {model.target}: {choose_from(state, model.states)}")
        if model.probabilities(evidence)[state] == 0.0:
            raise QuestionError(f"the findings exclude {state}")
        known = Evidence(tuple(finding for finding in evidence if finding.variable != model.target))
        evidence = Evidence((*known, certain(model.variables[model.target], state)))
    alone = model.marginals(evidence).set_index(["variable", "state"])["probability"].to_dict()
    numbers = _maximum(model, evidence)
    states = {name: model.variables[name].state_names[numbers[name]] for name in model.variables if name in numbers}
    whole = {finding.variable: finding for finding in evidence}
    # partial observations keep their likelihood, which is part of the joint probability
    narrow = {name: _narrowed(model.variables[name], own, whole.get(name)) for name, own in states.items()}
    scenarios = [evidence, Evidence(tuple((whole | narrow).values()))]
    partly = [name for name in states if name in whole]
    scenarios += [Evidence(tuple((whole | {name: narrow[name]}).values())) for name in partly]
    logarithms = model.engine.weigh(encode(model.engine.base, scenarios)).log_evidence
    together, *each = np.exp(logarithms[1:] - logarithms[0]).tolist()
    # the marginal of a repeatable variable would be that of a further result
    alone |= {(name, states[name]): own for name, own in zip(partly, each, strict=True)}
    frame = pd.DataFrame(
        [(name, own, float(alone[name, own])) for name, own in states.items()], columns=["variable", "state", "alone"]
    )
    return MostProbable(states, together, frame)


def _maximum(model: Model, evidence: Evidence) -> dict[str, int]:
    """The number of the state of each uncertain variable at the maximum of the joint probability."""
    network = model.network.without([mention for mention in model.mentions.values() if mention not in evidence])
    contraction = contract(network, evidence, whole=True)
    factors = [family.factor(rows) for family, rows in zip(contraction.families, contraction.rows(), strict=True)]
    arrays: list[Array] = [
        family.laid_out(factor) for family, factor in zip(contraction.families, factors, strict=True)
    ]
    best = []
    for step in contraction.steps:
        product = contraction.product(arrays, step.factors, step.scope)
        highest = product.max()
        arrays.append(product.max(axis=-1) / (highest or 1.0))  # scale against underflow
        best.append(product.argmax(axis=-1))
    # backward pass: read off the maximising states
    chosen: dict[str, int] = {}
    for step, choice in zip(reversed(contraction.steps), reversed(best), strict=True):
        chosen[step.variable] = int(choice[tuple(chosen[name] for name in step.scope[:-1])])
    return chosen


def _narrowed(variable: Variable, state: str, seen: Finding | None) -> Finding:
    """A certain state, with the likelihood of its partial observation."""
    likelihoods = seen.likelihoods if seen else ()
    place = variable.state_names.index(state)
    likelihood = float(np.prod([result[place] for result in likelihoods]))
    sure = tuple(likelihood if other == state else 0.0 for other in variable.state_names)
    return Finding(variable.name, state, state, (sure,), variable.state_names)
