"""Bad cases are each told with file and line, in words, and nothing is written."""

import pandas as pd
import pytest
from typer.testing import CliRunner

from calcinosis.interface.shell.app import app
from calcinosis.interface.shell.patient_files import read_cases_file
from calcinosis.knowledge.folder import shipped_folder

HEAD = "case_id,diagnosis,pain,form\n"
SUBTYPES = "dystrophic, metastatic, idiopathic, iatrogenic, calciphylaxis"
BAD = {
    "unknown state": (
        HEAD + 'a,dystrophic,"severe",\n\nb,idiopathic,sever,\n',
        "cases.csv:4: pain: sever: no state 'sever': did you mean 'severe'? One of: none, intermittent, severe",
    ),
    "contradictory row": (
        HEAD + "a,idiopathic,none,calciphylaxis_uraemic\n",
        "cases.csv:2: form, diagnosis: calciphylaxis_uraemic, idiopathic: cannot be true together: correct one of them",
    ),
    "an id twice": (
        HEAD + "a,dystrophic,,\nb,idiopathic,,\na,idiopathic,none,\n",
        "cases.csv:4: case_id: a: the same patient as in row 1: remove one of the two, or rename it",
    ),
    "empty file": ("", "cases.csv:1: -: -: the file is empty: write a header line and one line per row"),
    "header alone": (HEAD, "cases.csv:1: -: -: there is no patient: write one row for each"),
    "no diagnosis column": (
        "case_id,pain\na,none\n",
        "cases.csv:1: diagnosis: -: no column holds the diagnosis: name it 'diagnosis'",
    ),
    "unknown subtype": (
        HEAD + "a,dystrofic,none,\n",
        f"cases.csv:2: diagnosis: dystrofic: no state 'dystrofic': did you mean 'dystrophic'? One of: {SUBTYPES}",
    ),
    "misspelt column": (
        "case_id,diagnosis,pains\na,dystrophic,none\n",
        "cases.csv:1: pains: -: a column that is not read: did you mean pain? Otherwise rename it",
    ),
}
NO_DIAGNOSIS = HEAD + "a,,none,\n"


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.delenv("CALCINOSIS_PRIORS", raising=False)
    monkeypatch.chdir(tmp_path)

    def call(content, *words):
        (tmp_path / "cases.csv").write_text(content, encoding="utf-8")
        return CliRunner().invoke(app, [words[0], "cases.csv", *words[1:]])

    return call


@pytest.mark.parametrize("words", [("validate", "--out", "new"), ("update", "--out", "new")])
@pytest.mark.parametrize("name", BAD)
def test_each_fault_is_told_with_file_and_line_and_nothing_is_written(run, tmp_path, name, words):
    content, text = BAD[name]
    result = run(content, *words)
    assert result.exit_code == 1
    assert text in result.stderr.splitlines()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cases.csv"]


def test_a_patient_without_a_diagnosis_cannot_be_examined_and_nobody_with_one_teaches_nothing(run, tmp_path):
    result = run(NO_DIAGNOSIS, "validate")
    assert result.exit_code == 1
    assert f"cases.csv:2: diagnosis: -: no diagnosis: write one of: {SUBTYPES}" in result.stderr
    result = run(NO_DIAGNOSIS, "update", "--out", "new")
    assert result.exit_code == 1
    assert "cases.csv:1: diagnosis: -: no patient has a diagnosis: write the known ones" in result.stderr
    assert not (tmp_path / "new").exists()


def test_every_fault_is_told_at_once(run):
    content = HEAD + "a,,sever,\na,dystrofic,none,\n"
    told = run(content, "validate").stderr
    assert "3 problems in cases.csv" in told or "4 problems in cases.csv" in told
    assert "cases.csv:2: pain: sever" in told
    assert "cases.csv:3: diagnosis: dystrofic" in told


@pytest.mark.parametrize(
    ("file", "text"), [("none.csv", "there is no such file"), ("cases.xlsx", "a file of cases ends in")]
)
def test_no_file_or_another_is_told(run, file, text):
    result = CliRunner().invoke(app, ["validate", file])
    assert result.exit_code == 1
    assert text in result.stderr


@pytest.mark.parametrize("ending", [".csv", ".parquet", ".arrow"])
def test_the_same_patients_are_read_from_every_format(shipped, tmp_path, ending):
    drawn = shipped.simulate(50, missing=0.3, numbers=True, seed=1).reset_index(names="patient")
    path = tmp_path / f"cases{ending}"
    if ending == ".csv":
        drawn.to_csv(path, index=False)
    elif ending == ".parquet":
        drawn.to_parquet(path, index=False)
    else:
        drawn.to_feather(path)
    read = read_cases_file(path, shipped)
    assert (read.truth == drawn["diagnosis"].cat.codes).all()
    wanted = shipped.posteriors(drawn)[list(shipped.states)].to_numpy()
    assert abs(read.probabilities() - wanted).max() < 1e-12


def test_published_cases_are_a_file_of_cases(shipped):
    found = read_cases_file(shipped_folder() / "cases" / "published_cases.csv", shipped)
    assert len(found) == len(pd.read_csv(shipped_folder() / "cases" / "published_cases.csv"))
