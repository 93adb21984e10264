"""`calcinosis validate`: text, JSON and report show the record that Python gives; figures hold no overlapping words."""

import html
import json
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

import calcinosis as cc
from calcinosis.interface.figures import learn as figures_of_learning
from calcinosis.interface.figures import validate as figures_of_validation
from calcinosis.interface.shell.app import app
from calcinosis.knowledge.folder import shipped_folder

MIX = "dystrophic=60%,metastatic=0.05,idiopathic=0.15,iatrogenic=0.05,calciphylaxis=0.15"


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.delenv("CALCINOSIS_PRIORS", raising=False)
    monkeypatch.setenv("COLUMNS", "150")
    monkeypatch.chdir(tmp_path)

    def call(*words, code=0):
        result = CliRunner().invoke(app, ["validate", *words])
        assert result.exit_code == code, result.output
        return result.stdout if code == 0 else result.stderr

    return call


@pytest.fixture(scope="module")
def found():
    kinds = {"abstract": "abstract", "full case": "case_report", "excerpt": "case_report"}
    cases = cc.cases(shipped_folder())
    cases["record"] = cases["text_seen"].map(kinds)  # what --published reads them as
    return cc.validate(cc.load(shipped_folder()), cases, draws=200)


@pytest.mark.slow
def test_text_json_and_python_are_one_record(run, found):
    told = json.loads(run("--published", "--draws", "200", "--most", "3", "--json"), parse_constant=pytest.fail)
    curve = told.pop("decision_curve")
    assert told.pop("columns_ignored") == ["text_seen", "year", "source_title", "doi_or_pmcid"]
    assert "pain" in told.pop("columns_read")
    assert told == json.loads(json.dumps(found.to_dict(3)))
    assert curve == json.loads(json.dumps(cc.decision_curve(found.model, found).to_dict()))
    text = " ".join(run("--published", "--draws", "200").split())
    assert found.summary in text
    for words in (
        "They do not represent a clinic",
        "Baselines",
        "Naive Bayes",
        "Wrong answers",
        "idio_022",
        cc.DISCLAIMER,
    ):
        assert words in text
    assert found.cohort_check.summary in text
    assert found.model.digest[:12] in text


@pytest.mark.slow
def test_a_file_of_ones_own_is_not_told_to_be_published(run):
    cc.cases().to_csv("mine.csv")
    text = run("mine.csv", "--draws", "50")
    assert "represent a clinic" not in text


@pytest.mark.slow
def test_the_report_holds_every_table_and_figure(run):
    run("--published", "--draws", "50", "--out", "rep")
    page = Path("rep/index.html").read_text(encoding="utf-8")
    for name in ("calibration", "baselines", "confusion", "variables", "expected", "roc"):
        assert f'src="{name}.svg"' in page
        assert cc.DISCLAIMER.split(";")[0] in Path(f"rep/{name}.svg").read_text(encoding="utf-8")
    patients = pd.read_csv("rep/patients.csv")
    assert len(patients) == len(cc.cases(shipped_folder()))
    for line in pd.read_csv("rep/wrong.csv").itertuples():
        assert f"<p>{line.patient}: {html.escape(line.explanation)}" in page
    assert cc.DISCLAIMER in page


@pytest.mark.slow
def test_names_of_patients_are_escaped(run):
    cases = cc.cases().reset_index()
    cases["case_id"] = [f"<b>{name}</b>" for name in cases["case_id"]]
    cases.to_csv("mine.csv", index=False)
    run("mine.csv", "--draws", "50", "--out", "rep")
    run("mine.csv", "--draws", "50", "--out", "rep", "--force")  # its own variables.csv makes it no priors folder
    assert "<b>idio" not in Path("rep/index.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_mix_is_asked_for_in_words(run):
    told = json.loads(run("--published", "--draws", "50", "--prevalence", MIX, "--json"))
    assert told["prevalence"]["dystrophic"] == 0.6
    assert "no share: write for instance dystrophic=0.6" in run("--published", "--prevalence", "dystrophic", code=1)
    assert "prevalence of metastatic, idiopathic" in run("--published", "--prevalence", "dystrophic=1", code=1)
    assert "names dystrophic twice" in run("--published", "--prevalence", f"{MIX},dystrophic=0.6", code=1)


def test_a_file_or_the_published_cases_but_not_both(run):
    assert "give a file of cases, or --published" in run(code=2)
    assert "give a file of cases, or --published" in run("x.csv", "--published", code=2)


def overlapping(axes):
    """Pairs of texts that lie over one another on a drawn figure."""
    figure = axes.get_figure(root=True)
    figure.canvas.draw()
    texts = [t for t in figure.findobj(lambda a: hasattr(a, "get_text")) if t.get_text().strip() and t.get_visible()]
    boxes = [(t.get_text(), t.get_window_extent()) for t in texts]
    boxes = [(words, box.shrunk(0.94, 0.8)) for words, box in boxes if box.width > 1]
    return [(a, b) for i, (a, one) in enumerate(boxes) for b, other in boxes[i + 1 :] if one.overlaps(other) and a != b]


@pytest.mark.parametrize(
    "draw",
    [
        figures_of_validation.calibration,
        figures_of_validation.roc,
        figures_of_validation.confusion,
        figures_of_validation.baselines,
        figures_of_validation.variable_importance,
        lambda found: figures_of_validation.cohort_check(found.cohort_check),
        lambda found: figures_of_learning.learned_rows(
            cc.learn.update(found.model, found.model.simulate(80, missing=0.4, seed=1))
        ),
    ],
)
def test_no_words_of_a_figure_overlap(found, draw):
    axes = draw(found)
    assert overlapping(axes) == []
    assert cc.DISCLAIMER in axes.get_xlabel()


@pytest.mark.slow
def test_a_validation_saves_the_report_of_the_command(run, tmp_path):
    run("--published", "--draws", "50", "--out", "rep")
    files = cc.validate(cc.load(), cc.cases(), draws=50).save(tmp_path / "out")
    assert {path.name for path in files} == {path.name for path in Path("rep").iterdir()}


def test_three_patients_show_no_calibration_and_may_all_be_right(run):
    cases = cc.cases()
    right = cc.load().posteriors(cases)["leading"] == cases["diagnosis"]
    cases[right].head(3).to_csv("mine.csv")
    text = " ".join(run("mine.csv", "--draws", "50").split())
    assert "Right in 3 of 3, 100%" in text
    assert "Fewer than 100 patients are too few to judge the calibration." in text
    assert "well calibrated" not in text
