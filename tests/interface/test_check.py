"""`calcinosis check`: faults with their place, then rules, then what the folder rests on; exit 1 on anything wrong."""

from __future__ import annotations

import json

import pytest
from scipy.stats import beta
from typer.testing import CliRunner

import calcinosis as cc
from calcinosis.interface.shell.app import app
from calcinosis.knowledge.folder import copy_folder, shipped_folder


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.delenv("CALCINOSIS_PRIORS", raising=False)
    return copy_folder(shipped_folder(), tmp_path / "mine")


def run(*words):
    return CliRunner().invoke(app, ["check", *map(str, words)])


def replace(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.slow
def test_the_shipped_folder_is_without_fault(monkeypatch):
    monkeypatch.delenv("CALCINOSIS_PRIORS", raising=False)
    result = run()
    assert result.exit_code == 0
    for part in ("no errors in its files", "hold, tried in", "rest on judgement", "weakest rows", "tables/"):
        assert part in result.stdout


def test_json_says_the_same_for_programs(folder):
    shown = json.loads(run(folder, "--json", "--contexts", 1).stdout)
    assert shown["problems"] == []
    assert all(rule["holds"] for rule in shown["rules"])
    assert shown["rows"] > shown["rows_on_judgement_alone"] > 0
    assert [row["weight"] for row in shown["weakest"]] == sorted(row["weight"] for row in shown["weakest"])
    assert sum(shown["sources"].values()) > 100


def test_every_fault_is_told_at_once_and_nothing_else(folder):
    replace(folder / "tables" / "pain.csv", "0.76", "0,76")
    replace(folder / "sources.csv", "registry", "registrie")
    result = run(folder)
    assert result.exit_code == 1
    assert " problems in " in result.stdout
    assert "sources.csv:" in result.stdout
    assert "tables/pain.csv:" in result.stdout
    assert "clinical rules" not in result.stdout
    shown = json.loads(run(folder, "--json").stdout)
    assert shown["error"] == "PriorsError"
    assert {problem["file"] for problem in shown["problems"]} >= {"sources.csv", "tables/pain.csv"}
    assert set(shown["problems"][0]) == {"file", "line", "column", "value", "what", "fix"}


def test_a_broken_rule_is_told_with_the_findings_under_which_it_breaks(folder):
    path = folder / "expectations.csv"
    replace(path, "warfarin,yes,no,calciphylaxis,raises", "warfarin,yes,no,calciphylaxis,lowers")
    result = run(folder, "--contexts", 100)
    assert result.exit_code == 1
    assert "expectations.csv:2: warfarin=yes rather than no lowers calciphylaxis: broken in" in result.stdout
    assert " → " in result.stdout
    shown = json.loads(run(folder, "--contexts", 100, "--json").stdout)
    broken = [rule for rule in shown["rules"] if not rule["holds"]]
    assert len(broken) == 1
    assert broken[0]["failures"][0]["context"] == {} or broken[0]["failures"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (",severe,", ",sever,", "pain: sever: no state 'sever'"),
        ("jones2023,dystrophic", "jones2023,dystrofic", "diagnosis: dystrofic: not a state of subtype"),
        ("calci_003", "jones2023", "case_id: jones2023: the same as on line 2"),
        ("warfarin", "warfarn", "cases/published_cases.csv:1: warfarn: -: unknown column: did you mean 'warfarin'?"),
        (
            "case_id,diagnosis,",
            "case_id,diagnose,",
            "cases/published_cases.csv:1: diagnosis: -: the column is missing: add it to the header",
        ),
    ],
)
def test_faults_of_the_published_cases_are_told_too(folder, old, new, message):
    replace(folder / "cases" / "published_cases.csv", old, new)
    result = run(folder)
    assert result.exit_code == 1
    assert message in result.stdout


def test_a_missing_folder_is_told(tmp_path):
    result = run(tmp_path / "nowhere")
    assert result.exit_code == 1
    assert "there is no such folder" in result.stdout


def test_a_range_that_nobody_believes_is_told_with_file_and_line(folder):
    assert json.loads(run(folder, "--json", "--contexts", 1).stdout)["wide_ranges"] == []
    path = folder / "tables" / "calcium_exposure.csv"
    replace(path, "0.985,0.015,130,", "0.985,0.015,30,")
    shown = json.loads(run(folder, "--json", "--contexts", 1).stdout)["wide_ranges"]
    entries = [f"calcium_exposure={state}@subtype=dystrophic/metastatic/calciphylaxis" for state in ("no", "yes")]
    assert [own["entry"] for own in shown] == entries
    assert {(own["file"], own["line"]) for own in shown} == {("tables/calcium_exposure.csv", 2)}
    low, high = beta.ppf((0.025, 0.975), 0.015 * 30, 0.985 * 30)
    assert [shown[1]["lower"], shown[1]["upper"]] == pytest.approx([low, high], rel=1e-3)
    assert shown[1]["factor"] == pytest.approx(high / (1 - high) * (1 - low) / low, rel=1e-3)
    result = run(folder, "--contexts", 1)
    assert result.exit_code == 0
    assert "2 entries with a 95% range wider than a factor of 30 in the odds, definitions apart:" in result.stdout
    assert f"    tables/calcium_exposure.csv:2  {entries[1]}  " in result.stdout


def test_a_definition_may_be_as_wide_as_it_likes(folder):
    replace(
        folder / "tables" / "connective_tissue_disease.csv", "0.025,0.975,80,definition", "0.025,0.975,8,definition"
    )
    assert json.loads(run(folder, "--json", "--contexts", 1).stdout)["wide_ranges"] == []


def test_the_ranges_of_a_table_are_shown_when_asked_for(folder):
    shown = json.loads(run(folder, "--ranges", "livedo", "--json", "--contexts", 1).stdout)["ranges"]
    model = cc.load(folder)
    assert [own["entry"] for own in shown] == [str(e) for e in model.entries if e.variable == "livedo"]
    for own in shown:
        entry = model.entries.find(own["entry"])
        row = model.priors.tables["livedo"].rows[entry.row]
        p = row.probabilities[entry.column]
        ends = beta.ppf((0.025, 0.975), p * row.weight, (1 - p) * row.weight)
        assert [own["lower"], own["upper"]] == pytest.approx(ends.tolist(), rel=1e-3)
        assert (own["file"], own["line"]) == ("tables/livedo.csv", row.line)
    text = run(folder, "--ranges", "livedo", "--contexts", 1).stdout
    assert "95% range of each entry of livedo:" in text
    for own in shown:
        assert f"    tables/livedo.csv:{own['line']}  {own['entry']}  " in text
    assert "ranges" not in json.loads(run(folder, "--json", "--contexts", 1).stdout)


def test_ranges_of_no_table_are_refused(folder):
    result = run(folder, "--ranges", "livdo")
    assert result.exit_code == 2
    assert "no table 'livdo'" in result.stderr
