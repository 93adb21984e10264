"""The ledger of an update from a cohort, with which it can be undone: updates/NN_<cohort>.csv.

It has one line per updated row, with the row before and after, verbatim, and no data of any patient.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from calcinosis.knowledge.frozen import digest
from calcinosis.knowledge.number import parse_number, plain
from calcinosis.knowledge.problem import PriorsError, Problem
from calcinosis.knowledge.rewrite import cells_of, line_of, records
from calcinosis.knowledge.sheet import read_regular

FOLDER = "updates"
"""The folder of the ledgers, in a priors folder."""

SOURCES = "sources.csv"
"""The file to which the cohort adds a row; in the ledger, `given` is its key and the former line is empty."""

COLUMNS = ("cohort", "patients", "weight", "tables", "table", "given", "cases", "columns", "learned", "former")
"""The columns: the key of the cohort in sources.csv, its number of patients, the weight of each patient, and the
updated tables (joined by `;`); then for each row its table, the parent states (joined by `,`), the number of patients,
the header of the table, the new line, and the former line. Files of the folder follow: the file under `table`, the
SHA-256 of its content under `learned`. The last line is the digest of all lines above it."""

DIGEST = "sha256"
"""The first cell of the last line."""

_NAME = re.compile(r"(\d{2,})_.+\.csv")


@dataclass(frozen=True)
class LearnedRow:
    """An updated row: the header of its file, its new and former lines, and its number of `cases`."""

    columns: str
    learned: str
    former: str
    cases: float = 0.0

    @property
    def after(self) -> dict[str, str]:
        """The new cells by column."""
        return self._cells(self.learned)

    @property
    def before(self) -> dict[str, str]:
        """The former cells by column; empty for an added row."""
        return self._cells(self.former) if self.former else {}

    def _cells(self, line: str) -> dict[str, str]:
        names = (name.strip() for name in cells_of(self.columns))
        return dict(zip(names, cells_of(line), strict=True))


@dataclass(frozen=True)
class Ledger:
    """An update from a cohort: `rows` by table (or SOURCES) and parent states, the digests of `files` by name."""

    cohort: str
    patients: int
    weight: float
    tables: tuple[str, ...]
    rows: Mapping[tuple[str, str], LearnedRow]
    files: Mapping[str, str]

    @property
    def content(self) -> bytes:
        """The ledger as a CSV file."""
        about = [self.cohort, str(self.patients), plain(self.weight), ";".join(self.tables)]
        lines = [list(COLUMNS)]
        for (table, given), row in self.rows.items():
            lines.append([*about, table, given, f"{row.cases:.6g}", row.columns, row.learned, row.former])
        lines += [[*about, file, "", "", "", content, ""] for file, content in self.files.items()]
        lines.append([DIGEST, digest(lines), *[""] * (len(COLUMNS) - 2)])
        return "".join(f"{line_of(line)}\n" for line in lines).encode()


def ledgers_of(folder: Path) -> list[Path]:
    """The ledgers of a priors folder, in the order of the updates."""
    there = folder / FOLDER
    ledgers = [path for path in there.iterdir() if _NAME.fullmatch(path.name)] if there.is_dir() else []
    return sorted(ledgers, key=lambda path: int(path.name.partition("_")[0]))


def next_path(folder: Path, cohort: str) -> Path:
    """The path of the ledger for a further cohort, with a short name that is valid on every file system."""
    ledgers = ledgers_of(folder)
    number = int(ledgers[-1].name.partition("_")[0]) + 1 if ledgers else 1
    stem = re.sub(r"[^A-Za-z0-9_]", "", cohort)[:60].strip("_") or "cohort"
    return folder / FOLDER / f"{number:02d}_{stem}.csv"


def file_digests(folder: Path) -> dict[str, str]:
    """The SHA-256 of each CSV file of a priors folder and its tables, by name."""
    paths = [*sorted(folder.glob("*.csv")), *sorted((folder / "tables").glob("*.csv"))]
    return {
        path.relative_to(folder).as_posix(): sha256(path.read_bytes()).hexdigest() for path in paths if path.is_file()
    }


def read_ledger(path: Path) -> Ledger:
    """The ledger in a file. Cells keep their spaces, because former lines are verbatim.

    Raises:
        PriorsError: if the file is not a ledger, or was changed.
        OSError: if it cannot be read.
    """
    try:
        *lines, last = [list(record.cells) for record in records(read_regular(path)) if any(record.cells)]
        if last[:2] != [DIGEST, digest(lines)] or lines[0] != list(COLUMNS):
            raise ValueError
        cells = [dict(zip(COLUMNS, line, strict=True)) for line in lines[1:]]
        rows = {
            (line["table"], line["given"]): LearnedRow(
                line["columns"], line["learned"], line["former"], parse_number(line["cases"])
            )
            for line in cells
            if line["columns"]
        }
        for row in rows.values():
            _ = row.before, row.after  # each must have a cell for each column
        files = {line["table"]: line["learned"] for line in cells if not line["columns"]}
        first = cells[0]
        patients, weight = int(first["patients"]), parse_number(first["weight"])
        return Ledger(first["cohort"], patients, weight, tuple(first["tables"].split(";")), rows, files)
    except (ValueError, KeyError, IndexError):
        what, fix = "not what 'calcinosis update' has written", "put the file back as it was"
        problem = Problem(f"{FOLDER}/{path.name}", 1, "", "", what, fix)
        raise PriorsError(str(path.parent.parent), [problem]) from None
