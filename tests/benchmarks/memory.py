"""The greatest resident memory of a process that scores many rows: `posteriors` in a child that does nothing else."""

import json
import subprocess
import sys
from pathlib import Path


def measure(effort):
    """Bytes before and at the peak, and the difference per row, of which some are the answer itself."""
    done = subprocess.run(
        [sys.executable, __file__, str(effort.memory_rows)], check=True, capture_output=True, text=True
    )
    found = json.loads(done.stdout)
    mib = 2**20
    return {
        "title": f"Memory to score {found['rows']:,} patients, half of the cells missing",
        "lines": [],
        **found,
        "notes": [
            f"peak {found['peak'] / mib:,.0f} MiB; {found['before'] / mib:,.0f} MiB of it stood before: Python, "
            f"pandas, the model and {found['frame'] / found['rows']:.0f} bytes a row of findings",
            f"scoring took {(found['peak'] - found['before']) / found['rows']:,.0f} bytes a row more, "
            f"{found['answer'] / found['rows']:,.0f} of them the answer",
        ],
    }


def peak():
    """The greatest resident memory of this process so far, in bytes.

    Where Linux tells it for this program alone, that is taken: ru_maxrss counts what the parent had when it started it.
    """
    status = Path("/proc/self/status")
    if status.exists():
        return next(int(text.split()[1]) * 1024 for text in status.read_text().splitlines() if "VmHWM" in text)
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def child(rows):
    """What the child process measures."""
    import numpy as np
    from patients import as_frame, draw, forget
    from subjects import shipped

    model, rng = shipped(), np.random.default_rng(10)
    codes = forget(draw(model.network, rows, rng), rng)
    frame = as_frame(model.network, codes)
    del codes
    model.posteriors(frame[:100])
    before = peak()
    answer = model.posteriors(frame)
    return {
        "rows": rows,
        "before": before,
        "peak": peak(),
        "frame": int(frame.memory_usage(index=False).sum()),
        "answer": int(answer.memory_usage(index=False).sum()),
    }


if __name__ == "__main__":
    print(json.dumps(child(int(sys.argv[1]))))
