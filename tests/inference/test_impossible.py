"""Impossible evidence: the smallest clash is told, whatever stands around it, and never a NaN."""

import numpy as np
import pandas as pd
import pytest

import calcinosis as cc


@pytest.fixture(scope="module", autouse=True)
def _tables_may_hold_the_target():
    """What is computed is tested here for findings of every variable, which a table of patients may not hold."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cc.Model, "inferred", frozenset())
        yield


@pytest.fixture(scope="module")
def gate(build):
    """Three switches and a lamp that is lit only if all are on; five bystanders."""
    lamp = np.array([[[[1.0, 0], [1, 0]], [[1, 0], [1, 0]]], [[[1, 0], [1, 0]], [[1, 0], [0, 1]]]])
    switches = {name: ("off on", "", [0.5, 0.5]) for name in ("one", "two", "three")}
    bystanders = {f"by{i}": ("no yes", "one", [[0.5, 0.5], [0.4, 0.6]]) for i in range(5)}
    return cc.Model(build("lamp", bystanders | switches | {"lamp": ("dark lit", "one two three", lamp)}))


def clash_of(model, findings):
    with pytest.raises(cc.errors.ImpossibleEvidence) as caught:
        model.posterior(findings)
    return [finding.variable for finding in caught.value.clash]


BYSTANDERS = {f"by{i}": "yes" for i in range(5)}


def test_a_clash_of_two_is_found_among_many(gate):
    assert clash_of(gate, {**BYSTANDERS, "two": "off", "lamp": "lit"}) == ["two", "lamp"]


def test_a_clash_of_four_is_told_whole(gate):
    findings = {**BYSTANDERS, "one": "on", "two": "on", "three": "on", "lamp": "dark"}
    assert clash_of(gate, findings) == ["one", "two", "three", "lamp"]


def test_of_several_smallest_clashes_the_first_in_order_is_told(gate):
    assert clash_of(gate, {"lamp": "lit", "three": "off", "one": "off"}) == ["one", "lamp"]


def test_the_search_may_run_in_batches(gate, monkeypatch):
    monkeypatch.setattr("calcinosis.inference.engine.impossible.AT_ONCE", 1)
    assert clash_of(gate, {**BYSTANDERS, "three": "off", "lamp": "lit"}) == ["three", "lamp"]


def test_when_the_search_is_given_up_nothing_can_be_left_out_of_the_clash(gate, monkeypatch):
    monkeypatch.setattr("calcinosis.inference.engine.impossible.MOST_SUBSETS", 1)
    findings = {**BYSTANDERS, "one": "on", "two": "on", "three": "on", "lamp": "dark"}
    clash = clash_of(gate, findings)
    assert clash == ["one", "two", "three", "lamp"]
    for left_out in clash:
        assert gate.posterior({name: findings[name] for name in clash if name != left_out}).log_evidence > -np.inf


def test_one_finding_that_cannot_be_is_told_alone(build):
    model = cc.Model(build("coin", {"coin": ("heads tails edge", "", [0.5, 0.5, 0.0])}))
    with pytest.raises(cc.errors.ImpossibleEvidence) as caught:
        model.posterior(coin="edge")
    told = "impossible evidence: coin=edge cannot be: one of them, or a zero in the tables, must be wrong"
    assert str(caught.value) == told


def test_two_findings_that_clash_are_named_as_they_were_given(clinic):
    with pytest.raises(cc.errors.ImpossibleEvidence) as caught:
        clinic.posterior(biopsy=["absent", "calcified"], pain="none", warfarin="yes", disease="benign/benign")
    told = (
        "impossible evidence: disease=benign/benign and biopsy=absent,calcified cannot be true together: "
        "one of them, or a zero in the tables, must be wrong"
    )
    assert str(caught.value) == told


def test_marginals_refuse_as_the_posterior_does(gate):
    with pytest.raises(cc.errors.ImpossibleEvidence, match="two=off and lamp=lit"):
        gate.marginals(two="off", lamp="lit")


@pytest.fixture
def ward():
    """Four patients; ann and cid have findings that clash, whatever else was found."""
    return pd.DataFrame(
        {
            "disease": ["benign", "grave", "benign", "benign"],
            "pain": ["severe", "severe", "none", "none"],
            "biopsy": ["absent", "calcified", "calcified", "absent"],
        },
        index=["ann", "bea", "cid", "dan"],
    )


def test_a_batch_tells_every_impossible_row_at_once(clinic, ward):
    answer = clinic.posteriors(ward)
    assert answer["status"].to_dict() == {
        "ann": "impossible: disease=benign and pain=severe cannot be true together",
        "bea": "ok",
        "cid": "impossible: disease=benign and biopsy=calcified cannot be true together",
        "dan": "ok",
    }
    assert answer["log_evidence"].eq(-np.inf).tolist() == [True, False, True, False]
    assert answer["leading"].isna().tolist() == [True, False, True, False]


def test_when_strict_impossible_and_misunderstood_rows_are_told_together(clinic, ward):
    ward.loc["dan", "pain"] = "sever"
    with pytest.raises(cc.errors.FindingsError) as caught:
        clinic.posteriors(ward, strict=True)
    told = (
        "3 findings are not understood\n"
        "row ann: disease, pain=benign, severe: impossible evidence: correct one of them\n"
        "row cid: disease, biopsy=benign, calcified: impossible evidence: correct one of them\n"
        "row dan: pain=sever: no state 'sever': did you mean 'severe'? One of: none, intermittent, severe"
    )
    assert str(caught.value) == told


def test_one_finding_that_cannot_be_is_told_alone_in_a_batch_too(build):
    model = cc.Model(build("coin", {"coin": ("heads tails edge", "", [0.5, 0.5, 0.0])}))
    answer = model.posteriors(pd.DataFrame({"coin": ["edge", "heads"]}))
    assert answer["status"].tolist() == ["impossible: coin=edge cannot be", "ok"]
    assert answer[["heads", "tails", "edge"]].isna().all(axis=1).tolist() == [True, False]


def test_results_whose_probability_underflows_are_not_called_impossible(build):
    """By hand: fever proves illness, so the weight of 2,000 clear looks is (0.4/0.9)^2000, about 10^-704."""
    tables = {
        "d": ("well ill", "", [0.5, 0.5]),
        "fever": ("no yes", "d", [[1.0, 0.0], [0.5, 0.5]]),
        "look": ("clear seen", "d", [[0.9, 0.1], [0.4, 0.6]]),
    }
    model = cc.Model(build("d", tables, repeatable=["look"]))
    assert model.posterior(fever="yes", look=["clear"] * 500)["ill"] == 1
    with pytest.raises(cc.errors.QuestionError, match=r"2,000 results of look have, .* give fewer results"):
        model.posterior(fever="yes", look=["clear"] * 2000)
    never = cc.Model(build("d", tables | {"look": ("clear seen", "d", [[0.9, 0.1], [0.0, 1.0]])}, repeatable=["look"]))
    with pytest.raises(cc.errors.ImpossibleEvidence, match="fever=yes and look="):
        never.posterior(fever="yes", look=["clear"] * 2000)
