"""The contraction for one patient: its weights are the engine's, and its derivatives those of its weights."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import event, given
from hypothesis import strategies as st
from properties import examples

import calcinosis as cc
from calcinosis.inference.findings.encoding import canonical
from calcinosis.inference.intervals.elimination import contract
from calcinosis.inference.intervals.sparse import plan_for, plan_of
from calcinosis.interface.words.posterior import ranges_of, sureness

EXACT = {"rtol": 0, "atol": 1e-13}


@st.composite
def one_result(draw, states):
    """One result of any kind: a state, either of some, or likelihoods."""
    kind = draw(st.sampled_from(["state", "either of", "likelihoods"]))
    if kind == "state":
        return draw(st.sampled_from(states))
    if kind == "either of":
        return draw(st.sets(st.sampled_from(states), min_size=1))
    numbers = draw(st.lists(st.sampled_from([0.0, 0.1, 0.5, 1.0, 3.0]), min_size=len(states), max_size=len(states)))
    numbers[draw(st.integers(0, len(states) - 1))] = 0.7  # one of them must be possible
    return dict(zip(states, numbers, strict=True))


@st.composite
def patients(draw, networks):
    """A random network and a patient whose findings, of every kind, can be true together: model and evidence."""
    model = cc.Model(draw(networks))
    findings = {}
    for name, variable in model.variables.items():
        if draw(st.booleans()):
            results = draw(st.lists(one_result(variable.state_names), min_size=1, max_size=4))
            findings[name] = results if variable.repeatable else results[0]
    try:
        model.posterior(findings)
    except cc.errors.ImpossibleEvidence:
        event("impossible")
        return model, model.read()
    event(f"{len(findings)} findings")
    return model, model.read(findings)


def evidence_of(model, case):
    """The findings of a published case."""
    return model.read({name: value for name, value in case.items() if name in model.variables})


def shares(weights):
    return np.asarray(weights) / np.sum(weights)


def weights_of(contraction):
    return contraction.weights(contraction.factors())


def possible_weights(contraction):
    """The weights by the possible entries."""
    factors = contraction.factors()
    plan = plan_of(contraction)
    return plan.weights(
        [[float(factor.flat[place]) for place in places] for factor, places in zip(factors, plan.places, strict=True)]
    )


@pytest.fixture(scope="module")
def questions(shipped):
    """The evidence of every published case."""
    return {case: evidence_of(shipped, row) for case, row in cc.cases().iterrows()}


def test_the_weights_of_the_published_cases_are_the_posteriors(shipped, questions):
    assert len(questions) == 149
    for evidence in questions.values():
        weights = weights_of(contract(shipped.network, evidence))
        np.testing.assert_allclose(shares(weights), shipped.posterior(evidence).probabilities, **EXACT)


def test_the_possible_entries_give_the_same_weights_for_the_published_cases(shipped, questions):
    for evidence in questions.values():
        contraction = contract(shipped.network, evidence)
        dense, possible = weights_of(contraction), possible_weights(contraction)
        np.testing.assert_allclose(possible, dense, rtol=1e-12, atol=0)


def test_the_whole_network_gives_the_same_weights(shipped, questions):
    for evidence in list(questions.values())[::6]:
        whole = contract(shipped.network, evidence, whole=True)
        assert {family.variable for family in whole.families} == set(shipped.variables)
        np.testing.assert_allclose(weights_of(whole), weights_of(contract(shipped.network, evidence)), rtol=1e-12)


@examples(200)
@given(data=st.data())
def test_on_any_network_the_weights_are_the_posterior(networks, data):
    model, evidence = data.draw(patients(networks))
    expected = model.posterior(evidence)
    for whole in (False, True):
        contraction = contract(model.network, evidence, whole=whole)
        weights = weights_of(contraction)
        np.testing.assert_allclose(shares(weights), expected.probabilities, **EXACT)
        np.testing.assert_allclose(possible_weights(contraction), weights, rtol=1e-12, atol=0)
        if not any(family.repeated for family in contraction.families):
            scale = sum(canonical(own.likelihoods)[1] for own in evidence) * np.log(2)  # a power of two is taken out
            assert np.log(weights.sum()) + scale == pytest.approx(expected.log_evidence, abs=1e-12)


@examples(100)
@given(data=st.data())
def test_each_factor_times_its_derivatives_is_the_weights(networks, data):
    model, evidence = data.draw(patients(networks))
    contraction = contract(model.network, evidence)
    factors = contraction.factors()
    weights = contraction.weights(factors)
    for factor, derivative in zip(factors, contraction.derivatives(factors), strict=True):
        assert derivative.shape == (len(weights), *factor.shape)
        total = (derivative * factor).sum(axis=tuple(range(1, derivative.ndim)))
        np.testing.assert_allclose(total, weights, rtol=1e-12, atol=1e-15)


@examples(60)
@given(data=st.data())
def test_a_derivative_is_what_a_change_of_one_number_changes(networks, data):
    model, evidence = data.draw(patients(networks))
    contraction = contract(model.network, evidence)
    factors = contraction.factors()
    weights, derivatives = contraction.weights(factors), contraction.derivatives(factors)
    for i, factor in enumerate(factors):
        place = data.draw(st.integers(0, factor.size - 1))  # zeros too
        moved = factor.copy()
        moved.flat[place] += 0.25
        changed = contraction.weights([*factors[:i], moved, *factors[i + 1 :]])
        slope = derivatives[i].reshape(len(weights), -1)[:, place]
        np.testing.assert_allclose((changed - weights) / 0.25, slope, rtol=1e-11, atol=1e-13)


def test_derivatives_of_a_published_case_are_the_finite_differences(shipped, questions):
    contraction = contract(shipped.network, questions["jones2023"])
    factors = contraction.factors()
    weights, derivatives = contraction.weights(factors), contraction.derivatives(factors)
    scale = weights.sum()
    for i, factor in enumerate(factors):
        slopes = derivatives[i].reshape(len(weights), -1)
        np.testing.assert_allclose(slopes @ factor.ravel() / scale, weights / scale, rtol=0, atol=1e-13)
        for place in range(0, factor.size, 7):
            moved = factor.copy()
            moved.flat[place] += 0.25
            changed = contraction.weights([*factors[:i], moved, *factors[i + 1 :]])
            np.testing.assert_allclose(
                (changed - weights) / 0.25 / scale, slopes[:, place] / scale, rtol=1e-9, atol=1e-11
            )


@examples(40)
@given(data=st.data())
def test_many_tables_at_once_are_each_alone(networks, data):
    model, evidence = data.draw(patients(networks))
    contraction = contract(model.network, evidence)
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    drawn = {}
    for name in model.variables:
        shape = model.network.rows(name).shape
        drawn[name] = rng.dirichlet(np.ones(shape[1]), size=(3, shape[0]))
    many = [
        family.factor(np.moveaxis(drawn[family.variable][:, family.rows], 0, -1)) for family in contraction.families
    ]
    weights = contraction.weights(many)
    for number in range(3):
        tables = {name: drawn[name][number][model.network.contexts[name]] for name in model.variables}
        alone = cc.Model(replace(model.network, tables=tables))
        expected = alone.posterior(evidence).probabilities
        np.testing.assert_allclose(shares(weights[:, number]), expected, **EXACT)


@examples(40)
@given(data=st.data())
def test_derivatives_of_many_factors_at_once_are_those_of_each_alone(networks, data):
    model, evidence = data.draw(patients(networks))
    contraction = contract(model.network, evidence)
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    shapes = [own.shape for own in contraction.factors()]
    sizes = [3, *(data.draw(st.sampled_from([1, 3])) for _ in shapes[1:])]  # some are the same in all three
    many = [rng.random((*shape, size)) for shape, size in zip(shapes, sizes, strict=True)]
    derivatives = contraction.derivatives(many)
    for number in range(3):
        alone = contraction.derivatives([own[..., min(number, own.shape[-1] - 1)] for own in many])
        for one, expected in zip(derivatives, alone, strict=True):
            np.testing.assert_allclose(one[..., number], expected, rtol=1e-12, atol=1e-15)


def test_only_the_rows_that_the_evidence_leaves_open_take_part(clinic):
    contraction = contract(clinic.network, clinic.read(pain="severe"))
    assert {family.variable: family.rows.tolist() for family in contraction.families} == {
        "disease": [0],
        "pain": [0, 1],
    }
    seen = contract(clinic.network, clinic.read(pain="severe", disease="grave"))
    assert {family.variable: family.rows.tolist() for family in seen.families} == {"disease": [0], "pain": [0, 1]}


def test_many_repeated_results_do_not_vanish(shipped):
    evidence = shipped.read(pain="severe", vascular_histology=["absent"] * 200 + ["intramural_calcification"] * 200)
    for weights in (
        weights_of(contract(shipped.network, evidence)),
        possible_weights(contract(shipped.network, evidence)),
    ):
        np.testing.assert_allclose(shares(weights), shipped.posterior(evidence).probabilities, rtol=0, atol=1e-12)


def test_a_network_that_is_too_tightly_knit_is_refused_in_words(build):
    causes = [f"c{i:02}" for i in range(24)]
    tables = {name: ("no yes", "", [0.5, 0.5]) for name in causes}
    pairs = {f"{one}{other}": f"{one} {other}" for one, other in combinations(causes, 2)}
    tables |= {name: ("no yes", both, [[0.9, 0.1]] * 4) for name, both in pairs.items()}
    network = build("c00", tables)
    model = cc.Model(network)
    with pytest.raises(cc.errors.NetworkError) as caught:
        plan_for(network, model.read(dict.fromkeys(pairs, "yes")))
    assert str(caught.value) == (
        "treewidth too large for exact inference: with these findings, eliminating c01 makes a factor over 24 "
        "variables with 16,777,216 joint states: remove arrows"
    )
    few = model.read(dict.fromkeys(list(pairs)[:23], "yes"))  # c00 with each of the others
    assert len(plan_for(network, few).families) == 24 + 23


def test_so_many_possible_joint_states_that_drawing_would_take_minutes_are_refused_in_words(build):
    causes = [f"c{i:02}" for i in range(17)]
    tables = {name: ("no yes", "", [0.5, 0.5]) for name in causes}
    pairs = {f"{one}{other}": f"{one} {other}" for one, other in combinations(causes, 2)}
    tables |= {name: ("no yes", both, [[0.9, 0.1]] * 4) for name, both in pairs.items()}
    network = build("c00", tables)
    model = cc.Model(replace(network, weights=dict.fromkeys(network.variables, 20.0)))
    posterior = model.posterior(dict.fromkeys(pairs, "yes"))
    words = "treewidth too large for credible intervals: more than 65,536 joint states are possible"
    with pytest.raises(cc.errors.NetworkError) as caught:
        posterior.interval()
    assert str(caught.value) == words
    # what is known exactly is shown all the same
    assert f"No interval: {words}." in repr(posterior).splitlines()
    assert f"No interval: {words}." in posterior._repr_html_()
    assert posterior.to_dict()["interval"] is None
    assert sureness(posterior) == ""
    assert set(ranges_of(posterior).values()) == {""}
