"""`calcinosis cohort` tells what is wrong with files and options in one message, and leaves nothing behind."""

import gc
import json
import os
import subprocess
import sys

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import calcinosis as cc

GOOD = b"id,pain\n1,none\n"
OWN = "a column that the answer has itself: rename it"
PROBLEM = "1 problem in {file}\n"
EMPTY = PROBLEM + "{name}:1: -: -: the file is empty: write a header line and one line per row"
SAVE = "save it as 'CSV UTF-8 (comma delimited)'"
FILES = {
    "empty.csv": (b"", EMPTY),
    "mark.csv": (b"\xef\xbb\xbf", EMPTY),
    "latin.csv": ("id,pain\nZoë,none\n".encode("latin-1"), PROBLEM + f"latin.csv:2: -: 0xeb: not UTF-8 text: {SAVE}"),
    "utf16.csv": (GOOD.decode().encode("utf-16"), PROBLEM + f"utf16.csv:1: -: -: UTF-16 text: {SAVE}"),
    "zip.csv": (b"PK\x03\x04" + bytes(range(256)) * 9, PROBLEM + f"zip.csv:2: -: 0x80: not UTF-8 text: {SAVE}"),
    "late.csv": (
        b"id,pain\n" + b"a,none\n" * 9000 + b"Zo\xeb,none\n",
        PROBLEM + f"late.csv:9002: -: 0xeb: not UTF-8 text: {SAVE}",
    ),
    "semicolons.csv": (
        b"id;pain\n1;none\n",
        PROBLEM + f"semicolons.csv:1: -: -: the cells are separated by semicolons: {SAVE}",
    ),
    "twice.csv": (
        b"id,id,pain\n1,2,none\n",
        PROBLEM + "twice.csv:1: id: -: the column is repeated: remove one of the two",
    ),
    "again.csv": (
        b"pain,pain\nnone,none\n",
        PROBLEM + "again.csv:1: pain: -: the column is repeated: remove one of the two",
    ),
    "units.csv": (
        b"pth,pth (pg/mL)\n9 pg/mL,\n",
        "some columns are not understood\npth: the column is repeated: remove one of the two",
    ),
    "slip.csv": (
        b"id,warfarn,pth (stone)\n1,no,2\n",
        "some columns are not understood\n"
        "warfarn: a column that is not read: did you mean warfarin? Otherwise rename it\n"
        "pth (stone): unknown unit 'stone': pth is read in pg/mL, ng/L, pmol/L",
    ),
    "status.csv": (
        b"id,status,pain,dystrophic\n1,ok,none,0.5\n",
        f"some columns stand in the way of the answer\nstatus: {OWN}\ndystrophic: {OWN}",
    ),
    "text.parquet": (
        b"id,pain\n1,none\n",
        "{file}: cannot be read: damaged, or not a Parquet file: write it again",
    ),
    "empty.parquet": (b"", "{file}: cannot be read: damaged, or not a Parquet file: write it again"),
    "empty.arrow": (b"", "{file}: cannot be read: damaged, or not an Arrow file: write it again"),
    "patients.xlsx": (
        b"PK",
        "{file}: a file of many patients ends in one of .csv, .parquet, .arrow, .feather",
    ),
    "patients": (GOOD, "{file}: a file of many patients ends in one of .csv, .parquet, .arrow, .feather"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_at_fault_is_told_in_words(name, shell, tmp_path):
    content, message = FILES[name]
    (tmp_path / name).write_bytes(content)
    told = shell("cohort", tmp_path / name, tmp_path / "out.csv")
    assert (told.exit_code, told.stdout) == (1, "")
    assert told.stderr == f"calcinosis: {message.format(file=tmp_path / name, name=name)}\n"
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["empty.csv", "slip.csv"])
def test_with_json_the_same_is_told_as_json(name, shell, tmp_path):
    content, message = FILES[name]
    (tmp_path / name).write_bytes(content)
    told = shell("cohort", tmp_path / name, tmp_path / "out.csv", "--json")
    assert (told.exit_code, told.stderr) == (1, "")
    shown = json.loads(told.stdout)
    assert shown["message"] == message.format(file=tmp_path / name, name=name)
    assert shown["error"] == {"empty.csv": "PriorsError", "slip.csv": "FindingsError"}[name]
    assert len(shown.get("faults", [])) == {"empty.csv": 0, "slip.csv": 2}[name]


@pytest.mark.parametrize("name", ["cut.parquet", "cut.arrow", "cut.stream.arrow", "garbled.parquet", "other.feather"])
def test_a_file_that_was_cut_or_garbled_is_named_and_leaves_nothing(name, shell, tmp_path):
    table, path = pa.table({"id": [f"{i:09d}" for i in range(9000)], "pain": ["none"] * 9000}), tmp_path / name
    if path.suffix == ".parquet":
        pq.write_table(table, path, row_group_size=1000, use_dictionary=False)
    else:
        with (pa.ipc.new_stream if "stream" in name else pa.ipc.new_file)(str(path), table.schema) as file:
            file.write_table(table, max_chunksize=1000)
    content, half = path.read_bytes(), path.stat().st_size // 2
    garbled = content[:half] + b"\xff" * 300 + content[half + 300 :]
    path.write_bytes({"cut": content[:half], "garbled": garbled, "other": b"FEA1" * 99}[name.split(".")[0]])
    told = shell("cohort", path, tmp_path / "out.parquet", "--part", 1000)
    assert told.exit_code == 1
    assert told.stderr.startswith(f"calcinosis: {path}: cannot be read: ")
    assert told.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_broken_row_that_is_not_utf_8_is_told_in_words_only(shell, tmp_path):
    """Nothing goes astray while the row is noted: an error there would be a warning of pytest."""
    (tmp_path / "in.csv").write_bytes(b"id,pain\n" + b"a,none\n" * 9000 + b"Zo\xeb,none,x\n")
    told = shell("cohort", tmp_path / "in.csv", tmp_path / "out.csv")
    gc.collect()
    assert told.exit_code == 1
    assert told.stderr.startswith(f"calcinosis: 1 problem in {tmp_path / 'in.csv'}\nin.csv:9002: ")
    assert told.stderr.count("\n") == 2


def test_a_quote_that_is_never_closed_does_not_swallow_patients(shell, tmp_path):
    """Each patient after it is answered or the file is refused; they are not left out without a word."""
    rows = b"".join(b"%d,none\n" % i for i in range(3, 100))
    for row in (b'2,"none\n', b'"2,none\n', b'2,"none"severe","\n'):
        (tmp_path / "in.csv").write_bytes(b"id,pain\n1,none\n" + row + rows)
        told = shell("cohort", tmp_path / "in.csv", tmp_path / "out.csv", "--force")
        if told.exit_code == 0:
            answers = pd.read_csv(tmp_path / "out.csv", dtype=str)
            assert answers["id"].tolist()[-97:] == [str(i) for i in range(3, 100)]
        else:
            assert "in.csv" in told.stderr


@pytest.fixture
def files(tmp_path):
    """A folder with patients, answers that are there already, and a folder where a file should be."""
    (tmp_path / "in.csv").write_bytes(GOOD)
    (tmp_path / "there.csv").write_bytes(b"kept\n")
    (tmp_path / "folder.parquet").mkdir()
    return tmp_path


OPTIONS = {
    "no such file": (["none.csv", "out.csv"], "none.csv: there is no such file"),
    "a folder of patients": (["folder.parquet", "out.csv"], "folder.parquet: not a file"),
    "answers of no format": (
        ["in.csv", "out.json"],
        "out.json: a file of answers ends in one of .csv, .parquet, .arrow, .feather",
    ),
    "answers there already": (["in.csv", "there.csv"], "there.csv: exists already: --force replaces it"),
    "answers there already, nothing to resume": (
        ["in.csv", "there.csv", "--resume"],
        "there.csv: exists already: --force replaces it",
    ),
    "answers in place of patients": (
        ["in.csv", "in.csv"],
        "in.csv: the answers would replace the patients: choose another name",
    ),
    "the same by force": (
        ["in.csv", "./in.csv", "--force"],
        "in.csv: the answers would replace the patients: choose another name",
    ),
    "no folder for them": (["in.csv", "none/out.csv"], "none/out.csv: there is no folder none"),
    "both ways": (
        ["in.csv", "out.csv", "--resume", "--force"],
        "--resume continues an earlier run, --force starts over: give one of them",
    ),
    "no such priors": (
        ["in.csv", "out.csv", "--priors", "nowhere"],
        "1 problem in nowhere\nnowhere:1: -: -: there is no such folder: ",
    ),
}


@pytest.mark.parametrize("case", OPTIONS)
def test_options_at_fault_are_told_and_change_nothing(case, files, shell, monkeypatch):
    words, message = OPTIONS[case]
    monkeypatch.chdir(files)
    before = sorted(files.iterdir())
    told = shell("cohort", *words)
    assert (told.exit_code, told.stdout) == (1, "")
    assert told.stderr.startswith(f"calcinosis: {message}")
    assert sorted(files.iterdir()) == before
    assert (files / "there.csv").read_bytes() == b"kept\n"
    assert (files / "in.csv").read_bytes() == GOOD


def test_a_folder_where_the_answers_should_be_is_told_before_the_work_begins(files, shell):
    for options in ([], ["--force"]):
        before = sorted(files.iterdir())
        told = shell("cohort", files / "in.csv", files / "folder.parquet", *options)
        assert told.exit_code == 1
        assert "folder.parquet" in told.stderr
        assert sorted(files.iterdir()) == before


@pytest.mark.parametrize("words", [["--part", "0"], ["--part", "many"], ["--parts", "3"], ["a", "b"]])
def test_wrong_usage_is_exit_code_2(words, files, shell):
    assert shell("cohort", files / "in.csv", files / "out.csv", *words).exit_code == 2
    assert shell("cohort", files / "in.csv").exit_code == 2
    assert not (files / "out.csv").exists()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_to_is_told_in_words(files, shell):
    (files / "shut").mkdir(mode=0o500)
    told = shell("cohort", files / "in.csv", files / "shut" / "out.csv")
    assert told.exit_code == 1
    assert told.stderr.startswith(f"calcinosis: {files / 'shut'}")
    assert "Permission denied" in told.stderr


@pytest.mark.parametrize("name", ["thesis.txt", "cohort of 2023.arrow", "settings.json"])
def test_a_folder_of_that_name_that_is_not_ours_is_left_alone(name, files, shell):
    (files / "out.csv.parts").mkdir()
    (files / "out.csv.parts" / name).write_text("mine")
    for options in ([], ["--force"], ["--resume"]):
        shell("cohort", files / "in.csv", files / "out.csv", *options)
        assert (files / "out.csv.parts" / name).read_text() == "mine"


NAMES = ["p\udce4", "ö"]


@pytest.mark.skipif(os.name == "nt", reason="names are text there")
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("ending", ["csv", "parquet", "arrow"])
def test_a_name_may_be_any_bytes(name, ending, shell, shipped, tmp_path):
    """pyarrow takes no name that is not UTF-8."""
    source, target = tmp_path / f"{name}.{ending}", tmp_path / f"{name}.out.{ending}"
    shell("simulate", 5, tmp_path / f"in.{ending}")
    (tmp_path / f"in.{ending}").rename(source)
    assert cc.cohort.run(source, target, shipped).ok == 5
    assert target.exists()


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="names are text there")
def test_a_name_of_any_bytes_is_printed(tmp_path):
    command = [sys.executable, "-m", "calcinosis", "simulate", "5", str(tmp_path / f"{NAMES[0]}.csv")]
    assert b"p\\udce4.csv: 5 patients drawn" in subprocess.run(command, capture_output=True, check=True).stdout


def test_a_folder_that_is_missing_is_told_before_patients_are_drawn(shell, tmp_path):
    told = shell("simulate", 3, tmp_path / "none" / "out.csv")
    assert told.stderr == f"calcinosis: {tmp_path / 'none' / 'out.csv'}: there is no folder {tmp_path / 'none'}\n"


@pytest.mark.parametrize("content", [b"id,pain", b"\n\nid,pain\n\n"])
def test_a_header_alone_is_a_file_without_patients(content, shell, tmp_path):
    (tmp_path / "in.csv").write_bytes(content)
    assert shell("cohort", tmp_path / "in.csv", tmp_path / "out.csv").exit_code == 0


@pytest.mark.parametrize("content", [b"id\tpain\n1\tnone\n", b'id,"pain\n1,none\n', b"id,pa\x00in\n1,none\n"])
def test_a_header_that_cannot_be_read_is_refused_in_the_same_words_by_each_command(content, shell, tmp_path):
    (tmp_path / "in.csv").write_bytes(content)
    told = [
        shell(*words).stderr
        for words in (
            ("cohort", tmp_path / "in.csv", tmp_path / "out.csv"),
            ("diagnose", "--file", tmp_path / "in.csv"),
            ("validate", tmp_path / "in.csv"),
        )
    ]
    assert told[0].startswith(f"calcinosis: 1 problem in {tmp_path / 'in.csv'}\nin.csv:1: ")
    assert len(set(told)) == 1


@pytest.mark.slow
def test_every_summary_of_a_table_lists_the_columns_read(shell, tmp_path):
    (tmp_path / "in.csv").write_text("id,diagnosis,pain,Calcium\na,dystrophic,none,9\nb,metastatic,severe,11\n")
    for words, others in (
        (["cohort", tmp_path / "in.csv", tmp_path / "out.csv"], "carried over: id, diagnosis, Calcium"),
        (["diagnose", "--file", tmp_path / "in.csv"], "not read: diagnosis, Calcium"),
        (["validate", tmp_path / "in.csv", "--draws", 5], "not read: Calcium"),
        (["update", tmp_path / "in.csv", "--out", tmp_path / "new", "--folds", 0], "not read: Calcium"),
    ):
        told = shell(*words).stdout
        assert f"Columns read as findings: pain\nColumns {others}\n" in told, words[0]


def test_a_column_of_the_subtype_is_refused(shell, tmp_path):
    (tmp_path / "in.csv").write_text("id,pain,subtype\na,severe,metastatic\n")
    (tmp_path / "in.json").write_text('[{"id": "a", "subtype": "metastatic"}]')
    for words in (
        ("cohort", tmp_path / "in.csv", tmp_path / "out.csv"),
        ("diagnose", "--file", tmp_path / "in.csv"),
        ("diagnose", "--file", tmp_path / "in.json"),
    ):
        told = shell(*words)
        assert told.exit_code == 1
        assert "inferred by the network, so not read as a finding: rename it or remove it" in told.stderr
    assert not (tmp_path / "out.csv").exists()
