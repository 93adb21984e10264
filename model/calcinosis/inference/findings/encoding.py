"""Findings as codes, the small integers that index the engine's tables.

The *base codes* of a variable are its states in order, then *missing*, then, for a repeatable variable, the results of
two or three measurements. Any other finding (one of several states, soft evidence, a fourth biopsy) gets the next free
code of its batch, and the batch stores its likelihoods.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from threading import Lock

import numpy as np
import numpy.typing as npt

from calcinosis.inference.findings.evidence import Evidence
from calcinosis.inference.network import Array
from calcinosis.knowledge.records import Variable

Codes = npt.NDArray[np.integer]
Powers = npt.NDArray[np.int64]
"""Exponents of powers of two."""

Likelihoods = tuple[tuple[float, ...], ...]
"""For each result, in a fixed order, its likelihood under each state; no result if missing."""

Base = Mapping[str, Mapping[Likelihoods, int]]
"""For each variable, the base code of each finding that has one."""

MOST_RESULTS = 3
"""The maximum number of results of a repeatable variable for which all outcomes have base codes."""

MOST_BASE_CODES = 16
"""The maximum number of base codes of a variable with repeated results."""


def base_codes(variable: Variable) -> tuple[Likelihoods, ...]:
    """The finding of each base code of a variable.

    >>> from calcinosis.knowledge.records import State
    >>> base_codes(Variable("pain", (State("no", ""), State("yes", ""))))
    (((1.0, 0.0),), ((0.0, 1.0),), ())
    """
    names = variable.state_names
    certain = [tuple(float(other == state) for other in names) for state in names]
    codes: list[Likelihoods] = [*((result,) for result in certain), ()]
    for count in range(2, MOST_RESULTS + 1 if variable.repeatable else 2):
        repeats = list(combinations_with_replacement(certain, count))
        if len(codes) + len(repeats) > MOST_BASE_CODES:
            break
        codes += repeats
    return tuple(codes)


def canonical(likelihoods: Sequence[Sequence[float]]) -> tuple[Likelihoods, int]:
    """Likelihoods in canonical order and scale, and the power of two divided out, which is exact.

    Results are independent given the parents, so their order does not matter.

    >>> canonical([(0.0, 1.0), (8.0, 0.0)])
    (((1.0, 0.0), (0.0, 1.0)), 3)
    """
    results, taken = [], 0
    for result, times in [(own, 1) for own in likelihoods] if len(likelihoods) == 1 else _counted(likelihoods):
        exponent = math.frexp(max(result))[1] - 1  # 0 for a likelihood of 1, which is nearly all of them
        taken += exponent * times
        scaled = tuple(math.ldexp(number, -exponent) for number in result) if exponent else tuple(result)
        results += [scaled] * times
    return tuple(sorted(results, reverse=True)), taken


def distinguishes(results: Likelihoods) -> bool:
    """Whether some result is more likely under one state than under another.

    >>> distinguishes(((1.0, 1.0),)), distinguishes(((1.0, 1.0), (0.0, 1.0))), distinguishes(())
    (False, True, False)
    """
    return any(len(set(result)) > 1 for result in results)


def _counted(likelihoods: Sequence[Sequence[float]]) -> Iterable[tuple[Sequence[float], int]]:
    return Counter(map(tuple, likelihoods)).items()


def numbered(variables: Mapping[str, Variable]) -> Base:
    """The base codes of each variable."""
    return {name: {finding: code for code, finding in enumerate(base_codes(v))} for name, v in variables.items()}


@dataclass(frozen=True, eq=False)
class Coded:
    """The coded findings of many patients.

    `codes` has, for each variable observed in any patient, the code of each patient, axis `(patients,)`. `further` has
    the likelihoods of codes after the base codes. The likelihoods of patient i were divided by `2**exponents[i]`.
    """

    patients: int
    codes: Mapping[str, Codes]
    further: Mapping[str, tuple[Likelihoods, ...]]
    exponents: Powers

    def some(self, rows: Codes | slice) -> Coded:
        """The findings of some of the patients."""
        exponents = self.exponents[rows]
        return Coded(len(exponents), {v: c[rows] for v, c in self.codes.items()}, self.further, exponents)


class Coder:
    """Encodes the findings of one batch and assigns further codes as needed."""

    def __init__(self, base: Base) -> None:
        self._base = base
        self._further: dict[str, dict[Likelihoods, int]] = {}
        self._lock = Lock()  # several cores may read parts of one batch

    def code(self, variable: str, likelihoods: Sequence[Sequence[float]]) -> tuple[int, int]:
        """The code of a finding, and the power of two by which its likelihoods were divided."""
        base = self._base[variable]
        key, exponent = canonical(likelihoods)
        code = base.get(key)
        if code is None:
            with self._lock:
                further = self._further.setdefault(variable, {})
                code = len(base) + further.setdefault(key, len(further))
        return code, exponent

    def coded(self, patients: int, codes: Mapping[str, Codes], exponents: Powers | None = None) -> Coded:
        """The batch with these codes; the exponents are 0 by default."""
        if exponents is None:
            exponents = np.zeros(patients, dtype=np.int64)
        with self._lock:
            further = {variable: tuple(codes_of_variable) for variable, codes_of_variable in self._further.items()}
        return Coded(patients, codes, further, exponents)


def encode(base: Base, patients: Sequence[Evidence]) -> Coded:
    """The coded evidence of some patients; `base` numbers the base codes of each variable."""
    coder = Coder(base)
    codes: dict[str, Codes] = {}
    exponents = np.zeros(len(patients), dtype=np.int64)
    for i, evidence in enumerate(patients):
        for finding in evidence:
            code, exponent = coder.code(finding.variable, finding.likelihoods)
            if finding.variable not in codes:
                missing = base[finding.variable][()]
                codes[finding.variable] = np.full(len(patients), missing, dtype=np.int32)
            codes[finding.variable][i] = code
            exponents[i] += exponent
    return coder.coded(len(patients), codes, exponents)


def likelihoods(base: Mapping[Likelihoods, int], coded: Coded, name: str) -> Array:
    """The likelihood of each patient's finding of a variable that is not repeatable, axes `(patients, states)`."""
    findings = [*base, *coded.further.get(name, ())]
    needed, which = np.unique(coded.codes[name], return_inverse=True)
    states = len(findings[0][0])
    table = np.array([findings[code][0] if findings[code] else (1.0,) * states for code in needed.tolist()])
    by_patient: Array = table.reshape(-1, states)[which]
    return by_patient
