"""What must not change the answer: the order of findings, the scale of likelihoods, how finely a state is cut."""

from dataclasses import replace
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties import examples

import calcinosis as cc
from calcinosis.knowledge.records import State

NEAR = {"rtol": 0, "atol": 1e-14}


@st.composite
def some_findings(draw, model):
    """A few findings of any kind, in random order; the target and what is hidden left out."""
    free = [n for n, v in model.variables.items() if v.group not in ("hidden", "outcome")]
    found = {}
    for name in draw(st.lists(st.sampled_from(free), unique=True, max_size=8)):
        states = model.variables[name].state_names
        numbers = st.sampled_from([0.1, 0.4, 1.0])
        found[name] = draw(
            st.sampled_from(states)
            | st.sets(st.sampled_from(states), min_size=1)
            | st.fixed_dictionaries(dict.fromkeys(states, numbers))
        )
    return found


@examples(25)
@given(data=st.data())
def test_the_order_of_findings_changes_no_bit(shipped, data):
    findings = data.draw(some_findings(shipped))
    shuffled = {name: findings[name] for name in data.draw(st.permutations(list(findings)))}
    assert shipped.posterior(shuffled) == shipped.posterior(findings)
    assert shipped.marginals(shuffled).equals(shipped.marginals(findings))


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_variables_and_parents_changes_no_bit(shipped, seed):
    rng = np.random.default_rng(seed)
    network = shipped.network
    variables = {name: network.variables[name] for name in rng.permutation(list(network.variables)).tolist()}
    parents = {name: tuple(rng.permutation(network.parents[name]).tolist()) for name in variables}
    tables, contexts = {}, {}
    for name in variables:
        axes = [network.parents[name].index(p) for p in parents[name]]
        tables[name] = network.tables[name].transpose([*axes, len(axes)])
        contexts[name] = network.contexts[name].transpose(axes)
    other = cc.Model(replace(network, variables=variables, parents=parents, tables=tables, contexts=contexts))
    findings = {"pain": "severe", "lesion_site": {"acral", "other"}, "vascular_histology": ["absent"] * 3}
    ours, theirs = cc.Model(replace(network)).posterior(findings), other.posterior(findings)
    assert theirs.probabilities_of == ours.probabilities_of
    assert theirs.log_evidence == ours.log_evidence


@examples(25)
@given(data=st.data(), level=st.sampled_from([1.0, 0.3, 7.0]))
def test_equal_likelihoods_leave_the_posterior(shipped, data, level):
    findings = data.draw(some_findings(shipped))
    name = data.draw(st.sampled_from([n for n in shipped.variables if n not in findings]))
    flat = dict.fromkeys(shipped.variables[name].state_names, level)
    before, after = shipped.posterior(findings), shipped.posterior(findings | {name: flat})
    np.testing.assert_allclose(after.probabilities, before.probabilities, **NEAR)
    assert after.log_evidence == pytest.approx(before.log_evidence + np.log(level), abs=1e-13)


@examples(25)
@given(data=st.data())
def test_either_of_all_states_is_not_observed(shipped, data):
    findings = data.draw(some_findings(shipped))
    name = data.draw(st.sampled_from([n for n in shipped.variables if n not in findings]))
    every = "/".join(shipped.variables[name].state_names)
    before, after = shipped.posterior(findings), shipped.posterior(findings | {name: every})
    np.testing.assert_allclose(after.probabilities, before.probabilities, **NEAR)
    assert after.log_evidence == pytest.approx(before.log_evidence, abs=1e-13)


@examples(25)
@given(data=st.data(), factor=st.floats(1e-100, 1e100))
def test_the_scale_of_likelihoods_is_of_no_account(shipped, data, factor):
    findings = data.draw(some_findings(shipped))
    likelihoods = {"none": 0.2, "intermittent": 0.5, "severe": 0.8}
    scaled = {state: number * factor for state, number in likelihoods.items()}
    before, after = shipped.posterior(findings | {"pain": likelihoods}), shipped.posterior(findings | {"pain": scaled})
    np.testing.assert_allclose(after.probabilities, before.probabilities, **NEAR)
    assert after.log_evidence == pytest.approx(before.log_evidence + np.log(factor), abs=1e-12)


def cut_in_two(network, name, state, share):
    """The network with one state of a variable cut into two of the same meaning, `share` of it in the first."""
    variable = network.variables[name]
    at = variable.state_names.index(state)
    halves = tuple(State(f"{state}_{i}", f"{state}_{i}") for i in (1, 2))
    states = (*variable.states[:at], *halves, *variable.states[at + 1 :])
    tables, contexts = {}, {}
    for other, table in network.tables.items():
        family = (*network.parents[other], other)
        tables[other], contexts[other] = table, network.contexts[other]
        if name in family:
            axis = family.index(name)
            tables[other] = np.insert(table, at, table.take(at, axis=axis), axis=axis)
            if name != other:
                contexts[other] = np.insert(contexts[other], at, contexts[other].take(at, axis=axis), axis=axis)
    tables[name][..., at] *= share
    tables[name][..., at + 1] *= 1 - share
    variables = {**network.variables, name: replace(variable, states=states)}
    return replace(network, variables=variables, tables=tables, contexts=contexts)


NAMES = ["care_setting", "esrd", "form", "pain", "ulceration", "vessel_calcification", "vascular_histology"]


@pytest.mark.parametrize("name", NAMES)
def test_cutting_a_state_in_two_and_naming_both_is_neutral(shipped, name):
    state = shipped.variables[name].state_names[-1]
    finer = cc.Model(cut_in_two(shipped.network, name, state, 0.3))
    others = {n: v for n, v in {"ulceration": "yes", "pain": "severe", "esrd": "no"}.items() if n != name}
    coarse, fine = shipped.posterior(others), finer.posterior(others)
    np.testing.assert_allclose(fine.probabilities, coarse.probabilities, **NEAR)
    coarse = shipped.posterior(others | {name: state}) if name != "form" else coarse
    fine = finer.posterior(others | {name: {f"{state}_1", f"{state}_2"}}) if name != "form" else fine
    np.testing.assert_allclose(fine.probabilities, coarse.probabilities, **NEAR)
    assert fine.log_evidence == pytest.approx(coarse.log_evidence, abs=1e-13)


def test_cutting_a_state_of_the_target_and_summing_is_neutral(shipped):
    finer = cc.Model(cut_in_two(shipped.network, "subtype", "dystrophic", 0.3))
    findings = {"cirrhosis": "yes", "pain": "intermittent", "vascular_histology": ["absent"] * 3}
    coarse, fine = shipped.posterior(findings), finer.posterior(findings)
    assert fine["dystrophic_1"] + fine["dystrophic_2"] == pytest.approx(coarse["dystrophic"], abs=1e-14)
    assert fine["dystrophic_1"] == pytest.approx(0.3 * coarse["dystrophic"], abs=1e-14)
    for state in shipped.states[1:]:
        assert fine[state] == pytest.approx(coarse[state], abs=1e-14)


def test_three_results_are_the_product_of_their_likelihoods(build):
    rows = [[0.9, 0.1], [0.25, 0.75]]
    tables = {"vessels": ("free calcified", "", [0.8, 0.2]), "biopsy": ("absent present", "vessels", rows)}
    model = cc.Model(build("vessels", tables, repeatable=["biopsy"]))
    posterior = model.posterior(biopsy="absent,absent,present")
    free, calcified = 0.8 * 0.9 * 0.9 * 0.1, 0.2 * 0.25 * 0.25 * 0.75
    assert posterior["calcified"] == pytest.approx(calcified / (free + calcified), rel=1e-14)
    assert posterior.log_evidence == pytest.approx(np.log(free + calcified), rel=1e-14)


def test_the_sequences_of_three_results_have_probabilities_that_sum_to_one(clinic):
    """One result per biopsy, in order: k calcified of three come in comb(3, k) orders, all equally probable."""
    total = 0.0
    for k in range(4):
        results = ["calcified"] * k + ["absent"] * (3 - k)
        total += comb(3, k) * np.exp(clinic.posterior(biopsy=results).log_evidence)
    assert total == pytest.approx(1, abs=1e-15)


def test_three_negative_biopsies_are_three_looks_at_the_same_vessels(shipped):
    others = {"pain": "severe", "ulceration": "yes"}
    table = shipped.network.tables["vascular_histology"]
    absent = shipped.variables["vascular_histology"].state_names.index("absent")
    vessels = shipped.variables["vessel_calcification"].state_names
    cubed = {state: table[i, absent] ** 3 for i, state in enumerate(vessels)}
    looked = shipped.posterior(others | {"vascular_histology": ["absent"] * 3})
    by_hand = shipped.posterior(others | {"vessel_calcification": cubed})
    np.testing.assert_allclose(looked.probabilities, by_hand.probabilities, **NEAR)
    assert looked.log_evidence == pytest.approx(by_hand.log_evidence, abs=1e-13)
    once = shipped.posterior(others | {"vascular_histology": "absent"})["calciphylaxis"]
    assert looked["calciphylaxis"] < once
