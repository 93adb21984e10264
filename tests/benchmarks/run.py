"""How fast is it? python tests/benchmarks/run.py [--quick] [--out DIR]

Prints tables of calcinosis beside pyAgrum and pgmpy, measured on this machine in this run, and with --out writes
benchmarks.json (all figures), benchmarks.md and benchmarks.svg (the table and the picture of the README). Needs the
extra `dev`, and some five minutes.

How to read it. First the largest difference between the engines' probabilities: nothing is timed before they agree to
1e-12. Then a table for each question: the median time of each engine (or its rate, where rows per second say more),
and, under ×, how many times as long the peer takes as calcinosis: the median of all rounds, with the least and the
greatest. The engines take turns within each round, so these ratios are steadier than the times on a busy machine.
`asked` tells in which form a peer was the fastest; peers.py lists what was tried. Single queries go from a Python dict
to probabilities. Batches use all cores for calcinosis, as its users would; the line "one core" shows what is left
without. The peers have no call for many rows with missing cells, so they are asked row by row.
"""

import argparse
import json
import warnings
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

import agreement
import batches
import files
import growth
import machine
import memory
import networks
import queries
from effort import FULL, QUICK
from plot import draw
from readme import markdown
from table import table

SECTIONS = {
    "agreement": agreement,
    "queries": queries,
    "batches": batches,
    "networks": networks,
    "growth": growth,
    "memory": memory,
    "files": files,
}


def main():
    """Measure every section, print it, and write what was asked for."""
    parser = argparse.ArgumentParser(description="calcinosis beside pyAgrum and pgmpy")
    parser.add_argument("--quick", action="store_true", help="in under a minute, with fewer rows and rounds")
    parser.add_argument("--out", type=Path, metavar="DIR", help="write benchmarks.json, .md and .svg there")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    start = perf_counter()
    figures = {"date": datetime.now(UTC).date().isoformat(), "quick": options.quick, "machine": machine.describe()}
    print(machine.words(figures["machine"]))
    for name, section in SECTIONS.items():
        figures[name] = section.measure(QUICK if options.quick else FULL)
        print(f"\n{table(figures[name])}", flush=True)
    figures["seconds"] = round(perf_counter() - start)
    print(f"\n{figures['seconds']} seconds")
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "benchmarks.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
        (options.out / "benchmarks.md").write_text(markdown(figures), encoding="utf-8")
        draw(figures, options.out / "benchmarks.svg")


if __name__ == "__main__":
    main()
