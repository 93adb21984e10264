"""From file to file: `calcinosis cohort` on Parquet files of 25 columns, and the memory it takes as they grow.

The command runs in a process of its own, as a user would start it. `seconds` is what it says itself, from opening the
input to the output under its own name; `whole` also counts the start of Python and its end. The peak of its resident
memory is read from the process itself as it ends. The best of the runs is shown with the worst: what else a machine
does can only take time away.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

COLUMNS = 25
PROGRAM = """
import sys
from memory import peak
from calcinosis.interface.shell.app import app
app(sys.argv[1:], standalone_mode=False)
print("peak", peak())
"""


def measure(effort):
    """Rows per second and peak memory for each size of file."""
    from subjects import shipped

    notes = []
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for rows in effort.file_rows:
            source, target = Path(folder, "patients.parquet"), Path(folder, "answers.parquet")
            _draw(shipped(), rows, source)
            runs = [_run(source, target) for _ in range(effort.file_runs)]
            seconds, whole = [run[0] for run in runs], [run[1] for run in runs]
            memory, size = max(run[2] for run in runs), target.stat().st_size
            found.append({"rows": rows, "seconds": seconds, "whole": whole, "peak": memory, "bytes": size})
            best, worst, process = rows / min(seconds) / 1e6, rows / max(seconds) / 1e6, rows / min(whole) / 1e6
            notes.append(
                f"{rows:,} rows: {best:.2f} million rows/s ({worst:.2f} in the slowest of {len(seconds)} runs; "
                f"{process:.2f} with the start of Python), peak {memory / 2**20:,.0f} MiB, "
                f"{size / 2**20:,.0f} MiB written"
            )
    return {
        "title": f"Parquet in, Parquet out, {COLUMNS} columns, half of the cells missing",
        "lines": [],
        "files": found,
        "notes": notes,
    }


def _draw(model, rows, path):
    """A file of patients: a number for each, and 24 findings."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from calcinosis.inference.simulate.simulation import Simulation

    writer = None
    for block in Simulation(model.network, rows, missing=0.5, seed=1):
        names = [name for name in block.columns if name != "diagnosis"][: COLUMNS - 1]
        table = pa.Table.from_pandas(block[names], preserve_index=False).replace_schema_metadata(None)
        schema = pa.schema([pa.field(name, pa.string()) for name in names])
        table = table.cast(schema).add_column(0, "patient", pa.array(block.index + 1))
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table, row_group_size=2**20)
    writer.close()


def _run(source, target):
    """The seconds of the work and of the whole process, and the peak memory."""
    start = perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "cohort", str(source), str(target), "--force", "--json"],
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parent,
    )
    told, _, memory = done.stdout.rpartition("peak")
    return json.loads(told)["seconds"], perf_counter() - start, int(memory)
