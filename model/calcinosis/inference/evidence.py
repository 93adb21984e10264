"""What was found in a patient, as understood: the likelihood of each finding under each state."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from calcinosis.inference.network import Array


@dataclass(frozen=True)
class Finding:
    """One observed variable: as `given`, as `understood`, and the likelihood of each result under each state.

    `likelihoods` has one tuple per result, in the order of `states`.
    """

    variable: str
    given: str
    understood: str
    likelihoods: tuple[tuple[float, ...], ...]
    states: tuple[str, ...]

    def __str__(self) -> str:
        if self.given == self.understood:
            return f"{self.variable} = {self.given}"
        return f"{self.variable} = {self.given} → {self.understood}"


@dataclass(frozen=True)
class Evidence:
    """All findings of a patient, one per observed variable, and notes on what was not used."""

    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __len__(self) -> int:
        return len(self.findings)

    def __getitem__(self, variable: str) -> Finding:
        """The finding of a variable; KeyError if it was not observed."""
        for finding in self.findings:
            if finding.variable == variable:
                return finding
        raise KeyError(variable)

    def __contains__(self, variable: object) -> bool:
        return any(finding.variable == variable for finding in self.findings)

    def __str__(self) -> str:
        return "; ".join(map(str, self.findings)) or "nothing observed"


@dataclass(frozen=True)
class Batch:
    """The evidence of many patients as arrays.

    `likelihoods` holds, per variable that was observed in any of them, axes `(patients, results, states)`, with 1 where
    nothing was seen. Each is scaled by a power of two, which is exact, to lie near 1; `exponents`, axis `(patients,)`,
    holds the sum of these powers.
    """

    likelihoods: Mapping[str, Array]
    exponents: Array


def stack(patients: Sequence[Evidence]) -> Batch:
    """The evidence of many patients as arrays."""
    shapes: dict[str, tuple[int, int]] = {}
    for evidence in patients:
        for finding in evidence:
            results, states = shapes.get(finding.variable, (0, len(finding.likelihoods[0])))
            shapes[finding.variable] = (max(results, len(finding.likelihoods)), states)
    arrays = {name: np.ones((len(patients), *shape)) for name, shape in shapes.items()}
    exponents = np.zeros(len(patients))
    for i, evidence in enumerate(patients):
        for finding in evidence:
            for j, likelihood in enumerate(finding.likelihoods):
                exponent = math.frexp(max(likelihood))[1] - 1  # 0 for a likelihood of 1, which is nearly all of them
                exponents[i] += exponent
                arrays[finding.variable][i, j] = np.ldexp(likelihood, -exponent) if exponent else likelihood
    return Batch(arrays, exponents)
