"""The tree of cliques: every table in one place, every variable summed out once, no entry that cannot be."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties import examples

from calcinosis.inference.engine.conditioning import compile_network
from calcinosis.inference.engine.junction_tree import buckets_of, elimination_order, lay_out


def shuffled(network, rng):
    """The same network, its variables and the parents of each in another order."""
    variables = {name: network.variables[name] for name in rng.permutation(list(network.variables)).tolist()}
    parents = {name: tuple(rng.permutation(network.parents[name]).tolist()) for name in variables}
    tables = {}
    for name in variables:
        axes = [network.parents[name].index(parent) for parent in parents[name]]
        tables[name] = network.tables[name].transpose([*axes, len(axes)])
    return replace(network, variables=variables, parents=parents, tables=tables, contexts={})


@st.composite
def trees(draw, networks):
    """A network, the states that some of its variables are given, and its cliques: as laid out, or as compiled."""
    network = draw(networks)
    free = [name for name, v in network.variables.items() if name != network.target and not v.repeatable]
    names = draw(st.lists(st.sampled_from(free), unique=True, max_size=2)) if free else []
    given = {name: draw(st.integers(0, len(network.variables[name].states) - 1)) for name in names}
    if draw(st.booleans()):
        return network, given, lay_out(network, buckets_of(network, elimination_order(network, given)), given)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "calcinosis.inference.engine.conditioning.TABLE_ENTRIES", draw(st.sampled_from([1, 8, 100, 2**17]))
        )
        return network, {}, compile_network(network).cliques


def below(cliques):
    """Per clique the variables that are summed out in it or below it."""
    found = []
    for clique in cliques:
        found.append({*clique.variables}.union(*(found[child] for child in clique.children)))
    return found


def possible_states(network, given, scope, covered):
    """Which joint states of a scope some states of the variables covered go with, by the tables these are in.

    A table of given variables only rules out all or nothing, at the root, where everything is covered.
    """
    operands, subscripts = [], []
    for name, table in network.tables.items():
        family = (*network.parents[name], name)
        if covered & {*family} or (network.target in covered and {*family} <= {*given}):
            fixed = table[tuple(given.get(v, slice(None)) for v in family)]
            operands.append((fixed > 0).astype(float))
            subscripts.append("".join(v for v in family if v not in given))
    operands += [np.ones(len(network.variables[v].states)) for v in scope]
    return np.einsum(",".join([*subscripts, *scope]) + "->" + "".join(scope), *operands) > 0


def over(names, scope, values):
    """Values over a scope as an array that broadcasts over all names."""
    values = values.transpose(sorted(range(len(scope)), key=lambda axis: names.index(scope[axis])))
    lengths = iter(values.shape)
    return values.reshape([next(lengths) if name in scope else 1 for name in names])


@examples(30)
@given(data=st.data())
def test_the_entries_are_the_joint_states_that_can_be_each_once(networks, data):
    network, given, cliques = data.draw(trees(networks))
    for clique, covered in zip(cliques, below(cliques), strict=True):
        assert (clique.weights > 0).all()
        scope = tuple(clique.states)
        entries = list(zip(*(states.tolist() for states in clique.states.values()), strict=True))
        assert len(set(entries)) == len(entries) == len(clique.weights)
        possible = possible_states(network, given, scope, covered)
        assert set(entries) == {tuple(state) for state in np.argwhere(possible).tolist()}


@examples(30)
@given(data=st.data())
def test_a_message_is_summed_in_runs_as_one_entry_after_the_other(networks, data):
    _, _, cliques = data.draw(trees(networks))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    for clique in cliques:
        entries = rng.random((5, len(clique.weights))) * 10.0 ** rng.integers(-20, 20, len(clique.weights))
        expected = np.zeros((clique.runs[1], 5))
        np.add.at(expected, clique.onto, entries.T)
        assert clique.summed(entries).tolist() == expected.T.tolist()
        assert clique.summed(entries[:1]).tolist() == expected.T[:1].tolist()
        lengths = np.diff(clique.runs)
        assert (lengths[1:] <= lengths[:-1]).all()
        assert clique.runs[-1] == len(clique.weights)


@examples(30)
@given(data=st.data())
def test_an_entry_is_summed_onto_and_looks_up_the_message_of_its_own_states(networks, data):
    network, _, cliques = data.draw(trees(networks))
    for clique in cliques:
        for name, states in clique.message.items():
            assert states[clique.onto].tolist() == clique.states[name].tolist()
        for child, into in zip(clique.children, clique.into, strict=True):
            assert (into >= 0).all()
            for name, states in cliques[child].message.items():
                assert states[into].tolist() == clique.states[name].tolist()
    root = cliques[-1]
    assert list(root.message) == [network.target]
    assert len(set(root.message[network.target].tolist())) == root.runs[1]


@examples(30)
@given(data=st.data())
def test_every_variable_is_summed_out_once_and_the_target_at_the_root(networks, data):
    network, given, cliques = data.draw(trees(networks))
    summed = [name for clique in cliques for name in clique.variables]
    assert sorted(summed) == sorted(set(network.variables) - set(given))
    assert network.target in cliques[-1].variables
    assert sorted(child for clique in cliques for child in clique.children) == list(range(len(cliques) - 1))
    for i, clique in enumerate(cliques):
        assert all(child < i for child in clique.children)
        assert clique.repeatable == any(network.variables[name].repeatable for name in clique.variables)
        if clique.repeatable:
            assert len(clique.variables) == 1
            assert not clique.children


@examples(30)
@given(data=st.data())
def test_the_product_of_all_cliques_is_the_joint(networks, data):
    """Each table is multiplied in once: at every joint state the cliques' weights make its probability."""
    network, given, cliques = data.draw(trees(networks))
    names = [name for name in network.variables if name not in given]
    sizes = [len(network.variables[name].states) for name in names]
    product, expected = np.ones(sizes), np.ones(sizes)
    for clique in cliques:
        dense = np.zeros([len(network.variables[v].states) for v in clique.states])
        dense[tuple(clique.states.values())] = clique.weights
        product = product * over(names, tuple(clique.states), dense)
    for name, table in network.tables.items():
        family = (*network.parents[name], name)
        fixed = table[tuple(given.get(v, slice(None)) for v in family)]
        expected = expected * over(names, tuple(v for v in family if v not in given), fixed)
    np.testing.assert_allclose(product, expected, rtol=1e-14, atol=0)


@examples(30)
@given(data=st.data())
def test_the_order_of_variables_and_parents_leaves_the_tree_as_it_is(networks, data):
    network = data.draw(networks)
    other = shuffled(network, np.random.default_rng(data.draw(st.integers(0, 2**32 - 1))))
    order = elimination_order(network, ())
    assert elimination_order(other, ()) == order
    assert buckets_of(other, order) == buckets_of(network, order)
    trees = [lay_out(n, buckets_of(n, order), {}) for n in (network, other)]
    for one, two in zip(*trees, strict=True):
        assert two.weights.tolist() == one.weights.tolist()
        assert (two.runs, two.children, two.variables) == (one.runs, one.children, one.variables)
        assert {v: s.tolist() for v, s in two.states.items()} == {v: s.tolist() for v, s in one.states.items()}


@examples(30)
@given(data=st.data())
def test_measurements_are_summed_out_first_and_the_target_last(networks, data):
    network = data.draw(networks)
    order = elimination_order(network, ())
    measured = [network.variables[name].repeatable for name in order]
    assert sorted(order) == sorted(network.variables)
    assert order[-1] == network.target
    assert measured == sorted(measured, reverse=True)


def test_a_state_that_a_definition_rules_out_is_no_entry(build):
    """Uraemic disease means renal failure, so that what hangs on both knows three pairs of them, not four."""
    tables = {
        "form": ("uraemic other", "", [0.3, 0.7]),
        "failure": ("no yes", "form", [[0, 1], [0.8, 0.2]]),
        "sign": ("no yes", "form failure", np.array([[[0.5, 0.5], [0.1, 0.9]], [[0.7, 0.3], [0.6, 0.4]]])),
    }
    network = build("form", tables)
    (clique,) = (clique for clique in compile_network(network).cliques if "failure" in clique.variables)
    pairs = zip(clique.states["form"].tolist(), clique.states["failure"].tolist(), strict=True)
    assert set(pairs) == {(0, 1), (1, 0), (1, 1)}


def test_the_shipped_network_stays_as_small_as_it_is_said_to_be(shipped):
    """One open clique of 24 entries, as the engine's text says."""
    (station,) = shipped.engine.open
    assert len(shipped.engine.cliques[station.clique].weights) == 24


def test_a_chain_is_summed_out_two_variables_at_a_time(build):
    links = {f"v{i}": ("no yes", f"v{i - 1}", [[0.9, 0.1], [0.2, 0.8]]) for i in range(1, 50)}
    network = build("v25", {"v0": ("no yes", "", [0.5, 0.5])} | links)
    buckets = buckets_of(network, elimination_order(network, ()))
    assert max(network.entries(bucket.scope) for bucket in buckets) == 4
