"""The draws of the tables are those of their Dirichlet distributions, and shares of the variance are what they say.

All of it given the findings: each draw counts in proportion to how probable it makes them. Against numpy's gamma
variates multiplied out by hand, against nested draws, and against a case worked out on paper.
"""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties import examples

import calcinosis as cc
from calcinosis.analysis.sensitivity.uncertainty import DRAWS
from calcinosis.inference.entries import Entries
from calcinosis.knowledge.folder import shipped_folder

CASES = cc.cases(shipped_folder())
BIOPSIES = ["absent", "intramural_calcification", "absent"]

# after Van Allen, Greiner and Hooper: prevalence Beta(3, 7), sensitivity Beta(18, 2), false positives Beta(4, 16)
SICK = {"sick": ("yes no", "", [0.3, 0.7]), "test": ("yes no", "sick", [[0.9, 0.1], [0.2, 0.8]])}
PARAMETERS = {"prevalence": (3, 7), "sensitivity": (18, 2), "false positives": (4, 16)}
PARTS = {
    "prevalence": 0.0218895,
    "sensitivity": 0.0002675,
    "false positives": 0.0096314,
}  # of the variance, delta method
TOTAL = 0.0317884


def weighed(network, weight):
    """A model whose rows all have this weight, or each table's its own."""
    weights = {
        name: np.full(table.shape[:-1], weight[name] if isinstance(weight, dict) else weight)
        for name, table in network.tables.items()
    }
    return cc.Model(replace(network, weights=weights))


@pytest.fixture(scope="module")
def sick(build):
    return weighed(build("sick", SICK), {"sick": 10.0, "test": 20.0})


def answer(p, s, f):
    """The probability to be sick with a positive test."""
    return p * s / (p * s + (1 - p) * f)


def known(model, case):
    return {name: value for name, value in CASES.loc[case].items() if name in model.names and value}


@pytest.mark.slow
def test_ten_thousand_draws_are_the_same_bit_for_bit_in_two_models(shipped):
    findings = known(shipped, "jones2023")
    one, same = (
        cc.sensitivity.uncertainty(cc.Model(shipped.network, shipped.priors), findings, seed=5) for _ in range(2)
    )
    assert one.sample.posteriors.shape == (5, DRAWS) == (5, 10_000)
    assert one.sample.posteriors.tobytes() == same.sample.posteriors.tobytes()
    assert one.frame.equals(same.frame)
    assert one.by_table.equals(same.by_table)
    assert one.by_source.equals(same.by_source)


def test_another_seed_has_other_draws_of_the_same_distribution(shipped):
    one, other = (cc.sensitivity.uncertainty(shipped, pain="severe", seed=seed).frame for seed in (0, 1))
    numbers = ["mean", "sd", "lower", "median", "upper"]
    assert (one[numbers] != other[numbers]).all(axis=None)
    np.testing.assert_allclose(one[numbers], other[numbers], rtol=0, atol=0.02)


def test_the_order_of_questions_does_not_matter(shipped):
    model = cc.Model(shipped.network)
    cc.sensitivity.uncertainty(model, livedo="yes", draws=500)
    later = cc.sensitivity.uncertainty(model, pain="severe", draws=500)
    alone = cc.sensitivity.uncertainty(cc.Model(shipped.network), pain="severe", draws=500)
    assert np.array_equal(later.sample.posteriors, alone.sample.posteriors)


def rows_drawn(network, draws, random):
    """Rows drawn from their Dirichlet distributions: normalised gamma variates, axes `(draws, rows, states)`."""
    found = {}
    for name in network.variables:
        rows = network.rows(name)
        drawn = random.standard_gamma(rows * network.weights[name][:, None], (draws, *rows.shape))
        found[name] = drawn / drawn.sum(axis=-1, keepdims=True)
    return found


def in_context(network, rows):
    """The tables of drawn rows, axes `(draws, *table)`: contexts that share a row have the same draw of it."""
    return {name: own[:, network.contexts[name]] for name, own in rows.items()}


def joint_weights(network, tables, findings):
    """The joint weight of target and findings in each draw by one sum of products, axes `(draws, states)`."""
    axis = {name: 1 + i for i, name in enumerate(network.variables)}
    operands = []
    for name, variable in network.variables.items():
        table, scope = tables[name], [0, *(axis[v] for v in (*network.parents[name], name))]
        if name in findings:
            results = findings[name] if isinstance(findings[name], list) else [findings[name]]
            places = [variable.state_names.index(result) for result in results]
            if variable.repeatable:
                operands += [np.prod([table[..., place] for place in places], axis=0), scope[:-1]]
                continue
            operands += [np.eye(len(variable.states))[places[0]], [axis[name]]]
        operands += [table, scope]
    return np.einsum(*operands, [0, axis[network.target]], optimize="greedy")


def weighted_variance(values, weights):
    return weights @ (values - weights @ values) ** 2


def nested_share(network, findings, known, random, outer=2_000, inner=100):
    """Per state of the target Var(E[f | rows]) / Var(f) given the findings, f being the posterior, and the rows those
    that are `known`, as (variable, row): drawn `outer` times, all others `inner` times for each."""
    fixed, free = rows_drawn(network, outer, random), rows_drawn(network, outer * inner, random)
    for name, row in known:
        free[name][:, row] = np.repeat(fixed[name][:, row], inner, axis=0)
    joint = joint_weights(network, in_context(network, free), findings)
    total = joint.sum(axis=1)
    whole = weighted_variance(joint / total[:, None], total / total.sum())
    joint, total = joint.reshape(outer, inner, -1), total.reshape(outer, inner)
    mean = joint.sum(axis=1) / total.sum(axis=1)[:, None]
    # what the mean of so few draws adds to the variance of the means
    noise = ((joint - total[..., None] * mean[:, None]) ** 2).sum(axis=1) / total.sum(axis=1)[:, None] ** 2
    weights = total.sum(axis=1) / total.sum()
    return (weighted_variance(mean, weights) - weights @ noise) / whole


@pytest.fixture(scope="module")
def tied(build):
    """A model with rows that hold in several contexts, some of them in several states of the target."""
    network = build(
        "d",
        {
            "d": ("a b c", "", [0.5, 0.3, 0.2]),
            "h": ("n y", "d", [[0.7, 0.3], [0.7, 0.3], [0.1, 0.9]]),
            "t": ("n p", "h d", [[0.9, 0.1], [0.6, 0.4], [0.6, 0.4], [0.3, 0.7], [0.2, 0.8], [0.3, 0.7]]),
            "r": ("n p", "d", [[0.8, 0.2], [0.3, 0.7], [0.3, 0.7]]),
        },
        repeatable=("r",),
    )
    contexts = {"h": np.array([1, 1, 0]), "t": np.array([[0, 2, 2], [3, 1, 3]]), "r": np.array([0, 1, 1])}
    return weighed(replace(network, contexts=contexts), {"d": 15.0, "h": 10.0, "t": 25.0, "r": 6.0})


REPEATED = {"t": "p", "r": ["p", "n", "p"]}


def test_draws_agree_with_gamma_variates_multiplied_out(tied):
    frame = cc.sensitivity.uncertainty(tied, REPEATED, draws=60_000).frame
    network, random = tied.network, np.random.default_rng(1)
    joint = joint_weights(network, in_context(network, rows_drawn(network, 60_000, random)), REPEATED)
    total = joint.sum(axis=1)
    p, weights = joint / total[:, None], total / total.sum()
    np.testing.assert_allclose(frame["mean"], weights @ p, rtol=0, atol=0.005)
    np.testing.assert_allclose(frame["sd"], np.sqrt(weighted_variance(p, weights)), rtol=0, atol=0.004)
    limits = np.quantile(p, [0.025, 0.5, 0.975], axis=0, weights=weights, method="inverted_cdf").T
    np.testing.assert_allclose(frame[["lower", "median", "upper"]], limits, rtol=0, atol=0.012)
    leads = np.bincount(p.argmax(axis=1), weights, minlength=3)
    np.testing.assert_allclose(frame["leads"], leads, rtol=0, atol=0.01)
    assert frame["probability"].to_list() == list(tied.probabilities(REPEATED).values())


@pytest.mark.slow
@pytest.mark.parametrize("findings", [{"t": "p", "r": "p"}, REPEATED, {}], ids=["once", "three results", "nothing"])
def test_shares_of_tables_and_of_sources_across_tables_are_those_of_nested_draws(tied, findings):
    network = tied.network
    groups = {name: [(name, row) for row in range(len(network.rows(name)))] for name in network.variables}
    groups |= {"shared rows": [("h", 1), ("r", 1)], "two rows": [("d", 0), ("t", 2)]}
    sources = {name: SimpleNamespace(kind="study", citation="") for name in groups}
    cited = {
        name: SimpleNamespace(
            rows=[
                SimpleNamespace(sources=tuple(group for group, rows in groups.items() if (name, row) in rows))
                for row in range(len(network.rows(name)))
            ]
        )
        for name in network.variables
    }
    found = cc.sensitivity.uncertainty(tied, findings, draws=100_000)
    shares = replace(found, entries=Entries(network, SimpleNamespace(tables=cited, sources=sources))).by_source
    by_table = found.by_table.set_index(["table", "state"])
    every = [place for name in network.variables for place in groups[name]]
    random = np.random.default_rng(6)
    for group in shares["source"].unique():  # of the tables that matter
        own = shares[shares["source"] == group].set_index("state").loc[list(found.posterior)]
        first = nested_share(network, findings, groups[group], random)
        others = nested_share(network, findings, [place for place in every if place not in groups[group]], random)
        np.testing.assert_allclose(own["first_order"], first, rtol=0, atol=0.03, err_msg=group)
        np.testing.assert_allclose(own["total"], 1 - others, rtol=0, atol=0.03, err_msg=group)
        if group in network.variables:
            table = by_table.loc[group].loc[list(found.posterior)]
            pd.testing.assert_frame_equal(table, own[["first_order", "total", "rows"]], check_like=True)


@pytest.mark.slow
def test_draws_of_the_shipped_tables_agree_with_gamma_variates(shipped):
    findings = known(shipped, "jones2023") | {"vascular_histology": BIOPSIES}
    frame = cc.sensitivity.uncertainty(shipped, findings).frame
    tables = in_context(shipped.network, rows_drawn(shipped.network, 300, np.random.default_rng(4)))
    every = [
        cc.Model(replace(shipped.network, tables={n: t[i] for n, t in tables.items()})).posterior(findings)
        for i in range(300)
    ]
    p = np.array([own.probabilities for own in every])
    weights = np.exp([own.log_evidence - every[0].log_evidence for own in every])
    weights /= weights.sum()
    mean, sd = weights @ p, np.sqrt(weighted_variance(p, weights))
    assert 1 / (weights @ weights) > 30
    error = frame["sd"].to_numpy() * np.sqrt(weights @ weights)
    assert (np.abs(frame["mean"] - mean) < 4 * error + 1e-9).all()
    np.testing.assert_allclose(frame["sd"], sd, rtol=0.5, atol=0.02)
    assert ((frame["lower"] < mean) & (mean < frame["upper"])).all()


def by_row(found):
    """The same question with a source of its own for each of the three rows."""
    rows = [SimpleNamespace(sources=(name,)) for name in PARAMETERS]
    tables = {"sick": SimpleNamespace(rows=rows[:1]), "test": SimpleNamespace(rows=rows[1:])}
    sources = {name: SimpleNamespace(kind="study", citation=name.title()) for name in PARAMETERS}
    return replace(found, entries=Entries(found.entries.network, SimpleNamespace(tables=tables, sources=sources)))


def test_moments_and_limits_of_the_worked_case(sick):
    """A positive result is one patient more in one of two rows of the test: a mixture of two products of Betas."""
    line = cc.sensitivity.uncertainty(sick, test="yes", draws=100_000).frame.iloc[0]
    random, sizes = np.random.default_rng(2), (658_537, 341_463)  # 0.27 and 0.14, of 0.41
    truly = answer(random.beta(4, 7, sizes[0]), random.beta(19, 2, sizes[0]), random.beta(4, 16, sizes[0]))
    falsely = answer(random.beta(3, 8, sizes[1]), random.beta(18, 2, sizes[1]), random.beta(5, 16, sizes[1]))
    p = np.concatenate([truly, falsely])
    assert line["probability"] == pytest.approx(0.6585365854, abs=1e-9)
    assert line["mean"] == pytest.approx(0.6585365854, abs=0.002)
    assert line[["mean", "sd"]].to_list() == pytest.approx([p.mean(), p.std()], abs=0.003)
    assert line[["lower", "median", "upper"]].to_list() == pytest.approx(np.quantile(p, [0.025, 0.5, 0.975]), abs=0.008)


def test_shares_of_the_worked_case_are_near_those_of_the_delta_method(sick):
    found = (
        by_row(cc.sensitivity.uncertainty(sick, test="yes", draws=50_000))
        .by_source.query("state == 'yes'")
        .set_index("source")
    )
    for name, part in PARTS.items():
        assert found.loc[name, "first_order"] == pytest.approx(part / TOTAL, abs=0.08), name
        assert found.loc[name, "total"] == pytest.approx(part / TOTAL, abs=0.08), name
        assert found.loc[name, ["rows", "kind", "citation"]].to_list() == [1, "study", name.title()]
    assert found.index.to_list() == ["prevalence", "false positives", "sensitivity"]


def test_a_source_of_all_rows_of_a_table_has_the_share_of_the_table(sick):
    found = cc.sensitivity.uncertainty(sick, test="yes")
    tables = {name: SimpleNamespace(rows=[SimpleNamespace(sources=(name, "both"))] * 2) for name in ("sick", "test")}
    source = SimpleNamespace(kind="study", citation="")
    priors = SimpleNamespace(tables=tables, sources=dict.fromkeys(["sick", "test", "both"], source))
    shares = replace(found, entries=Entries(sick.network, priors)).by_source.set_index(["source", "state"])
    for line in found.by_table.itertuples():
        own = shares.loc[(line.table, line.state)]
        assert own[["first_order", "total", "rows"]].to_list() == [line.first_order, line.total, line.rows]
    both = shares.loc["both"]
    assert both[["first_order", "total"]].to_numpy() == pytest.approx(np.ones((2, 2)), abs=0.05)
    assert both["rows"].to_list() == [3, 3]


def test_sources_of_the_shipped_tables_count_the_rows_that_cite_them(shipped):
    found = cc.sensitivity.uncertainty(shipped, pain="severe", draws=500)
    relevant = {(family.variable, row) for family in found.question.families for row in family.rows.tolist()}
    counted = {}
    for variable, row in relevant:
        for source in set(shipped.priors.tables[variable].rows[row].sources):
            counted[source] = counted.get(source, 0) + 1
    lines = found.by_source[found.by_source["state"] == found.posterior.leading]
    assert dict(zip(lines["source"], lines["rows"], strict=True)) == counted
    assert lines["citation"].to_list() == [shipped.priors.sources[s].citation for s in lines["source"]]
    assert lines["total"].is_monotonic_decreasing


def test_tables_that_do_not_matter_are_left_out(shipped):
    # pain hangs on subtype and ulceration, and these on what lies above them
    found = cc.sensitivity.uncertainty(shipped, pain="severe", draws=200)
    above, new = set(), ["pain", shipped.target]
    while new:
        name = new.pop()
        above.add(name)
        new += [parent for parent in shipped.network.parents[name] if parent not in above]
    assert set(found.by_table["table"]) == above
    assert above < set(shipped.variables)


@given(data=st.data())
@examples(25)
def test_of_random_networks_the_mean_is_the_posterior_and_what_is_sure_has_no_share(networks, data):
    network = data.draw(networks)
    unsure = data.draw(st.sets(st.sampled_from(sorted(network.variables)), min_size=1))
    weight = data.draw(st.sampled_from([2.0, 20.0, 500.0]))
    model = weighed(network, {name: weight if name in unsure else 1e8 for name in network.variables})
    findings = {}
    for name, variable in model.variables.items():
        if name != model.target and data.draw(st.booleans()):
            results = data.draw(st.lists(st.sampled_from(variable.state_names), min_size=1, max_size=3))
            findings[name] = results if variable.repeatable else results[0]
    try:
        model.posterior(findings)
    except cc.errors.ImpossibleEvidence:
        findings = {}
    found = cc.sensitivity.uncertainty(model, findings, draws=4_000)
    shares, frame = found.by_table, found.frame.set_index(model.target)
    assert shares[["first_order", "total"]].stack().between(0, 1).all()
    wide = frame.index[frame["sd"] > 1e-2]
    mine = shares[shares["state"].isin(wide)]
    assert (mine.loc[~mine["table"].isin(unsure), ["first_order", "total"]] < 1e-3).all(axis=None)
    if len(set(mine["table"]) & unsure) == 1:  # one table explains it all
        alone = mine.loc[mine["table"].isin(unsure), ["first_order", "total"]]
        np.testing.assert_allclose(alone, 1, rtol=0, atol=0.1)
    assert ((frame["lower"] <= frame["median"]) & (frame["median"] <= frame["upper"])).all()
    assert frame["mean"].sum() == pytest.approx(1, abs=1e-5)
    if not any(isinstance(own, list) and len(own) > 1 for own in findings.values()):
        error = frame["sd"] / np.sqrt(found.sample.effective)
        assert (np.abs(frame["mean"] - frame["probability"]) <= 5 * error + 1e-5).all()


@pytest.mark.parametrize("findings", [{"subtype": "idiopathic"}, {"form": "calciphylaxis_uraemic"}])
def test_what_is_certain_has_no_variance_to_share(shipped, findings):
    found = cc.sensitivity.uncertainty(shipped, findings, draws=300)
    frame = found.frame.set_index("subtype")
    assert set(frame["probability"]) == {0.0, 1.0}
    for column in ("mean", "lower", "median", "upper", "leads"):
        assert frame[column].to_list() == frame["probability"].to_list()
    assert (frame["sd"] == 0).all()
    for shares in (found.by_table, found.by_source):
        assert (shares[["first_order", "total"]] == 0).all(axis=None)


def test_many_biopsies_have_finite_shares(shipped):
    found = cc.sensitivity.uncertainty(shipped, {"vascular_histology": BIOPSIES * 40})
    numbers = found.frame.drop(columns="subtype")
    assert np.isfinite(numbers.to_numpy()).all()
    shares = found.by_table.set_index(["state", "table"])
    assert np.isfinite(shares[["first_order", "total"]].to_numpy()).all()
    # so many results leave little doubt of the row that they are of
    assert shares.loc[("calciphylaxis", "vascular_histology"), "total"] < 0.05


def test_three_biopsies_in_any_order_are_the_same_draws(shipped):
    one, other = (
        cc.sensitivity.uncertainty(shipped, {"vascular_histology": biopsies}, draws=2_000).frame
        for biopsies in (BIOPSIES, sorted(BIOPSIES))
    )
    numbers = ["probability", "mean", "sd", "lower", "median", "upper"]
    np.testing.assert_allclose(one[numbers], other[numbers], rtol=0, atol=1e-5)


def test_a_network_without_weights_has_no_draws(build):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the whole text is compared
        cc.sensitivity.uncertainty(cc.Model(build("sick", SICK)), test="yes")
    assert str(caught.value) == (
        "no row of this network has a weight, so nothing is known of how sure it is: give the equivalent sample size "
        "of its rows, as in Model.from_file(..., weight=50)"
    )


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ({"draws": 1}, "the number of draws lies between 2 and 10,000,000, not at 1"),
        ({"draws": 10_000_001}, "the number of draws lies between 2 and 10,000,000, not at 10,000,001"),
        ({"mass": 0.0}, "the mass of an interval lies between 0 and 1, not at 0.0"),
        ({"mass": 1.0}, "the mass of an interval lies between 0 and 1, not at 1.0"),
    ],
)
def test_questions_that_cannot_be_asked_are_told(sick, named, message):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the whole text is compared
        cc.sensitivity.uncertainty(sick, test="yes", **named)
    assert str(caught.value) == message
