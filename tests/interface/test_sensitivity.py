"""`calcinosis sensitivity`: text, JSON and the report show the same record; faults are told in words."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

import calcinosis as cc
from calcinosis.interface.shell.app import app
from calcinosis.interface.words.sensitivity import tables_of
from calcinosis.knowledge.folder import shipped_folder

ROOT = Path(__file__).parents[2]
ROW = "warfarin=yes@esrd=no,subtype=calciphylaxis"
OTHER = "subtype=calciphylaxis@care_setting=hospital_inpatient"


@pytest.fixture(scope="module")
def model():
    return cc.load()


@pytest.fixture(scope="module")
def case(model):
    return {name: value for name, value in cc.cases().loc["jones2023"].items() if name in model.names and value}


@pytest.fixture
def run(monkeypatch):
    monkeypatch.delenv("CALCINOSIS_PRIORS", raising=False)
    monkeypatch.setenv("COLUMNS", "110")

    def call(*words: str):
        return CliRunner().invoke(app, ["sensitivity", *words])

    return call


@pytest.mark.slow
def test_json_is_the_record_that_python_gives(run, model, case):
    shown = json.loads(run("--case", "jones2023", "--draws", "200", "--most", "4", "--json").stdout)
    expected = json.loads(
        json.dumps(cc.sensitivity.overview(model.recorded("case_report"), case, draws=200).to_dict(4), allow_nan=False)
    )
    assert shown.pop("published")["diagnosis"] == "dystrophic"
    assert shown.pop("record") == "case_report"
    assert shown == expected
    assert len(shown["rows"]) == 4


@pytest.mark.slow
def test_text_names_the_rows_the_sources_and_the_weights(run, model, case):
    text = run("--case", "jones2023", "--record", "asked", "--draws", "200").stdout
    depends_on = cc.sensitivity.overview(model, case, draws=200).depends_on
    first = depends_on.iloc[0]
    joined = re.sub(r"\s+", "", text)
    assert re.sub(r"\s+", "", first["entry"]) in joined
    for source in first["source"].split(";"):
        assert source in text
    assert f" {first['weight']:g} " in text
    rows = f"depends on {len(depends_on)} rows"
    for part in (rows, "95% interval", "range found", "outer bound", "The smallest changes", cc.DISCLAIMER):
        assert part in text


def test_no_findings_no_fragile_rows_and_certainty_are_reported(run):
    assert "stays the most probable when any single row moves" in " ".join(run("--draws", "50").stdout.split())
    certain = run("subtype=idiopathic", "--draws", "50")
    assert certain.exit_code == 0
    assert "The smallest changes" not in certain.stdout


def test_two_entries_move_together(run):
    text = run("pain=severe", "--two-way", ROW, OTHER, "--draws", "50").stdout
    assert f"Moved together: x = {ROW}" in " ".join(text.split()).replace("esrd=no, subtype", "esrd=no,subtype")
    shown = json.loads(run("pain=severe", "--two-way", ROW, OTHER, "--draws", "50", "--json").stdout)
    assert shown["two_way"]["entries"] == [ROW, OTHER]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("target", "goal"),
    [
        (("--probability", "0.5"), "P(dystrophic) = 0.5"),
        (("--probability", "50%"), "P(dystrophic) = 0.5"),
        ((), "dystrophic leads"),
    ],
)
def test_the_smallest_changes_have_the_target_asked_for(run, target, goal):
    shown = json.loads(run("pain=severe", "--subtype", "dystrophic", *target, "--draws", "50", "--json").stdout)
    assert shown["changes"]["goal"] == goal


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--two-way", "warfrin=yes", OTHER], "warfrin=yes: no table 'warfrin': did you mean 'warfarin'?"),
        (["--two-way", "warfarin=yes", OTHER], "warfarin=yes: name a state of esrd, subtype, as in warfarin=no@"),
        (["--two-way", ROW, ROW], f"{ROW} is named twice: name two entries"),
        (["--subtype", "dystrofic"], "no state 'dystrofic' of subtype: did you mean 'dystrophic'?"),
        (
            ["--subtype", "dystrophic", "--probability", "1.2"],
            "the target probability is 1.2: give a number between 0 and 1",
        ),
        (["pain=severe", "--subtype", "calciphylaxis"], "calciphylaxis already ranks first: name another state"),
        (["pain=sever"], "pain=sever: no state 'sever': did you mean 'severe'?"),
        (["--case", "nobody"], "no published case 'nobody'"),
        (["subtype=dystrophic", "form=calciphylaxis_uraemic"], "impossible evidence"),
    ],
)
def test_what_is_at_fault_is_told_in_words(run, words, message):
    result = run(*words, "--draws", "20")
    assert result.exit_code == 1
    assert message in result.stderr.replace("\n", " ")
    told = json.loads(run(*words, "--draws", "20", "--json").stdout)
    assert message in told["message"].replace("\n", " ")


@pytest.mark.slow
def test_draws_that_cannot_be_made_are_told_in_words(run, tmp_path):
    assert "give a number from 2 to 10,000,000" in run("--draws", "20000000").stderr
    folder = tmp_path / "light"
    shutil.copytree(shipped_folder(), folder)
    for table in (folder / "tables").glob("*.csv"):
        pd.read_csv(table, dtype=str, keep_default_na=False).assign(weight="0.0001").to_csv(table, index=False)
    result = run("--priors", str(folder), "--case", "jones2023", "--draws", "20")
    assert result.exit_code == 1
    assert "the findings have probability 0 in every draw" in result.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["--epsilon", "1.5"],
        ["--scheme", "random"],
        ["--draws", "1"],
        ["--file", "x.csv", "pain=severe"],
        ["--probability", "0.5"],
        ["--subtype", "dystrophic", "--probability", "much"],
    ],
)
def test_wrong_usage_ends_with_two(run, words):
    assert run(*words).exit_code == 2


@pytest.fixture
def patients(tmp_path, model):
    """A file of three published patients."""
    frame = cc.cases().iloc[[0, 3, 20]].reset_index()
    file = tmp_path / "patients.csv"
    frame[["case_id", *(name for name in frame if name in model.names)]].to_csv(file, index=False)
    return file


@pytest.mark.slow
def test_a_file_shows_what_matters_across_its_patients(run, patients, tmp_path, model):
    result = run("--file", str(patients), "--draws", "100")
    assert result.exit_code == 0
    assert "What 3 diagnoses depend on" in result.stdout
    assert cc.DISCLAIMER in result.stdout
    shown = json.loads(run("--file", str(patients), "--draws", "100", "--out", str(tmp_path / "o"), "--json").stdout)
    assert [line["patient"] for line in shown["patients"]] == pd.read_csv(patients)["case_id"].to_list()
    assert sorted(path.name for path in (tmp_path / "o").iterdir()) == [
        "entries.csv",
        "index.html",
        "patients.csv",
        "sources.csv",
    ]
    assert len(pd.read_csv(tmp_path / "o" / "entries.csv")) == len(model.entries.names)


def test_faults_of_a_file_are_told_by_patient(run, tmp_path, contradictory):
    file = tmp_path / "patients.csv"
    file.write_text("patient,ulceration,livedo\nann,no,\nbob,no,yes\n", encoding="utf-8")
    result = run("--file", str(file), "--draws", "20", "--priors", str(contradictory))
    assert result.exit_code == 1
    assert "patient bob: ulceration, livedo" in result.stderr
    file.write_text("patient,pain\nann,severe\nann,none\n", encoding="utf-8")
    assert "two patients are named ann" in run("--file", str(file), "--draws", "20").stderr


@pytest.mark.slow
def test_every_analysis_is_asked_of_each_patient_of_a_file(run, patients, tmp_path, model):
    words = ["--file", str(patients), "--draws", "20", "--subtype", "calciphylaxis", "--two-way", ROW, OTHER]
    words += ["--epsilon", "0.02"]
    shown = json.loads(run(*words, "--out", str(tmp_path / "o"), "--json").stdout)
    names = pd.read_csv(patients)["case_id"].to_list()
    assert [line["patient"] for line in shown["changes"]] == names
    known = {name: value for name, value in cc.cases().loc[names[0]].items() if name in model.names and value}
    alone = cc.sensitivity.smallest_changes(model, known, state="calciphylaxis")
    assert shown["changes"][0]["entry"] == alone.entries["entry"].iloc[0]
    assert shown["changes"][0]["bound"] == alone.bound
    leading = {line["patient"]: line["leading"] for line in shown["patients"]}
    for line in shown["changes"]:
        assert ("already ranks first" in (line["not_asked"] or "")) == (leading[line["patient"]] == "calciphylaxis")
    assert len(shown["robust"]) == 5 * len(names)
    assert {line["patient"] for line in shown["two_way_boundary"]} <= set(names)
    assert {"changes.csv", "robust.csv", "two_way_boundary.csv"} <= {path.name for path in (tmp_path / "o").iterdir()}
    text = run(*words).stdout
    for title in ("Changes, of each patient", "Two way boundary, of each patient", "Robust, of each patient"):
        assert title in text
    assert "no state 'dystrofic'" in run("--file", str(patients), "--subtype", "dystrofic").stderr


@pytest.mark.slow
def test_a_report_holds_every_table_and_figure_and_a_page_that_names_them(run, tmp_path, model, case):
    out = tmp_path / "report"
    words = ["--case", "jones2023", "--record", "asked", "--draws", "300", "--two-way", ROW, OTHER, "--out", str(out)]
    result = run(*words)
    assert result.exit_code == 0, result.stderr
    assert f"open {out / 'index.html'}" in result.stdout.replace("\n", "")
    page = (out / "index.html").read_text(encoding="utf-8")
    found = cc.sensitivity.overview(model, case, draws=300, entries=(ROW, OTHER))
    for name, frame in tables_of(found).items():
        assert f'href="{name}.csv"' in page
        assert len(pd.read_csv(out / f"{name}.csv")) == len(frame), name
    pictures = {path.name for path in out.glob("*.svg")}
    assert pictures == set(re.findall(r'img src="([^"]+)"', page))
    assert {"tornado.svg", "curves.svg", "distribution.svg", "variance_by_source.svg", "two_way.svg"} <= pictures
    assert cc.DISCLAIMER in page
    assert not re.search(r"(src|href)=\"(https?:)?//", page)  # nothing is fetched
    assert f">{found.depends_on.iloc[0]['weight']:g}<" in page
    again = run(*words)
    assert again.exit_code == 1
    assert "holds files already" in again.stderr
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    assert run(*words, "--force").exit_code == 0
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_a_folder_that_is_a_file_is_refused(run, tmp_path):
    file = tmp_path / "report"
    file.write_text("", encoding="utf-8")
    assert "is no folder" in run("--draws", "20", "--out", str(file)).stderr


@pytest.mark.slow
def test_the_script_writes_the_same_report(tmp_path):
    script = ROOT / "notebooks" / "scripts" / "sensitivity_report.py"
    assert len(script.read_text(encoding="utf-8").splitlines()) < 40
    for words in (["jones2023"], ["pain=severe", "warfarin=yes"]):
        folder = tmp_path / words[0]
        done = subprocess.run(
            [sys.executable, str(script), *words, str(folder)], capture_output=True, text=True, check=True
        )
        assert "index.html" in done.stdout
        assert (folder / "tornado.svg").exists()
