"""A CSV file is read as named cells with line numbers, or its fault is told; no bytes make the reader fall over."""

import csv
import io

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from calcinosis.knowledge.problem import Reporter
from calcinosis.knowledge.sheet import check_columns, read_sheet


@pytest.fixture
def read(tmp_path):
    """Reads bytes as a CSV file: the sheet, and the problems as (line, what)."""

    def sheet_of(raw):
        path, problems = tmp_path / "a.csv", []
        path.write_bytes(raw)
        sheet = read_sheet(path, "a.csv", problems)
        return sheet, [(problem.line, problem.what) for problem in problems]

    return sheet_of


anything = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@anything
@given(st.binary() | st.text('ab,;\t|"\r\n\ufeff é').map(str.encode))
@example(b'"')
@example(b"\xef\xbb\xbf")
@example(b"a\r\r\nb")
@example(b'a,b\n"' + b"x" * 200_000 + b'",1')
def test_any_bytes_are_a_sheet_or_a_fault(read, raw):
    sheet, problems = read(raw)
    assert sheet is not None or problems
    if sheet is not None:
        assert len(set(sheet.columns)) == len(sheet.columns) > 0
        assert all(tuple(line.cells) == sheet.columns for line in sheet.lines)
        assert all(cell == cell.strip() for line in sheet.lines for cell in line.cells.values())


names = st.lists(st.text("abcdef_", min_size=1, max_size=4), min_size=2, max_size=4, unique=True)
cells = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=6).map(str.strip)


@anything
@given(st.data(), names)
def test_what_is_written_is_read_back_with_its_line(read, data, columns):
    row = st.lists(cells, min_size=len(columns), max_size=len(columns))
    rows = data.draw(st.lists(row.filter(any), max_size=4))
    out, starts = io.StringIO(), []
    writer = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow(columns)
    for values in rows:
        starts.append(1 + len(io.StringIO(out.getvalue(), newline="").readlines()))
        writer.writerow(values)
    sheet, problems = read(out.getvalue().encode())
    assert problems == []
    assert sheet.columns == tuple(columns)
    assert [(line.number, list(line.cells.values())) for line in sheet.lines] == list(zip(starts, rows, strict=True))


def test_a_line_number_counts_empty_lines_and_lines_within_cells(read):
    sheet, problems = read(b'\xef\xbb\xbfa,b\r\n\r\n"one\r\ntwo",2\r\n,\r\n3,4\r\n')
    assert problems == []
    assert [(line.number, dict(line.cells)) for line in sheet.lines] == [
        (3, {"a": "one\r\ntwo", "b": "2"}),
        (6, {"a": "3", "b": "4"}),
    ]


@pytest.mark.parametrize("blank", [b"\n", b"\r\n\r\n", b",,\n", b'" ",\n'])
def test_empty_lines_before_the_header_are_passed_over(read, blank):
    sheet, problems = read(blank + b"a,b\n1,2\n")
    assert problems == []
    assert sheet.columns == ("a", "b")
    assert [line.number for line in sheet.lines] == [2 + blank.count(b"\n")]


@pytest.mark.parametrize("raw", [b"", b"\n\n", b"\xef\xbb\xbf\r\n", b",,\n,,\n", b'""\n'])
def test_a_file_of_empty_lines_is_empty(read, raw):
    assert read(raw) == (None, [(1, "the file is empty")])


def test_every_faulty_line_is_told_and_the_others_are_kept(read):
    sheet, problems = read(b"a,b\n1\n2,3\n4,5,6\n")
    assert problems == [(2, "1 cells under 2 columns"), (4, "3 cells under 2 columns")]
    assert [dict(line.cells) for line in sheet.lines] == [{"a": "2", "b": "3"}]


def test_every_fault_of_the_header_is_told(read):
    sheet, problems = read(b"a,,a,\n")
    assert sheet is None
    assert problems == [(1, "column 2 has no name"), (1, "the column stands twice"), (1, "column 4 has no name")]


@pytest.mark.parametrize("raw", [b"a\nb;c\n", b"a,b\n1;2,3\n", b"a\nx|y\n"])
def test_another_separator_within_a_cell_is_no_fault(read, raw):
    assert read(raw)[1] == []


@pytest.mark.parametrize(
    ("raw", "line"), [(b"a\n\xff", 2), (b"a,b\n1,2\n3,\xe9\n", 3), (b"\x80", 1), (b"a\n\n\x00", 3)]
)
def test_the_line_of_a_strange_byte_is_told(read, raw, line):
    sheet, problems = read(raw)
    assert sheet is None
    assert [number for number, _ in problems] == [line]


def test_columns_are_compared_with_those_wanted(read):
    sheet, _ = read(b"one,tow,note,zzz\n")
    problems = []
    assert not check_columns(sheet, ["one", "two", "three"], ["note"], Reporter("a.csv", problems))
    told = {(problem.column, problem.what, problem.fix) for problem in problems}
    assert told == {
        ("tow", "unknown column", "did you mean 'two'?"),
        ("zzz", "unknown column", "remove the column"),
        ("two", "the column is missing", "add it to the header"),
        ("three", "the column is missing", "add it to the header"),
    }


def test_an_unknown_column_is_told_though_none_is_missing(read):
    sheet, _ = read(b"one,zzz\n")
    problems = []
    assert check_columns(sheet, ["one"], [], Reporter("a.csv", problems))
    assert [problem.column for problem in problems] == ["zzz"]
