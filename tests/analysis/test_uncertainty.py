"""The draws of the tables are those of their Dirichlet distributions, and shares of the variance are what they say.

Against numpy's gamma variates multiplied out by hand, against nested draws, and against a case worked out on paper.
"""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import calcinosis as cc
from calcinosis.analysis.uncertainty import DRAWS
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


def test_ten_thousand_draws_are_the_same_bit_for_bit_in_two_models(shipped):
    findings = known(shipped, "jones2023")
    one, same = (cc.uncertainty(cc.Model(shipped.network, shipped.priors), findings, seed=5) for _ in range(2))
    assert one.sample.posteriors.shape == (5, DRAWS) == (5, 10_000)
    assert one.sample.posteriors.tobytes() == same.sample.posteriors.tobytes()
    assert one.frame.equals(same.frame)
    assert one.by_table.equals(same.by_table)
    assert one.by_source.equals(same.by_source)


def test_another_seed_has_other_draws_of_the_same_distribution(shipped):
    one, other = (cc.uncertainty(shipped, pain="severe", seed=seed).frame for seed in (0, 1))
    numbers = ["mean", "sd", "lower", "median", "upper"]
    assert (one[numbers] != other[numbers]).all(axis=None)
    np.testing.assert_allclose(one[numbers], other[numbers], rtol=0, atol=0.02)


def test_the_order_of_questions_does_not_matter(shipped):
    model = cc.Model(shipped.network)
    cc.uncertainty(model, livedo="yes", draws=500)
    later = cc.uncertainty(model, pain="severe", draws=500)
    alone = cc.uncertainty(cc.Model(shipped.network), pain="severe", draws=500)
    assert np.array_equal(later.sample.posteriors, alone.sample.posteriors)


def gammas(network, draws, random):
    """Tables drawn from their Dirichlet distributions: normalised gamma variates, axes `(draws, *table)`."""
    found = {}
    for name in network.variables:
        rows = network.rows(name)
        drawn = random.standard_gamma(rows * network.weights[name][:, None], (draws, *rows.shape))
        found[name] = (drawn / drawn.sum(axis=-1, keepdims=True))[:, network.contexts[name]]
    return found


def test_draws_agree_with_gamma_variates_multiplied_out(build):
    network = build(
        "d",
        {
            "d": ("a b c", "", [0.5, 0.3, 0.2]),
            "h": ("n y", "d", [[0.7, 0.3], [0.4, 0.6], [0.1, 0.9]]),
            "t": ("n p", "h d", [[0.9, 0.1], [0.6, 0.4], [0.5, 0.5], [0.3, 0.7], [0.2, 0.8], [0.4, 0.6]]),
            "r": ("n p", "h", [[0.8, 0.2], [0.3, 0.7]]),
        },
        repeatable=("r",),
    )
    model = weighed(network, {"d": 15.0, "h": 10.0, "t": 25.0, "r": 6.0})
    frame = cc.uncertainty(model, {"t": "p", "r": ["p", "n", "p"]}, draws=60_000).frame
    tables = gammas(model.network, 60_000, np.random.default_rng(1))
    d, h, t, r = (tables[name] for name in "dhtr")
    weights = np.einsum("zd,zdh,zhd,zh->zd", d, h, t[..., 1], r[..., 1] ** 2 * r[..., 0])
    p = weights / weights.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(frame["mean"], p.mean(axis=0), rtol=0, atol=0.005)
    np.testing.assert_allclose(frame["sd"], p.std(axis=0), rtol=0, atol=0.004)
    limits = np.quantile(p, [0.025, 0.5, 0.975], axis=0).T
    np.testing.assert_allclose(frame[["lower", "median", "upper"]], limits, rtol=0, atol=0.012)
    leads = np.bincount(p.argmax(axis=1), minlength=3) / len(p)
    np.testing.assert_allclose(frame["leads"], leads, rtol=0, atol=0.01)
    assert frame["probability"].to_list() == list(model.probabilities({"t": "p", "r": ["p", "n", "p"]}).values())


def test_draws_of_the_shipped_tables_agree_with_gamma_variates(shipped):
    findings = known(shipped, "jones2023") | {"vascular_histology": BIOPSIES}
    frame = cc.uncertainty(shipped, findings).frame
    tables = gammas(shipped.network, 200, np.random.default_rng(4))
    p = np.array(
        [
            [
                *cc.Model(replace(shipped.network, tables={n: t[i] for n, t in tables.items()}))
                .probabilities(findings)
                .values()
            ]
            for i in range(200)
        ]
    )
    error = frame["sd"].to_numpy() / np.sqrt(200)
    assert (np.abs(frame["mean"] - p.mean(axis=0)) < 4 * error + 1e-9).all()
    np.testing.assert_allclose(frame["sd"], p.std(axis=0), rtol=0.5, atol=0.02)
    assert ((frame["lower"] < p.mean(axis=0)) & (p.mean(axis=0) < frame["upper"])).all()


def by_row(found):
    """The same question with a source of its own for each of the three rows."""
    rows = [SimpleNamespace(sources=(name,)) for name in PARAMETERS]
    tables = {"sick": SimpleNamespace(rows=rows[:1]), "test": SimpleNamespace(rows=rows[1:])}
    sources = {name: SimpleNamespace(kind="study", citation=name.title()) for name in PARAMETERS}
    return replace(found, entries=Entries(found.entries.network, SimpleNamespace(tables=tables, sources=sources)))


def test_moments_and_limits_of_the_worked_case(sick):
    line = cc.uncertainty(sick, test="yes", draws=100_000).frame.iloc[0]
    assert line["probability"] == pytest.approx(0.6585365854, abs=1e-9)
    assert line[["mean", "sd"]].to_list() == pytest.approx([0.6377413, 0.1785699], abs=0.003)
    assert line[["lower", "median", "upper"]].to_list() == pytest.approx([0.2453, 0.6606, 0.9154], abs=0.008)


def test_shares_of_the_worked_case_are_near_those_of_the_delta_method(sick):
    found = by_row(cc.uncertainty(sick, test="yes", draws=50_000)).by_source.query("state == 'yes'").set_index("source")
    for name, part in PARTS.items():
        assert found.loc[name, "first_order"] == pytest.approx(part / TOTAL, abs=0.08), name
        assert found.loc[name, "total"] == pytest.approx(part / TOTAL, abs=0.08), name
        assert found.loc[name, ["rows", "kind", "citation"]].to_list() == [1, "study", name.title()]
    assert found.index.to_list() == ["prevalence", "false positives", "sensitivity"]


def test_shares_of_the_worked_case_are_those_of_nested_draws(sick):
    random = np.random.default_rng(8)
    drawn = {name: random.beta(*ab, (2000, 1)) for name, ab in PARAMETERS.items()}
    others = {name: random.beta(*ab, (2000, 500)) for name, ab in PARAMETERS.items()}
    variance = answer(*others.values()).var()
    found = by_row(cc.uncertainty(sick, test="yes", draws=50_000)).by_source.query("state == 'yes'").set_index("source")
    for name in PARAMETERS:
        fixed = answer(*(drawn[n] if n == name else others[n] for n in PARAMETERS))
        alone = answer(*(others[n] if n == name else drawn[n] for n in PARAMETERS))
        noise = fixed.var(axis=1).mean() / 500  # what the mean of 500 draws adds to the variance of the means
        first = (fixed.mean(axis=1).var() - noise) / variance
        assert found.loc[name, "first_order"] == pytest.approx(first, abs=0.03), name
        assert found.loc[name, "total"] == pytest.approx(alone.var(axis=1).mean() / variance, abs=0.03), name


def test_a_source_of_all_rows_of_a_table_has_the_share_of_the_table(sick):
    found = cc.uncertainty(sick, test="yes")
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
    found = cc.uncertainty(shipped, pain="severe", draws=500)
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
    found = cc.uncertainty(shipped, pain="severe", draws=200)
    above, new = set(), ["pain", shipped.target]
    while new:
        name = new.pop()
        above.add(name)
        new += [parent for parent in shipped.network.parents[name] if parent not in above]
    assert set(found.by_table["table"]) == above
    assert above < set(shipped.variables)


@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_totals_are_no_smaller_than_first_orders_and_tables_add_up(networks, data):
    network = data.draw(networks)
    model = weighed(network, data.draw(st.sampled_from([2.0, 20.0, 500.0])))
    findings = {}
    for name, variable in model.variables.items():
        if name != model.target and data.draw(st.booleans()):
            results = data.draw(st.lists(st.sampled_from(variable.state_names), min_size=1, max_size=3))
            findings[name] = results if variable.repeatable else results[0]
    try:
        model.posterior(findings)
    except cc.ImpossibleEvidence:
        findings = {}
    found = cc.uncertainty(model, findings, draws=4_000)
    shares = found.by_table
    assert np.isfinite(shares[["first_order", "total"]]).all(axis=None)
    assert (shares["total"] >= shares["first_order"] - 0.12).all()
    sd = found.frame.set_index(model.target)["sd"]
    sums = shares.groupby("state")[["first_order", "total"]].sum()
    wide = sd.index[sd > 1e-3]
    assert (sums.loc[wide, "total"] > 0.8).all()
    frame = found.frame
    assert ((frame["lower"] <= frame["median"]) & (frame["median"] <= frame["upper"])).all()
    assert frame["mean"].sum() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("findings", [{"subtype": "idiopathic"}, {"form": "calciphylaxis_uraemic"}])
def test_what_is_certain_has_no_variance_to_share(shipped, findings):
    found = cc.uncertainty(shipped, findings, draws=300)
    frame = found.frame.set_index("subtype")
    assert set(frame["probability"]) == {0.0, 1.0}
    for column in ("mean", "lower", "median", "upper", "leads"):
        assert frame[column].to_list() == frame["probability"].to_list()
    assert (frame["sd"] == 0).all()
    for shares in (found.by_table, found.by_source):
        assert (shares[["first_order", "total"]] == 0).all(axis=None)


def test_many_biopsies_have_finite_shares(shipped):
    found = cc.uncertainty(shipped, {"vascular_histology": BIOPSIES * 40}, draws=500)
    numbers = found.frame.drop(columns="subtype")
    assert np.isfinite(numbers.to_numpy()).all()
    shares = found.by_table.set_index(["state", "table"])
    assert np.isfinite(shares[["first_order", "total"]].to_numpy()).all()
    assert shares.loc[("calciphylaxis", "vascular_histology"), "total"] > 0.05


def test_three_biopsies_in_any_order_are_the_same_draws(shipped):
    one, other = (
        cc.uncertainty(shipped, {"vascular_histology": biopsies}, draws=2_000).frame
        for biopsies in (BIOPSIES, sorted(BIOPSIES))
    )
    numbers = ["probability", "mean", "sd", "lower", "median", "upper"]
    np.testing.assert_allclose(one[numbers], other[numbers], rtol=0, atol=1e-5)


def test_a_network_without_weights_has_no_draws(build):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the whole text is compared
        cc.uncertainty(cc.Model(build("sick", SICK)), test="yes")
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
        cc.uncertainty(sick, test="yes", **named)
    assert str(caught.value) == message
