"""`calcinosis diagnose`: words, published cases, files; text and JSON; the same record behind all of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

import calcinosis as cc
from calcinosis.interface.shell.app import app
from calcinosis.interface.words.posterior import ranges_of, sureness

NEGATIVE = "vascular_histology=absent"


@pytest.fixture
def run(monkeypatch):
    monkeypatch.delenv("CALCINOSIS_PRIORS", raising=False)
    monkeypatch.setenv("COLUMNS", "100")

    def call(*words: str):
        return CliRunner().invoke(app, list(words))

    return call


def test_words_give_the_posterior_that_python_gives(run):
    result = run("diagnose", "pain=severe", "warfarin=yes", NEGATIVE, "--json")
    assert result.exit_code == 0
    shown = json.loads(result.stdout)
    expected = cc.load().posterior(pain="severe", warfarin="yes", vascular_histology="absent")
    assert shown == json.loads(json.dumps(expected.to_dict()))


def test_a_word_given_twice_is_two_results(run):
    twice = json.loads(run("diagnose", NEGATIVE, NEGATIVE, "--json").stdout)
    once = json.loads(run("diagnose", "vascular_histology=absent,absent", "--json").stdout)
    assert twice["probabilities"] == once["probabilities"]


def test_text_shows_bars_findings_digest_and_the_disclaimer(run):
    result = run("diagnose", "serum_calcium=2.27mmol/L", "albumin=24g/L")
    assert result.exit_code == 0
    for part in (
        "dystrophic calcification",
        "█",
        "2.27mmol/L",
        "corrected for albumin 24 g/L",
        "priors",
        cc.DISCLAIMER,
    ):
        assert part in result.stdout
    assert cc.load().digest[:12] in result.stdout


def test_no_findings_show_the_prior_and_say_so(run):
    assert "these are the prior probabilities" in run("diagnose").stdout


def test_a_published_case_is_shown_with_its_diagnosis_and_citation(run):
    shown = json.loads(run("diagnose", "--case", "jones2023", "--json").stdout)
    assert shown["leading"] == "dystrophic"
    assert shown["published"]["diagnosis"] == "dystrophic"
    assert "10.1016/j.jdcr.2023.07.015" in shown["published"]["citation"]
    assert {"variable": "vascular_histology", "given": "absent,absent,absent", "understood": "absent, 3 times"} in (
        shown["findings"]
    )


def test_words_replace_the_findings_of_a_case(run):
    unseen = [f"{name}=unknown" for name in ("vascular_histology", "vasculopathy", "extravascular_calcification")]
    shown = json.loads(run("diagnose", "--case", "jones2023", *unseen, "--json").stdout)
    assert shown["leading"] == "calciphylaxis"


def test_a_json_file_may_hold_one_patient_or_many(run, tmp_path):
    one, many = tmp_path / "one.json", tmp_path / "many.json"
    patient = {"case_id": "A", "pain": ["severe"], "vascular_histology": ["absent", {"absent": 0.3}], "esrd": None}
    one.write_text(json.dumps(patient))
    many.write_text(json.dumps([patient, {"pain": "none"}]))
    single = json.loads(run("diagnose", "--file", str(one), "--json").stdout)
    both = json.loads(run("diagnose", "--file", str(many), "--json").stdout)
    assert [entry["patient"] for entry in single] == ["A"]
    assert [entry["patient"] for entry in both] == ["A", "2"]
    assert both[0] == single[0]
    assert (
        run("diagnose", "--file", str(many)).stdout.count("%") == 21
    )  # five probabilities and intervals each, and what they are


def test_a_csv_file_is_read_by_the_grammar_and_as_a_spreadsheet_saves_it(run, tmp_path):
    table = tmp_path / "patients.csv"
    text = 'id,pain,vascular_histology,doctor\r\nA,severe,"absent,absent",Who\r\n,,,\r\nB,none:0.5,,\r\n'
    table.write_bytes(b"\xef\xbb\xbf" + text.encode())
    shown = json.loads(run("diagnose", "--file", str(table), "--json").stdout)
    assert [entry["patient"] for entry in shown] == ["A", "2", "B"]  # a row of commas is a patient, as in a cohort
    expected = cc.load().posterior(pain="severe", vascular_histology="absent,absent")
    assert shown[0]["probabilities"] == dict(expected.probabilities_of)


@pytest.mark.slow
def test_the_shipped_cases_pass_through_as_a_file(run):
    from calcinosis.knowledge.folder import shipped_folder

    result = run("diagnose", "--file", str(shipped_folder() / "cases" / "published_cases.csv"), "--json")
    assert result.exit_code == 0
    shown = {entry["patient"]: entry["probabilities"] for entry in json.loads(result.stdout)}
    answers = cc.load().posteriors(cc.cases(), record="asked")
    for name, probabilities in shown.items():
        assert probabilities == pytest.approx(answers.loc[name, list(probabilities)].to_dict(), abs=1e-13)


BAD = {
    "no equals sign": (["severe"], 1, "not finding=value: severe: write for instance pain=severe"),
    "unknown name": (["warfarn=yes"], 1, "warfarn=yes: no such variable: did you mean warfarin?"),
    "unknown state": (["pain=sever"], 1, "pain=sever: no state 'sever': did you mean 'severe'?"),
    "no unit": (["serum_calcium=9.1"], 1, "serum_calcium=9.1: a number without its unit: write 9.1 mg/dL"),
    "two results": (["pain=none", "pain=severe"], 1, "two results for a variable that is not repeatable"),
    "negative likelihood": (["pain=none:-1"], 1, "the likelihood of none is negative"),
    "all zero": (["pain=none:0,severe:0"], 1, "all likelihoods are 0"),
    "impossible": (["form=calciphylaxis_uraemic", "subtype=dystrophic"], 1, "cannot be true together"),
    "no such case": (["--case", "jones2032"], 1, "no published case 'jones2032': did you mean 'jones2023'?"),
    "no such folder": (["--priors", "nowhere"], 1, "nowhere:1: -: -: there is no such folder"),
    "no such file": (["--file", "nowhere.csv"], 1, "nowhere.csv: there is no such file"),
    "no such json": (["--file", "nowhere.json"], 1, "nowhere.json: there is no such file"),
    "another kind of file": (["--file", "cases.xlsx"], 1, "a file of patients ends in .json or .csv"),
    "unknown option": (["--colour"], 2, "No such option"),
    "a file and words": (["pain=none", "--file", "a.csv"], 2, "--file brings its own findings"),
}


@pytest.mark.parametrize(("words", "code", "message"), BAD.values(), ids=BAD)
def test_bad_input_is_told_in_a_message_and_an_exit_code(run, words, code, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    result = run("diagnose", *words)
    assert result.exit_code == code
    assert message in result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_all_faults_are_told_at_once_in_text_and_in_json(run):
    words = ("warfarn=yes", "pain=sever", "serum_calcium=9,1 mg/dL")
    text = run("diagnose", *words)
    assert text.stderr.startswith("calcinosis: 3 findings are not understood\n")
    shown = json.loads(run("diagnose", *words, "--json").stdout)
    assert shown["error"] == "FindingsError"
    assert [fault["variable"] for fault in shown["faults"]] == ["warfarn", "pain", "serum_calcium"]


FILES = {
    "semicolons.csv": (b"pain;esrd\nsevere;yes\n", "semicolons.csv:1: -: -: the cells are separated by semicolons"),
    "latin.csv": ("id,pain\nZoë,severe\n".encode("latin-1"), "latin.csv:2: -: 0xeb: not UTF-8 text"),
    "slip.csv": (
        b"warfarn,pain\nyes,none\n",
        "slip.csv:1: warfarn: -: a column that is not read: did you mean",
    ),
    "none.csv": (b"name,doctor\nA,Who\n", "none.csv:1: name, doctor: -: no column is a variable"),
    "cell.csv": (b"id,pain\nA,none\nB,sever\n", "cell.csv:3: pain: sever: no state 'sever'"),
    "empty.csv": (b"", "empty.csv:1: -: -: the file is empty"),
    "header.csv": (b"id,pain\n", "there is no patient in it"),
    "broken.json": (b'{"pain": "severe"', "broken.json:1: not JSON"),
    "latin.json": ('{"id": "Zoë"}'.encode("latin-1"), "latin.json: not UTF-8 text"),
    "number.json": (b"3", "a patient is an object"),
    "empty.json": (b"[]", "there is no patient in it"),
    "deep.json": (b"[" * 100_000, "deep.json: not JSON that can be read"),
    "long.json": (b'{"pain": ' + b"9" * 5000 + b"}", "long.json: not JSON that can be read"),
    "doubled.json": (b'{"pain": "none", "pain": "severe"}', "given twice in one patient: pain"),
    "bad.json": (b'[{"pain": "none"}, {"id": "B", "pain": "sever"}]', "patient B: pain=sever: no state 'sever'"),
}


@pytest.mark.parametrize("name", FILES)
def test_bad_files_are_told_with_their_place(run, name, tmp_path):
    content, message = FILES[name]
    (tmp_path / name).write_bytes(content)
    result = run("diagnose", "--file", str(tmp_path / name))
    assert result.exit_code == 1
    assert message in result.stderr


def test_the_environment_names_a_folder_and_the_option_wins(run, tmp_path, monkeypatch):
    assert run("init", str(tmp_path / "mine")).exit_code == 0
    monkeypatch.setenv("CALCINOSIS_PRIORS", str(tmp_path / "nowhere"))
    assert CliRunner().invoke(app, ["diagnose"]).exit_code == 1
    assert CliRunner().invoke(app, ["diagnose", "--priors", str(tmp_path / "mine")]).exit_code == 0


def test_in_a_file_impossible_findings_are_told_by_patient(run, tmp_path, contradictory):
    table = tmp_path / "patients.csv"
    table.write_text("patient,ulceration,livedo\nA,yes,yes\nB,no,yes\n")
    result = run("diagnose", "--file", str(table), "--priors", str(contradictory))
    assert result.exit_code == 1
    assert "patient B: ulceration, livedo=no, yes: impossible evidence" in result.stderr
    assert "patient A" not in result.stderr


def test_in_a_file_notes_are_shown_by_patient(run, tmp_path):
    table = tmp_path / "patients.csv"
    table.write_text("patient,serum_calcium,albumin\nA,low,2.4 g/dL\nB,8.1 mg/dL,2.4 g/dL\n")
    shown = run("diagnose", "--file", str(table)).stdout
    assert "Note: patient A: 2.4 g/dL albumin was not used" in shown
    assert "patient B:" not in shown


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1", "utf-8"])
@pytest.mark.parametrize("words", [["diagnose", "--case", "jones2023"], ["check", "--contexts", "1"], ["--help"]])
def test_output_suits_any_encoding(words, encoding):
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "COLUMNS": "100"}
    done = subprocess.run(
        [sys.executable, "-m", "calcinosis", *words], env=environment, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    if words[0] == "diagnose":
        assert ("██████" if encoding == "utf-8" else "######") in done.stdout.decode(encoding)


def test_a_narrow_terminal_keeps_the_bars_in_proportion_and_the_findings_whole(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "50")
    shown = run("diagnose", "--case", "jones2023").stdout
    assert "…" not in shown
    bars = {line.split("  ")[0]: line.count("█") for line in shown.splitlines() if "█" in line}
    assert bars["dystrophic calcification"] > 2 * bars["iatrogenic calcification"] > 0


@pytest.mark.slow
@pytest.mark.parametrize("columns", [40, 50, 60, 80, 200])
def test_every_interval_is_shown_whole_at_any_width(run, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    shown = run("diagnose", "--case", "jones2023").stdout
    assert max(map(len, shown.splitlines())) <= columns
    case = {n: v for n, v in cc.cases().loc["jones2023"].items() if n in cc.load().variables}
    answer = cc.load().posterior(case, record="case_report")
    assert len(set(ranges_of(answer).values())) == 5
    for words in ranges_of(answer).values():
        assert words in shown
    assert sureness(answer) in " ".join(shown.split())


@pytest.mark.slow
@pytest.mark.parametrize(("encoding", "dash"), [("ascii", "-"), ("latin-1", "-"), ("cp1252", "–"), ("utf-8", "–")])
def test_an_interval_has_a_hyphen_where_there_is_no_dash(encoding, dash):
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "COLUMNS": "100"}
    words = [sys.executable, "-m", "calcinosis", "diagnose", "--case", "jones2023"]
    shown = subprocess.run(words, env=environment, capture_output=True, check=True).stdout.decode(encoding)
    assert f"27{dash}95%" in shown


def test_words_of_a_spreadsheet_stand_for_yes_and_no(run):
    upper = json.loads(run("diagnose", "esrd=TRUE", "warfarin=false", "--json").stdout)
    lower = json.loads(run("diagnose", "esrd=yes", "warfarin=no", "--json").stdout)
    assert upper["probabilities"] == lower["probabilities"]


def test_labels_are_shown_as_they_are_written(run, tmp_path):
    run("init", str(tmp_path / "mine"))
    states = tmp_path / "mine" / "states.csv"
    states.write_text(states.read_text(encoding="utf-8").replace(",idiopathic calcification,", ",idiopathic [/nos],"))
    assert "idiopathic [/nos]" in run("diagnose", "--priors", str(tmp_path / "mine")).stdout


def test_each_patient_of_a_file_has_intervals_below_the_probabilities(run, tmp_path):
    file = tmp_path / "patients.csv"
    file.write_text("patient,pain,esrd\nann,severe,\nbob,none,yes\n", encoding="utf-8")
    text = run("diagnose", "--file", str(file)).stdout
    model = cc.load()
    for findings in ({"pain": "severe"}, {"pain": "none", "esrd": "yes"}):
        for words in ranges_of(model.posterior(findings)).values():
            assert words in text
    assert "below each probability its 95% interval" in text


def test_a_patient_may_have_several_rows_of_a_file(run, tmp_path):
    path = tmp_path / "visits.csv"
    path.write_text("id,pain\nann,severe\nann,none\n", encoding="utf-8")
    told = json.loads(run("diagnose", "--file", str(path), "--json").stdout)
    assert [(visit["patient"], visit["findings"][0]["given"]) for visit in told] == [("ann", "severe"), ("ann", "none")]
