"""`calcinosis weigh`: the weight of a row from the range that an expert would bet on."""

import json
from dataclasses import asdict

import pytest
from typer.testing import CliRunner

import calcinosis as cc
from calcinosis.interface.shell.app import app


def run(*words):
    return CliRunner().invoke(app, ["weigh", *map(str, words)])


def test_the_weight_is_told_with_what_it_implies():
    result = run(0.02, "--range", 0.003, 0.05)
    assert result.exit_code == 0
    assert result.stdout == (
        "Weight 118: 2%, 95% range 0.31 to 5.2%; the odds at its upper limit are 17 times those at its lower.\n"
        f"{cc.DISCLAIMER}\n"
    )


def test_json_says_the_same_for_programs():
    shown = json.loads(run(0.02, "--range", 0.003, 0.05, "--json").stdout)
    assert shown == json.loads(json.dumps(asdict(cc.weight_for(0.02, low=0.003, high=0.05))))


def test_a_range_that_no_row_with_this_probability_has_is_told():
    for numbers in ((0.05, 0.0499, 0.9), (0.999, 0.01, 0.9999), (0.5, 0.1, 0.500001)):
        assert "No weight gives the range that was asked for" in run(numbers[0], "--range", *numbers[1:]).stdout


@pytest.mark.parametrize("numbers", [(0.02, 0.03, 0.05), (0.02, 0, 0.05), (2, 1, 3)])
def test_a_range_without_the_probability_is_refused(numbers):
    result = run(numbers[0], "--range", *numbers[1:])
    assert result.exit_code == 1
    assert "expected 0 < low < probability < high < 1" in result.stderr
    shown = json.loads(run(numbers[0], "--range", *numbers[1:], "--json").stdout)
    assert shown["error"] == "QuestionError"


def test_a_range_is_needed_and_has_two_ends():
    assert run(0.02).exit_code == 2
    assert run(0.02, "--range", 0.003).exit_code == 2
    assert run("two", "--range", 0.003, 0.05).exit_code == 2
