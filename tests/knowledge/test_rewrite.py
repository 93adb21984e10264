"""Rewriting changes what it is told to and not a byte more, whatever the file looks like."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calcinosis.knowledge.ledger import COLUMNS, LearnedRow, Ledger, ledgers_of, next_path, read_ledger
from calcinosis.knowledge.problem import PriorsError
from calcinosis.knowledge.records import Row
from calcinosis.knowledge.rewrite import records, with_record_added, with_rows, with_texts, without_record
from calcinosis.knowledge.sheet import MARK as BOM

TABLE = b'no,yes,weight,source,note\r\n0.60,4e-1,8.0,a,"one, ""two"""\r\n'


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r"), max_size=6)


@given(st.lists(st.lists(CELLS, min_size=2, max_size=2), min_size=1))
def test_the_texts_of_the_records_are_the_file(rows):
    import csv
    import io

    file = io.StringIO(newline="")
    csv.writer(file, lineterminator="\n").writerows(rows)
    content = file.getvalue().encode()
    assert "".join(record.text for record in records(content)).encode() == content


def test_only_what_changes_is_written_anew():
    row = Row((), (0.5, 0.5), 8.0, ("a", "b"), 'one, "two"', 2)
    new = with_rows(BOM + TABLE, {2: row}, ("no", "yes"))
    assert new == BOM + b'no,yes,weight,source,note\r\n0.5,0.5,8.0,a;b,"one, ""two"""\r\n'
    same = with_rows(TABLE, {2: Row((), (0.6, 0.4), 8.0, ("a",), 'one, "two"', 2)}, ("no", "yes"))
    assert same == TABLE


def test_a_former_text_put_back_gives_the_former_file():
    old = {record.line: record.bare for record in records(TABLE)}
    new = with_rows(TABLE, {2: Row((), (0.5, 0.5), 9.0, ("a",), "n", 2)}, ("no", "yes"))
    assert with_texts(new, {2: old[2]}) == TABLE


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_a_record_added_can_be_taken_away_again(end):
    content = b"kind,source\r\nseries,a" + end if end != b"\n" else b"kind,source\nseries,a\n"
    more = with_record_added(content, {"source": "b", "kind": "cohort"})
    assert b"cohort,b" in more
    assert more.endswith(end)
    assert without_record(more, "source", "b") == content


def test_a_ledger_is_read_as_it_was_written(tmp_path):
    former = {("pain", "no,yes"): ' 0.60,4e-1,8.0,a,"one, ""two"""', ("sex", ""): "0.5,0.5,4,a,"}
    rows = {
        ("pain", "no,yes"): LearnedRow("no,yes,weight,source,note", ".7,.3,9,a;c,one", former["pain", "no,yes"], 12.5),
        ("sex", ""): LearnedRow("a,b,weight,source,note", "0.6,0.4,5,a;c,", former["sex", ""]),
    }
    own = Ledger("c", 212, 0.5, ("pain", "sex"), rows, {"states.csv": "0" * 64})
    path = next_path(tmp_path, "c")
    assert path.name == "01_c.csv"
    path.parent.mkdir()
    path.write_bytes(own.content)
    read = read_ledger(path)
    assert (read.cohort, read.patients, read.weight, read.tables) == ("c", 212, 0.5, ("pain", "sex"))
    assert read == own
    assert {key: row.former for key, row in read.rows.items()} == former
    assert next_path(tmp_path, "d").name == "02_d.csv"
    assert ledgers_of(tmp_path) == [path]


@pytest.mark.parametrize("content", ["", "cohort\nc\n", ",".join(COLUMNS) + "\nc,x,1,a,a,,1,z\n"])
def test_a_ledger_that_was_changed_is_refused_in_words(tmp_path, content):
    path = tmp_path / "updates" / "01_c.csv"
    path.parent.mkdir()
    path.write_text(content)
    with pytest.raises(PriorsError, match="not what 'calcinosis update' has written"):
        read_ledger(path)
