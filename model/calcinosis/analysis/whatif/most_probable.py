"""The most probable explanation: the joint states of all that was not seen, taken together."""

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
from calcinosis.knowledge.arguments import checked
from calcinosis.knowledge.problem import choose_from
from calcinosis.knowledge.records import Variable

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class MostProbable:
    """The most probable joint state of the target and of all variables not observed.

    `states` maps each such variable to its state, `probability` is that of all of them together given the findings
    (and, if one was asked for, the state of the target). `frame` has one line per variable: variable, state, alone (how
    probable that state is by itself, which may be less than that of another).
    """

    states: Mapping[str, str]
    probability: float
    frame: pd.DataFrame


@checked
def most_probable(
    model: Model, findings: Mapping[str, Any] | Evidence | None = None, /, *, state: str | None = None, **named: Any
) -> MostProbable:
    """The states of the target and of all that was not observed which are together most probable.

    With `state`, the target is known to be in it: what a patient of that kind would most probably be like. A variable
    seen in part (either of, likelihoods) counts as not observed, unless it has several results; of an unobserved
    repeatable one it is one result. Exact, by taking maxima where a query takes sums (Pearl, Probabilistic Reasoning in
    Intelligent Systems, 1988, section 5.6); of several that are equally probable, one.

    Raises:
        FindingsError, ImpossibleEvidence: as `model.posterior`.
        QuestionError: for a word that is no state of the target, or one that the findings rule out.
        NetworkError: if the network is too tightly knit for it.

    >>> import calcinosis as cc
    >>> findings = {"vascular_histology": "intramural_calcification", "pain": "severe", "esrd": "yes"}
    >>> found = cc.whatif.most_probable(cc.load(), findings)
    >>> found.states["subtype"], found.states["vessel_calcification"]
    ('calciphylaxis', 'yes')
    """
    import pandas as pd

    model = model.of_record(named)
    evidence = model.read(findings, **named)
    if model.base is not None:  # silence is a likelihood of what is not mentioned; nobody asks what else is mentioned
        return most_probable(model.base, as_likelihoods(model, evidence), state=state)
    if state is not None:
        if state not in model.states:
            raise QuestionError(f"no state {state!r} of {model.target}: {choose_from(state, model.states)}")
        if model.probabilities(evidence)[state] == 0.0:
            raise QuestionError(f"the findings rule {state} out")
        known = Evidence(tuple(finding for finding in evidence if finding.variable != model.target))
        evidence = Evidence((*known, certain(model.variables[model.target], state)))
    alone = model.marginals(evidence).set_index(["variable", "state"])["probability"].to_dict()
    numbers = _maximum(model, evidence)
    states = {name: model.variables[name].state_names[numbers[name]] for name in model.variables if name in numbers}
    whole = {finding.variable: finding for finding in evidence}
    # what was seen in part stays so: its likelihood belongs to the probability of the whole
    narrow = {name: _narrowed(model.variables[name], own, whole.get(name)) for name, own in states.items()}
    asked = [evidence, Evidence(tuple((whole | narrow).values()))]
    partly = [name for name in states if name in whole]
    asked += [Evidence(tuple((whole | {name: narrow[name]}).values())) for name in partly]
    logarithms = model.engine.weigh(encode(model.engine.base, asked)).log_evidence
    together, *each = np.exp(logarithms[1:] - logarithms[0]).tolist()
    # of a repeatable variable the marginal would be that of a further result
    alone |= {(name, states[name]): own for name, own in zip(partly, each, strict=True)}
    frame = pd.DataFrame(
        [(name, own, float(alone[name, own])) for name, own in states.items()], columns=["variable", "state", "alone"]
    )
    return MostProbable(states, together, frame)


def _maximum(model: Model, evidence: Evidence) -> dict[str, int]:
    """The state, by number, of each variable that is not certain, where the joint probability is greatest."""
    network = model.network.without([own for own in model.mentions.values() if own not in evidence])
    contraction = contract(network, evidence, whole=True)
    factors = [family.factor(own) for family, own in zip(contraction.families, contraction.rows(), strict=True)]
    arrays: list[Array] = [family.laid_out(own) for family, own in zip(contraction.families, factors, strict=True)]
    best = []
    for step in contraction.steps:
        product = contraction.product(arrays, step.factors, step.scope)
        highest = product.max()
        arrays.append(product.max(axis=-1) / (highest or 1.0))  # scaled, so that no long product underflows
        best.append(product.argmax(axis=-1))
    found: dict[str, int] = {}
    for step, choice in zip(reversed(contraction.steps), reversed(best), strict=True):
        found[step.variable] = int(choice[tuple(found[name] for name in step.scope[:-1])])
    return found


def _narrowed(variable: Variable, state: str, seen: Finding | None) -> Finding:
    """A state that is certain, as likely as what was seen of it makes it."""
    likelihoods = seen.likelihoods if seen else ()
    place = variable.state_names.index(state)
    likelihood = float(np.prod([result[place] for result in likelihoods]))
    sure = tuple(likelihood if other == state else 0.0 for other in variable.state_names)
    return Finding(variable.name, state, state, (sure,), variable.state_names)
