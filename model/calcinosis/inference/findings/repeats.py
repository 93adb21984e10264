"""Repeated results of a measurement as the text of one cell, such as `absent,absent`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import product

from calcinosis.inference.findings.grammar import read_value
from calcinosis.inference.findings.measurement import NotUnderstood
from calcinosis.knowledge.problem import choose_from
from calcinosis.knowledge.records import Variable

MOST_TEXTS = 2**12
"""The maximum number of different texts in a column: those of 12 results with two states."""


def read_repeats(repeats: Mapping[str, int], variables: Mapping[str, Variable]) -> dict[str, int]:
    """The number of results of each variable in `repeats`.

    Raises:
        ValueError: for a variable that is not repeatable, or a number of results that is not an integer, is below 1, or
            would make more than `MOST_TEXTS` texts.
    """
    repeatable = [name for name, variable in variables.items() if variable.repeatable]
    for name, results in repeats.items():
        if name not in repeatable:
            what = f"{name} is not repeatable" if name in variables else f"no variable {name!r}"
            raise ValueError(f"repeats: {what}: {choose_from(str(name), repeatable)}")
        most = int(math.log(MOST_TEXTS, max(2, len(variables[name].states))) + 1e-9)
        if results not in range(1, most + 1):
            raise ValueError(f"repeats: {results} results of {name}: give a whole number from 1 to {most}")
    return {name: int(results) for name, results in repeats.items()}


def texts(variable: Variable, results: int) -> tuple[str, ...]:
    """The text of each combination of results, the last result varying fastest; for one result, the state names.

    Raises:
        ValueError: if a text is ambiguous because state names contain commas.

    >>> from calcinosis.knowledge.records import State
    >>> texts(Variable("biopsy", (State("absent", ""), State("seen", "")), repeatable=True), 2)
    ('absent,absent', 'absent,seen', 'seen,absent', 'seen,seen')
    """
    if results == 1:
        return variable.state_names
    combined = {",".join(words): words for words in product(variable.state_names, repeat=results)}
    for text, words in combined.items():
        if len(combined) < len(variable.states) ** results or _read(text, variable) != words:
            raise ValueError(f"repeats: '{text}' can be read in two ways: give one result of {variable.name}")
    return tuple(combined)


def _read(text: str, variable: Variable) -> tuple[str, ...]:
    """The results that a text is read as."""
    try:
        return tuple(reading[1] for reading in read_value(text, variable) if isinstance(reading, tuple))
    except NotUnderstood:
        return ()
