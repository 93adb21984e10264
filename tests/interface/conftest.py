"""What the tests of cohorts share: the shipped model, a table of patients, files of it, and answers to compare."""

from functools import lru_cache

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import calcinosis as cc
from calcinosis.interface.shell import app
from calcinosis.knowledge.folder import copy_folder, shipped_folder

RUBBISH = ("zzz", "none/", "7 mg", "yes,no", "no:often", "🦴", "NA", "9,1 mg/dL", 'a "b"\nc')
FINE = ("unknown", " ", "", "NaN", "yes/no", "no:0.2,yes:0.8", "none/severe", "9.1 mg/dL", "TRUE", "no")
CLASH = {"ulceration": "no", "livedo": "yes"}


@pytest.fixture(scope="session")
def shipped():
    """The model of the shipped priors."""
    return cc.load(shipped_folder())


@pytest.fixture(scope="session")
def contradictory(tmp_path_factory):
    """A copy of the shipped priors in which nobody has livedo without an ulcer."""
    folder = copy_folder(shipped_folder(), tmp_path_factory.mktemp("contradictory") / "priors")
    path = folder / "tables" / "livedo.csv"
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    table.loc[table["ulceration"] == "no", ["no", "yes", "source"]] = ["1", "0", "definition"]
    table.to_csv(path, index=False)
    return folder


@pytest.fixture(scope="session")
def ward(contradictory):
    """A function that makes a table of patients as texts: most fine, some not understood, some impossible."""
    model = cc.load(contradictory)

    @lru_cache
    def draw(patients, seed=1, impossible=0.05):
        rng = np.random.default_rng(seed)
        frame = model.simulate(patients, missing=0.4, repeats={"vascular_histology": 2}, numbers=True, seed=seed)
        frame = frame.astype(object).where(frame.notna(), "").astype(str)
        for name in ("pain", "esrd", "serum_calcium (mg/dL)"):
            for cells, share in ((FINE, 0.1), (RUBBISH, 0.05)):
                rows = rng.random(patients) < share
                frame.loc[rows, name] = rng.choice(cells, rows.sum())
        clashing = rng.random(patients) < impossible
        for name, state in CLASH.items():
            frame[name] = np.where(clashing, state, frame[name])
        frame.insert(0, "id", [f"{number:06d}" for number in range(patients)])
        return frame

    return lambda *given, **named: draw(*given, **named).copy()


def _write(frame, path):
    """A table as a file, by its ending; `.stream.arrow` is a stream of batches."""
    if path.suffix.lower() == ".csv":
        frame.to_csv(path, index=False)
        return path
    table = pa.Table.from_pandas(frame, preserve_index=False)
    if path.suffix.lower() == ".parquet":
        pq.write_table(table, path, row_group_size=max(77, len(frame) // 5))
    elif path.suffix.lower() == ".feather":
        pa.feather.write_feather(table, str(path), chunksize=50)
    else:
        open_file = pa.ipc.new_stream if path.stem.endswith(".stream") else pa.ipc.new_file
        with open_file(str(path), table.schema) as file:
            file.write_table(table, max_chunksize=33)
    return path


@pytest.fixture(scope="session")
def write():
    """A function that writes a table as a file, by its ending."""
    return _write


def _read(path):
    """A file of answers as an Arrow table; of a CSV file, empty cells of the answers are null, those of texts empty."""
    if path.suffix.lower() == ".csv":
        own = dict.fromkeys(["log_evidence", "dystrophic", "metastatic", "idiopathic", "iatrogenic"], pa.float64())
        own |= {"calciphylaxis": pa.float64(), "benign": pa.float64(), "grave": pa.float64()}
        with path.open(encoding="utf-8") as file:
            texts = dict.fromkeys(pd.read_csv(file, nrows=0).columns, pa.string())
        convert = pa.csv.ConvertOptions(
            column_types=texts | {name: kind for name, kind in own.items() if name in texts},
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        )
        return pa.csv.read_csv(
            path, parse_options=pa.csv.ParseOptions(newlines_in_values=True), convert_options=convert
        )
    return (
        pq.read_table(path) if path.suffix.lower() == ".parquet" else pa.feather.read_table(str(path), memory_map=False)
    )


@pytest.fixture(scope="session")
def read():
    """A function that reads a file of answers."""
    return _read


def _check(answers, expected, model):
    """Answers in Arrow are those of `Model.posteriors`, to the last bit; null where there is none."""
    assert answers.column("status").to_pylist() == expected["status"].tolist()
    ok = (expected["status"] == "ok").to_numpy()
    for name in (*model.states, "log_evidence"):
        column = answers.column(name).to_pylist()
        assert [value is not None for value in column] == ok.tolist()
        found = np.array([value for value in column if value is not None])
        np.testing.assert_array_equal(found, expected[name].to_numpy()[ok])
    leading = [state if there else None for state, there in zip(expected["leading"], ok, strict=True)]
    assert answers.column("leading").to_pylist() == leading


@pytest.fixture(scope="session")
def check_answers():
    """A function that compares answers in Arrow with those of `Model.posteriors`."""
    return _check


@pytest.fixture
def priors():
    """The priors folder of the shell: none, which is the shipped one."""
    return ""


@pytest.fixture
def shell(monkeypatch, priors):
    """A function that runs a command of the shell, in this process."""
    monkeypatch.setenv("CALCINOSIS_PRIORS", str(priors))
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])
