"""Names, not positions: what order rows and columns stand in, and how a spreadsheet saves them, changes nothing."""

import csv
import io
import random

import pytest

import calcinosis as cc

FINDINGS = [
    {},
    {"cirrhosis": "yes", "pain": "intermittent", "vascular_histology": ["absent"] * 3},
    {"esrd": "yes", "serum_calcium": "2.75 mmol/L", "albumin": "30 g/L", "age_group": "61 years", "livedo": "yes"},
    {"sex": "male", "lesion_site": "genital/other", "pain": {"none": 0.9, "severe": 0.1}, "ulceration": "no"},
]


@pytest.fixture(scope="module")
def expected(still):
    return answers(still)


def answers(folder):
    """The digest, and each posterior as pairs of state and probability, in order and to the last bit."""
    model = cc.load(folder)
    return model.digest, [list(model.posterior(findings).probabilities.items()) for findings in FINDINGS]


def rewritten(still, folder, change, **dialect):
    """A copy of the folder in which each file's rows, the header first, went through `change`."""
    for path in still.rglob("*.csv"):
        rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))
        out = io.StringIO()
        csv.writer(out, **{"lineterminator": "\n"} | dialect).writerows(change(rows))
        copy = folder / path.relative_to(still)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(out.getvalue().encode())
    return folder


def same(rows):
    return rows


def test_an_untouched_copy_answers_the_same(still, expected, tmp_path):
    assert answers(rewritten(still, tmp_path, same)) == expected


@pytest.mark.parametrize("seed", range(6))
def test_shuffled_rows_and_columns_answer_the_same(still, expected, tmp_path, seed):
    chance = random.Random(seed)

    def shuffled(rows):
        header, *body = rows
        places = chance.sample(range(len(header)), len(header))
        return [[row[place] for place in places] for row in (header, *chance.sample(body, len(body)))]

    assert answers(rewritten(still, tmp_path, shuffled)) == expected


def test_rows_and_columns_backwards_answer_the_same(still, expected, tmp_path):
    def backwards(rows):
        return [row[::-1] for row in (rows[0], *rows[:0:-1])]

    assert answers(rewritten(still, tmp_path, backwards)) == expected


def empty_lines(rows):
    blank = [""] * len(rows[0])
    return [rows[0], [], *rows[1:3], blank, *rows[3:], blank, [], blank, [" ", *blank[1:]]]


def spaces(rows):
    return [[f"  {cell} \t" for cell in row] for row in rows]


HARMLESS = {
    "CRLF": (same, {"lineterminator": "\r\n"}),
    "every cell quoted": (same, {"quoting": csv.QUOTE_ALL}),
    "empty lines": (empty_lines, {}),
    "empty lines with CRLF": (empty_lines, {"lineterminator": "\r\n"}),
    "spaces around cells": (spaces, {}),
    "spaces in quotes": (spaces, {"quoting": csv.QUOTE_ALL}),
}


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "byte-order mark"])
@pytest.mark.parametrize("way", HARMLESS)
def test_a_spreadsheet_may_save_the_files_its_way(still, expected, tmp_path, way, mark):
    change, dialect = HARMLESS[way]
    folder = rewritten(still, tmp_path, change, **dialect)
    for path in folder.rglob("*.csv"):
        path.write_bytes(mark + path.read_bytes())
    assert answers(folder) == expected


def test_a_last_line_without_an_end_is_read(still, expected, tmp_path):
    folder = rewritten(still, tmp_path, same)
    for path in folder.rglob("*.csv"):
        path.write_bytes(path.read_bytes().rstrip(b"\n"))
    assert answers(folder) == expected
