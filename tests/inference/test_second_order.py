"""Intervals: against printed distributions, independent draws of every table, and what must not change them."""

import copy
import math
import pickle
import re
from dataclasses import replace

import numpy as np
import pytest

import calcinosis as cc
from calcinosis.inference.pgmpy_bridge import as_file
from calcinosis.inference.second_order import DRAWS, SecondOrder, ask, leading_shares, quantiles

REFERENCE = 100_000
CHUNK = 2_000
LIMITS = (0.025, 0.975)

# how far the limits of two sets of draws may lie apart, as a share of the distribution: four standard errors of 2.5 %
BOTH_OFF = 4 * math.sqrt(0.025 * 0.975 * (1 / DRAWS + 1 / REFERENCE))


def evidence_of(model, case):
    """The findings of a published case."""
    return model.read({name: value for name, value in case.items() if name in model.variables})


@pytest.fixture(scope="module")
def patients(shipped):
    """The evidence of every published case."""
    return {case: evidence_of(shipped, row) for case, row in cc.cases().iterrows()}


def independent_posteriors(network, questions, draws, seed):
    """The posteriors of each question under tables drawn by numpy's gamma variates: axes `(states, draws)` each.

    Every row of every table is drawn, whole and in double precision, and the contraction multiplied out densely.
    """
    rng = np.random.default_rng(seed)
    states = len(network.variables[network.target].states)
    found = [np.empty((states, draws), dtype=np.float32) for _ in questions]
    for first in range(0, draws, CHUNK):
        here = slice(first, min(first + CHUNK, draws))
        drawn = {}
        for name in network.variables:
            table = network.rows(name)
            parameters = (table * network.weights[name][:, None])[..., None]
            gammas = rng.standard_gamma(parameters, size=(*table.shape, here.stop - first))
            drawn[name] = gammas / gammas.sum(axis=1, keepdims=True)
        for question, posteriors in zip(questions, found, strict=True):
            factors = [family.factor(drawn[family.variable][family.rows]) for family in question.families]
            weights = question.contraction.weights(factors)
            posteriors[:, here] = weights / weights.sum(axis=0)
    return found


@pytest.fixture(scope="module")
def two_node(build):
    """Prevalence Beta(3, 7), the test positive in the diseased Beta(18, 2), in the others Beta(4, 16)."""
    tables = {"disease": ("yes no", "", [0.3, 0.7]), "test": ("positive negative", "disease", [[0.9, 0.1], [0.2, 0.8]])}
    return replace(build("disease", tables), weights={"disease": 10, "test": 20})


def draws_of(network, findings=None, draws=DRAWS):
    model = cc.Model(network)
    return SecondOrder(network, draws=draws).posteriors(ask(network, model.read(findings))).astype(float)


def test_the_two_node_example_has_its_mean_its_deviation_and_its_quantiles(two_node, figure):
    drawn = draws_of(two_node, {"test": "positive"})[0]
    # standard errors of 49,152 draws: mean 0.0008, deviation 0.0006, the quantiles 0.0033, 0.0011 and 0.0016
    assert drawn.mean() == pytest.approx(0.6377413, abs=4 * 0.17857 / math.sqrt(DRAWS))
    assert drawn.std() == pytest.approx(0.1785699, abs=4 * 0.0006)
    low, middle, high = np.quantile(drawn, (0.025, 0.5, 0.975))
    assert low == pytest.approx(0.2453, abs=4 * 0.0033)
    assert middle == pytest.approx(0.6606, abs=4 * 0.0011)
    assert high == pytest.approx(0.9154, abs=4 * 0.0016)
    posterior = cc.Model(two_node).posterior(test="positive")
    assert posterior["yes"] == pytest.approx(0.6585365854, abs=1e-10)
    limits = posterior.interval(0.95)
    assert limits.loc["yes"].to_list() == pytest.approx([low, high], abs=2e-4)
    assert limits.loc["no"].to_list() == pytest.approx([1 - high, 1 - low], abs=2e-4)
    figure(f"two-node example: mean {drawn.mean():.4f}, deviation {drawn.std():.4f}, {low:.4f} to {high:.4f}")


def test_the_root_alone_has_its_beta_distribution(two_node):
    drawn = draws_of(two_node)[0]
    assert drawn.mean() == pytest.approx(0.3, abs=4 * 0.13817 / math.sqrt(DRAWS))
    assert drawn.std() == pytest.approx(0.1381699, abs=4 * 0.0005)
    limits = cc.Model(two_node).posterior().interval(0.95)
    # the density is 0.52 and 0.29 at the limits: standard errors of 0.0014 and 0.0024
    assert limits.loc["yes", "lower"] == pytest.approx(0.0748546, abs=4 * 0.0014)
    assert limits.loc["yes", "upper"] == pytest.approx(0.6000936, abs=4 * 0.0024)


def test_the_chain_has_its_marginal(two_node):
    drawn = draws_of(replace(two_node, target="test"))[0]
    assert drawn.mean() == pytest.approx(0.41, abs=4 * 0.11705 / math.sqrt(DRAWS))
    assert drawn.std() == pytest.approx(0.1170506976, abs=4 * 0.0005)


def test_the_limits_of_the_published_cases_are_those_of_independent_draws(shipped, patients, figure):
    questions = [ask(shipped.network, evidence) for evidence in patients.values()]
    reference = independent_posteriors(shipped.network, questions, REFERENCE, seed=2024)
    off, slack, outside = [], [], []
    for (case, evidence), posteriors in zip(patients.items(), reference, strict=True):
        limits = shipped.posterior(evidence).interval(0.95).to_numpy()
        posteriors.sort(axis=1)
        for state, name in enumerate(shipped.states):
            for end, share in enumerate(LIMITS):
                below, there, above = (
                    float(posteriors[state, min(int(at * REFERENCE), REFERENCE - 1)])
                    for at in (share - BOTH_OFF, share, share + BOTH_OFF)
                )
                limit = limits[state, end]
                off.append(abs(limit - there))
                # four standard errors on either side: a share of the draws times the slope of their quantiles
                slack.append(max(0.01, there - below if limit < there else above - there))
                if off[-1] > slack[-1]:
                    outside.append(f"{case} {name}: {limit:.4f} for {there:.4f}, at most {slack[-1]:.4f} off")
    near = sum(one <= 0.01 for one in off)
    figure(
        f"{len(off)} ends of 95 % intervals against {REFERENCE:,} independent draws: {near} within 0.01, "
        f"95 in 100 within {np.quantile(off, 0.95):.4f}, the largest difference {max(off):.4f}"
    )
    assert len(off) == 590
    assert outside == []
    assert np.quantile(off, 0.95) < 0.01


def test_ninety_five_in_a_hundred_true_tables_lie_within(shipped, patients, figure):
    questions = [ask(shipped.network, evidence) for evidence in patients.values()]
    truth = independent_posteriors(shipped.network, questions, 400, seed=7)
    held = []
    for evidence, posteriors in zip(patients.values(), truth, strict=True):
        limits = shipped.posterior(evidence).interval(0.95)
        assert (limits["lower"] < limits["upper"]).all()
        inside = (limits["lower"].to_numpy()[:, None] <= posteriors) & (
            posteriors <= limits["upper"].to_numpy()[:, None]
        )
        held.append(inside)
    covered = np.stack(held)
    assert covered.shape == (59, 5, 400)
    by_state = covered.mean(axis=(0, 2))
    figure(
        f"95 % intervals hold the true posterior in {covered.mean():.4f} of {covered.size:,}, by subtype "
        + ", ".join(f"{share:.3f}" for share in by_state)
    )
    assert 0.93 < covered.mean() < 0.97
    # 400 draws: a standard error of 0.011 for one case and subtype, and cases share their tables
    assert (np.abs(by_state - 0.95) < 0.03).all()
    assert (np.abs(covered.mean(axis=2) - 0.95) < 5 * 0.0109).all()


def test_the_interval_is_the_same_whoever_was_asked_before(shipped, patients):
    chosen = [patients[case] for case in list(patients)[::8]]
    expected = [shipped.posterior(evidence).spread() for evidence in chosen]
    fresh = cc.Model(shipped.network)
    assert [fresh.posterior(evidence).spread() for evidence in chosen[::-1]] == expected[::-1]
    fresh.second_order.kept.clear()
    assert [fresh.posterior(evidence).spread() for evidence in chosen] == expected
    for evidence, spread in zip(chosen[:3], expected, strict=False):
        assert cc.Model(shipped.network).posterior(evidence).spread() == spread


def test_the_order_of_the_findings_changes_no_limit(shipped):
    findings = {"pain": "severe", "warfarin": "yes", "vascular_histology": ["absent", "absent"], "sex": "female"}
    backwards = dict(reversed(findings.items()))
    assert shipped.posterior(backwards).spread() == shipped.posterior(findings).spread()


def test_rows_that_are_forgotten_are_drawn_again_the_same(shipped, patients, monkeypatch):
    chosen = [patients[case] for case in list(patients)[:4]]
    expected = [shipped.posterior(evidence).spread() for evidence in chosen]
    monkeypatch.setattr("calcinosis.inference.second_order.MOST_KEPT", 2**20)
    forgetful = cc.Model(shipped.network)
    assert [forgetful.posterior(evidence).spread() for evidence in chosen] == expected
    assert sum(n.nbytes for row in forgetful.second_order.kept.values() for n in row if hasattr(n, "nbytes")) < 2**21


def test_the_size_of_a_block_changes_no_limit(shipped, patients, monkeypatch):
    expected = shipped.posterior(patients["jones2023"]).spread()
    monkeypatch.setattr("calcinosis.inference.second_order.BLOCK", 1000)
    assert shipped.posterior(patients["jones2023"]).spread() == expected


def test_a_posterior_that_was_pickled_or_copied_has_the_same_interval(shipped):
    posterior = shipped.posterior(pain="severe", vascular_histology="absent,absent")
    again = pickle.loads(pickle.dumps(posterior))
    assert again == posterior
    assert again.spread() == copy.deepcopy(posterior).spread() == posterior.spread()
    assert len(pickle.dumps(posterior.second_order)) < 2**17  # without what was drawn


def test_another_seed_gives_other_draws_of_the_same_distribution(shipped, patients):
    question = ask(shipped.network, patients["jones2023"])
    one, same, other = (SecondOrder(shipped.network, draws=4096, seed=seed).posteriors(question) for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)
    np.testing.assert_allclose(one.mean(axis=1), other.mean(axis=1), rtol=0, atol=5 * 0.5 * math.sqrt(2 / 4096))


def test_a_smaller_mass_lies_within_a_larger_one(shipped, patients):
    for case in list(patients)[::6]:
        posterior = shipped.posterior(patients[case])
        inner, *outer = (posterior.interval(mass) for mass in (0.1, 0.5, 0.8, 0.95, 0.999))
        for wider in outer:
            assert (wider["lower"] <= inner["lower"]).all()
            assert (inner["upper"] <= wider["upper"]).all()
            assert (wider["upper"] - wider["lower"] > inner["upper"] - inner["lower"]).all()
            inner = wider


def test_the_default_mass_is_that_of_the_credible_set(shipped):
    posterior = shipped.posterior(pain="severe")
    assert posterior.interval().equals(posterior.interval(0.95))
    assert list(posterior.interval().index) == list(shipped.states)
    assert posterior.interval().index.name == "subtype"
    assert posterior.spread().draws == DRAWS


@pytest.mark.parametrize("mass", [0.0, 1.0, -0.5, 95, math.nan])
def test_a_mass_that_is_none_is_refused(shipped, mass):
    with pytest.raises(ValueError, match="the mass") as caught:
        shipped.posterior().interval(mass)
    assert str(caught.value) == f"the mass of an interval lies between 0 and 1, not at {mass}"


def proper(posterior):
    """Its spread, once its limits are finite, ordered and within 0 and 1."""
    spread = posterior.spread()
    lower, upper, leads = map(np.array, (spread.lower, spread.upper, spread.leads))
    assert np.isfinite([lower, upper, leads]).all()
    assert (lower >= 0).all()
    assert (lower <= upper).all()
    assert (upper <= 1).all()
    assert ((leads >= 0) & (leads <= 1)).all()
    assert leads.sum() >= 1 - 1e-12
    assert not re.search(r"\bnan\b", repr(posterior), re.IGNORECASE)
    return spread


FINDINGS = {
    "none": {},
    "a likelihood": {"pain": {"none": 0.2, "intermittent": 0.5, "severe": 0.8}},
    "tiny likelihoods": {"pain": {"none": 1e-200, "intermittent": 3e-200, "severe": 2e-200}},
    "a likelihood of 0": {"esrd": {"no": 0.0, "yes": 0.3}},
    "either of": {"pain": "intermittent/severe", "lesion_site": {"acral", "other"}},
    "either of all": {"pain": {"none", "intermittent", "severe"}},
    "repeated either of and likelihoods": {
        "vascular_histology": ["absent", {"absent": 0.3, "intramural_calcification": 0.9}, "absent"],
    },
    "200 biopsies": {"vascular_histology": ["absent"] * 200},
    "200 biopsies against each other": {"vascular_histology": ["absent", "intramural_calcification"] * 100},
    "the target": {"subtype": "iatrogenic"},
    "either of the target": {"subtype": "iatrogenic/dystrophic", "pain": "severe"},
    "a hidden variable": {"vessel_calcification": "yes", "form": "calciphylaxis_uraemic"},
}


@pytest.mark.parametrize("name", FINDINGS)
def test_findings_of_any_kind_have_limits_in_order(shipped, name):
    findings = FINDINGS[name]
    if name == "a hidden variable":
        state = shipped.variables["vessel_calcification"].state_names[-1]
        findings = findings | {"vessel_calcification": state}
    proper(shipped.posterior(findings))


def test_all_findings_at_once_have_limits_in_order(shipped):
    patients = shipped.simulate(20, repeats={"vascular_histology": 3}, seed=3).drop(columns="diagnosis")
    for _, row in patients.iterrows():
        posterior = shipped.posterior(row.to_dict())
        assert len(posterior.evidence) == patients.shape[1]
        proper(posterior)


def test_either_of_all_states_and_equal_likelihoods_say_nothing(shipped):
    plain = shipped.posterior(warfarin="yes").spread()
    for nothing in ({"none", "intermittent", "severe"}, {"none": 0.3, "intermittent": 0.3, "severe": 0.3}):
        spread = shipped.posterior(warfarin="yes", pain=nothing).spread()
        np.testing.assert_allclose([spread.lower, spread.upper], [plain.lower, plain.upper], rtol=0, atol=1e-6)


def test_the_scale_of_likelihoods_is_of_no_account(shipped):
    likelihoods = {"none": 0.2, "intermittent": 0.5, "severe": 0.8}
    spread = shipped.posterior(pain=likelihoods).spread()
    for factor in (1e-200, 1e-3, 1e100):
        scaled = shipped.posterior(pain={state: number * factor for state, number in likelihoods.items()}).spread()
        np.testing.assert_allclose([scaled.lower, scaled.upper], [spread.lower, spread.upper], rtol=0, atol=1e-6)


def test_a_posterior_of_0_or_1_has_no_width(shipped, build):
    sure = proper(shipped.posterior(subtype="iatrogenic"))
    assert sure.lower == sure.upper == (0.0, 0.0, 0.0, 1.0, 0.0)
    assert sure.leads == (0.0, 0.0, 0.0, 1.0, 0.0)
    tables = {"kind": ("p q r", "", [0.5, 0.3, 0.2]), "sign": ("no yes", "kind", [[1.0, 0.0], [0.4, 0.6], [0.7, 0.3]])}
    model = cc.Model(replace(build("kind", tables), weights={"kind": 10, "sign": 10}))
    never = proper(model.posterior(sign="yes"))
    assert (never.lower[0], never.upper[0], never.leads[0]) == (0.0, 0.0, 0.0)
    assert 0 < never.lower[1] < never.upper[1] < 1


def weighing(shipped, weight):
    return cc.Model(replace(shipped.network, weights=dict.fromkeys(shipped.variables, weight)))


def test_the_more_weight_the_narrower(shipped, patients):
    evidence = patients["jones2023"]
    widths = []
    for weight in (1, 30, 1e3, 1e6):
        spread = proper(weighing(shipped, weight).posterior(evidence))
        widths.append(np.array(spread.upper) - spread.lower)
    exact = shipped.posterior(evidence).probabilities.to_numpy()
    assert (np.diff([width.mean() for width in widths]) < 0).all()
    assert (widths[-1] < 0.02).all()
    assert (np.array(spread.lower) <= exact).all()
    assert (exact <= np.array(spread.upper)).all()
    assert spread.leads[int(exact.argmax())] == 1.0


def test_hardly_any_weight_has_limits_or_is_told_in_words(shipped, patients):
    model = weighing(shipped, 1e-3)
    spread = proper(model.posterior())
    assert spread.draws == DRAWS
    assert min(spread.upper) > 1 - 1e-6
    assert max(spread.lower) < 1e-6
    posterior = model.posterior(patients["jones2023"])
    told = "with so little weight on the rows, every draw of the tables rules the findings out"
    with pytest.raises(ValueError, match="so little weight") as caught:
        posterior.interval()
    assert str(caught.value) == told
    assert f"No interval: {told}." in repr(posterior).splitlines()
    assert posterior.as_dict()["interval"] is None


def test_little_weight_leaves_hardly_a_draw_out(shipped, patients):
    posterior = weighing(shipped, 0.3).posterior(patients["jones2023"])
    spread = proper(posterior)
    assert spread.draws > 0.98 * DRAWS  # joint weights far below single precision


def test_findings_that_contradict_each_other_have_the_limits_of_independent_draws(shipped, figure):
    rng = np.random.default_rng(0)
    free = [name for name, variable in shipped.variables.items() if variable.group not in ("hidden", "outcome")]
    chosen = [{n: str(rng.choice(shipped.variables[n].state_names)) for n in free} for _ in range(40)]
    posteriors = [shipped.posterior(findings) for findings in chosen]
    questions = [ask(shipped.network, posterior.evidence) for posterior in posteriors]
    reference = independent_posteriors(shipped.network, questions, 20_000, seed=1)
    off = 4 * math.sqrt(0.025 * 0.975 * (1 / DRAWS + 1 / 20_000))
    for posterior, drawn in zip(posteriors, reference, strict=True):
        assert proper(posterior).draws == DRAWS
        limits = posterior.interval(0.95).to_numpy()
        for end, share in enumerate(LIMITS):
            below, above = np.quantile(drawn, (share - off, share + off), axis=1)
            assert (below - 0.01 <= limits[:, end]).all()
            assert (limits[:, end] <= above + 0.01).all()
    rarest = min(posterior.log_evidence for posterior in posteriors)
    figure(f"findings at random, as rare as exp({rarest:.0f}): limits as from independent draws")


def test_draws_that_rule_the_findings_out_are_left_out_and_counted(build):
    tables = {"kind": ("p q", "", [0.5, 0.5]), "sign": ("no yes", "kind", [[0.5, 0.5], [0.5, 0.5]])}
    model = cc.Model(replace(build("kind", tables), weights={"kind": 1e-3, "sign": 1e-3}))
    spread = proper(model.posterior(sign="yes"))
    # a fourth: one of two equally probable kinds, and the sign is in it all or nothing
    assert 0.4 * DRAWS < spread.draws < DRAWS


def test_without_weights_there_is_no_interval_and_why_is_told(clinic):
    told = (
        "the rows of this network have no weights, so nothing is known of how sure it is: give the equivalent sample "
        "size of its rows, as in Model.from_file(..., weight=50)"
    )
    posterior = clinic.posterior(pain="severe")
    for ask_for in (posterior.interval, posterior.spread, lambda: posterior.leads):
        with pytest.raises(ValueError, match="no weights") as caught:
            ask_for()
        assert str(caught.value) == told
    assert clinic.second_order is None
    assert "interval" not in repr(posterior)
    assert posterior.sureness == posterior.no_interval == ""
    with pytest.raises(ValueError, match="no row of this network has a weight"):
        SecondOrder(clinic.network)


@pytest.mark.parametrize(
    ("weights", "told"),
    [
        ({"disease": 10}, "the rows of test have no weights, though others have"),
        ({"disease": 10, "test": 0}, "the rows of test have a weight that is not positive: 0"),
        ({"disease": 10, "test": 1e-320}, "the rows of test have a weight below 1e-06: 9.99989e-321"),
        ({"disease": 10, "test": 1e308}, "the rows of test have a weight above 1e+09: 1e+308"),
        ({"disease": 10, "test": [5, math.inf]}, "the rows of test have a weight above 1e+09: inf"),
        (
            {"disease": 10, "test": [1, 2, 3]},
            "the weights of test have shape (3,), its rows make (2,)",
        ),
    ],
)
def test_weights_that_are_none_are_refused(two_node, weights, told):
    with pytest.raises(cc.NetworkError) as caught:
        replace(two_node, weights=weights)
    assert str(caught.value) == told


def test_a_network_file_and_a_pgmpy_network_have_intervals_once_they_have_a_weight(two_node, tmp_path):
    path = tmp_path / "network.bif"
    path.write_bytes(as_file(two_node, ".bif"))
    expected = cc.Model(replace(two_node, weights={"disease": 50, "test": 50})).posterior(test="positive").spread()
    pgmpy = cc.Model(two_node).to_pgmpy()
    assert cc.Model.from_file(path, "disease").second_order is None
    assert cc.Model.from_pgmpy(pgmpy, "disease").second_order is None
    for model in (cc.Model.from_file(path, "disease", weight=50), cc.Model.from_pgmpy(pgmpy, "disease", weight=50)):
        assert set(np.concatenate([w.ravel() for w in model.network.weights.values()])) == {50}
        spread = model.posterior(test="positive").spread()
        np.testing.assert_allclose([spread.lower, spread.upper], [expected.lower, expected.upper], rtol=0, atol=0.01)
        assert repr(model.posterior(test="positive")).count("95 % interval") == 1
    for weight in (0, -1, math.nan, 1e-320, 1e300):
        with pytest.raises(cc.NetworkError, match="have a weight"):
            cc.Model.from_file(path, "disease", weight=weight)


def test_the_shares_of_leading_sum_to_1_but_for_ties(shipped, patients):
    for case in list(patients)[::6]:
        leads = shipped.posterior(patients[case]).leads
        assert list(leads.index) == list(shipped.states)
        assert leads.name == "leads"
        assert leads.sum() == pytest.approx(1, abs=1e-4)
    tied = np.array([[0.5, 0.4, 0.2, 0.4], [0.5, 0.6, 0.1, 0.4], [0.0, 0.0, 0.7, 0.2]], dtype=np.float32)
    assert leading_shares(tied) == (0.5, 0.75, 0.25)


def test_leading_shares_are_those_of_independent_draws(shipped, patients):
    chosen = list(patients)[::12]
    questions = [ask(shipped.network, patients[case]) for case in chosen]
    for case, drawn in zip(chosen, independent_posteriors(shipped.network, questions, 10_000, seed=3), strict=True):
        counted = np.bincount(drawn.argmax(axis=0), minlength=5) / 10_000
        np.testing.assert_allclose(shipped.posterior(patients[case]).leads, counted, rtol=0, atol=4 * 0.5 / 100)


def test_the_quantiles_are_those_of_sorting():
    rng = np.random.default_rng(1)
    values = np.stack([rng.random(9999), rng.beta(0.01, 0.01, 9999), np.zeros(9999), np.ones(9999)]).astype(np.float32)
    at = (0.0, 0.025, 0.5, 0.975, 1.0)
    expected = [[np.sort(row)[min(int(share * 9999), 9998)] for row in values] for share in at]
    assert quantiles(values, at).tolist() == np.array(expected, dtype=float).tolist()
