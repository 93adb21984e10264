"""Outputs that cannot be written are refused before any work; inputs that are no files are refused, not waited for."""

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

import calcinosis as cc
from calcinosis.interface.shell.app import app

REPORTS = {
    "explain": ("explain", "pain=severe", "--out"),
    "what-if": ("what-if", "pain=severe", "--out"),
    "next-test": ("next-test", "pain=severe", "--out"),
    "decide": ("decide", "pain=severe", "--out"),
    "decide curve": ("decide", "--curve", "published", "--out"),
    "sensitivity": ("sensitivity", "pain=severe", "--out"),
    "validate": ("validate", "--published", "--out"),
    "update": ("update", "cases.csv", "--out", "new", "--report"),
}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.delenv("CALCINOSIS_PRIORS", raising=False)
    monkeypatch.chdir(tmp_path)
    Path("cases.csv").write_text("diagnosis,pain\ndystrophic,severe\n")


@pytest.fixture
def no_work(monkeypatch):
    """Any question to a model fails: what is refused early never gets there."""
    monkeypatch.setattr(cc.Model, "from_priors", lambda *a: pytest.fail("the work was begun"))


def run(*words):
    result = CliRunner().invoke(app, list(words))
    return result.exit_code, " ".join(result.stderr.replace("│", " ").split())


@pytest.mark.parametrize("place", ["taken", "full", "taken/sub", "/proc/x", "n" * 300, "priors"])
@pytest.mark.parametrize("words", REPORTS.values(), ids=REPORTS)
def test_a_report_that_cannot_be_written_is_refused_before_the_work(no_work, words, place):
    Path("taken").touch()
    for folder in ("full", "priors"):
        Path(folder).mkdir()
    Path("full/mine.txt").touch()
    Path("priors/variables.csv").touch()
    before = sorted(Path().rglob("*"))
    code, told = run(*words, place, *(["--force"] if place == "priors" else []))
    assert code == 1
    assert place in told
    assert sorted(Path().rglob("*")) == before


@pytest.mark.parametrize("words", [("export", "no/a.bif"), ("export", "/proc/a.bif"), ("graph", "no/a.svg")])
def test_a_file_that_cannot_be_written_is_refused_before_the_work(no_work, words):
    code, told = run(*words)
    assert code == 1
    assert f"{words[1]}: No such file or directory" in told


@pytest.mark.parametrize("out", ["taken", "taken/sub", "/proc/x"])
def test_a_folder_that_cannot_be_made_is_refused_before_the_work(no_work, out):
    Path("taken").touch()
    assert run("update", "cases.csv", "--out", out)[0] == 1
    assert run("update", "cases.csv", "--forget", "--out", out)[0] == 1


def test_a_report_within_the_new_folder_is_refused(no_work):
    code, told = run("update", "cases.csv", "--out", "new", "--report", "new/report")
    assert code == 1
    assert "one holds the other" in told


@pytest.mark.parametrize(
    "words",
    [
        *((command, "--priors", "") for command in ("diagnose", "explain", "check", "next-test", "sensitivity")),
        ("check", ""),
        ("init", ""),
        ("init", "new", "--priors", ""),
        ("explain", "--out", ""),
        ("diagnose", "--file", ""),
        ("update", "cases.csv", "--out", ""),
        ("update", "cases.csv", "--out", "new", "--report", ""),
        ("validate", ""),
        ("cohort", "", "out.csv"),
        ("simulate", "3", ""),
        ("export", ""),
    ],
)
def test_an_empty_path_is_refused(words):
    """An unset shell variable must not mean the folder one stands in."""
    code, told = run(*words)
    assert code == 2
    assert "an empty path" in told


def test_an_empty_path_is_refused_in_python():
    with pytest.raises(cc.errors.PriorsError, match="an empty path"):
        cc.load("")


@pytest.mark.parametrize(
    "words",
    [
        ("diagnose", "--file", "pipe.json"),
        ("diagnose", "--file", "pipe.csv"),
        ("validate", "pipe.csv"),
        ("update", "pipe.csv", "--out", "new"),
        ("cohort", "pipe.parquet", "out.csv"),
        ("simulate", "3", "out.csv", "--like", "pipe.csv"),
    ],
)
def test_an_input_that_is_a_pipe_is_refused(words):
    for ending in ("json", "csv", "parquet"):
        os.mkfifo(f"pipe.{ending}")
    code, told = run(*words)
    assert code == 1
    assert "not a file" in told


def test_a_network_that_is_a_pipe_is_refused():
    os.mkfifo("pipe.bif")
    with pytest.raises(cc.errors.NetworkError, match="not a file"):
        cc.Model.from_file("pipe.bif", target="a")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["日本", "日本".encode().decode("ascii", "surrogateescape"), "x" * 400, "=1+1"])
def test_any_name_of_a_cohort_can_be_learned_and_forgotten(name):
    """Also as bytes that the locale could not read, and longer than a file's name may be."""
    assert run("update", "cases.csv", "--out", "new", "--folds", "0", "--name", name)[0] == 0
    (ledger,) = Path("new/updates").iterdir()
    assert ledger.name.isascii()
    assert run("update", "cases.csv", "--priors", "new", "--out", "old", "--forget")[0] == 0


def test_a_name_in_another_encoding_is_refused():
    code, told = run("update", "cases.csv", "--out", "new", "--name", "W\udce4rd")
    assert code == 1
    assert "is not UTF-8 text" in told


def test_force_of_a_report_replaces_its_own_files_only():
    Path("report").mkdir()
    Path("report/notes.txt").write_text("precious")
    assert run("explain", "pain=severe", "--out", "report", "--force")[0] == 0
    assert Path("report/notes.txt").read_text() == "precious"
