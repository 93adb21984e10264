"""A run that is killed or stopped leaves whole parts and no answers; one that goes on writes the same bytes."""

import errno
import os
import shutil
import signal
import subprocess
import sys
import time

import pyarrow as pa
import pytest

import calcinosis as cc
from calcinosis.interface.cohort import csv_files, pieces
from calcinosis.interface.cohort import streaming as cohort

PATIENTS = 20_000
PART = 200
COLUMNS = ["id", "diagnosis", "esrd", "pain", "serum_calcium (mg/dL)", "ulceration", "livedo"]
INTERRUPTED = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    "from calcinosis.interface.shell.app import main; main()"
)


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
def large(ward, write, tmp_path_factory):
    """A folder with many patients in both formats, some rows of the CSV file broken."""
    folder = tmp_path_factory.mktemp("large")
    frame = ward(PATIENTS, impossible=0.001)[COLUMNS]
    write(frame, folder / "in.csv")
    lines = (folder / "in.csv").read_bytes().replace(b"\n000777,", b"\n000777,,,,,x\n000777b,")
    (folder / "in.csv").write_bytes(lines.replace(b"\n015000,", b"\nfew\n015000,") + b"last")
    write(frame.astype("category"), folder / "in.parquet")
    return folder


def child(source, target, *words, program=("-m", "calcinosis")):
    """A run of its own, with its first part kept."""
    command = [sys.executable, *program, "cohort", source, target, "--part", PART, *words]
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    first = target.with_name(f"{target.name}.parts") / "000000.arrow"
    while not first.exists() and process.poll() is None:
        time.sleep(0.001)
    return process


def end(process, sign):
    """Stop a run, and what it said and its exit code."""
    process.send_signal(sign)
    out, err = process.communicate()
    return process.returncode, out.decode(), err.decode()


def left(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
@pytest.mark.parametrize(("source", "target"), [("in.parquet", "out.parquet"), ("in.csv", "out.csv")])
def test_a_killed_run_leaves_no_answers_and_goes_on_to_the_same_bytes(source, target, large, shell, shipped, tmp_path):
    out, again = tmp_path / target, tmp_path / f"again{target}"
    cohort.run(large / source, again, shipped, part=PART)
    code, *_ = end(child(large / source, out), signal.SIGKILL)
    assert code == -signal.SIGKILL
    assert not out.exists()
    kept = len(list((tmp_path / f"{target}.parts").glob("*.arrow")))
    assert 1 <= kept < PATIENTS // PART

    told = shell("cohort", large / source, out, "--part", PART)
    assert (told.exit_code, told.stdout) == (1, "")
    assert told.stderr == (
        f"calcinosis: {out}.parts: an earlier run stopped here: --resume continues it, --force starts over\n"
    )

    told = shell("cohort", large / source, out, "--part", PART, "--resume")
    assert told.exit_code == 0, told.output
    assert f"  {kept * PART:,} of them were there from an earlier run\n" in told.stdout
    assert out.read_bytes() == again.read_bytes()
    assert left(tmp_path) == sorted([target, again.name])


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
def test_a_run_killed_twice_goes_on_twice_and_an_interrupt_is_as_good(large, shipped, tmp_path):
    source, out = large / "in.parquet", tmp_path / "out.arrow"
    parts = tmp_path / "out.arrow.parts"
    cohort.run(source, tmp_path / "again.arrow", shipped, part=PART)
    code, _, told = end(child(source, out, program=("-c", INTERRUPTED)), signal.SIGINT)
    assert code not in (0, -signal.SIGKILL)
    assert "Traceback" not in told
    assert left(tmp_path) == ["again.arrow", "out.arrow.parts"]
    first = len(list(parts.glob("*.arrow")))

    process = child(source, out, "--resume")
    while not (parts / f"{first + 3:06d}.arrow").exists() and process.poll() is None:
        time.sleep(0.001)
    assert end(process, signal.SIGKILL)[0] == -signal.SIGKILL
    second = len(list(parts.glob("*.arrow")))
    assert first < second < PATIENTS // PART

    summary = cohort.run(source, out, shipped, part=PART, resume=True)
    assert summary.resumed == second * PART
    assert out.read_bytes() == (tmp_path / "again.arrow").read_bytes()
    assert left(tmp_path) == ["again.arrow", "out.arrow"]


# the same in this process: a run is stopped at a part


@pytest.fixture
def small(ward, write, tmp_path, monkeypatch):
    """A folder with some patients in every format, read in small pieces; a broken row here and there."""
    monkeypatch.setattr(pieces, "PIECE", 7)
    monkeypatch.setattr(csv_files, "BLOCK", 600)
    folder = tmp_path / "in"
    folder.mkdir()
    frame = ward(70, impossible=0.02)[COLUMNS]
    for name in ("in.csv", "in.parquet", "in.arrow", "in.stream.arrow"):
        write(frame, folder / name)
    lines = (folder / "in.csv").read_bytes().split(b"\n")
    for row in (1, 2, 30, 31, 60, 70, 72):
        lines.insert(row, b"few,cells" if row % 2 else b"many" + b",x" * 99)
    (folder / "in.csv").write_bytes(b"\n".join(lines))
    return folder


def stop_at(kept, source, target, model, **options):
    """A run that is stopped when it has kept so many parts."""
    calls = []

    def progress(done, rows):
        calls.append(done)
        if len(calls) > kept:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cohort.run(source, target, model, progress=progress, **options)
    assert not target.exists()
    return target.with_name(f"{target.name}.parts")


@pytest.mark.parametrize("source", ["in.csv", "in.parquet", "in.arrow", "in.stream.arrow"])
@pytest.mark.parametrize("ending", ["csv", "parquet", "arrow"])
def test_wherever_a_run_stops_it_goes_on_to_the_same_bytes(source, ending, small, shipped, tmp_path):
    whole = tmp_path / f"whole.{ending}"
    everyone = cohort.run(small / source, whole, shipped, part=30)
    for kept in range(everyone.patients // 30 + 2):
        out = tmp_path / f"out{kept}.{ending}"
        parts = stop_at(kept, small / source, out, shipped, part=30)
        assert left(parts) == [*(f"{number:06d}.arrow" for number in range(kept)), "terms.json"]
        summary = cohort.run(small / source, out, shipped, part=30, resume=True)
        assert summary.resumed == min(30 * kept, everyone.patients)
        assert (summary.patients, summary.ok, summary.first) == (everyone.patients, everyone.ok, everyone.first)
        assert out.read_bytes() == whole.read_bytes()
        assert not parts.exists()


@pytest.mark.parametrize("ending", ["csv", "parquet", "arrow"])
def test_long_remarks_in_pieces_of_another_size_than_parts_change_no_byte(ending, shipped, tmp_path, monkeypatch):
    """Where the pages of a Parquet file end depends on the pieces that rows come in, once there is much in a row."""
    monkeypatch.setattr(pieces, "PIECE", 3001)
    remarks = [f"seen on day {number}; " + "nothing new, " * (number % 20) for number in range(20_000)]
    columns = {"remark": remarks, "days": [[1, 2] * (n % 5) for n in range(20_000)], "pain": ["none"] * 20_000}
    table = pa.table(columns).drop_columns(["days"] if ending == "csv" else [])
    with pa.ipc.new_file(tmp_path / "in.arrow", table.schema) as file:
        file.write_table(table)
    cohort.run(tmp_path / "in.arrow", tmp_path / f"whole.{ending}", shipped, part=9000)
    for kept in (1, 2):
        out = tmp_path / f"out{kept}.{ending}"
        stop_at(kept, tmp_path / "in.arrow", out, shipped, part=9000)
        cohort.run(tmp_path / "in.arrow", out, shipped, part=9000, resume=True)
        assert out.read_bytes() == (tmp_path / f"whole.{ending}").read_bytes()


def test_progress_of_a_run_that_goes_on_begins_where_the_other_stopped(small, shipped, tmp_path):
    stop_at(2, small / "in.parquet", tmp_path / "out.csv", shipped, part=30)
    told = []
    cohort.run(
        small / "in.parquet", tmp_path / "out.csv", shipped, part=30, resume=True, progress=lambda *n: told.append(n)
    )
    assert told == [(60, 70), (70, 70)]


@pytest.fixture
def stopped(small, shipped, tmp_path):
    """A run that was stopped after its first part: the file of patients, and of answers, and the parts."""
    return small / "in.csv", tmp_path / "out.csv", stop_at(1, small / "in.csv", tmp_path / "out.csv", shipped, part=30)


CHANGES = {
    "the size of a part": ["--part", "31"],
    "the priors": ["--part", "30", "--priors", "mine"],
    "the input": ["--part", "30"],
    "the version of calcinosis": ["--part", "30"],
    "the input, the size of a part": ["--part", "29"],
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_run_on_other_terms_is_refused_in_words(what, stopped, shell, tmp_path, monkeypatch):
    source, out, parts = stopped
    monkeypatch.chdir(tmp_path)
    if "priors" in what:
        shell("init", "mine")
        variables = tmp_path / "mine" / "variables.csv"
        variables.write_bytes(variables.read_bytes().replace(b"End-stage renal disease", b"Renal disease at its end"))
    if "input" in what:
        source.write_bytes(source.read_bytes() + b"000070,none\n")
    if "version" in what:
        monkeypatch.setattr(cohort, "version", lambda name: "9.9.9")
    told = shell("cohort", source, out, *CHANGES[what], "--resume")
    assert (told.exit_code, told.stdout) == (1, "")
    assert told.stderr == f"calcinosis: {parts}: cannot be resumed: {what} changed; --force starts over\n"
    assert left(parts) == ["000000.arrow", "terms.json"]


def test_with_force_a_run_begins_anew_on_whatever_terms(stopped, shell, tmp_path):
    source, out, parts = stopped
    assert "from an earlier run" not in shell("cohort", source, out, "--part", 17, "--force").stdout
    assert out.exists()
    assert not parts.exists()


def test_with_nothing_to_resume_a_run_just_runs(small, shell, tmp_path):
    told = shell("cohort", small / "in.csv", tmp_path / "out.csv", "--resume")
    assert told.exit_code == 0
    assert "from an earlier run" not in told.stdout
    again = shell("cohort", small / "in.csv", tmp_path / "out.csv", "--resume")
    assert again.exit_code == 1
    assert again.stderr == f"calcinosis: {tmp_path / 'out.csv'}: exists already: --force replaces it\n"


def test_answers_to_another_file_have_parts_of_their_own(stopped, shell, tmp_path):
    source, out, parts = stopped
    assert shell("cohort", source, out.with_suffix(".parquet"), "--part", 30).exit_code == 0
    assert left(parts) == ["000000.arrow", "terms.json"]


def test_what_was_half_written_is_written_anew(stopped, shipped, tmp_path):
    source, out, parts = stopped
    (parts / "000001.unfinished").write_bytes(b"half")
    (parts / "answers.unfinished").write_bytes(b"half")
    assert cohort.run(source, out, shipped, part=30, resume=True).resumed == 30
    cohort.run(source, tmp_path / "whole.csv", shipped, part=30)
    assert out.read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert left(tmp_path) == ["in", "out.csv", "whole.csv"]


def test_parts_without_their_terms_are_not_taken_for_answers(stopped, ward, write, shipped, tmp_path):
    """A run may be killed while it removes what another one left, the terms first."""
    source, out, parts = stopped
    (parts / "terms.json").unlink()
    write(ward(50, seed=9).assign(id="another"), source)
    for options in ({}, {"resume": True}, {"force": True}):
        held = tmp_path / "held"
        shutil.copytree(parts, held)
        summary = cohort.run(source, out, shipped, part=30, **options)
        assert (summary.patients, summary.resumed) == (50, 0)
        out.unlink()
        held.rename(parts)


def test_a_part_that_is_no_more_what_it_was_is_told_in_words(stopped, shell):
    source, out, parts = stopped
    (parts / "000000.arrow").write_bytes(b"")
    told = shell("cohort", source, out, "--part", 30, "--resume")
    assert told.exit_code == 1
    assert told.stderr.startswith(f"calcinosis: {parts}")


def test_strict_counts_for_rows_that_were_answered_before(small, shell, shipped, tmp_path):
    out = tmp_path / "out.csv"
    stop_at(3, small / "in.csv", out, shipped, part=30)
    told = shell("cohort", small / "in.csv", out, "--part", 30, "--resume", "--strict")
    assert told.exit_code == 1
    assert "patient 1: invalid: the row has " in told.stderr
    assert not out.exists()


def test_a_file_at_fault_in_the_middle_leaves_nothing_to_resume(small, shell, tmp_path):
    content = (small / "in.csv").read_bytes()
    (small / "in.csv").write_bytes(content.replace(b"\n000068,", b"\nZo\xeb,"))
    told = shell("cohort", small / "in.csv", tmp_path / "out.csv", "--part", 30)
    assert told.exit_code == 1
    assert left(tmp_path) == ["in"]


@pytest.mark.parametrize(("owner", "name"), [(cohort.Parts, "keep"), (cohort.Writer, "write")])
def test_on_a_full_disk_what_was_kept_can_be_gone_on_from(owner, name, small, shell, shipped, tmp_path, monkeypatch):
    cohort.run(small / "in.csv", tmp_path / "whole.csv", shipped, part=30)
    real, calls = getattr(owner, name), []

    def full(self, answers):
        calls.append(answers)
        if len(calls) > 2:
            raise OSError(errno.ENOSPC, "No space left on device", str(tmp_path / "out.csv"))
        return real(self, answers)

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, full)
        told = shell("cohort", small / "in.csv", tmp_path / "out.csv", "--part", 30)
    assert (told.exit_code, told.stdout) == (1, "")
    assert told.stderr == f"calcinosis: {tmp_path / 'out.csv'}: No space left on device\n"
    assert left(tmp_path) == ["in", "out.csv.parts", "whole.csv"]
    summary = cohort.run(small / "in.csv", tmp_path / "out.csv", shipped, part=30, resume=True)
    assert summary.resumed >= 60
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()


def test_the_library_refuses_in_the_same_words(stopped, shipped):
    source, out, _ = stopped
    with pytest.raises(ValueError, match="an earlier run stopped here: --resume continues it, --force starts over"):
        cc.cohort.run(source, out, shipped, part=30)


# two runs at once, and parts that are not what was written


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["arrow", "parquet", "csv"])
def test_a_second_run_is_refused_while_the_first_lives(ending, small, shell, shipped, tmp_path):
    """Both used to write into the same files, and the first then said that all was well."""
    source, out = small / "in.parquet", tmp_path / f"out.{ending}"
    refused = []

    def second(done, rows):
        refused.extend(shell("cohort", source, out, "--part", 30, *words) for words in ([], ["--resume"], ["--force"]))

    cohort.run(source, out, shipped, part=30, progress=second)
    assert len(refused) == 12
    for told in refused:
        message = f"calcinosis: {out}: another run is writing this file: wait until it ends, or name another file\n"
        assert (told.exit_code, told.stderr) == (1, message)
    cohort.run(source, tmp_path / f"whole.{ending}", shipped, part=30)
    assert out.read_bytes() == (tmp_path / f"whole.{ending}").read_bytes()
    assert left(tmp_path) == sorted(["in", out.name, f"whole.{ending}"])


def test_a_file_of_the_user_is_never_taken_for_an_unfinished_one(small, shell, tmp_path):
    for words in (["cohort", small / "in.csv"], ["simulate", 3]):
        out = tmp_path / f"{words[0]}.csv"
        out.with_name(f"{out.name}.unfinished").write_bytes(b"mine")
        assert shell(*words, out).exit_code == 0
        assert out.with_name(f"{out.name}.unfinished").read_bytes() == b"mine"


def altered(content):
    return content[:300] + bytes([content[300] ^ 1]) + content[301:]


@pytest.mark.parametrize("damage", [altered, lambda content: content[:-5], lambda content: b""])
def test_a_damaged_part_is_refused_and_made_again_once_it_is_removed(damage, stopped, shell, shipped, tmp_path):
    source, out, parts = stopped
    part = parts / "000000.arrow"
    part.write_bytes(damage(part.read_bytes()))
    told = shell("cohort", source, out, "--part", 30, "--resume")
    assert told.stderr == f"calcinosis: {part}: changed since it was written: remove it, and --resume makes it again\n"
    part.unlink()
    cohort.run(source, out, shipped, part=30, resume=True)
    cohort.run(source, tmp_path / "whole.csv", shipped, part=30)
    assert out.read_bytes() == (tmp_path / "whole.csv").read_bytes()


def test_parts_that_changed_places_are_refused(small, shell, shipped, tmp_path):
    out = tmp_path / "out.csv"
    parts = stop_at(2, small / "in.csv", out, shipped, part=30)
    (parts / "000000.arrow").rename(parts / "held")
    (parts / "000001.arrow").rename(parts / "000000.arrow")
    (parts / "held").rename(parts / "000001.arrow")
    told = shell("cohort", small / "in.csv", out, "--part", 30, "--resume")
    assert f"{parts / '000000.arrow'}: changed since it was written" in told.stderr


@pytest.mark.parametrize("content", [b"", b'{"the inp', b"[]", b"{}", b"7", b"\xff"])
def test_damaged_terms_are_told_in_words(content, stopped, shell):
    source, out, parts = stopped
    (parts / "terms.json").write_bytes(content)
    told = shell("cohort", source, out, "--part", 30, "--resume")
    message = f"{parts / 'terms.json'}: damaged, so the run cannot be resumed: --force starts over"
    assert (told.exit_code, told.stderr) == (1, f"calcinosis: {message}\n")


def test_more_than_a_million_parts_are_kept_and_removed(tmp_path):
    parts = cohort.Parts(tmp_path / "out.csv", {"the input": 1})
    with parts.locked():
        parts.open(resume=False, force=False)
        parts._kept = 999_999
        for _ in range(2):
            parts.keep(pa.table({"x": [1]}))
    with cohort.Parts(tmp_path / "out.csv", {"the input": 1}).locked():
        parts.remove()
    assert left(tmp_path) == []
