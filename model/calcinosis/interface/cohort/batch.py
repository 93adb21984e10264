"""One Arrow batch of patients to one Arrow batch of answers: a pure function, which any engine of tables can map.

pyarrow is imported where it is used; `calcinosis diagnose` never needs it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from calcinosis.inference.findings.columns import Column, of_objects
from calcinosis.inference.findings.encoding import Codes
from calcinosis.inference.findings.reader import Fault, FindingsError
from calcinosis.inference.model import Model
from calcinosis.inference.posterior import DISCLAIMER
from calcinosis.knowledge.arguments import checked
from calcinosis.knowledge.records import EACH, RECORD

if TYPE_CHECKING:
    import pyarrow as pa


@checked
def score_batch(batch: pa.RecordBatch, model: Model) -> pa.RecordBatch:
    """The answers to a batch of patients, a row for each, in order.

    Columns named as variables hold findings, as in `Model.posteriors`; all others are carried over and come first,
    unchanged but for `record`, which says what was assumed. Then one column of probabilities per state of the target,
    `leading`, `log_evidence` and `status`: 'ok', or 'invalid: …' or 'impossible: …' with the reason; then, and only
    then, probabilities, `leading` and `log_evidence` are null. A model of the record `each` reads each patient's kind
    of record in the column `record`.

    Raises:
        FindingsError: for headings that are not understood, as `Model.headings`, or that the answer needs for itself.

    >>> import pyarrow as pa
    >>> import calcinosis as cc
    >>> patients = pa.RecordBatch.from_pydict({"id": ["a", "b"], "pain": ["severe", "worse"]})
    >>> score_batch(patients, cc.load()).column("status").to_pylist()[0]
    'ok'
    """
    import pyarrow as pa

    headings = model.headings(batch.schema.names)
    schema = answer_schema(batch.schema, model)
    columns = {heading: column_of_arrow(batch.column(heading.column)) for heading in headings}
    several = model.record == EACH and RECORD in batch.schema.names
    kinds = column_of_arrow(batch.column(RECORD)) if several else None
    scores = model.score(columns, batch.num_rows, cores=1, kinds=kinds)
    found = {heading.column for heading in headings}
    carried = {name: _plain(batch.column(i)) for i, name in enumerate(batch.schema.names) if name not in found}
    if RECORD in carried and model.knows_records and not several:  # the kind that was assumed, not the one named
        carried[RECORD] = pa.repeat(pa.scalar(model.record), batch.num_rows)
    arrays = list(carried.values())
    none = scores.status > 0
    mask = none if none.any() else None
    arrays += [pa.array(values, mask=mask) for values in scores.probabilities]
    arrays.append(pa.array(model.states, pa.string()).take(pa.array(scores.leading, mask=mask)))
    arrays.append(pa.array(scores.log_evidence, mask=mask))
    texts = pa.array(scores.statuses, pa.string())
    arrays.append(pa.repeat(texts[0], len(none)) if mask is None else texts.take(pa.array(scores.status)))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


@checked
def answer_schema(schema: pa.Schema, model: Model) -> pa.Schema:
    """The columns of the answers to a table of patients; digest and disclaimer stand in its metadata.

    Carried columns keep their types, but that a dictionary becomes a column of its values: an Arrow file can hold but
    one dictionary for all its batches.

    Raises:
        FindingsError: for headings that are not understood, or that the answer needs for itself.
    """
    import pyarrow as pa

    found = {heading.column for heading in model.headings(schema.names)}
    carried = [field for field in schema if field.name not in found]
    carried = [f.with_type(f.type.value_type) if pa.types.is_dictionary(f.type) else f for f in carried]
    if model.knows_records and model.record != EACH:
        carried = [pa.field(RECORD, pa.string()) if f.name == RECORD else f for f in carried]
    own = [*model.states, "leading", "log_evidence", "status"]
    taken = [field.name for field in carried if field.name in own]
    if taken:
        faults = [Fault(name, "", "a column that the answer has itself", "rename it") for name in taken]
        raise FindingsError(faults, "some columns stand in the way of the answer")
    types = [pa.float64()] * len(model.states) + [pa.string(), pa.float64(), pa.string()]
    fields = [*carried, *(pa.field(name, kind) for name, kind in zip(own, types, strict=True))]
    return pa.schema(
        fields, {"calcinosis.priors": model.digest, "calcinosis.record": model.record, "calcinosis.note": DISCLAIMER}
    )


def _plain(column: pa.Array) -> pa.Array:
    """A dictionary column as one of its values, any other as it is."""
    import pyarrow as pa

    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def column_of_arrow(array: pa.Array) -> Column:
    """A column of findings from an Arrow array: each distinct cell is read once."""
    import pyarrow as pa

    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    if pa.types.is_decimal(array.type):
        array = array.cast(pa.float64())
    elif pa.types.is_string_view(array.type):
        array = array.cast(pa.string())
    kind = array.type
    if pa.types.is_floating(kind):
        numbers = array.cast(pa.float64()).to_numpy(zero_copy_only=False)
        return Column((), np.zeros(len(numbers), dtype=np.int8), numbers)
    try:
        coded = array if pa.types.is_dictionary(kind) else array.dictionary_encode()
    except pa.ArrowNotImplementedError:  # lists, and what else has no dictionaries
        return of_objects(array.to_pylist())
    return Column(coded.dictionary.to_pylist(), _which(coded.indices, len(coded.dictionary)))


def _which(indices: pa.Array, cells: int) -> Codes:
    """The cell of each row, -1 for null.

    From the buffers: filling the nulls in Arrow and copying took as long as reading the file.
    """
    width = indices.type.bit_width // 8
    kind = f"{'i' if str(indices.type).startswith('int') else 'u'}{width}"
    bits, values = indices.buffers()
    rows, first = len(indices), indices.offset
    if not rows:
        return np.zeros(0, dtype=np.int8)
    which: Any = np.frombuffer(values, kind, rows, first * width).astype(np.int8 if cells < 2**7 else np.int64)
    if indices.null_count:
        there = np.unpackbits(np.frombuffer(bits, np.uint8), bitorder="little")[first : first + rows].view(np.int8)
        # what stands at a null is anything: it counts 0 times, and then 1 is taken away
        which *= there
        which += there - np.int8(1)
    found: Codes = which
    return found


def lean(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The same batch with its dictionary columns in a byte a row where that is enough: a quarter to send."""
    import pyarrow as pa

    arrays = [
        pa.DictionaryArray.from_arrays(column.indices.cast(pa.int8()), column.dictionary)
        if pa.types.is_dictionary(column.type) and len(column.dictionary) < 2**7
        else column
        for column in batch.columns
    ]
    return pa.RecordBatch.from_arrays(arrays, names=batch.schema.names)


def marked(answers: pa.RecordBatch, reasons: Mapping[int, str], states: Sequence[str]) -> pa.RecordBatch:
    """Answers with the rows of `reasons` made invalid, for the reason given: rows without a cell for each heading."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not reasons:
        return answers
    bad = np.zeros(answers.num_rows, dtype=np.bool_)
    bad[list(reasons)] = True
    arrays: list[Any] = []
    for name, column in zip(answers.schema.names, answers.columns, strict=True):
        if name == "status":
            arrays.append(pa.array([reasons.get(i, text) for i, text in enumerate(column.to_pylist())], pa.string()))
        elif name in (*states, "leading", "log_evidence"):
            arrays.append(pc.if_else(pa.array(bad), pa.scalar(None, column.type), column))
        else:
            arrays.append(column)
    return pa.RecordBatch.from_arrays(arrays, schema=answers.schema)
