"""Files of patients in, files of answers out: every format, what is carried, and what is told of files at fault."""

import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import calcinosis as cc
from calcinosis.interface.cohort import csv_files, pieces

IN = ["in.csv", "in.parquet", "in.arrow", "in.stream.arrow", "in.feather", "IN.CSV", "IN.Parquet"]
OUT = ["out.csv", "out.parquet", "out.arrow", "out.feather", "OUT.CSV"]
OWN = ["dystrophic", "metastatic", "idiopathic", "iatrogenic", "calciphylaxis", "leading", "log_evidence", "status"]


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
def score(shipped, tmp_path):
    """A function that scores a file into another one of the same folder, in which nothing else is left."""

    def call(source, target="out.parquet", **options):
        before = set(tmp_path.iterdir())
        summary = cc.cohort.run(source, tmp_path / target, shipped, **options)
        assert set(tmp_path.iterdir()) - before == {tmp_path / target}
        return tmp_path / target, summary

    return call


@pytest.fixture(scope="module")
def patients(ward, shipped):
    """A table of patients and what `posteriors` says of them."""
    frame = ward(300)
    return frame, shipped.posteriors(frame)


PAIRS = [*((source, "out.parquet") for source in IN), *(("in.csv", target) for target in OUT if ".p" not in target)]


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_from_any_format_to_any_other_the_answers_are_those_of_posteriors(
    source, target, patients, score, write, read, check_answers, shipped, tmp_path
):
    frame, expected = patients
    path, summary = score(write(frame, tmp_path / source), target)
    answers = read(path)
    check_answers(answers, expected, shipped)
    assert answers.column_names == ["id", "diagnosis", *OWN]
    assert answers.column("id").to_pylist() == frame["id"].tolist()
    assert answers.column("diagnosis").to_pylist() == frame["diagnosis"].tolist()
    kinds = expected["status"].str.split(":").str[0].value_counts()
    assert (summary.patients, summary.ok) == (len(frame), kinds["ok"])
    assert (summary.invalid, summary.impossible) == (kinds["invalid"], kinds["impossible"])
    bad = expected["status"][expected["status"] != "ok"].head(5)
    assert summary.first == [(row + 1, status) for row, status in bad.items()]


def test_pandas_reads_every_format_of_answers_back(patients, score, write, tmp_path):
    frame, expected = patients
    source = write(frame, tmp_path / "in.csv")
    readers = {"csv": lambda path: pd.read_csv(path, dtype=str), "parquet": pd.read_parquet, "feather": pd.read_feather}
    for ending, reader in readers.items():
        answers = reader(score(source, f"out.{ending}")[0])
        assert answers["id"].tolist() == frame["id"].tolist()
        assert answers["status"].tolist() == expected["status"].tolist()
        for name in OWN[:5]:
            np.testing.assert_array_equal(answers[name].astype(float), expected[name])


QUOTED = ["a,b", 'say "x"', '"', "two\nlines", "line end\r\n", "a\tb"]
CELLS = ["007", "", " ", "Zoë 🦴", "NA", "nan", "null", "1e5", "-0", "=1+1", *QUOTED]


@pytest.mark.parametrize("source", ["in.csv", "in.parquet"])
@pytest.mark.parametrize("target", ["out.csv", "out.parquet", "out.arrow"])
def test_identifiers_and_remarks_stay_the_texts_they_are(source, target, score, write, read, tmp_path):
    frame = pd.DataFrame({"id": CELLS, "pain": "none", "a remark, in words": CELLS[::-1]})
    answers = read(score(write(frame, tmp_path / source), target)[0])
    assert answers.column("id").to_pylist() == CELLS
    assert answers.column("a remark, in words").to_pylist() == CELLS[::-1]
    assert set(answers.column("status").to_pylist()) == {"ok"}


TYPED = {
    "integers": pa.array([2**63 - 1, None, -1]),
    "small": pa.array([1, None, 3], pa.int8()),
    "dates": pa.array([datetime.date(2020, 2, 29), None, datetime.date(1899, 1, 1)]),
    "times": pa.array([datetime.datetime(2020, 1, 2, 3, 4, 5, 6), None, None], pa.timestamp("us", "UTC")),
    "decimals": pa.array([Decimal("1.50"), None, Decimal("0.00")]),
    "yes or no": pa.array([True, None, False]),
    "large texts": pa.array(["a", None, ""], pa.large_string()),
}
NESTED = {
    "lists": pa.array([["a"], None, []]),
    "structs": pa.array([{"a": 1}, None, {"a": None}]),
    "bytes": pa.array([b"\xff", None, b""]),
    "large bytes": pa.array([b"\xff", None, b""], pa.large_binary()),
    "fixed bytes": pa.array([b"\xff\xfe", None, b"ab"], pa.binary(2)),
}


@pytest.mark.parametrize("source", ["in.parquet", "in.arrow"])
@pytest.mark.parametrize("target", ["out.parquet", "out.arrow"])
def test_other_columns_keep_their_types_values_and_descriptions(source, target, score, read, tmp_path):
    columns = TYPED | NESTED
    fields = [pa.field(name, column.type, metadata={"from": "ward"}) for name, column in columns.items()]
    table = pa.table([*columns.values(), ["none", "zzz", "severe"]], pa.schema([*fields, ("pain", pa.string())]))
    write_table(table, tmp_path / source)
    answers = read(score(tmp_path / source, target)[0])
    for name, column in columns.items():
        assert answers.column(name).combine_chunks().equals(pa.chunked_array([column]).combine_chunks()), name
        assert answers.schema.field(name).metadata[b"from"] == b"ward"
    assert answers.schema.metadata[b"calcinosis.note"] == cc.DISCLAIMER.encode()


def write_table(table, path, rows=None):
    if path.suffix == ".parquet":
        pq.write_table(table, path, row_group_size=rows)
    else:
        with pa.ipc.new_stream(str(path), table.schema) as file:
            file.write_table(table, max_chunksize=rows)


def test_in_a_csv_file_other_columns_are_written_plainly(score, tmp_path):
    write_table(pa.table({**TYPED, "pain": ["none", "zzz", "severe"]}), tmp_path / "in.parquet")
    lines = score(tmp_path / "in.parquet", "out.csv")[0].read_text().splitlines()
    assert lines[1].startswith('9223372036854775807,1,2020-02-29,2020-01-02 03:04:05.000006Z,1.50,true,"a",')
    assert lines[2].startswith(',,,,,,,,,,,,,,"invalid: pain=zzz: ')
    assert lines[3].startswith('-1,3,1899-01-01,,0.00,false,"",')


@pytest.mark.parametrize("name", NESTED)
def test_what_a_csv_file_cannot_hold_is_told_in_words(name, shell, tmp_path):
    write_table(pa.table({name: NESTED[name], "pain": ["none"] * 3}), tmp_path / "in.arrow")
    told = shell("cohort", tmp_path / "in.arrow", tmp_path / "out.csv")
    assert told.exit_code == 1
    assert f"a CSV file cannot hold the column {name}: write .parquet or .arrow" in told.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["in.arrow"]


INTERVALS = pa.array([(1, 2, 3)] * 3, pa.month_day_nano_interval())
ODD = {
    "runs.parquet": pc.run_end_encode(pa.array(["a", "a", "b"])),
    "intervals.parquet": INTERVALS,
    "intervals.csv": INTERVALS,
    "json.csv": pa.ExtensionArray.from_storage(pa.json_(), pa.array(["1"] * 3)),
}


@pytest.mark.parametrize("name", ODD)
def test_whatever_a_format_cannot_hold_stops_in_words_and_leaves_nothing(name, shell, tmp_path):
    write_table(pa.table({"carried": ODD[name], "pain": ["none"] * 3}), tmp_path / "in.arrow")
    told = shell("cohort", tmp_path / "in.arrow", tmp_path / f"out.{name.split('.')[1]}")
    if told.exit_code:
        assert told.stderr.startswith("calcinosis: ")
        assert "cannot hold the column carried" in told.stderr
        assert [path.name for path in tmp_path.iterdir()] == ["in.arrow"]


def test_texts_of_the_newest_type_can_be_written_as_csv(score, read, tmp_path):
    write_table(pa.table({"id": pa.array(["007", "8"], pa.string_view()), "pain": ["none"] * 2}), tmp_path / "in.arrow")
    assert read(score(tmp_path / "in.arrow", "out.csv")[0]).column("id").to_pylist() == ["007", "8"]


@pytest.mark.parametrize("source", ["in.parquet", "in.arrow"])
@pytest.mark.parametrize("target", ["out.csv", "out.parquet", "out.arrow"])
@pytest.mark.parametrize("part", [1, 3, 100])
def test_categories_of_another_kind_in_every_row_group_are_carried(source, target, part, score, read, tmp_path):
    chunks = [["east", "west"], ["west", None], ["north", "east"], ["", "south"]]
    encoded = pa.chunked_array([pa.array(chunk).dictionary_encode() for chunk in chunks])
    write_table(pa.table({"ward": encoded, "pain": ["none"] * 8}), tmp_path / source, rows=2)
    answers = read(score(tmp_path / source, target, part=part)[0])
    words = [word for chunk in chunks for word in chunk]
    assert answers.column("ward").to_pylist() == words


@pytest.mark.parametrize("source", ["in.parquet", "in.arrow", "in.feather"])
def test_a_table_of_categories_says_what_its_texts_say(
    source, patients, score, write, read, check_answers, shipped, tmp_path
):
    frame, expected = patients
    answers = read(score(write(frame.astype("category"), tmp_path / source))[0])
    check_answers(answers, expected, shipped)
    assert answers.column("diagnosis").to_pylist() == frame["diagnosis"].tolist()


@pytest.mark.parametrize("source", IN[:5])
def test_pieces_and_parts_of_any_size_give_the_same_answers(
    source, patients, score, write, read, tmp_path, monkeypatch
):
    path = write(patients[0].head(100), tmp_path / source)
    whole = read(score(path)[0])
    for size in (5, 64, 1000):
        monkeypatch.setattr(pieces, "PIECE", size)
        monkeypatch.setattr(csv_files, "BLOCK", 1000 + 10 * size)
        cut, _ = score(path, f"cut{size}.parquet", part=2 * size + 1)
        assert read(cut).equals(whole)
        found = pq.ParquetFile(cut).metadata
        rows = [found.row_group(i).num_rows for i in range(found.num_row_groups)]
        assert set(rows[:-1]) <= {2 * size + 1}
        assert sum(rows) == 100


def test_row_groups_of_odd_sizes_make_no_difference(patients, score, read, check_answers, shipped, tmp_path):
    frame, expected = patients
    table = pa.Table.from_pandas(frame, preserve_index=False)
    with pq.ParquetWriter(tmp_path / "in.parquet", table.schema) as writer:
        for first, rows in ((0, 1), (1, 130), (131, 0), (131, 13), (144, 156)):
            writer.write_table(table.slice(first, rows), row_group_size=100)
    answers = read(score(tmp_path / "in.parquet", part=17)[0])
    check_answers(answers, expected, shipped)


def test_a_heading_names_the_unit_of_bare_numbers(score, read, shipped, tmp_path):
    (tmp_path / "in.csv").write_text(
        "serum_calcium [mmol/L],albumin (g/L)\n2.27,24\n9.1 mg/dL,2.4 g/dL\nlow,\n1e9,40\n"
    )
    answers = read(score(tmp_path / "in.csv")[0])
    alone = [
        shipped.posterior(serum_calcium="2.27 mmol/L", albumin="24 g/L"),
        shipped.posterior(serum_calcium="9.1 mg/dL", albumin="2.4 g/dL"),
        shipped.posterior(serum_calcium="low"),
    ]
    assert answers.column("calciphylaxis").to_pylist() == [*(p["calciphylaxis"] for p in alone), None]
    assert answers.column("status")[3].as_py().startswith("invalid: serum_calcium [mmol/L]=1e9: ")


@pytest.mark.parametrize("source", IN[:5])
@pytest.mark.parametrize("target", OUT[:3])
def test_a_file_without_patients_has_no_answers(source, target, score, write, read, tmp_path):
    nobody = pd.DataFrame({"id": pd.Series([], dtype="str"), "pain": pd.Series([], dtype="str")})
    path, summary = score(write(nobody, tmp_path / source), target)
    assert summary == cc.cohort.Summary()
    assert read(path).column_names == ["id", *OWN]
    assert read(path).num_rows == 0
