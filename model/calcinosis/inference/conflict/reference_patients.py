"""Patients as the network expects them: what a patient's findings are compared with, to tell whether they are unusual.

There are as many with each state of the target, each weighed by how probable that state was for him; so a rare disease
is judged by as many patients as a common one. A variable is drawn when it is first needed, with random numbers of its
own, and kept: what is compared does not depend on who was asked before.
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
"""How many patients there are: a share of 1% of them has a standard error of about 0.15%."""


@dataclass(frozen=True, eq=False)
class Population:
    """Patients drawn from a network, of whom any variable can be looked at."""

    network: Network
    patients: int = PATIENTS
    seed: int = 0
    _drawn: dict[tuple[str, int], Codes] = field(default_factory=dict)

    def __reduce__(self) -> tuple[type[Population], tuple[Network, int, int]]:
        return type(self), (self.network, self.patients, self.seed)  # what was drawn is drawn again, the same

    @property
    def truth(self) -> Codes:
        """The state of the target of each patient, by number."""
        return self.states(self.network.target)

    @property
    def weights(self) -> Array:
        """How many patients each one stands for: axis `(patients,)`, 0 for what cannot be."""
        target = self.network.target
        table = self.network.rows(target)
        return np.asarray(table[self._rows(target), self.truth] * table.shape[1])

    def states(self, name: str, number: int = 0) -> Codes:
        """The state of a variable in each patient, by number; of a repeatable one, that which its `number`th look
        shows."""
        known = self._drawn.get((name, number))
        if known is None:
            if name == self.network.target:
                known = np.arange(self.patients) % len(self.network.variables[name].states)
            else:
                known = self._result(name, number)
            self._drawn[name, number] = known
        return known

    def seen(self, finding: Finding, coder: Coder) -> Codes:
        """What would have been found in each patient where `finding` was in another: its code.

        Where a state was seen, each patient shows his own. Where something was seen that has a likelihood under each
        state (either of, or likelihoods), it is seen in a patient with that probability, the largest likelihood being
        1; else its absence is. So either-of is a look that only tells the ones from the others.
        """
        name, looks = finding.variable, []
        for number, likelihoods in enumerate(finding.likelihoods):
            looks.append(self._look(name, number, self.states(name, number), likelihoods))
        if len(looks) == 1:
            which, own = looks[0]
            codes = np.zeros(len(own), dtype=np.int32)
            for place in np.flatnonzero(np.bincount(which)).tolist():
                codes[place] = coder.code(name, [own[place]])[0]
            return codes[which]
        outcomes = sorted({outcome for _, own in looks for outcome in own}, reverse=True)
        counts = np.zeros((self.patients, len(outcomes)), dtype=np.intp)
        for which, own in looks:
            places = np.array([outcomes.index(outcome) for outcome in own])
            counts[np.arange(self.patients), places[which]] += 1
        # which patients show the same: told apart by one outcome after the other
        first, alike = np.zeros(1, dtype=np.intp), np.zeros(self.patients, dtype=np.intp)
        for times in counts.T:
            _, first, alike = np.unique(alike * (len(looks) + 1) + times, return_index=True, return_inverse=True)
        known = [
            coder.code(name, [o for o, times in zip(outcomes, own, strict=True) for _ in range(times)])[0]
            for own in counts[first].tolist()
        ]
        return np.array(known)[alike]

    def _look(
        self, name: str, number: int, states: Codes, likelihoods: Sequence[float]
    ) -> tuple[Codes, list[tuple[float, ...]]]:
        """Which of the outcomes of a look each patient shows, and those outcomes."""
        highest = max(likelihoods)
        size = len(likelihoods)
        if sum(own > 0 for own in likelihoods) == 1:
            return states, [tuple(float(other == state) for other in range(size)) for state in range(size)]
        shares = np.array(likelihoods) / highest
        uniforms = self._uniforms("look", name, str(number))
        missed = (uniforms >= shares[states]).astype(np.intp)
        return missed, [tuple(shares.tolist()), tuple((1 - shares).tolist())]

    def _result(self, name: str, number: int) -> Codes:
        thresholds = cuts(self.network.rows(name))
        return pick(thresholds, self._rows(name), self._uniforms("state", name, str(number)))

    def _rows(self, name: str) -> Codes:
        """The row of a variable's table that each patient's parents choose."""
        parents = tuple(self.states(parent) for parent in self.network.parents[name])
        return np.asarray(self.network.contexts[name][parents] if parents else np.zeros(self.patients, dtype=np.intp))

    def _uniforms(self, *purpose: str) -> Array:
        return stream(root_of(self.seed), 0, *purpose).random(self.patients)
