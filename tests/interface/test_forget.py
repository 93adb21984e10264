"""`calcinosis update --forget`: no edit made since is lost, and a ledger is checked before it is used."""

import csv
import os
import random
import re
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

import calcinosis as cc
from calcinosis.interface.shell.app import app
from calcinosis.knowledge.folder import shipped_folder

LEDGER = Path("updates/01_a.csv")


@pytest.fixture(scope="module")
def learned(tmp_path_factory, shipped):
    """A folder that has learned from cases.csv, which is next to it."""
    root = tmp_path_factory.mktemp("learned")
    shipped.simulate(40, missing=0.4, seed=1).to_csv(root / "cases.csv", index_label="patient")
    words = ["update", str(root / "cases.csv"), "--priors", str(shipped_folder()), "--name", "A", "--folds", "0"]
    result = CliRunner().invoke(app, [*words, "--keep", "subtype", "--out", str(root / "new")])
    assert result.exit_code == 0, result.output
    return root / "new"


@pytest.fixture
def folder(learned, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Path(shutil.copytree(learned, tmp_path / "new"))


def forget(learned):
    words = ["update", str(learned.parent / "cases.csv"), "--priors", "new", "--out", "old", "--forget"]
    result = CliRunner().invoke(app, words)
    assert result.exit_code in (0, 1), result.output
    assert Path("old").exists() == (result.exit_code == 0)
    return " ".join(result.stderr.split())


def read(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def write(path, rows):
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def files(folder):
    folder = Path(folder)
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file() and "__" not in str(p)}


def set_cell(path, line, column, change):
    rows = read(path)
    rows[line][rows[0].index(column)] = change(rows[line][rows[0].index(column)])
    write(path, rows)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("column", "change"),
    [
        ("note", lambda note: f"{note} Checked."),
        ("source", lambda source: f"{source};mccarthy2016"),
        ("weight", lambda weight: repr(float(weight) * 1.01)),
    ],
)
def test_an_edit_of_any_column_of_a_learned_row_is_named_and_kept(folder, learned, column, change):
    rows = read(folder / "tables/pain.csv")
    line = next(i for i, row in enumerate(rows) if ";a" in row[rows[0].index("source")])
    set_cell(folder / "tables/pain.csv", line, column, change)
    before = files(folder)
    told = forget(learned)
    assert "edited since a was learned" in told
    assert re.search(rf"pain( \([^)]*\))?: {column}\b", told)
    assert files(folder) == before


def test_an_edit_of_the_cohort_in_the_sources_is_named(folder, learned):
    set_cell(folder / "sources.csv", -1, "citation", lambda text: f"{text}, Vienna")
    assert "sources.csv (a): citation" in forget(learned)


def test_edits_elsewhere_are_kept_and_the_order_of_columns_and_rows_does_not_matter(folder, learned):
    set_cell(folder / "states.csv", 1, "label", lambda label: f"{label} (mine)")
    (folder / "notes.txt").write_text("mine")
    rows = read(folder / "tables/pain.csv")
    write(folder / "tables/pain.csv", [row[::-1] for row in [rows[0], *rows[:0:-1]]])
    edited = (folder / "states.csv").read_bytes()
    assert forget(learned) == ""
    former, now = files(shipped_folder()), files("old")
    assert now.pop(Path("notes.txt")) == b"mine"
    assert now.pop(Path("states.csv")) == edited != former.pop(Path("states.csv"))
    del now[Path("tables/pain.csv")], former[Path("tables/pain.csv")]
    assert now == former
    back, was = read("old/tables/pain.csv"), read(shipped_folder() / "tables/pain.csv")
    assert [row[::-1] for row in [back[0], *back[:0:-1]]] == was


def test_blanks_after_cells_are_read_as_everywhere(folder, learned):
    for path in (folder / "tables").iterdir():
        path.write_bytes(path.read_bytes().replace(b"\n", b" \n"))
    assert forget(learned) == ""
    assert cc.load("old").digest == cc.load(shipped_folder()).digest


def test_an_edit_that_changes_what_the_patients_say_is_named_by_its_file(folder, learned):
    rows = read(folder / "tables/subtype.csv")
    one, other = rows[0].index("dystrophic"), rows[0].index("metastatic")
    rows[1][one], rows[1][other] = rows[1][other], rows[1][one]
    write(folder / "tables/subtype.csv", rows)
    assert "tables/subtype.csv" in forget(learned)


def test_the_cohort_stays_in_the_sources_while_another_file_cites_it(folder, learned):
    set_cell(folder / "expectations.csv", 1, "source", lambda source: f"{source};a")
    assert forget(learned) == ""
    assert "a" in cc.load("old").priors.sources


@pytest.mark.parametrize("seed", range(6))
def test_no_random_edit_is_lost(folder, learned, seed):
    """A mark put into any note, source or label is there afterwards, or nothing was written and its file was named."""
    rng = random.Random(seed)
    paths = [*sorted((folder / "tables").glob("*.csv")), folder / "sources.csv", folder / "tests.csv"]
    marks = {}
    for number in range(rng.choice((1, 2))):
        path = rng.choice(paths)
        set_cell(path, rng.randrange(1, len(read(path))), "note", lambda note, n=number: f"{note} mark {n}.")
        marks[f"mark {number}."] = path.relative_to(folder)
    before = files(folder)
    told = forget(learned)
    assert files(folder) == before
    if told:
        assert any(path.stem in told for path in marks.values())
    else:
        assert all(mark in Path("old", path).read_text(encoding="utf-8") for mark, path in marks.items())
        same = {path: content for path, content in files("old").items() if path not in marks.values()}
        former = files(shipped_folder())
        assert same == {path: former[path] for path in former if path not in marks.values()}


@pytest.mark.parametrize("spoil", ["a line less", "a line more", "a line twice", "another cell", "no digest", "a pipe"])
def test_a_ledger_that_is_not_as_written_is_refused(folder, learned, spoil):
    lines = (folder / LEDGER).read_bytes().splitlines(keepends=True)
    changed = {
        "a line less": lines[:1] + lines[2:],
        "a line more": [*lines[:-1], lines[2].replace(b"A: ", b"B: "), lines[-1]],
        "a line twice": [*lines[:2], *lines[1:]],
        "another cell": [lines[0], lines[1].replace(b"a,40,", b"a,41,"), *lines[2:]],
        "no digest": lines[:-1],
        "a pipe": [],
    }[spoil]
    if spoil == "a pipe":
        (folder / LEDGER).unlink()
        os.mkfifo(folder / LEDGER)
        assert "not a file" in forget(learned)
    else:
        assert changed != lines
        (folder / LEDGER).write_bytes(b"".join(changed))
        told = forget(learned)
        assert "updates/01_a.csv:1: -: -: not what 'calcinosis update' has written: put the file back" in told
    assert (folder / "updates").is_dir()


def test_a_ledger_saved_with_other_line_ends_still_counts(folder, learned):
    write(folder / LEDGER, read(folder / LEDGER))
    (folder / LEDGER).write_bytes((folder / LEDGER).read_bytes().replace(b"\n", b"\r\n"))
    assert forget(learned) == ""
    assert files("old") == files(shipped_folder())
