"""The figures of MODEL_CARD.md are those that the command fills in, and it says what TRIPOD asks for."""

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest

import calcinosis as cc
from calcinosis.analysis.validate import metrics
from calcinosis.analysis.validate.calibration import calibration_error
from calcinosis.analysis.validate.labelled_cases import read_cases

pytestmark = pytest.mark.docs

ROOT = Path(__file__).parents[1]
CARD = (ROOT / "MODEL_CARD.md").read_text(encoding="utf-8")
README = (ROOT / "notebooks" / "guide.md").read_text(encoding="utf-8")


@pytest.fixture
def script(monkeypatch):
    monkeypatch.delenv("CALCINOSIS_PRIORS", raising=False)
    spec = importlib.util.spec_from_file_location("model_card", ROOT / "notebooks" / "scripts" / "model_card.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_figures_are_those_of_the_code(script):
    assert script.filled(CARD) == CARD


def test_a_block_that_is_missing_is_told(script):
    with pytest.raises(SystemExit, match="needs one block performance"):
        script.filled(CARD.replace("<!-- performance -->", ""))


def test_every_item_of_tripod_is_there():
    items = {int(n) for heads in re.findall(r"^## ([\d and]+) ·", CARD, flags=re.M) for n in heads.split(" and ")}
    assert items == set(range(1, 23))


def test_it_says_what_it_is_not():
    assert "Not a medical device; not medical advice" in CARD


@pytest.mark.parametrize("patients", [59, 149])
def test_the_present_tables_answer_as_the_card_says(patients):
    """The first 59 cases of the file are those that came with the former tables."""
    found = read_cases(cc.load(), cc.cases().head(patients), record="asked")
    answers, truth, weights = found.probabilities(), found.truth, np.ones((1, patients))
    functions = (metrics.accuracy, metrics.top_two, metrics.log_loss, metrics.brier, calibration_error)
    right, second, *others = (float(function(answers, truth, weights)[0]) for function in functions)
    shares = [f"{own * patients:.0f} ({own:.2f})" for own in (right, second)]
    assert f"| {patients} | present | {' | '.join([*shares, *(f'{own:.3f}' for own in others)])} |" in CARD


def test_the_widths_of_the_intervals_are_as_the_card_says(script):
    model = cc.load()
    cases = cc.cases()
    widths = {"asked": [], "record": []}
    for _, case in cases.iterrows():
        findings = {name: value for name, value in case.items() if name in model.names and value}
        for name, record in (("asked", "asked"), ("record", case["record"])):
            posterior = model.posterior(findings, record=record)
            limits = posterior.interval(0.95).loc[posterior.leading]
            widths[name].append(100 * (limits["upper"] - limits["lower"]))
    asked, record = (np.median(own) for own in widths.values())
    text = " ".join(CARD.split())
    assert (
        f"has a median width of {asked:.0f} points, or of {record:.0f} with each patient's own kind of record" in text
    )


def test_the_readme_has_the_figures_of_the_cross_validation():
    found = re.search(
        r"the network's \| own kind of record, cross-validated \| ([\d.]+) \| [\d.]+ \| ([\d.]+) \|", CARD
    )
    right, loss = round(149 * float(found[1])), found[2]
    words = f"(tenfold cross-validation) {right} are right and the log loss is {loss}"
    assert words in " ".join(README.split())


def test_the_items_of_tripod_ai_are_there():
    for item in ("Fairness", "Open science", "Patient and public involvement"):
        assert f"## TRIPOD+AI · {item}\n" in CARD
