"""On a Dask cluster the answers are those of this machine to the last byte, though a worker dies in the middle."""

import os
import signal
import socket
import subprocess
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import calcinosis as cc
from calcinosis.interface.cohort import files as tables

dd = pytest.importorskip("dask.dataframe")
distributed = pytest.importorskip("distributed")


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
def cluster():
    """A scheduler and two worker processes on this machine."""
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=":0"
    ) as found:
        yield found


def kill_a_worker(cluster):
    """Kill one of the worker processes; its nanny starts another one."""
    pids = [worker.pid for worker in cluster.workers.values() if worker.pid]
    os.kill(pids[0], signal.SIGKILL)


@pytest.fixture(scope="module")
def patients(ward, write, tmp_path_factory):
    """A folder with patients in several formats, some rows of the CSV file broken."""
    folder = tmp_path_factory.mktemp("patients")
    frame = ward(2000, impossible=0.005)[["id", "diagnosis", "esrd", "pain", "pth (pg/mL)", "ulceration", "livedo"]]
    write(frame.astype("category"), folder / "in.parquet")
    write(frame, folder / "in.stream.arrow")
    write(frame, folder / "in.csv")
    lines = (folder / "in.csv").read_bytes().replace(b"\n000777,", b"\nbroken\n000777,")
    (folder / "in.csv").write_bytes(lines)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "target"), [("in.parquet", "out.csv"), ("in.csv", "out.parquet"), ("in.stream.arrow", "out.arrow")]
)
def test_the_file_is_that_of_this_machine(source, target, cluster, patients, shipped, shell, tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "PIECE", 300)
    monkeypatch.setattr(tables, "BLOCK", 10_000)
    alone = cc.cohort.run(patients / source, tmp_path / f"alone-{target}", shipped, part=500)
    told = shell(
        "cohort", patients / source, tmp_path / target, "--part", 500, "--scheduler", cluster.scheduler_address
    )
    assert told.exit_code == 0, told.output
    assert f"  {alone.ok:,} with an answer, {alone.invalid:,} invalid, {alone.impossible:,} impossible\n" in told.stdout
    assert (tmp_path / target).read_bytes() == (tmp_path / f"alone-{target}").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"alone-{target}", target]


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
def test_a_worker_that_dies_in_the_middle_changes_no_byte(cluster, patients, shipped, tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "PIECE", 100)
    source, killed = patients / "in.stream.arrow", []

    def progress(done, rows):
        if done and not killed:
            killed.append(done)
            kill_a_worker(cluster)

    workers = cc.cohort.on_cluster(cluster.scheduler_address)
    cc.cohort.run(source, tmp_path / "out.parquet", shipped, workers=workers, part=100, progress=progress)
    cc.cohort.run(source, tmp_path / "alone.parquet", shipped, part=100)
    assert killed == [100]
    assert (tmp_path / "out.parquet").read_bytes() == (tmp_path / "alone.parquet").read_bytes()


CARRIED = {
    "categories": pa.array(["east", None, "west"] * 50).dictionary_encode(),
    "few of many categories": pa.array([f"bed {number}" for number in range(150)]).dictionary_encode(),
    "integers": pa.array(range(150), pa.int16()),
    "lists": pa.array([["a"], None, []] * 50),
}


@pytest.mark.parametrize("name", CARRIED)
@pytest.mark.parametrize("nullable", [True, False], ids=["optional", "required"])
def test_other_columns_come_back_as_they_are(name, nullable, cluster, shipped, tmp_path):
    column = CARRIED[name] if nullable or not CARRIED[name].null_count else pa.array([1] * 150)
    fields = [pa.field("carried", column.type, nullable, {"from": "ward"}), pa.field("pain", pa.string())]
    table = pa.table([column, ["none", "severe", "x"] * 50], pa.schema(fields))
    pq.write_table(table, tmp_path / "in.parquet", row_group_size=40)
    workers = cc.cohort.on_cluster(cluster.scheduler_address)
    cc.cohort.run(tmp_path / "in.parquet", tmp_path / "alone.arrow", shipped)
    cc.cohort.run(tmp_path / "in.parquet", tmp_path / "out.arrow", shipped, workers=workers)
    assert (tmp_path / "out.arrow").read_bytes() == (tmp_path / "alone.arrow").read_bytes()


# a Dask DataFrame of patients


def check_frame(found, expected):
    """The answers of `posteriors`, but for texts in place of categories."""
    texts = {"leading": "string", "status": "string"}
    pd.testing.assert_frame_equal(found, expected.astype(texts), check_exact=True)


@pytest.fixture(scope="module")
def frame(ward):
    """Patients with an index that is not their number."""
    found = ward(1000, impossible=0.005)[
        ["id", "esrd", "pain", "pth (pg/mL)", "vascular_histology", "ulceration", "livedo"]
    ]
    return found.set_index(pd.Index(range(5000, 8000, 3), name="patient"))


def test_a_frame_of_dask_says_what_posteriors_says(cluster, frame, shipped):
    lazy = dd.from_pandas(frame, npartitions=7)
    answers = cc.cohort.score(lazy, shipped)
    assert answers.npartitions == 7
    assert answers.divisions == lazy.divisions
    with distributed.Client(cluster.scheduler_address):
        found = answers.compute()
    check_frame(found, shipped.posteriors(frame))
    assert found.dtypes.equals(answers.dtypes)
    assert answers.columns.tolist() == [*shipped.states, "leading", "log_evidence", "status"]


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
def test_a_frame_of_dask_is_answered_though_a_worker_dies(cluster, frame, shipped):
    answers = cc.cohort.score(dd.from_pandas(frame, npartitions=40), shipped)
    with distributed.Client(cluster.scheduler_address) as client:
        future = client.compute(answers)
        kill_a_worker(cluster)
        check_frame(future.result(timeout=60), shipped.posteriors(frame))


def test_a_frame_of_dask_may_hold_numbers_categories_and_empty_partitions(shipped):
    frame = pd.DataFrame(
        {
            "serum_calcium (mg/dL)": [9.1, np.nan, 8.5, 99.0, 10.5, 2.0],
            "pain": pd.Categorical(["none", "severe", None, "none", "intermittent", "none"]),
            "bed": range(6),
        }
    )
    answers = cc.cohort.score(dd.from_pandas(frame, npartitions=3).query("bed > 1"), shipped)
    found = answers.compute(scheduler="synchronous")
    check_frame(found, shipped.posteriors(frame[frame["bed"] > 1]))
    assert found.dtypes.equals(answers.dtypes)


def test_a_heading_at_fault_is_told_before_anything_is_computed(shipped):
    lazy = dd.from_pandas(pd.DataFrame({"warfarn": ["no"]}), npartitions=1)
    with pytest.raises(cc.errors.FindingsError, match="did you mean warfarin"):
        cc.cohort.score(lazy, shipped)


# what is told when there is no cluster


@pytest.fixture
def one(tmp_path):
    """A file of one patient, in a folder of its own."""
    (tmp_path / "in.csv").write_text("id,pain\n1,none\n")
    return tmp_path / "in.csv"


@pytest.fixture
def closed():
    """An address that nobody listens at."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"tcp://127.0.0.1:{held.getsockname()[1]}"


IMPATIENT = (
    "import distributed\n"
    "class Client(distributed.Client):\n"
    "    def __init__(self, address, timeout): super().__init__(address, timeout=0.3)\n"
    "distributed.Client = Client\n"
    "from calcinosis.interface.shell.app import main; main()"
)


@pytest.mark.slow
def test_a_scheduler_that_does_not_answer_is_told_in_words(one, closed):
    command = [sys.executable, "-c", IMPATIENT, "cohort", one, one.with_name("out.csv"), "--scheduler", closed]
    told = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=60, check=False)
    assert (told.returncode, told.stdout) == (1, "")
    assert told.stderr.startswith(f"calcinosis: {closed}: no scheduler answers there: ")
    assert "Traceback" not in told.stderr
    assert list(one.parent.iterdir()) == [one]


@pytest.mark.parametrize("address", ["nowhere", "tcp://127.0.0.1", "http://127.0.0.1:1"])
def test_an_address_that_is_none_is_told_in_words(address, one, shell):
    told = shell("cohort", one, one.with_name("out.csv"), "--scheduler", address)
    assert told.exit_code == 1
    assert told.stderr.startswith(f"calcinosis: {address}: no scheduler answers there: ")
    assert list(one.parent.iterdir()) == [one]


def test_without_dask_it_is_told_how_to_install_it(one, shell, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    told = shell("cohort", one, one.with_name("out.csv"), "--scheduler", "tcp://127.0.0.1:8786")
    assert (told.exit_code, told.stdout) == (1, "")
    assert told.stderr == 'calcinosis: for --scheduler, install Dask: pip install "calcinosis[dask]"\n'
    assert list(one.parent.iterdir()) == [one]


def test_a_scheduler_that_does_not_answer_leaves_what_there_is_to_go_on_from(one, shipped, monkeypatch):
    out = one.with_name("out.csv")

    def stop(done, rows):
        if done:
            raise KeyboardInterrupt

    def nobody(address, timeout):
        raise OSError(f"nobody answers within {timeout} s")

    with pytest.raises(KeyboardInterrupt):
        cc.cohort.run(one, out, shipped, progress=stop)
    monkeypatch.setattr(distributed, "Client", nobody)
    with pytest.raises(ValueError, match="tcp://x:1: no scheduler answers there"):
        cc.cohort.run(one, out, shipped, resume=True, workers=cc.cohort.on_cluster("tcp://x:1"))
    assert cc.cohort.run(one, out, shipped, resume=True).resumed == 1
