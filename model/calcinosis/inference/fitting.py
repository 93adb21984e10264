"""How well findings fit is found out: a patient is put among patients of whom the same was looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from calcinosis.inference.coding import Coder, Codes
from calcinosis.inference.conditioning import Conditioned
from calcinosis.inference.engine import Engine, Weights
from calcinosis.inference.evidence import Evidence, Finding
from calcinosis.inference.fit import TIE, Fit
from calcinosis.inference.network import Array, Network
from calcinosis.inference.population import Population

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Fitting:
    """A network, ready to tell of any patient whether the findings fit."""

    network: Network
    engine: Engine | Conditioned
    population: Population

    def fit(self, evidence: Evidence) -> Fit:
        """How well the findings of a patient, which must be possible together, fit."""
        coder = Coder(self.engine.base)
        own, seen = {}, {}
        for finding in map(_on_one_scale, evidence):
            own[finding.variable] = coder.code(finding.variable, finding.likelihoods)[0]
            seen[finding.variable] = self.population.seen(finding, coder)
        # the patient stands first, those who are compared with him behind
        codes = {name: np.append(code, seen[name]) for name, code in own.items()}
        every = self._weigh(coder, codes, 1 + self.population.patients)
        log_evidence = every.log_evidence
        conflict = self._one_by_one(coder, codes) - log_evidence
        others = self.population.weights
        return Fit(
            target=self.network.variables[self.network.target],
            variables=self.network.variables,
            evidence=evidence,
            conflict=float(conflict[0]),
            as_conflicting=_share(others, conflict[1:] >= conflict[0] - TIE),
            rarer=_share(others, log_evidence[1:] < log_evidence[0] - TIE),
            as_rare=_share(others, np.abs(log_evidence[1:] - log_evidence[0]) <= TIE),
            by_state=self._by_state(every.logarithms),
            **self._parts(coder, own, evidence),
        )

    def _weigh(self, coder: Coder, codes: Mapping[str, Codes], patients: int) -> Weights:
        return self.engine.weigh(coder.coded(patients, codes, np.zeros(patients, dtype=np.int64)))

    def _one_by_one(self, coder: Coder, codes: Mapping[str, Codes]) -> Array:
        """The sum of the logarithms of the probabilities of each patient's findings, each taken alone."""
        distinct = {name: np.unique(own, return_inverse=True) for name, own in codes.items()}
        rows = sum(len(found) for found, _ in distinct.values())
        alone = {name: np.full(rows, self.engine.base[name][()]) for name in codes}
        places, first = {}, 0
        for name, (found, _) in distinct.items():
            places[name] = slice(first, first + len(found))
            alone[name][places[name]] = found
            first += len(found)
        logarithms = self._weigh(coder, alone, rows).log_evidence
        total = np.zeros(1 + self.population.patients)
        for name, (_, which) in distinct.items():
            total += logarithms[places[name]][which.ravel()]
        return total

    def _by_state(self, logarithms: Array) -> dict[str, float]:
        found = {}
        truth, weights = self.population.truth, self.population.weights
        for i, state in enumerate(self.network.variables[self.network.target].state_names):
            own = logarithms[0, i]
            rarer = logarithms[1:, i] <= own + TIE if np.isfinite(own) else np.zeros(len(truth), dtype=bool)
            found[state] = _share(np.where(truth == i, weights, 0.0), rarer)
        return found

    def _parts(self, coder: Coder, own: Mapping[str, int], evidence: Evidence) -> dict[str, Any]:
        """What is asked of some of the findings: each, all but one, two, a group, all but a group, none."""
        whole = frozenset(own)
        group_of = {name: self.network.variables[name].group for name in own}
        groups = {
            group: frozenset(n for n in own if group_of[n] == group) for group in dict.fromkeys(group_of.values())
        }
        each = {name: frozenset([name]) for name in own}
        pairs = {pair: frozenset(pair) for pair in combinations(own, 2)}
        parts = {frozenset[str](), whole, *groups.values(), *each.values(), *pairs.values()}
        weights = self._of_subsets(coder, own, [*parts, *(whole - part for part in parts)])
        log_p = {part: float(found.log_evidence[0]) for part, found in weights.items()}

        def conflict(*together: frozenset[str]) -> float:
            return sum(log_p[part] for part in together) - log_p[frozenset().union(*together)]

        prior, posterior = (weights[part].logarithms[0] - log_p[part] for part in (frozenset[str](), whole))
        shift = {
            s: i for i, s in enumerate(self.network.variables[self.network.target].state_names) if prior[i] > -np.inf
        }
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

    def _of_subsets(
        self, coder: Coder, own: Mapping[str, int], subsets: Sequence[frozenset[str]]
    ) -> dict[frozenset[str], Weights]:
        """The weights of some of the findings, for each set of them."""
        codes = {
            name: np.array([code if name in subset else self.engine.base[name][()] for subset in subsets])
            for name, code in own.items()
        }
        found = self._weigh(coder, codes, len(subsets))
        return {
            subset: Weights(found.weights[i : i + 1], found.exponents[i : i + 1]) for i, subset in enumerate(subsets)
        }


def _on_one_scale(finding: Finding) -> Finding:
    """The finding with likelihoods of at most 1: what is seen with that probability in a patient."""
    results = tuple(tuple(own / max(likelihoods) for own in likelihoods) for likelihoods in finding.likelihoods)
    return replace(finding, likelihoods=results)


def _share(weights: Array, chosen: Mask) -> float:
    """The share of weighted patients that were chosen."""
    return float(weights @ chosen / max(float(weights.sum()), np.finfo(float).tiny))
