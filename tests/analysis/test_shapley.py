"""Contributions are what adding a finding changes, averaged over all orders: by that definition, on random networks.

The oracle adds one player after the other in all n! orders; log-odds come from sums over the joint by numpy alone.
"""

from itertools import permutations
from math import factorial

import numpy as np
import pytest
from hypothesis import assume, event, given
from hypothesis import strategies as st
from properties import examples
from random_patients import true_states

import calcinosis as cc
from calcinosis.analysis.explain.shapley import BLOCK, shapley_values

EXACT = {"rtol": 0, "atol": 1e-10}


def by_permutation(values):
    """The value of each player by definition, from what every coalition reaches: player i is in those with bit i."""
    players = len(values).bit_length() - 1
    found = np.zeros(players)
    for order in permutations(range(players)):
        coalition = 0
        for player in order:
            found[player] += values[coalition | 1 << player] - values[coalition]
            coalition |= 1 << player
    return found / factorial(players)


def target_weights(network, evidence):
    """The joint weight of each state of the target and the findings: {variable: likelihoods of each result}."""
    axis = {name: i for i, name in enumerate(network.variables)}
    operands = []
    for name, table in network.tables.items():
        family = [axis[v] for v in (*network.parents[name], name)]
        operands += [table, family]
        for seen in evidence.get(name, ()):
            repeatable = network.variables[name].repeatable
            operands += [table @ np.array(seen), family[:-1]] if repeatable else [np.array(seen), family[-1:]]
    return np.einsum(*operands, [axis[network.target]], optimize="greedy")


def log_odds(weights, states, mine, others):
    """The log-odds of some states against others."""
    return np.log(sum(weights[states.index(s)] for s in mine)) - np.log(sum(weights[states.index(s)] for s in others))


def read(model, findings):
    return {finding.variable: finding.likelihoods for finding in model.read(findings)}


def reached(model, findings, names, mine, others, background=()):
    """What every coalition of the findings in `names` reaches."""
    evidence = read(model, findings)
    values = []
    for coalition in range(2 ** len(names)):
        some = {n for i, n in enumerate(names) if coalition >> i & 1}.union(background)
        weights = target_weights(model.network, {n: own for n, own in evidence.items() if n in some})
        values.append(log_odds(weights, list(model.states), mine, others))
    return np.array(values)


@st.composite
def patients(draw, networks):
    """A random network and up to six findings of one patient drawn from it, so that they are possible together."""
    model = cc.Model(draw(networks))
    network = model.network
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    truth = true_states(network, rng)
    findings = {}
    for name in draw(st.lists(st.sampled_from(sorted(network.variables)), unique=True, min_size=1, max_size=6)):
        states = network.variables[name].state_names
        state = states[truth[name]]
        either = {state, draw(st.sampled_from(states))}
        likelihoods = {s: draw(st.sampled_from([0.1, 0.5, 1.0])) for s in states}
        kinds = [either, likelihoods] if name == network.target else [state, either, likelihoods]
        value = draw(st.sampled_from(kinds))
        findings[name] = [value] * draw(st.integers(1, 3)) if network.variables[name].repeatable else value
    return model, findings


@examples(60)
@given(players=st.integers(1, 6), seed=st.integers(0, 2**32 - 1))
def test_values_of_a_random_game_are_the_average_over_all_orders(players, seed):
    values = np.random.default_rng(seed).normal(scale=5, size=2**players)
    found = shapley_values(players, lambda coalitions: values[coalitions])
    np.testing.assert_allclose(found, by_permutation(values), **EXACT)
    assert found.sum() == pytest.approx(values[-1] - values[0], abs=1e-10)


def test_a_game_without_players_has_no_values():
    assert shapley_values(0, lambda coalitions: np.zeros(len(coalitions))).shape == (0,)


@examples(20)
@given(seed=st.integers(0, 2**32 - 1))
def test_players_beyond_one_block_share_as_those_within(seed):
    """A sum of 17 weights and of two products, valued in two blocks: each product is shared by its two players."""
    own = np.random.default_rng(seed).normal(size=17)

    def value(coalitions):
        assert len(coalitions) <= BLOCK
        there = (coalitions[:, None] >> np.arange(17)) & 1
        return there @ own + 3 * there[:, 0] * there[:, 16] - 2 * there[:, 5] * there[:, 15]

    expected = own.copy()
    expected[[0, 16]] += 1.5
    expected[[5, 15]] -= 1.0
    np.testing.assert_allclose(shapley_values(17, value), expected, **EXACT)


@examples(80)
@given(data=st.data())
def test_contributions_on_a_random_network_are_the_average_over_all_orders(networks, data):
    model, findings = data.draw(patients(networks))
    whole = target_weights(model.network, read(model, findings))
    possible = [state for state, weight in zip(model.states, whole, strict=True) if weight > 0]
    assume(len(possible) > 1)
    mine = data.draw(st.lists(st.sampled_from(possible), unique=True, min_size=1, max_size=len(possible) - 1))
    others = data.draw(st.sampled_from(["all others", "some"]))
    event(others)
    against = [s for s in model.states if s not in mine]
    if others == "some":
        against = data.draw(st.lists(st.sampled_from([s for s in possible if s not in mine]), unique=True, min_size=1))
    background = data.draw(st.lists(st.sampled_from(sorted(findings)), unique=True, max_size=2))
    why = cc.explain(model, findings, state=mine, against=against if others == "some" else None, background=background)
    names = [name for name in findings if name not in background]
    values = reached(model, findings, names, mine, against, background)
    lines = why.frame.set_index("variable").loc[names]
    np.testing.assert_allclose(lines["contribution"], by_permutation(values), **EXACT)
    every = 2 ** len(names) - 1
    each = 2 ** np.arange(len(names))
    np.testing.assert_allclose(lines["alone"], values[each] - values[0], **EXACT)
    np.testing.assert_allclose(lines["left_out"], values[every] - values[every - each], **EXACT)
    np.testing.assert_allclose([why.before, why.after], values[[0, every]], **EXACT)
    assert why.before + lines["contribution"].sum() == pytest.approx(why.after, abs=1e-10)
    np.testing.assert_allclose(lines["factor"], np.exp(lines["contribution"]), rtol=1e-12)
    np.testing.assert_allclose(lines["decibans"], 10 * lines["contribution"] / np.log(10), rtol=1e-12)
    assert [finding.variable for finding in why.background] == [n for n in model.variables if n in background]


@examples(40)
@given(data=st.data())
def test_the_side_turned_round_changes_every_sign(networks, data):
    model, findings = data.draw(patients(networks))
    weights = target_weights(model.network, read(model, findings))
    possible = [state for state, weight in zip(model.states, weights, strict=True) if weight > 0]
    assume(len(possible) > 1)
    one, other = possible[:2]
    there = cc.explain(model, findings, state=one, against=other).frame.set_index("variable")["contribution"]
    back = cc.explain(model, findings, state=other, against=one).frame.set_index("variable")["contribution"]
    np.testing.assert_allclose(back[there.index], -there, **EXACT)


def test_findings_that_say_the_same_get_the_same_and_one_that_says_nothing_gets_nothing(build):
    """Two looks alike at one hidden cause, one child of nothing, and an 'either of all' of another."""
    row = [[0.9, 0.1], [0.3, 0.7]]
    model = cc.Model(
        build(
            "d",
            {
                "d": ("s t u", "", [0.5, 0.3, 0.2]),
                "hidden": ("n y", "d", [[0.8, 0.2], [0.4, 0.6], [0.1, 0.9]]),
                "one": ("n y", "hidden", row),
                "two": ("n y", "hidden", row),
                "alien": ("n y", "", [0.4, 0.6]),
                "open": ("n y", "d", [[0.8, 0.2], [0.4, 0.6], [0.1, 0.9]]),
            },
        )
    )
    findings = {"one": "y", "two": "y", "alien": "y", "open": {"n", "y"}}
    found = cc.explain(model, findings, state="u").frame.set_index("variable")
    assert found.loc["one", "contribution"] == pytest.approx(found.loc["two", "contribution"], abs=1e-12)
    assert found.loc["one", "contribution"] > 0.1
    for name in ("alien", "open"):
        assert found.loc[name, ["contribution", "alone", "left_out"]].abs().max() == pytest.approx(0, abs=1e-12)
    # they say the same: each weighs more alone than once the other is known
    assert found.loc["one", "alone"] > found.loc["one", "contribution"] > found.loc["one", "left_out"]


def test_independent_findings_get_their_own_likelihood_ratios(build):
    """By hand: given the disease 17 findings are independent, so each contributes the logarithm of its ratio."""
    rng = np.random.default_rng(3)
    rows = rng.uniform(0.1, 0.9, (17, 2))
    tables = {f"f{i}": ("n y", "d", [[1 - p, p], [1 - q, q]]) for i, (p, q) in enumerate(rows)}
    model = cc.Model(build("d", {"d": ("ill well", "", [0.1, 0.9])} | tables))
    found = cc.explain(model, dict.fromkeys(tables, "y"), state="ill").frame.set_index("variable")
    ratios = np.log(rows[:, 0] / rows[:, 1])
    for column in ("contribution", "alone", "left_out"):
        np.testing.assert_allclose(found.loc[list(tables), column], ratios, **EXACT)


def test_the_lines_come_side_by_side_and_group_by_group(shipped):
    """First what speaks for it; on each side the heavier group, in it the stronger finding."""
    findings = {
        "cirrhosis": "yes",
        "pain": "severe",
        "esrd": "no",
        "ulceration": "yes",
        "warfarin": "no",
        "pth": "high",
    }
    frame = cc.explain(shipped, findings, state="calciphylaxis").frame
    signs = np.sign(frame["contribution"]).to_numpy()
    assert (np.diff(signs) <= 0).all()
    for sign in (1, -1):
        side = frame[signs == sign]
        groups = side["group"].drop_duplicates().to_list()
        totals = [side.loc[side["group"] == group, "contribution"].abs().sum() for group in groups]
        assert totals == sorted(totals, reverse=True)
        assert side["group"].to_list() == [g for g in groups for _ in range((side["group"] == g).sum())]
        for group in groups:
            strengths = side.loc[side["group"] == group, "contribution"].abs().to_list()
            assert strengths == sorted(strengths, reverse=True)


def test_several_states_are_named_as_a_list_or_with_a_slash(shipped):
    findings = {"pain": "severe", "esrd": "yes"}
    with_slash = cc.explain(shipped, findings, state="metastatic/calciphylaxis", against="dystrophic / idiopathic")
    as_list = cc.explain(shipped, findings, state=["calciphylaxis", "metastatic"], against=["idiopathic", "dystrophic"])
    assert with_slash.hypothesis == as_list.hypothesis
    assert with_slash.hypothesis.chosen == ("metastatic", "calciphylaxis")
    assert with_slash.frame.equals(as_list.frame)


def test_unless_told_the_leading_state_is_held_against_all_others(shipped):
    why = cc.explain(shipped, pain="severe", ulceration="yes")
    assert why.hypothesis.chosen == (why.posterior.leading,)
    assert set(why.hypothesis.against) == set(shipped.states) - {why.posterior.leading}


def test_no_findings_leave_the_prior_odds(shipped):
    why = cc.explain(shipped)
    assert why.frame.empty
    assert why.rows.empty
    assert why.before == why.after


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"state": "calciphylaxi"}, "no state 'calciphylaxi': did you mean 'calciphylaxis'"),
        ({"against": "dystrophi"}, "no state 'dystrophi': did you mean 'dystrophic'"),
        ({"state": "dystrophic", "against": "dystrophic"}, "dystrophic cannot be held against itself"),
        ({"state": "dystrophic/metastatic", "against": ["metastatic"]}, "metastatic cannot be held against itself"),
        ({"state": "dystrophic/metastatic/idiopathic/iatrogenic/calciphylaxis"}, "nothing is left"),
        ({"state": []}, None),
        ({"against": []}, "no state is named"),
        ({"background": ["livedo"]}, "nothing was found of 'livedo'"),
    ],
)
def test_what_cannot_be_asked_is_said(shipped, asked, says):
    if says is None:  # an empty list is as good as none: the leading state
        assert cc.explain(shipped, pain="severe", **asked).hypothesis.chosen == ("calciphylaxis",)
        return
    with pytest.raises(cc.errors.QuestionError, match=says):
        cc.explain(shipped, pain="severe", **asked)


@pytest.fixture(scope="module")
def zeros(build):
    """A disease with a sign that only it has."""
    tables = {"d": ("ill well", "", [0.1, 0.9]), "sign": ("n y", "d", [[0.5, 0.5], [1, 0]])}
    pair = ("n y", "d", [[0.5, 0.5], [0.9, 0.1]])
    gate = ("n y", "pair d", [[0.9, 0.1], [0.2, 0.8], [0.8, 0.2], [1, 0]])
    return cc.Model(build("d", tables | {"pair": pair, "gate": gate}))


@pytest.mark.parametrize(
    ("findings", "background", "says"),
    [
        ({"sign": "y"}, (), "sign rules out well"),
        ({"sign": "y", "pair": "n"}, ["sign"], "the background rules out well"),
        ({"pair": "y", "gate": "y"}, (), "the findings together rule out well"),
    ],
)
def test_a_state_that_is_ruled_out_has_no_finite_odds(zeros, findings, background, says):
    for state in ("ill", "well"):
        with pytest.raises(cc.errors.QuestionError, match=f"{says}: the odds are infinite"):
            cc.explain(zeros, findings, state=state, background=background)


def test_26_findings_are_too_many_unless_one_is_background(build):
    tables = {f"f{i}": ("n y", "d", [[0.6, 0.4], [0.3, 0.7]]) for i in range(26)}
    model = cc.Model(build("d", {"d": ("ill well", "", [0.1, 0.9])} | tables))
    with pytest.raises(
        cc.errors.QuestionError, match="26 findings are too many to be explained together, the most is 25"
    ):
        cc.explain(model, dict.fromkeys(tables, "y"))
    why = cc.explain(model, dict.fromkeys(tables, "y"), background=list(tables)[:20])
    np.testing.assert_allclose(why.frame["contribution"].abs(), np.log(7 / 4), **EXACT)


KINDS = {
    "states": {
        "pain": "severe",
        "cirrhosis": "yes",
        "esrd": "no",
        "sex": "female",
        "ulceration": "yes",
        "livedo": "no",
    },
    "either of": {"pain": "intermittent/severe", "lesion_site": "acral/genital/other", "cirrhosis": "yes"},
    "likelihoods": {"pain": "none:0.2,severe:0.8", "radiograph": "none:3,nodular_mass:1,vascular_netlike:0.01"},
    "five biopsies": {"vascular_histology": "absent,absent,intramural_calcification,absent,absent", "warfarin": "yes"},
    "eight hundred biopsies": {"vascular_histology": ["absent"] * 800, "vessel_calcification": "yes", "obesity": "no"},
    "hidden": {"form": "dystrophic_damage/calciphylaxis_uraemic", "vessel_calcification": "no", "pth": "high"},
}


@pytest.mark.parametrize("kind", KINDS)
def test_two_halves_multiplied_are_every_coalition_weighed_by_itself(shipped, monkeypatch, kind):
    """The findings of a kind, beside some of the others, so that there are enough coalitions for halves."""
    from calcinosis.analysis.explain import coalitions

    known = {"diabetes": "no", "malignancy": "no", "serum_calcium": "high", "autoantibodies": "negative"} | KINDS[kind]
    fast = cc.explain(shipped, known, state="dystrophic", against="calciphylaxis").frame.set_index("variable")
    monkeypatch.setattr(coalitions, "_one_clique", lambda model: None)
    slow = cc.explain(shipped, known, state="dystrophic", against="calciphylaxis").frame.set_index("variable")
    for column in ("contribution", "alone", "left_out"):
        np.testing.assert_allclose(fast[column], slow[column].loc[fast.index], rtol=1e-10, atol=1e-10)


def test_the_shipped_network_is_asked_by_halves(shipped, monkeypatch):
    """Of all its findings, none but the few asked for alone are weighed by themselves."""
    from calcinosis.analysis.explain.coalitions import Switches

    weighed = []
    plain = Switches._weigh
    monkeypatch.setattr(
        Switches, "_weigh", lambda own, names, some: weighed.append(len(some)) or plain(own, names, some)
    )
    known = {v.name: v.state_names[0] for v in shipped.variables.values() if v.group not in ("hidden", "outcome")}
    assert len(cc.explain(shipped, dict(list(known.items())[:18])).frame) == 18
    assert sum(weighed) < 200
