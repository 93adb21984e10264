"""What a priors folder learned from a cohort, so that it can be taken back: updates/NN_<cohort>.csv.

One line per row that learned: what it was before, word for word. Nothing of any patient is in it.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from calcinosis.knowledge.number import parse_number, plain
from calcinosis.knowledge.problem import PriorsError, Problem
from calcinosis.knowledge.rewrite import records

FOLDER = "updates"
"""The folder of the ledgers, in a priors folder."""

COLUMNS = ("cohort", "patients", "weight", "tables", "table", "given", "cases", "former")
"""The columns: the key of the cohort in sources.csv, how many patients it has, for how many each counts, which tables
learned (`;` between); then per row its table, the states of the parents (`,` between), how many patients belong to it,
and its former line."""

_NAME = re.compile(r"(\d{2,})_.+\.csv")


@dataclass(frozen=True)
class Ledger:
    """What rows were before they learned from a cohort: `former` by table and parents' states."""

    cohort: str
    patients: int
    weight: float
    tables: tuple[str, ...]
    former: Mapping[tuple[str, str], str]
    cases: Mapping[tuple[str, str], float] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        """The ledger as a CSV file."""
        file = io.StringIO(newline="")
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for (table, given), former in self.former.items():
            about = (self.cohort, self.patients, plain(self.weight), ";".join(self.tables))
            writer.writerow((*about, table, given, f"{self.cases.get((table, given), 0.0):.6g}", former))
        return file.getvalue().encode()


def ledgers_of(folder: Path) -> list[Path]:
    """The ledgers of a priors folder, in the order in which the cohorts were learned from."""
    there = folder / FOLDER
    found = [path for path in there.iterdir() if _NAME.fullmatch(path.name)] if there.is_dir() else []
    return sorted(found, key=lambda path: int(path.name.partition("_")[0]))


def next_path(folder: Path, cohort: str) -> Path:
    """Where the ledger of one cohort more shall stand."""
    known = ledgers_of(folder)
    number = int(known[-1].name.partition("_")[0]) + 1 if known else 1
    return folder / FOLDER / f"{number:02d}_{cohort}.csv"


def read_ledger(path: Path) -> Ledger:
    """The ledger in a file; its cells keep their spaces, as former lines must.

    Raises:
        PriorsError: if it is none.
    """
    try:
        head, *lines = [record.cells for record in records(path.read_bytes()) if any(record.cells)]
        cells = [dict(zip(head, line, strict=True)) for line in lines]
        first = cells[0]
        patients, weight = int(first["patients"]), parse_number(first["weight"])
        former = {(line["table"], line["given"]): line["former"] for line in cells}
        return Ledger(first["cohort"], patients, weight, tuple(first["tables"].split(";")), former)
    except (ValueError, KeyError, IndexError, csv.Error):
        what, mend = "not what 'calcinosis update' has written", "put the file back as it was"
        problem = Problem(f"{FOLDER}/{path.name}", 1, "", "", what, mend)
        raise PriorsError(str(path.parent.parent), [problem]) from None
