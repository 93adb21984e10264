"""The EM algorithm against printed steps, pyAgrum's, plain counting, and patients drawn from known tables."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties import examples
from random_patients import findings_of_every_kind, true_states

import calcinosis as cc
from calcinosis.analysis.learn.em import Climb, climb, pseudocounts_of
from calcinosis.inference.engine.expected_counts import expectation_of
from calcinosis.inference.findings.encoding import encode


@pytest.fixture(scope="module")
def gum():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its import warns of SWIG types
        import pyagrum
    return pyagrum


def rows_of(model):
    return {name: model.network.rows(name) for name in model.variables}


def maximum_likelihood(model, rows, weights=None):
    """The climb of the plain likelihood: no pseudocounts at all."""
    coded = encode(model.engine.base, [model.read(row) for row in rows])
    nothing = {name: np.zeros_like(rows) for name, rows in rows_of(model).items()}
    return Climb(expectation_of(model.engine, model.network, coded, weights), nothing)


def test_candy_bags_as_printed(build):
    """L1: Russell & Norvig, Artificial Intelligence, 2nd ed., p. 729: bags never observed, 1000 candies."""
    tables = {"bag": ("1 2", "", [0.6, 0.4])}
    for name, states in (("flavour", "cherry lime"), ("wrapper", "red green"), ("hole", "yes none")):
        tables[name] = (states, "bag", [[0.6, 0.4], [0.4, 0.6]])
    model = cc.Model(build("bag", tables))
    counts = [273, 93, 104, 90, 79, 100, 94, 167]
    rows = [
        {"flavour": flavour, "wrapper": wrapper, "hole": hole}
        for flavour in ("cherry", "lime")
        for wrapper in ("red", "green")
        for hole in ("yes", "none")
    ]
    hill = maximum_likelihood(model, rows, np.array(counts, dtype=float))
    point = hill.at(rows_of(model))
    assert point.log_likelihood == pytest.approx(-2044.2604, abs=5e-5)
    printed = {
        1: (0.6124, [0.6684, 0.6483, 0.6558], [0.3887, 0.3817, 0.3827], -2021.026),
        10: (0.5599, [0.8060, 0.7371, 0.7679], [0.2471, 0.3007, 0.2728], -1982.018),
    }
    for number in range(1, 11):
        point = hill.at(hill.step(point))
        if number in printed:
            bag, first, second, likelihood = printed[number]
            assert point.tables["bag"][0, 0] == pytest.approx(bag, abs=5.1e-5)
            for row, wanted in enumerate((first, second)):
                found = [point.tables[name][row, 0] for name in ("flavour", "wrapper", "hole")]
                assert found == pytest.approx(wanted, abs=5.1e-5)
            assert point.log_likelihood == pytest.approx(likelihood, abs=5e-4)


def test_two_coins_as_printed(build):
    """L2: Do & Batzoglou, Nature Biotechnology 26, 2008: 5 sets of 10 tosses, one step, the choice fixed."""
    tables = {"coin": ("a b", "", [0.5, 0.5])}
    tables |= {f"toss{i}": ("heads tails", "coin", [[0.6, 0.4], [0.5, 0.5]]) for i in range(10)}
    model = cc.Model(build("coin", tables))
    rows = [{f"toss{i}": "heads" if i < heads else "tails" for i in range(10)} for heads in (5, 9, 8, 4, 7)]
    counts = maximum_likelihood(model, rows).at(rows_of(model)).counts
    tosses = sum(counts[f"toss{i}"] for i in range(10))  # one coin, tossed ten times
    assert (tosses[:, 0] / tosses.sum(axis=1)).tolist() == pytest.approx([0.71301, 0.58134], abs=5e-6)


def chain(build, tables):
    """D -> C -> B -> A, as in aGrUM's own test of EM."""
    parents = {"d": "", "c": "d", "b": "c", "a": "b"}
    return cc.Model(build("d", {name: ("0 1", parents[name], tables[name]) for name in parents}))


ROWS = [dict(zip("abcd", row, strict=True)) for row in ("0110", "0?01", "1??0", "?0??", "??10")]
CHAIN = {"d": [0.6, 0.4], **{name: [[0.7, 0.3], [0.2, 0.8]] for name in "abc"}}


def test_scattered_missing_cells_never_lower_the_likelihood(build):
    """L3: the rows of aGrUM's EM.csv; and a start from the result stays there."""
    model = chain(build, CHAIN)
    rows = [{k: v for k, v in row.items() if v != "?"} for row in ROWS]
    hill = maximum_likelihood(model, rows, np.full(5, 100.0))
    point = hill.at(rows_of(model))
    for _ in range(300):
        before, point = point, hill.at(hill.step(point))
        assert point.log_likelihood >= before.log_likelihood - 1e-9
    again = hill.step(point)
    assert max(np.abs(again[name] - point.tables[name]).max() for name in again) < 1e-2


def test_each_step_is_that_of_pyagrum(build, gum, tmp_path):
    """The same network, start and cases: after each of twelve steps the same tables, to the last digits.

    pyAgrum counts a variable that nobody looked at as well; so each row here is missing inner cells only.
    """
    model = chain(build, CHAIN)
    rng = np.random.default_rng(7)
    cells = rng.integers(0, 2, (200, 4)).astype(str)
    cells[rng.random(200) < 0.3, 1] = "?"
    cells[rng.random(200) < 0.3, 2] = "?"
    frame = pd.DataFrame(cells, columns=list("abcd"))
    frame.to_csv(tmp_path / "cases.csv", index=False)
    start = gum.BayesNet()
    for name in "dcba":
        start.add(gum.LabelizedVariable(name, name, ["0", "1"]))
    for parent, child in ("dc", "cb", "ba"):
        start.addArc(parent, child)
    for name in "dcba":
        start.cpt(name).fillWith(np.ravel(CHAIN[name]).tolist())
    rows = [{k: v for k, v in row.items() if v != "?"} for row in frame.to_dict("records")]
    hill, tables, theirs = maximum_likelihood(model, rows), rows_of(model), start
    for _ in range(12):
        learner = gum.BNLearner(str(tmp_path / "cases.csv"), theirs, ["?"])
        learner.useNoPrior()
        learner.useEMWithDiffCriterion(1e-9, 0.0)
        learner.EMenableMaxIter()
        learner.EMsetMaxIter(1)  # a step at a time: by its own criterion it stops too early
        theirs = learner.learnParameters(theirs)
        tables = hill.step(hill.at(tables))
        for name in "dcba":
            np.testing.assert_allclose(tables[name].ravel(), theirs.cpt(name).toarray().ravel(), rtol=0, atol=1e-14)


@examples(60)
@given(data=st.data())
def test_the_density_never_falls_and_zeros_stay(networks, data):
    network = data.draw(networks)
    model = cc.Model(network)
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    patients = [findings_of_every_kind(data.draw, network, true_states(network, rng)) for _ in range(12)]
    coded = encode(model.engine.base, [model.read(p) for p in patients])
    start = rows_of(model)
    weights = {name: np.full(len(rows), rng.uniform(0.5, 30)) for name, rows in start.items()}
    own = pseudocounts_of(start, weights, network.variables)
    found = climb(start, expectation_of(model.engine, network, coded), own, lambda step, rise: None)
    assert found.settled
    assert np.diff(found.densities).min(initial=0.0) >= -1e-9
    for name, rows in start.items():
        assert ((found.point.tables[name] == 0) == (rows == 0)).all()
        np.testing.assert_allclose(found.point.tables[name].sum(axis=-1), 1.0, atol=1e-12)


@pytest.mark.slow
def test_extrapolated_steps_end_where_plain_ones_do(shipped):
    patients = shipped.simulate(200, missing=0.5, seed=8).rename(columns={"diagnosis": "subtype"})
    coded = encode(shipped.engine.base, [shipped.read(row) for row in patients.to_dict("records")])
    network, start = shipped.network, rows_of(shipped)
    own = pseudocounts_of(start, network.weights, network.variables)
    expectation = expectation_of(shipped.engine, network, coded)
    found = climb(start, expectation, own, lambda step, rise: None)
    hill, point = Climb(expectation, own), None
    tables = start
    for _ in range(300):
        point = hill.at(tables)
        tables = hill.step(point)
    assert found.point.density == pytest.approx(point.density, abs=1e-7)
    for name, table in point.tables.items():
        np.testing.assert_allclose(found.point.tables[name], table, atol=1e-7)
    assert len(found.densities) < 60
