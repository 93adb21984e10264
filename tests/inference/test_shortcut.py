"""One patient in microseconds: the short way answers, to the last bit, as the long way and as a table of patients."""

import copy
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import event, given
from hypothesis import strategies as st
from properties import examples

import calcinosis as cc


@pytest.fixture(scope="module", autouse=True)
def _tables_may_hold_the_target():
    """What is computed is tested here for findings of every variable, which a table of patients may not hold."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cc.Model, "inferred", frozenset())
        yield


def by_the_long_way(network):
    """A model that has no short way."""
    model = cc.Model(network)
    model.__dict__["_single_patient"] = None
    return model


@pytest.fixture(scope="module")
def long_way(clinic):
    """The small clinic without the short way."""
    return by_the_long_way(clinic.network)


def outcome(ask):
    """What is answered, or what is told."""
    try:
        return ask()
    except (cc.errors.FindingsError, cc.errors.ImpossibleEvidence) as told:
        return type(told), str(told)


def in_full(posterior):
    """All that a posterior says, numbers to the last bit."""
    return (*posterior.probabilities_of.items(), posterior.log_evidence, posterior.evidence, posterior.leading)


# findings drawn at random

REMARKABLE = ["", "unknown", None, np.nan, "zzz", "none/", 7, [], "none:often", "9.1", "9.1 mg/dL", "2.27mmol/L"]


@st.composite
def findings_of(draw, variable):
    """A finding in any form that Python has for it, or something that is none."""
    states = st.sampled_from(variable.state_names)
    kinds = ["state", "state", "repeats", "either of", "likelihoods", "numpy", "anything"]
    if set(variable.state_names) == {"no", "yes"}:
        kinds.append("truth")
    kind = draw(st.sampled_from(kinds))
    if kind == "repeats":
        results = draw(st.lists(states, min_size=1, max_size=4 if variable.repeatable else 2))
        return draw(st.sampled_from([list, tuple, ",".join, ", ".join, np.array]))(results)
    if kind == "either of":
        some = draw(st.sets(states, min_size=1))
        return draw(st.sampled_from([set, frozenset, "/".join]))(some)
    if kind == "likelihoods":
        numbers = draw(st.dictionaries(states, st.sampled_from([0.0, 0.2, 1.0, 3.0, 4.0, 0.5, 1e-300]), min_size=1))
        text = ",".join(f"{state}:{number}" for state, number in numbers.items())
        return draw(st.sampled_from([numbers, text]))
    if kind == "truth":
        return draw(st.sampled_from([True, False, np.True_, "True", "false", {True}, {"yes": 1}]))
    if kind == "numpy":
        return np.str_(draw(states))
    return draw(st.sampled_from(REMARKABLE)) if kind == "anything" else draw(states)


@st.composite
def patients(draw, model):
    """The findings of a patient, in any order."""
    names = draw(st.lists(st.sampled_from(list(model.variables)), unique=True))
    found = {name: draw(findings_of(model.variables[name])) for name in names}
    if "albumin" in model.names and draw(st.booleans()):
        found["albumin"] = draw(st.sampled_from(["2.4 g/dL", "24 g/L", None, "low"]))
    return found


def as_frame(findings):
    """A table of one patient."""
    return pd.DataFrame({name: pd.Series([value], dtype=object) for name, value in findings.items()}, index=[0])


def check_both_ways(model, long_way, findings):
    """The short way, asked twice, and a table of one patient say what the long way says."""
    expected = outcome(lambda: in_full(long_way.posterior(findings)))
    for _ in range(2):
        assert outcome(lambda: in_full(model.posterior(findings))) == expected
    bare = outcome(lambda: tuple(model.probabilities(findings).items()))
    (row,) = model.posteriors(as_frame(findings)).to_dict("records")
    if expected[0] in (cc.errors.FindingsError, cc.errors.ImpossibleEvidence):
        assert bare == expected
        assert row["status"].startswith("invalid" if expected[0] is cc.errors.FindingsError else "impossible")
        return
    assert bare == expected[: len(model.states)]
    assert tuple((state, row[state]) for state in model.states) == bare
    assert row["log_evidence"] == pytest.approx(expected[len(model.states)], rel=0, abs=1e-12)


@examples(100)
@given(data=st.data())
def test_the_short_way_says_to_the_last_bit_what_the_long_way_says(clinic, long_way, data):
    check_both_ways(clinic, long_way, data.draw(patients(clinic)))


@examples(25)
@given(data=st.data(), table=st.sampled_from([1, 8, 100, 2**17]))
def test_on_random_networks_the_short_way_says_what_the_long_way_says(networks, data, table):
    network = data.draw(networks)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("calcinosis.inference.engine.conditioning.TABLE_ENTRIES", table)
        model = cc.Model(network)
        event(f"{len(model.engine.open)} open cliques")
        check_both_ways(model, by_the_long_way(network), data.draw(patients(model)))


def test_findings_that_the_tables_have_a_row_for_go_the_short_way(shipped, monkeypatch):
    findings = {
        "pain": "severe",
        "warfarin": "unknown",
        "serum_calcium": "9.1 mg/dL",
        "vascular_histology": ["absent", "intramural_calcification", "absent"],
        "esrd": ("yes",),
        "ulceration": "true",
        "obesity": [],
    }
    model = cc.Model(shipped.network)
    expected = [in_full(model.posterior(findings)), in_full(model.posterior())]
    monkeypatch.setattr(type(model.engine), "weigh", lambda *_: pytest.fail("this is the long way"))
    assert [in_full(model.posterior(findings)), in_full(model.posterior(**findings))] == [expected[0]] * 2
    assert in_full(model.posterior({})) == expected[1]


@pytest.mark.parametrize(
    "findings",
    [
        {"pain": "none/severe"},
        {"pain": {"none": 0.2, "severe": 0.4}},
        {"biopsy": ["absent"] * 6},
        {"calcium": "9.1 mg/dL", "albumin": "2.4 g/dL"},
        {"calcium": "9.1 mg/dL", "albumin": None},
        {"warfarin": True},
        {"pain": np.str_("none")},
    ],
    ids=str,
)
def test_what_needs_the_long_way_takes_it_and_leaves_the_short_way_as_it_was(clinic, long_way, findings):
    model = cc.Model(clinic.network)
    plain = {"calcium": "9.1 mg/dL", "pain": "none", "warfarin": "yes"}
    before = in_full(model.posterior(plain))
    check_both_ways(model, long_way, findings)
    check_both_ways(model, long_way, {**plain, **findings})
    assert in_full(model.posterior(plain)) == before == in_full(long_way.posterior(plain))


# what is remembered

ALIKE = [True, 1, "yes", 1.0, np.True_, np.str_("yes"), ["yes"], ("yes",), (True,), [1], {"yes"}, "true"]


def told_of_all(model, values):
    return [outcome(lambda v=value: in_full(model.posterior(warfarin=v))) for value in values]


def test_findings_that_are_alike_are_not_confused_whatever_was_asked_before(clinic, long_way):
    expected = told_of_all(long_way, ALIKE)
    assert len({str(told) for told in expected}) > 2
    for shift in range(len(ALIKE)):
        model, places = cc.Model(clinic.network), np.roll(range(len(ALIKE)), shift)
        told = told_of_all(model, [ALIKE[i] for i in places])
        assert told == [expected[i] for i in places]
        assert told_of_all(model, ALIKE) == expected


def test_a_text_is_remembered_for_its_own_variable_only(long_way, clinic):
    model = cc.Model(clinic.network)
    for name, other in permutations(["pain", "calcium", "warfarin"], 2):
        for value in ("none", "low", "yes", "9.1 mg/dL", ""):
            for asked in (name, other):
                told = [outcome(lambda m=m, a=asked, v=value: in_full(m.posterior({a: v}))) for m in (model, long_way)]
                assert told[0] == told[1]


class Forgetful(dict):
    """A memory that somebody else clears as soon as something is put into it."""

    def __setitem__(self, key, value):
        super().__setitem__(key, value)
        self.clear()


def memories(model):
    """What the short way remembers."""
    return {name: memory for name, memory in vars(model._single_patient).items() if isinstance(memory, dict)}


def test_likelihoods_are_remembered_for_their_own_variables_and_on_their_own_scale(clinic, long_way):
    model = cc.Model(clinic.network)
    some = ["none/severe", "low/high", "none:1,severe:1", "none:4,severe:4", "none:4", "none:0.5", "none", "none:3"]
    for value, other in permutations(some, 2):
        for findings in ({"pain": value}, {"calcium": other}, {"pain": other, "calcium": value}, {"pain": other}):
            told = [outcome(lambda m=m, f=findings: in_full(m.posterior(f))) for m in (model, long_way)]
            assert told[0] == told[1]


@pytest.mark.parametrize("most", [1, 2, 3])
def test_forgetting_what_was_learned_changes_nothing(clinic, long_way, monkeypatch, most):
    monkeypatch.setattr("calcinosis.inference.engine.single_patient.MOST_KNOWN", most)
    model = cc.Model(clinic.network)
    some = [
        {"pain": pain, "warfarin": "yes", "biopsy": biopsy, "disease": ""}
        for pain in ("none", "severe", "zzz", "unknown", "none/severe", "none:0.2,severe:0.4")
        for biopsy in ("absent", ["absent", "absent"], "absent,absent", ("calcified", "absent"), "calcified")
    ]
    for findings in [*some, *reversed(some), *some]:
        told = [outcome(lambda m=m, f=findings: in_full(m.posterior(f))) for m in (model, long_way)]
        assert told[0] == told[1]
        assert all(len(memory) <= most for memory in memories(model).values())


def test_what_another_thread_forgets_at_once_changes_nothing(clinic, long_way):
    model = cc.Model(clinic.network)
    assert memories(model)
    for name in memories(model):
        object.__setattr__(model._single_patient, name, Forgetful())
    for pain in ("none", "none/severe", "none:0.2,severe:0.4"):
        for biopsy in ("absent", ["absent"] * 5, "absent/calcified"):
            check_both_ways(model, long_way, {"pain": pain, "biopsy": biopsy, "warfarin": "yes"})


def test_a_list_that_is_changed_after_it_was_asked_for_is_read_anew(clinic, long_way):
    results = ["absent"]
    for _ in range(3):
        assert in_full(clinic.posterior(biopsy=results)) == in_full(long_way.posterior(biopsy=list(results)))
        results.append("calcified" if len(results) % 2 else "absent")


def test_models_do_not_share_what_they_learned(clinic, build):
    other = cc.Model(build("disease", {"disease": ("b g", "", [0.5, 0.5]), "pain": ("severe none", "", [0.5, 0.5])}))
    clinic.posterior(pain="severe")
    other.posterior(pain="severe")
    assert clinic.posterior(pain="severe").evidence["pain"].states == ("none", "intermittent", "severe")
    assert other.posterior(pain="severe").evidence["pain"].states == ("severe", "none")


# what is told


@examples(20)
@given(data=st.data())
def test_the_evidence_is_in_the_order_of_the_variables_however_it_was_given(shipped, data):
    variables = list(shipped.variables)
    names = data.draw(st.lists(st.sampled_from(variables), unique=True, max_size=6))
    findings = {name: data.draw(st.sampled_from(shipped.variables[name].state_names)) for name in names}
    evidence = outcome(lambda: shipped.posterior(findings).evidence)
    if not isinstance(evidence, tuple):
        assert [finding.variable for finding in evidence] == sorted(names, key=variables.index)
        assert evidence == shipped.read(findings)


@pytest.mark.parametrize(
    "findings",
    [
        {"pain": "sever"},
        {"paim": "none", "warfarin": "perhaps"},
        {"pain": ["none", "severe"]},
        {"pain": ("none", "zzz"), "calcium": "9,1 mg/dL", "albumin": "240 g/L"},
        {"disease": "benign", "pain": "severe"},
        {"pain": "severe", "biopsy": ["absent", "calcified"], "disease": "benign", "warfarin": "yes"},
        {7: "none"},
    ],
    ids=str,
)
@pytest.mark.parametrize("ask", ["posterior", "probabilities"])
def test_what_cannot_be_answered_is_told_as_by_the_long_way(clinic, long_way, ask, findings):
    clinic.posterior(pain="none", warfarin="yes", biopsy=["absent", "absent"])
    expected = outcome(lambda: getattr(long_way, ask)(findings))
    assert expected[0] in (cc.errors.FindingsError, cc.errors.ImpossibleEvidence)
    assert outcome(lambda: getattr(clinic, ask)(findings)) == expected


def test_findings_by_name_and_in_a_dict_together_are_read_together(clinic, long_way):
    for model in (clinic, long_way):
        together = model.posterior({"pain": "none"}, warfarin="yes")
        assert in_full(together) == in_full(model.posterior(pain="none", warfarin="yes"))
        with pytest.raises(cc.errors.FindingsError, match="given twice"):
            model.posterior({"pain": "none"}, pain="none")


def test_the_findings_that_are_given_stay_as_they_are(clinic):
    findings = {"pain": "none", "biopsy": ["calcified", "absent"], "warfarin": {"yes": 2, "no": 1}}
    kept = copy.deepcopy(findings)
    clinic.posterior(findings)
    assert findings == kept


# tiny weights


@pytest.fixture(scope="module")
def sharp(build):
    """Signs of two diseases, each nearly sure; half of them speak for one and half for the other."""
    signs = {f"sign{i}": ("no yes", "ill", [[0.999999, 1e-6], [1e-6, 0.999999]]) for i in range(120)}
    tables = {"ill": ("no yes", "", [0.5, 0.5]), "ward": ("no yes", "ill", [[0.9, 0.1], [0.2, 0.8]])}
    return cc.Model(build("ward", tables | signs))


def test_weights_too_small_for_a_number_go_the_long_way(sharp):
    findings = {f"sign{i}": ("no", "yes")[i % 2] for i in range(120)}
    rows, _ = sharp._single_patient.rows(findings)
    assert max(sharp.engine.weigh_one(rows)) == 0.0
    posterior = sharp.posterior(findings)
    assert posterior["yes"] == pytest.approx(0.45, rel=1e-12)
    assert posterior.log_evidence == pytest.approx(60 * np.log(0.999999 * 1e-6), rel=1e-12)
    check_both_ways(sharp, by_the_long_way(sharp.network), findings)


def test_weights_just_above_and_below_what_is_tiny_agree(sharp):
    """A few signs after the others, from 1 down to where the weights are computed again with scaling, and beyond."""
    long_way, found = by_the_long_way(sharp.network), {}
    for i in range(0, 120, 6):
        found |= {f"sign{k}": ("no", "yes")[k % 2] for k in range(i, i + 6)}
        posterior = sharp.posterior(found)
        assert in_full(posterior) == in_full(long_way.posterior(found))
        assert posterior["yes"] == pytest.approx(0.45, rel=1e-12)
        assert posterior.log_evidence == pytest.approx((i / 2 + 3) * np.log(0.999999 * 1e-6), rel=1e-12)
