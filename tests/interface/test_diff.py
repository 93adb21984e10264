"""Two priors folders compared: the rows that differ and the answers that move, in Python and in the shell."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

import calcinosis as cc
from calcinosis.interface.shell.app import app

FINDINGS = {"warfarin": "yes", "esrd": "no", "pain": "severe"}


def run(*words):
    return CliRunner().invoke(app, list(words))


@pytest.fixture(scope="module")
def edited(shipped):
    return shipped.with_row("warfarin", subtype="calciphylaxis", esrd="no", yes=0.05)


def test_a_model_is_the_same_as_itself(shipped):
    result = cc.compare(shipped, shipped, FINDINGS)
    assert result.rows.empty
    assert (result.frame["difference"] == 0).all()
    assert result.summary == "The tables are the same; the most probable state is the same."


def test_one_patient_has_the_posterior_of_each_model(shipped, edited):
    result = cc.compare(shipped, edited, FINDINGS, record="case_report")
    for column, model in (("first", shipped), ("second", edited)):
        expected = list(model.probabilities(FINDINGS, record="case_report").values())
        np.testing.assert_array_equal(result.frame[column], expected)
    assert result.rows["table"].unique().tolist() == ["warfarin"]
    assert result.rows.set_index("state").loc["yes", "second"] == 0.05


def test_many_patients_have_the_answers_of_each_model(shipped, edited):
    cases = cc.cases()
    result = cc.compare(shipped, edited, cases)
    one, other = (model.posteriors(cases)["leading"].astype(str) for model in (shipped, edited))
    assert result.patients["first"].tolist() == one.tolist()
    assert result.patients["second"].tolist() == other.tolist()
    assert result.summary.endswith(f"changes in {(one != other).sum()} of 149 patients.")


def test_models_of_other_states_are_refused(shipped, build):
    tables = {"kind": ("p q", "", [0.5, 0.5])}
    with pytest.raises(cc.errors.QuestionError, match="different targets or states"):
        cc.compare(shipped, cc.Model(build("kind", tables)))


def test_the_shell_shows_what_python_gives(tmp_path, shipped):
    folder = tmp_path / "mine"
    assert run("init", str(folder)).exit_code == 0
    table = folder / "tables" / "warfarin.csv"
    text = table.read_text(encoding="utf-8")
    lines = [
        "calciphylaxis,no,0.95,0.05," + line.split(",", 4)[4] if line.startswith("calciphylaxis,no,") else line
        for line in text.splitlines()
    ]
    table.write_text("\n".join(lines) + "\n", encoding="utf-8")
    words = ["warfarin=yes", "esrd=no"]
    shown = json.loads(run("diff", shipped.priors.folder, str(folder), *words, "--json").stdout)
    expected = cc.compare(shipped, cc.load(folder), dict(word.split("=") for word in words))
    assert shown == json.loads(json.dumps(expected.to_dict()))
    text = run("diff", shipped.priors.folder, str(folder)).stdout
    assert "1 row differs; the most probable state changes in" in text
    assert "not a medical device" in text.casefold()
