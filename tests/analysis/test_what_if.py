"""What would be if findings were others is what asking with those findings says: singly, in pairs, and in sets.

Probabilities are those of `model.posterior` with the changed findings or, on random networks, of plain sums over the
joint; sets that flip the lead are searched by trying all of them, one after the other.
"""

from itertools import combinations, pairwise, permutations
from math import factorial

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from properties import examples
from random_patients import true_states

import calcinosis as cc
from calcinosis.knowledge.folder import shipped_folder

MODEL = cc.load(shipped_folder())
CASES = cc.cases(shipped_folder())
CLOSE = {"rtol": 0, "atol": 1e-12}


def published(name):
    """The findings of a published case."""
    return {n: v for n, v in CASES.loc[name].items() if n in MODEL.variables and v}


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


def enumerated(model, findings):
    evidence = {finding.variable: finding.likelihoods for finding in model.read(findings)}
    return target_weights(model.network, evidence)


def changed(findings, *changes):
    """The findings with some set to others, `unknown` for none."""
    now = dict(findings) | dict(changes)
    return {name: value for name, value in now.items() if value != "unknown"}


def changes_of(model, findings):
    """Every change of one variable: (variable, kind, value), for findings that are states or lists of states."""
    for name, variable in model.variables.items():
        if name == model.target or variable.group == "hidden":
            continue
        if name not in findings:
            yield from ((name, "added", state) for state in variable.state_names)
            continue
        results = findings[name].split(",")
        seen = {tuple(sorted(results))}
        for place in range(len(results)):
            for state in variable.state_names:
                other = [*results[:place], state, *results[place + 1 :]]
                if tuple(sorted(other)) not in seen:
                    seen.add(tuple(sorted(other)))
                    yield name, "changed", ",".join(other)
        if variable.repeatable:
            yield from ((name, "repeated", ",".join([*results, state])) for state in variable.state_names)
        yield name, "removed", "unknown"


def possible(model, findings):
    """The posterior; None where the findings are impossible."""
    try:
        return model.posterior(findings)
    except cc.errors.ImpossibleEvidence:
        return None


@st.composite
def patients(draw, networks, most_variables=7):
    """A random network and certain findings of a patient drawn from it, several results of what can be repeated."""
    model = cc.Model(draw(networks.filter(lambda network: len(network.variables) <= most_variables)))
    network = model.network
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    truth = true_states(network, rng)
    names = [name for name in network.variables if name != network.target]
    findings = {}
    for name in draw(st.lists(st.sampled_from(names), unique=True)):
        state = network.variables[name].state_names[truth[name]]
        results = draw(st.integers(1, 3)) if network.variables[name].repeatable else 1
        findings[name] = ",".join([state] * results)
    return model, {name: findings[name] for name in network.variables if name in findings}


def well_apart(weights):
    """Whether the leading state leads by more than rounding could turn."""
    second, first = np.sort(weights)[-2:]
    return first - second > 1e-9 * first


# one change


@pytest.mark.parametrize("case", CASES.index)
def test_every_change_of_a_published_case_is_asking_with_the_changed_findings(case):
    findings = published(case)
    found = cc.whatif.sweep(MODEL, findings)
    now = MODEL.posterior(findings)
    assert found.posterior.probabilities_of == now.probabilities_of
    expected = list(changes_of(MODEL, findings))
    assert list(found.frame[["variable", "kind", "value"]].itertuples(index=False, name=None)) == expected
    for line in found.frame.to_dict("records"):
        then = MODEL.posterior(changed(findings, (line["variable"], line["value"])))
        probabilities = np.array(then.probabilities)
        np.testing.assert_allclose([line[state] for state in MODEL.states], probabilities, **CLOSE)
        assert line["leading"] == then.leading
        assert line["flips"] == (then.leading != now.leading)
        assert line["moved"] == pytest.approx(np.abs(probabilities - np.array(now.probabilities)).max(), abs=1e-12)
        left = now if line["kind"] == "repeated" else MODEL.posterior(changed(findings, (line["variable"], "unknown")))
        chance = np.exp(then.log_evidence - left.log_evidence)
        assert line["chance"] == pytest.approx(1.0 if line["kind"] == "removed" else chance, rel=1e-10)
    flips = found.flips
    assert len(flips) == found.frame["flips"].sum()
    assert flips["flips"].all()
    assert flips["chance"].is_monotonic_decreasing


def test_the_chances_of_what_may_be_found_of_one_variable_sum_to_one():
    found = cc.whatif.sweep(MODEL, published("jones2023")).frame
    for kind in ("added", "repeated"):
        sums = found[found["kind"] == kind].groupby("variable")["chance"].sum()
        assert len(sums)
        np.testing.assert_allclose(sums, 1.0, **CLOSE)


@examples(40)
@given(data=st.data())
def test_every_change_on_a_random_network_is_that_of_the_joint(networks, data):
    model, findings = data.draw(patients(networks))
    found = cc.whatif.sweep(model, findings).frame
    lines = {(line["variable"], line["value"]): line for line in found.to_dict("records")}
    tried = 0
    for name, kind, value in changes_of(model, findings):
        weights = enumerated(model, changed(findings, (name, value)))
        if not weights.any():
            assert (name, value) not in lines
            continue
        line, tried = lines[name, value], tried + 1
        assert line["kind"] == kind
        np.testing.assert_allclose([line[s] for s in model.states], weights / weights.sum(), rtol=0, atol=1e-10)
        left = findings if kind == "repeated" else changed(findings, (name, "unknown"))
        assert line["chance"] == pytest.approx(weights.sum() / enumerated(model, left).sum(), rel=1e-9)
    assert tried == len(found)


def test_only_the_kinds_that_are_asked_for_are_made():
    findings = published("jones2023")
    whole = cc.whatif.sweep(MODEL, findings).frame
    assert set(whole["kind"]) == {"added", "changed", "repeated", "removed"}
    for kind in ("added", "changed", "repeated", "removed"):
        some = cc.whatif.sweep(MODEL, findings, kinds=[kind]).frame
        expected = whole[whole["kind"] == kind].reset_index(drop=True)
        assert some[["variable", "kind", "value", "leading"]].equals(expected[["variable", "kind", "value", "leading"]])
    assert cc.whatif.sweep(MODEL, findings, kinds=[]).frame.empty


def test_changes_that_are_impossible_are_left_out(build):
    tables = {"d": ("s t", "", [1.0, 0.0]), "sign": ("n y", "d", [[1.0, 0.0], [0.5, 0.5]])}
    found = cc.whatif.sweep(cc.Model(build("d", tables))).frame
    assert found["value"].to_list() == ["n"]


def test_a_result_seen_in_part_is_kept_when_another_is_changed(build):
    """Of two biopsies, one with likelihoods: the other is changed, the likelihoods stay."""
    tables = {"d": ("s t", "", [0.6, 0.4]), "look": ("n y", "d", [[0.8, 0.2], [0.3, 0.7]])}
    model = cc.Model(build("d", tables, repeatable=["look"]))
    soft = {"n": 0.2, "y": 0.9}
    lines = cc.whatif.sweep(model, look=[soft, "n"]).frame.set_index("value")
    for value, results in {
        "n:0.2,y:0.9,y": [soft, "y"],
        "n,n": ["n", "n"],
        "y,n": ["y", "n"],
        "n:0.2,y:0.9,n,y": [soft, "n", "y"],
        "unknown": [],
    }.items():
        expected = model.posterior(look=results).probabilities
        np.testing.assert_allclose(lines.loc[value, ["s", "t"]].astype(float), expected, **CLOSE)


# two changes


@pytest.mark.slow
@pytest.mark.parametrize("case", ["jones2023", *CASES.index[[20, 40]]])
def test_every_two_changes_are_asking_with_both(case):
    findings = published(case)
    found = cc.whatif.pairs(MODEL, findings)
    now = MODEL.posterior(findings)
    lead = now.leading
    changes = [change for change in changes_of(MODEL, findings) if change[1] != "removed"]
    expected = [(one, other) for one, other in combinations(changes, 2) if one[0] != other[0]]
    columns = ["variable_1", "kind_1", "value_1", "variable_2", "kind_2", "value_2"]
    rows = found.frame[columns].itertuples(index=False, name=None)
    assert [(row[:3], row[3:]) for row in rows] == expected

    def log_odds(posterior):
        return np.log(posterior[lead]) - np.log(sum(p for s, p in posterior.probabilities_of.items() if s != lead))

    single = {change: log_odds(MODEL.posterior(changed(findings, change[::2]))) for change in changes}
    for (one, other), line in zip(expected, found.frame.to_dict("records"), strict=True):
        then = MODEL.posterior(changed(findings, one[::2], other[::2]))
        np.testing.assert_allclose([line[state] for state in MODEL.states], then.probabilities, **CLOSE)
        assert (line["leading"], line["flips"]) == (then.leading, then.leading != lead)
        unknown = [(name, "unknown") for name, kind, _ in (one, other) if kind != "repeated"]
        chance = np.exp(then.log_evidence - MODEL.posterior(changed(findings, *unknown)).log_evidence)
        assert line["chance"] == pytest.approx(chance, rel=1e-9)
        together = log_odds(then) - single[one] - single[other] + log_odds(now)
        assert line["together"] == pytest.approx(together, abs=1e-9)


def test_findings_that_are_independent_given_the_disease_do_nothing_together(build):
    row = [[0.8, 0.2], [0.3, 0.7]]
    tables = {"d": ("s t", "", [0.6, 0.4]), **dict.fromkeys("abc", ("n y", "d", row))}
    found = cc.whatif.pairs(cc.Model(build("d", tables)), a="y").frame
    assert found["together"].abs().max() < 1e-12


# the fewest changes


@examples(25)
@given(data=st.data(), most=st.integers(1, 3))
def test_flips_are_all_smallest_sets_and_no_others(networks, data, most):
    model, findings = data.draw(patients(networks, most_variables=5))
    kinds = data.draw(st.sampled_from([("added", "changed", "repeated"), ("changed", "removed"), ("added",)]))
    lead = model.posterior(findings).leading
    assume(well_apart(enumerated(model, findings)))
    towards = data.draw(st.sampled_from([None, *(state for state in model.states if state != lead)]))
    changes = [change for change in changes_of(model, findings) if change[1] in kinds]
    leads, expected, tried, searched = {(): lead}, {}, 0, 0
    for size in range(1, most + 1):
        sets = [own for own in combinations(changes, size) if len({name for name, _, _ in own}) == size]
        searched, tried = searched + bool(sets), tried + len(sets)
        for own in sets:
            then = possible(model, changed(findings, *(change[::2] for change in own)))
            if then is None:
                continue
            assume(well_apart(np.array(then.probabilities)))
            leads[own] = then.leading
            parts = [part for fewer in range(size) for part in combinations(own, fewer)]
            if then.leading not in {leads.get(part) for part in parts}:
                unknown = [(name, "unknown") for name, kind, _ in own if kind != "repeated"]
                chance = np.exp(then.log_evidence - model.posterior(changed(findings, *unknown)).log_evidence)
                words = ", ".join(f"{name}={value}" for name, _, value in own)
                expected[words] = (size, then.leading, then[then.leading], chance)
    found = cc.whatif.flips(model, findings, towards=towards, most_changes=most, kinds=kinds)
    assert (found.searched, found.tried) == (searched, tried)
    lines = {line["findings"]: line for line in found.frame.to_dict("records")}
    assert set(lines) == {words for words, own in expected.items() if towards in (None, own[1])}
    for words, line in lines.items():
        size, leading, probability, chance = expected[words]
        assert (line["changes"], line["leading"]) == (size, leading)
        assert line["probability"] == pytest.approx(probability, abs=1e-10)
        assert line["chance"] == pytest.approx(chance, rel=1e-8)
    order = list(zip(found.frame["changes"], -found.frame["chance"], strict=True))
    assert order == sorted(order)
    assert len(found.fewest) == len(set(found.frame["leading"]))
    for line in found.fewest.itertuples():
        assert line.changes == found.frame.loc[found.frame["leading"] == line.leading, "changes"].min()


def test_a_set_is_not_smallest_if_one_of_its_parts_does_it_though_none_of_one_change_less_does(build):
    """By hand: x makes s lead with .756, x with y or with z does not, all three do again."""
    sign = ("0 1", "", [0.9, 0.1])
    leads = np.full((2, 2, 2), 0.1)
    leads[1, 0, 0] = leads[1, 1, 1] = 0.9
    tables = {"x": sign, "y": sign, "z": sign, "d": ("s t", "x y z", np.stack([leads, 1 - leads], axis=-1))}
    model = cc.Model(build("d", tables))
    assert model.posterior(x="1")["s"] == pytest.approx(0.756, abs=1e-12)
    assert model.posterior(x="1", y="1").leading == model.posterior(x="1", z="1").leading == "t"
    assert model.posterior(x="1", y="1", z="1").leading == "s"
    found = cc.whatif.flips(model)
    assert found.searched == 3
    assert found.frame["findings"].to_list() == ["x=1"]


def test_flips_of_the_published_patient_flip():
    findings = published("jones2023")
    found = cc.whatif.flips(MODEL, findings, most_changes=2)
    assert len(found.frame) > 10
    for line in found.frame.itertuples():
        names = [part.split("=") for part in line.findings.split(", ")]
        then = MODEL.posterior(changed(findings, *names))
        assert then.leading == line.leading != found.posterior.leading
        assert then[line.leading] == pytest.approx(line.probability, abs=1e-12)
        for left_out in range(len(names) if len(names) > 1 else 0):
            fewer = MODEL.posterior(changed(findings, *(own for i, own in enumerate(names) if i != left_out)))
            assert fewer.leading != line.leading
    plain = found.as_dict(most=1)["flips"]
    assert len(plain) == len(found.fewest)


def test_sizes_that_would_take_too_many_sets_are_left_out(monkeypatch):
    whole = cc.whatif.flips(MODEL, pain="severe", most_changes=2)
    assert whole.searched == 2
    monkeypatch.setattr("calcinosis.analysis.whatif.flips.MOST_SETS", whole.tried - 1)
    less = cc.whatif.flips(MODEL, pain="severe")
    assert less.searched == 1
    assert less.tried < whole.tried
    assert less.frame.equals(whole.frame[whole.frame["changes"] == 1].reset_index(drop=True))


# two scenarios


@st.composite
def two_scenarios(draw, networks):
    """A random network and two scenarios with up to five differences, neither impossible, nor any mixture of them."""
    model, findings = draw(patients(networks))
    changes = draw(
        st.lists(st.sampled_from(list(changes_of(model, findings))), unique_by=lambda own: own[0], max_size=5)
    )
    return model, findings, changed(findings, *(own[::2] for own in changes))


@examples(60)
@given(data=st.data())
def test_differences_of_two_scenarios_are_shared_by_the_average_over_all_orders(networks, data):
    model, first, second = data.draw(two_scenarios(networks))
    names = [name for name in model.variables if first.get(name, "unknown") != second.get(name, "unknown")]
    values = {}
    for coalition in range(2 ** len(names)):
        some = [(n, second.get(n, "unknown")) for i, n in enumerate(names) if coalition >> i & 1]
        values[coalition] = enumerated(model, changed(first, *some))
    assume(values[2 ** len(names) - 1].any())
    state = model.posterior(second).leading
    place = model.states.index(state)
    finite = all(own[place] > 0 and np.delete(own, place).sum() > 0 for own in values.values())
    if not finite:
        if model.posterior(second)[state] < 1 or names:
            with pytest.raises(cc.errors.QuestionError, match="rule one side of the hypothesis out"):
                cc.whatif.compare(model, first, second)
        return
    reached = {own: np.log(w[place]) - np.log(np.delete(w, place).sum()) for own, w in values.items()}
    expected = np.zeros(len(names))
    for order in permutations(range(len(names))):
        coalition = 0
        for player in order:
            expected[player] += reached[coalition | 1 << player] - reached[coalition]
            coalition |= 1 << player
    expected /= factorial(len(names))
    found = cc.whatif.compare(model, first, second)
    assert found.findings["variable"].to_list() == names
    np.testing.assert_allclose(found.findings["contribution"], expected, rtol=0, atol=1e-10)
    shift = reached[2 ** len(names) - 1] - reached[0]
    assert found.findings["contribution"].sum() == pytest.approx(shift, abs=1e-10)
    lines = found.frame.set_index("state")
    assert lines.loc[state, "weight"] == pytest.approx(shift, abs=1e-9)
    np.testing.assert_allclose(lines["first"], values[0] / values[0].sum(), rtol=0, atol=1e-10)
    np.testing.assert_allclose(lines["difference"], lines["second"] - lines["first"], **CLOSE)
    back = cc.whatif.compare(model, second, first, state=state)
    np.testing.assert_allclose(back.findings["contribution"], -expected, rtol=0, atol=1e-10)
    assert back.findings["first"].to_list() == found.findings["second"].to_list()


def test_a_scenario_beside_itself_differs_in_nothing():
    findings = published("jones2023")
    found = cc.whatif.compare(MODEL, findings, dict(reversed(findings.items())))
    assert found.findings.empty
    assert (found.frame["difference"] == 0).all()
    np.testing.assert_allclose(found.frame["weight"], 0, **CLOSE)


def test_two_patients_are_compared_about_any_hypothesis():
    one, other = published("jones2023"), published(CASES.index[0])
    found = cc.whatif.compare(MODEL, one, other, state="dystrophic", against="calciphylaxis/metastatic")

    def log_odds(findings):
        p = MODEL.posterior(findings)
        return np.log(p["dystrophic"] / (p["calciphylaxis"] + p["metastatic"]))

    assert found.findings["contribution"].sum() == pytest.approx(log_odds(other) - log_odds(one), abs=1e-10)
    told = found.findings.set_index("variable")
    for name in told.index:
        assert (told.loc[name, "first"], told.loc[name, "second"]) == (one.get(name, ""), other.get(name, ""))


# one finding after the other


def test_a_trajectory_goes_from_the_prior_to_the_posterior_in_clinical_order():
    findings = published("jones2023")
    found = cc.whatif.trajectory(MODEL, dict(reversed(findings.items())))
    assert found.steps[0].probabilities_of == MODEL.posterior().probabilities_of
    np.testing.assert_allclose(found.steps[-1].probabilities, MODEL.posterior(findings).probabilities, **CLOSE)
    first = found.frame.drop_duplicates("step")
    groups = ["", "setting", "history", "examination", "laboratory", "imaging", "histology"]
    places = [groups.index(group) for group in first["group"]]
    assert places == sorted(places)
    assert len(found.steps) == 1 + len(findings) + 2  # three biopsies come one by one
    assert first["variable"].to_list().count("vascular_histology") == 3
    known = {}
    for step, name in enumerate(first["variable"]):
        if name:
            known.setdefault(name, []).append(findings[name].split(",")[0])
        expected = MODEL.posterior(known)
        shown = found.frame[found.frame["step"] == step]
        assert shown["state"].to_list() == list(MODEL.states)
        np.testing.assert_allclose(shown["probability"], expected.probabilities, **CLOSE)
        limits = expected.interval()
        np.testing.assert_allclose(shown[["lower", "upper"]], limits, rtol=0, atol=1e-9)
        assert (shown["lower"] <= shown["upper"]).all()
        assert (shown["lower"] >= 0).all()
        assert (shown["upper"] <= 1).all()


def test_the_mass_of_the_intervals_is_as_asked():
    narrow, wide = (cc.whatif.trajectory(MODEL, pain="severe", esrd="yes", mass=mass).frame for mass in (0.5, 0.99))
    assert (narrow["lower"] >= wide["lower"]).all()
    assert (narrow["upper"] <= wide["upper"]).all()
    inside = (narrow["lower"] <= narrow["probability"]) & (narrow["probability"] <= narrow["upper"])
    assert inside.mean() > 0.9


def test_repeated_results_come_in_one_by_one_and_each_tells_less_than_the_last():
    found = cc.whatif.trajectory(MODEL, vascular_histology=["absent"] * 4)
    lines = found.frame[found.frame["state"] == "calciphylaxis"]
    assert lines["step"].to_list() == [0, 1, 2, 3, 4]
    assert set(lines["finding"]) == {"", "vessels on biopsy (no calcium in vessel walls)"}
    odds = np.log(lines["probability"] / (1 - lines["probability"])).to_numpy()
    falls = -np.diff(odds)
    assert (falls > 0).all()
    assert all(earlier > later for earlier, later in pairwise(falls))


def test_each_step_says_what_is_known_by_then():
    steps = cc.whatif.trajectory(MODEL, vascular_histology=["absent"] * 3).steps
    for known, step in enumerate(steps):
        expected = MODEL.posterior(vascular_histology=["absent"] * known)
        assert str(step.evidence) == str(expected.evidence)


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (None, ["care_setting", "esrd", "pain", "serum_calcium", "vascular_histology"]),
        (["histology"], ["vascular_histology", "care_setting", "esrd", "pain", "serum_calcium"]),
        ("pain", ["pain", "care_setting", "esrd", "serum_calcium", "vascular_histology"]),
        (["laboratory", "esrd"], ["serum_calcium", "esrd", "care_setting", "pain", "vascular_histology"]),
    ],
)
def test_the_order_is_honoured(order, expected):
    findings = {"vascular_histology": "absent", "serum_calcium": "high", "pain": "severe", "esrd": "yes"}
    found = cc.whatif.trajectory(MODEL, findings, care_setting="dialysis_unit", order=order)
    assert found.frame["variable"].unique().tolist()[1:] == expected


def test_without_weights_there_are_no_intervals(build):
    tables = {"d": ("s t", "", [0.6, 0.4]), "sign": ("n y", "d", [[0.8, 0.2], [0.3, 0.7]])}
    found = cc.whatif.trajectory(cc.Model(build("d", tables)), sign="y")
    assert found.frame.columns.to_list() == ["step", "group", "variable", "finding", "state", "probability"]
    assert found.as_dict()["steps"][0]["probability"] == 0.6


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        (lambda: cc.whatif.sweep(MODEL, kinds=["add"]), "no kind of change 'add'"),
        (lambda: cc.whatif.pairs(MODEL, kinds=["chnaged"]), "no kind of change 'chnaged': did you mean 'changed'"),
        (
            lambda: cc.whatif.flips(MODEL, pain="severe", towards="calciphylaxi"),
            "no state 'calciphylaxi' of subtype: did you",
        ),
        (lambda: cc.whatif.flips(MODEL, pain="severe", towards="calciphylaxis"), "calciphylaxis leads already"),
        (lambda: cc.whatif.flips(MODEL, most_changes=0), "at least one finding must change, not 0"),
        (lambda: cc.whatif.compare(MODEL, {}, {"pain": "severe"}, state="severe"), "no state 'severe'"),
        (
            lambda: cc.whatif.compare(MODEL, {}, {}, state="dystrophic", against="dystrophic"),
            "cannot be held against itself",
        ),
        (
            lambda: cc.whatif.trajectory(MODEL, pain="severe", order=["livedo"]),
            "nothing was found of 'livedo': write one of",
        ),
        (lambda: cc.whatif.trajectory(MODEL, pain="severe", mass=1.5), "1.5"),
    ],
)
def test_what_cannot_be_asked_is_said(ask, says):
    with pytest.raises(ValueError, match=says):
        ask()


def test_26_differences_are_too_many(build):
    tables = {f"f{i}": ("n y", "d", [[0.6, 0.4], [0.3, 0.7]]) for i in range(26)}
    model = cc.Model(build("d", {"d": ("ill well", "", [0.1, 0.9])} | tables))
    with pytest.raises(cc.errors.QuestionError, match="26 differences are too many"):
        cc.whatif.compare(model, {}, dict.fromkeys(tables, "y"))


@pytest.mark.parametrize(
    "ask", [cc.whatif.sweep, cc.whatif.pairs, cc.whatif.flips, cc.whatif.trajectory], ids=lambda own: own.__name__
)
def test_findings_that_are_impossible_or_not_understood_are_told(build, ask):
    tables = {"d": ("s t", "", [0.6, 0.4]), "sign": ("n y", "d", [[1.0, 0.0], [1.0, 0.0]])}
    model = cc.Model(build("d", tables))
    with pytest.raises(cc.errors.ImpossibleEvidence):
        ask(model, sign="y")
    with pytest.raises(cc.errors.FindingsError):
        ask(model, sign="z")


def test_two_changes_that_settle_the_target_are_told_without_a_warning(build):
    """A sign that only the disease has, twice: the log-odds are infinite, and how much more they move is no number."""
    sign = ("n y", "d", [[0.4, 0.6], [1.0, 0.0]])
    model = cc.Model(build("d", {"d": ("ill well", "", [0.5, 0.5]), "a": sign, "b": sign}))
    found = cc.whatif.pairs(model).frame.set_index(["value_1", "value_2"])
    assert found.loc[("n", "n"), "together"] == pytest.approx(0, abs=1e-12)
    assert np.isnan(found.loc[("y", "y"), "together"])
