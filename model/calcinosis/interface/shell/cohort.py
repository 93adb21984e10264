"""`calcinosis cohort`: the posteriors of a file of patients, however many."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer

from calcinosis.inference.model import Model
from calcinosis.inference.posterior import DISCLAIMER
from calcinosis.interface.cohort.streaming import PART, Summary, on_cluster, run
from calcinosis.interface.paths import InputError
from calcinosis.interface.shell.options import given_path
from calcinosis.interface.shell.output import show_columns
from calcinosis.interface.shell.question import Question, command
from calcinosis.interface.words.terminal import say
from calcinosis.knowledge.records import EACH


@command("record", "force", "priors")
def cohort(
    ask: Question,
    source: Annotated[
        Path, typer.Argument(metavar="IN", parser=given_path, help="Patients: .csv, .parquet, .arrow or .feather.")
    ],
    target: Annotated[
        Path, typer.Argument(metavar="OUT", parser=given_path, help="The answers, in any of these formats.")
    ],
    strict: Annotated[bool, typer.Option("--strict", help="Stop at the first patient without an answer.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where an earlier run was stopped.")] = False,
    scheduler: Annotated[
        str | None, typer.Option(metavar="tcp://HOST:PORT", help="Let the workers of a Dask cluster do the work.")
    ] = None,
    part: Annotated[
        int, typer.Option(metavar="ROWS", min=1, help="Rows written at a time; less takes less memory.")
    ] = PART,
) -> None:
    """Score a file of patients, one per row: a file of the same rows with the probabilities.

    Columns named as variables hold findings, as in 'diagnose'; a heading may name the unit of bare numbers, such as
    'serum_calcium (mg/dL)'. All other columns are carried over. A row that is not understood gets a status that says
    why, and stops nothing.

    Example: calcinosis cohort patients.parquet answers.parquet
    """
    if resume and ask.output.force:
        raise InputError("--resume continues an earlier run, --force starts over: give one of them")
    workers = on_cluster(scheduler) if scheduler else None
    model = ask.model
    _keep_memory()
    began = perf_counter()
    with ask.output.progress(source.name, unit="rows") as update:
        summary = run(
            source,
            target,
            model,
            workers=workers,
            strict=strict,
            resume=resume,
            force=ask.output.force,
            part=part,
            progress=lambda done, rows: update(source.name, done, rows),
            record=ask.named.record,
        )
    seconds = perf_counter() - began
    ask.output.show(
        lambda: _as_dict(summary, target, model, seconds), lambda: _show(summary, target, model, seconds), dict
    )


def _keep_memory() -> None:
    """Keep freed memory in this process: without this, a million rows take a quarter more CPU time.

    pyarrow uses the system's allocator, and that, where it is glibc's, returns no memory between batches.
    """
    import ctypes

    import pyarrow as pa

    pa.set_memory_pool(pa.system_memory_pool())
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # another system
        return
    for threshold in (-1, -3):  # M_TRIM_THRESHOLD, M_MMAP_THRESHOLD
        mallopt(threshold, 2**30)


def _as_dict(summary: Summary, target: Path, model: Model, seconds: float) -> dict[str, object]:
    return {
        "file": str(target),
        "patients": summary.patients,
        "ok": summary.ok,
        "invalid": summary.invalid,
        "impossible": summary.impossible,
        "resumed": summary.resumed,
        "record": summary.record,
        "columns_read": list(summary.read),
        "columns_carried": list(summary.carried),
        "first_without_answer": [{"patient": number, "status": status} for number, status in summary.first],
        "seconds": round(seconds, 3),
        "digest": model.digest,
        "disclaimer": DISCLAIMER,
    }


def _show(summary: Summary, target: Path, model: Model, seconds: float) -> None:
    rate = (summary.patients - summary.resumed) / max(seconds, 1e-9)
    say(f"{target}: {summary.patients:,} patients in {seconds:.1f} s ({rate:,.0f} rows/s)")
    if summary.resumed:
        say(f"  {summary.resumed:,} of them were there from an earlier run")
    say(f"  {summary.ok:,} with an answer, {summary.invalid:,} invalid, {summary.impossible:,} impossible")
    each = "of each patient, as the column record says; asked where it is empty"
    say(f"  record: {each if summary.record == EACH else summary.record.replace('_', ' ')}")
    show_columns(summary.read, summary.carried, "carried over")
    for number, status in summary.first:
        say(f"  patient {number}: {status}")
    if summary.invalid + summary.impossible > len(summary.first):
        say("  and so on: the column 'status' says why for each")
    say(f"priors {model.digest[:12]}")
    say(DISCLAIMER)
