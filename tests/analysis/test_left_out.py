"""Learning helps where the tables may be wrong by as much as they say, and leaves out whom it asks."""

from dataclasses import replace

import numpy as np
import pytest

import calcinosis as cc
from calcinosis.analysis.validate.labelled_cases import read_diagnosed
from calcinosis.analysis.validate.metrics import log_loss


def drawn_world(model, seed):
    """A model whose every row is drawn from its Dirichlet distribution."""
    rng = np.random.default_rng(seed)
    moved = {}
    for name in model.variables:
        rows = model.network.rows(name) * model.network.weights[name][:, None]
        drawn = np.zeros_like(rows)
        for row, own in zip(drawn, rows, strict=True):
            row[own > 0] = rng.dirichlet(own[own > 0]).clip(1e-9)
        moved[name] = np.arange(len(rows)), drawn / drawn.sum(axis=1, keepdims=True)
    return cc.Model(model.network.with_rows(moved))


@pytest.mark.slow
def test_learning_helps_where_the_world_is_one_that_the_tables_allow(shipped, figure):
    """By the log loss of 20,000 others; how near it comes to what the true tables reach."""
    for seed in range(3):
        world = drawn_world(shipped, seed)
        others = read_diagnosed(shipped, world.simulate(20_000, missing=0.4, seed=99))
        learned = cc.learn.update(shipped, world.simulate(600, missing=0.4, seed=seed)).model
        every = np.ones((1, len(others)))
        before, after, best = (
            float(log_loss(replace(others, model=own).probabilities(), others.truth, every)[0])
            for own in (shipped, learned, world)
        )
        figure(
            f"log loss of others: {before:.3f} before, {after:.3f} learned from 600, {best:.3f} with the true tables"
        )
        assert best < after < before


def test_before_and_after_are_of_the_same_patients_and_before_is_the_network_as_it_is(shipped):
    cases = read_diagnosed(shipped, shipped.simulate(90, missing=0.3, seed=1))
    found = cc.learn.cross_validate(shipped, cases, folds=3)
    every = np.ones((1, 90))
    before = found.frame.set_index("metric")["before"]["log_loss"]
    assert before == pytest.approx(float(log_loss(cases.probabilities(), cases.truth, every)[0]))
    assert found.patients == 90


@pytest.mark.slow
def test_nobody_is_asked_by_tables_that_know_him(shipped):
    """One patient of a kind: whoever learned of him would be far less surprised."""
    drawn = shipped.simulate(40, seed=2)
    cases = read_diagnosed(shipped, drawn)
    after = cc.learn.cross_validate(shipped, cases, folds=40).frame.set_index("metric")["after"]["log_loss"]
    known = cc.learn.update(shipped, cases).model
    own = float(log_loss(replace(cases, model=known).probabilities(), cases.truth, np.ones((1, 40)))[0])
    assert own < after


def test_patients_without_a_diagnosis_teach_but_are_not_asked(shipped):
    drawn = shipped.simulate(60, missing=0.3, seed=3)
    drawn.loc[:19, "diagnosis"] = np.nan
    assert cc.learn.cross_validate(shipped, drawn, folds=4).patients == 40


@pytest.mark.parametrize("folds", [1, 100])
def test_too_many_parts_are_refused_in_words(shipped, folds):
    with pytest.raises(cc.errors.QuestionError, match="cannot be left out in"):
        cc.learn.cross_validate(shipped, shipped.simulate(30, seed=4), folds=folds)
