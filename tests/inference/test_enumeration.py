"""The engine against a full enumeration of the joint: every number it gives, on random networks and findings."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from enumeration import enumerate_joint, random_findings
from hypothesis import event, given
from hypothesis import strategies as st
from properties import examples

import calcinosis as cc

EXACT = {"rtol": 0, "atol": 1e-12}


@pytest.fixture(scope="module", autouse=True)
def _tables_may_hold_the_target():
    """What is computed is tested here for findings of every variable, which a table of patients may not hold."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cc.Model, "inferred", frozenset())
        yield


def margin(joint, axis):
    """The distribution of one variable."""
    weights = joint.sum(axis=tuple(a for a in range(joint.ndim) if a != axis))
    return weights / weights.sum()


@examples(300)
@given(data=st.data(), most_entries=st.sampled_from([8, 2**22]))
def test_posterior_log_evidence_and_every_marginal_are_those_of_the_joint(networks, data, most_entries):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("calcinosis.inference.engine.conditioning.MOST_ENTRIES", most_entries)
        _check_all(data, data.draw(networks))


def _check_all(data, network):
    values, likelihoods = data.draw(random_findings(network))
    joint = enumerate_joint(network, likelihoods)
    model = cc.Model(network)
    event("possible" if joint.sum() > 0 else "impossible")
    event(f"compiled as {type(model.engine).__name__}")
    if joint.sum() == 0:
        with pytest.raises(cc.errors.ImpossibleEvidence):
            model.posterior(values)
        with pytest.raises(cc.errors.ImpossibleEvidence):
            model.marginals(values)
        return
    names = list(network.variables)
    posterior = model.posterior(values)
    np.testing.assert_allclose(posterior.probabilities, margin(joint, names.index(network.target)), **EXACT)
    np.testing.assert_allclose(posterior.log_evidence, np.log(joint.sum()), **EXACT)
    marginals = model.marginals(values)
    assert list(marginals.columns) == ["variable", "state", "probability"]
    for axis, name in enumerate(names):
        rows = marginals[marginals["variable"] == name]
        assert tuple(rows["state"]) == network.variables[name].state_names
        np.testing.assert_allclose(rows["probability"], margin(joint, axis), **EXACT)


@examples(150)
@given(data=st.data())
def test_the_clash_is_a_smallest_impossible_subset(networks, data):
    network = data.draw(networks)
    values, likelihoods = data.draw(random_findings(network))
    impossible = enumerate_joint(network, likelihoods).sum() == 0
    event("impossible" if impossible else "possible")
    if not impossible:
        return
    with pytest.raises(cc.errors.ImpossibleEvidence) as caught:
        cc.Model(network).posterior(values)
    clash = {finding.variable for finding in caught.value.clash}

    def possible(names):
        return enumerate_joint(network, {name: likelihoods[name] for name in names}).sum() > 0

    assert not possible(clash)
    assert all(possible(fewer) for size in range(len(clash)) for fewer in combinations(likelihoods, size))


@examples(40)
@given(data=st.data(), table=st.sampled_from([1, 100, 2**17]), part=st.sampled_from([1, 3, 2**18]))
def test_a_batch_answers_each_row_as_if_it_were_alone(networks, data, table, part):
    network = data.draw(networks)
    patients = data.draw(st.lists(random_findings(network), min_size=1, max_size=5))
    index = [f"patient {i}" for i in range(len(patients), 0, -1)]
    cells = [{name: values.get(name) for name in network.variables} for values, _ in patients]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("calcinosis.inference.engine.conditioning.TABLE_ENTRIES", table)
        patch.setattr("calcinosis.inference.engine.scores.PART", part)
        model = cc.Model(network)
        answer = model.posteriors(pd.DataFrame(cells, index, dtype=object))
    assert list(answer.index) == index
    assert list(answer.columns) == [*model.states, "leading", "log_evidence", "status"]
    for label, (values, likelihoods) in zip(index, patients, strict=True):
        row = answer.loc[label]
        probabilities = row[list(model.states)].astype(float)
        if enumerate_joint(network, likelihoods).sum() == 0:
            assert row["status"].startswith("impossible: ")
            assert probabilities.isna().all()
            assert pd.isna(row["leading"])
            assert row["log_evidence"] == -np.inf
            continue
        alone = model.posterior(values)
        assert row["status"] == "ok"
        np.testing.assert_allclose(probabilities, alone.probabilities, rtol=0, atol=1e-15)
        np.testing.assert_allclose(row["log_evidence"], alone.log_evidence, **EXACT)
        assert alone[row["leading"]] >= max(alone.probabilities) - 1e-15


def test_a_batch_larger_than_a_part_is_the_same(shipped, monkeypatch):
    frame = pd.DataFrame(
        {
            "pain": ["none", "severe", None, "none:0.2,severe:0.8", "intermittent/severe"] * 5,
            "vascular_histology": ["absent", "absent,absent", None, "intramural_calcification", ""] * 5,
        }
    )
    whole = shipped.posteriors(frame)
    assert (whole["status"] == "ok").all()
    monkeypatch.setattr("calcinosis.inference.engine.scores.PART", 3)
    monkeypatch.setattr("calcinosis.inference.engine.messages.BLOCK_ENTRIES", 50)
    pd.testing.assert_frame_equal(shipped.posteriors(frame), whole, check_exact=True)


def test_a_batch_of_nobody_is_an_empty_table(shipped):
    answer = shipped.posteriors(pd.DataFrame({"pain": []}))
    assert len(answer) == 0
    assert list(answer.columns) == [*shipped.states, "leading", "log_evidence", "status"]


def test_columns_that_are_no_variables_are_left_alone(shipped):
    answer = shipped.posteriors(pd.DataFrame({"remark": ["seen twice", "lost"], "pain": ""}, index=["p", "q"]))
    prior = shipped.posterior()
    assert list(answer.index) == ["p", "q"]
    for label in answer.index:
        assert list(answer.loc[label, list(shipped.states)]) == list(prior.probabilities)
