"""`calcinosis update`: a new folder that `check` accepts, the old untouched; `--forget` gives it back byte for byte."""

import json
import shutil
from filecmp import cmpfiles
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

import calcinosis as cc
from calcinosis.interface.shell.app import app
from calcinosis.knowledge.folder import shipped_folder

QUICK = ("--folds", "0")


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.delenv("CALCINOSIS_PRIORS", raising=False)
    monkeypatch.setenv("COLUMNS", "150")
    monkeypatch.chdir(tmp_path)

    def call(*words, code=0):
        result = CliRunner().invoke(app, list(words))
        assert result.exit_code == code, result.output
        return " ".join((result.stdout if code == 0 else result.stderr).split())

    return call


@pytest.fixture
def cases(shipped, tmp_path):
    """A file of 80 patients with half of the cells missing, some without a diagnosis."""
    drawn = shipped.simulate(80, missing=0.5, repeats={"vascular_histology": 2}, seed=3).astype(object)
    drawn.loc[::9, "diagnosis"] = ""
    drawn.to_csv(tmp_path / "cases.csv", index_label="patient")
    return "cases.csv"


def same_files(one, other):
    """Whether two folders hold the same files, byte for byte."""
    names = [
        sorted(
            str(path.relative_to(folder))
            for path in Path(folder).rglob("*")
            if path.is_file() and "__" not in str(path)
        )
        for folder in (one, other)
    ]
    return names[0] == names[1] and not any(cmpfiles(one, other, names[0], shallow=False)[1:])


@pytest.mark.slow
def test_the_new_folder_is_accepted_and_the_old_one_untouched(run, cases, tmp_path, shipped):
    run("init", "mine")
    shutil.copytree("mine", "before")
    told = run("update", cases, "--priors", "mine", "--out", "new", "--name", "Ward 7", *QUICK)
    assert same_files("mine", "before")
    assert "Learned from 80 patients, 71 with a diagnosis: log likelihood" in told
    assert "Before learning: The cohort is consistent with the tables" in told
    assert "--keep subtype --keep care_setting" in told
    assert cc.DISCLAIMER in told
    assert "no errors in its files" in run("check", "new")
    new = cc.load("new")
    assert new.digest[:12] in told
    assert new.priors.sources["ward_7"].citation == "Ward 7, 80 patients"
    row = new.priors.tables["pain"].rows[0]
    assert "ward_7" in row.sources
    assert "Ward 7: " in row.note
    assert row.weight > shipped.priors.tables["pain"].rows[0].weight


@pytest.mark.slow
def test_the_folder_says_what_python_says(run, cases):
    run("update", cases, "--out", "new", "--name", "Ward 7", *QUICK)
    frame = pd.read_csv(cases, dtype=object, keep_default_na=False)
    found = cc.learn.update(cc.load(shipped_folder()), frame, name="Ward 7")
    ours, theirs = found.model.network, cc.load("new").network
    for name, table in ours.tables.items():
        assert (theirs.tables[name] == table).all()
        assert (theirs.weights[name] == ours.weights[name]).all()


def dressed(folder):
    """A folder as a spreadsheet may leave it: byte-order mark, CRLF, odd numbers, no line end at the end."""
    path = folder / "tables" / "sex.csv"
    text = path.read_text(encoding="utf-8").replace("0.5,0.5,8", "0.50,5e-1,8.0")
    path.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    sources = folder / "sources.csv"
    sources.write_bytes(sources.read_bytes().rstrip(b"\n"))


@pytest.mark.slow
@pytest.mark.parametrize(
    "options", [(), ("--weight", "0.4"), ("--keep", "subtype", "--keep", "form"), ("--only", "sex")]
)
def test_forgetting_gives_back_the_former_folder_byte_for_byte(run, cases, tmp_path, options):
    run("init", "mine")
    dressed(tmp_path / "mine")
    run("update", cases, "--priors", "mine", "--out", "new", *options, *QUICK)
    assert not same_files("mine", "new")
    told = run("update", cases, "--priors", "new", "--out", "old", "--forget")
    assert "have their former values" in told
    assert same_files("mine", "old")


@pytest.mark.slow
def test_complete_patients_are_forgotten_too(run, shipped, tmp_path):
    shipped.simulate(120, hidden=True, seed=4).to_csv("all.csv", index_label="patient")
    run("update", "all.csv", "--out", "new", *QUICK)
    run("update", "all.csv", "--priors", "new", "--out", "old", "--forget")
    assert same_files(shipped_folder(), "old")


@pytest.mark.slow
def test_cohorts_are_forgotten_in_the_reverse_order(run, cases, shipped):
    shipped.simulate(60, missing=0.3, seed=5).to_csv("more.csv", index_label="patient")
    run("update", cases, "--out", "one", "--name", "first", *QUICK)
    run("update", "more.csv", "--priors", "one", "--out", "two", "--name", "second", *QUICK)
    assert sorted(path.name for path in Path("two/updates").iterdir()) == ["01_first.csv", "02_second.csv"]
    text = run("update", cases, "--priors", "two", "--out", "x", "--forget", code=1)
    assert "the last cohort learned was second, 60 patients; these are 80" in text
    run("update", "more.csv", "--priors", "two", "--out", "back", "--forget")
    assert same_files("one", "back")
    run("update", cases, "--priors", "back", "--out", "start", "--forget")
    assert same_files(shipped_folder(), "start")


@pytest.mark.slow
def test_other_patients_and_edited_rows_are_not_forgotten(run, cases, shipped):
    run("update", cases, "--out", "new", *QUICK)
    frame = pd.read_csv(cases, dtype=object, keep_default_na=False)
    frame.loc[3, "diagnosis"] = "calciphylaxis" if frame.loc[3, "diagnosis"] != "calciphylaxis" else "metastatic"
    frame.to_csv("other.csv", index=False)
    text = run("update", "other.csv", "--priors", "new", "--out", "old", "--forget", code=1)
    assert "did not learn from these patients" in text or "they are not the patients of that cohort" in text
    assert not Path("old").exists()
    table = Path("new/tables/obesity.csv")
    lines = table.read_text(encoding="utf-8").splitlines(keepends=True)
    cells = lines[1].split(",")
    lines[1] = ",".join([*cells[:2], "0.5", "0.5", *cells[4:]])
    table.write_text("".join(lines), encoding="utf-8")
    text = run("update", cases, "--priors", "new", "--out", "old", "--forget", code=1)
    assert "edited since local_cohort_" in text
    assert "obesity (" in text
    assert not Path("old").exists()


def test_a_folder_that_learned_nothing_has_nothing_to_forget(run, cases):
    text = run("update", cases, "--out", "old", "--forget", code=1)
    assert "has learned from no cohort" in text


@pytest.mark.slow
def test_nothing_of_any_patient_stands_in_the_new_folder(run, shipped, tmp_path):
    drawn = shipped.simulate(30, missing=0.4, seed=6)
    drawn.index = [f"MRN-{number}" for number in range(30)]
    drawn.to_csv("secret.csv", index_label="patient")
    run("update", "secret.csv", "--out", "new", *QUICK)
    for path in Path("new").rglob("*"):
        if path.is_file():
            assert "MRN-" not in path.read_text(encoding="utf-8")
            assert "secret" not in path.name


@pytest.mark.slow
def test_json_and_report_show_the_same_record(run, cases, tmp_path):
    words = ("update", cases, "--out", "new", "--report", "rep", "--folds", "2", "--json")
    told = json.loads(CliRunner().invoke(app, words).stdout, parse_constant=pytest.fail)
    assert told["patients"] == 80
    assert told["digest"] == cc.load("new").digest
    assert told["left_out"]["folds"] == 2
    assert told["rules_broken"] == []
    rows = pd.read_csv("rep/rows.csv", keep_default_na=False)
    assert len(rows) == told["rows_moved"]
    page = Path("rep/index.html").read_text(encoding="utf-8")
    assert "Learned from 80 patients" in page
    assert cc.DISCLAIMER in page
    assert "MRN" not in page


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("--only", "warfarine"), "no table 'warfarine': did you mean 'warfarin'?"),
        (
            ("--weight", "0"),
            "each patient has a weight that is not positive: 0; a weight of 1 counts each patient once",
        ),
        (
            ("--weight", "1e300"),
            "each patient has a weight above 1e+09: 1e+300; a weight of 1 counts each patient once",
        ),
        (("--folds", "500"), "71 patients with a diagnosis cannot be left out in 500 parts"),
    ],
)
def test_what_cannot_be_asked_is_refused_and_nothing_is_written(run, cases, words, text):
    assert text in run("update", cases, "--out", "new", *words, code=1)
    assert not Path("new").exists()


def test_a_folder_in_the_way_stays_unless_forced(run, cases):
    Path("new").mkdir()
    Path("new/mine.txt").write_text("precious")
    assert "exists" in run("update", cases, "--out", "new", *QUICK, code=1)
    run("init", "old")
    assert "exists" in run("update", cases, "--priors", "old", "--out", "old", *QUICK, code=1)
    run("update", cases, "--priors", "old", "--out", "old", *QUICK, "--force", code=1)


def test_wrong_usage_is_told(run, cases):
    assert "--forget takes the cohort out as it was put in" in run(
        "update", cases, "--out", "x", "--forget", "--weight", "0.5", code=2
    ).replace("│ ", "")
