"""Random small decisions solved by pyAgrum as influence diagrams with limited memory: the same expected utility."""

import warnings

import numpy as np
import pytest
from decision_folders import random_decision

from calcinosis.analysis.decide.decision import decide
from calcinosis.knowledge.decisions import TEST_HARM

GO_ON = "go_on"


@pytest.fixture(scope="session")
def gum():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its import warns; with warnings as errors its C++ part ends the process
        import pyagrum
        import pyagrum.influence_diagram
    return pyagrum


def chance(gum, diagram, model, name):
    return diagram.addChanceNode(gum.LabelizedVariable(name, name, list(model.variables[name].state_names)))


def fill(diagram, model, name):
    table = model.priors.tables[name]
    for row in table.rows:
        for state, probability in zip(model.variables[name].state_names, row.probabilities, strict=True):
            diagram.cpt(name)[dict(zip(table.parents, row.given, strict=True)) | {name: state}] = probability


def value(model, treatment, disease):
    """The worth of a treatment in a disease, by the definition."""
    decisions = model.priors.decisions
    total = 0.0
    for row in decisions.responses:
        if treatment in row.actions and row.subtype == disease:
            for outcome, probability in zip(decisions.outcomes, row.probabilities, strict=True):
                total += probability * decisions.utility(outcome, disease).value
    return total - harm_of(model, treatment, disease)


def harm_of(model, treatment, disease):
    decisions = model.priors.decisions
    return sum(
        harm.probability * decisions.utility(harm.harm, disease).value
        for harm in decisions.harms
        if treatment in harm.actions
    )


def price(model, test, disease, waits):
    decisions = model.priors.decisions
    own = model.priors.tests[test]
    delay = own.days * decisions.utility("day", disease).value if waits else 0.0
    return own.harm * decisions.utility(TEST_HARM, disease).value + delay


def solved(gum, model, action, evidence):
    """The expected utility of an action with tests, by an influence diagram that pyAgrum solves."""
    names = [own.name for own in model.priors.decisions.treatments]
    tests = [step[0] for step in action.steps]
    diagram = gum.influence_diagram.InfluenceDiagram()
    for name in ("disease", "finding", "first", "second"):
        chance(gum, diagram, model, name)
    for name in ("finding", "first", "second"):
        for parent in model.priors.tables[name].parents:
            diagram.addArc(parent, name)
    for name in ("disease", "finding", "first", "second"):
        fill(diagram, model, name)
    after = [*names, GO_ON] if len(tests) == 2 else names
    diagram.addDecisionNode(gum.LabelizedVariable("then", "then", after))
    diagram.addArc("first", "then")
    utility = gum.LabelizedVariable("worth", "worth", 1)
    diagram.addUtilityNode(utility)
    diagram.addArc("disease", "worth")
    diagram.addArc("then", "worth")
    states = model.states
    waits = not action.meanwhile

    def worth(treatment, disease, done):
        found = value(model, treatment, disease) - sum(price(model, test, disease, waits) for test in tests[:done])
        if action.meanwhile and treatment != action.meanwhile:
            found -= harm_of(model, action.meanwhile, disease)
        return found

    if len(tests) == 2:
        shown = [*model.variables["second"].state_names, "not_done"]
        diagram.addChanceNode(gum.LabelizedVariable("shown", "shown", shown))
        diagram.addArc("then", "shown")
        diagram.addArc("second", "shown")
        for choice in after:
            for state in model.variables["second"].state_names:
                for label in shown:
                    seen = state if choice == GO_ON else "not_done"
                    diagram.cpt("shown")[{"then": choice, "second": state, "shown": label}] = float(label == seen)
        diagram.addDecisionNode(gum.LabelizedVariable("last", "last", names))
        for parent in ("first", "then", "shown"):
            diagram.addArc(parent, "last")
        diagram.addArc("last", "worth")
        for disease in states:
            for choice in after:
                for last in names:
                    own = worth(last, disease, 2) if choice == GO_ON else worth(choice, disease, 1)
                    diagram.utility("worth")[{"disease": disease, "then": choice, "last": last}] = own
    else:
        for disease in states:
            for choice in after:
                diagram.utility("worth")[{"disease": disease, "then": choice}] = worth(choice, disease, 1)
    inference = gum.influence_diagram.ShaferShenoyLIMIDInference(diagram)
    inference.setEvidence(evidence)
    inference.makeInference()
    return inference.MEU()["mean"]


@pytest.mark.parametrize("seed", range(25))
@pytest.mark.parametrize("evidence", [{}, {"finding": "yes"}], ids=["nothing", "finding"])
def test_an_influence_diagram_gives_the_same_expected_utility(seed, evidence, gum):
    model = random_decision(seed)
    decision = decide(model, evidence)
    found = dict(zip(decision.frame["action"], decision.frame["expected_utility"], strict=True))
    for action in model.priors.decisions.actions.values():
        if action.steps:
            assert found[action.name] == pytest.approx(solved(gum, model, action, evidence), abs=1e-9)
        else:
            posterior = model.posterior(evidence)
            own = sum(posterior[disease] * value(model, action.name, disease) for disease in model.states)
            assert found[action.name] == pytest.approx(own, abs=1e-9)


def test_the_random_decisions_are_not_all_alike():
    """Each kind of action leads in some of them, so that the comparison above is no formality."""
    leading = {decide(random_decision(seed)).leading for seed in range(25)}
    assert len(leading) >= 4
    assert leading & {"one", "both", "meanwhile"}
    assert np.ptp([decide(random_decision(seed)).utilities.max() for seed in range(5)]) > 1
