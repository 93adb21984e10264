"""A plan of further negative results is asking again with each of them; its chances are products of predictions."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties import examples

import calcinosis as cc
from calcinosis.knowledge.folder import shipped_folder

MODEL = cc.load(shipped_folder())
HISTOLOGY = ("vascular_histology", "vasculopathy", "extravascular_calcification")
CLOSE = {"rtol": 0, "atol": 1e-12}


@pytest.fixture(scope="module")
def before_histology():
    """The article's patient before a biopsy was taken."""
    case = cc.cases(shipped_folder()).loc["jones2023"]
    return {n: case[n] for n in case.index if n in MODEL.variables and case[n] and n not in HISTOLOGY}


def check(model, findings, plan):
    """Compare every line of a plan with asking again, and the chances with products of predictions."""
    name, negative = plan.variable.name, plan.negative
    known = findings.get(name, [])
    known = known if isinstance(known, list) else [known]
    others = [state for state in plan.variable.state_names if state != negative]
    steps = int(plan.frame["step"].max())
    expected = [(0, ""), *((step, r) for step in range(1, steps + 1) for r in (negative, *others))]
    lines = {(line["step"], line["result"]): line for line in plan.frame.to_dict("records")}
    assert list(lines) == expected
    chance = 1.0
    for step in range(1, steps + 1):
        so_far = dict(findings) | {name: [*known, *[negative] * (step - 1)]}
        rows = model.marginals(so_far).set_index(["variable", "state"])["probability"]
        for result in (negative, *others):
            then = model.posterior(dict(findings) | {name: [*so_far[name], result]})
            line = lines[step, result]
            np.testing.assert_allclose([line[state] for state in model.states], then.probabilities, **CLOSE)
            assert line["leading"] == then.leading
            assert line["chance"] == pytest.approx(chance * rows[name, result], abs=1e-12)
            assert line["below"] == (then[plan.state] < plan.threshold)
        at_step = sum(lines[step, result]["chance"] for result in plan.variable.state_names)
        assert at_step == pytest.approx(chance, abs=1e-12)
        chance = lines[step, negative]["chance"]
    ends = [line["chance"] for (step, result), line in lines.items() if step and result != negative]
    assert sum(ends) + chance == pytest.approx(1, abs=1e-11)
    below = [step for step in range(steps + 1) if lines[step, negative if step else ""]["below"]]
    assert plan.enough == (below[0] if below else None)


def test_every_line_of_the_article_s_patient(before_histology):
    plan = cc.serial_testing(MODEL, before_histology, state="calciphylaxis")
    check(MODEL, before_histology, plan)
    assert plan.variable.name == "vascular_histology"
    assert plan.negative == "absent"
    limits = pd.DataFrame([plan.posterior.interval().loc["calciphylaxis"]])
    np.testing.assert_allclose(plan.frame.loc[[0], ["lower", "upper"]], limits, rtol=0, atol=1e-9)
    assert (plan.frame["lower"] <= plan.frame["upper"]).all()


def test_three_negative_biopsies_turn_the_article_s_patient(before_histology):
    plan = cc.serial_testing(MODEL, before_histology, state="calciphylaxis", threshold=0.35)
    chain = plan.frame[plan.frame["result"].isin(["", "absent"])].set_index("step")["calciphylaxis"]
    assert chain[0] > 0.70
    assert chain[3] < 0.35
    assert (np.diff(chain) < 0).all()
    assert plan.enough == 3
    assert plan.limit < chain.iloc[-1]
    assert plan.verdict.startswith("After three more negative results the probability of calciphylaxis is ")
    tests = cc.next_test(MODEL, before_histology).frame
    best = tests.loc[tests["cost"] > 0, "test"].iloc[0]  # questions cost nothing
    assert best in ("punch_biopsy", "wedge_biopsy")


@pytest.mark.parametrize("known", ["absent", ["absent", "intramural_calcification"]])
def test_further_results_are_added_to_those_there_are(before_histology, known):
    findings = before_histology | {"vascular_histology": known}
    check(MODEL, findings, cc.serial_testing(MODEL, findings, state="calciphylaxis", steps=3))


@examples(40)
@given(data=st.data(), threshold=st.floats(0.01, 0.99), steps=st.integers(1, 4))
def test_every_line_on_a_random_network(networks, variable, data, threshold, steps):
    network = data.draw(networks)
    # a look at some of the variables, of which every result is possible at any time
    above = data.draw(st.lists(st.sampled_from(sorted(network.variables)), unique=True, max_size=2))
    repeated = {own for own, known in network.variables.items() if known.repeatable}
    above, name = tuple(own for own in above if own not in repeated), "look"
    size = data.draw(st.integers(2, 3))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    rows = rng.uniform(0.1, 1, [*(len(network.variables[own].states) for own in above), size])
    network = replace(
        network,
        variables={**network.variables, name: variable(name, "nyz"[:size], repeatable=True)},
        parents={**network.parents, name: above},
        tables={**network.tables, name: rows / rows.sum(axis=-1, keepdims=True)},
    )
    model = cc.Model(network)
    others = [other for other in network.variables if other not in (name, network.target)]
    findings = {}
    for other in data.draw(st.lists(st.sampled_from(others), unique=True, max_size=2)) if others else []:
        findings[other] = data.draw(st.sampled_from(network.variables[other].state_names))
    try:
        model.posterior(findings)
    except cc.errors.ImpossibleEvidence:
        findings = {}
    state = data.draw(st.sampled_from(model.states))
    negative = data.draw(st.sampled_from(network.variables[name].state_names))
    plan = cc.serial_testing(
        model, findings, state=state, variable=name, negative=negative, threshold=threshold, steps=steps
    )
    assert (plan.state, plan.variable.name, plan.negative) == (state, name, negative)
    check(model, findings, plan)
    assert not {"lower", "upper"} & set(plan.frame)  # rows without weights


@pytest.fixture(scope="module")
def clinic(build):
    """A disease whose sign, once hidden, stays so: looks can only tell the hidden state."""
    tables = {
        "d": ("well ill", "", [0.5, 0.5]),
        "hidden": ("no yes", "d", [[0.9, 0.1], [0.2, 0.8]]),
        "look": ("clear seen", "hidden", [[0.9, 0.1], [0.4, 0.6]]),
    }
    return cc.Model(build("d", tables, repeatable=["look"]))


def test_any_number_of_results_brings_it_to_what_they_can_tell_at_all(clinic):
    """By hand: they can at most show that the sign is not there, and .2 against .9 leaves 2/11."""
    plan = cc.serial_testing(clinic, state="ill")
    assert plan.limit == pytest.approx(2 / 11, abs=1e-12)
    assert plan.enough is None
    assert plan.frame["ill"].min() > 2 / 11


def test_verdicts(clinic):
    now = cc.serial_testing(clinic, state="ill", threshold=0.6)
    assert now.enough == 0
    assert now.verdict == "Ill is below 60 % now: 50 %."
    # by hand: after one clear look .5 * (.8*.4 + .2*.9) = .25 against .5 * (.1*.4 + .9*.9) = .425
    one = cc.serial_testing(clinic, state="ill", threshold=0.4)
    assert one.enough == 1
    assert one.verdict == (
        "After one more negative result the probability of ill is 37 %, instead of 50 % now; that it is negative is "
        "68 % probable. Any number of them would bring it to 18 %."
    )
    two = cc.serial_testing(clinic, state="ill", threshold=0.3)
    assert two.enough == 2
    assert two.verdict.startswith(
        "After two more negative results the probability of ill is 28 %, instead of 50 % now; "
    )
    assert "that all two are negative" in two.verdict or "that both are negative" in two.verdict
    never = cc.serial_testing(clinic, state="ill", threshold=0.1, steps=1)
    assert never.enough is None
    assert never.verdict == (
        "After one more negative result the probability of ill is 37 %, instead of 50 % now, not below 10 %; that it "
        "is negative is 68 % probable. Any number of them would bring it to 18 %."
    )
    assert never.as_dict()["verdict"] == never.verdict
    assert never.as_dict()["steps"][0]["result"] == ""


def test_unless_told_the_leading_state_is_asked_and_the_first_state_is_negative(clinic):
    plan = cc.serial_testing(clinic, look="seen")
    assert (plan.state, plan.negative, plan.variable.name) == ("ill", "clear", "look")
    other = cc.serial_testing(clinic, look="clear", negative="seen")
    assert other.state == "well"
    assert other.frame["well"][1] < other.frame["well"][0]


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"state": "calciphylaxi"}, "no state 'calciphylaxi' of subtype: did you mean 'calciphylaxis'"),
        ({"negative": "absnt"}, "no state 'absnt' of vascular_histology: did you mean 'absent'"),
        ({"variable": "pain"}, "no repeatable variable 'pain': write one of: vascular_histology"),
        ({"threshold": 0}, "a threshold lies between 0 and 1, not at 0"),
        ({"threshold": 1.0}, "a threshold lies between 0 and 1, not at 1.0"),
        ({"threshold": float("nan")}, "a threshold lies between 0 and 1"),
        ({"steps": 0}, "between 1 and 1,000 results can be looked ahead, not 0"),
        ({"steps": 1001}, "not 1001"),
        ({"mass": 2}, "2"),
    ],
)
def test_what_cannot_be_asked_is_said(asked, says):
    with pytest.raises(ValueError, match=says):
        cc.serial_testing(MODEL, pain="severe", **asked)


def test_without_a_variable_to_repeat_there_is_no_plan(build):
    model = cc.Model(build("d", {"d": ("s t", "", [0.5, 0.5]), "look": ("n y", "d", [[0.8, 0.2], [0.3, 0.7]])}))
    with pytest.raises(cc.errors.QuestionError, match="no variable of this network takes several results"):
        cc.serial_testing(model)
    look = ("n y", "d", [[0.8, 0.2], [0.3, 0.7]])
    two = cc.Model(build("d", {"d": ("s t", "", [0.5, 0.5]), "a": look, "b": look}, repeatable=["a", "b"]))
    with pytest.raises(cc.errors.QuestionError, match=r"no repeatable variable .*: write one of: a, b"):
        cc.serial_testing(two)
    assert cc.serial_testing(two, variable="b").variable.name == "b"


def test_a_result_that_cannot_come_has_no_chance(build):
    """The sign is seen in one disease only, and that one is ruled out: a look will be clear."""
    tables = {
        "d": ("well ill", "", [0.5, 0.5]),
        "fever": ("no yes", "d", [[0.5, 0.5], [0.0, 1.0]]),
        "look": ("clear seen", "d", [[1.0, 0.0], [0.4, 0.6]]),
    }
    plan = cc.serial_testing(cc.Model(build("d", tables, repeatable=["look"])), fever="no", state="well", steps=2)
    chain = plan.frame[plan.frame["result"].isin(["", "clear"])]
    assert (chain["chance"] == 1).all()
    assert (plan.frame.loc[plan.frame["result"] == "seen", "chance"] == 0).all()


def test_any_number_of_results_are_possible_where_one_is(build):
    """The sign is there for certain, so any number of looks says nothing."""
    tables = {
        "d": ("well ill", "", [0.5, 0.5]),
        "fever": ("no yes", "d", [[1.0, 0.0], [0.5, 0.5]]),
        "look": ("clear seen", "d", [[0.9, 0.1], [0.4, 0.6]]),
    }
    assert cc.serial_testing(cc.Model(build("d", tables, repeatable=["look"])), fever="yes", state="ill").limit == 1
