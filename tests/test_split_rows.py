"""A row that holds in several contexts says what a row for each of them says, but is one piece of knowledge."""

import csv
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

import calcinosis as cc
from calcinosis.inference.engine.expected_counts import expectation_of
from calcinosis.inference.findings.encoding import encode
from calcinosis.inference.intervals.dirichlet import SecondOrder, joint_of, quantiles
from calcinosis.inference.intervals.sparse import plan_for
from calcinosis.knowledge.contexts import contexts_of
from calcinosis.knowledge.folder import copy_folder, shipped_folder

DRAWS = 2**12


@pytest.fixture(scope="module")
def split(shipped, tmp_path_factory):
    """The shipped model with a row of its own for each context."""
    folder = copy_folder(shipped_folder(), tmp_path_factory.mktemp("split") / "priors")
    for path in folder.glob("tables/*.csv"):
        parents = shipped.priors.tables[path.stem].parents
        states = [shipped.variables[parent].state_names for parent in parents]
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            for row in rows:
                for context in contexts_of([row[parent] for parent in parents], states):
                    writer.writerow(row | dict(zip(parents, context, strict=True)))
    return cc.load(folder)


@pytest.fixture(scope="module")
def patients(shipped):
    """Patients with few and many findings, some with several biopsies, without their diagnoses."""
    drawn = shipped.simulate(40, missing=0.5, repeats={"vascular_histology": 2}, seed=7).drop(columns="diagnosis")
    return [{name: value for name, value in row.items() if value == value} for row in drawn.to_dict("records")]


def test_each_context_has_a_row_of_its_own(shipped, split):
    for name, parents in shipped.network.parents.items():
        contexts = list(product(*(shipped.variables[parent].state_names for parent in parents)))
        assert [row.given for row in split.priors.tables[name].rows] == contexts
    assert sum(len(split.network.rows(name)) > len(shipped.network.rows(name)) for name in shipped.variables) > 10


def test_the_posterior_is_the_same_to_the_last_bit(shipped, split, patients):
    for findings in patients:
        merged, other = shipped.posterior(findings), split.posterior(findings)
        assert other.probabilities_of == merged.probabilities_of
        assert other.log_evidence == merged.log_evidence
    assert split.marginals(patients[0]).equals(shipped.marginals(patients[0]))


def test_a_batch_is_the_same_to_the_last_bit(shipped, split):
    cases = cc.cases()
    assert split.posteriors(cases).equals(shipped.posteriors(cases))


def test_with_the_draws_of_the_merged_rows_the_sample_is_the_same_to_the_last_bit(shipped, split, patients):
    draws = SecondOrder(shipped.network, draws=DRAWS)
    for findings in patients[:20]:
        merged, other = (plan_for(model.network, model.read(findings)) for model in (shipped, split))
        tied = []
        for family, places in zip(other.families, other.places, strict=True):
            name, flat = family.variable, []
            of = dict(
                zip(split.network.contexts[name].flat, shipped.network.contexts[name].flat, strict=True)
            )  # the number of the merged row
            for row in family.rows.tolist():
                flat += draws.row(replace(family, rows=np.array([of[row]])), 0)
            tied.append([flat[place] for place in places])
        expected = joint_of(merged, draws.numbers(merged), DRAWS)
        found = joint_of(other, tied, DRAWS)
        for ours, theirs in zip(found, expected, strict=True):
            assert np.array_equal(ours, theirs)
        weights = np.exp(expected[1] - expected[1].max())
        limits = [quantiles(own[0], weights / weights.sum(), (0.025, 0.975)) for own in (found, expected)]
        assert np.array_equal(*limits)


def test_rows_that_share_a_draw_are_less_sure_than_rows_drawn_apart(build):
    """Two settings of the same sign: drawn apart, their errors average out."""
    tables = {
        "setting": ("home ward", "", [0.5, 0.5]),
        "sign": ("no yes", "setting", [[0.6, 0.4], [0.6, 0.4]]),
    }
    network = replace(build("sign", tables), weights={"setting": 1e6, "sign": np.array([20.0, 20.0])})
    one = replace(network, weights={"setting": 1e6, "sign": 20.0}, contexts={"sign": np.array([0, 0])})
    apart, shared = (np.ptp(cc.Model(n).posterior().interval(0.95).loc["yes"]) for n in (network, one))
    assert shared == pytest.approx(apart * 2**0.5, rel=0.03)


def test_counts_of_a_row_are_those_of_its_contexts_added_up(shipped, split, patients):
    merged, apart = (
        expectation_of(model.engine, model.network, encode(model.engine.base, [model.read(own) for own in patients]))(
            {name: model.network.rows(name) for name in model.variables}
        ).counts
        for model in (shipped, split)
    )
    for name, counts in merged.items():
        pooled = np.zeros_like(counts)
        np.add.at(pooled, shipped.network.contexts[name].ravel(), apart[name])
        np.testing.assert_allclose(counts, pooled, rtol=1e-12, atol=1e-13)


@pytest.mark.slow
def test_learning_from_complete_patients_is_pooled_counting(shipped):
    drawn = shipped.simulate(200, hidden=True, seed=5)
    learned = cc.learn.update(shipped, drawn).model.network
    drawn = drawn.rename(columns={"diagnosis": "subtype"})
    for name, table in shipped.priors.tables.items():
        states = [shipped.variables[parent].state_names for parent in table.parents]
        for number, row in enumerate(table.rows):
            contexts = set(contexts_of(row.given, states))
            mine = [own for own in drawn.to_dict("records") if tuple(own[p] for p in table.parents) in contexts]
            counts = np.array([sum(own[name] == s for own in mine) for s in shipped.variables[name].state_names])
            wanted = (np.array(row.probabilities) * row.weight + counts) / (row.weight + len(mine))
            np.testing.assert_allclose(learned.rows(name)[number], wanted, rtol=1e-9, atol=1e-12)
