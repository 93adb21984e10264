"""`calcinosis decide`: text, JSON and report show the record that Python gives; figures show its numbers."""

from __future__ import annotations

import json
import re
from itertools import combinations

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text
from typer.testing import CliRunner

import calcinosis as cc
from calcinosis.interface.figures import decide as figures
from calcinosis.interface.shell.app import app
from calcinosis.knowledge.folder import copy_folder, shipped_folder

mpl.use("Agg")
BIOPSY = ("--drop", "vascular_histology", "--drop", "vasculopathy", "--drop", "extravascular_calcification")
HISTOLOGY = BIOPSY[1::2]
FEW = ("--draws", "500")


@pytest.fixture(scope="module")
def model():
    return cc.load(shipped_folder())


@pytest.fixture(scope="module")
def patient(model):
    case = cc.cases(shipped_folder()).loc["jones2023"]
    return {n: value for n, value in case.items() if n in model.names and value and n not in HISTOLOGY}


@pytest.fixture(scope="module")
def found(model, patient):
    return cc.decide(model.recorded("case_report"), patient, draws=500)  # what --case reads it as


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.delenv("CALCINOSIS_PRIORS", raising=False)
    monkeypatch.setenv("COLUMNS", "150")
    monkeypatch.chdir(tmp_path)

    def call(*words, code=0):
        result = CliRunner().invoke(app, ["decide", *words])
        assert result.exit_code == code, result.output
        return result.stdout if code == 0 else result.stderr

    return call


@pytest.mark.slow
def test_text_and_json_show_the_record_that_python_gives(run, found):
    told = json.loads(run("--case", "jones2023", *BIOPSY, *FEW, "--most", "3", "--json"), parse_constant=pytest.fail)
    assert told.pop("published")["diagnosis"] == "dystrophic"
    assert told.pop("record") == "case_report"
    assert told == json.loads(json.dumps(found.to_dict(3)))
    text = " ".join(run("--case", "jones2023", *BIOPSY, *FEW).split())
    assert found.summary in text
    for words in (
        "It is not advice",
        "Expected outcomes of each action",
        "wedge_first ends in",
        "Value of information, in points",
        "Rows of the tables with which wedge_first would no longer rank first",
        cc.DISCLAIMER,
        found.posterior.digest[:12],
    ):
        assert words in text


def test_values_and_actions_are_taken_from_the_command(run, model, patient):
    words = ("--utility", "infusions=0", "--utility", "died = 5", "--without", "excision", "--subtype", "dystrophic")
    told = json.loads(run("--case", "jones2023", *BIOPSY, *FEW, *words, "--json"))
    values = {"infusions": 0, "died": 5}
    reader = model.recorded("case_report")
    own = cc.decide(reader, patient, utilities=values, without=["excision"], state="dystrophic", draws=500)
    told.pop("published")
    assert told.pop("record") == "case_report"
    assert told == json.loads(json.dumps(own.to_dict(5)))
    assert told["thresholds"]["state"] == "dystrophic"


@pytest.mark.slow
def test_the_report_has_every_table_and_figure(run, found, tmp_path):
    out = tmp_path / "report"
    words = ("--case", "jones2023", *BIOPSY, *FEW, "--out", str(out), "--map", "infusions, improved ,died")
    assert f"open {out}/index.html" in run(*words)
    names = {path.name for path in out.iterdir()}
    for name in ("actions", "thresholds", "testing", "utilities", "map"):
        assert f"{name}.svg" in names
    for name in ("actions", "expected", "then", "testing", "changes_utilities", "changes_responses", "changes_tables"):
        assert f"{name}.csv" in names
    actions = pd.read_csv(out / "actions.csv")
    pd.testing.assert_frame_equal(actions, found.spread)
    page = (out / "index.html").read_text(encoding="utf-8")
    assert "not advice" in page
    assert "1 of 16 complications was fatal" in page  # why a value is what it is
    assert re.search(r"complication of the operation: \d+<br>complication of a biopsy", page)  # a line for each harm
    assert cc.DISCLAIMER in page


def test_many_patients_get_a_line_each(run, tmp_path):
    (tmp_path / "two.csv").write_text("id,pain,ulceration\nann,severe,yes\nbob,none,no\n", encoding="utf-8")
    text = run("--file", "two.csv", *FEW)
    assert "What has the highest expected utility" in text
    assert "ann" in text
    assert "not advice" in text
    told = json.loads(run("--file", "two.csv", *FEW, "--json"))
    assert [own["patient"] for own in told] == ["ann", "bob"]
    assert all(own["actions"] for own in told)


def test_a_patient_with_every_test_done_has_no_test_to_choose(run, model):
    known = [
        f"{v.name}={v.state_names[0]}"
        for v in model.variables.values()
        if v.group not in ("outcome", "hidden", "histology")
    ]
    text = " ".join(run(*known, *FEW).split())
    assert "Value of information" in text


@pytest.mark.slow
def test_the_decision_curve_of_a_file_or_of_the_published_cases(run, tmp_path):
    text = run("--curve", "published", "--draws", "100")
    assert "They do not represent a clinic" in " ".join(text.split())
    assert f"Net benefit, {len(cc.cases(shipped_folder()))} patients" in text
    cc.cases(shipped_folder()).head(30).to_csv(tmp_path / "cases.csv")
    told = json.loads(run("--curve", "cases.csv", "--subtype", "dystrophic", "--draws", "100", "--json"))
    assert (told["state"], told["patients"]) == ("dystrophic", 30)
    run("--curve", "published", "--draws", "100", "--out", "curve")
    assert {path.name for path in (tmp_path / "curve").iterdir()} == {
        "decision_curve.csv",
        "decision_curve.svg",
        "index.html",
    }


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("--utility", "infusions"), 1, "--utility infusions: no value: write for instance infusions=0"),
        (("--utility", "infusions=much"), 1, "--utility infusions=much: no value: write for instance infusions=0"),
        (("--utility", "infusion=1"), 1, "no utility 'infusion': did you mean 'infusions'?"),
        (("--utility", "died=-1"), 1, "the utility of died is -1: give a number of points from 0 to 100"),
        (("--without", "surgery"), 1, "no action 'surgery'"),
        (("--subtype", "gout"), 1, "no state 'gout' of subtype"),
        (("--map", "infusions"), 1, "a map of infusions: name two or three utilities, each once"),
        (("--map", "infusions,dyed"), 1, "no utility 'dyed': did you mean 'died'?"),
        (("pain=sever",), 1, "did you mean 'severe'?"),
        (("--curve", "no.csv"), 1, "no.csv: there is no such file"),
        (("--curve", "published", "pain=severe"), 2, "--curve brings its own patients"),
        (("--draws", "1"), 2, "--draws"),
        (("--file", "x.csv", "pain=none"), 2, "--file brings its own findings"),
    ],
)
def test_what_is_wrong_is_told_in_words(run, words, code, told):
    assert told in " ".join(run(*words, code=code).replace("│", " ").split())


def test_a_folder_without_decisions_says_so(run, tmp_path):
    import shutil

    folder = copy_folder(shipped_folder(), tmp_path / "bare")
    shutil.rmtree(folder / "decisions")
    assert "these priors have no decisions" in run("pain=severe", "--priors", str(folder), code=1)


def test_a_fault_of_the_decisions_is_told_with_file_and_line(run, tmp_path):
    folder = copy_folder(shipped_folder(), tmp_path / "mine")
    path = folder / "decisions" / "utilities.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(",90,", ",190,"), encoding="utf-8")
    assert "decisions/utilities.csv:5: value: 190: a value above 100: write points from 0 to 100" in run(
        "pain=severe", "--priors", str(folder), code=1
    )


DRAWN = {
    "actions": figures.actions,
    "thresholds": lambda own: figures.thresholds(own.thresholds),
    "testing": figures.value_of_testing,
    "utilities": figures.utilities,
    "map": lambda own: figures.utility_map(own.map("infusions", "improved")),
    "map of three": lambda own: figures.utility_map(own.map("infusions", "improved", "died")),
    "curve": lambda own: figures.decision_curve(
        cc.decision_curve(own.problem.model, cc.cases(shipped_folder()), draws=50)
    ),
}


@pytest.mark.parametrize("name", DRAWN)
@pytest.mark.parametrize("known", ["patient", "nobody"])
def test_a_figure_has_its_words_beside_each_other_and_says_what_it_is_not(name, known, found, model):
    own = found if known == "patient" else cc.decide(model, {}, draws=500)
    figure = DRAWN[name](own).get_figure(root=True)
    figure.draw_without_rendering()
    boxes = []
    for text in figure.findobj(Text):
        if text.get_visible() and text.get_text().strip():
            boxes.append((text.get_window_extent(), text.get_text()))
    assert any("Not a medical device" in words for _, words in boxes)
    for (one, first), (two, second) in combinations(boxes, 2):
        wide = min(one.x1, two.x1) - max(one.x0, two.x0)
        high = min(one.y1, two.y1) - max(one.y0, two.y0)
        assert wide < 2 or high < 2, (first, second)


def test_the_threshold_picture_shows_each_threshold_and_the_patient(found):
    ax = figures.thresholds(found.thresholds)
    words = {text.get_text() for text in ax.texts}
    assert {"22%", "85%", "91%", "now 59%"} <= words
    lines = {line.get_label(): line for line in ax.lines if not line.get_label().startswith("_")}
    curve = found.thresholds.curve
    np.testing.assert_allclose(lines["Wound care and waiting"].get_ydata(), curve["wound_care"])


def test_a_utility_that_is_given_twice_is_refused(run):
    assert "given twice: infusions" in run("--utility", "infusions=0", "--utility", "infusions=1", code=1)
