"""Many equal results are one computation, whatever is asked; and what is shown of them stays short."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest

import calcinosis as cc
from calcinosis.analysis.whatif import changes as alternatives
from calcinosis.inference.findings import encoding as coding
from calcinosis.inference.findings.grammar import LONGEST
from calcinosis.inference.findings.measurement import split_measurement

BIOPSY = "vascular_histology"


@pytest.fixture(scope="module")
def model():
    return cc.load()


def many(number, others=0):
    return {BIOPSY: ["absent"] * number + ["intramural_calcification"] * others}


@pytest.mark.parametrize("ask", [cc.whatif.sweep, cc.whatif.flips, cc.whatif.pairs, cc.next_test, cc.decide])
def test_the_work_does_not_grow_with_the_number_of_equal_results(model, ask, monkeypatch):
    """Counted in findings that are put on the scale of the codes, the inner step of all of these."""
    counts = []
    for number in (5, 50, 500):
        calls = []

        def counting(likelihoods, calls=calls, original=coding.canonical):
            calls.append(len(likelihoods))
            return original(likelihoods)

        with monkeypatch.context() as patch:
            patch.setattr(coding, "canonical", counting)
            patch.setattr(alternatives, "canonical", counting)
            ask(model, many(number, 2))
        counts.append(len(calls))
    assert max(counts) <= counts[0] + 2  # a list of 500 is read without the shortcut


def test_of_equal_results_one_stands_for_all(model):
    few, lot = (cc.whatif.sweep(model, many(number, 1)).frame.query("variable == @BIOPSY") for number in (2, 40))
    assert few["kind"].to_list() == lot["kind"].to_list()


@pytest.mark.slow
def test_a_hundred_thousand_results_are_understood_and_told_in_short(model):
    posterior = model.posterior(many(100_000))
    assert len(posterior.evidence[BIOPSY].likelihoods) == 100_000
    assert posterior.evidence[BIOPSY].given == "absent, 100000 times"
    assert len(repr(posterior)) < 5_000
    assert max(map(len, cc.whatif.sweep(model, many(100_000)).frame["value"])) < 200
    assert cc.sensitivity.one_way(model, many(100_000)).frame["derivative"].notna().all()


def test_what_needs_each_result_by_itself_says_that_there_are_too_many(model):
    with pytest.raises(cc.errors.QuestionError, match="2,000 results are too many to add one by one"):
        cc.whatif.trajectory(model, many(2_000))
    with pytest.raises(
        cc.errors.QuestionError,
        match="2,000 results of vascular_histology: conflict and rarity are available for at most 1,000",
    ):
        _ = model.posterior(many(2_000)).fit


def test_no_draw_of_the_tables_is_lost_where_many_results_make_all_improbable(model):
    decision = cc.decide(model, many(3_000), draws=500)
    assert np.isfinite(decision.frame.select_dtypes("number").to_numpy()).any()
    assert "nan" not in repr(decision)


def seconds(work, text):
    best = math.inf
    for _ in range(3):
        start = time.perf_counter()
        work(text)
        best = min(best, time.perf_counter() - start)
    return best


LONG = {
    "spaces": lambda n: f"1{' ' * n}a\nb",
    "digits and spaces": lambda n: f"1{' 1' * n}\n",
    "digits": lambda n: "1" * n + "\n",
    "points": lambda n: "1." * n + "\n",
}


@pytest.mark.parametrize("text", LONG.values(), ids=LONG)
def test_a_cell_is_cut_into_number_and_unit_in_time_that_grows_with_its_length(text):
    """Ten times the length takes about ten times as long; with the square of the length it would be a hundred."""
    assert seconds(split_measurement, text(40_000)) < 40 * seconds(split_measurement, text(4_000)) + 1e-3


def test_a_cell_that_is_too_long_is_refused_and_not_echoed(model):
    with pytest.raises(cc.errors.FindingsError) as caught:
        model.posterior({BIOPSY: ",".join(["absent"] * LONGEST)})
    assert "of which at most 10,000 are read" in str(caught.value)
    assert len(str(caught.value)) < 400
