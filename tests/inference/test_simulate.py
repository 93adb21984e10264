"""Simulated patients come from the tables and nothing else, lack what they are told to lack, and can be drawn again."""

import pickle
from dataclasses import replace
from itertools import combinations, pairwise
from math import exp, sqrt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties import examples

import calcinosis as cc
from calcinosis.inference.findings.repeats import texts
from calcinosis.inference.pgmpy_bridge import as_file
from calcinosis.inference.simulate.sampling import STEPS, cuts, pick, scale_of
from calcinosis.inference.simulate.simulation import BLOCK, Simulation
from calcinosis.knowledge.frozen import FrozenMap
from calcinosis.knowledge.records import Band, State, Variable

N = 200_000
ALMOST_ONE = np.nextafter(1.0, 0.0)


@pytest.fixture(scope="module")
def crowd(shipped):
    """Many patients, all of them seen, by the names of their variables."""
    frame = shipped.simulate(N, hidden=True, seed=20)
    return frame.rename(columns={"diagnosis": shipped.target})


def z(seen, n, probability):
    """How many standard errors a count lies from what is expected; a cell of probability 0 must be empty."""
    expected = np.asarray(n * probability, dtype=float)
    spread = np.sqrt(np.maximum(expected * (1 - probability), 1e-12))
    return np.abs(np.asarray(seen) - expected) / spread


def test_every_share_is_that_of_the_network(shipped, crowd):
    exact = shipped.marginals().set_index(["variable", "state"])["probability"]
    worst = [z((crowd[name] == state).sum(), N, p) for (name, state), p in exact.items()]
    assert len(worst) == sum(len(v.states) for v in shipped.variables.values())
    assert max(worst) < 4
    assert 0.2 < np.mean(np.square(worst)) < 2.2  # about 1 by chance: neither off nor suspiciously near


def test_every_pair_hangs_together_as_in_the_network(shipped, crowd):
    codes = {name: crowd[name].cat.codes.to_numpy().astype(np.intp) for name in shipped.variables}
    prior = shipped.marginals().groupby("variable", sort=False)["probability"].agg(list)
    given_state = {}
    for name, variable in shipped.variables.items():
        for state, probability in zip(variable.state_names, prior[name], strict=True):
            if probability > 0:
                rest = shipped.marginals({name: state}).groupby("variable", sort=False)["probability"].agg(list)
                given_state[name, state] = {other: probability * np.array(rest[other]) for other in rest.index}
    squares = []
    for one, other in combinations(shipped.variables, 2):
        states, others = (shipped.variables[v].state_names for v in (one, other))
        exact = np.array([given_state[one, state][other] for state in states])
        seen = np.bincount(codes[one] * len(others) + codes[other], minlength=exact.size).reshape(exact.shape)
        assert not seen[exact == 0].any()
        squares.extend((z(seen, N, exact) ** 2)[N * exact >= 5].tolist())
    assert len(squares) > 2000
    assert sqrt(max(squares)) < 5
    assert 0.5 < np.mean(squares) < 1.6


@pytest.mark.parametrize(
    "findings",
    [
        {"pain": "severe"},
        {"esrd": "yes", "warfarin": "yes", "livedo": "yes"},
        {"care_setting": "dermatology_clinic", "connective_tissue_disease": "no", "lesion_site": "genital"},
        {"vascular_histology": "absent", "ulceration": "yes", "serum_calcium": "normal"},
    ],
    ids=", ".join,
)
def test_among_those_with_the_same_findings_diagnoses_are_as_frequent_as_their_posterior(shipped, crowd, findings):
    alike = crowd[np.logical_and.reduce([crowd[name] == state for name, state in findings.items()])]
    assert len(alike) > 300
    exact = shipped.posterior(findings).probabilities
    seen = alike[shipped.target].value_counts()
    assert z(seen[list(exact.index)].to_numpy(), len(alike), exact.to_numpy()).max() < 4


def test_probabilities_stated_for_simulated_patients_come_true(shipped):
    patients = shipped.simulate(50_000, missing=0.5, seed=4)
    answers = shipped.posteriors(patients)
    for state in shipped.states:
        stated = answers[state].to_numpy()
        true = (patients["diagnosis"] == state).to_numpy()
        for low, high in pairwise([0, 0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 1]):
            some = (stated > low) & (stated <= high)
            spread = sqrt((stated[some] * (1 - stated[some])).sum())
            assert abs(true[some].sum() - stated[some].sum()) < 4.5 * spread + 1


@examples(100)
@given(st.integers(1, 70), st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.3, 0.9]))
def test_a_number_falls_on_the_state_that_a_search_from_the_left_finds(states, seed, zeros):
    rng = np.random.default_rng(seed)
    weights = rng.random((3, states)) * (rng.random((3, states)) >= zeros)
    weights[:, rng.integers(states)] += 0.01
    table = weights / weights.sum(axis=1, keepdims=True)
    rows = rng.integers(3, size=200)
    uniforms = np.concatenate([rng.random(190), np.zeros(5), np.full(5, ALMOST_ONE)])
    found = pick(cuts(table), rows, uniforms)
    for row, uniform, state in zip(rows, uniforms, found, strict=True):
        expected = np.searchsorted(table[row].cumsum(), uniform, side="right")
        assert state == min(expected, np.flatnonzero(table[row])[-1])


def test_a_cell_of_zero_is_not_drawn_even_where_rounding_leaves_a_gap():
    table = np.array([[0.0] + [0.1] * 10 + [0.0]])
    assert table[0].cumsum()[-1] < 1  # the gap
    ends = pick(cuts(table), np.zeros(2, dtype=np.intp), np.array([0.0, ALMOST_ONE]))
    assert ends.tolist() == [1, 10]
    sure = cuts(np.array([[0.0, 1.0], [1.0, 0.0]]))
    assert pick(sure, np.array([0, 0, 1, 1]), np.array([0.0, ALMOST_ONE] * 2)).tolist() == [1, 1, 0, 0]


@examples(40)
@given(data=st.data(), seed=st.integers(0, 1000))
def test_patients_of_any_network_are_possible_and_no_zero_is_drawn(networks, data, seed):
    network = data.draw(networks)
    model = cc.Model(network)
    patients = model.simulate(300, seed=seed)
    codes = {network.target: patients["diagnosis"].cat.codes}
    codes |= {name: patients[name].cat.codes for name in patients.columns[1:]}
    for name, table in network.tables.items():
        assert (table[tuple(codes[v].to_numpy() for v in (*network.parents[name], name))] > 0).all()
    repeats = {name: 3 for name, variable in network.variables.items() if variable.repeatable}
    again = model.simulate(300, missing=0.3, repeats=repeats, seed=seed)
    assert set(model.posteriors(again)["status"]) == {"ok"}


def test_a_network_from_a_file_is_drawn_from_as_any_other(build, tmp_path):
    rows = np.random.default_rng(3).dirichlet([1, 1, 1], size=4)
    tables = {"b": ("no yes", "", [0.25, 0.75]), "a": ("no yes", "b", [[0.1, 0.9], [0.6, 0.4]])}
    network = build("c", tables | {"c": ("low mid high", "b a", rows)})
    (tmp_path / "network.bif").write_bytes(as_file(network, ".bif"))
    model = cc.Model.from_file(tmp_path / "network.bif", target="c")
    patients = model.simulate(20_000, missing=0.1, seed=1)
    assert list(patients.columns) == ["diagnosis", "a", "b"]
    exact = model.marginals().set_index(["variable", "state"])["probability"]["c"]
    assert z(patients["diagnosis"].value_counts()[exact.index].to_numpy(), 20_000, exact.to_numpy()).max() < 4
    assert set(model.posteriors(patients)["status"]) == {"ok"}


def test_the_columns_are_the_diagnosis_and_all_findings_as_categories(shipped):
    patients = shipped.simulate(10, seed=1)
    seen = [name for name, variable in shipped.variables.items() if variable.group not in ("hidden", "outcome")]
    hidden = [name for name, variable in shipped.variables.items() if variable.group == "hidden"]
    assert list(patients.columns) == ["diagnosis", *seen]
    for name in seen:
        assert tuple(patients[name].cat.categories) == shipped.variables[name].state_names
    assert tuple(patients["diagnosis"].cat.categories) == shipped.states
    assert [heading.name for heading in shipped.headings(patients.columns)] == seen
    whole = shipped.simulate(10, hidden=True, seed=1)
    assert set(whole.columns) - set(patients.columns) == set(hidden)
    assert whole[patients.columns].equals(patients)


@pytest.mark.parametrize(
    ("target", "other", "truth"),
    [
        ("disease", "sign", "diagnosis"),
        ("disease", "diagnosis", "true_disease"),
        ("disease", "diagnoses", "true_disease"),
        ("diagnosis", "sign", "true_diagnosis"),
        ("diagnosis_of_the_patient", "diagnosis", "truth"),
    ],
)
def test_the_truth_is_headed_by_a_word_that_is_read_as_no_finding(build, target, other, truth):
    model = cc.Model(build(target, {target: ("no yes", "", [0.5, 0.5]), other: ("n y", target, [[1, 0], [0.5, 0.5]])}))
    patients = model.simulate(100, seed=1)
    assert list(patients.columns) == [truth, other]
    assert [heading.name for heading in model.headings(patients.columns)] == [other]
    assert set(patients.loc[patients[other] == "y", truth]) == {"yes"}


def test_one_share_is_missing_of_every_finding_independently_and_never_of_the_diagnosis(shipped):
    patients = shipped.simulate(20_000, missing=0.3, seed=2)
    absent = patients.isna().to_numpy()
    assert not absent[:, 0].any()
    assert z(absent[:, 1:].sum(axis=0), 20_000, 0.3).max() < 4
    for one, other in combinations(range(1, absent.shape[1]), 2):
        assert z((absent[:, one] & absent[:, other]).sum(), 20_000, 0.09) < 4.5


def test_shares_by_variable_are_of_these_only_and_more_missing_is_missing_more(shipped):
    patients = {share: shipped.simulate(20_000, missing={"pain": share, "sex": 1}, seed=2) for share in (0.2, 0.6, 0)}
    for share, frame in patients.items():
        assert frame["sex"].isna().all()
        assert z(frame["pain"].isna().sum(), 20_000, share) < 4
        assert not frame.drop(columns=["pain", "sex"]).isna().any(axis=None)
    assert patients[0.6]["pain"].isna()[patients[0.2]["pain"].isna()].all()


def test_what_is_missing_does_not_depend_on_who_the_patient_is(shipped):
    full, part = (shipped.simulate(20_000, missing=share, seed=6) for share in (0, 0.4))
    assert (part.isna() | (part == full)).all(axis=None)
    assert z((part["pain"].isna() & (full["pain"] == "severe")).sum(), (full["pain"] == "severe").sum(), 0.4) < 4


def test_the_joint_pattern_of_a_frame_is_copied(shipped):
    others = pd.DataFrame(
        {
            "identity": [1, 2, 3, 4],
            "diagnosis": [None, None, None, None],
            "pain": ["severe", "none", "nonsense", ""],
            "livedo": [None, "unknown", float("nan"), "yes"],
            "serum_calcium (mg/dL)": [9.1, 9.2, np.nan, np.nan],
        }
    )
    patients = shipped.simulate(20_000, missing=others, numbers=True, seed=3)
    absent = patients.isna()
    assert absent.drop(columns=["diagnosis", "pain", "livedo", "serum_calcium (mg/dL)"]).all(axis=None)
    assert not absent["diagnosis"].any()
    found = absent[["pain", "livedo", "serum_calcium (mg/dL)"]].value_counts(normalize=True).to_dict()
    expected = {(False, True, False): 0.5, (False, True, True): 0.25, (True, False, True): 0.25}
    assert found == pytest.approx(expected, abs=0.02)


def test_the_patterns_of_the_published_cases_all_occur_and_no_others(shipped):
    cases = cc.cases()
    patients = shipped.simulate(20 * len(cases), missing=cases, seed=3)
    copied = set(map(tuple, patients.iloc[:, 1:].isna().to_numpy()))
    theirs = set(map(tuple, cases.reindex(columns=patients.columns[1:]).replace("", None).isna().to_numpy()))
    assert copied == theirs
    assert len(theirs) > 20


def test_numbers_are_read_back_as_the_states_drawn(shipped, clinic):
    for model in (shipped, clinic):
        words, numbers = (
            model.simulate(20_000, missing=0.2, numbers=as_numbers, seed=5) for as_numbers in (False, True)
        )
        assert len(model.headings(numbers.columns)) == len(words.columns) - 1
        for name, variable in model.variables.items():
            if not variable.numeric:
                continue
            values = numbers[f"{name} ({variable.unit})"]
            assert values.dtype == np.float64
            states = [None if np.isnan(value) else variable.state_of(value).name for value in values]
            assert [None if state != state else state for state in words[name]] == states
            assert values.astype(str).str.len().max() <= len("10000.0")  # and not 9.100000000000001
        assert model.posteriors(numbers).equals(model.posteriors(words))


@examples(100)
@given(
    lowest=st.decimals(-100, 1000, places=2).map(float),
    widths=st.lists(st.decimals("0.02", 3000, places=2).map(float), min_size=2, max_size=5),
    above=st.lists(st.booleans(), min_size=5, max_size=5),
)
def test_every_value_of_a_band_is_printed_on_its_own_side_of_the_limits(lowest, widths, above):
    limits = [round(lowest + sum(widths[:i]), 2) for i in range(len(widths) + 1)]
    bands = [Band(low, high, over) for (low, high), over in zip(pairwise(limits), above, strict=False)]
    states = tuple(State(f"s{i}", f"s{i}", band=band) for i, band in enumerate(bands))
    variable = Variable("value", states, unit="g", units=FrozenMap({"g": 1.0}))
    scale = scale_of(variable)
    step = 10.0**-scale.decimals
    for code, band in enumerate(bands):
        assert scale.count[code] >= STEPS - 1
        uniforms = np.append(np.linspace(0, 1, 40, endpoint=False), ALMOST_ONE)
        values = scale.values(np.full(41, code), uniforms)
        assert {variable.state_of(value) for value in values} == {states[code]}
        # nothing is left out at either end
        assert values[0] - band.lower < step * 1.001
        assert band.upper - values[-1] < step * 1.001


def test_values_fill_their_band_evenly(shipped):
    patients = shipped.simulate(20_000, numbers=True, seed=8)
    values = patients["serum_calcium (mg/dL)"]
    normal = values[values.between(8.5, 10.5)]
    counts = normal.round(1).value_counts()
    assert len(counts) == 21
    assert z(counts.to_numpy(), len(normal), 1 / 21).max() < 4


def test_repeated_results_are_as_probable_as_the_engine_says(shipped):
    patients = shipped.simulate(50_000, repeats={"vascular_histology": 3}, seed=9)
    shares = patients["vascular_histology"].value_counts(normalize=True)
    assert len(shares) == 8
    for text, share in shares.items():
        exact = exp(shipped.posterior(vascular_histology=text).log_evidence)
        assert z(share * 50_000, 50_000, exact) < 4
    single = shipped.simulate(50_000, seed=9)
    assert (patients["vascular_histology"].str.split(",").str[0] == single["vascular_histology"].astype(str)).all()
    assert patients.drop(columns="vascular_histology").equals(single.drop(columns="vascular_histology"))


def test_repeated_results_can_be_missing_and_stay_words_beside_numbers(shipped):
    patients = shipped.simulate(5000, repeats={"vascular_histology": 2}, missing=0.5, numbers=True, seed=9)
    assert z(patients["vascular_histology"].isna().sum(), 5000, 0.5) < 4
    assert set(shipped.posteriors(patients)["status"]) == {"ok"}


@pytest.mark.parametrize("seed", [7, [1, 2], np.random.SeedSequence(7, spawn_key=(3,))], ids=str)
def test_the_same_seed_draws_the_same_patients(clinic, seed):
    one, same = (clinic.simulate(500, missing=0.4, numbers=True, seed=seed) for _ in range(2))
    assert one.equals(same)
    assert not one.equals(clinic.simulate(500, missing=0.4, numbers=True, seed=8))


def test_a_generator_that_moves_on_a_spawned_seed_and_no_seed_draw_other_patients(clinic):
    first, second = np.random.default_rng(7), np.random.default_rng(7)
    one, same = clinic.simulate(500, seed=first), clinic.simulate(500, seed=second)
    assert one.equals(same)
    assert not clinic.simulate(500, seed=first).equals(one)
    assert not clinic.simulate(500).equals(clinic.simulate(500))
    one, other = (clinic.simulate(500, seed=child) for child in np.random.SeedSequence(1).spawn(2))
    assert not one.equals(other)


def test_the_order_of_variables_and_parents_changes_no_patient(shipped):
    network = shipped.network
    order = list(network.variables)[::-1]
    variables = {name: network.variables[name] for name in order}
    parents = {name: network.parents[name][::-1] for name in order}
    tables = {name: np.moveaxis(network.tables[name].T, 0, -1) for name in order}
    contexts = {name: network.contexts[name].T for name in order}
    other = cc.Model(replace(network, variables=variables, parents=parents, tables=tables, contexts=contexts))
    options = {"missing": 0.4, "numbers": True, "hidden": True, "seed": 1}
    one, same = shipped.simulate(2000, **options), other.simulate(2000, **options)
    assert same[one.columns].equals(one)


def test_a_block_drawn_alone_is_that_of_the_whole(clinic):
    options = {"missing": {"pain": 0.5}, "numbers": True, "repeats": {"biopsy": 2}, "seed": 3}
    n = 2 * BLOCK + 100
    whole = clinic.simulate(n, **options)
    plan = pickle.loads(pickle.dumps(Simulation(clinic.network, n, **options)))
    assert plan.blocks == 3
    for number in (2, 0, 1):
        assert plan.block(number).equals(whole.iloc[number * BLOCK : (number + 1) * BLOCK])
    assert [len(block) for block in plan] == [BLOCK, BLOCK, 100]
    assert whole.index.equals(pd.RangeIndex(n))
    assert not whole["pain"][:100].equals(whole["pain"][BLOCK : BLOCK + 100].reset_index(drop=True))
    with pytest.raises(IndexError, match="no block 3: there are 3, the first is 0"):
        plan.block(3)


def test_fewer_patients_are_the_first_of_more(clinic):
    patterns = pd.DataFrame({"pain": ["none", None], "calcium": [None, "low"]})
    few, many = (clinic.simulate(n, missing=patterns, numbers=True, seed=3) for n in (37, 1000))
    assert few.equals(many.head(37))


def test_no_patients_have_the_same_columns(clinic):
    none, some = (clinic.simulate(n, numbers=True, missing=0.5, seed=1) for n in (0, 5))
    assert len(none) == 0
    assert none.dtypes.equals(some.dtypes)


BAD = {
    "more than all": ({"missing": 1.5}, "missing: 1.5 of all variables: give a share from 0 (none missing) to 1"),
    "less than none": ({"missing": {"pain": -0.1}}, "missing: -0.1 of pain: give a share from 0 (none missing)"),
    "no number": ({"missing": float("nan")}, "missing: nan of all variables: give a share"),
    "a slip": ({"missing": {"pian": 0.5}}, "missing: no variable 'pian': did you mean 'pain'? One of: pain, warfarin"),
    "the target": ({"missing": {"disease": 0.5}}, "missing: disease is what is asked for and never missing: write"),
    "no rows": ({"missing": pd.DataFrame({"pain": []})}, "missing: the DataFrame has no rows"),
    "a slip in a frame": (
        {"missing": pd.DataFrame({"warfarine": [1], "calcium": [1]})},
        "did you mean warfarin? Otherwise rename it",
    ),
    "not repeatable": ({"repeats": {"pain": 2}}, "repeats: pain is not repeatable: write one of: biopsy"),
    "a slip in repeats": ({"repeats": {"biopsi": 2}}, "repeats: no variable 'biopsi': did you mean 'biopsy'?"),
    "no result": ({"repeats": {"biopsy": 0}}, "repeats: 0 results of biopsy: give a whole number from 1 to 12"),
    "too many results": (
        {"repeats": {"biopsy": 13}},
        "repeats: 13 results of biopsy: give a whole number from 1 to 12",
    ),
    "fewer than none": ({"patients": -1}, "-1 patients: give a whole number, 0 or more"),
}


@pytest.mark.parametrize("case", BAD)
def test_faults_are_told_at_once_and_in_words(clinic, case):
    options, words = BAD[case]
    for draw in (clinic.simulate, lambda **named: Simulation(clinic.network, **named)):
        with pytest.raises(ValueError) as caught:  # noqa: PT011 - the text is compared below
            draw(**{"patients": 5} | options)
        assert words in str(caught.value)


def test_a_hidden_variable_can_only_be_missing_where_it_is_shown(shipped):
    options = {"missing": {"vessel_calcification": 1.0}, "seed": 1}
    with pytest.raises(ValueError, match="vessel_calcification is hidden, and not drawn unless hidden=True"):
        shipped.simulate(5, **options)
    assert shipped.simulate(5, hidden=True, **options)["vessel_calcification"].isna().all()


def test_what_is_no_share_at_all_is_a_type_error(clinic):
    with pytest.raises(TypeError, match="give a share, shares by variable, or a DataFrame, not a str for pain"):
        clinic.simulate(5, missing={"pain": "half"})


@pytest.mark.parametrize("names", [("a", "b", "a,b"), ("a", "b,c", "a,b", "c")], ids="|".join)
def test_results_that_a_comma_would_blur_are_refused(names):
    states = tuple(State(name, name) for name in names)
    with pytest.raises(ValueError, match=r"repeats: '.*' can be read in two ways: give one result of biopsy"):
        texts(Variable("biopsy", states, repeatable=True), 2)
