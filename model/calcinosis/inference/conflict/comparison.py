"""Conflict and rarity of a patient's findings, measured against simulated patients with the same variables observed.

Sampling is stratified by the target: each state has the same number of patients, weighted by its prior, so that a rare
disease is judged by as many patients as a common one. A variable is sampled when it is first needed, from a random
stream of its own, and cached; a comparison does not depend on earlier ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from calcinosis.inference.conflict.conflict import TIE, Fit
from calcinosis.inference.engine.conditioning import Conditioned, compile_network
from calcinosis.inference.engine.engine import Engine
from calcinosis.inference.findings.encoding import Coder, Codes
from calcinosis.inference.findings.evidence import Evidence, Finding
from calcinosis.inference.network import Array, Network
from calcinosis.inference.question_error import QuestionError
from calcinosis.inference.simulate.sampling import cuts, pick
from calcinosis.inference.streams import root_of, stream
from calcinosis.knowledge.records import REPORTING, mention_of

Mask = npt.NDArray[np.bool_]

PATIENTS = 2**13
"""The number of reference patients; a share of 1% has a standard error of about 0.15 percentage points."""

MOST_WORK = 2**28
"""Multiplications allowed per comparison, a few tenths of a second. Costly evidence gets fewer reference patients."""

FEWEST = 2**9
"""The minimum number of reference patients."""

MOST_RESULTS = 1_000
"""The maximum number of results of one variable; each is simulated for every reference patient."""


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


@dataclass(frozen=True, eq=False)
class Fitting:
    """The conflict and rarity of any patient's findings in a network; `compiled` is its engine, if there is one."""

    network: Network
    compiled: Engine | Conditioned | None = None

    def __reduce__(self) -> tuple[type[Fitting], tuple[Network]]:
        return type(self), (self.network,)  # a pickled posterior does not carry the engine

    @cached_property
    def engine(self) -> Engine | Conditioned:
        """The compiled network."""
        return self.compiled or compile_network(self.network)

    @cached_property
    def population(self) -> ReferencePatients:
        """The reference patients.

        Raises:
            QuestionError: if the treewidth is too large for exact inference on them.
        """
        most = MOST_WORK // max(1, self.engine.work)
        if most < FEWEST:
            raise QuestionError(
                "the treewidth is too large to compare a patient with many others, so conflict and rarity are not "
                "available"
            )
        return ReferencePatients(self.network, min(most, PATIENTS))

    def fit(self, evidence: Evidence) -> Fit:
        """The conflict and rarity of a patient's findings, which must be possible together.

        Raises:
            QuestionError: if the treewidth is too large, or there are too many results of a variable.
        """
        many = next((finding for finding in evidence if len(finding.likelihoods) > MOST_RESULTS), None)
        if many is not None:
            raise QuestionError(
                f"{len(many.likelihoods):,} results of {many.variable}: conflict and rarity are available for at most "
                f"{MOST_RESULTS:,} results of a variable"
            )
        coder = Coder(self.engine.base)
        own, simulated = {}, {}
        others = self._others(evidence)
        for finding in (given.on_one_scale for given in evidence):
            name = finding.variable
            own[name] = coder.code(name, finding.likelihoods)[0]
            if self.network.variables[name].group == REPORTING:  # all records are silent on the same variables
                simulated[name] = np.full(self.population.patients, own[name])
            else:
                simulated[name] = self.population.seen(finding, coder)
        # the patient first, then the reference patients
        codes = {name: np.append(code, simulated[name]) for name, code in own.items()}
        every = self.engine.weigh(coder.coded(1 + self.population.patients, codes))
        log_evidence = every.log_evidence
        with np.errstate(invalid="ignore"):  # of impossible reference patients, whose weight is 0
            conflict = self._one_by_one(coder, codes) - log_evidence
        return Fit(
            target=self.network.variables[self.network.target],
            variables=self.network.variables,
            evidence=evidence,
            conflict=float(conflict[0]),
            as_conflicting=_share(others, conflict[1:] >= conflict[0] - TIE),
            rarer=_share(others, log_evidence[1:] < log_evidence[0] - TIE, patient=False),
            as_rare=_share(others, np.abs(log_evidence[1:] - log_evidence[0]) <= TIE),
            by_state=self._by_state(every.logarithms, others),
            **self._parts(coder, own),
        )

    def _one_by_one(self, coder: Coder, codes: Mapping[str, Codes]) -> Array:
        """For each patient, the sum of the log probabilities of their findings, each alone."""
        present = {name: np.bincount(of_name) > 0 for name, of_name in codes.items()}
        *starts, many = np.cumsum([0, *(mask.sum() for mask in present.values())]).tolist()
        alone = {name: np.full(many, self.engine.base[name][()]) for name in codes}
        for (name, mask), first in zip(present.items(), starts, strict=True):
            alone[name][first : first + mask.sum()] = np.flatnonzero(mask)
        log_p = self.engine.weigh(coder.coded(many, alone)).log_evidence
        total = np.zeros(1 + self.population.patients)
        for (name, mask), first in zip(present.items(), starts, strict=True):
            total += log_p[first - 1 + np.cumsum(mask)][codes[name]]
        return total

    def _others(self, evidence: Evidence) -> Array:
        """The weight of each reference patient: the probability that its record is silent on the same variables."""
        weights = self.population.weights
        for mention, variable in self.network.variables.items():
            if variable.group != REPORTING:
                continue
            name = self.network.parents[mention][0]
            rates = self.network.tables[mention][self.population.states(name)]
            if mention in evidence:
                weights = weights * (rates @ evidence[mention].likelihoods[0])
            elif name in evidence and mention == mention_of(self.network.variables[name]).name:
                weights = weights * rates[:, 1]  # with several kinds of record, which one this is is unknown
        return weights

    def _by_state(self, logarithms: Array, weights: Array) -> dict[str, float]:
        """For each state of the target, the share of its patients whose findings are at most as probable."""
        shares = {}
        for i, state in enumerate(self.network.variables[self.network.target].state_names):
            log_p, of_state = logarithms[0, i], np.where(self.population.truth == i, weights, 0.0)
            shares[state] = _share(of_state, logarithms[1:, i] <= log_p + TIE) if np.isfinite(log_p) else 0.0
        return shares

    def _parts(self, coder: Coder, own: Mapping[str, int]) -> dict[str, Any]:
        """The results for subsets of the findings: each, all but one, pairs, each group, all but a group, none."""
        whole = frozenset(own)
        group_of = {name: self.network.variables[name].group for name in own}
        groups = {
            group: frozenset(n for n in own if group_of[n] == group) for group in dict.fromkeys(group_of.values())
        }
        each = {name: frozenset([name]) for name in own}
        pairs = {pair: frozenset(pair) for pair in combinations(own, 2)}
        sides = {*groups.values(), *each.values()}
        parts = list({frozenset[str](), whole, *sides, *(whole - part for part in sides), *pairs.values()})
        codes = {
            name: np.where([name in part for part in parts], code, self.engine.base[name][()])
            for name, code in own.items()
        }
        weights = self.engine.weigh(coder.coded(len(parts), codes))
        log_p: dict[frozenset[str], float] = dict(zip(parts, weights.log_evidence.tolist(), strict=True))

        def conflict(*together: frozenset[str]) -> float:
            return sum(log_p[part] for part in together) - log_p[frozenset().union(*together)]

        prior, posterior = (weights.logarithms[parts.index(part)] - log_p[part] for part in (frozenset[str](), whole))
        states = self.network.variables[self.network.target].state_names
        shift = {state: i for i, state in enumerate(states) if posterior[i] > -np.inf}
        alone = [each[name] for name in own]
        return {
            "conflict_given": {s: conflict(*alone) + float(prior[i] - posterior[i]) for s, i in shift.items()},
            "against_rest": {name: conflict(part, whole - part) for name, part in each.items()},
            "pairs": {pair: conflict(each[pair[0]], each[pair[1]]) for pair in pairs},
            "groups": {
                name: (conflict(*(each[n] for n in own if n in part)), conflict(part, whole - part))
                for name, part in groups.items()
            },
        }


def _share(weights: Array, chosen: Mask, patient: bool = True) -> float:
    """The weighted share of chosen reference patients, counting the patient as one of them.

    Then a small number of reference patients makes no patient unusual (Davison & Hinkley, Bootstrap Methods and their
    Application, 1997, section 4.2).
    """
    own = float(weights.sum()) / max(1, int(np.count_nonzero(weights)))
    total = float(weights.sum()) + own
    return (float(weights @ chosen) + own * patient) / total if total > 0 else 0.0
