"""The engine's tables, however large they may be: exact, the same for one patient and many, for one thread and many."""

import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import event, given
from hypothesis import strategies as st
from properties import examples

import calcinosis as cc
from calcinosis.inference.engine.conditioning import Conditioned, compile_network
from calcinosis.inference.engine.engine import Engine
from calcinosis.inference.engine.marginals import posterior_marginals
from calcinosis.inference.findings.encoding import Coder, encode

CLOSE = {"rtol": 1e-14, "atol": 0}
TABLES = st.sampled_from([1, 8, 100, 2**17])


@contextmanager
def limits(table, most=2**22):
    """Tables of so many entries at most, and several passes where a clique would have more than `most`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("calcinosis.inference.engine.conditioning.TABLE_ENTRIES", table)
        patch.setattr("calcinosis.inference.engine.conditioning.MOST_ENTRIES", most)
        patch.setattr("calcinosis.inference.engine.conditioning.MOST_PASSES", 2**20)
        yield


def compiled(network, table=2**17):
    """The engine of a network in one pass, with tables of so many entries."""
    with limits(table):
        return compile_network(network)


def some_patients(network, base, rng, patients):
    """Patients with findings of every kind: what was seen of each, per variable a list of results, and their codes."""
    coder = Coder(base)
    seen = [{} for _ in range(patients)]
    codes = {}
    exponents = np.zeros(patients, dtype=np.int64)
    for name, variable in network.variables.items():
        if rng.random() < 0.3:
            continue
        states = len(variable.states)
        codes[name] = np.full(patients, base[name][()], dtype=np.int32)
        for i in range(patients):
            results = []
            for _ in range(rng.integers(0, 6 if variable.repeatable else 2)):
                state = np.eye(states)[rng.integers(states)]
                either = np.maximum(state, rng.random(states) < 0.5)
                results.append((state, state, either, either * rng.choice([0.1, 0.7, 5.0], states))[rng.integers(4)])
            if results:
                seen[i][name] = results
                codes[name][i], power = coder.code(name, [tuple(result.tolist()) for result in results])
                exponents[i] += power
    return seen, coder.coded(patients, codes, exponents)


def values_of(weights):
    """Joint weights as plain numbers."""
    return np.ldexp(weights.weights, weights.exponents[:, None])


def by_enumeration(network, seen):
    """The joint weight of each state of the target with what was seen, from every joint state of all variables."""
    names = list(network.variables)
    found = np.zeros(len(network.variables[network.target].states))
    for states in product(*(range(len(variable.states)) for variable in network.variables.values())):
        at = dict(zip(names, states, strict=True))
        weight = 1.0
        for name, variable in network.variables.items():
            table = network.tables[name][tuple(at[parent] for parent in network.parents[name])]
            for result in seen.get(name, ()):
                weight *= table @ result if variable.repeatable else result[at[name]]
            weight *= table[at[name]]
        found[at[network.target]] += weight
    return found


@examples(30)
@given(data=st.data(), table=TABLES, block=st.sampled_from([1, 40, 2**18]))
def test_tables_of_any_size_weigh_as_the_careful_way(networks, data, table, block):
    network = data.draw(networks)
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    engine = compiled(network, table)
    event(f"{len(engine.open)} open, {len(engine.lookups)} tables")
    _, coded = some_patients(network, engine.base, rng, 20)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("calcinosis.inference.engine.messages.BLOCK_ENTRIES", block)
        weights, careful = values_of(engine.weigh(coded)), values_of(engine.weigh_scaled(coded))
    assert ((weights > 0) == (careful > 0)).all()
    np.testing.assert_allclose(weights, careful, **CLOSE)


@examples(30)
@given(data=st.data(), table=TABLES)
def test_a_patient_alone_and_among_others_has_the_same_bits(networks, data, table):
    network = data.draw(networks)
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    engine = compiled(network, table)
    _, coded = some_patients(network, engine.base, rng, 12)
    whole = engine.weigh(coded)
    rows = rng.permutation(12)
    some = engine.weigh(coded.some(rows))
    assert some.weights.tolist() == whole.weights[rows].tolist()
    assert some.exponents.tolist() == whole.exponents[rows].tolist()
    for row in range(4):
        alone = engine.weigh(coded.some(slice(row, row + 1)))
        assert alone.weights.tolist() == whole.weights[[row]].tolist()
        assert alone.exponents.tolist() == whole.exponents[[row]].tolist()


@examples(30)
@given(data=st.data(), table=TABLES)
def test_one_patient_through_the_rows_of_the_tables_has_the_same_bits(networks, data, table):
    network = data.draw(networks)
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    engine = compiled(network, table)
    codes = {name: rng.integers(len(base), size=5) for name, base in engine.base.items()}
    coded = Coder(engine.base).coded(5, codes, np.zeros(5, dtype=np.int64))
    whole = engine.weigh(coded).weights.tolist()
    for row in range(5):
        rows = list(engine.unseen)
        for name, base in engine.base.items():
            lookup, shifts = engine.shifts[name]
            rows[lookup] += shifts[codes[name][row]] - shifts[base[()]]
        assert engine.weigh_one(rows) == whole[row]


@examples(30)
@given(data=st.data(), table=TABLES, most=st.sampled_from([8, 2**22]))
def test_the_order_of_variables_and_parents_changes_no_bit(networks, data, table, most):
    network = data.draw(networks)
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    names, parents, tables = rng.permutation(list(network.variables)).tolist(), {}, {}
    for name in names:
        parents[name] = tuple(rng.permutation(network.parents[name]).tolist())
        axes = [network.parents[name].index(parent) for parent in parents[name]]
        tables[name] = network.tables[name].transpose([*axes, len(axes)])
    variables = {name: network.variables[name] for name in names}
    other = replace(network, variables=variables, parents=parents, tables=tables, contexts={})
    with limits(table, most):
        one, two = compile_network(network), compile_network(other)
        _, coded = some_patients(network, one.base, rng, 10)
        expected, found = one.weigh(coded), two.weigh(coded)
    assert found.weights.tolist() == expected.weights.tolist()
    assert found.exponents.tolist() == expected.exponents.tolist()


# networks too wide for one pass


@examples(20)
@given(data=st.data(), table=st.sampled_from([1, 2**17]), most=st.sampled_from([8, 16]))
def test_a_conditioned_network_is_as_exact(networks, data, table, most):
    network = data.draw(networks)
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    whole = compiled(network)
    _, coded = some_patients(network, whole.base, rng, 5)
    expected = whole.weigh_scaled(coded)
    with limits(table, most):
        engine = compile_network(network)
        event(f"compiled as {type(engine).__name__}")
        np.testing.assert_allclose(values_of(engine.weigh(coded)), values_of(expected), rtol=1e-13, atol=0)
        for row in np.flatnonzero(expected.weights.any(axis=1)).tolist()[:1]:
            one = coded.some(slice(row, row + 1))
            found = (
                engine.posterior_marginals(one) if isinstance(engine, Conditioned) else posterior_marginals(engine, one)
            )
            for name, shares in posterior_marginals(whole, one).items():
                np.testing.assert_allclose(found[name], np.broadcast_to(shares, found[name].shape), rtol=0, atol=1e-14)


@pytest.fixture(scope="module")
def grid(build):
    """Four by four, each variable hanging on its neighbours above and to the left."""
    rng = np.random.default_rng(1)
    tables = {}
    for i, j in product(range(4), range(4)):
        parents = [f"v{a}{b}" for a, b in ((i - 1, j), (i, j - 1)) if a >= 0 and b >= 0]
        tables[f"v{i}{j}"] = ("no yes", " ".join(parents), rng.dirichlet([1, 1], 2 ** len(parents)))
    return build("v33", tables)


def test_a_grid_in_several_passes_answers_as_in_one(grid):
    findings = {"v00": "yes", "v13": {"no": 0.2, "yes": 0.7}, "v31": "no"}
    whole = cc.Model(grid)
    expected, marginals = whole.posterior(findings), whole.marginals(findings)
    with limits(2**17, 16):
        model = cc.Model(grid)
        assert isinstance(model.engine, Conditioned)
        assert model.engine.passes > 1
        found, shares = model.posterior(findings), model.marginals(findings)["probability"]
        answer = model.posteriors(pd.DataFrame([findings, {}, {"v00": "maybe"}]))
    assert list(found.probabilities_of.values()) == pytest.approx(list(expected.probabilities_of.values()), abs=1e-15)
    assert found.log_evidence == pytest.approx(expected.log_evidence, abs=1e-13)
    np.testing.assert_allclose(shares, marginals["probability"], rtol=0, atol=1e-14)
    assert answer.loc[0, ["no", "yes"]].tolist() == list(found.probabilities_of.values())
    assert answer["status"].str[:7].tolist() == ["ok", "ok", "invalid"]


# networks of every shape

SHAPES = {
    "one variable": ("a", {"a": ("s t u", "", [0.2, 0.3, 0.5])}),
    "one variable with a state that cannot be": ("a", {"a": ("s t u", "", [0.4, 0.0, 0.6])}),
    "the target a root": ("a", {"a": ("s t", "", [0.2, 0.8]), "b": ("s t", "a", [[0.1, 0.9], [0.6, 0.4]])}),
    "the target a leaf": ("b", {"a": ("s t", "", [0.2, 0.8]), "b": ("s t", "a", [[0.1, 0.9], [0.6, 0.4]])}),
    "the target in the middle": (
        "b",
        {
            "a": ("s t", "", [0.2, 0.8]),
            "b": ("s t u", "a", [[0.1, 0.2, 0.7], [0.6, 0.4, 0.0]]),
            "c": ("s t", "b", [[0.5, 0.5], [0.3, 0.7], [0.9, 0.1]]),
            "m": ("s t", "b a", [[0.5, 0.5], [0.3, 0.7], [0.9, 0.1], [0.2, 0.8], [1.0, 0.0], [0.4, 0.6]]),
        },
    ),
    "several pieces": (
        "c",
        {
            "a": ("s t", "", [0.2, 0.8]),
            "b": ("s t", "a", [[0.1, 0.9], [0.6, 0.4]]),
            "c": ("s t", "", [0.7, 0.3]),
            "d": ("s t u", "c", [[0.2, 0.3, 0.5], [0.0, 0.0, 1.0]]),
            "e": ("s t", "", [1.0, 0.0]),
            "m": ("s t", "a", [[0.9, 0.1], [0.5, 0.5]]),
        },
    ),
    "two parents that explain one another": (
        "a",
        {
            "a": ("s t", "", [0.2, 0.8]),
            "b": ("s t", "", [0.4, 0.6]),
            "c": ("s t", "a b", [[1.0, 0.0], [0.3, 0.7], [0.2, 0.8], [0.0, 1.0]]),
        },
    ),
}


@pytest.mark.parametrize("table", [1, 8, 2**17])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_network_of_any_shape_weighs_as_its_enumeration(build, shape, table):
    target, tables = SHAPES[shape]
    network = build(target, tables, repeatable=[name for name in tables if name == "m"])
    seen, coded = some_patients(network, compiled(network).base, np.random.default_rng(5), 20)
    expected = [by_enumeration(network, one) for one in seen]
    for most in (2**22, 4):
        with limits(table, most):
            np.testing.assert_allclose(values_of(compile_network(network).weigh(coded)), expected, rtol=1e-13, atol=0)


@pytest.mark.parametrize("shape", SHAPES)
def test_without_findings_a_network_of_any_shape_gives_the_prior(build, shape):
    target, tables = SHAPES[shape]
    network = build(target, tables)
    answer = cc.Model(network).posteriors(pd.DataFrame(index=range(3)))
    prior = by_enumeration(network, {})
    np.testing.assert_allclose(answer[list(network.variables[target].state_names)], [prior] * 3, rtol=1e-14, atol=0)
    np.testing.assert_allclose(answer["log_evidence"], 0.0, rtol=0, atol=1e-14)


def test_limits_of_tables_do_change_what_is_looked_up(shipped):
    """What the tests above rest on: small limits make more tables and more open cliques."""
    engines = [compiled(shipped.network, table) for table in (1, 100, 2**17)]
    assert all(isinstance(engine, Engine) for engine in engines)
    assert len(engines[0].open) > len(engines[1].open) > len(engines[2].open) == 1
    for limit, engine in zip((1, 100, 2**17), engines, strict=True):
        for lookup in engine.lookups:
            measured = all(shipped.variables[name].repeatable for name in lookup.variables)
            assert lookup.table.size <= limit or len(lookup.branches) == 1 or measured


# many threads


def test_many_threads_are_told_what_one_is(shipped, monkeypatch):
    """A model that nobody has asked before, by many at once, its memory of findings forgotten again and again."""
    monkeypatch.setattr("calcinosis.inference.engine.single_patient.MOST_KNOWN", 3)
    monkeypatch.setattr("calcinosis.inference.engine.scores.PART", 5)
    rng = np.random.default_rng(3)
    names = ["pain", "warfarin", "esrd", "ulceration", "vascular_histology", "lesion_site"]
    kinds = {name: [*shipped.variables[name].state_names, "unknown"] for name in names}
    kinds["vascular_histology"] += ["absent,absent", "absent,absent,absent,absent"]
    kinds["pain"] += ["none/severe", "sever"]
    rows = [{name: str(rng.choice(kinds[name])) for name in names} for _ in range(40)]
    frame = pd.DataFrame(rows)

    def one(model, findings):
        try:
            posterior = model.posterior(findings)
        except (cc.errors.FindingsError, cc.errors.ImpossibleEvidence) as told:
            return str(told)
        return *posterior.probabilities_of.values(), posterior.log_evidence, posterior.evidence

    def asked(model, task):
        if task % 8 == 0:
            return model.posteriors(frame).astype({"leading": object, "status": object}).to_csv()
        if task % 8 == 1:
            return model.marginals(pain="severe", warfarin="yes").to_csv()
        return one(model, rows[task % len(rows)])

    before = cc.Model(shipped.network)
    expected = [asked(before, task) for task in range(80)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        model = cc.Model(shipped.network)
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda task: asked(model, task), range(80)))
    finally:
        sys.setswitchinterval(interval)
    assert found == expected


def test_what_cannot_be_has_the_scale_it_came_with_whatever_its_neighbours(build):
    """Many results of another patient make the engine compute small weights again; 0 stays as it is."""
    never, seldom = [[1.0, 0.0]] * 2, [[1 - 1e-7, 1e-7]] * 2
    look = [[1 - 1e-6, 1e-6], [1e-6, 1 - 1e-6]]
    tables = {"a": ("s t", "", [0.5, 0.5])} | {
        n: ("n y", "a", t) for n, t in zip("bcd", (never, seldom, look), strict=True)
    }
    model = cc.Model(build("a", tables, repeatable=["d"]))
    impossible = model.read(b="y", c="y")
    sharp = model.read(d=["n", "y"] * 50)
    alone = model.engine.weigh(encode(model.engine.base, [impossible]))
    among = model.engine.weigh(encode(model.engine.base, [impossible, sharp]))
    assert not among.weights[0].any()
    assert among.exponents[0] == alone.exponents[0]
