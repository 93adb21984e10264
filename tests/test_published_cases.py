"""The article's reasoning, and the examination on published cases, whose figures README.md repeats.

The cases are the exam. No table is set by them; what is asserted is what a first, untuned reading of the same evidence
reached (right first in 0.88, log loss 0.48), which better structure must beat.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import calcinosis as cc

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
HISTOLOGY = ("vascular_histology", "vasculopathy", "extravascular_calcification")


@pytest.fixture(scope="module")
def model():
    return cc.load()


@pytest.fixture(scope="module")
def patient(model):
    """The article's patient without her histology."""
    case = cc.cases().loc["jones2023"]
    return {name: case[name] for name in case.index if name in model.variables and name not in HISTOLOGY}


def test_before_histology_everything_points_to_calciphylaxis(model, patient):
    assert model.posterior(patient).leading == "calciphylaxis"


def test_three_negative_biopsies_turn_it_to_dystrophic(model, patient):
    assert model.posterior(patient, vascular_histology="absent,absent,absent").leading == "dystrophic"
    whole = cc.cases().loc["jones2023"]
    assert model.posterior({n: whole[n] for n in whole.index if n in model.variables}).leading == "dystrophic"


def test_each_negative_biopsy_lowers_calciphylaxis_by_a_smaller_factor(model, patient):
    odds = []
    for n in range(6):
        p = model.posterior(patient, vascular_histology=["absent"] * n)
        odds.append(p["calciphylaxis"] / p["dystrophic"])
    factors = [b / a for a, b in pairwise(odds)]
    assert all(factor < 1 for factor in factors)
    assert factors == sorted(factors)  # the later looks at the same vessels tell less


def test_the_examination_is_what_the_readme_says(model, figure):
    cases = cc.cases()
    answers = model.posteriors(cases)
    probability = answers[list(model.states)].to_numpy()
    truth = np.array([model.states.index(d) for d in cases["diagnosis"]])
    n = len(cases)
    rank = (probability > probability[np.arange(n), truth][:, None]).sum(axis=1)
    first, second = int((rank == 0).sum()), int((rank <= 1).sum())
    log_loss = float(-np.log(probability[np.arange(n), truth]).mean())
    brier = float(((probability - np.eye(5)[truth]) ** 2).sum(axis=1).mean())
    confusion = np.zeros((5, 5), dtype=int)
    np.add.at(confusion, (truth, probability.argmax(axis=1)), 1)
    figure(f"{n} published cases: first {first}, first two {second}, log loss {log_loss:.3f}, Brier {brier:.3f}")
    for state, row in zip(model.states, confusion, strict=True):
        figure(f"{state:>15} → {dict(zip(model.states, row.tolist(), strict=True))}")
    assert n == 149
    assert first / n > 0.88
    assert second / n >= 0.94
    assert log_loss < 0.48
    assert f"| right subtype first | {first} of {n} ({first / n:.2f}) |" in README
    assert f"| right subtype among the first two | {second} of {n} ({second / n:.2f}) |" in README
    assert f"| mean log loss (natural logarithm) | {log_loss:.3f} |" in README
    assert f"| Brier score (0 to 2) | {brier:.3f} |" in README
    for state, row in zip(model.states, confusion, strict=True):
        assert f"| {state} | {' | '.join(map(str, row))} |" in README


def test_cases_are_as_published(model):
    cases = cc.cases()
    assert cases.index.is_unique
    assert set(cases["diagnosis"]) <= set(model.states)
    assert not cases.isna().any().any()
