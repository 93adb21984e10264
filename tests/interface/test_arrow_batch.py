"""`score_batch` is a pure function of one Arrow batch: the answers of `Model.posteriors`, whatever the columns are."""

import pickle
import re
import subprocess
import sys
import textwrap
from datetime import date, datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import calcinosis as cc

TEXTS = [
    "severe", None, "none", "none/severe", "none:0.2,severe:0.8", "", "unknown", "zzz", "Severe", "severe",
    None, "intermittent", "none,severe", "NaN", "none/", "none", "é\u0000🦴",
]  # fmt: skip


@pytest.fixture(scope="module")
def shipped(contradictory):
    """The model of priors under which some findings of the ward contradict each other."""
    return cc.load(contradictory)


@pytest.fixture(autouse=True)
def priors(contradictory, monkeypatch):
    """The same priors for the shell."""
    monkeypatch.setenv("CALCINOSIS_PRIORS", str(contradictory))
    return contradictory


@pytest.fixture(scope="module")
def score(shipped):
    """A function that scores columns as one batch."""
    return lambda **columns: cc.cohort.score_batch(batch_of(**columns), shipped)


def batch_of(**columns):
    return pa.RecordBatch.from_arrays([pa.array(column) for column in columns.values()], names=list(columns))


def coded(cells, index):
    """Texts as a dictionary with unused, doubled and null entries, and anything where the index is null."""
    words = ["nobody's", *dict.fromkeys(cell for cell in cells if cell is not None), None, "severe"]
    numbers = [words.index(cell) if cell is not None else 3 for cell in cells]
    numbers[0] = len(words) - 1 if cells[0] == "severe" else numbers[0]
    absent = np.array([cell is None and row % 2 == 1 for row, cell in enumerate(cells)])
    numbers = [words.index(None) if c is None and not a else n for n, c, a in zip(numbers, cells, absent, strict=True)]
    indices = pa.array(np.array(numbers), type=index, mask=absent)
    return pa.DictionaryArray.from_arrays(indices, pa.array(words))


TEXT_COLUMNS = {
    "string": lambda cells: pa.array(cells, pa.string()),
    "large_string": lambda cells: pa.array(cells, pa.large_string()),
    "string_view": lambda cells: pa.array(cells, pa.string_view()),
    "encoded": lambda cells: pa.array(cells).dictionary_encode(),
    "encoded with null as a cell": lambda cells: pa.array(cells).dictionary_encode(null_encoding="encode"),
    "large encoded": lambda cells: pa.array(cells, pa.large_string()).dictionary_encode(),
    "runs": lambda cells: pa.compute.run_end_encode(pa.array(cells)),
    **{
        f"dictionary of {index}": lambda cells, index=index: coded(cells, index)
        for index in (pa.int8(), pa.uint8(), pa.int16(), pa.uint16(), pa.int32(), pa.uint32(), pa.int64(), pa.uint64())
    },
}


@pytest.mark.parametrize("kind", TEXT_COLUMNS)
def test_texts_of_any_type_say_what_the_same_texts_say_to_posteriors(kind, score, shipped, check_answers):
    answers = score(pain=TEXT_COLUMNS[kind](TEXTS))
    check_answers(answers, shipped.posteriors(pd.DataFrame({"pain": pd.Series(TEXTS, dtype=object)})), shipped)


@pytest.mark.parametrize("kind", TEXT_COLUMNS)
def test_a_slice_anywhere_says_what_its_rows_say_in_the_whole(kind, score):
    column, rows = TEXT_COLUMNS[kind](TEXTS * 2), len(TEXTS) * 2
    whole = score(pain=column)
    for first in (*range(1, 18), rows):
        for length in (0, 1, 8, rows):
            assert score(pain=column.slice(first, length)).equals(whole.slice(first, length))


@pytest.mark.parametrize("cells", [126, 127, 128, 129, 255, 256, 257, 3000])
def test_however_many_distinct_cells_there_are_each_is_read(cells, score, shipped, check_answers):
    texts = [f"none:{number + 1},severe:{cells}" if number % 5 else None for number in range(cells)]
    expected = shipped.posteriors(pd.DataFrame({"pain": pd.Series(texts, dtype=object)}))
    check_answers(score(pain=pa.array(texts)), expected, shipped)
    check_answers(score(pain=pa.array(texts).dictionary_encode()), expected, shipped)


NUMBERS = {
    "float64": pa.array([9.1, None, float("nan"), 8.5, 10.5, 0.0, -1.0, 1e300, float("inf"), 25.000000000001]),
    "float32": pa.array([9.1, None, 8.5, 10.5, 3.0], pa.float32()),
    "float16": pa.array(np.array([9.0, 8.5, 10.5, np.nan, 1.0], dtype=np.float16)),
    "int64": pa.array([9, None, 4, 25, 26, 0, -9], pa.int64()),
    "uint8": pa.array([9, None, 4, 25, 26, 0], pa.uint8()),
    "decimal32": pa.array([Decimal("9.10"), None, Decimal("8.50"), Decimal("10.50")], pa.decimal32(5, 2)),
    "decimal128": pa.array([Decimal("9.10"), None, Decimal("8.50"), Decimal("10.50"), Decimal("-1.00")]),
    "decimal256": pa.array([Decimal("9.10"), None, Decimal("8.50")], pa.decimal256(60, 2)),
    "dictionary of floats": pa.array([9.1, None, 8.5, 9.1]).dictionary_encode(),
    "dictionary of ints": pa.array([9, None, 8, 9, 30]).dictionary_encode(),
    "no values": pa.nulls(3),
    "no floats": pa.nulls(3, pa.float64()),
    "no words": pa.nulls(3, pa.dictionary(pa.int32(), pa.string())),
}


@pytest.mark.parametrize("kind", NUMBERS)
@pytest.mark.parametrize("heading", ["serum_calcium (mg/dL)", "serum_calcium [mmol/l]", "serum_calcium", "pain"])
@pytest.mark.parametrize("albumin", [None, 2.4])
def test_numbers_of_any_type_say_what_they_say_to_posteriors(kind, heading, albumin, score, shipped, check_answers):
    column = NUMBERS[kind]
    columns = {heading: column} | ({} if albumin is None else {"albumin (g/dL)": pa.array([albumin] * len(column))})
    kept = pa.types.is_dictionary(column.type) or pa.types.is_integer(column.type)
    cells = [cell if kept or cell is None else float(cell) for cell in column.to_pylist()]
    frame = pd.DataFrame({heading: pd.Series(cells, dtype=object if kept else float)})
    frame = frame.assign(**dict.fromkeys(list(columns)[1:], albumin))
    check_answers(score(**columns), shipped.posteriors(frame), shipped)
    for first in range(len(column)):
        rows = {name: cells.slice(first) for name, cells in columns.items()}
        assert score(**rows).equals(score(**columns).slice(first))


@pytest.mark.parametrize("column", [pa.array([9, 2**53 + 1, -(2**63), None]), pa.array([9, 2**64 - 1], pa.uint64())])
def test_integers_that_no_float_holds_are_not_believed_and_stop_nothing(column, score, shipped, check_answers):
    frame = pd.DataFrame({"serum_calcium (mg/dL)": pd.Series(column.to_pylist(), dtype=object)})
    check_answers(score(**{"serum_calcium (mg/dL)": column}), shipped.posteriors(frame), shipped)


OTHERS = {
    "bool": ("esrd", pa.array([True, None, False, True, True, False, None, True, False])),
    "repeats": ("vascular_histology", pa.array([["absent"] * 3, None, [], ["absent", None], ["zzz"], ["absent"] * 5])),
    "large repeats": ("vascular_histology", pa.array([["absent"], None], pa.large_list(pa.string()))),
    "fixed repeats": ("vascular_histology", pa.array([["absent"] * 2, None], pa.list_(pa.string(), 2))),
    "viewed repeats": ("vascular_histology", pa.array([["absent"] * 2, None], pa.list_view(pa.string()))),
    "coded repeats": (
        "vascular_histology",
        pa.array([["absent"] * 2, None], pa.list_(pa.dictionary(pa.int8(), pa.string()))),
    ),
    "likelihoods": ("pain", pa.array([{"none": 1.0, "severe": 3.0}, None, {"none": 0.0, "severe": 0.0}])),
    "dates": ("pain", pa.array([date(2020, 1, 2), None])),
    "times": ("pain", pa.array([datetime(2020, 1, 2, 3, 4, 5, 6), None])),
    "texts of bytes": ("pain", pa.array([b"severe", None, b""])),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_values_of_other_types_say_what_they_say_to_posteriors(kind, score, shipped, check_answers):
    name, column = OTHERS[kind]
    expected = shipped.posteriors(pd.DataFrame({name: pd.Series(column.to_pylist(), dtype=object)}))
    check_answers(score(**{name: column}), expected, shipped)
    for first in range(len(column)):
        assert score(**{name: column.slice(first)}).equals(score(**{name: column}).slice(first))


def test_texts_of_an_extension_type_are_texts(score):
    cells = pa.ExtensionArray.from_storage(pa.json_(), pa.array(["severe", None]))
    assert score(pain=cells).equals(score(pain=pa.array(["severe", None])))


def test_a_batch_of_all_columns_says_what_the_frame_says(ward, shipped, check_answers):
    frame = ward(3000)
    batch = pa.RecordBatch.from_pandas(frame, preserve_index=False)
    answers = cc.cohort.score_batch(batch, shipped)
    check_answers(answers, shipped.posteriors(frame), shipped)
    assert {status.split(":")[0] for status in answers.column("status").to_pylist()} == {"ok", "invalid", "impossible"}
    assert answers.column("id").to_pylist() == frame["id"].tolist()


def test_rows_say_the_same_whatever_batch_they_come_in(ward, shipped):
    batch = pa.RecordBatch.from_pandas(ward(150), preserve_index=False)
    whole = cc.cohort.score_batch(batch, shipped)
    for size in (1, 7, 149):
        cut = [cc.cohort.score_batch(batch.slice(first, size), shipped) for first in range(0, 150, size)]
        assert pa.Table.from_batches(cut).combine_chunks().equals(pa.Table.from_batches([whole]))


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.bool_(), pa.null(), pa.float64(), pa.dictionary(pa.int8(), pa.utf8())]
)
def test_no_patients_have_no_answers_in_the_same_columns(kind, score, shipped):
    answers = score(id=pa.array([], pa.int64()), pain=pa.array([], kind))
    assert answers.num_rows == 0
    assert answers.schema == cc.cohort.answer_schema(pa.schema([("id", pa.int64()), ("pain", kind)]), shipped)
    assert answers.schema == score(id=pa.array([1]), pain=pa.array(["none"])).schema


def bytes_of(batch):
    """What a batch holds, NaN and the sign of zero among it."""
    return batch.replace_schema_metadata(None).serialize().to_pybytes()


CARRIED = [
    pa.array(["007", "", None, "Zoë, \"x\"\n"]),
    pa.array([2**63 - 1, None, 0, -1]),
    pa.array([1, 2, None, 4], pa.uint8()),
    pa.array([0.1, None, float("nan"), -0.0]),
    pa.array([Decimal("1.50"), None, Decimal("2.00"), Decimal("0.00")]),
    pa.array([True, None, False, True]),
    pa.array([date(2020, 2, 29), None, date(1900, 1, 1), date(2100, 1, 1)]),
    pa.array([datetime(2020, 1, 2), None] * 2, pa.timestamp("ns", "Europe/Berlin")),
    pa.array([b"\xff", None, b"", b"x"]),
    pa.array([["a"], None, [], [None]]),
    pa.array([{"a": 1}, None, {"a": None}, {"a": 2}]),
    pa.array(["a", None, "", "b"], pa.string_view()),
    pa.nulls(4),
]  # fmt: skip


def test_other_columns_come_first_and_unchanged_in_order_type_value_and_metadata(shipped):
    fields = [pa.field(f"{i} {a.type}", a.type, i % 2 == 0 or a.null_count > 0) for i, a in enumerate(CARRIED)]
    fields = [field.with_metadata({"unit": str(i)}) for i, field in enumerate(fields)]
    fields.insert(5, pa.field("pain", pa.string(), nullable=False))
    arrays = [*CARRIED[:5], pa.array(["none", "x", "severe", ""]), *CARRIED[5:]]
    batch = pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields, {"of the table": "x"}))
    for first in range(3):
        answers = cc.cohort.score_batch(batch.slice(first), shipped)
        carried = batch.slice(first).drop_columns(["pain"])
        own = [*shipped.states, "leading", "log_evidence", "status"]
        assert answers.schema.names == [*carried.schema.names, *own]
        assert bytes_of(answers.drop_columns(own)) == bytes_of(carried)
        for name in carried.schema.names:
            assert answers.schema.field(name).equals(carried.schema.field(name), check_metadata=True)
    assert answers.schema.metadata == {
        b"calcinosis.priors": shipped.digest.encode(),
        b"calcinosis.record": b"asked",
        b"calcinosis.note": cc.DISCLAIMER.encode(),
    }


def test_a_dictionary_is_carried_as_its_values(score):
    ward_of = pa.array(["east", None, "west", "east"]).dictionary_encode()
    answers = score(ward=ward_of, pain=pa.array(["none"] * 4))
    assert answers.column("ward").equals(pa.array(["east", None, "west", "east"]))
    assert answers.schema.field("ward").type == pa.string()


def test_the_batch_that_comes_in_is_not_changed(ward, shipped):
    frame = ward(300)
    texts = pa.RecordBatch.from_pandas(frame, preserve_index=False)
    encoded = [column.dictionary_encode() for column in texts.columns]
    for batch in (texts, pa.RecordBatch.from_arrays(encoded, names=texts.schema.names).slice(3)):
        before = batch.serialize().to_pybytes()
        cc.cohort.score_batch(batch, shipped)
        assert batch.serialize().to_pybytes() == before


def test_headings_are_told_as_for_a_frame_and_so_are_those_that_the_answer_needs(score):
    with pytest.raises(cc.errors.FindingsError, match="warfarn: a column that is not read: did you mean warfarin"):
        score(warfarn=["no"])
    with pytest.raises(cc.errors.FindingsError, match="the column is repeated"):
        score(**{"serum_calcium": ["low"], "serum_calcium (mg/dL)": [9.1]})
    with pytest.raises(cc.errors.FindingsError) as caught:
        score(status=["x"], pain=["none"], leading=["x"], iatrogenic=["x"])
    assert [fault.variable for fault in caught.value.faults] == ["status", "leading", "iatrogenic"]
    assert str(caught.value).startswith("some columns stand in the way of the answer\nstatus: ")


def test_another_process_gives_the_same_answers(ward, shipped):
    batch = pa.RecordBatch.from_pandas(ward(300), preserve_index=False)
    program = "import pickle, sys; f, *a = pickle.load(sys.stdin.buffer); pickle.dump(f(*a), sys.stdout.buffer)"
    task = pickle.dumps((cc.cohort.score_batch, batch, shipped))
    done = subprocess.run([sys.executable, "-c", program], input=task, capture_output=True, check=True)
    assert pickle.loads(done.stdout).equals(cc.cohort.score_batch(batch, shipped), check_metadata=True)


def test_the_lines_for_spark_run_up_to_spark_itself(shipped):
    (block,) = re.findall(r"^On Spark.*?::\n\n(.*)", cc.cohort.__doc__, flags=re.DOTALL | re.MULTILINE)
    sent = {}

    class Patients:
        """What Spark is asked for."""

        def mapInArrow(self, function, schema):  # noqa: N802 - Spark's own name
            sent.update(function=function, schema=schema)

    exec(textwrap.dedent(block), {"patients": Patients()})
    batches = [batch_of(id=["a", "b"], pain=["severe", "x"]), batch_of(id=["c"], pain=["none"])]
    answers = list(sent["function"](iter(batches)))
    assert answers == [cc.cohort.score_batch(batch, shipped) for batch in batches]
    # plain texts and numbers, which is what Spark takes
    assert sent["schema"] == ", ".join(f"{field.name} {field.type}" for field in answers[0].schema)
