"""Cohorts: a file of patients in, a file of answers out, in bounded memory, on one machine or a cluster.

The work is a pure function of one Arrow batch, `score_batch`. Pieces of the input go to it in order, several at a time,
and the answers are gathered in order; whether a thread or another machine does the work makes no difference to a bit.

Answers are kept in parts of equal size in the folder `OUT.parts` next to the output, which one run at a time may use.
The output is written there too and takes its own name when it is complete. So a run that is killed leaves no half
file, and one that is resumed writes the same bytes.
"""

from __future__ import annotations

import pickle
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from calcinosis.inference.engine.scores import OK, available_cores
from calcinosis.inference.model import Model
from calcinosis.interface.cohort.batch import answer_schema as answer_schema
from calcinosis.interface.cohort.batch import lean, marked
from calcinosis.interface.cohort.batch import score_batch as score_batch
from calcinosis.interface.cohort.checkpoint import Parts
from calcinosis.interface.cohort.files import ending_of, open_table
from calcinosis.interface.cohort.pieces import Piece
from calcinosis.interface.cohort.writer import Writer, naming, place_of
from calcinosis.interface.paths import InputError
from calcinosis.knowledge.arguments import checked
from calcinosis.knowledge.records import ASKED

if TYPE_CHECKING:
    import pyarrow as pa

PART = 2**19
"""How many rows a part has, which is one row group of a Parquet file."""

AT_ONCE = 8
"""How many pieces are being worked on, or wait to be, at most: what bounds the memory."""

SHOWN = 5
"""How many patients without an answer a summary names."""


class Answer(Protocol):
    """An answer on its way: a future of a thread pool or of a cluster."""

    def result(self) -> Any:
        """The answer, once it is there."""


HandOver = Callable[["pa.RecordBatch"], Answer]
"""Submits one batch to a worker."""


@dataclass
class Summary:
    """What became of a cohort: how many patients there were and how many have no answer, and why.

    `first` names the first few of these by their number in the file, from 1, with their status. `resumed` patients
    were answered by an earlier run. `read` names the columns read as findings, `carried` the others. `record` is the
    kind of record that was assumed, `each` where the patients name their own.
    """

    patients: int = 0
    invalid: int = 0
    impossible: int = 0
    resumed: int = 0
    read: tuple[str, ...] = field(default=(), compare=False)
    carried: tuple[str, ...] = field(default=(), compare=False)
    record: str = ASKED
    first: list[tuple[int, str]] = field(default_factory=list)

    @property
    def ok(self) -> int:
        """How many patients have an answer."""
        return self.patients - self.invalid - self.impossible

    def add(self, answers: pa.Table) -> None:
        """Count the answers of further patients."""
        import pyarrow.compute as pc

        status = answers.column("status")
        bad = pc.indices_nonzero(pc.not_equal(status, OK)).to_pylist()
        texts = [status[row].as_py() for row in bad]
        self.invalid += sum(text.startswith("invalid") for text in texts)
        self.impossible += sum(text.startswith("impossible") for text in texts)
        room = SHOWN - len(self.first)
        self.first += [(self.patients + row + 1, text) for row, text in zip(bad[:room], texts[:room], strict=True)]
        self.patients += answers.num_rows


@checked
def run(
    source: Path,
    target: Path,
    model: Model,
    *,
    workers: Callable[[Model], AbstractContextManager[HandOver]] | None = None,
    strict: bool = False,
    resume: bool = False,
    force: bool = False,
    part: int = PART,
    progress: Callable[[int, int | None], None] = lambda done, rows: None,
    record: str | None = None,
) -> Summary:
    """Score the patients of a file into another one, and say what became of them.

    `workers` opens what does the work: this machine's cores, or `on_cluster(address)`. `progress` is called with the
    number of rows done and the number of all, None if that is not known. A column `record` names each patient's kind of
    record, unless `record` is that of all.

    Raises:
        QuestionError: for a `record` that the priors do not have.
        InputError: if a file cannot be read or written as such; with `strict`, at the first patient without an answer.
        FindingsError: for headings that are not understood.
    """
    table = open_table(source, lambda names: {heading.column for heading in model.headings(names)})
    model = model.by_record(table.schema.names) if record is None else model.recorded(record)
    schema = answer_schema(table.schema, model)
    place = _place(source, target)
    parts = Parts(place, _terms(source, model, part))
    with parts.locked(), naming(target):
        resuming = resume and parts.there
        if place.exists() and not (force or resuming):
            raise InputError(f"{target}: exists already: --force replaces it")
        parts.open(resume=resume, force=force)
        read = tuple(heading.column for heading in model.headings(table.schema.names))
        carried = tuple(name for name in table.schema.names if name not in read)
        summary = Summary(read=read, carried=carried, record=model.record)
        try:
            with Writer(parts.unfinished, ending_of(target), schema) as writer:
                for answers in parts.kept():
                    _count(answers, summary, strict, source)
                    writer.write(answers)
                summary.resumed = summary.patients
                progress(summary.patients, table.rows)
                with (workers or on_this_machine)(model) as hand_over, _behind() as write:
                    found = _answers(table.pieces(summary.resumed), hand_over, model)
                    for answers in _in_parts(found, schema, part):
                        _count(answers, summary, strict, source)
                        write(parts.keep, answers)
                        write(writer.write, answers)
                        progress(summary.patients, table.rows)
        except BaseException as error:
            parts.unfinished.unlink(missing_ok=True)
            if isinstance(error, InputError) and not resuming:
                parts.remove()  # the same would happen again; but what an earlier run has done is never thrown away
            raise
        parts.unfinished.replace(place)
        parts.remove()
        return summary


def _count(answers: pa.Table, summary: Summary, strict: bool, source: Path) -> None:
    """Add answers to the summary; if all is to be strict, none may be missing."""
    summary.add(answers)
    if strict and summary.first:
        number, status = summary.first[0]
        raise InputError(f"{source}: patient {number}: {status}")


def _place(source: Path, target: Path) -> Path:
    """Where the answers are to be written."""
    place = place_of(target, "answers")
    if place.exists() and place.samefile(source):
        raise InputError(f"{target}: the answers would replace the patients: choose another name")
    return place


def _terms(source: Path, model: Model, part: int) -> dict[str, Any]:
    """What must be the same for a run to go on from the parts of another one."""
    seen = source.stat()
    return {
        "the input": [str(source.resolve()), seen.st_size, seen.st_mtime_ns],
        "the priors": model.digest,
        "the record": model.record,
        "the size of a part": part,
        "the version of calcinosis": version("calcinosis"),
    }


def _answers(pieces: Iterator[Piece], hand_over: HandOver, model: Model) -> Iterator[pa.RecordBatch]:
    """The answers to all pieces, in order."""
    waiting: deque[tuple[Answer, Piece]] = deque()
    for piece in _ahead(pieces):
        waiting.append((hand_over(piece.batch), piece))
        if len(waiting) >= AT_ONCE:
            answer, first = waiting.popleft()
            yield marked(answer.result(), first.broken, model.states)
    for answer, piece in waiting:
        yield marked(answer.result(), piece.broken, model.states)


def _ahead(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """The same, each read while the one before is being worked on."""
    with ThreadPoolExecutor(1) as reader:
        coming = reader.submit(next, pieces, None)
        while (piece := coming.result()) is not None:
            coming = reader.submit(next, pieces, None)
            yield piece


@contextmanager
def _behind() -> Iterator[Callable[[Callable[[pa.Table], None], pa.Table], None]]:
    """Writes what it is given, in order, while the next is worked on; at most two writings wait."""
    waiting: deque[Any] = deque()
    with ThreadPoolExecutor(1) as writer:

        def write(how: Callable[[pa.Table], None], what: pa.Table) -> None:
            waiting.append(writer.submit(how, what))
            while len(waiting) > 2:
                waiting.popleft().result()

        yield write
        while waiting:
            waiting.popleft().result()


def _in_parts(answers: Iterable[pa.RecordBatch], schema: pa.Schema, part: int) -> Iterator[pa.Table]:
    """The same answers in tables of `part` rows, the last one of what is left."""
    import pyarrow as pa

    held: list[pa.RecordBatch] = []
    rows = 0
    for batch in answers:
        # the same types, but a batch that came a long way may have lost that a column is never null
        held.append(pa.RecordBatch.from_arrays(batch.columns, schema=schema))
        rows += batch.num_rows
        while rows >= part:
            table = pa.Table.from_batches(held, schema)
            yield table.slice(0, part).combine_chunks()  # pieces of any size make the same bytes
            held, rows = table.slice(part).to_batches(), rows - part
    if rows:
        yield pa.Table.from_batches(held, schema).combine_chunks()


@contextmanager
def on_this_machine(model: Model) -> Iterator[HandOver]:
    """The cores of this machine."""
    _ = model.engine  # compiled here, once
    pool = ThreadPoolExecutor(available_cores())
    try:
        yield lambda batch: pool.submit(score_batch, batch, model)
    finally:
        pool.shutdown(cancel_futures=True)


@checked
def on_cluster(scheduler: str) -> Callable[[Model], AbstractContextManager[HandOver]]:
    """The workers of a Dask cluster; what one that dies was doing, another does again.

    Raises:
        InputError: if Dask is not installed, or the scheduler does not answer.
    """
    try:
        from distributed import Client
    except ImportError:
        raise InputError('for --scheduler, install Dask: pip install "calcinosis[dask]"') from None

    @contextmanager
    def workers(model: Model) -> Iterator[HandOver]:
        packed = pickle.dumps(model)
        try:
            client = Client(scheduler, timeout=10)
        except (OSError, ValueError) as error:
            raise InputError(f"{scheduler}: no scheduler answers there: {error}") from None
        with client:
            yield lambda batch: client.submit(_score_packed, lean(batch), packed, pure=False)

    return workers


@checked
def score(patients: Any, model: Model) -> Any:
    """The answers to a Dask DataFrame of patients: a Dask DataFrame with the same index and partitions.

    Columns as in `Model.posteriors`, with `leading` and `status` as texts.
    """
    if not hasattr(patients, "map_partitions"):
        raise TypeError(
            f"score: patients must be a Dask DataFrame, not {type(patients).__name__}: "
            "for a pandas.DataFrame use Model.posteriors"
        )
    packed = pickle.dumps(model)
    return patients.map_partitions(_score_frame, packed, meta=_score_frame(patients._meta, packed))


def _score_packed(batch: pa.RecordBatch, packed: bytes) -> pa.RecordBatch:
    return score_batch(batch, _unpacked(packed))


def _score_frame(frame: Any, packed: bytes) -> Any:
    return _unpacked(packed).posteriors(frame).astype({"leading": "string", "status": "string"})


@lru_cache(maxsize=4)
def _unpacked(packed: bytes) -> Model:
    """A model that came over the wire, compiled once per worker."""
    model = pickle.loads(packed)
    assert isinstance(model, Model)
    _ = model.engine
    return model
