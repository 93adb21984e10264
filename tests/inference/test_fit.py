"""Findings that do not fit are told, and seldom those that do: shares are calibrated, conflict is as defined."""

import json
import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties import examples
from random_patients import findings_of_every_kind, true_states
from scipy.stats import binom, kstest

import calcinosis as cc
from calcinosis.inference.conflict.comparison import ReferencePatients
from calcinosis.inference.conflict.conflict import MOST_PAIRS, UNUSUAL
from calcinosis.inference.numbers import percent
from calcinosis.inference.phrases import phrase
from calcinosis.interface.words.posterior import fit_in_words, misfit_of

CONTRADICTORY = {
    "care_setting": "dialysis_unit",
    "age_group": "child",
    "lesion_site": "genital",
    "connective_tissue_disease": "yes",
    "calcium_exposure": "yes",
}


def probability(network, evidence, state=None):
    """The probability of the findings, and of a state of the target, by a sum of products over the joint."""
    axis = {name: i for i, name in enumerate(network.variables)}
    operands = []
    for name, table in network.tables.items():
        family = [axis[v] for v in (*network.parents[name], name)]
        operands += [table, family]
        for seen in evidence.get(name, ()):
            repeatable = network.variables[name].repeatable
            operands += [table @ np.array(seen), family[:-1]] if repeatable else [np.array(seen), family[-1:]]
    found = np.einsum(*operands, [axis[network.target]], optimize="greedy")
    return float(found.sum() if state is None else found[network.variables[network.target].state_names.index(state)])


def read(model, findings):
    return {finding.variable: finding.likelihoods for finding in model.read(findings)}


def jones(model):
    case = cc.cases().loc["jones2023"]
    return {name: case[name] for name in case.index if name in model.variables and case[name]}


# calibration


@pytest.fixture(scope="module")
def chest(build):
    """The chest clinic of Lauritzen and Spiegelhalter, with one disease to be told from none and another."""
    tables = {
        "disease": ("none lung tub", "", [0.93, 0.055, 0.015]),
        "smoke": ("no yes", "disease", [[0.53, 0.47], [0.09, 0.91], [0.5, 0.5]]),
        "xray": ("no yes", "disease", [[0.95, 0.05], [0.02, 0.98], [0.02, 0.98]]),
        "bronc": ("no yes", "smoke", [[0.7, 0.3], [0.4, 0.6]]),
        "dysp": (
            "none some much",
            "bronc xray",
            [[0.9, 0.08, 0.02], [0.4, 0.4, 0.2], [0.2, 0.5, 0.3], [0.1, 0.3, 0.6]],
        ),
        "asia": ("no yes", "disease", [[0.99, 0.01], [0.99, 0.01], [0.95, 0.05]]),
    }
    return cc.Model(build("disease", tables))


def fits_of(model, patients):
    """The fit of each patient; of patients who are alike it is asked once."""
    columns = [name for name in patients.columns if name in model.variables]
    rows = patients[columns].astype(object).itertuples(index=False, name=None)
    keys = [tuple((n, v) for n, v in zip(columns, row, strict=True) if isinstance(v, str)) for row in rows]
    fits = {key: model.posterior(dict(key)).fit for key in dict.fromkeys(keys)}
    return [fits[key] for key in keys]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("of", "count", "missing"),
    [("shipped", 600, 0.0), ("shipped", 1200, 0.6), ("chest", 2000, 0.0), ("chest", 2000, 0.3)],
)
def test_shares_of_patients_of_the_network_are_uniform_and_few_are_called_unusual(request, figure, of, count, missing):
    """A p-value lies below 0.01 in one of a hundred patients that the network describes rightly, and so on."""
    model = request.getfixturevalue(of)
    fits = fits_of(model, model.simulate(count, missing=missing, seed=5))
    uniforms = np.random.default_rng(6).random(count)
    rarity = np.array([fit.rarer for fit in fits]) + uniforms * np.array([fit.as_rare for fit in fits])
    test = kstest(rarity, "uniform")
    shares = {name: np.mean([getattr(fit, name) for fit in fits]) for name in ("rare", "conflicting", "fits_none")}
    told = ", ".join(f"{name} {100 * share:.2f} %" for name, share in shares.items())
    figure(f"fit, {count} patients of {of}, {missing:.0%} missing: KS p {test.pvalue:.3f}, {told}")
    assert test.pvalue > 0.001
    # three standard errors above 1 %, of the patients and of those that they are compared with
    for name, share in shares.items():
        assert share < UNUSUAL + 3 * np.sqrt(UNUSUAL / count) + 0.003, name


def test_a_conflict_among_patients_of_the_network_is_as_frequent_as_is_said(chest):
    """Of those with at most one such patient in ten, one in ten are."""
    fits = fits_of(chest, chest.simulate(1500, seed=8))
    shares = np.array([fit.as_conflicting for fit in fits])
    for level in (0.05, 0.2, 0.5):
        assert np.mean(shares <= level) < level + 3 * np.sqrt(level / 1500) + 0.01


# the definition


@st.composite
def patients(draw, networks):
    """A random network and findings of every kind of a patient drawn from it."""
    model = cc.Model(draw(networks))
    network = model.network
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    truth = true_states(network, rng)
    findings = findings_of_every_kind(draw, network, truth)
    return model, findings


@examples(60)
@given(data=st.data())
def test_conflict_and_its_parts_are_as_defined(networks, data):
    model, findings = data.draw(patients(networks))
    network, evidence = model.network, read(model, findings)
    with np.errstate(invalid="ignore"):  # a warning too many, see the test below
        fit = model.posterior(findings).fit

    def log_p(*names, state=None):
        own = probability(network, {name: evidence[name] for name in names}, state)
        return np.log(own) if own > 0 else -np.inf

    alone = sum(log_p(name) for name in evidence)
    assert fit.conflict == pytest.approx(alone - log_p(*evidence), abs=1e-9)
    for name, own in fit.against_rest.items():
        rest = [other for other in evidence if other != name]
        assert own == pytest.approx(log_p(name) + log_p(*rest) - log_p(*evidence), abs=1e-9)
    assert len(fit.pairs) == len(evidence) * (len(evidence) - 1) // 2
    for (one, other), own in fit.pairs.items():
        assert own == pytest.approx(log_p(one) + log_p(other) - log_p(one, other), abs=1e-9)
    for state, own in fit.conflict_given.items():
        together = log_p(*evidence, state=state)
        if np.isinf(together):
            assert own == np.inf
        else:
            assert own == pytest.approx(alone + log_p(state=state) - together, abs=1e-9)
    for within, with_others in fit.groups.values():  # here all variables are of one group
        assert within == pytest.approx(fit.conflict, abs=1e-9)
        assert with_others == pytest.approx(0, abs=1e-9)
    shares = [fit.as_conflicting, fit.rarer, fit.as_rare, fit.rarity, *fit.by_state.values()]
    assert all(0 <= share <= 1 + 1e-12 for share in shares)
    assert set(fit.by_state) == set(model.states)


def test_a_target_that_was_seen_has_a_fit_though_another_state_is_impossible(build):
    tables = {"d": ("s t", "", [1.0, 0.0]), "sign": ("n y", "d", [[0.8, 0.2], [0.3, 0.7]])}
    fit = cc.Model(build("d", tables)).posterior(d="s", sign="n").fit
    assert fit.conflict == pytest.approx(0, abs=1e-12)
    assert (fit.rarer, fit.as_rare) == pytest.approx((0.2, 0.8), abs=0.02)


def test_groups_are_told_apart(shipped):
    evidence = read(shipped, CONTRADICTORY)
    network = shipped.network

    def log_p(names):
        return np.log(probability(network, {name: evidence[name] for name in names}))

    groups = shipped.posterior(CONTRADICTORY).fit.groups
    assert set(groups) == {"setting", "history", "examination"}
    for group, (within, with_others) in groups.items():
        own = [name for name in evidence if shipped.variables[name].group == group]
        rest = [name for name in evidence if name not in own]
        assert within == pytest.approx(sum(log_p([name]) for name in own) - log_p(own), abs=1e-9)
        assert with_others == pytest.approx(log_p(own) + log_p(rest) - log_p([*own, *rest]), abs=1e-9)


@pytest.mark.parametrize(
    ("findings", "shares"),
    [
        # of a sign with .3 and a sign with .6: everybody shows something; by hand
        ({"a": "y"}, (0.0, 0.3)),
        ({"a": "n"}, (0.3, 0.7)),
        ({"a": "y", "b": "n"}, (0.0, 0.12)),
        ({"a": "y", "b": "y"}, (0.12, 0.18)),
        ({"a": "n", "b": "n"}, (0.3, 0.28)),
        ({"a": "n", "b": "y"}, (0.58, 0.42)),
    ],
)
def test_how_many_show_something_rarer_by_hand(build, findings, shares):
    tables = {"d": ("s t", "", [0.5, 0.5]), "a": ("n y", "d", [[0.7, 0.3]] * 2), "b": ("n y", "d", [[0.4, 0.6]] * 2)}
    fit = cc.Model(build("d", tables)).posterior(findings).fit
    assert (fit.rarer, fit.as_rare) == pytest.approx(shares, abs=0.02)
    assert fit.rarity == pytest.approx(fit.rarer + fit.as_rare / 2, abs=1e-15)
    assert fit.conflict == pytest.approx(0, abs=1e-12)
    assert not fit.conflicting


# patients


def test_a_contradictory_patient_conflicts_and_the_findings_of_the_worst_pairs_are_named(shipped):
    posterior = shipped.posterior(CONTRADICTORY)
    fit = posterior.fit
    assert fit.category == "conflicting"
    assert fit.fits_none
    assert {name for pair in fit.conflicting_pairs for name in pair} == set(CONTRADICTORY)
    for name in {*np.ravel(fit.conflicting_pairs[:MOST_PAIRS]).tolist(), fit.least_fitting}:
        assert phrase(shipped.variables[name], posterior.evidence[name]) in fit.verdict
    assert "fit none of the five well" in fit.verdict
    assert fit.conflicting_pairs == tuple(sorted(fit.conflicting_pairs, key=lambda pair: -fit.pairs[pair]))
    assert fit.least_fitting == max(fit.against_rest, key=fit.against_rest.get)
    assert misfit_of(posterior) == fit.verdict


def test_the_articles_patient_is_consistent(shipped):
    posterior = shipped.posterior(jones(shipped))
    assert posterior.fit.category == "consistent"
    assert posterior.fit.verdict == "The findings fit together."
    assert misfit_of(posterior) == ""


def test_what_does_not_fit_is_shown_only_where_something_does_not(shipped):
    odd, plain = shipped.posterior(CONTRADICTORY), shipped.posterior(jones(shipped))
    assert misfit_of(odd) in " ".join(repr(odd).split())
    assert "The findings conflict" in odd._repr_html_()
    for shown in (repr(plain), plain._repr_html_()):
        assert "fit together" not in shown
        assert "conflict" not in shown


def test_one_finding_or_none_cannot_conflict(shipped):
    none = shipped.posterior().fit
    assert none.category == "consistent"
    assert (none.conflict, none.rarer, none.as_rare) == pytest.approx((0, 0, 1), abs=1e-12)
    assert none.pairs == none.against_rest == none.groups == {}
    assert none.least_fitting is None
    one = shipped.posterior(connective_tissue_disease="yes").fit
    assert one.conflict == pytest.approx(0, abs=1e-12)
    assert one.category in ("consistent", "rare")
    assert not one.conflicting


def test_either_of_and_likelihoods_have_a_fit_of_their_own(shipped):
    either = shipped.posterior(pain={"none", "intermittent"}, ulceration="yes").fit
    certain = shipped.posterior(pain="none", ulceration="yes").fit
    assert either.conflict < certain.conflict
    soft = {"none": 0.2, "intermittent": 0.5, "severe": 0.8}
    whole = shipped.posterior(pain=soft, ulceration="yes").fit
    scaled = shipped.posterior(pain={s: own / 10 for s, own in soft.items()}, ulceration="yes").fit
    assert whole.conflict == pytest.approx(scaled.conflict, abs=1e-9)  # only ratios of likelihoods say anything
    assert (whole.rarer, whole.as_rare) == pytest.approx((scaled.rarer, scaled.as_rare), abs=1e-12)
    says_nothing = shipped.posterior(pain={"none", "intermittent", "severe"}, ulceration="yes").fit
    without = shipped.posterior(ulceration="yes").fit
    assert says_nothing.rarer == pytest.approx(without.rarer, abs=1e-12)
    assert says_nothing.conflict == pytest.approx(0, abs=1e-12)


def test_very_many_biopsies_have_a_fit(shipped):
    fit = shipped.posterior(vascular_histology=["absent"] * 280 + ["intramural_calcification"] * 20).fit
    assert np.isfinite(fit.conflict)
    assert 0 <= fit.rarity <= 1
    orders = shipped.posterior(vascular_histology=["intramural_calcification"] * 20 + ["absent"] * 280).fit
    assert (orders.rarer, orders.as_rare, orders.conflict) == pytest.approx((fit.rarer, fit.as_rare, fit.conflict))


@pytest.mark.parametrize("seen", [30, 75, 120])
def test_how_rare_300_looks_are_by_the_sum_over_all_numbers_seen(build, seen):
    """Of 300 looks, each of the 301 numbers seen has its probability by the binomial formula, for each disease."""
    prior, chances = np.array([0.7, 0.3]), np.array([0.1, 0.4])
    tables = {"d": ("s t", "", prior), "look": ("n y", "d", [[1 - p, p] for p in chances])}
    model = cc.Model(build("d", tables, repeatable=["look"]))
    fit = model.posterior(look=["n"] * (300 - seen) + ["y"] * seen).fit
    number = np.arange(301)
    one_order = prior * chances ** number[:, None] * (1 - chances) ** (300 - number[:, None])
    of_number = prior * binom.pmf(number[:, None], 300, chances)
    rarer = of_number[one_order.sum(axis=1) < one_order.sum(axis=1)[seen] * (1 - 1e-9)]
    assert fit.rarer == pytest.approx(rarer.sum(), abs=0.02)
    for place, state in enumerate(("s", "t")):
        rare = one_order[:, place] <= one_order[seen, place] * (1 + 1e-9)
        assert fit.by_state[state] == pytest.approx(of_number[rare, place].sum() / prior[place], abs=0.03)


def test_a_state_that_is_ruled_out_shows_nothing_so_improbable(build):
    tables = {
        "d": ("s t u", "", [0.6, 0.4, 0.0]),
        "sign": ("n y", "d", [[1.0, 0.0], [0.5, 0.5], [0.5, 0.5]]),
        "other": ("n y", "d", [[0.5, 0.5]] * 3),
    }
    fit = cc.Model(build("d", tables)).posterior(sign="y", other="n").fit
    assert fit.by_state["s"] == 0
    assert fit.by_state["t"] == pytest.approx(1, abs=1e-9)
    assert fit.by_state["u"] == 0
    assert set(fit.conflict_given) == {"t"}
    assert fit.category == "consistent"


# who they are compared with


def test_the_shares_of_states_are_the_prior(shipped, chest):
    for model in (shipped, chest):
        population = ReferencePatients(model.network)
        weights = np.bincount(population.truth, population.weights, len(model.states))
        prior = np.array(model.posterior().probabilities)
        np.testing.assert_allclose(weights / weights.sum(), prior, rtol=0, atol=0.02)


def test_the_shares_of_every_variable_are_those_of_the_network(chest):
    population = ReferencePatients(chest.network)
    weights = population.weights / population.weights.sum()
    for (name, state), expected in chest.marginals().set_index(["variable", "state"])["probability"].items():
        place = chest.variables[name].state_names.index(state)
        assert weights @ (population.states(name) == place) == pytest.approx(expected, abs=0.03), (name, state)


def test_answers_do_not_depend_on_who_was_asked_before():
    def told(model, findings):
        fit = model.posterior(findings).fit
        return fit.rarer, fit.as_rare, fit.as_conflicting, dict(fit.by_state), fit.conflict

    one = cc.load()
    questions = [
        {"pain": "severe"},
        CONTRADICTORY,
        jones(one),
        {"vascular_histology": ["absent"] * 4},
        {"pain": "none"},
    ]
    there = [told(one, findings) for findings in questions]
    other = cc.load()
    back = [told(other, findings) for findings in reversed(questions)][::-1]
    assert there == back
    assert there == [told(one, findings) for findings in questions]


def test_a_model_and_a_posterior_keep_their_fit_when_pickled(shipped):
    posterior = shipped.posterior(CONTRADICTORY)
    expected = posterior.fit
    for found in (pickle.loads(pickle.dumps(shipped)).posterior(CONTRADICTORY), pickle.loads(pickle.dumps(posterior))):
        assert found.fit.verdict == expected.verdict
        assert (found.fit.rarer, found.fit.by_state) == (expected.rarer, expected.by_state)
    assert pickle.loads(pickle.dumps(expected)).to_dict() == expected.to_dict()


def test_plain_values_are_those_of_the_fit(shipped):
    fit = shipped.posterior(CONTRADICTORY).fit
    plain = fit.to_dict()
    assert plain["category"] == "conflicting"
    assert plain["conflict"] == fit.conflict
    assert plain == shipped.posterior(CONTRADICTORY).to_dict()["fit"]
    assert [tuple(own["findings"]) for own in plain["conflicting_pairs"]] == list(fit.conflicting_pairs)
    assert f"{percent(fit.as_conflicting)} show at least as much conflict" in repr(fit)


def test_plain_values_can_be_written_as_json_where_a_state_is_ruled_out(build):
    tables = {"d": ("s t", "", [0.6, 0.4]), "sign": ("n y", "d", [[1.0, 0.0], [0.5, 0.5]])}
    posterior = cc.Model(build("d", tables)).posterior(sign="y")
    assert json.dumps(posterior.to_dict(), allow_nan=False)


def test_few_of_the_published_cases_do_not_fit(shipped, figure):
    categories = pd.Series(
        [
            shipped.posterior({n: v for n, v in row.items() if n in shipped.variables and v}).fit.category
            for _, row in cc.cases().iterrows()
        ]
    ).value_counts()
    figure(f"fit of the published cases: {categories.to_dict()}")
    assert categories["consistent"] > 0.85 * categories.sum()


def test_a_network_too_tightly_knit_says_that_it_is_not_known(build, monkeypatch):
    monkeypatch.setattr("calcinosis.inference.conflict.comparison.MOST_WORK", 2)
    model = cc.Model(build("d", {"d": ("s t", "", [0.6, 0.4]), "sign": ("n y", "d", [[0.8, 0.2], [0.5, 0.5]])}))
    posterior = model.posterior(sign="y")
    with pytest.raises(cc.errors.QuestionError, match="the treewidth is too large to compare"):
        _ = posterior.fit
    assert misfit_of(posterior) == ""
    assert posterior.to_dict()["fit"] is None
    assert fit_in_words(posterior).startswith("The treewidth is too large")
    assert "Most probable: " in repr(posterior)


def test_few_patients_to_compare_with_make_nobody_unusual(build, monkeypatch):
    """With 512 of two states, at most one of 257 can be said to be as improbable."""
    monkeypatch.setattr("calcinosis.inference.conflict.comparison.PATIENTS", 512)
    tables = {"d": ("s t", "", [0.5, 0.5]), "sign": ("n y", "d", [[1 - 1e-9, 1e-9]] * 2)}
    fit = cc.Model(build("d", tables)).posterior(sign="y").fit
    assert min(fit.by_state.values()) == pytest.approx(1 / 257)
