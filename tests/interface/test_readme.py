"""Documentation that cannot drift: what README.md and the guide show is what the commands print."""

from __future__ import annotations

import doctest
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.docs

ROOT = Path(__file__).parents[2]
START = (ROOT / "README.md").read_text(encoding="utf-8")
README = START + (ROOT / "notebooks" / "guide.md").read_text(encoding="utf-8")
BENCHMARKS = (ROOT / "tests" / "benchmarks" / "README.md").read_text(encoding="utf-8")
HISTOLOGY = ("vascular_histology", "vasculopathy", "extravascular_calcification")
PRIORS_README = (ROOT / "priors" / "README.md").read_text(encoding="utf-8")


def consoles() -> list[tuple[str, list[str]]]:
    """Each command shown in a console block, with the lines of output shown below it."""
    found = []
    for block in re.findall(r"```console\n(.*?)```", README, flags=re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, *shown = part.rstrip("\n").split("\n")
            found.append((command, shown))
    return found


def matches(shown: list[str], printed: list[str]) -> bool:
    """Whether the lines shown are those printed, '...' standing for any number of lines."""
    pattern = "\n".join(".*" if line == "..." else re.escape(line.rstrip()) for line in shown)
    return re.fullmatch(pattern, "\n".join(line.rstrip() for line in printed), flags=re.DOTALL) is not None


@pytest.fixture
def shell(tmp_path, monkeypatch):
    """Run a command as a reader would, in an empty folder; the edit that the README asks for is made by hand."""
    monkeypatch.setenv("COLUMNS", "88")
    monkeypatch.delenv("CALCINOSIS_PRIORS", raising=False)

    def run(command: str) -> list[str]:
        words = shlex.split(command)
        assert words[0] == "calcinosis"
        program = [sys.executable, "-c", "from calcinosis.interface.shell.app import main; main()", *words[1:]]
        done = subprocess.run(program, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        edited = tmp_path / "my-priors" / "tables" / "warfarin.csv"
        if words[1] == "init":
            text = edited.read_text(encoding="utf-8")
            changed = re.sub(r"^calciphylaxis,no,0\.\d+,0\.\d+,", "calciphylaxis,no,0.95,0.05,", text, flags=re.M)
            assert changed != text
            edited.write_text(changed, encoding="utf-8")
        return done.stdout.rstrip("\n").split("\n")

    return run


def test_every_console_block_prints_what_it_shows(shell):
    shown = consoles()
    assert len(shown) >= 5
    for command, lines in shown:
        printed = shell(command)
        assert matches(lines, printed), f"$ {command}\n" + "\n".join(printed)


def test_every_python_example_gives_what_it_shows():
    examples = "\n".join(re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL))
    test = doctest.DocTestParser().get_doctest(examples, {}, "README.md", "README.md", 0)
    assert len(test.examples) >= 5
    results = doctest.DocTestRunner().run(test)
    assert results.failed == 0


def test_every_command_and_every_column_is_named_in_the_documentation():
    from calcinosis.interface.shell.app import app

    for command in app.registered_commands:
        assert f"| `calcinosis {command.callback.__name__.replace('_', '-')}" in START
    for path in [*(ROOT / "priors").glob("*.csv"), *(ROOT / "priors" / "decisions").glob("*.csv")]:
        header = path.read_text(encoding="utf-8").split("\n", 1)[0].split(",")
        for column in header:
            assert f"`{column}`" in PRIORS_README, f"{path.name}: {column}"


def test_the_set_up_is_two_commands_and_ci_runs_the_same():
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    for command in ("pip install .", "calcinosis diagnose --case jones2023", 'pip install -e ".[dev]"', "pytest"):
        assert f"\n{command}\n" in START
    assert "\npytest\n" in ci
    assert "diagnose --case jones2023" in ci


def test_the_readme_is_short_and_names_every_finding():
    import calcinosis as cc

    assert len(START.splitlines()) <= 200
    for variable in cc.load().variables.values():
        assert (f"`{variable.name}`" in START) == (variable.group not in ("hidden", "outcome")), variable.name


def test_every_link_leads_to_a_file():
    pages = [ROOT / "README.md", ROOT / "notebooks" / "guide.md", ROOT / "CONTRIBUTING.md"]
    for page in pages:
        for link in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
            assert link.startswith("https://") or (page.parent / link).exists(), f"{page.name}: {link}"


def test_the_pictures_show_the_present_answers(tmp_path):
    script = ROOT / "notebooks" / "scripts" / "readme_pictures.py"
    subprocess.run([sys.executable, str(script), str(tmp_path)], check=True, capture_output=True)
    words = re.compile(r"<text[^>]*>([^<]*)</text>")
    for name in ("jones2023.svg", "network.svg", "tornado.svg", "waterfall.svg", "plan.svg", "decision.svg"):
        kept = (ROOT / "notebooks" / "pictures" / name).read_text(encoding="utf-8")
        drawn = (tmp_path / name).read_text(encoding="utf-8")
        assert len(words.findall(kept)) > 10
        assert words.findall(kept) == words.findall(drawn), f"draw {name} again: {script.name}"


def test_what_the_tables_rest_on_is_what_check_says():
    from typer.testing import CliRunner

    import calcinosis as cc
    from calcinosis.interface.shell.app import app

    shown = json.loads(CliRunner().invoke(app, ["check", "--contexts", "1", "--json"]).stdout)
    text = " ".join(README.split())
    entries, tables = len(cc.load().entries.frame), shown["variables"]
    assert f"Every sensitivity function, {entries} entries on {len(cc.cases())} patients" in text
    assert f"The {shown['rows']} rows of the {tables} tables are {shown['rows']} distributions" in text
    rows, alone, part = (shown[key] for key in ("rows", "rows_on_judgement_alone", "rows_on_judgement_in_part"))
    assert f"Of the {rows} rows of the tables, {alone} rest on judgement or definition alone and {part} more" in text
    assert f"- {len(shown['rules'])} clinical rules are tried" in README


def test_what_the_published_diagnoses_depend_on_is_as_shown():
    import calcinosis as cc

    cases = cc.cases()
    found = cc.sensitivity.across_patients(cc.load(), cases)
    text = " ".join(README.split())
    judged = found.sources.iloc[0]
    assert judged["source"] == "judgement"
    fragile = (found.patients["fragile"] > 0).sum()
    assert f"Of the 149 published diagnoses, each read as its own kind of record, {fragile} depend on at least" in text
    assert f"On average {100 * judged['first_order']:.0f}% of the variance" in text


def test_the_table_of_the_first_row_explains_as_much_as_is_shown():
    import calcinosis as cc

    case = cc.cases().loc["jones2023"]
    model = cc.load().recorded("case_report")
    drawn = cc.sensitivity.uncertainty(
        model, {name: value for name, value in case.items() if name in model.names and value}
    )
    first = drawn.by_table[drawn.by_table["state"] == "dystrophic"].sort_values("first_order", ascending=False).iloc[0]
    assert first["table"] == "subtype"
    assert f"table explains {100 * first['first_order']:.0f}% of the variance" in README


def test_the_article_s_patient_as_asked_and_as_a_case_report_is_as_shown():
    import calcinosis as cc

    model, case = cc.load(), cc.cases().loc["jones2023"]
    patient = {name: value for name, value in case.items() if name in model.names and value}
    before = {name: value for name, value in patient.items() if name not in HISTOLOGY}
    known = {
        "before any biopsy": before,
        "one biopsy: no calcium in vessel walls, no vasculopathy, calcium outside vessels": patient
        | {"vascular_histology": "absent"},
        "three such biopsies, all histology": patient,
    }
    for words, findings in known.items():
        cells = []
        for record in ("asked", "case_report"):
            first = model.posterior(findings, record=record).probabilities.sort_values(ascending=False).head(2)
            cells.append(", ".join(f"{state} {p:.0%}" for state, p in first.items()))
        assert f"| {words} | {cells[0]} | {cells[1]} |" in README


def test_the_figures_of_the_benchmarks_are_those_measured():
    results = ROOT / "tests" / "benchmarks" / "results"
    shown = re.search(r"<!-- benchmarks -->\n(.*?)<!-- /benchmarks -->", BENCHMARKS, flags=re.DOTALL)
    assert shown
    assert shown[1] == (results / "benchmarks.md").read_text(encoding="utf-8")
    figures = json.loads((results / "benchmarks.json").read_text(encoding="utf-8"))
    assert figures["date"] in shown[1]
    assert figures["machine"]["processor"] in shown[1]


@pytest.mark.parametrize("name", ["explorer", "findings", "sensitivity"])
def test_the_figures_of_the_other_benchmarks_are_those_measured(name):
    measured = (ROOT / "tests" / "benchmarks" / "results" / f"{name}.md").read_text(encoding="utf-8")
    assert f"<!-- {name} -->\n{measured}<!-- /{name} -->" in BENCHMARKS


def test_the_story_of_the_decision_is_what_deciding_gives():
    import calcinosis as cc
    from calcinosis.inference.numbers import percent
    from calcinosis.inference.phrases import uncapitalised

    model, case = cc.load().recorded("case_report"), cc.cases().loc["jones2023"]
    patient = {name: value for name, value in case.items() if name in model.names and value}
    before = {name: value for name, value in patient.items() if name not in HISTOLOGY}
    told = re.search(r"<!-- story -->\n(.*?)<!-- /story -->", README, re.DOTALL).group(1).splitlines()[2:]
    known = (before, patient | {"vascular_histology": "absent"}, patient)
    for line, findings in zip(told, known, strict=True):
        own = cc.decide(model, findings, without=["excision", "intralesional_sts"])
        best, change = own.spread.iloc[0], own.changes.utilities.iloc[0]
        cells = [cell.strip() for cell in line.strip("|").split("|")][1:]
        assert cells == [
            percent(own.posterior["calciphylaxis"]),
            uncapitalised(best["label"]),
            f"{best['expected_utility']:.1f}",
            percent(best["best"]),
            f"{change['label']} cost {change['at']:.1f} points instead of {change['value']:g}: "
            f"{uncapitalised(change['to_label'])}",
        ]
