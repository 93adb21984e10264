"""What a test tells is what every one of its outcomes would: by enumeration of the joint, one and two tests ahead.

The oracle adds each look as an axis of its own to a sum of products, and knows nothing of the engine.
"""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties import examples
from random_patients import true_states

import calcinosis as cc
from calcinosis.analysis.workup.information import entropy, expected_gain, expected_information, expected_value

CLOSE = {"rtol": 0, "atol": 1e-10}


def joint_of(network, evidence, looks):
    """The probability of every outcome of some looks with each state of the target: axes `(*looks, states)`."""
    axis = {name: i for i, name in enumerate(network.variables)}
    operands = []
    for name, table in network.tables.items():
        family = [axis[v] for v in (*network.parents[name], name)]
        operands += [table, family]
        repeatable = network.variables[name].repeatable
        for seen in evidence.get(name, ()):
            operands += [table @ np.array(seen), family[:-1]] if repeatable else [np.array(seen), family[-1:]]
        for place, look in enumerate(looks):
            if look == name:  # a repeatable one gives each look a result of its own
                own = len(axis) + place
                operands += [table, [*family[:-1], own]] if repeatable else [np.eye(table.shape[-1]), [axis[name], own]]
    kept = [*(len(axis) + place for place in range(len(looks))), axis[network.target]]
    found = np.einsum(*operands, kept, optimize="greedy")
    return found / found.sum()


def information(joint):
    """Mutual information in nats by its definition, cell by cell."""
    of_outcome, of_state = joint.sum(axis=1), joint.sum(axis=0)
    return sum(
        p * math.log(p / (of_outcome[o] * of_state[s])) for (o, s), p in np.ndenumerate(joint) if p > 0
    )  # fmt: skip


def right(joint):
    """How probable it is that naming the most probable state after each outcome is right."""
    return sum(max(row) for row in joint.tolist())


def read(model, findings):
    return {finding.variable: finding.likelihoods for finding in model.read(findings)}


def looks_at(model, known):
    """The tests that there are where none are listed: a look at each variable, and one more at what can be repeated."""
    for name, variable in model.variables.items():
        if name == model.target or variable.group == "hidden":
            continue
        if name not in known:
            yield name, name
        elif variable.repeatable:
            yield f"{name}_again", name


@st.composite
def patients(draw, networks):
    """A random network and findings, certain or either-of, of a patient drawn from it."""
    model = cc.Model(draw(networks))
    network = model.network
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    truth = true_states(network, rng)
    names = [name for name in network.variables if name != network.target]
    findings = {}
    for name in draw(st.lists(st.sampled_from(names), unique=True, max_size=3)):
        states = network.variables[name].state_names
        other = draw(st.sampled_from(states))
        findings[name] = draw(st.sampled_from([states[truth[name]], {states[truth[name]], other}]))
    return model, findings


@examples(100)
@given(
    shape=st.tuples(st.integers(1, 5), st.integers(2, 5)),
    seed=st.integers(0, 2**32 - 1),
    zeros=st.sampled_from([0.0, 0.5]),
    actions=st.integers(1, 4),
)
def test_information_and_value_of_any_joint(shape, seed, zeros, actions):
    rng = np.random.default_rng(seed)
    joint = rng.random(shape) * (rng.random(shape) >= zeros)
    joint[0, 0] += 0.1
    joint /= joint.sum()
    utility = rng.normal(size=(actions, shape[1]))
    assert expected_information(7 * joint) == pytest.approx(information(joint), abs=1e-12)
    assert 0 <= expected_information(joint) <= entropy(joint.sum(axis=0)) + 1e-12
    assert expected_value(3 * joint) == pytest.approx(right(joint), abs=1e-12)
    by_hand = sum(max(float(own @ row) for own in utility) for row in joint)
    assert expected_value(joint, utility) == pytest.approx(by_hand, abs=1e-12)
    blind = max(float(own @ joint.sum(axis=0)) for own in utility)
    assert expected_gain(joint, utility) == pytest.approx(by_hand - blind, abs=1e-12)
    assert expected_gain(joint, utility) >= 0
    assert expected_gain(joint) == pytest.approx(right(joint) - joint.sum(axis=0).max(), abs=1e-12)


def test_nothing_is_told_where_nothing_is_possible():
    assert expected_information(np.zeros((2, 3))) == expected_gain(np.zeros((2, 3))) == 0


@examples(25)
@given(data=st.data(), by=st.sampled_from(["information", "right"]))
def test_the_ranking_on_a_random_network_is_that_of_every_outcome(networks, data, by):
    model, findings = data.draw(patients(networks))
    network, evidence = model.network, read(model, findings)
    found = cc.next_test(model, findings, by=by)
    lines = found.frame.set_index("test")
    tests = dict(looks_at(model, findings))
    assert set(lines.index) == set(tests)  # what is known is left out, but for what can be repeated
    now = joint_of(network, evidence, [])
    worth = {"information": information, "right": lambda own: right(own) - own.sum(axis=0).max()}[by]
    for test, name in tests.items():
        joint, line = joint_of(network, evidence, [name]), lines.loc[test]
        assert line["information"] == pytest.approx(information(joint), abs=1e-10)
        assert line["information"] >= 0
        assert line["gain"] == pytest.approx(right(joint) - now.max(), abs=1e-10)
        assert line["gain"] >= 0
        assert line["right"] == pytest.approx(right(joint), abs=1e-10)
        seconds = {
            then: joint_of(network, evidence, [name, other]) for then, other in looks_at(model, {*findings, name})
        }
        in_two, least = information(joint), 0.0
        for outcome, chance in enumerate(joint.sum(axis=1)):
            if chance > 0:
                after = {then: own[outcome] / chance for then, own in seconds.items()}
                best = max((worth(own) for own in after.values()), default=0.0)
                equals = [own for own in after.values() if worth(own) > best - 1e-10]
                if by == "information":
                    in_two += chance * best
                else:  # of several that help as much any may be taken
                    least += chance * min((information(own) for own in equals), default=0.0)
                    in_two += chance * max((information(own) for own in equals), default=0.0)
                state = network.variables[name].state_names[outcome]
                told = found.outcomes[
                    (found.outcomes["test"] == test) & (found.outcomes["outcome"] == f"{name}={state}")
                ]
                assert told["chance"].item() == pytest.approx(chance, abs=1e-10)
                np.testing.assert_allclose(told[list(model.states)].to_numpy()[0], joint[outcome] / chance, **CLOSE)
                if told["then"].item():
                    assert worth(after[told["then"].item()]) == pytest.approx(best, abs=1e-9)
                else:
                    assert best < 1e-9
        if by == "information":
            assert line["in_two"] == pytest.approx(in_two, abs=1e-9)
        else:
            assert information(joint) - 1e-9 <= line["in_two"] <= in_two + 1e-9
            two = sum(
                max((right(own[o]) for own in seconds.values()), default=max(joint[o])) for o in range(len(joint))
            )
            assert line["right_in_two"] == pytest.approx(two, abs=1e-9)
        assert line["in_two"] >= line["information"] - 1e-12
        assert line["right_in_two"] >= line["right"] - 1e-12
    column = "information" if by == "information" else "gain"
    assert lines[column].is_monotonic_decreasing


@examples(40)
@given(data=st.data())
def test_outcomes_sum_to_one_and_average_back_to_the_posterior(networks, data):
    model, findings = data.draw(patients(networks))
    found = cc.next_test(model, findings)
    now = np.array(found.posterior.probabilities)
    for test, own in found.outcomes.groupby("test"):
        assert own["chance"].sum() == pytest.approx(1, abs=1e-12), test
        np.testing.assert_allclose(own["chance"] @ own[list(model.states)], now, **CLOSE)
        assert (own["chance"] > 0).all()
    expected = joint_of(model.network, read(model, findings), [])
    np.testing.assert_allclose(now, expected, **CLOSE)


JONES = {
    "care_setting": "hospital_inpatient", "cirrhosis": "yes", "weight_loss": "yes", "ulceration": "yes",
    "pain": "intermittent", "lesion_site": "proximal_adipose", "sex": "female", "radiograph": "nodular_mass",
}  # fmt: skip


@pytest.fixture(scope="module")
def found(shipped):
    return cc.next_test(shipped, JONES)


@pytest.mark.parametrize("test", ["punch_biopsy", "wedge_biopsy", "calcium_and_phosphate", "drug_history"])
def test_what_the_shipped_tests_tell_is_that_of_every_outcome(shipped, found, test):
    """A wedge is two looks at the vessels: each look has a result of its own."""
    looks = shipped.priors.tests[test].reveals
    joint = joint_of(shipped.network, read(shipped, JONES), looks).reshape(-1, len(shipped.states))
    line = found.frame.set_index("test").loc[test]
    assert line["information"] == pytest.approx(information(joint), abs=1e-10)
    assert line["right"] == pytest.approx(right(joint), abs=1e-10)
    leads = list(shipped.states).index(found.posterior.leading)
    assert line["flips"] == pytest.approx(sum(row.sum() for row in joint if row.argmax() != leads), abs=1e-10)
    assert line["reveals"] == ";".join(looks)
    own = found.outcomes[found.outcomes["test"] == test]
    assert own["chance"].sum() == pytest.approx(1, abs=1e-12)
    np.testing.assert_allclose(own["chance"] @ own[list(shipped.states)], found.posterior.probabilities, **CLOSE)


def test_the_two_looks_of_a_wedge_are_told_together(shipped, found):
    own = found.outcomes[found.outcomes["test"] == "wedge_biopsy"].set_index("outcome")
    assert len(own) == 3 * 2 * 2  # of two looks at two states three kinds
    mixed = next(name for name in own.index if "absent,intramural_calcification" in name and "vasculopathy=no" in name)
    answer = shipped.posterior(JONES | dict(part.split("=") for part in mixed.split(", ")))
    np.testing.assert_allclose(own.loc[mixed, list(shipped.states)].astype(float), answer.probabilities, **CLOSE)
    both = answer.log_evidence - found.posterior.log_evidence
    assert own.loc[mixed, "chance"] == pytest.approx(2 * math.exp(both), abs=1e-12)  # in either order


def test_a_wedge_tells_more_than_a_punch_and_a_punch_than_its_parts(shipped, found):
    lines = found.frame.set_index("test")["information"]
    assert lines["wedge_biopsy"] > lines["punch_biopsy"]
    evidence = read(shipped, JONES)
    for part in shipped.priors.tests["punch_biopsy"].reveals:
        own = information(joint_of(shipped.network, evidence, [part]))
        assert lines["punch_biopsy"] > own


def test_what_is_known_is_not_offered_and_a_repeat_only_after_a_first(shipped, found):
    tests = set(found.frame["test"])
    assert "liver_tests" not in tests  # cirrhosis is known
    assert "x_ray" not in tests
    assert "repeat_biopsy" not in tests
    history = found.frame.set_index("test").loc["weight_history"]
    assert history["reveals"] == "obesity"  # weight loss is known already
    again = cc.next_test(shipped, JONES, vascular_histology="absent")
    names = set(again.frame["test"])
    assert "repeat_biopsy" in names
    assert not names & {"punch_biopsy", "wedge_biopsy"}
    lines = again.frame.set_index("test")
    joint = joint_of(
        shipped.network,
        read(shipped, JONES | {"vascular_histology": "absent"}),
        shipped.priors.tests["repeat_biopsy"].reveals,
    )
    assert lines.loc["repeat_biopsy", "information"] == pytest.approx(
        information(joint.reshape(-1, len(shipped.states))), abs=1e-10
    )
    # after a first biopsy a repeat is what may come second
    assert set(found.outcomes.loc[found.outcomes["test"] == "punch_biopsy", "then"]) <= {
        "repeat_biopsy",
        *(set(found.frame["test"]) - {"punch_biopsy", "wedge_biopsy"}),
    }


def test_tests_that_are_not_available_are_neither_first_nor_second(shipped, found):
    left = cc.next_test(shipped, JONES, without=["wedge_biopsy", "repeat_biopsy", "drug_history"])
    assert set(left.frame["test"]) == set(found.frame["test"]) - {"wedge_biopsy", "drug_history"}
    assert not set(left.outcomes["then"]) & {"wedge_biopsy", "repeat_biopsy", "drug_history"}
    with pytest.raises(cc.errors.QuestionError, match="no test 'wedge_biopsi': did you mean 'wedge_biopsy'"):
        cc.next_test(shipped, JONES, without=["wedge_biopsi"])


@pytest.mark.parametrize("by", ["cost", "harm"])
def test_tests_are_ranked_by_what_they_tell_for_their_price(shipped, by):
    frame = cc.next_test(shipped, JONES, by=by).frame
    scale = 100 if by == "cost" else 1
    with np.errstate(divide="ignore"):
        expected = np.where(frame[by] > 0, scale * frame["information"] / frame[by], np.inf)
    np.testing.assert_allclose(frame[f"per_{by}"], expected, rtol=1e-12)
    assert frame[f"per_{by}"].is_monotonic_decreasing
    free = frame[frame[by] == 0]
    assert len(free) > 1
    assert free["information"].is_monotonic_decreasing
    assert np.isinf(free[f"per_{by}"]).all()


def test_a_test_of_something_unrelated_tells_nothing(build):
    tables = {
        "d": ("s t", "", [0.6, 0.4]),
        "alien": ("n y", "", [0.3, 0.7]),
        "sign": ("n y", "d", [[0.8, 0.2], [0.3, 0.7]]),
    }
    lines = cc.next_test(cc.Model(build("d", tables))).frame.set_index("test")
    assert lines.index.to_list() == ["sign", "alien"]
    assert lines.loc["alien", ["information", "share", "gain", "flips"]].abs().max() < 1e-15
    # with the sign after it, it tells what the sign does
    assert lines.loc["alien", "in_two"] == pytest.approx(lines.loc["sign", "information"], abs=1e-12)
    assert lines.loc["sign", "in_two"] == pytest.approx(lines.loc["sign", "information"], abs=1e-12)


def test_without_listed_tests_there_are_no_prices(build):
    tables = {"d": ("s t", "", [0.6, 0.4]), "sign": ("n y", "d", [[0.8, 0.2], [0.3, 0.7]])}
    model = cc.Model(build("d", tables))
    assert not {"cost", "harm", "per_cost", "source"} & set(cc.next_test(model).frame)
    for by in ("cost", "harm"):
        with pytest.raises(cc.errors.QuestionError, match=f"this network has no tests with a {by}"):
            cc.next_test(model, by=by)
    with pytest.raises(cc.errors.QuestionError, match="no ranking 'costs': did you mean 'cost'"):
        cc.next_test(model, by="costs")


def test_when_all_is_known_nothing_is_left(build):
    tables = {"d": ("s t", "", [0.6, 0.4]), "sign": ("n y", "d", [[0.8, 0.2], [0.3, 0.7]])}
    left = cc.next_test(cc.Model(build("d", tables)), sign="y")
    assert left.frame.empty
    assert left.outcomes.empty
    assert left.verdict == "Nothing is left to be tested."
    assert not left.worthwhile
    assert left.as_dict()["tests"] == []


@pytest.mark.parametrize(
    ("by", "what"),
    [
        ("information", "tells most"),
        ("right", "helps most to be right"),
        ("cost", "tells most for its cost"),
        ("harm", "tells most for its harm"),
    ],
)
def test_the_verdict_names_the_best_by_the_question(shipped, by, what):
    asked = cc.next_test(shipped, JONES, by=by)
    label = asked.frame["label"][0]
    assert asked.verdict.startswith(f"Of the tests that are left this one {what}: {label[0].lower()}{label[1:]}.")
    assert asked.worthwhile == bool((asked.frame["flips"] >= 0.05).any())
    assert ("likely to change which subtype leads" in asked.verdict) == (not asked.worthwhile)


def test_whether_a_test_is_worthwhile_is_whether_the_lead_may_change(build):
    """By hand: a sign that reverses the lead with probability .05, and one that cannot."""
    strong = {"d": ("s t", "", [0.9, 0.1]), "sign": ("n y", "d", [[1.0, 0.0], [0.5, 0.5]])}
    weak = {"d": ("s t", "", [0.9, 0.1]), "sign": ("n y", "d", [[0.6, 0.4], [0.4, 0.6]])}
    can, cannot = (cc.next_test(cc.Model(build("d", own))) for own in (strong, weak))
    assert can.frame["flips"][0] == pytest.approx(0.05, abs=1e-15)
    assert cannot.frame["flips"][0] == 0
    assert cannot.verdict.endswith("No test that is left is likely to change which subtype leads.")
    assert "instead of 90 %" in cannot.verdict


def test_too_many_outcomes_are_refused(build):
    states = " ".join(f"s{i}" for i in range(1100))
    wide = {name: (states, "", np.full(1100, 1 / 1100)) for name in ("a", "b")}
    model = cc.Model(build("d", {"d": ("s t", "", [0.6, 0.4])} | wide))
    with pytest.raises(cc.errors.QuestionError, match="a, b have 1,210,000 outcomes together"):
        cc.next_test(model)


def test_plain_values_are_those_of_the_tables(found):
    plain = found.as_dict(most=2)
    assert [line["test"] for line in plain["tests"]] == found.frame["test"][:2].to_list()
    assert {line["test"] for line in plain["outcomes"]} == set(found.frame["test"][:2])
    assert plain["verdict"] == found.verdict
