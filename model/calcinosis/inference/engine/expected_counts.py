"""Expected sufficient statistics: the expected number of patients in each cell of each table, given their findings.

This is the E-step of the EM algorithm (Dempster, Laird, Rubin, JRSS B 39, 1977; for networks Lauritzen, Computational
Statistics & Data Analysis 19, 1995), exact, and for many patients at once. Shared work is done once: a branch of the
junction tree sends the same message for all patients with the same findings in it, so a message has one row per
distinct combination. In a clique, factors are joined pairwise, those with the fewest combinations first. Only the last
joints have a row per patient, over the few entries of their clique.

The upward pass gives the probability of each patient's findings. The downward pass is its derivative: the derivative of
the log-likelihood by an entry of a clique, times that entry, is the posterior probability of the entry, summed over
patients (Darwiche, Journal of the ACM 50, 2003). Rows are scaled by powers of two, which cancel on the way down.

If neither a variable nor any of its descendants was observed, a patient carries no information on its table. They are
not counted: such counts would only repeat the table and slow its estimate.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from graphlib import TopologicalSorter
from typing import Any

import numpy as np
import numpy.typing as npt

from calcinosis.inference.engine.engine import Engine
from calcinosis.inference.engine.junction_tree import Clique
from calcinosis.inference.engine.messages import LOG_2, Weights, scaled
from calcinosis.inference.findings.encoding import Coded, Codes, Powers, distinguishes, likelihoods
from calcinosis.inference.network import Array, Network

Tables = Mapping[str, Array]
"""The rows of each variable's table, axes `(rows, states)`."""

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Expected:
    """The result of an E-step.

    `counts[v]`, axes `(rows, states)`, is the expected number of patients in each cell of v's table; `log_likelihood`
    is the natural logarithm of the probability of all findings.
    """

    counts: Mapping[str, Array]
    log_likelihood: float


@dataclass(frozen=True, eq=False)
class Joint:
    """The product of two factors of a clique, and the row of each that a combination takes."""

    left: int
    right: int
    rows: tuple[Codes, Codes]


@dataclass(frozen=True, eq=False)
class Place:
    """A clique with the patients' findings entered.

    Its factors are, in this order, the `evidence` on its own variables, axes `(combinations, entries)`, the messages of
    its children, and the `joints`; the last joint has a row for each combination of findings at this clique.
    `informed[v]` is 1 for the combinations in which a family is counted, if not in all.
    """

    clique: Clique
    evidence: tuple[Array, ...]
    joints: tuple[Joint, ...]
    informed: Mapping[str, Array]

    def up(self, weights: Array, inside: Sequence[Weights]) -> tuple[Any, Weights]:
        """The factors of the clique, and its message, given the product of its tables."""
        factors: list[Array] = [*self.evidence]
        factors += [message[:, into] for (message, _), into in zip(inside, self.clique.into, strict=True)]
        powers: list[Powers] = [np.zeros(len(rows), dtype=np.int64) for rows in self.evidence]
        powers += [taken for _, taken in inside]
        shifts: list[Powers] = []
        for joint in self.joints:
            one, other = joint.rows
            values, taken = scaled(factors[joint.left][one] * factors[joint.right][other])
            factors.append(values)
            shifts.append(taken)
            powers.append(taken + powers[joint.left][one] + powers[joint.right][other])
        message = scaled(self.clique.summed(factors[-1] * weights), powers[-1])
        return (factors, shifts, weights, message.exponents - powers[-1]), message

    def down(self, values: Any, _: Array, upper: Array) -> tuple[Mapping[str, Array], list[Array]]:
        """For each family, the expected counts of the entries; and the derivatives by the child messages."""
        factors, shifts, weights, taken = values
        # posterior of the entries: adjoint times factor, summed over the patients
        last = np.ldexp(upper, -taken[:, None])[:, self.clique.onto] * weights
        posterior = last * factors[-1]
        all_patients = posterior.sum(axis=0)
        counts = dict.fromkeys(self.clique.families, all_patients)
        counts |= {name: informed @ posterior for name, informed in self.informed.items()}
        adjoints: list[Array] = [last] * len(factors)
        # backward through the joints: the adjoint of one factor is the adjoint of the product times the other factor
        first = len(factors) - len(self.joints)
        for number in range(len(self.joints) - 1, -1, -1):
            joint = self.joints[number]
            adjoint = np.ldexp(adjoints[first + number], -shifts[number][:, None])
            pair = (joint.left, joint.right)
            for (factor, other), (rows, others) in zip((pair, pair[::-1]), (joint.rows, joint.rows[::-1]), strict=True):
                if factor >= len(self.evidence):  # no derivative by the evidence is needed
                    adjoints[factor] = _gathered(adjoint * factors[other][others], rows, len(factors[factor]))
        return counts, adjoints[len(self.evidence) : first]


@dataclass(frozen=True, eq=False)
class RepeatedResults:
    """A repeatable variable: its distinct `results`, axes `(results, entries)`, and their counts in each combination.

    `counted` has the same counts, but 0 for a combination whose results do not distinguish the states.
    """

    clique: Clique
    results: Array
    times: Array
    counted: Array

    def up(self, weights: Array, _: Sequence[Weights]) -> tuple[Any, Weights]:
        """The entries and the likelihood of each result, and the message, the product of the likelihoods."""
        entries = weights * self.results
        likelihood = self.clique.summed(entries)
        with np.errstate(divide="ignore"):
            logarithms = np.where(likelihood > 0, np.log(likelihood), 0.0)
        product = np.where(self.times @ (likelihood == 0) > 0, -np.inf, self.times @ logarithms)
        highest = product.max(axis=1, keepdims=True)
        powers = np.where(np.isfinite(highest), np.floor(highest / LOG_2), 0.0)
        message = Weights(np.exp(product - powers * LOG_2), powers[:, 0].astype(np.int64))
        return (entries, likelihood), message

    def down(self, values: Any, message: Array, upper: Array) -> tuple[Mapping[str, Array], list[Array]]:
        """The expected counts of the entries; there are no children."""
        entries, likelihood = values
        weights = self.counted.T @ (message * upper)
        share = np.divide(weights, likelihood, out=np.zeros_like(weights), where=likelihood > 0)
        return dict.fromkeys(self.clique.families, (share[:, self.clique.onto] * entries).sum(axis=0)), []


def _gathered(values: Array, rows: Codes, total: int) -> Array:
    """Rows of values summed by index, axes `(total, entries)`."""
    if len(rows) == total:  # a permutation
        gathered = np.empty_like(values)
        gathered[rows] = values
        return gathered
    order = np.argsort(rows, kind="stable")
    starts = np.searchsorted(rows[order], np.arange(total))
    return np.add.reduceat(values[order], starts, axis=0)


@dataclass(frozen=True, eq=False)
class ExpectedCounts:
    """The expected counts of a set of patients, as a function of the tables.

    `weights` is the number of patients with each distinct combination of findings.
    """

    network: Network
    places: tuple[Place | RepeatedResults, ...]
    weights: Array
    exponents: float

    @cached_property
    def cells(self) -> list[dict[str, Codes]]:
        """For each clique and each of its families, the cell of the table that each entry takes."""
        cliques = [place.clique for place in self.places]
        return [{v: self.network.cells(v, clique.states) for v in clique.families} for clique in cliques]

    def __call__(self, tables: Tables) -> Expected:
        """The expected counts under these tables, which must have the network's structural zeros."""
        # upward pass: for each clique its factors, and its message with the powers of two divided out
        values: list[Any] = []
        messages: list[Weights] = []
        for place, cells in zip(self.places, self.cells, strict=True):
            weights = np.prod([tables[name].ravel()[cell] for name, cell in cells.items()], axis=0)
            weights = np.broadcast_to(weights, place.clique.weights.shape)
            factors, message = place.up(weights, [messages[child] for child in place.clique.children])
            values.append(factors)
            messages.append(message)
        root = messages[-1]
        # downward pass, from the derivative of the log-likelihood by each root message
        total = root.weights.sum(axis=1, keepdims=True)
        above = [np.repeat(self.weights[:, None] / total, root.weights.shape[1], axis=1)] * len(messages)
        counts: dict[str, Array] = {}
        for i in range(len(self.places) - 1, -1, -1):
            place = self.places[i]
            entries_by_family, adjoints = place.down(values[i], messages[i][0], above[i])
            for child, into, adjoint in zip(place.clique.children, place.clique.into, adjoints, strict=True):
                above[child] = adjoint @ (into[:, None] == np.arange(messages[child][0].shape[1]))
            # add the entries of the clique to the cells of each table
            for name, entries in entries_by_family.items():
                counted = np.bincount(self.cells[i][name], entries, tables[name].size)
                counts[name] = np.asarray(counted, dtype=np.float64).reshape(tables[name].shape)
        return Expected(counts, float(self.weights @ root.log_evidence) + self.exponents * LOG_2)


def expectation_of(engine: Engine, network: Network, coded: Coded, weights: Array | None = None) -> ExpectedCounts:
    """The expected counts of patients, whose findings must be possible, as a function of the tables.

    `weights` are the weights of the patients, axis `(patients,)`; 1 by default.

    >>> import calcinosis as cc
    >>> from calcinosis.inference.findings.encoding import encode
    >>> model = cc.load()
    >>> patients = encode(model.engine.base, [model.read(subtype="idiopathic", sex="male")] * 3)
    >>> rows = {name: model.network.rows(name) for name in model.variables}
    >>> counted = expectation_of(model.engine, model.network, patients)(rows).counts
    >>> counted["sex"].sum(axis=0).round(9).tolist()
    [0.0, 3.0]
    """
    weights = np.ones(coded.patients) if weights is None else weights
    informed = informed_by(engine, network, coded)
    places: list[Place | RepeatedResults] = []
    combinations: list[Codes] = []
    for clique in engine.cliques:
        if clique.repeatable:
            place, which = _results_of(engine, clique, coded)
        else:
            inside = [combinations[child] for child in clique.children]
            partly_informed = {name: informed[name] for name in clique.families if not informed[name].all()}
            place, which = _place(engine, clique, coded, inside, partly_informed)
        places.append(place)
        combinations.append(which)
    stands_for: Array = np.bincount(combinations[-1], weights).astype(np.float64)
    return ExpectedCounts(network, tuple(places), stands_for, float(weights @ coded.exponents))


def informed_by(engine: Engine, network: Network, coded: Coded) -> Mapping[str, Mask]:
    """For each table, the patients who carry information on it: its variable, or a descendant, was observed.

    A finding that is equally likely under every state is no observation.
    """
    informed: dict[str, Mask] = {}
    for name in reversed(list(TopologicalSorter(network.parents).static_order())):
        observed = np.zeros(coded.patients, dtype=np.bool_)
        if name in coded.codes:
            findings = engine.findings(name, coded)
            observed = np.array([distinguishes(results) for results in findings])[coded.codes[name]]
        informed[name] = np.logical_or.reduce(
            [observed, *(informed[c] for c, above in network.parents.items() if name in above)]
        )
    return informed


def _place(
    engine: Engine, clique: Clique, coded: Coded, inside: Sequence[Codes], partly_informed: Mapping[str, Mask]
) -> tuple[Place | RepeatedResults, Codes]:
    """A clique with the evidence on its own variables entered, and the combination of each patient."""
    factors: list[Array] = []
    which: list[Codes] = []
    for name in clique.variables:
        if name in coded.codes:
            first, combination = _numbered(coded.codes[name])
            factors.append(likelihoods(engine.base[name], coded.some(first), name)[:, clique.states[name]])
            which.append(combination)
    alike: Codes = np.zeros(coded.patients, dtype=np.intp)
    for mask in partly_informed.values():  # patients who inform the same families
        _, alike = _numbered(2 * alike + mask)
    if not factors or alike.any():
        factors.append(np.ones((int(alike.max(initial=0)) + 1, len(clique.weights))))
        which.append(alike)
    combinations = [*which, *inside]
    joints: list[Joint] = []
    waiting = [(int(combination.max(initial=0)) + 1, number) for number, combination in enumerate(combinations)]
    heapq.heapify(waiting)
    while len(waiting) > 1:
        (_, left), (more, right) = heapq.heappop(waiting), heapq.heappop(waiting)
        first, both = _numbered(combinations[left] * more + combinations[right])
        joints.append(Joint(left, right, (combinations[left][first], combinations[right][first])))
        heapq.heappush(waiting, (len(first), len(combinations)))
        combinations.append(both)
    first, _ = _numbered(combinations[-1])
    counted = {name: mask[first].astype(np.float64) for name, mask in partly_informed.items()}
    return Place(clique, tuple(factors), tuple(joints), counted), combinations[-1]


def _results_of(engine: Engine, clique: Clique, coded: Coded) -> tuple[Place | RepeatedResults, Codes]:
    """A repeatable variable with its results entered, and the combination of each patient."""
    name = clique.variables[0]
    codes = coded.codes.get(name, np.full(coded.patients, engine.base[name][()]))
    first, which = _numbered(codes)
    findings = engine.findings(name, coded)
    results = [findings[code] for code in codes[first].tolist()]
    distinct = sorted({result for some in results for result in some}) or [(1.0,) * engine.sizes[name]]
    times = np.array([[float(some.count(result)) for result in distinct] for some in results])
    counted = times * np.array([[distinguishes(some)] for some in results])
    return RepeatedResults(clique, np.array(distinct)[:, clique.states[name]], times, counted), which


def _numbered(keys: Codes) -> tuple[Codes, Codes]:
    """The first position of each distinct key, and each key's number among the distinct ones."""
    _, first, number = np.unique(keys, return_index=True, return_inverse=True)
    return first, number
