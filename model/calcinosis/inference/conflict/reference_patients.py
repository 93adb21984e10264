"""Simulated reference patients, with which a patient's findings are compared to measure how unusual they are.

Sampling is stratified by the target: each state has the same number of patients, weighted by its prior, so that a rare
disease is judged by as many patients as a common one. A variable is sampled when it is first needed, from a random
stream of its own, and cached; a comparison does not depend on earlier ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from calcinosis.inference.findings.encoding import Coder, Codes
from calcinosis.inference.findings.evidence import Finding
from calcinosis.inference.network import Array, Network
from calcinosis.inference.simulate.sampling import cuts, pick
from calcinosis.inference.streams import root_of, stream

PATIENTS = 2**13
"""The number of reference patients; a share of 1% has a standard error of about 0.15 percentage points."""


@dataclass(frozen=True, eq=False)
class ReferencePatients:
    """Patients sampled from a network, whose variables can all be observed."""

    network: Network
    patients: int = PATIENTS
    seed: int = 0
    _drawn: dict[tuple[str, int], Codes] = field(default_factory=dict)

    def __reduce__(self) -> tuple[type[ReferencePatients], tuple[Network, int, int]]:
        return type(self), (self.network, self.patients, self.seed)  # the same patients are drawn again

    @property
    def truth(self) -> Codes:
        """The state of the target of each patient, by number."""
        return self.states(self.network.target)

    @property
    def weights(self) -> Array:
        """The sampling weight of each patient, axis `(patients,)`; 0 if impossible."""
        target = self.network.target
        table = self.network.rows(target)
        return np.asarray(table[self._rows(target), self.truth] * table.shape[1])

    def states(self, name: str, number: int = 0) -> Codes:
        """The state of a variable in each patient, by number; for a repeatable variable, in result `number`."""
        codes = self._drawn.get((name, number))
        if codes is None:
            if name == self.network.target:
                codes = np.arange(self.patients) % self.network.sizes[name]
            else:
                thresholds, uniforms = cuts(self.network.rows(name)), self._uniforms("state", name, str(number))
                codes = pick(thresholds, self._rows(name), uniforms)
            self._drawn[name, number] = codes
        return codes

    def seen(self, finding: Finding, coder: Coder) -> Codes:
        """The code of the finding that each reference patient would show where another patient shows `finding`.

        For hard evidence, each patient shows their own state. Soft evidence (one of several states, or likelihoods) is
        a binary observation: it is positive with the probability that the likelihood of the patient's state gives, the
        largest likelihood being 1. One of several states thus only separates these states from the others.
        """
        name = finding.variable
        results = [self._shown(name, number, finding.likelihoods[number]) for number in range(len(finding.likelihoods))]
        if len(results) == 1:
            which, outcomes = results[0]
            present = np.flatnonzero(np.bincount(which))
            codes = np.zeros(len(outcomes), dtype=np.int32)
            codes[present] = [coder.code(name, [outcomes[i]])[0] for i in present.tolist()]
            return codes[which]
        outcomes = sorted({outcome for _, of_result in results for outcome in of_result}, reverse=True)
        counts = np.zeros((self.patients, len(outcomes)), dtype=np.intp)
        for which, of_result in results:
            counts[np.arange(self.patients), np.array([outcomes.index(outcome) for outcome in of_result])[which]] += 1
        # group patients with the same counts of all outcomes
        first, alike = np.zeros(1, dtype=np.intp), np.zeros(self.patients, dtype=np.intp)
        for times in counts.T:
            _, first, alike = np.unique(alike * (len(results) + 1) + times, return_index=True, return_inverse=True)
        patterns = [np.repeat(outcomes, times, axis=0).tolist() for times in counts[first]]
        return np.array([coder.code(name, pattern)[0] for pattern in patterns])[alike]

    def _shown(self, name: str, number: int, likelihoods: Sequence[float]) -> tuple[Codes, list[tuple[float, ...]]]:
        """The outcome that each patient shows in one result, and the possible outcomes."""
        states = self.states(name, number)
        if np.count_nonzero(likelihoods) == 1:
            return states, [tuple(row) for row in np.eye(len(likelihoods)).tolist()]
        shares = np.array(likelihoods) / max(likelihoods)
        missed = (self._uniforms("look", name, str(number)) >= shares[states]).astype(np.intp)
        return missed, [tuple(shares.tolist()), tuple((1 - shares).tolist())]

    def _rows(self, name: str) -> Codes:
        """The row of a variable's table for each patient's parent states."""
        parents = tuple(self.states(parent) for parent in self.network.parents[name])
        return np.asarray(self.network.contexts[name][parents] if parents else np.zeros(self.patients, dtype=np.intp))

    def _uniforms(self, *purpose: str) -> Array:
        return stream(root_of(self.seed), 0, *purpose).random(self.patients)
