"""The printed test-then-treat decision (OpenMarkov's test network), to its digits."""

import numpy as np
import pytest
from decision_folders import printed_decision as printed

from calcinosis.analysis.decide.batch import DecisionBatch
from calcinosis.analysis.decide.decision import decide


@pytest.fixture(scope="module")
def decision():
    return decide(printed(), state="present")


def test_the_maximum_expected_utility_is_that_of_testing_first(decision):
    assert decision.leading == "test_first"
    found = dict(zip(decision.frame["action"], decision.frame["expected_utility"], strict=True))
    assert found["test_first"] == pytest.approx(9.3929, abs=5e-13)
    assert found["no_therapy"] == pytest.approx(9.02)
    assert found["therapy"] == pytest.approx(8.61)


def test_therapy_is_chosen_after_a_positive_result_only(decision):
    lines = decision.then.set_index("result")
    assert lines.loc["result=positive", "treatment"] == "therapy"
    assert lines.loc["result=negative", "treatment"] == "no_therapy"
    assert lines.loc["result=positive", "chance"] == pytest.approx(0.1532)
    assert lines.loc["result=positive", "present"] == pytest.approx(0.8316, abs=5e-5)
    assert lines.loc["result=negative", "present"] == pytest.approx(0.014879546528105)
    decided = decision.then["chance"].to_numpy()
    assert decided.sum() == pytest.approx(1)


def test_what_is_to_be_expected_is_what_was_printed(decision):
    """Health alone 9.6312, of which 9.895843174303259 after a negative result; therapy costs 0.0383."""
    line = decision.frame.set_index("action").loc["test_first"]
    assert line["therapy_cost"] * 0.25 == pytest.approx(0.0383)
    assert line["test_complication"] == 1
    health = line["expected_utility"] + 0.2 + 0.0383
    assert health == pytest.approx(9.6312)
    negative = 0.014879546528105 * 3 + (1 - 0.014879546528105) * 10
    assert negative == pytest.approx(9.895843174303259)


def test_the_treatment_threshold(decision):
    assert decision.thresholds.between("no_therapy", "therapy") == pytest.approx(0.208333, abs=5e-7)
    # harm over harm and benefit: 1.25 / (1.25 + 4.75)
    assert decision.thresholds.between("no_therapy", "therapy") == pytest.approx(1.25 / 6, abs=1e-12)
    assert decision.thresholds.between("therapy", "no_therapy") is None


def test_testing_has_its_two_thresholds(decision):
    """Below the first nothing is done, between them the test, above the second the therapy (Pauker and Kassirer 1980):
    the test is worth its cost where it is more than either, by its sensitivity and specificity."""
    frame = decision.thresholds.frame
    assert frame["action"].to_list() == ["no_therapy", "test_first", "therapy"]
    benefit, harm, cost, sensitivity, positive = 4.75, 1.25, 0.2, 0.91, 0.03
    testing = (positive * harm + cost) / (positive * harm + sensitivity * benefit)
    treating = ((1 - positive) * harm - cost) / ((1 - positive) * harm + (1 - sensitivity) * benefit)
    assert frame["to"].to_list()[:2] == pytest.approx([testing, treating], abs=1e-12)


def test_the_worth_of_the_test_and_of_perfect_information(decision):
    information = decision.value_of_information
    assert information.evpi == pytest.approx(0.6650)
    own = information.frame.set_index("test").loc["test"]
    assert own["evsi"] == pytest.approx(0.5729)
    assert own["net_evsi"] == pytest.approx(0.3729)
    assert information.frame["kind"].to_list()[-1] == "perfect"


def test_the_picture_is_made_of_the_same_values(decision):
    curve = decision.thresholds.curve
    at = curve["probability"].to_numpy()
    assert curve["therapy"].to_numpy() == pytest.approx(8.75 - at)
    assert curve["no_therapy"].to_numpy() == pytest.approx(10 - 7 * at)
    assert (curve["test_first"] + 0.2 >= curve[["therapy", "no_therapy"]].max(axis=1) - 1e-12).all()


def test_the_utility_that_would_have_to_change(decision):
    """Therapy without a test leads once the test costs more than it is worth: 0.5729."""
    changes = decision.changes.utilities.set_index("name")
    assert changes.loc["test_complication", "at"] == pytest.approx(0.5729)
    assert changes.loc["test_complication", "to"] == "no_therapy"


def test_a_state_that_is_certain_has_no_thresholds():
    model = printed()
    sure = model.with_tables({"disease": model.priors.table("disease").assign(absent=1 - 1e-300, present=1e-300)})
    assert decide(sure, state="present").leading == "no_therapy"
    assert DecisionBatch.of(decide(sure).problem).utilities().shape == (1, 3)
    assert np.isfinite(decide(sure).utilities).all()
