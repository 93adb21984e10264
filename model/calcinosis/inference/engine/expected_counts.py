"""Expected counts: how often, by all that was found of many patients, each cell of each table was the case.

This is the expectation of the EM algorithm (Dempster, Laird, Rubin, JRSS B 39, 1977; for networks Lauritzen,
Computational Statistics & Data Analysis 19, 1995), exact, and of many patients at once. What patients have in common is
computed once: each branch of the clique tree says the same of all who have the same findings there, so a message has
one row per distinct combination, and at a clique branches are joined two by two, those with the fewest combinations
first. Only the last joints have a row per patient, over the few entries of their clique.

On the way up this gives the probability of each patient's findings. The way down is its derivative: the logarithm's
derivative by an entry of a clique, times that entry, is the entry's posterior probability, summed over the patients
(Darwiche, Journal of the ACM 50, 2003). Rows are scaled by powers of two, which cancel on the way down.

A variable that was not looked at, nor anything below it, tells nothing of its own table. It is not counted: the counts
would only repeat the table, and hold back its estimate.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any

import numpy as np
import numpy.typing as npt

from calcinosis.inference.engine.engine import Engine
from calcinosis.inference.engine.family_marginals import families_of
from calcinosis.inference.engine.junction_tree import Clique
from calcinosis.inference.engine.scaling import scaled
from calcinosis.inference.findings.encoding import Coded, Codes, Powers, distinguishes, likelihoods
from calcinosis.inference.network import Array, Network

Tables = Mapping[str, Array]
"""The rows of each variable's table, axes `(rows, states)`."""

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Expected:
    """What tables expect of patients.

    `counts[v]`, axes `(rows, states)`, is the expected number of patients in each cell of v's table, `log_likelihood`
    the natural logarithm of the probability of all findings.
    """

    counts: Mapping[str, Array]
    log_likelihood: float


@dataclass(frozen=True, eq=False)
class Joint:
    """Two factors of a clique multiplied: which rows of the one and of the other each combination takes."""

    left: int
    right: int
    rows: tuple[Codes, Codes]


@dataclass(frozen=True, eq=False)
class Place:
    """A clique with the patients' findings put in.

    Its factors are first what was found of its own variables (`found`, axes `(combinations, entries)`), then the
    messages of its children, then the `joints`, the last of which has a row for each combination that patients have at
    this clique. `told[v]` says of which of these combinations a family is counted, where it is not of all.
    """

    clique: Clique
    cells: Mapping[str, Codes]
    found: tuple[Array, ...]
    joints: tuple[Joint, ...]
    told: Mapping[str, Array]


@dataclass(frozen=True, eq=False)
class RepeatedResults:
    """A repeatable variable: the distinct results, axes `(results, entries)`, and how often each combination has each.

    `counted` is the same, but 0 for a combination whose results distinguish no states.
    """

    clique: Clique
    cells: Mapping[str, Codes]
    found: Array
    times: Array
    counted: Array


@dataclass(frozen=True, eq=False)
class ExpectedCounts:
    """The expected counts of some patients as a function of the tables.

    `weights` says how many patients each of the distinct ones stands for.
    """

    network: Network
    places: tuple[Place | RepeatedResults, ...]
    weights: Array
    exponents: float

    def __call__(self, tables: Tables) -> Expected:
        """The expected counts under these tables, which must be 0 where the network's are."""
        values, messages = self._up(tables)
        root, powers = messages[-1]
        total = root.sum(axis=1)
        with np.errstate(divide="ignore"):
            logarithms = np.log(total) + powers * math.log(2)
        above: list[Array | None] = [None] * len(messages)
        above[-1] = np.repeat((self.weights / total)[:, None], root.shape[1], axis=1)
        counts = self._down(tables, values, messages, above)
        return Expected(counts, float(self.weights @ logarithms) + self.exponents * math.log(2))

    def _up(self, tables: Tables) -> tuple[list[Any], list[tuple[Array, Powers]]]:
        """Per place its factors, and its message with the powers of two that were taken out."""
        values: list[Any] = []
        messages: list[tuple[Array, Powers]] = []
        for place in self.places:
            weights = np.prod([tables[name].ravel()[cells] for name, cells in place.cells.items()], axis=0)
            weights = np.broadcast_to(weights, place.clique.weights.shape)
            if isinstance(place, RepeatedResults):
                factors, message = _results_message(place, weights)
            else:
                inside = [messages[child] for child in place.clique.children]
                factors, message = _joined(place, weights, inside)
            values.append(factors)
            messages.append(message)
        return values, messages

    def _down(
        self, tables: Tables, values: Sequence[Any], messages: Sequence[tuple[Array, Powers]], above: list[Array | None]
    ) -> Mapping[str, Array]:
        counts: dict[str, Array] = {}
        for i in range(len(self.places) - 1, -1, -1):
            place, upper = self.places[i], above[i]
            assert upper is not None
            if isinstance(place, RepeatedResults):
                entries = _counts_of_results(place, values[i], messages[i][0] * upper)
                counts_by_family: Mapping[str, Array] = dict.fromkeys(place.cells, entries)
            else:
                counts_by_family, inner = _counts_of_place(place, values[i], upper)
                for child, into, adjoint in zip(place.clique.children, place.clique.into, inner, strict=True):
                    above[child] = adjoint @ (into[:, None] == np.arange(messages[child][0].shape[1]))
            for name, entries in counts_by_family.items():
                shape = tables[name].shape
                counted = np.bincount(place.cells[name], entries, tables[name].size)
                counts[name] = np.asarray(counted, dtype=np.float64).reshape(shape)
        return counts


def _joined(place: Place, weights: Array, inside: Sequence[tuple[Array, Powers]]) -> tuple[Any, tuple[Array, Powers]]:
    """The factors of a place and its message."""
    factors: list[Array] = [*place.found, *(m[:, into] for (m, _), into in zip(inside, place.clique.into, strict=True))]
    powers: list[Powers] = [*(np.zeros(len(own), dtype=np.int64) for own in place.found), *(p for _, p in inside)]
    shifts: list[Powers] = []
    for joint in place.joints:
        one, other = joint.rows
        values, taken = scaled(factors[joint.left][one] * factors[joint.right][other])
        factors.append(values)
        shifts.append(taken)
        powers.append(taken + powers[joint.left][one] + powers[joint.right][other])
    product = factors[-1] * weights
    message, exponents = scaled(place.clique.summed(product), powers[-1])
    return (factors, shifts, weights, exponents - powers[-1]), (message, exponents)


def _counts_of_place(place: Place, values: Any, upper: Array) -> tuple[Mapping[str, Array], list[Array]]:
    """Per family of a place the expected counts of its entries; and the derivative by each child's factor."""
    factors, shifts, weights, taken = values
    adjoints: list[Array | None] = [None] * len(factors)
    last = np.ldexp(upper, -taken[:, None])[:, place.clique.onto] * weights
    posterior = last * factors[-1]
    all_patients = posterior.sum(axis=0)
    counts = {name: place.told[name] @ posterior if name in place.told else all_patients for name in place.cells}
    adjoints[-1] = last
    first = len(factors) - len(place.joints)
    for number in range(len(place.joints) - 1, -1, -1):
        joint, adjoint = place.joints[number], adjoints[first + number]
        assert adjoint is not None
        adjoint = np.ldexp(adjoint, -shifts[number][:, None])
        for factor, other, rows, others in (
            (joint.left, joint.right, *joint.rows),
            (joint.right, joint.left, *joint.rows[::-1]),
        ):
            if factor >= len(place.found):  # what was found has no derivative that anybody asks for
                adjoints[factor] = _gathered(adjoint * factors[other][others], rows, len(factors[factor]))
    return counts, [factor for factor in adjoints[len(place.found) : first] if factor is not None]


def _gathered(values: Array, rows: Codes, total: int) -> Array:
    """Rows of values added up by the number each has, axes `(total, entries)`."""
    if len(rows) == total:  # each has a number of its own
        gathered = np.empty_like(values)
        gathered[rows] = values
        return gathered
    order = np.argsort(rows, kind="stable")
    starts = np.searchsorted(rows[order], np.arange(total))
    return np.add.reduceat(values[order], starts, axis=0)


def _results_message(place: RepeatedResults, weights: Array) -> tuple[Any, tuple[Array, Powers]]:
    """What a repeatable variable's results say: the likelihood of each result, and the message, their product."""
    entries = weights * place.found
    likelihood = place.clique.summed(entries)
    with np.errstate(divide="ignore"):
        logarithms = np.where(likelihood > 0, np.log(likelihood), 0.0)
    product = np.where(place.times @ (likelihood == 0) > 0, -np.inf, place.times @ logarithms)
    highest = product.max(axis=1, keepdims=True)
    powers = np.where(np.isfinite(highest), np.floor(highest / math.log(2)), 0.0)
    message = np.exp(product - powers * math.log(2))
    return (entries, likelihood), (message, powers[:, 0].astype(np.int64))


def _counts_of_results(place: RepeatedResults, values: Any, posterior: Array) -> Array:
    """The expected counts of the entries, from the posterior of the parents' states in each combination."""
    entries, likelihood = values
    weights = place.counted.T @ posterior
    share = np.divide(weights, likelihood, out=np.zeros_like(weights), where=likelihood > 0)
    counts: Array = (share[:, place.clique.onto] * entries).sum(axis=0)
    return counts


def expectation_of(engine: Engine, network: Network, coded: Coded, weights: Array | None = None) -> ExpectedCounts:
    """The expectation of patients whose findings are possible, each counted once, or by `weights`, axis `(patients,)`.

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
    for clique, names in zip(engine.cliques, families_of(engine, network), strict=True):
        cells = {name: network.cells(name, clique.states) for name in names}
        if clique.repeatable:
            looks, which = _results_of(engine, clique, cells, coded)
            places.append(looks)
        else:
            inside = [combinations[child] for child in clique.children]
            partly_informed = {name: informed[name] for name in names if not informed[name].all()}
            place, which = _place(engine, clique, cells, coded, inside, partly_informed)
            places.append(place)
        combinations.append(which)
    stands_for: Array = np.bincount(combinations[-1], weights).astype(np.float64)
    return ExpectedCounts(network, tuple(places), stands_for, float(weights @ coded.exponents))


def informed_by(engine: Engine, network: Network, coded: Coded) -> Mapping[str, Mask]:
    """Of which patients each table learns something: those in whom its variable, or one below it, was looked at.

    A finding that is equally likely under every state, such as any of all states, is no observation.
    """
    informed: dict[str, Mask] = {}
    for name in reversed(list(TopologicalSorter(network.parents).static_order())):
        observed = np.zeros(coded.patients, dtype=np.bool_)
        if name in coded.codes:
            findings = [*engine.base[name], *coded.further.get(name, ())]
            observed = np.array([distinguishes(results) for results in findings])[coded.codes[name]]
        informed[name] = np.logical_or.reduce(
            [observed, *(informed[c] for c, above in network.parents.items() if name in above)]
        )
    return informed


def _place(
    engine: Engine,
    clique: Clique,
    cells: Mapping[str, Codes],
    coded: Coded,
    inside: Sequence[Codes],
    partly_informed: Mapping[str, Mask],
) -> tuple[Place, Codes]:
    """A clique with the findings of its own variables put in, and which combination each patient has there."""
    factors: list[Array] = []
    which: list[Codes] = []
    for name in clique.variables:
        if name in coded.codes:
            first, combination = _numbered(coded.codes[name])
            factors.append(likelihoods(engine.base[name], coded.some(first), name)[:, clique.states[name]])
            which.append(combination)
    alike: Codes = np.zeros(coded.patients, dtype=np.intp)
    for mask in partly_informed.values():  # who is counted for the same families
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
    return Place(clique, cells, tuple(factors), tuple(joints), counted), combinations[-1]


def _results_of(
    engine: Engine, clique: Clique, cells: Mapping[str, Codes], coded: Coded
) -> tuple[RepeatedResults, Codes]:
    """A repeatable variable with its results put in, and which combination of results each patient has."""
    name = clique.variables[0]
    codes = coded.codes.get(name, np.full(coded.patients, engine.base[name][()]))
    first, which = _numbered(codes)
    findings = [*engine.base[name], *coded.further.get(name, ())]
    results = [findings[code] for code in codes[first].tolist()]
    distinct = sorted({result for some in results for result in some}) or [(1.0,) * engine.sizes[name]]
    times = np.array([[float(some.count(result)) for result in distinct] for some in results])
    counted = times * np.array([[distinguishes(some)] for some in results])
    return RepeatedResults(clique, cells, np.array(distinct)[:, clique.states[name]], times, counted), which


def _numbered(keys: Codes) -> tuple[Codes, Codes]:
    """The first place at which each distinct key stands, and each key's number among them."""
    _, first, number = np.unique(keys, return_index=True, return_inverse=True)
    return first, number
