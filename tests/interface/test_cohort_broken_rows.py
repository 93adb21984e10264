"""CSV files as they are: rows without a cell for each heading stay in place with a status, and other untidiness."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from properties import examples

import calcinosis as cc
from calcinosis.interface.cohort import files as tables
from calcinosis.knowledge.problem import PriorsError
from calcinosis.knowledge.sheet import read_sheet

HEADER = ["id", "pain", "remark, in words", "esrd"]


def broken(cells, headings=4):
    return f"invalid: the row has {cells} cells, the header {headings}: a comma within a cell needs quotes around it"


def quoted(cell):
    return '"' + cell.replace('"', '""') + '"' if set(cell) & set(',"\n\r') else cell


class Written:
    """A CSV file being written, and what should be said of each of its patients."""

    def __init__(self, end="\n"):
        self.lines = [",".join(map(quoted, HEADER))]
        self.rows = []
        self._end = end

    def add(self, *cells):
        self.lines.append(",".join(map(quoted, cells)))
        said = [cells[0], cells[2] if len(cells) > 2 else ""]
        self.rows.append([*said, "ok" if len(cells) == len(HEADER) else broken(len(cells))])

    def blank(self):
        self.lines.append("")

    def bytes(self, last=True):
        return (self._end.join(self.lines) + self._end * last).encode()


@pytest.fixture
def answers(shipped, tmp_path):
    """A function that scores a CSV file: what is said of each patient, and the summary."""

    def call(content, **options):
        (tmp_path / "in.csv").write_bytes(content)
        summary = cc.cohort.run(tmp_path / "in.csv", tmp_path / "out.csv", shipped, force=True, **options)
        found = pd.read_csv(tmp_path / "out.csv", dtype=str, keep_default_na=False)
        probabilities = found[list(shipped.states)]
        assert ((probabilities == "").all(axis=1) == (found["status"] != "ok")).all()
        assert ((probabilities == "").any(axis=1) == (found["status"] != "ok")).all()
        assert ((found["leading"] == "") == (found["status"] != "ok")).all()
        assert ((found["log_evidence"] == "") == (found["status"] != "ok")).all()
        return found, summary

    return call


def said(found):
    return found[["id", "remark, in words", "status"]].to_numpy().tolist()


PLACES = {
    "the first": [0],
    "the last": [9],
    "the first three": [0, 1, 2],
    "the last three": [7, 8, 9],
    "some in a row": [4, 5, 6],
    "every other": [0, 2, 4, 6, 8],
    "all but one": [0, 1, 2, 3, 5, 6, 7, 8, 9],
    "all": list(range(10)),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("cells", [["few"], ["some", "none"], ["many", "none", "a, b", "no", "more"]], ids=len)
@pytest.mark.parametrize("last", [True, False], ids=["line end", "no line end"])
def test_broken_rows_stay_in_place_with_their_identifier(place, cells, last, answers):
    written = Written()
    for row in range(10):
        first, *others = cells if row in PLACES[place] else ["whole", "severe", "x", "yes"]
        written.add(f"{first} {row}", *others)
    found, summary = answers(written.bytes(last))
    assert said(found) == written.rows
    assert (summary.patients, summary.invalid) == (10, len(PLACES[place]))
    assert [number for number, _ in summary.first] == [row + 1 for row in PLACES[place][:5]]


REMARKS = ["", "x", "a, b", 'say "x"', "two\nlines", "two\r\nlines", ",,,", "\n", "Zoë 🦴", "y" * 300]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("block", [400, 1000, 10_000, 2**24])
def test_broken_rows_stay_in_place_across_blocks_quotes_line_ends_and_blank_lines(end, block, answers, monkeypatch):
    monkeypatch.setattr(tables, "BLOCK", block)
    rng = np.random.default_rng(block)
    written = Written(end)
    for row in range(600):
        few = rng.choice([4, 4, 4, 4, 1, 2, 3, 5, 9])
        written.add(*[f"{row:04d}", "none", str(rng.choice(REMARKS)), "no", *"more"][:few])
        if rng.random() < 0.1:
            written.blank()
    found, summary = answers(written.bytes(), part=100)
    assert said(found) == written.rows
    assert summary.invalid == sum(status != "ok" for *_, status in written.rows)


def test_the_answers_beside_broken_rows_are_those_without_them(answers, shipped):
    written = Written()
    pains = ["severe", "none", "intermittent", "none/severe", "zzz"] * 20
    for row, pain in enumerate(pains):
        written.add(str(row), pain, "", "yes")
        written.add(str(row), pain, "", "yes", "and more") if row % 3 else written.add("alone")
    found, _ = answers(written.bytes())
    expected = shipped.posteriors(pd.DataFrame({"pain": pains, "esrd": "yes"}))
    whole = found[::2].reset_index()
    assert whole["status"].tolist() == expected["status"].tolist()
    for name in shipped.states:
        numbers = whole[name].replace("", "nan").astype(float)
        np.testing.assert_array_equal(numbers, expected[name])
    assert set(found["status"][1::2]) == {broken(1), broken(5)}


def test_a_broken_row_may_be_longer_than_any_cell_should_be(answers):
    content = b"id,pain,esrd\n1,none,no\n" + b"2," + b"x" * 200_000 + b",none,no\n3,none,no\n"
    found, _ = answers(content)
    assert found["id"].tolist() == ["1", "2", "3"]
    assert found["status"].tolist() == ["ok", broken(4, 3), "ok"]


LAST = {
    "a broken row with a remark of two lines": (b'2,none,"two\nlines",no,more\n', broken(5)),
    "a broken row that ends in one": (b'2,none,"two\nlines"\n', broken(3)),
    "blank lines after quotes": (b'2,none,,"two\nlines"' + b"\n" * 99, None),
    "blanks after quotes": (b'2,none,,"two\nlines" \n', None),
}


@pytest.mark.parametrize("name", LAST)
def test_two_lines_in_a_cell_of_the_last_row_are_no_open_quote(name, answers):
    row, status = LAST[name]
    found, _ = answers(b'id,pain,"remark, in words",ward\n1,none,x,no\n' + row)
    assert found["id"].tolist() == ["1", "2"]
    assert found["status"].tolist() == ["ok", status or "ok"]


def test_with_strict_a_broken_row_stops_all(shell, tmp_path):
    (tmp_path / "in.csv").write_text("id,pain\n1,none\n2,none,no\n")
    told = shell("cohort", tmp_path / "in.csv", tmp_path / "out.csv", "--strict")
    assert (told.exit_code, told.stdout) == (1, "")
    assert told.stderr == f"calcinosis: {tmp_path / 'in.csv'}: patient 2: {broken(3, 2)}\n"
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]


UNTIDY = {
    "a byte-order mark": b"\xef\xbb\xbfid,pain\n1,none\n2,severe\n",
    "a mark and quotes": b'\xef\xbb\xbf"id","pain"\n"1","none"\n"2","severe"\n',
    "line ends of Windows": b"id,pain\r\n1,none\r\n2,severe\r\n",
    "line ends of old": b"id,pain\r1,none\r2,severe\r",
    "no line end": b"id,pain\n1,none\n2,severe",
    "blank lines": b"id,pain\n\n1,none\n\n\n2,severe\n\n\n",
    "blank lines of Windows": b"id,pain\r\n\r\n1,none\r\n\r\n2,severe\r\n\r\n",
    "a blank line before all": b"\nid,pain\n1,none\n2,severe\n",
    "spaces": b"id,pain\n1, none \n2,  severe\n",
    "a column without a name": b",id,pain\n0,1,none\n1,2,severe\n",
    "a name of two lines": b'id,pain,"of the\nward"\n1,none,\n2,severe,"x\ny"\n',
}


@pytest.mark.parametrize("name", UNTIDY)
def test_untidy_files_are_read(name, answers, shipped):
    found, _ = answers(UNTIDY[name])
    assert found["id"].tolist() == ["1", "2"]
    assert found["status"].tolist() == ["ok", "ok"]
    expected = [shipped.posterior(pain=pain)["calciphylaxis"] for pain in ("none", "severe")]
    assert found["calciphylaxis"].astype(float).tolist() == expected


def test_a_file_of_one_column_has_a_patient_for_each_quoted_cell(answers):
    found, _ = answers(b'pain\n"severe"\n""\nnone\n""\n')
    assert found["status"].tolist() == ["ok"] * 4
    assert found["calciphylaxis"][1] == found["calciphylaxis"][3]


QUOTE = "invalid: a quote that is not closed, or stands inside a cell: double it or close it"


def test_a_stray_quote_costs_its_row_and_no_other(answers):
    """Two stray quotes used to make one patient of all rows between them."""
    found, summary = answers(b'id,pain,note\n1,severe,"abc\n2,none,x\n3,none,"def\n4,none,y\n')
    assert found["id"].tolist() == ["1", "2", "3", "4"]
    assert found["note"].tolist() == ['"abc', "x", '"def', "y"]
    assert found["status"].tolist() == [QUOTE, "ok", QUOTE, "ok"]
    assert (summary.patients, summary.invalid) == (4, 2)


def test_text_after_a_closing_quote_is_told_and_every_cell_carried_as_it_is(answers):
    found, _ = answers(b'id,pain,note,ward\n1,severe,"burning" at night,7\n2,none,"a, b" x,"8"\n')
    assert found["note"].tolist() == ['"burning" at night', '"a, b" x']
    assert found["ward"].tolist() == ["7", "8"]
    assert found["status"].tolist() == [QUOTE, QUOTE]


def test_in_a_file_of_one_column_an_empty_line_is_a_patient(answers, shell, tmp_path):
    found, _ = answers(b"pain\nsevere\n\nnone\n\n\nsevere\n")
    assert found["status"].tolist() == ["ok"] * 6
    alone = json.loads(shell("diagnose", "--file", tmp_path / "in.csv", "--json").stdout)
    assert [entry["leading"] for entry in alone] == found["leading"].tolist()


def test_stray_quotes_take_time_in_proportion_to_the_file(answers):
    """Each line leaves a quote open to the end of the file."""
    found, _ = answers(b"id,pain\n" + b'x","y\n' * 20_000)
    assert set(found["status"]) == {QUOTE}
    assert len(found) == 20_000


def test_a_cell_may_be_longer_than_a_block(answers, monkeypatch):
    monkeypatch.setattr(tables, "BLOCK", 1000)
    monkeypatch.setattr(tables, "STEP", 100)
    long = "y" * 300_000 + "\n" + "z" * 300_000
    found, _ = answers(f'id,pain,note\n1,none,"{long}"\n2,severe,x\n'.encode())
    assert found["note"].tolist() == [long, "x"]
    assert found["status"].tolist() == ["ok", "ok"]


pieces = st.sampled_from(
    [*'",\n\r\x00\ufeff\t a', '""', "\r\n", ",,", '",', ',"', "\n\n", "none", "severe,", "1,none,x\n"]
)


@examples(150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    head=st.sampled_from(["id,pain,note\n", "pain\n", "id, pain \r\n", "\ufeffid,pain"]),
    body=st.lists(pieces, max_size=40).map("".join),
    sizes=st.sampled_from([(30, 8), (100, 50), (2**24, 2**18)]),
)
def test_both_readers_agree_on_every_file(head, body, sizes, tmp_path):
    """The reader of cohorts gives a row for each row of the strict reader, with a status where that finds a fault."""
    path, problems = tmp_path / "in.csv", []
    path.write_bytes((head + body).encode())
    sheet = read_sheet(path, path.name, problems, patients=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "BLOCK", sizes[0])
        patch.setattr(tables, "STEP", sizes[1])
        if sheet is None:
            with pytest.raises(PriorsError) as caught:
                tables.open_table(path, lambda names: [])
            assert caught.value.problems == tuple(sorted(set(problems)))
            return
        rows, broken = [], set()
        for piece in tables.open_table(path, lambda names: []).pieces(0):
            broken |= {len(rows) + row for row in piece.broken}
            rows += [[cell.strip() for cell in row.values()] for row in piece.batch.to_pylist()]
    assert len(broken) == len(problems)
    whole = [row for number, row in enumerate(rows) if number not in broken]
    assert whole == [list(line.cells.values()) for line in sheet.lines]
