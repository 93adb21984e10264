"""Expected counts against a full enumeration of the joint, against counting, and against differences."""

import numpy as np
import pytest
from enumeration import enumerate_joint, random_findings
from hypothesis import given
from hypothesis import strategies as st
from properties import examples

import calcinosis as cc
from calcinosis.inference.engine.engine import Engine
from calcinosis.inference.engine.expected_counts import expectation_of, informed_by
from calcinosis.inference.findings.encoding import encode


def rows_of(network):
    """The rows of every table, which contexts share."""
    return {name: network.rows(name) for name in network.variables}


def added_up(network, name, cells):
    """The cells of a table added up over the contexts of each row, axes `(rows, states)`."""
    rows = np.zeros_like(network.rows(name))
    np.add.at(rows, network.contexts[name], cells)
    return rows


def enumerated_counts(network, findings):
    """The expected counts of one patient, each table's cells from the joint of everything, and the log likelihood.

    A repeatable variable has counts for each of its results. A table has none where no finding on its variable, or one
    below it, distinguishes states.
    """
    joint = enumerate_joint(network, findings)
    names = list(network.variables)
    informed = {name for name, results in findings.items() if any(len(set(result)) > 1 for result in results)}
    for _ in names:
        informed |= {p for name in informed for p in network.parents[name]}
    counts = {}
    for name, variable in network.variables.items():
        family = (*network.parents[name], name)
        sizes = [len(network.variables[v].states) for v in family]
        counts[name] = np.zeros(sizes)
        if name not in informed:
            continue
        others = tuple(i for i, v in enumerate(names) if v not in family)
        kept = [v for v in names if v in family]
        margin = joint.sum(axis=others).transpose([kept.index(v) for v in family]) / joint.sum()
        if not variable.repeatable:
            counts[name] = margin
            continue
        for likelihood in findings[name]:  # each result's share, given the state of the parents
            seen = network.tables[name] * np.array(likelihood)
            total = seen.sum(axis=-1, keepdims=True)
            share = np.divide(seen, total, out=np.zeros_like(seen), where=total > 0)
            counts[name] = counts[name] + margin.sum(axis=-1, keepdims=True) * share
    return counts, float(np.log(joint.sum()))


@examples(150)
@given(data=st.data())
def test_counts_are_those_of_the_joint(networks, data):
    network = data.draw(networks)
    model = cc.Model(network)
    assert isinstance(model.engine, Engine)
    patients = [data.draw(random_findings(network)) for _ in range(data.draw(st.integers(1, 5)))]
    possible = [(v, found) for v, found in patients if enumerate_joint(network, found).sum() > 1e-250]
    if not possible:
        return
    weights = np.array(data.draw(st.lists(st.sampled_from([0.5, 1.0, 2.0]), min_size=5, max_size=5)))[: len(possible)]
    coded = encode(model.engine.base, [model.read(values) for values, _ in possible])
    expected = expectation_of(model.engine, network, coded, weights)(rows_of(network))
    found = [enumerated_counts(network, likelihoods) for _, likelihoods in possible]
    assert expected.log_likelihood == pytest.approx(
        sum(w * f[1] for w, f in zip(weights, found, strict=True)), abs=1e-9
    )
    for name in network.variables:
        wanted = sum(w * f[0][name] for w, f in zip(weights, found, strict=True))
        np.testing.assert_allclose(expected.counts[name], added_up(network, name, wanted), rtol=1e-9, atol=1e-11)


def test_of_complete_patients_the_expected_counts_are_the_counts(shipped):
    patients = shipped.simulate(500, hidden=True, seed=3).rename(columns={"diagnosis": "subtype"})
    coded = encode(shipped.engine.base, [shipped.read(row) for row in patients.to_dict("records")])
    expected = expectation_of(shipped.engine, shipped.network, coded)(rows_of(shipped.network))
    for name, parents in shipped.network.parents.items():
        family = [*parents, name]
        codes = [patients[v].map({s: i for i, s in enumerate(shipped.variables[v].state_names)}) for v in family]
        counts = np.zeros(shipped.network.rows(name).shape)
        *context, own = (c.to_numpy(dtype=int) for c in codes)
        np.add.at(counts, (shipped.network.contexts[name][tuple(context)], own), 1)
        np.testing.assert_allclose(expected.counts[name], counts, rtol=0, atol=1e-9)


def test_counts_are_the_derivatives_of_the_likelihood_by_the_logarithms_of_the_cells(shipped):
    """Of a table that is informed in everybody; that of the others holds only those in whom it is."""
    patients = shipped.simulate(60, missing=0.5, seed=4).drop(columns="diagnosis").assign(pain="severe")
    rows = [
        shipped.read({k: v for k, v in row.items() if k in shipped.variables}) for row in patients.to_dict("records")
    ]
    coded = encode(shipped.engine.base, rows)
    expectation = expectation_of(shipped.engine, shipped.network, coded)
    tables = rows_of(shipped.network)
    counts = expectation(tables).counts
    for name in ("subtype", "pain", "ulceration", "form"):
        for cell in np.flatnonzero(tables[name])[:: max(1, tables[name].size // 7)]:
            ends = []
            for factor in (1 + 1e-5, 1 - 1e-5):
                moved = tables[name].copy()
                moved.flat[cell] *= factor
                ends.append(expectation({**tables, name: moved}).log_likelihood)
            assert (ends[0] - ends[1]) / 2e-5 == pytest.approx(counts[name].flat[cell], abs=1e-5)


def test_the_log_likelihood_is_that_of_the_engine(shipped):
    patients = shipped.simulate(300, missing=0.4, repeats={"vascular_histology": 4}, seed=5).drop(columns="diagnosis")
    rows = [
        shipped.read({k: v for k, v in row.items() if k in shipped.variables}) for row in patients.to_dict("records")
    ]
    coded = encode(shipped.engine.base, rows)
    expected = expectation_of(shipped.engine, shipped.network, coded)(rows_of(shipped.network))
    assert expected.log_likelihood == pytest.approx(shipped.engine.weigh(coded).log_evidence.sum(), rel=1e-13)


def test_findings_that_would_underflow_do_not(build):
    """A naive network of 400 findings, each improbable: together far below the smallest number there is."""
    tables = {"cause": ("a b", "", [0.5, 0.5])}
    tables |= {f"sign{i}": ("no yes", "cause", [[1 - 1e-3, 1e-3], [1 - 2e-3, 2e-3]]) for i in range(400)}
    model = cc.Model(build("cause", tables))
    coded = encode(model.engine.base, [model.read({f"sign{i}": "yes" for i in range(400)})])
    expected = expectation_of(model.engine, model.network, coded)(rows_of(model.network))
    assert expected.log_likelihood == pytest.approx(model.engine.weigh(coded).log_evidence[0], rel=1e-12)
    assert expected.counts["cause"][0].tolist() == pytest.approx([0.0, 1.0], abs=1e-12)


def test_who_tells_of_a_table_is_in_whom_it_or_one_below_was_looked_at(shipped):
    coded = encode(shipped.engine.base, [shipped.read(vascular_histology="absent"), shipped.read(sex="male")])
    informed = informed_by(shipped.engine, shipped.network, coded)
    told = {name: mask.tolist() for name, mask in informed.items() if mask.any()}
    assert told["vessel_calcification"] == [True, False]
    assert told["form"] == [False, True]
    assert told["subtype"] == [True, True]
    assert "pain" not in told


def test_any_of_all_states_is_no_observation(shipped):
    every = {
        "pain": set(shipped.variables["pain"].state_names),
        "vascular_histology": [{"absent", "intramural_calcification"}],
    }
    coded = encode(shipped.engine.base, [shipped.read(every)])
    assert not any(mask.any() for mask in informed_by(shipped.engine, shipped.network, coded).values())
    counts = expectation_of(shipped.engine, shipped.network, coded)(rows_of(shipped.network)).counts
    assert not any(own.any() for own in counts.values())
