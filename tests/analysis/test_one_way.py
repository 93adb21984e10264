"""One-way sensitivity is what plain sums over the joint say: every function, derivative, flip and distance.

The oracle multiplies all tables out with numpy and sums, knowing nothing of the engine, of the contraction, or of
derivatives: on every entry of the shipped tables for all published cases, and on networks drawn at random.
"""

import re
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pandas as pd
import pytest
from hypothesis import event, given
from hypothesis import strategies as st
from properties import examples

import calcinosis as cc
from calcinosis.analysis.sensitivity.covariation import SCHEMES, knots
from calcinosis.analysis.sensitivity.distance import distance, divergence
from calcinosis.knowledge.folder import shipped_folder

MODEL = cc.load(shipped_folder())
CASES = cc.cases(shipped_folder())
PATIENTS = [MODEL.read({n: v for n, v in row.items() if n in MODEL.names and v}) for _, row in CASES.iterrows()]


def joint_weights(network, patients, table, tried):
    """The joint weight of target and evidence by one sum of products: axes `(tables tried, patients, target states)`.

    `tried` are tables to put in place of one table, one after the other along the first axis. All others are multiplied
    out and summed beforehand, once.
    """
    axis = {name: i for i, name in enumerate(network.variables)}
    first, second = len(axis), len(axis) + 1
    alone, others = [], []
    for name, variable in network.variables.items():
        changes = name == table
        own = [first] * changes + [axis[v] for v in (*network.parents[name], name)]
        values = tried if changes else network.tables[name]
        operands = [values, own]
        found = [evidence[name].likelihoods if name in evidence else () for evidence in patients]
        if variable.repeatable:  # results are seen of the parents, the variable itself is one more
            one = np.ones(values.shape[:-1])
            seen = np.array([np.prod([one, *(values @ np.array(r) for r in results)], axis=0) for results in found])
            operands += [seen, [second, *own[:-1]]]
        else:
            one = np.ones(len(variable.states))
            operands += [np.array([np.prod([one, *results], axis=0) for results in found]), [second, axis[name]]]
        (alone if changes else others).extend(operands)
    kept = sorted({second, axis[network.target], *alone[1][1:]})
    others += [part for i in kept[:-1] for part in (np.ones(len(list(network.variables.values())[i].states)), [i])]
    rest = np.einsum(*others, np.ones(len(patients)), [second], kept, optimize=("greedy", 2**30))
    return np.einsum(*alone, rest, kept, [first, second, axis[network.target]], optimize="greedy")


def shares(weights):
    """Weights as probabilities, NaN where all are 0."""
    with np.errstate(invalid="ignore"):
        return weights / weights.sum(axis=-1, keepdims=True)


def with_row(network, entry, row):
    """The table of an entry with another row in place of its own, in every context that it holds in."""
    table = network.tables[entry.variable].copy()
    table[network.contexts[entry.variable] == entry.row] = row
    return table


def covaried(row, column, x, scheme):
    """A row with one entry at x, the others in their ratios or all equal."""
    others = np.delete(row, column)
    if scheme == "uniform" or others.sum() == 0:
        others = np.ones_like(others)
    return np.insert((1 - x) * others / others.sum(), column, x)


def of_table(entries, table):
    return [entry for entry in entries if entry.variable == table]


@pytest.fixture(scope="module")
def shipped_functions():
    """For every scheme the functions of every published case."""
    return {
        scheme: [cc.sensitivity.one_way(MODEL, evidence, scheme=scheme) for evidence in PATIENTS] for scheme in SCHEMES
    }


@pytest.mark.slow
@pytest.mark.parametrize("table", sorted(MODEL.variables, key=lambda name: -MODEL.network.tables[name].size))
def test_every_entry_of_the_shipped_tables_on_every_published_case(shipped_functions, table):
    assert len(PATIENTS) == 149
    rng = np.random.default_rng(MODEL.network.tables[table].size)
    every = [
        [each.function(entry) for each in found]
        for found in shipped_functions.values()
        for entry in of_table(MODEL.entries, table)
    ]
    spots = [rng.uniform(functions[0].knots[0], functions[0].knots[2]) for functions in every]
    tried = [with_row(MODEL.network, own[0].entry, own[0].row(x)) for own, x in zip(every, spots, strict=True)]
    expected = shares(joint_weights(MODEL.network, PATIENTS, table, np.array(tried)))
    got = [[function(x) for function in own] for own, x in zip(every, spots, strict=True)]
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-10)


@st.composite
def results(draw, states):
    """One result of any kind: a state, either of some, or likelihoods."""
    if draw(st.booleans()):
        return draw(st.sets(st.sampled_from(states), min_size=1))
    numbers = draw(st.lists(st.sampled_from([0.0, 0.1, 1.0, 3.0]), min_size=len(states), max_size=len(states)))
    numbers[draw(st.integers(0, len(states) - 1))] = 0.7  # one of them must be possible
    return dict(zip(states, numbers, strict=True))


@st.composite
def questions(draw, networks):
    """A random network, findings of every kind that can be true together, and a scheme: what `one_way` says."""
    model = cc.Model(draw(networks))
    findings = {}
    for name, variable in model.variables.items():
        if draw(st.booleans()):
            own = draw(st.lists(results(variable.state_names), min_size=1, max_size=4))
            findings[name] = own if variable.repeatable else own[0]
    scheme = draw(st.sampled_from(SCHEMES))
    event(scheme)
    try:
        return model, cc.sensitivity.one_way(model, findings, scheme=scheme)
    except cc.errors.ImpossibleEvidence:
        event("impossible")
        return model, cc.sensitivity.one_way(model, scheme=scheme)


@examples(100)
@given(data=st.data(), share=st.floats(0, 1).map(lambda share: share if share > 1e-200 else 0.0))  # no underflow
def test_every_function_of_a_random_network_is_perturbing_normalising_and_asking_again(networks, data, share):
    model, found = data.draw(questions(networks))
    for table in model.variables:
        functions = [found.function(entry) for entry in of_table(model.entries, table)]
        spots = [np.array([f.knots[0], f.knots[0] + share * np.ptp(f.knots), *f.knots[1:]]) for f in functions]
        spots = [np.clip(x, f.knots[0], f.knots[2]) for f, x in zip(functions, spots, strict=True)]
        tried = [
            with_row(model.network, f.entry, row) for f, x in zip(functions, spots, strict=True) for row in f.row(x)
        ]
        weights = joint_weights(model.network, [found.posterior.evidence], table, np.array(tried))[:, 0]
        got = np.concatenate([f(x) for f, x in zip(functions, spots, strict=True)])
        np.testing.assert_allclose(got, shares(weights), rtol=0, atol=1e-10)


ROWS = st.lists(st.sampled_from([0.0, 0.0, 0.01, 0.2, 0.2, 1.0, 3.0]), min_size=2, max_size=5).filter(any)


@given(numbers=ROWS, share=st.floats(0, 1))
@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_row_moves_as_its_scheme_says(build, scheme, numbers, share):
    row = np.array(numbers) / sum(numbers)
    states = " ".join("stuvw"[: len(row)])
    found = cc.sensitivity.one_way(cc.Model(build("a", {"a": (states, "", row)})), scheme=scheme)
    for entry in found.entries:
        function, column = found.function(entry), entry.column
        x = min(function.knots[0] + share * (function.knots[2] - function.knots[0]), function.knots[2])
        moved = function.row(x)
        assert moved[column] == pytest.approx(x, abs=1e-15)
        assert moved.sum() == pytest.approx(1, abs=1e-15)
        assert function.knots[1] == pytest.approx(row[column], abs=1e-15)
        if scheme == "order-preserving":
            assert (np.subtract.outer(moved, moved) * np.subtract.outer(row, row) > -1e-15).all()
        else:
            np.testing.assert_allclose(moved, covaried(row, column, x, scheme), rtol=0, atol=1e-14)
        if scheme != "uniform":
            np.testing.assert_allclose(function.row(row[column]), row, rtol=0, atol=1e-15)


def near_slope(function):
    """The slopes at the present value by a difference of third order, and how far rounding may move them.

    A row at zero that was seen three times grows with the cube, which a lower order would take for a slope.

    The step is so small that the evidence becomes hardly more or less probable in it.
    """
    start, middle, stop = function.knots
    step = 1e-4 * (stop - middle if stop > middle else start - middle)
    here = function.weights(middle).sum()
    while np.abs(function.weights(middle + np.array([step, 3 * step])).sum(axis=1) / here - 1).max() > 1e-6:
        step /= 4
    at = function(middle + step * np.arange(4))
    return np.array([-11 / 6, 3.0, -1.5, 1 / 3]) @ at / step, 1e-10 / abs(step)


@examples(100)
@given(data=st.data())
def test_derivatives_are_differences_and_sum_to_nothing(networks, data):
    model, found = data.draw(questions(networks))
    slopes = found.by_state["derivative"].to_numpy().reshape(-1, len(model.states))
    lead = model.states.index(found.posterior.leading)
    np.testing.assert_array_equal(found.frame["derivative"], slopes[:, lead])
    for entry, own in zip(model.entries, slopes, strict=True):
        function = found.function(entry)
        if np.isnan(own).any():
            assert np.isnan(function(function.knots[1])).all()
        elif np.ptp(function.knots) == 0:
            assert (own == 0).all()
        else:
            expected, rounding = near_slope(function)
            np.testing.assert_allclose(own, expected, rtol=1e-5, atol=1e-7 + rounding, err_msg=str(entry))
            assert own.sum() == pytest.approx(0, abs=1e-11 * (1 + np.abs(own).max()))


@examples(100)
@given(data=st.data())
def test_the_lines_by_state_and_the_limits_are_those_of_the_functions(networks, data):
    model, found = data.draw(questions(networks))
    lines = found.by_state
    assert lines["entry"].to_list() == [str(entry) for entry in model.entries for _ in model.states]
    assert lines[model.target].to_list() == list(model.states) * len(found.frame)
    own = lines[lines[model.target] == found.posterior.leading]
    for column in ("at_lower", "at_upper", "derivative"):
        np.testing.assert_array_equal(own[column], found.frame[column])
    sums = lines.groupby("entry")[["at_lower", "at_upper"]].sum(min_count=1)
    np.testing.assert_allclose(sums.dropna(), 1.0, rtol=0, atol=1e-12)


def behind(function, lead, x):
    """By how much the leading state's probability falls short of the others' highest, with x along an axis."""
    at = function(np.asarray(x))
    return np.nanmax(np.delete(at, lead, axis=-1), axis=-1) - at[..., lead]


@examples(100)
@given(data=st.data())
def test_the_leading_state_leads_until_it_flips_to_the_one_named(networks, data):
    model, found = data.draw(questions(networks))
    lead = model.states.index(found.posterior.leading)
    for entry, line in zip(model.entries, found.frame.itertuples(), strict=True):
        function = found.function(entry)
        present = function.knots[1]
        for flip, leader, end in (
            (line.flip_below, line.leader_below, function.knots[0]),
            (line.flip_above, line.leader_above, function.knots[2]),
        ):
            none = np.isnan(flip)
            assert pd.isna(leader) == none
            before = np.linspace(present, end if none else flip, 52)[1:-1]
            possible = ~np.isnan(function(before)).any(axis=1)
            if present != end and (none or flip != present):
                assert (behind(function, lead, before[possible]) < 1e-9).all(), entry
            if none:
                continue
            assert min(present, end) <= flip <= max(present, end)
            at, beyond = function(np.array([flip, flip + 1e-6 * (end - flip)]))
            to = model.states.index(leader)
            if flip != present:
                assert at[lead] == pytest.approx(at[to], abs=1e-9), entry
            assert beyond[to] >= beyond[lead] - 1e-9, entry
            assert beyond[to] == pytest.approx(beyond.max(), abs=1e-4), entry


@examples(100)
@given(data=st.data())
def test_what_is_admissible_and_what_is_fragile_follow_from_the_flips(networks, data):
    frame = data.draw(questions(networks))[1].frame
    for side, sign in (("below", 1), ("above", -1)):
        moves = sign * (frame["value"] - frame[f"flip_{side}"])
        np.testing.assert_array_equal(frame[f"admissible_{side}"], moves.fillna(np.inf))
        assert (frame[f"admissible_{side}"] >= 0).all()
    # no weights: each entry's interval is its value, and only ties are fragile
    assert (frame["lower"] == frame["value"]).all()
    assert (frame["upper"] == frame["value"]).all()
    assert (frame["swing"].dropna() == 0).all()
    ties = (frame["flip_below"] == frame["value"]) | (frame["flip_above"] == frame["value"])
    assert (frame["fragile"] == ties).all()


def joint(network):
    """The joint distribution by the chain rule, one axis per variable."""
    axis = {name: i for i, name in enumerate(network.variables)}
    operands = [part for v, t in network.tables.items() for part in (t, [axis[p] for p in (*network.parents[v], v)])]
    return np.einsum(*operands, list(range(len(axis))))


def enumerated_distance(before, after):
    p, q = joint(before).ravel(), joint(after).ravel()
    if ((p > 0) != (q > 0)).any():
        return np.inf
    ratios = np.log(q[p > 0]) - np.log(p[p > 0])
    return ratios.max() - ratios.min()


def enumerated_divergence(before, after):
    p, q = joint(before).ravel(), joint(after).ravel()
    return np.inf if (q[p > 0] == 0).any() else float(p[p > 0] @ (np.log(p[p > 0]) - np.log(q[p > 0])))


@st.composite
def changed(draw, network):
    """The network with other rows in some of its tables, some cells 0."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    zeros = draw(st.sampled_from([0.0, 0.0, 0.1]))
    tables = dict(network.tables)
    for name in draw(st.sets(st.sampled_from(sorted(tables)), min_size=1)):
        kept = draw(st.booleans())  # what is impossible stays so
        rows = network.rows(name)
        weights = rng.random(rows.shape) * (rng.random(rows.shape) >= zeros)
        weights = weights * (rows > 0) if kept else weights
        weights = np.where(weights.sum(axis=-1, keepdims=True) > 0, weights, rows)
        tables[name] = (weights / weights.sum(axis=-1, keepdims=True))[network.contexts[name]]
    return replace(network, tables=tables)


@examples(300)
@given(data=st.data())
def test_distance_and_divergence_of_two_networks_are_those_of_their_joints(networks, data):
    before = data.draw(networks)
    after = data.draw(changed(before))
    expected = enumerated_distance(before, after)
    event("finite" if np.isfinite(expected) else "infinite")
    assert distance(before, after) == pytest.approx(expected, abs=1e-10)
    assert distance(after, before) == pytest.approx(expected, abs=1e-10)
    assert divergence(before, after) == pytest.approx(enumerated_divergence(before, after), abs=1e-10)
    assert distance(before, before) == divergence(before, before) == 0


@examples(60)
@given(data=st.data())
def test_the_distance_of_an_entry_is_that_of_the_joints_at_its_nearer_flip(networks, data):
    model, found = data.draw(questions(networks))
    for entry, line in zip(model.entries, found.frame.itertuples(), strict=True):
        function = found.function(entry)
        flips = [flip for flip in (line.flip_below, line.flip_above) if not np.isnan(flip)]
        tables = [
            dict(model.network.tables) | {entry.variable: with_row(model.network, entry, function.row(x))}
            for x in flips
        ]
        far = [enumerated_distance(model.network, replace(model.network, tables=own)) for own in tables]
        if far:
            assert line.distance == pytest.approx(min(far), abs=1e-10), entry
        else:
            assert np.isnan(line.distance), entry


def test_proportional_moves_change_the_joint_by_the_log_odds_and_none_changes_it_less(shipped_functions):
    by_scheme = {scheme: found[0] for scheme, found in shipped_functions.items()}
    frame = by_scheme["proportional"].frame
    inner = frame[(frame["value"] > 0) & (frame["value"] < 1) & frame["distance"].notna()]
    assert len(inner) > 50

    def log_odds(x):
        with np.errstate(divide="ignore"):
            return np.log(x) - np.log1p(-x)

    flips = np.abs(log_odds(inner[["flip_below", "flip_above"]].to_numpy()) - log_odds(inner[["value"]].to_numpy()))
    np.testing.assert_allclose(inner["distance"], np.nanmin(flips, axis=1), rtol=1e-9)


# what may go wrong at the edges


def all_finite(found):
    """Every number that a frame must have is there; a NaN stands only for a flip that does not happen."""
    frame = found.frame
    always = frame[["lower", "upper", "derivative", "value", "swing", "at_lower", "at_upper"]]
    return bool(np.isfinite(always.to_numpy()).all() and frame["admissible_below"].notna().all())


def test_without_findings_only_the_target_and_what_is_above_it_matter():
    found = cc.sensitivity.one_way(MODEL)
    assert all_finite(found)
    moving = set(found.frame.loc[found.frame["derivative"].abs() > 1e-12, "table"])
    assert moving == {"care_setting", "subtype"}
    assert set(found.rows["table"]) == moving


def test_with_all_that_can_be_seen_observed_only_the_rows_they_point_to_matter():
    known = MODEL.simulate(1, seed=3).iloc[0]
    known = {name: value for name, value in known.items() if name in MODEL.variables and name != MODEL.target}
    found = cc.sensitivity.one_way(MODEL, known)
    assert set(MODEL.variables) - set(known) == {MODEL.target, "form", "vessel_calcification"}  # never seen as such
    assert all_finite(found)
    moving = found.frame[found.frame["derivative"].abs() > 1e-12].groupby("table").size()
    assert moving["warfarin"] <= 10  # one row of two states per subtype
    assert moving.get("pth", 0) == 0  # its parents were seen


def test_a_posterior_of_1_moves_only_where_a_zero_may_become_none():
    found = cc.sensitivity.one_way(MODEL, subtype="calciphylaxis")
    assert found.posterior["calciphylaxis"] == 1
    assert all_finite(found)
    assert (found.frame["swing"] == 0).all()
    assert (found.frame["derivative"] == 0).all()
    assert found.frame["flip_below"].isna().all()
    assert found.frame["flip_above"].isna().all()
    assert (found.frame[["admissible_below", "admissible_above"]] == np.inf).all(axis=None)
    assert len(found.rows) == len(found.fragile) == 0


ZERO = MappingProxyType({"a": ("s t", "", [0.7, 0.3]), "b": ("n p", "a", [[1.0, 0.0], [0.4, 0.6]])})


def test_a_zero_has_a_slope_and_a_flip_infinitely_far_away(build):
    found = cc.sensitivity.one_way(cc.Model(build("a", ZERO)), b="p")
    line = found.frame.set_index("entry").loc["b=p@a=s"]
    assert found.posterior["t"] == 1
    assert line["value"] == line["lower"] == line["upper"] == 0
    # 0.7 x / (0.7 x + 0.18): the derivative of the other's share at 0, and where both are equal
    assert line["derivative"] == pytest.approx(-0.7 / 0.18)
    assert (line["flip_above"], line["leader_above"]) == (pytest.approx(0.18 / 0.7), "s")
    assert np.isnan(line["flip_below"])
    assert line["distance"] == np.inf


def test_a_zero_that_makes_the_findings_impossible_gives_nan(build):
    found = cc.sensitivity.one_way(cc.Model(build("a", ZERO)), b="p")
    assert np.isnan(found.function("b=p@a=t")(0.0)).all()
    assert found.function("b=p@a=t")(1e-300)[1] == pytest.approx(1)
    assert np.isnan(found.function("a=t")(0.0)).all()


def test_a_result_that_was_thought_impossible_has_a_slope_though_others_were_seen(build):
    seen = build("a", ZERO, repeatable=("b",))
    found = cc.sensitivity.one_way(cc.Model(seen), b=["p", "n"])
    # the weight of s is 0.7 x (1 - x), that of t 0.3 · 0.24
    assert found.frame.set_index("entry").loc["b=p@a=s", "derivative"] == pytest.approx(-0.7 / 0.072)


def test_a_tie_is_a_flip_where_it_stands(build):
    tables = {"a": ("s t", "", [0.5, 0.5]), "b": ("n p", "a", [[0.5, 0.5], [0.5, 0.5]])}
    line = cc.sensitivity.one_way(cc.Model(build("a", tables)), b="p").frame.set_index("entry").loc["a=s"]
    assert line["flip_below"] == line["value"] == 0.5
    assert line["admissible_below"] == 0
    assert line["distance"] == 0
    assert line["fragile"]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_hundred_biopsies(scheme):
    known = {"vascular_histology": ["absent"] * 99 + ["intramural_calcification"], "warfarin": "yes", "pain": "severe"}
    found = cc.sensitivity.one_way(MODEL, known, scheme=scheme)
    assert all_finite(found)
    entry = "vascular_histology=absent@vessel_calcification=yes"
    function = found.function(entry)
    x = np.linspace(*function.knots[[0, 2]], 9)[1:-1]
    tried = np.array([with_row(MODEL.network, function.entry, row) for row in function.row(x)])
    expected = shares(joint_weights(MODEL.network, [MODEL.read(known)], "vascular_histology", tried))[:, 0]
    np.testing.assert_allclose(function(x), expected, rtol=0, atol=1e-10)
    with pytest.raises(ValueError, match=f"{entry} enters several results"):
        _ = function.coefficients


def test_rows_that_rest_on_one_patient_have_the_widest_intervals():
    network = MODEL.network
    loose = cc.Model(replace(network, weights=dict.fromkeys(network.variables, 1.0)))
    tight = cc.Model(replace(network, weights=dict.fromkeys(network.variables, 1e6)))
    wide, narrow = (cc.sensitivity.one_way(model, PATIENTS[0]).frame for model in (loose, tight))
    inner = (wide["value"] > 0) & (wide["value"] < 1)
    for frame in (wide, narrow):
        assert np.isfinite(frame[["lower", "upper", "at_lower", "at_upper", "swing"]].to_numpy()).all()
        assert (frame["lower"] <= frame["upper"]).all()
        assert (frame.loc[~inner, "lower"] == frame.loc[~inner, "upper"]).all()
    width = wide["upper"] - wide["lower"]
    assert (width >= narrow["upper"] - narrow["lower"])[inner].all()
    assert (narrow["upper"] - narrow["lower"]).max() < 0.003


def test_a_network_without_weights_has_points_for_intervals():
    known = cc.sensitivity.one_way(MODEL, PATIENTS[0]).frame
    frame = cc.sensitivity.one_way(cc.Model(replace(MODEL.network, weights={})), PATIENTS[0]).frame
    assert frame["weight"].isna().all()
    assert (frame["lower"] == frame["value"]).all()
    assert (frame["upper"] == frame["value"]).all()
    assert (frame["swing"] == 0).all()
    assert not frame["fragile"].any()
    for column in ("derivative", "flip_below", "flip_above", "distance"):
        np.testing.assert_array_equal(frame[column], known[column])


def test_a_smaller_mass_makes_narrower_intervals_and_moves_no_flip():
    wide, narrow = (cc.sensitivity.one_way(MODEL, PATIENTS[0], mass=mass).frame for mass in (0.95, 0.5))
    assert (wide["lower"] <= narrow["lower"]).all()
    assert (wide["upper"] >= narrow["upper"]).all()
    assert set(narrow.index[narrow["fragile"]]) <= set(wide.index[wide["fragile"]])
    np.testing.assert_array_equal(wide["flip_above"], narrow["flip_above"])


def test_the_rows_that_move_are_told_once_each_the_largest_swing_first():
    found = cc.sensitivity.one_way(MODEL, PATIENTS[0])
    rows = found.rows
    assert rows["swing"].is_monotonic_decreasing
    assert not rows.duplicated(["table", "given"]).any()
    largest = found.frame.groupby(["table", "given"])["swing"].max()
    assert len(rows) == (largest > 1e-12).sum()
    np.testing.assert_allclose(
        rows["swing"], largest.loc[list(zip(rows["table"], rows["given"], strict=True))], atol=1e-12
    )
    near = np.fmin((rows["value"] - rows["flip_below"]).abs(), (rows["flip_above"] - rows["value"]).abs())
    np.testing.assert_array_equal((rows["flips_at"] - rows["value"]).abs(), near)


@pytest.mark.parametrize("scheme", ["Proportional", "", "linear"])
def test_a_scheme_that_is_none_is_refused(scheme):
    message = f"no covariation scheme {scheme!r}: give one of proportional, uniform, order-preserving"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        cc.sensitivity.one_way(MODEL, scheme=scheme)
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        knots(np.array([[0.5, 0.5]]), scheme)


@pytest.mark.parametrize("mass", [0, 1, -0.1, 1.5, float("nan")])
def test_a_mass_that_is_none_is_refused(mass):
    message = f"the mass of an interval is {mass}: give a number between 0 and 1"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        cc.sensitivity.one_way(MODEL, mass=mass)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("warfarine=yes", "warfarine=yes: no table 'warfarine': did you mean 'warfarin'? One of: "),
        (
            "warfarin=yes",
            "warfarin=yes: name a state of esrd, subtype, as in warfarin=no@esrd=no,subtype=dystrophic",
        ),
        (
            "warfarin=yes@esrd=no",
            "warfarin=yes@esrd=no: name a state of esrd, subtype, as in warfarin=no@esrd=no,subtype=dystrophic",
        ),
        (
            "warfarin=often@esrd=no,subtype=calciphylaxis",
            "warfarin=often@esrd=no,subtype=calciphylaxis: no state 'often' of warfarin: write one of: no, yes",
        ),
        (
            "warfarin=yes@esrd=no,subtype=calciphilaxis",
            "warfarin=yes@esrd=no,subtype=calciphilaxis: no state 'calciphilaxis' of subtype: did you mean "
            "'calciphylaxis'? One of: dystrophic, metastatic, idiopathic, iatrogenic, calciphylaxis",
        ),
        (
            "care_setting=dialysis@sex=male",
            "care_setting=dialysis@sex=male: its table has no parents, as in care_setting=",
        ),
        ("", ": no table '': write one of: "),
        (
            "warfarin=yes@esrd=no,esrd=yes,subtype=calciphylaxis",
            "warfarin=yes@esrd=no,esrd=yes,subtype=calciphylaxis: esrd is given twice: give it once, several states "
            "joined by '/'",
        ),
        *(
            (name, f"{name}: a part is empty: write parent=state between commas, as in warfarin=no@esrd=no,subtype=")
            for name in (
                "warfarin=yes@esrd=no,subtype=calciphylaxis,",
                "warfarin=yes@,esrd=no,subtype=calciphylaxis",
                "warfarin=yes@esrd=no,,subtype=calciphylaxis",
                "warfarin=yes@",
            )
        ),
    ],
)
def test_an_entry_that_there_is_not_is_told_with_what_there_is(entry, message):
    found = cc.sensitivity.one_way(MODEL)
    with pytest.raises(cc.errors.UnknownEntry, match=f"^{re.escape(message)}"):
        found.function(entry)


def test_a_value_beyond_the_knots_is_refused():
    function = cc.sensitivity.one_way(MODEL).function("care_setting=" + MODEL.variables["care_setting"].state_names[0])
    for x in (-0.01, 1.01, np.array([0.5, 2.0])):
        with pytest.raises(ValueError, match=r"^care_setting=\w+ can only vary from 0 to 1$"):
            function(x)


def test_parents_may_be_named_in_any_order():
    found = cc.sensitivity.one_way(MODEL, PATIENTS[0])
    one = found.function("warfarin=yes@esrd=no,subtype=calciphylaxis")
    other = found.function(" warfarin = yes @ subtype=calciphylaxis , esrd = no")
    assert str(one.entry) == str(other.entry) == "warfarin=yes@esrd=no,subtype=calciphylaxis"
    np.testing.assert_array_equal(one(0.3), other(0.3))
