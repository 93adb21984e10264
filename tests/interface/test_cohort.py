"""`calcinosis cohort`: what is said of a cohort, with which priors, how far it is, and how little memory it takes."""

import gc
import json
import os
import subprocess
import sys
import weakref
from concurrent.futures import Future
from contextlib import contextmanager

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import calcinosis as cc
from calcinosis.inference.network import Network
from calcinosis.interface.cohort import files as tables
from calcinosis.interface.cohort import pieces
from calcinosis.interface.cohort import streaming as cohort
from calcinosis.knowledge.frozen import FrozenMap
from calcinosis.knowledge.records import State, Variable

ROWS = "id,pain,ulceration,livedo\nA,severe,,\nB,worst,,\nC,,no,yes\nD,,,\n"
INVALID = "invalid: pain=worst: no state 'worst': write one of: none, intermittent, severe"
IMPOSSIBLE = "impossible: ulceration=no and livedo=yes cannot be true together"


@pytest.fixture(scope="module")
def shipped(contradictory):
    """The model of priors under which some findings of the ward contradict each other."""
    return cc.load(contradictory)


@pytest.fixture(autouse=True)
def priors(contradictory, monkeypatch):
    """The same priors for the shell."""
    monkeypatch.setenv("CALCINOSIS_PRIORS", str(contradictory))
    return contradictory


@pytest.fixture
def files(tmp_path):
    """A file of four patients, two of them without an answer, and where the answers go."""
    (tmp_path / "in.csv").write_text(ROWS)
    return tmp_path / "in.csv", tmp_path / "out.csv"


def test_the_text_says_how_many_have_an_answer_and_why_others_have_none(files, shell, shipped):
    told = shell("cohort", *files)
    assert (told.exit_code, told.stderr) == (0, "")
    first, *others = told.stdout.splitlines()
    assert first.startswith(f"{files[1]}: 4 patients in ")
    assert first.endswith(" rows/s)")
    assert others == [
        "  2 with an answer, 1 invalid, 1 impossible",
        "  record: asked",
        "Columns read as findings: pain, ulceration, livedo",
        "Columns carried over: id",
        f"  patient 2: {INVALID}",
        f"  patient 3: {IMPOSSIBLE}",
        f"priors {shipped.digest[:12]}",
        cc.DISCLAIMER,
    ]


def test_json_says_the_same_and_where_the_answers_are(files, shell, shipped):
    told = shell("cohort", *files, "--json")
    assert (told.exit_code, told.stderr) == (0, "")
    shown = json.loads(told.stdout)
    assert shown.pop("seconds") > 0
    assert shown == {
        "file": str(files[1]),
        "patients": 4,
        "ok": 2,
        "invalid": 1,
        "impossible": 1,
        "resumed": 0,
        "columns_read": ["pain", "ulceration", "livedo"],
        "columns_carried": ["id"],
        "record": "asked",
        "first_without_answer": [{"patient": 2, "status": INVALID}, {"patient": 3, "status": IMPOSSIBLE}],
        "digest": shipped.digest,
        "disclaimer": cc.DISCLAIMER,
    }


def test_of_many_patients_without_an_answer_the_first_five_are_named(shell, tmp_path):
    (tmp_path / "in.csv").write_text("pain\n" + "none\nworst\n" * 1000)
    told = shell("cohort", tmp_path / "in.csv", tmp_path / "out.csv", "--part", 3)
    assert "  1,000 with an answer, 1,000 invalid, 0 impossible\n" in told.stdout
    shown = [line for line in told.stdout.splitlines() if line.startswith("  patient ")]
    assert shown == [f"  patient {number}: {INVALID}" for number in (2, 4, 6, 8, 10)]
    assert "  and so on: the column 'status' says why for each\n" in told.stdout


def test_each_row_is_there_with_its_status(files, shell, shipped):
    shell("cohort", *files)
    found = pd.read_csv(files[1], dtype=str, keep_default_na=False)
    assert found.columns.tolist() == ["id", *shipped.states, "leading", "log_evidence", "status"]
    assert found["id"].tolist() == ["A", "B", "C", "D"]
    assert found["status"].tolist() == ["ok", INVALID, IMPOSSIBLE, "ok"]
    assert found["leading"].tolist() == ["calciphylaxis", "", "", shipped.posterior().leading]
    expected = shipped.posterior(pain="severe")
    assert found.loc[0, list(shipped.states)].astype(float).tolist() == list(expected.probabilities)
    assert float(found["log_evidence"][0]) == expected.log_evidence


@pytest.mark.parametrize("number", [2, 3])
def test_strict_stops_at_the_first_patient_without_an_answer(number, files, shell):
    source, target = files
    lines = ROWS.splitlines(keepends=True)
    source.write_text("".join([*lines[:2], *lines[number:]]))
    for options in ([], ["--part", 1], ["--json"]):
        told = shell("cohort", source, target, "--strict", *options)
        assert told.exit_code == 1
        message = f"{source}: patient 2: {[INVALID, IMPOSSIBLE][number - 2]}"
        if "--json" in options:
            assert json.loads(told.stdout) == {"error": "InputError", "message": message}
        else:
            assert (told.stdout, told.stderr) == ("", f"calcinosis: {message}\n")
        assert list(source.parent.iterdir()) == [source]


def test_strict_stops_nothing_where_all_is_well_and_keeps_what_was_there_where_it_is_not(files, shell):
    source, target = files
    target.write_text("kept")
    assert shell("cohort", source, target, "--strict", "--force").exit_code == 1
    assert target.read_text() == "kept"
    source.write_text("id,pain\nA,severe\nB,\n")
    assert shell("cohort", source, target, "--strict", "--force").exit_code == 0
    assert target.read_text().count('"ok"') == 2


def test_other_priors_give_other_answers_and_are_named(files, shell, tmp_path, monkeypatch):
    source, target = files
    shell("init", tmp_path / "mine")
    table = tmp_path / "mine" / "tables" / "pain.csv"
    frame = pd.read_csv(table, dtype=str)
    frame.loc[:, ["none", "intermittent", "severe"]] = ["0.5", "0.25", "0.25"]
    frame.to_csv(table, index=False)
    mine = cc.load(tmp_path / "mine")
    answers = []
    for variable, options in ((None, ["--priors", tmp_path / "mine"]), ("mine", []), (None, [])):
        with monkeypatch.context() as patch:
            if variable:
                patch.setenv("CALCINOSIS_PRIORS", str(tmp_path / variable))
            told = shell("cohort", source, target, "--force", *options)
        answers.append((target.read_bytes(), f"priors {mine.digest[:12]}\n" in told.stdout))
    assert answers[0] == answers[1]
    assert answers[0][1]
    assert answers[2][0] != answers[0][0]
    assert not answers[2][1]


# impossible rows, of a model so small that all can be seen


@pytest.fixture(scope="module")
def clinic():
    """Severe pain and a calcified biopsy are found in the grave disease only; the rest says little."""
    tables_of = {
        "disease": ("benign grave", [0.75, 0.25]),
        "pain": ("none severe", [[1.0, 0.0], [0.4, 0.6]]),
        "biopsy": ("absent calcified", [[1.0, 0.0], [0.4, 0.6]]),
        "sex": ("female male", [[0.5, 0.5], [0.6, 0.4]]),
        "mirror": ("benign grave", [[1.0, 0.0], [0.0, 1.0]]),
        "copy": ("benign grave", [[1.0, 0.0], [0.0, 1.0]]),
    }
    variables = {
        name: Variable(name, tuple(State(s, s) for s in states.split()), label=name, repeatable=name == "biopsy")
        for name, (states, _) in tables_of.items()
    }
    parents = {name: () if name == "disease" else ("disease",) for name in tables_of}
    numbers = {name: np.array(rows) for name, (_, rows) in tables_of.items()}
    return cc.Model(Network("disease", FrozenMap(variables), FrozenMap(parents), FrozenMap(numbers)))


CLASHES = {
    ("benign", "severe", "", "male", ""): "copy=benign and pain=severe cannot be true together",
    ("benign", "none", "absent,calcified,absent", "male", ""): (
        "copy=benign and biopsy=absent,calcified,absent cannot be true together"
    ),
    ("", "severe", "absent", "male", "benign"): "pain=severe and mirror=benign cannot be true together",
    ("grave", "none", "absent", "female", "benign"): "copy=grave and mirror=benign cannot be true together",
    ("benign:1,grave:0", "severe", "", "", ""): "copy=benign:1,grave:0 and pain=severe cannot be true together",
    ("", "severe", "absent", "male", "benign/benign"): ("pain=severe and mirror=benign/benign cannot be true together"),
    ("grave", "severe", "calcified,calcified", "male", "grave"): None,
    ("benign/grave", "severe", "", "", ""): None,
    ("", "", "", "", ""): None,
}


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_impossible_rows_are_told_which_findings_clash_and_only_these(ending, clinic, write, read, tmp_path):
    frame = pd.DataFrame(list(CLASHES) * 3, columns=["copy", "pain", "biopsy", "sex", "mirror"]).assign(n="x")
    summary = cohort.run(write(frame, tmp_path / f"in.{ending}"), tmp_path / "out.parquet", clinic)
    found = read(tmp_path / "out.parquet")
    expected = ["ok" if clash is None else f"impossible: {clash}" for clash in CLASHES.values()]
    assert found.column("status").to_pylist() == expected * 3
    assert found.column_names == ["n", "benign", "grave", "leading", "log_evidence", "status"]
    assert (summary.ok, summary.invalid, summary.impossible) == (9, 0, 18)
    for name in ("benign", "grave", "leading", "log_evidence"):
        assert [value is not None for value in found.column(name).to_pylist()] == [e == "ok" for e in expected] * 3


def test_a_row_that_is_not_understood_is_not_called_impossible(clinic, tmp_path):
    (tmp_path / "in.csv").write_text("copy,pain,sex\nbenign,severe,neither\n")
    summary = cohort.run(tmp_path / "in.csv", tmp_path / "out.csv", clinic)
    status = "invalid: sex=neither: no state 'neither': write one of: female, male"
    assert summary.first == [(1, status)]
    assert (summary.invalid, summary.impossible) == (1, 0)


# progress and memory


@pytest.mark.parametrize(("source", "rows"), [("in.parquet", 100), ("in.csv", None), ("in.arrow", None)])
def test_progress_grows_to_all_rows(source, rows, ward, write, shipped, tmp_path, monkeypatch):
    monkeypatch.setattr(pieces, "PIECE", 13)
    path = write(ward(100, impossible=0), tmp_path / source)
    told = []
    cohort.run(path, tmp_path / "out.csv", shipped, part=30, progress=lambda *numbers: told.append(numbers))
    assert told == [(0, rows), (30, rows), (60, rows), (90, rows), (100, rows)]


def test_without_patients_there_is_no_progress_to_speak_of(shipped, tmp_path):
    (tmp_path / "in.csv").write_text("id,pain\n")
    told = []
    cohort.run(tmp_path / "in.csv", tmp_path / "out.csv", shipped, progress=lambda *numbers: told.append(numbers))
    assert told == [(0, None)]


@pytest.mark.slow
def test_no_bar_is_shown_where_the_error_stream_is_no_terminal(files):
    environment = {name: value for name, value in os.environ.items() if name not in ("FORCE_COLOR", "TTY_COMPATIBLE")}
    command = [sys.executable, "-m", "calcinosis", "cohort", *map(str, files)]
    told = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert told.stderr == ""
    assert "\x1b" not in told.stdout


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="needs a terminal of its own")
def test_a_bar_is_shown_on_a_terminal_but_not_with_json(files):
    import pty

    source, target = files
    command = [sys.executable, "-m", "calcinosis", "cohort", str(source), str(target), "--force"]
    for options, shown in (([], True), (["--json"], False)):
        ours, theirs = pty.openpty()
        environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
        subprocess.run([*command, *options], env=environment, stdout=subprocess.PIPE, stderr=theirs, check=True)
        os.write(theirs, b".")  # so that there is something to read
        told = os.read(ours, 10_000).decode()
        os.close(theirs)
        os.close(ours)
        assert ("in.csv" in told) == shown


class Tracked:
    """A table of as many pieces as asked for, which knows how many of them are alive at once."""

    def __init__(self, pieces, rows, broken=()):
        self._pieces, self._rows, self._broken = pieces, rows, broken
        self._alive = weakref.WeakSet()
        self.most = 0

    def open(self, path, findings):
        schema = pa.schema([("id", pa.int64()), ("pain", pa.string())])
        findings(schema.names)
        return tables.PieceTable(schema, self._pieces * self._rows, self._yield)

    def _yield(self, skip):
        for number in range(self._pieces):
            first = number * self._rows
            columns = {"id": range(first, first + self._rows), "pain": ["none"] * self._rows}
            piece = tables.Piece(pa.RecordBatch.from_pydict(columns), {})
            self._alive.add(piece)
            self.most = max(self.most, len(self._alive))
            yield piece
            del piece


@pytest.mark.slow
@pytest.mark.parametrize("part", [10, 35, 10_000])
def test_however_many_rows_there_are_only_a_few_pieces_are_held(part, shipped, read, tmp_path, monkeypatch, figure):
    tracked = Tracked(pieces=200, rows=10)
    monkeypatch.setattr(cohort, "open_table", tracked.open)
    (tmp_path / "in.csv").write_text("")
    gc.collect()
    summary = cohort.run(tmp_path / "in.csv", tmp_path / "out.parquet", shipped, part=part)
    assert summary.patients == summary.ok == 2000
    assert read(tmp_path / "out.parquet").column("id").to_pylist() == list(range(2000))
    assert tracked.most <= cohort.AT_ONCE + 3
    figure(f"cohort of 200 pieces, parts of {part:,} rows: {tracked.most} pieces held at most")


def test_work_that_is_slow_to_be_done_holds_no_more_pieces(shipped, tmp_path, monkeypatch):
    """Whoever does the work may take all they are given before they answer any of it."""
    tracked, given = Tracked(pieces=60, rows=10), []

    class Late(Future):
        def result(self, timeout=None):
            return cohort.score_batch(given.pop(0), shipped)

    @contextmanager
    def workers(model):
        yield lambda batch: (given.append(batch), Late())[1]

    monkeypatch.setattr(cohort, "open_table", tracked.open)
    (tmp_path / "in.csv").write_text("")
    assert cohort.run(tmp_path / "in.csv", tmp_path / "out.csv", shipped, workers=workers).patients == 600
    assert tracked.most <= cohort.AT_ONCE + 3
