"""Extreme questions have finite answers: no findings or all, certainty, hundreds of results, hardly any weight."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import calcinosis as cc
from calcinosis.knowledge.folder import shipped_folder
from calcinosis.knowledge.frozen import FrozenMap

MODEL = cc.load(shipped_folder())

EXTREMES = {
    "nothing": {},
    "the answer": {"subtype": "dystrophic"},
    "a form": {"form": "idiopathic_genital"},
    "likelihoods": {"subtype": "dystrophic/metastatic", "pain": "none:0.2,severe:0.8"},
    "300 biopsies": {"vascular_histology": ["absent"] * 300},
    "mixed biopsies": {"vascular_histology": ["absent", "intramural_calcification"] * 10},
}


@pytest.mark.parametrize("weight", [None, 1e-3, 1.0, 1e6])
@pytest.mark.parametrize("findings", EXTREMES.values(), ids=EXTREMES)
def test_extreme_questions_have_finite_answers(findings, weight):
    model = MODEL
    if weight is not None:
        weights = {name: np.full(table.shape[:-1], weight) for name, table in MODEL.network.tables.items()}
        model = cc.Model(replace(MODEL.network, weights=weights))
    found = cc.sensitivity.overview(model, findings, draws=100)
    json.dumps(found.to_dict(None), allow_nan=False)
    numbers = found.one_way.frame[["lower", "upper", "at_lower", "at_upper", "derivative"]].to_numpy()
    assert np.isfinite(numbers).all()
    assert found.uncertainty.frame.drop(columns=model.target).notna().all(axis=None)


@pytest.mark.slow
def test_every_variable_observed_has_an_answer():
    for patient in MODEL.simulate(3, hidden=True, seed=2).drop(columns="diagnosis").to_dict("records"):
        found = cc.sensitivity.overview(MODEL, patient, draws=50)
        assert np.isfinite(found.one_way.frame[["at_lower", "at_upper", "derivative"]].to_numpy()).all()


def test_a_network_without_weights_has_sensitivities_and_no_intervals():
    model = cc.Model(replace(MODEL.network, weights={}))
    found = cc.sensitivity.overview(model, {"pain": "severe"})
    assert found.uncertainty is None
    assert (found.one_way.frame["lower"] == found.one_way.frame["value"]).all()
    with pytest.raises(ValueError, match="the rows of this network have no weights"):
        cc.sensitivity.uncertainty(model, {"pain": "severe"})


SCALES = [5e-324, 1e-310, 1e-200, 1e200, 1e307]


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize(
    "ask",
    [
        lambda m, f: cc.sensitivity.one_way(m, f).frame.select_dtypes("number"),
        lambda m, f: cc.whatif.sweep(m, f).frame.select_dtypes("number"),
        lambda m, f: cc.sensitivity.robust_bounds(m, f).frame.select_dtypes("number"),
        lambda m, f: cc.sensitivity.smallest_changes(m, f).rows.select_dtypes("number"),
        lambda m, f: cc.decide(m, f, draws=300).frame.select_dtypes("number"),
        lambda m, f: m.posterior(f).interval(),
    ],
    ids=["one_way", "sweep", "robust", "changes", "decide", "interval"],
)
def test_the_scale_of_likelihoods_changes_no_analysis(ask, scale):
    """A likelihood below the normal numbers says the same as 1: only ratios of likelihoods mean anything."""
    pd.testing.assert_frame_equal(
        ask(MODEL, {"pain": {"none": scale}, "ulceration": "yes"}),
        ask(MODEL, {"pain": "none", "ulceration": "yes"}),
        rtol=1e-9,
        atol=1e-12,
    )


def test_decisions_whose_draws_all_rule_the_findings_out_are_refused_as_intervals_are():
    """Rates near 1 with hardly any weight are 1 in every draw, so no record would be silent."""
    reporting = {
        kind: FrozenMap(
            {
                name: replace(
                    table, rows=tuple(replace(row, probabilities=(1e-6, 1 - 1e-6), weight=1.0) for row in table.rows)
                )
                for name, table in rates.items()
            }
        )
        for kind, rates in MODEL.priors.reporting.items()
    }
    extreme = cc.Model.from_priors(replace(MODEL.priors, reporting=FrozenMap(reporting))).recorded("case_report")
    decision = cc.decide(extreme, draws=100)
    for ask in (lambda: decision.spread, lambda: decision.summary, lambda: extreme.posterior().interval()):
        with pytest.raises(ValueError, match="the findings have probability 0 in every draw of the tables"):
            ask()


def test_few_effective_draws_of_a_decision_are_reported_with_their_number():
    few, many = (cc.decide(MODEL, pain="severe", draws=draws) for draws in (60, 2000))
    size = 1 / (few.draws.weights**2).sum()
    assert f"The effective sample size is only {size:.0f}, so these limits are rough." in few.summary
    assert few.to_dict()["effective_draws"] == pytest.approx(size)
    assert "effective sample size" not in many.summary
