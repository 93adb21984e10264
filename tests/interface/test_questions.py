"""`explain`, `what-if`, `next-test`: text, JSON and the report show the same record; faults are told in words."""

from __future__ import annotations

import json
import re
import shutil

import pandas as pd
import pytest
from typer.testing import CliRunner

import calcinosis as cc
from calcinosis.interface.shell.app import app
from calcinosis.knowledge.folder import shipped_folder

CONTRADICTORY = [
    *("care_setting=dialysis_unit", "age_group=child", "lesion_site=genital"),
    *("connective_tissue_disease=yes", "calcium_exposure=yes"),
]
BIOPSY = ("--drop", "vascular_histology", "--drop", "vasculopathy", "--drop", "extravascular_calcification")
SERIAL = ("--serial", "--subtype", "calciphylaxis")
COMMANDS = ("explain", "what-if", "next-test")


@pytest.fixture(scope="module")
def model():
    return cc.load(shipped_folder())


@pytest.fixture(scope="module")
def case(model):
    return {name: value for name, value in cc.cases().loc["jones2023"].items() if name in model.names and value}


@pytest.fixture
def run(monkeypatch):
    monkeypatch.delenv("CALCINOSIS_PRIORS", raising=False)
    monkeypatch.setenv("COLUMNS", "120")

    def call(*words: str):
        return CliRunner().invoke(app, list(words))

    return call


def shown(result):
    """What a command printed as JSON; it holds no NaN."""
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout, parse_constant=pytest.fail)


def plain(value):
    return json.loads(json.dumps(value, allow_nan=False))


@pytest.mark.slow
def test_explain_shows_the_record_that_python_gives(run, model, case):
    found = cc.explain(model.recorded("case_report"), case, state="dystrophic", against="calciphylaxis")
    words = ("explain", "--case", "jones2023", "--subtype", "dystrophic", "--against", "calciphylaxis")
    printed = shown(run(*words, "--json"))
    assert printed["published"]["diagnosis"] == "dystrophic"
    expected = plain(found.to_dict())
    for key in ("before", "after", "summary", "contributions", "state", "against", "disclaimer"):
        assert printed[key] == expected[key]
    text = run(*words).stdout
    assert found.summary in " ".join(text.split())
    assert "The findings fit together." in text
    assert "The histology is the strongest evidence for dystrophic calcification" in " ".join(text.split())
    assert "×9.4" in text
    assert cc.DISCLAIMER in text


def test_explain_names_what_does_not_fit(run):
    text = " ".join(run("explain", *CONTRADICTORY).stdout.split())
    assert "The findings conflict:" in text
    for words in ("dialysis unit", "under 18", "genital", "connective tissue disease"):
        assert words in text.split("Least in keeping")[0]
    assert shown(run("explain", *CONTRADICTORY, "--json"))["posterior"]["fit"]["category"] == "conflicting"


def test_what_does_not_fit_stands_with_every_diagnosis(run, tmp_path):
    assert "The findings conflict:" in run("diagnose", *CONTRADICTORY).stdout
    assert "fit" not in run("diagnose", "pain=severe").stdout
    patients = tmp_path / "patients.json"
    patients.write_text(json.dumps([{"id": "ann", "pain": "severe"}, dict(w.split("=") for w in CONTRADICTORY)]))
    text = " ".join(run("diagnose", "--file", str(patients)).stdout.split())
    assert "Note: patient 2: The findings conflict:" in text
    assert "patient ann" not in text
    categories = [own["fit"]["category"] for own in shown(run("diagnose", "--file", str(patients), "--json"))]
    assert categories == ["consistent", "conflicting"]


@pytest.mark.slow
def test_what_if_shows_the_records_that_python_gives(run, model, case):
    words = ("what-if", "--case", "jones2023", "--instead", "pain=severe", "--instead", "cirrhosis=unknown")
    printed = shown(run(*words, "--most", "5", "--json"))
    assert printed["changes"] == plain(cc.whatif.sweep(model.recorded("case_report"), case).to_dict(5))["changes"]
    assert printed["flips"] == plain(cc.whatif.flips(model.recorded("case_report"), case).to_dict(5))["flips"]
    assert printed["steps"] == plain(cc.whatif.trajectory(model.recorded("case_report"), case).to_dict())["steps"]
    assert {line["variable"] for line in printed["instead"]["findings"]} == {"pain", "cirrhosis"}
    assert printed["most_probable_explanation"]["states"]["subtype"] == "dystrophic"
    text = " ".join(run(*words).stdout.split())
    for part in ("Finding by finding", "Single changes with the largest effect", "Instead", "radiograph=vascular_net"):
        assert part in text


def test_what_if_takes_an_order_a_goal_and_a_size(run):
    ordered = shown(run("what-if", "pain=severe", "cirrhosis=yes", "--order", "pain", "--json"))
    assert [line["variable"] for line in ordered["steps"]][5::5] == ["pain", "cirrhosis"]
    found = shown(run("what-if", "pain=severe", "--subtype", "dystrophic", "--changes", "1", "--json"))
    assert {line["leading"] for line in found["flips"]} == {"dystrophic"}
    assert found["searched"] == 1


@pytest.mark.slow
def test_next_test_shows_the_records_that_python_gives(run, model, case):
    before = {name: value for name, value in case.items() if name not in BIOPSY}
    printed = shown(run("next-test", "--case", "jones2023", *BIOPSY, *SERIAL, "--probability", "20%", "--json"))
    expected = plain(cc.next_test(model.recorded("case_report"), before).to_dict(8))
    for key in ("summary", "tests", "outcomes"):
        assert printed[key] == expected[key]
    assert printed["tests"][0]["test"] == "wedge_biopsy"
    assert printed["serial_testing"] == plain(
        cc.serial_testing(model.recorded("case_report"), before, state="calciphylaxis", threshold=0.2).to_dict()
    )
    text = " ".join(run("next-test", "--case", "jones2023", *BIOPSY, *SERIAL).stdout.split())
    for part in (printed["summary"], "What the results of wedge_biopsy would mean", "results it approaches"):
        assert part in text


@pytest.mark.slow
def test_next_test_ranks_and_leaves_out_as_asked(run):
    cheap = shown(run("next-test", "pain=severe", "--by", "cost", "--json"))["tests"]
    assert cheap[0]["cost"] == 0.0
    assert cheap[0]["per_cost"] == "inf"
    assert shown(run("next-test", "pain=severe", "--without", cheap[0]["test"], "--json"))["tests"][0]["test"]
    everything = shown(run("next-test", "pain=severe", "--without", cheap[0]["test"], "--most", "99", "--json"))
    assert cheap[0]["test"] not in {line["test"] for line in everything["tests"]}


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_no_findings_certainty_and_every_finding_are_answered(run, model, command):
    every = [f"{v.name}={v.state_names[-1]}" for v in model.variables.values() if v.group not in ("hidden", "outcome")]
    assert run(command).exit_code == 0
    if command == "explain":
        every = every[:14]  # all of them take seconds
    result = run(command, *every)
    assert result.exit_code == 0, result.output
    assert not re.search(r"\bnan\b", result.stdout)
    certain = run(command, "subtype=idiopathic")
    assert certain.exit_code == (1 if command == "explain" else 0), certain.output


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_a_file_of_patients_is_answered_one_by_one(run, command, tmp_path):
    patients = tmp_path / "patients.csv"
    patients.write_text("id,pain,cirrhosis\nann,severe,yes\nbob,,no\n")
    text = run(command, "--file", str(patients)).stdout
    assert "ann" in text
    assert "bob" in text
    assert cc.DISCLAIMER in text
    assert [own["patient"] for own in shown(run(command, "--file", str(patients), "--json"))] == ["ann", "bob"]
    folder = tmp_path / "out"
    assert run(command, "--file", str(patients), "--out", str(folder)).exit_code == 0
    assert list(folder.glob("*.csv")) == list(folder.iterdir())
    assert all(set(pd.read_csv(path)["patient"].astype(str)) <= {"ann", "bob"} for path in folder.iterdir())
    assert run(command, "--file", str(patients), "pain=severe").exit_code == 2


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_the_report_holds_the_tables_the_figures_and_the_page(run, command, tmp_path):
    more = SERIAL if command == "next-test" else ()
    folder = tmp_path / "report"
    result = run(command, "--case", "jones2023", "--out", str(folder), *more)
    assert result.exit_code == 0, result.output
    assert f"open {folder}/index.html to begin with" in " ".join(result.stdout.split())
    page = (folder / "index.html").read_text(encoding="utf-8")
    for name in re.findall(r'(?:src|href)="([^"]+)"', page):
        assert (folder / name).stat().st_size > 100, name
    assert cc.DISCLAIMER in page
    for path in folder.glob("*.csv"):
        assert len(pd.read_csv(path)) > 0, path
    assert len(list(folder.glob("*.svg"))) >= 2
    assert run(command, "--case", "jones2023", "--out", str(folder)).exit_code == 1
    assert run(command, "--case", "jones2023", "--out", str(folder), "--force").exit_code == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["explain", "--subtype", "dystrofic"], "no state 'dystrofic': did you mean 'dystrophic'?"),
        (
            ["explain", "--subtype", "dystrophic", "--against", "dystrophic"],
            "dystrophic is on both sides of the hypothesis",
        ),
        (["explain", "--background", "pain"], "no finding for 'pain'"),
        (["explain", "subtype=idiopathic"], "the odds are infinite and cannot be attributed to findings"),
        (["what-if", "--subtype", "nobody"], "no state 'nobody' of subtype"),
        (["what-if", "--subtype", "dystrophic"], "dystrophic already ranks first"),
        (["what-if", "--order", "pane", "pain=none"], "no finding for 'pane': did you mean 'pain'?"),
        (["what-if", "--instead", "pain=sever"], "pain=sever: no state 'sever': did you mean 'severe'?"),
        (["what-if", "--instead", "severe"], "not finding=value: severe"),
        (["next-test", "--by", "price"], "no ranking 'price'"),
        (["next-test", "--without", "punch"], "no test 'punch'"),
        (["next-test", "--drop", "pain"], "no finding of 'pain'"),
        (["next-test", *SERIAL, "--probability", "2"], "the threshold is 2.0: give a number between 0 and 1"),
        (["next-test", "--serial", "--subtype", "calcifylaxis"], "did you mean 'calciphylaxis'?"),
        (["explain", "pain=sever"], "pain=sever: no state 'sever': did you mean 'severe'?"),
        (["what-if", "subtype=dystrophic", "form=calciphylaxis_uraemic"], "impossible evidence"),
        (["next-test", "--case", "nobody"], "no published case 'nobody'"),
    ],
)
def test_what_is_at_fault_is_told_in_words(run, words, message):
    result = run(*words)
    assert result.exit_code == 1, result.output
    assert message in result.stderr
    assert message in shown_error(run(*words, "--json"))["message"]


@pytest.mark.parametrize("words", [["--serial"], ["--subtype", "dystrophic"], ["--probability", "0.1"]])
def test_serial_testing_needs_its_subtype(run, words):
    result = run("next-test", *words)
    assert result.exit_code == 2
    assert "serial testing needs --serial and --subtype" in result.stderr


def shown_error(result):
    assert result.exit_code == 1
    return json.loads(result.stdout)


def test_a_folder_without_tests_takes_each_variable_for_one(run, tmp_path):
    folder = tmp_path / "priors"
    shutil.copytree(shipped_folder(), folder)
    (folder / "tests.csv").unlink()
    shutil.rmtree(folder / "decisions")  # some of which begin with a test
    printed = shown(run("next-test", "pain=severe", "--priors", str(folder), "--json"))
    assert "cost" not in printed["tests"][0]
    assert "vascular_histology" in {
        line["test"]
        for line in shown(run("next-test", "pain=severe", "--priors", str(folder), "--most", "99", "--json"))["tests"]
    }
    refused = run("next-test", "pain=severe", "--by", "cost", "--priors", str(folder))
    assert "this network has no tests with a cost" in refused.stderr
