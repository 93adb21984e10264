"""Errors in a file, reported with their place and a fix."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from difflib import get_close_matches

from calcinosis.knowledge.names import folded

LONGEST_SHOWN = 80
"""The maximum number of characters of a value in a message."""

_STEERING = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, line breaks, bidirectional overrides, and lone surrogates."""


@dataclass(frozen=True, order=True)
class Problem:
    """One error in a file: where it is, what is wrong, and a fix.

    `line` counts from 1; an error of the complete file is on line 1. `column` and `value` are empty if the error is not
    in one cell.

    >>> print(Problem("tables/pain.csv", 3, "severe", "1.2", "a probability above 1", "write a number from 0 to 1"))
    tables/pain.csv:3: severe: 1.2: a probability above 1: write a number from 0 to 1
    """

    file: str
    line: int
    column: str
    value: str
    what: str
    fix: str

    def __post_init__(self) -> None:
        for name in ("column", "value"):
            if len(getattr(self, name)) > LONGEST_SHOWN:
                object.__setattr__(self, name, shown(getattr(self, name)))

    def __str__(self) -> str:
        value = shown(self.value)
        return visible(f"{self.file}:{self.line}: {self.column or '-'}: {value or '-'}: {self.what}: {self.fix}")

    def to_dict(self) -> dict[str, str | int]:
        """The six parts by name, for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Reporter:
    """Adds the problems of one file to a list shared by all files."""

    file: str
    problems: list[Problem]

    def __call__(self, line: int, what: str, fix: str, column: str = "", value: str = "") -> None:
        self.problems.append(Problem(self.file, line, column, value, what, fix))


class PriorsError(ValueError):
    """A priors folder with errors; `problems` lists them all, sorted by file and line."""

    def __init__(self, folder: str, problems: Iterable[Problem]) -> None:
        self.folder = folder
        self.problems: tuple[Problem, ...] = tuple(sorted(set(problems)))
        count = f"{len(self.problems)} problem{'' if len(self.problems) == 1 else 's'}"
        super().__init__("\n".join([f"{count} in {visible(folder)}", *map(str, self.problems)]))

    def __reduce__(self) -> tuple[type[PriorsError], tuple[str, tuple[Problem, ...]]]:
        return type(self), (self.folder, self.problems)


def shown(value: str) -> str:
    """A value as it appears in a message: on one line, truncated if long.

    >>> shown("a\\nb"), shown("x" * 1000) == "x" * 79 + "…"
    ('a b', True)
    """
    line = " ".join(value[: 4 * LONGEST_SHOWN].split())
    return line if len(value) <= 4 * LONGEST_SHOWN and len(line) <= LONGEST_SHOWN else f"{line[: LONGEST_SHOWN - 1]}…"


def nearest(word: str, allowed: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The allowed word with the most similar spelling, or None (`cutoff` is a difflib ratio from 0 to 1).

    >>> nearest("Warfarine", ["warfarin", "obesity"])
    'warfarin'
    """
    by_folded = {folded(name): name for name in allowed}
    matches = get_close_matches(folded(word[:LONGEST_SHOWN]), by_folded, n=1, cutoff=cutoff)
    return by_folded[matches[0]] if matches else None


def choose_from(word: str, allowed: Sequence[str]) -> str:
    """The fix for an unknown word: the most similar one, then all allowed words.

    >>> choose_from("sever", ["none", "intermittent", "severe"])
    "did you mean 'severe'? One of: none, intermittent, severe"
    """
    if not allowed:
        return "none is defined"
    near = nearest(word, allowed)
    options = f"ne of: {', '.join(allowed)}"
    return f"did you mean '{near}'? O{options}" if near else f"write o{options}"


def visible(text: str) -> str:
    r"""The text on one line, with control characters escaped as in Python and JSON.

    >>> print(visible("a\nb\x1b[2J\x9b"))
    a\nb\x1b[2J\u009b
    """
    return _STEERING.sub(lambda sign: _escape(sign[0]), text)


def visible_lines(text: str) -> str:
    """The text with control characters escaped, except line breaks."""
    return "\n".join(map(visible, text.split("\n")))


def _escape(sign: str) -> str:
    # escapes that are valid in JSON, so that JSON stays JSON
    return repr(sign)[1:-1] if sign < " " else f"\\u{ord(sign):04x}"
