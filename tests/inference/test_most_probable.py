"""The most probable explanation has the highest joint weight of all: every combination of states is tried."""

import numpy as np
import pytest
from hypothesis import event, given
from hypothesis import strategies as st
from properties import examples
from random_patients import findings_of_every_kind, true_states

import calcinosis as cc


def joint_weights(network, evidence):
    """The joint weight of every combination of states and the findings: the names of the axes, and the array.

    A repeatable variable with several results has no state of its own; each result is seen of its parents. What was
    seen for certain has one state only and no axis, the target excepted.
    """
    axis = {name: i for i, name in enumerate(network.variables)}
    operands, kept = [], []
    for name, table in network.tables.items():
        family, results = [axis[v] for v in (*network.parents[name], name)], evidence.get(name, ())
        if len(results) > 1:
            for seen in results:
                operands += [table @ np.array(seen), family[:-1]]
        else:
            if not results or np.count_nonzero(results[0]) > 1 or name == network.target:
                kept.append(name)
            operands += [table, family]
            for seen in results:
                operands += [np.array(seen), family[-1:]]
    kept.sort(key=axis.__getitem__)
    return kept, np.einsum(*operands, [axis[name] for name in kept], optimize="greedy")


def check(model, findings, state=None):
    """Compare an explanation with what trying every combination says."""
    found = cc.whatif.most_probable(model, findings, state=state)
    evidence = {finding.variable: finding.likelihoods for finding in model.read(findings)}
    kept, weights = joint_weights(model.network, evidence)
    if state is not None:
        only = np.arange(len(model.states)) == model.states.index(state)
        shape = [-1 if name == model.target else 1 for name in kept]
        weights = weights * only.reshape(shape)
    assert list(found.states) == kept
    place = [model.variables[name].state_names.index(found.states[name]) for name in kept]
    assert weights[tuple(place)] == pytest.approx(weights.max(), rel=1e-10)
    assert found.probability == pytest.approx(weights.max() / weights.sum(), rel=1e-10)
    for line in found.frame.itertuples():
        assert line.state == found.states[line.variable]
        others = tuple(i for i, name in enumerate(kept) if name != line.variable)
        margin = weights.sum(axis=others) / weights.sum()
        # what is known of a variable seen in part that may be repeated: see the test of its own below
        if not (model.variables[line.variable].repeatable and line.variable in evidence):
            own = model.variables[line.variable].state_names.index(line.state)
            assert line.alone == pytest.approx(margin[own], abs=1e-10), line.variable
    assert found.frame["variable"].to_list() == list(found.states)
    return found


@st.composite
def patients(draw, networks):
    """A random network and findings of every kind of a patient drawn from it, of the target too; and its true state."""
    model = cc.Model(draw(networks))
    network = model.network
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    truth = true_states(network, rng)
    findings = findings_of_every_kind(draw, network, truth)
    return model, findings, model.states[truth[network.target]]


@examples(150)
@given(data=st.data(), asked=st.booleans())
def test_no_combination_of_states_is_more_probable(networks, data, asked):
    model, findings, state = data.draw(patients(networks))
    event("of a state" if asked else "of all")
    check(model, findings, state if asked else None)


def test_the_parts_may_be_less_probable_than_others(build):
    """By hand: s leads with .6, but each of its two forms has .3, less than t with its only one."""
    tables = {"d": ("s t", "", [0.6, 0.4]), "form": ("n y", "d", [[0.5, 0.5], [1.0, 0.0]])}
    model = cc.Model(build("d", tables))
    assert model.posterior().leading == "s"
    found = check(model, {})
    assert found.states == {"d": "t", "form": "n"}
    assert found.probability == pytest.approx(0.4, abs=1e-15)
    assert found.frame.set_index("variable")["alone"].to_dict() == pytest.approx({"d": 0.4, "form": 0.7}, abs=1e-15)
    of_s = check(model, {"form": "y"}, "s")
    assert of_s.states == {"d": "s"}
    assert of_s.probability == 1


FINDINGS = [
    {},
    {"xray": "yes"},
    {"asia": "yes", "dysp": "yes"},
    {"smoke": "no", "xray": "yes", "dysp": "no"},
    {"either": "yes", "dysp": "no"},
]


@pytest.fixture(scope="module")
def chest(build):
    """The chest clinic of Lauritzen and Spiegelhalter with rows that leave no two combinations equally probable."""

    def yes(*probabilities):
        return [[p, 1 - p] for p in probabilities]

    tables = {
        "asia": ("yes no", "", yes(0.01)),
        "tub": ("yes no", "asia", yes(0.05, 0.011)),
        "smoke": ("yes no", "", yes(0.49)),
        "lung": ("yes no", "smoke", yes(0.1, 0.012)),
        "bronc": ("yes no", "smoke", yes(0.6, 0.3)),
        "either": ("yes no", "tub lung", yes(1, 1, 1, 0)),
        "xray": ("yes no", "either", yes(0.98, 0.05)),
        "dysp": ("yes no", "bronc either", yes(0.9, 0.8, 0.7, 0.1)),
    }
    return cc.Model(build("lung", tables))


@pytest.mark.parametrize("findings", FINDINGS, ids=lambda own: " ".join(own) or "nothing")
def test_pgmpy_finds_the_same(chest, findings):
    from pgmpy.inference import VariableElimination

    elimination = VariableElimination(chest.to_pgmpy())
    names = [name for name in chest.variables if name not in findings]
    theirs = elimination.map_query(names, findings, show_progress=False)
    assert check(chest, findings).states == theirs


@pytest.mark.parametrize("state", ["yes", "no"])
def test_pgmpy_finds_the_same_once_the_target_is_known(chest, state):
    from pgmpy.inference import VariableElimination

    names = [name for name in chest.variables if name not in ("lung", "dysp")]
    theirs = VariableElimination(chest.to_pgmpy()).map_query(names, {"lung": state, "dysp": "yes"}, show_progress=False)
    assert check(chest, {"dysp": "yes"}, state).states == theirs | {"lung": state}


def test_the_shipped_network_agrees_with_trying_what_is_left(shipped):
    """Of a published case with all but a few variables known, every combination of those is tried."""
    case = cc.cases().loc["jones2023"]
    findings = {name: case[name] for name in case.index if name in shipped.variables and case[name]}
    for state in (None, "calciphylaxis"):
        check(shipped, findings, state)


def test_a_repeatable_variable_seen_in_part_is_as_probable_as_what_was_seen_leaves_it(build):
    """By hand: P(look) is .25, .35, .4; of the first two, the second has .35/.6."""
    tables = {"d": ("s t", "", [0.5, 0.5]), "look": ("k l m", "d", [[0.2, 0.3, 0.5], [0.3, 0.4, 0.3]])}
    model = cc.Model(build("d", tables, repeatable=["look"]))
    found = check(model, {"look": {"k", "l"}})
    assert found.states == {"d": "t", "look": "l"}
    assert found.frame.set_index("variable")["alone"]["look"] == pytest.approx(0.35 / 0.6, abs=1e-12)


def test_what_cannot_be_asked_is_said(build):
    tables = {"d": ("s t", "", [0.6, 0.4]), "sign": ("n y", "d", [[1.0, 0.0], [0.5, 0.5]])}
    model = cc.Model(build("d", tables))
    with pytest.raises(cc.errors.QuestionError, match="the findings rule s out"):
        cc.whatif.most_probable(model, sign="y", state="s")
    with pytest.raises(cc.errors.QuestionError, match="no state 'u' of d"):
        cc.whatif.most_probable(model, state="u")
    with pytest.raises(cc.errors.ImpossibleEvidence):
        cc.whatif.most_probable(model, sign="y", d="s")
    with pytest.raises(cc.errors.FindingsError):
        cc.whatif.most_probable(model, sign="z")
