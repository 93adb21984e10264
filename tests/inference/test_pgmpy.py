"""pgmpy as a second opinion, and the way there and back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties import examples

import calcinosis as cc
from calcinosis.inference.pgmpy_bridge import from_pgmpy, to_pgmpy

HARD = [
    {},
    {"pain": "severe"},
    {"care_setting": "dialysis_unit", "esrd": "yes", "warfarin": "yes"},
    {"cirrhosis": "yes", "pain": "intermittent", "vascular_histology": "absent", "ulceration": "yes"},
    {"connective_tissue_disease": "yes", "autoantibodies": "positive", "lesion_site": "acral", "sex": "female"},
    {"age_group": "child", "lesion_site": "periarticular", "serum_phosphate": "high", "esrd": "no"},
    {"calcium_exposure": "yes", "tissue_injury": "yes", "extravascular_calcification": "yes"},
    {"serum_calcium": "high", "pth": "high", "malignancy": "no", "radiograph": "vascular_netlike", "livedo": "yes"},
]
VIRTUAL = [
    {"pain": {"none": 0.2, "intermittent": 0.5, "severe": 0.8}},
    {"lesion_site": {"acral": 1.0, "other": 1.0}},
    {"vessel_calcification": {"no": 0.3, "yes": 0.9}, "serum_calcium": {"low": 0.1, "normal": 0.2, "high": 0.7}},
]


@pytest.fixture(scope="module")
def second_opinion(shipped):
    """A function from hard and virtual findings to pgmpy's answer for the shipped network."""
    from pgmpy.factors.discrete import TabularCPD
    from pgmpy.inference import VariableElimination

    elimination = VariableElimination(shipped.to_pgmpy())

    def answer(hard, virtual):
        soft = []
        for name, likelihoods in virtual.items():
            states = shipped.variables[name].state_names
            numbers = np.array([[likelihoods.get(state, 0.0)] for state in states])
            soft.append(TabularCPD(name, len(states), numbers / numbers.sum(), state_names={name: list(states)}))
        factor = elimination.query([shipped.target], hard, soft, show_progress=False)
        order = [factor.get_state_no(shipped.target, state) for state in shipped.states]
        return factor.values[order]

    return answer


@pytest.mark.parametrize("hard", HARD, ids=lambda found: " ".join(found) or "nothing")
def test_hard_findings_agree_with_pgmpy(shipped, second_opinion, hard):
    ours = shipped.posterior(hard).probabilities
    np.testing.assert_allclose(ours, second_opinion(hard, {}), rtol=0, atol=1e-12)


@pytest.mark.parametrize("virtual", VIRTUAL, ids=" ".join)
@pytest.mark.parametrize("hard", [{}, {"esrd": "yes", "ulceration": "no"}], ids=["alone", "with others"])
def test_likelihoods_agree_with_pgmpys_virtual_evidence(shipped, second_opinion, hard, virtual):
    ours = shipped.posterior(hard | virtual).probabilities
    np.testing.assert_allclose(ours, second_opinion(hard, virtual), rtol=0, atol=1e-12)


@examples(25)
@given(data=st.data())
def test_there_and_back_again_is_the_same_network(networks, data):
    network = data.draw(networks)
    again = from_pgmpy(to_pgmpy(network), network.target)
    assert again.target == network.target
    assert dict(again.parents) == dict(network.parents)
    assert again.variables.keys() == network.variables.keys()
    for name, variable in network.variables.items():
        assert again.variables[name].state_names == variable.state_names
        assert np.array_equal(again.tables[name], network.tables[name]), name


def test_the_shipped_network_comes_back_with_the_same_answers(shipped):
    again = cc.Model.from_pgmpy(shipped.to_pgmpy(), target=shipped.target)
    findings = {"pain": "severe", "ulceration": "yes", "lesion_site": {"acral", "other"}}
    ours, theirs = shipped.posterior(findings), again.posterior(findings)
    assert list(theirs.probabilities.index) == list(ours.probabilities.index)
    np.testing.assert_allclose(theirs.probabilities, ours.probabilities, rtol=0, atol=1e-15)


def pair(values):
    """A pgmpy network of a cause and its effect, whose table has the columns given."""
    from pgmpy.factors.discrete import TabularCPD
    from pgmpy.models import DiscreteBayesianNetwork

    network = DiscreteBayesianNetwork([("cause", "effect")])
    network.add_cpds(TabularCPD("cause", 2, [[0.5], [0.5]], state_names={"cause": ["no", "yes"]}))
    if values is not None:
        names = {"effect": ["no", "yes"], "cause": ["no", "yes"]}
        network.add_cpds(TabularCPD("effect", 2, values, ["cause"], [2], state_names=names))
    return network


TRAPS = {
    "a column that sums to 0.995": (
        [[0.9, 0.2], [0.095, 0.8]],
        "the table of effect has probabilities that sum to 0.995, not to 1",
    ),
    "a cell that is NaN": (
        [[0.9, np.nan], [0.1, 0.8]],
        "the table of effect holds values that are not probabilities",
    ),
    "no table at all": (None, "effect has no table"),
}


@pytest.mark.parametrize(("values", "told"), TRAPS.values(), ids=TRAPS)
def test_what_pgmpy_lets_through_is_refused(values, told):
    with pytest.raises(cc.errors.NetworkError) as caught:
        cc.Model.from_pgmpy(pair(values), target="cause")
    assert str(caught.value) == told


def test_an_unknown_target_is_told_with_the_nearest_spelling():
    with pytest.raises(cc.errors.NetworkError) as caught:
        cc.Model.from_pgmpy(pair([[0.9, 0.2], [0.1, 0.8]]), target="efect")
    assert str(caught.value) == "no variable 'efect': did you mean 'effect'? One of: cause, effect"


def test_states_named_otherwise_by_a_child_are_refused():
    from pgmpy.factors.discrete import TabularCPD

    network = pair(None)
    names = {"effect": ["no", "yes"], "cause": ["yes", "no"]}
    network.add_cpds(TabularCPD("effect", 2, [[0.9, 0.2], [0.1, 0.8]], ["cause"], [2], state_names=names))
    with pytest.raises(cc.errors.NetworkError) as caught:
        cc.Model.from_pgmpy(network, target="cause")
    assert str(caught.value) == "the table of effect names the states of cause otherwise than cause does"
