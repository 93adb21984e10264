"""What every analysis makes of silence, against sums over the joint of a network with a node for each mention.

The small clinic's letters: swab and pain are given, letters say nothing of the cause and the fever.
"""

from itertools import permutations

import numpy as np
import pytest
from enumeration import enumerate_joint
from recorded import silences, small, with_nodes
from scipy import stats

import calcinosis as cc
from calcinosis.analysis.learn.cross_validation import cross_validate
from calcinosis.analysis.validate.labelled_cases import read_diagnosed
from calcinosis.analysis.whatif.changes import with_findings

RATES = {"cause": (0.05, 0.9), "pain": (0.3, 0.8, 0.8), "fever": (0.5, 0.7)}
PATIENT = {"swab": "positive", "pain": "severe"}


@pytest.fixture(scope="module")
def letter(build):
    """The small clinic, read from letters."""
    return small(build).recorded("letter")


def of_mentions(model):
    return set(model.mentions.values())


def weights_of(model, findings, silent, rates=RATES):
    """The joint weight of each state of the target, hard findings and silence on some variables, by enumeration."""
    network = model.base.network
    seen = {
        name: [[float(s == state) for s in network.variables[name].state_names]] for name, state in findings.items()
    }
    joint = enumerate_joint(with_nodes(network, rates), seen | {f"M_{name}": [[1.0, 0.0]] for name in silent})
    return joint.sum(axis=tuple(range(1, joint.ndim)))  # the target is the first variable


def test_contributions_of_silence_and_findings_add_up_and_are_the_means_over_all_orders(letter):
    why = cc.explain(letter, PATIENT, state="grave")
    players = ["pain", "swab", "mentioned:cause", "mentioned:fever"]
    assert sorted(why.frame["variable"]) == sorted(players)

    def log_odds(some):
        findings = {name: PATIENT[name] for name in some if name in PATIENT}
        benign, grave = weights_of(letter, findings, [own[10:] for own in some if own.startswith("mentioned:")])
        return np.log(grave / benign)

    expected = dict.fromkeys(players, 0.0)
    for order in permutations(players):
        for place, name in enumerate(order):
            expected[name] += (log_odds(order[: place + 1]) - log_odds(order[:place])) / 24
    found = why.frame.set_index("variable")["contribution"].to_dict()
    assert found == pytest.approx(expected, abs=1e-12)
    assert why.after - why.before == pytest.approx(sum(found.values()), abs=1e-12)
    assert found["mentioned:cause"] < 0 < found["swab"]


def test_derivatives_by_each_rate_are_finite_differences(letter):
    found = cc.sensitivity.one_way(letter, PATIENT)
    frame = found.frame[found.frame["table"].isin(of_mentions(letter))]
    derivative = found.by_state.set_index(["entry", "disease"])["derivative"]
    rows = {
        "cause": {"no": [0], "yes": [1]},
        "pain": {"none": [0], "some/severe": [1, 2]},
        "fever": {"no": [0], "yes": [1]},
    }
    assert len(frame) == 2 * sum(map(len, rows.values()))
    step = 1e-5
    for line in frame[frame["state"] == "yes"].itertuples():
        name = line.table.removeprefix("mentioned:")
        sides = []
        for by in (step, -step):
            own = [rate + by * (i in rows[name][line.given]) for i, rate in enumerate(RATES[name])]
            weights = weights_of(letter, PATIENT, ["cause", "fever"], RATES | {name: tuple(own)})
            sides.append(weights / weights.sum())
        expected = (sides[0] - sides[1]) / (2 * step)
        assert derivative[line.entry].to_list() == pytest.approx(expected.tolist(), abs=1e-8)
        function = found.function(line.entry)
        assert function(line.value) == pytest.approx(list(found.posterior.probabilities_of.values()), abs=1e-12)
    moving = frame.groupby("table")["derivative"].agg(lambda own: bool(own.abs().max() > 1e-3)).to_dict()
    assert moving == {"mentioned:cause": True, "mentioned:fever": True, "mentioned:pain": False}


@pytest.fixture(scope="module")
def drawn(letter):
    """The patient's probability of grave disease under 400,000 draws of every row, and the weight of each draw."""
    rng, network = np.random.default_rng(11), letter.network

    def rows(name):
        parameters = network.rows(name) * network.weights[name][:, None]
        gammas = rng.standard_gamma(parameters, size=(400_000, *parameters.shape))
        return (gammas / gammas.sum(axis=-1, keepdims=True))[:, network.contexts[name]]

    disease, cause, pain, fever, swab = (rows(name) for name in ("disease", "cause", "pain", "fever", "swab"))
    no_cause, no_fever = (rows(f"mentioned:{name}")[..., 0] for name in ("cause", "fever"))
    silent_on_fever = np.einsum("ncf,nf->nc", fever, no_fever)
    joint = disease * swab[:, :, 1] * np.einsum("ndc,ndc,nc,nc->nd", cause, pain[..., 2], no_cause, silent_on_fever)
    return joint[:, 1] / joint.sum(axis=1), joint.sum(axis=1)


def test_intervals_are_those_of_weighted_draws_of_every_row(letter, drawn, figure):
    values, weights = drawn
    order = np.argsort(values)
    reached = np.cumsum(weights[order]) / weights.sum()
    limits = letter.posterior(PATIENT).interval(0.95).loc["grave"]
    expected = values[order][np.searchsorted(reached, [0.025, 0.975])]
    figure(f"interval of a silent letter {limits['lower']:.4f} to {limits['upper']:.4f}, brute force {expected}")
    assert limits[["lower", "upper"]].to_list() == pytest.approx(expected.tolist(), abs=0.006)
    certain = small(lambda *_: letter.base.network, weight=1e7).recorded("letter").posterior(PATIENT).interval(0.95)
    assert certain.loc["grave", "upper"] - certain.loc["grave", "lower"] < 0.01


def test_rates_count_in_the_uncertainty_and_among_the_sources(letter, drawn):
    found = cc.sensitivity.uncertainty(letter, PATIENT)
    tables = found.by_table
    column = tables.columns[0]
    assert {"mentioned:cause", "mentioned:fever"} <= set(tables[column])
    assert "mentioned:pain" not in set(tables.loc[tables["total"] > 1e-3, column])
    assert found.by_source[found.by_source.columns[0]].to_list()[0] == "cohort"
    assert cc.sensitivity.overview(letter, PATIENT).rows["table"].isin(of_mentions(letter)).any()


def test_what_if_offers_to_state_what_the_letter_is_silent_on(letter):
    found = cc.whatif.sweep(letter, PATIENT)
    lines = found.frame[found.frame["variable"].isin(["cause", "fever"])]
    assert list(zip(lines["variable"], lines["kind"], lines["value"], strict=True)) == [
        ("cause", "added", "no"), ("cause", "added", "yes"), ("fever", "added", "no"), ("fever", "added", "yes"),
    ]  # fmt: skip
    silent = weights_of(letter, PATIENT, ["cause", "fever"]).sum()
    for line in lines.itertuples():
        stated = letter.posterior(PATIENT | {line.variable: line.value})
        assert [line.benign, line.grave] == pytest.approx(list(stated.probabilities_of.values()), abs=1e-12)
        together = weights_of(letter, PATIENT | {line.variable: line.value}, ["cause", "fever"])
        assert line.chance == pytest.approx(together.sum() / silent, abs=1e-12)


@pytest.mark.parametrize("analysis", [cc.whatif.sweep, cc.whatif.pairs, cc.whatif.flips, cc.next_test])
def test_no_change_of_findings_and_no_test_is_of_a_mention(letter, shipped, analysis):
    for model, findings in ((letter, PATIENT), (shipped.recorded("letter"), {"pain": "severe"})):
        options = {"most_changes": 2} if analysis is cc.whatif.flips else {}
        frame = analysis(model, findings, **options).frame
        assert len(frame)
        assert "mentioned" not in frame.to_csv()


def test_the_smallest_changes_of_tables_include_rates(letter):
    wanted = letter.posterior()["grave"] + 0.01
    entries = cc.sensitivity.smallest_changes(letter, state="grave", probability=wanted).entries
    rates = entries[(entries["table"] == "mentioned:cause") & (entries["state"] == "yes")]
    assert set(rates["given"]) == {"no", "yes"}
    for given, new in zip(rates["given"], rates["new"], strict=True):
        moved = letter.with_row("mentioned:cause", cause=given, yes=new)
        assert moved.posterior()["grave"] == pytest.approx(wanted, abs=1e-12)


def test_revealing_what_a_letter_is_silent_on_is_what_enumeration_says(letter):
    """The silence stays evidence of which answer is to be expected."""
    found = cc.next_test(letter, PATIENT)
    assert set(found.frame["test"]) == {"cause", "fever"}
    silent = weights_of(letter, PATIENT, ["cause", "fever"])
    now = silent / silent.sum()
    for name in ("cause", "fever"):
        both = (
            np.array([weights_of(letter, PATIENT | {name: s}, ["cause", "fever"]) for s in ("no", "yes")])
            / silent.sum()
        )
        chance = both.sum(axis=1)
        information = -(now * np.log(now)).sum() + (both * np.log(both / chance[:, None])).sum()
        line = found.frame.set_index("test").loc[name]
        assert line["information"] == pytest.approx(information, abs=1e-12)
        assert line["right"] == pytest.approx(both.max(axis=1).sum(), abs=1e-12)
        outcomes = found.outcomes[found.outcomes["test"] == name]
        assert outcomes["chance"].to_list() == pytest.approx(chance.tolist(), abs=1e-12)
        stated = [letter.posterior(PATIENT | {name: s})["grave"] for s in ("no", "yes")]
        assert outcomes["grave"].to_list() == pytest.approx(stated, abs=1e-12)


def test_a_finding_that_is_stated_is_no_longer_silence(letter):
    patient = letter.read(PATIENT)
    for stated in ({"cause": "yes"}, {"cause": "unknown"}, {"cause": "yes", "pain": "none"}, {"pain": "unknown"}, {}):
        assert set(with_findings(letter, patient, stated)) == set(letter.read(PATIENT | stated))
    silent = with_findings(letter, letter.read(PATIENT | {"cause": "yes"}), {"cause": None})
    assert set(silent) == set(patient)


@pytest.mark.slow
def test_silent_patients_are_as_unusual_as_they_should_be(letter, shipped, figure):
    """Compared with patients whose record mentions the same: of the patients simulated, one in ten is among the tenth
    that is rarest, and one in ten among the most conflicting."""
    for model, patients in ((letter, 1000), (shipped.recorded("case_report"), 250)):
        rng = np.random.default_rng(5)
        ranks, conflicts = [], []
        for row in model.simulate(patients, seed=5).drop(columns="diagnosis").to_dict("records"):
            fit = model.posterior(row).fit
            ranks.append(fit.rarer + rng.random() * fit.as_rare)
            conflicts.append(fit.as_conflicting)
        conflicts = np.array(conflicts)
        figure(
            f"{patients} simulated silent patients of {len(model.variables)} variables: uniform ranks p = "
            f"{stats.kstest(ranks, 'uniform').pvalue:.2f}; {(conflicts <= 0.1).mean():.3f} below 0.1"
        )
        assert stats.kstest(ranks, "uniform").pvalue > 0.01
        for level in (0.05, 0.1, 0.25):
            assert (conflicts <= level).mean() <= level + 3 * np.sqrt(level * (1 - level) / patients)


# learning how often records mention what


@pytest.fixture(scope="module")
def learned(build, letter):
    """What 4,000 letters with other rates teach, the tables of the disease being known."""
    rates = {"cause": (0.3, 0.6), "pain": (0.1, 0.9, 0.9), "fever": (0.2, 0.95)}
    truth = small(build, rates).recorded("letter")
    patients = truth.simulate(4000, seed=2)
    return truth, patients, cc.learn.update(letter, patients, only=sorted(of_mentions(letter)), name="ward")


def test_letters_teach_how_often_they_mention_what(letter, learned):
    truth, _, update = learned
    assert (update.model.record, update.model.base.record) == ("letter", "asked")
    assert set(update.rows["table"]) == of_mentions(letter)
    for name in of_mentions(letter):
        assert np.abs(update.model.network.tables[name] - truth.network.tables[name]).max() < 0.06
        assert np.abs(update.model.network.tables[name] - letter.network.tables[name]).max() > 0.06
    for name in letter.base.variables:
        assert np.array_equal(update.model.network.tables[name], letter.network.tables[name])
    assert update.model.digest == update.model.base.digest != letter.digest
    assert "ward" in update.model.base.priors.sources
    assert update.model.base.priors.reporting["letter"]["cause"].rows[0].sources == ("cohort", "ward")
    assert (
        update.model.posterior(PATIENT, record="asked").probabilities_of
        == letter.base.posterior(PATIENT).probabilities_of
    )


def test_the_likelihood_of_letters_counts_what_they_mention(letter, learned):
    _, patients, update = learned
    network, total = letter.base.network, 0.0
    nodes = with_nodes(network, RATES)
    counted = patients.astype(object).where(patients.notna(), None).value_counts(dropna=False)
    for cells, count in counted.items():
        row = {name: cell for name, cell in zip(patients.columns, cells, strict=True) if isinstance(cell, str)}
        row = {"disease" if name == "diagnosis" else name: cell for name, cell in row.items()}
        seen = {n: [[float(s == cell) for s in network.variables[n].state_names]] for n, cell in row.items()}
        seen |= silences(network, RATES, row) | {f"M_{name}": [[0.0, 1.0]] for name in RATES if name in row}
        total += count * np.log(enumerate_joint(nodes, seen).sum())
    assert update.log_likelihood[0] == pytest.approx(total, rel=1e-12)


def test_what_letters_taught_is_forgotten(letter, learned):
    _, patients, update = learned
    former = cc.learn.forget(update.model, patients, only=sorted(of_mentions(letter)))
    assert former.model.record == "letter"
    for name in letter.variables:
        assert np.abs(former.model.network.rows(name) - letter.network.rows(name)).max() < 1e-7
        assert np.abs(former.model.network.weights[name] - letter.network.weights[name]).max() < 1e-6


def test_what_was_asked_for_teaches_no_rate(letter):
    unknown = letter.simulate(50, seed=2).assign(**dict.fromkeys(["cause", "pain", "fever"], "unknown"))
    found = cc.learn.update(letter, unknown, only=sorted(of_mentions(letter)))
    assert found.rows.empty
    assert found.model.digest == letter.digest


def test_patients_that_were_read_before_teach_the_same(letter, learned):
    """Whether a table is given or patients read from it, the mention of what is given counts."""
    _, patients, update = learned
    known = read_diagnosed(letter, patients)
    again = cc.learn.update(letter, known, only=sorted(of_mentions(letter)), name="ward")
    assert again.model.digest == update.model.digest
    some = cross_validate(letter, known.some(np.arange(1000)), folds=4, only=sorted(of_mentions(letter)))
    assert some.frame.set_index("metric").loc["log_loss", "difference"] < 0  # other rates wrote these letters


@pytest.mark.slow
def test_simulated_letters_are_as_the_tables_expect(letter, shipped):
    """A mention is predicted before what is mentioned, which is known only where it is."""
    for model in (letter, shipped.recorded("case_report")):
        patients = model.simulate(1500, seed=4)
        found = cc.learn.check_cohort(model, patients)
        assert not found.variables["differs"].any()
        assert not found.rows["differs"].any()
        mentions = found.variables[found.variables["group"] == "reporting"]
        assert set(mentions["variable"]) == of_mentions(model)
        assert (mentions["patients"] == 1500).all()
    other = cc.learn.check_cohort(
        letter, letter.with_row("mentioned:cause", cause="no", yes=0.3).simulate(1500, seed=4)
    )
    assert other.variables.set_index("variable").loc["mentioned:cause", "differs"]
    assert set(other.rows.loc[other.rows["differs"], "table"]) == {"mentioned:cause"}


def test_silence_is_not_counted_among_what_was_looked_at(letter):
    patients = letter.simulate(200, seed=6)
    known = read_diagnosed(letter, patients)
    assert set(known.observed) == {"cause", "pain", "fever", "swab"}
    assert known.known.tolist() == patients.drop(columns="diagnosis").notna().sum(axis=1).tolist()
    expected = [letter.probabilities(row) for row in patients.drop(columns="diagnosis").to_dict("records")]
    np.testing.assert_allclose(known.probabilities(), [list(own.values()) for own in expected], rtol=0, atol=1e-14)
    assert "mentioned" not in cc.validate(letter, patients).variables.to_csv()
