"""A row that holds in several contexts is one parameter: moving it in all of them, and asking again, gives the same.

Most analyses are tested with such rows on random networks in their own files; these are the others.
"""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from properties import examples
from random_patients import findings_of_every_kind, true_states

import calcinosis as cc
from calcinosis.analysis.explain.hypothesis import Hypothesis
from calcinosis.analysis.explain.table_effects import slopes_of_odds
from calcinosis.analysis.validate.row_scores import row_counts
from calcinosis.inference.findings.encoding import encode


def tables_with(network, entry, shift):
    """The tables with the log-odds of an entry shifted in every context of its row, the rest in proportion."""
    table = network.tables[entry.variable].copy()
    here = network.contexts[entry.variable] == entry.row
    table[here, entry.column] *= np.exp(shift)
    return {**network.tables, entry.variable: table / table.sum(axis=-1, keepdims=True)}


def log_odds(network, findings, state):
    posterior = cc.Model(network).posterior(findings)
    return np.log(posterior[state]) - np.log(sum(posterior[other] for other in posterior if other != state))


@examples(25)
@given(data=st.data())
def test_the_slope_of_a_row_is_that_of_moving_it_in_all_its_contexts(networks, data):
    network = data.draw(networks)
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    model = cc.Model(network)
    findings = findings_of_every_kind(data.draw, network, true_states(network, rng))
    findings.pop(network.target, None)
    posterior = model.posterior(findings)
    states = [state for state in posterior if 1e-6 < posterior[state] < 1 - 1e-6]
    assume(states)
    state = data.draw(st.sampled_from(states))
    slopes = slopes_of_odds(model, posterior.evidence, Hypothesis.of(model.states, state, None))
    entries = [(place, entry) for place, entry in enumerate(model.entries) if 0 < model.entries.values[place] < 1]
    assume(entries)
    for place, entry in data.draw(st.lists(st.sampled_from(entries), min_size=1, max_size=8)):
        moved = [log_odds(replace(network, tables=tables_with(network, entry, shift)), findings, state)
                 for shift in (-1e-4, 1e-4)]  # fmt: skip
        assert slopes[place] == pytest.approx((moved[1] - moved[0]) / 2e-4, abs=1e-6), entry


def posterior_of_rows(network, patient, name):
    """The posterior of the cells of a table, contexts of a row added up, from the joint, axes `(rows, states)`."""
    axis = {v: i for i, v in enumerate(network.variables)}
    operands = []
    for v, table in network.tables.items():
        operands += [table, [axis[u] for u in (*network.parents[v], v)]]
        if v in patient:
            operands += [
                np.array([state in patient[v] for state in network.variables[v].state_names], float),
                [axis[v]],
            ]
    cells = np.einsum(*operands, [axis[u] for u in (*network.parents[name], name)], optimize="greedy")
    rows = np.zeros_like(network.rows(name))
    np.add.at(rows, network.contexts[name], cells)
    return rows / rows.sum()


@examples(25)
@given(data=st.data())
def test_patients_are_counted_once_for_a_row_of_several_contexts(networks, data):
    """Their number, and how much of the information on the row they hold, from the whole joint."""
    network = data.draw(networks)
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    once = [name for name, variable in network.variables.items() if not variable.repeatable]
    patients = []
    for _ in range(6):
        truth = true_states(network, rng)
        shown = {name: network.variables[name].state_names[truth[name]] for name in once if rng.random() < 0.6}
        patients.append({v: {s, str(rng.choice(network.variables[v].state_names))} for v, s in shown.items()})
    model = cc.Model(network)
    counts = row_counts(model, encode(model.engine.base, [model.read(patient) for patient in patients]))
    below = {name: {name} for name in network.variables}
    for _ in network.variables:
        for child, parents in network.parents.items():
            for parent in parents:
                below[parent] |= below[child]
    for name in once:
        # any of all states says nothing of a variable
        asked = [
            p for p in patients if any(v in p and len(p[v]) < len(network.variables[v].states) for v in below[name])
        ]
        rows = network.rows(name)
        cells = np.array([posterior_of_rows(network, patient, name) for patient in asked]).reshape(-1, *rows.shape)
        np.testing.assert_allclose(counts[name].cases, cells.sum(axis=0), rtol=0, atol=1e-10)
        inverse = np.divide(1.0, rows, out=np.zeros_like(rows), where=rows > 0)
        seen = ((cells - cells.sum(axis=2, keepdims=True) * rows) ** 2 * inverse).sum(axis=(0, 2))
        complete = (cells.sum(axis=0) * (inverse - 1)).sum(axis=1)
        share = np.divide(seen, complete, out=np.zeros_like(seen), where=complete > 0)
        wanted = cells.sum(axis=(0, 2)) * np.minimum(share, 1)
        np.testing.assert_allclose(counts[name].informed, wanted, rtol=1e-9, atol=1e-9)


def test_a_copied_network_has_the_same_weight_on_each_row(build):
    """Rows that are as many as contexts, but in another order, once changed their weights with every copy."""
    network = build("a", {"a": ("s t", "", [0.5, 0.5]), "b": ("s t", "a", [[0.3, 0.7], [0.8, 0.2]])})
    contexts = {"a": np.array(0), "b": np.array([1, 0])}
    network = replace(network, contexts=contexts, weights={"a": np.array([9.0]), "b": np.array([4.0, 30.0])})
    assert replace(network).weights["b"].tolist() == network.weights["b"].tolist() == [4.0, 30.0]


@examples(20)
@given(data=st.data())
def test_what_rows_of_several_contexts_learned_is_forgotten(networks, data):
    network = data.draw(networks)
    weights = {name: np.full(len(network.rows(name)), 20.0) for name in network.variables}
    model = cc.Model(replace(network, weights=weights))
    drawn = model.simulate(60, missing=0.3, seed=data.draw(st.integers(0, 99)))
    learned = cc.learn.update(model, drawn)
    former = cc.learn.forget(learned.model, drawn).model.network
    for name, table in network.tables.items():
        assert (learned.model.network.contexts[name] == network.contexts[name]).all()
        np.testing.assert_allclose(former.tables[name], table, rtol=0, atol=1e-6)
        np.testing.assert_allclose(former.weights[name], 20.0, rtol=1e-6)
