"""How sure a posterior is: its distribution when every row of every table is drawn from its Dirichlet distribution.

A row with probabilities p and weight w stands for a Dirichlet distribution with parameters w·p: the evidence of w
patients. Rows are independent. The posterior of a patient is then itself uncertain (Van Allen, Singh, Greiner & Hooper,
Quantifying the uncertainty of a belief net response, Artificial Intelligence 172, 2008), and its quantiles are the
interval that is shown beside it. They are quantiles of DRAWS exact posteriors: no normal or Beta shape is assumed,
since posteriors that rest on a few judged rows have neither.

A row is drawn once per model and kept, each with random numbers of its own. So a patient's interval does not depend on
who was asked before, and what a further question costs is some hundred multiplications of vectors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from calcinosis.inference.findings.evidence import Evidence
from calcinosis.inference.intervals.beta import POINTS, Floats, equally_probable
from calcinosis.inference.intervals.elimination import Contraction, Family, contract
from calcinosis.inference.intervals.sparse import Layout, Number, lay_out_possible
from calcinosis.inference.network import Array, Network
from calcinosis.inference.question_error import QuestionError
from calcinosis.inference.streams import Seed, root_of, stream

DRAWS = 2**14
"""How many draws are made at a time."""

ENOUGH = 2**13
"""The effective sample size that an interval rests on: its limits are at 2.5 ± 0.17% and 97.5 ± 0.17% of the true
distribution, and nearer where few rows matter, because each row is stratified."""

MOST_BATCHES = 8
"""How often that many draws are made at most, where few of them make the findings probable."""

BLOCK = 2**13
"""How many draws are multiplied at a time, so that vectors stay in the cache."""

SMALL = 1e-25
"""Joint weights up to this, beside the largest there could be, are taken in double precision."""

MOST_KEPT = 2**28
"""About how many bytes of drawn rows are kept, 256 MiB, room for many patients; beyond it the oldest rows
are forgotten, and drawn again as needed, the same."""


@dataclass(frozen=True, eq=False)
class Question:
    """What the evidence of one patient asks of the tables: the contraction, and its possible entries."""

    contraction: Contraction
    layout: Layout

    @property
    def families(self) -> tuple[Family, ...]:
        """The families that matter."""
        return self.contraction.families


def ask(network: Network, evidence: Evidence) -> Question:
    """The question that a patient's evidence makes."""
    contraction = contract(network, evidence)
    factors = [family.factor(own) for family, own in zip(contraction.families, contraction.rows(), strict=True)]
    return Question(contraction, lay_out_possible(contraction, factors))


@dataclass(frozen=True, eq=False)
class Sample:
    """A Monte Carlo sample of the posterior given one patient's findings.

    `posteriors`, axes `(states, draws)`, has the posterior in each draw of the tables, `weights`, axis `(draws,)`, how
    much each draw counts, 1 in all: in proportion to how probable it makes the findings. So the weighted mean is the
    posterior under the tables as they are, where no finding has several results.
    """

    posteriors: Floats
    weights: Array

    @property
    def effective(self) -> float:
        """The effective sample size (Σw)² / Σw² (Kong, Liu and Wong, JASA 89, 1994)."""
        return float(1 / np.square(self.weights).sum())  # a dot product would wait for the threads of BLAS

    def leads(self) -> tuple[float, ...]:
        """The probability that each state ranks first; states that are exactly equal in a draw both do."""
        highest = self.posteriors.max(axis=0)
        total = self.weights.sum()  # 1 but for rounding
        return tuple(min(1.0, float(self.weights[own == highest].sum() / total)) for own in self.posteriors)

    def quantiles(self, at: Sequence[float]) -> Array:
        """The weighted quantiles of each state's posterior, axes `(at, states)`."""
        return quantiles(self.posteriors, self.weights, at)


@dataclass(frozen=True)
class Spread:
    """The credible interval of each state's posterior at a `mass`, and the probability that the state ranks first.

    `lower`, `upper` and `leads` have one number per state of the target. `draws` is the number of draws, `effective`
    their effective sample size.
    """

    mass: float
    lower: tuple[float, ...]
    upper: tuple[float, ...]
    leads: tuple[float, ...]
    draws: int
    effective: float


class Kept(dict[tuple[str, int, int, bytes], list[Number]]):
    """Drawn rows by what they were drawn for, in the order in which they were; the oldest go if there are too many."""

    size = 0
    """How many bytes there are."""

    def keep(self, key: tuple[str, int, int, bytes], numbers: list[Number]) -> None:
        """Keep the numbers of a row, and forget as many of the oldest rows as that takes."""
        self[key] = numbers
        self.size += _bytes(numbers)
        while self.size > MOST_KEPT and len(self) > 1:
            self.size -= _bytes(self.pop(next(iter(self))))


def _bytes(numbers: Sequence[Number]) -> int:
    return sum(number.nbytes for number in numbers if isinstance(number, np.ndarray))


@dataclass(frozen=True, eq=False)
class SecondOrder:
    """The rows of a network as Dirichlet distributions, drawn as they are needed."""

    network: Network
    draws: int = DRAWS
    seed: Seed = 0
    kept: Kept = field(default_factory=Kept)

    def __post_init__(self) -> None:
        if not self.network.weights:
            raise QuestionError(
                "no row of this network has a weight, so nothing is known of how sure it is: give the equivalent "
                "sample size of its rows, as in Model.from_file(..., weight=50)"
            )

    def __reduce__(self) -> tuple[type[SecondOrder], tuple[Network, int, Seed]]:
        return type(self), (self.network, self.draws, self.seed)  # what was drawn is drawn again, the same

    def spread(self, evidence: Evidence, mass: float) -> Spread:
        """The interval of each state's posterior that holds `mass` of its distribution, as much left out on each side.

        Raises:
            QuestionError: for a mass not between 0 and 1; if every draw rules the findings out.
        """
        if not 0.0 < mass < 1.0:
            raise QuestionError(f"the mass of an interval lies between 0 and 1, not at {mass}")
        sample = self.sample(ask(self.network, evidence))
        lower, upper = sample.quantiles(((1 - mass) / 2, (1 + mass) / 2)).tolist()
        return Spread(mass, tuple(lower), tuple(upper), sample.leads(), len(sample.weights), sample.effective)

    def sample(self, question: Question, enough: float = ENOUGH) -> Sample:
        """The posterior given the patient's findings, in `draws` draws, and as many again, up to MOST_BATCHES times,
        until the effective sample size is `enough`.

        Raises:
            QuestionError: if every draw rules the findings out.
        """
        parts: list[tuple[Floats, Array]] = []
        while True:
            parts.append(joint_of(question, self.numbers(question, len(parts)), self.draws))
            sample = _weighted(parts)
            if sample is not None and (sample.effective >= enough or len(parts) == MOST_BATCHES):
                return sample
            if len(parts) == MOST_BATCHES:
                raise QuestionError(
                    "with so little weight on the rows, every draw of the tables rules the findings out"
                )

    def numbers(self, question: Question, batch: int = 0) -> list[list[Number]]:
        """Per family the drawn numbers of its factor, at the places of the question's layout."""
        found = []
        for family, places in zip(question.families, question.layout.places, strict=True):
            flat = [number for row in range(len(family.rows)) for number in self.row(family, row, batch)]
            found.append([flat[place] for place in places])
        return found

    def row(self, family: Family, row: int, batch: int = 0) -> list[Number]:
        """The drawn numbers of one row of a family: one if it is closed, else one per state."""
        number = int(family.rows[row])
        results = b"".join(part.tobytes() for part in family.distinct)
        key = (family.variable, number, batch, results + bytes([family.closed]))
        known = self.kept.get(key)
        if known is None:
            random = stream(root_of(self.seed), batch, "row", family.variable, str(number))
            weight = float(self.network.weights[family.variable][number])
            known = draw_row(family, self.network.rows(family.variable), number, weight, self.draws, random)
            self.kept.keep(key, known)
        return known


def draw_row(
    family: Family, table: Array, row: int, weight: float, draws: int, random: np.random.Generator
) -> list[Number]:
    """The factor of one row of a table, drawn from its Dirichlet distribution: one number if closed, or one per state.

    States of which the findings say the same are drawn as one: their sum is Dirichlet distributed too. A closed factor
    is divided by the largest that any row of the table has on average; of repeated results it is the logarithm.
    """
    if not family.closed:
        largest = family.likelihoods[0].max()
        shares = shares_of(table[row] * weight, draws, random)
        return [
            share * float(likelihood / largest) for share, likelihood in zip(shares, family.likelihoods[0], strict=True)
        ]
    # what is seen is drawn first, so that it needs no difference from 1, which would lose digits
    results, times = family.distinct
    groups, member = np.unique(-results, axis=1, return_inverse=True)
    parameters = np.bincount(member.ravel(), weights=table[row] * weight).astype(np.float64)
    shares = shares_of(parameters, draws, random, needed=int(groups.any(axis=0).sum()))
    seen = [
        sum(share * float(likelihood) for share, likelihood in zip(shares, result, strict=False) if likelihood)
        for result in -groups / np.max(results @ table.T, axis=1, keepdims=True)
    ]
    if not family.repeated:
        return [seen[0]]
    with np.errstate(divide="ignore"):
        return [sum(np.log(number) * np.float32(count) for number, count in zip(seen, times, strict=True))]


def shares_of(parameters: Array, draws: int, random: np.random.Generator, needed: int | None = None) -> list[Number]:
    """Draws from a Dirichlet distribution, a vector per state; a float where a share is the same in all of them.

    One share after the other is split off what is left, each a Beta variate (Connor and Mosimann, Journal of the
    American Statistical Association 64, 1969); those after the first `needed` are left out. Each variate is stratified:
    its draws are spread evenly over its distribution, in random order (Latin hypercube sampling; McKay, Beckman and
    Conover, Technometrics 21, 1979).
    """
    needed = len(parameters) if needed is None else needed
    alive = [i for i, parameter in enumerate(parameters) if parameter > 0]
    shares: list[Number] = [0.0] * len(parameters)
    left: Number = None
    for i in alive[:-1]:
        if i >= needed:
            return shares[:needed]
        points = equally_probable(float(parameters[i]), float(parameters[i + 1 :].sum()))
        drawn = points[(2 * random.permutation(draws) + 1) * POINTS // (2 * draws)]
        shares[i] = drawn if left is None else drawn * left
        if i + 1 < needed:
            rest = np.float32(1) - drawn
            left = rest if left is None else rest * left
    shares[alive[-1]] = 1.0 if left is None else left
    return shares[:needed]


def joint_of(question: Question, numbers: Sequence[Sequence[Number]], draws: int) -> tuple[Floats, Array]:
    """The posterior in each draw, axes `(states, draws)`, and the natural logarithm of the probability of the findings
    in each draw, axis `(draws,)`, from the numbers of each family's factor.

    A draw that rules the findings out has a posterior of 0 and a logarithm of -inf. The probability is that of the
    findings but for families that do not bear on the target, and is comparable between results of the same tests.
    """
    posteriors = np.empty((question.layout.sums[-1].results, draws), dtype=np.float32)
    logarithms = np.full(draws, _log_scale(question))
    for first in range(0, draws, BLOCK):
        here = slice(first, min(first + BLOCK, draws))
        part = [[n[here] if isinstance(n, np.ndarray) else n for n in own] for own in numbers]
        for number, family in enumerate(question.families):
            if family.repeated:
                part[number], highest = _from_logarithms(part[number])
                logarithms[here] += highest
        posteriors[:, here], total = _normalised(question.layout, part, here.stop - first)
        with np.errstate(divide="ignore"):
            logarithms[here] += np.log(total)
    return posteriors, logarithms


def _log_scale(question: Question) -> float:
    """The logarithm of what the drawn numbers were divided by."""
    scale = 0.0
    for family in question.families:
        results, times = family.distinct
        rows = question.contraction.network.rows(family.variable)
        largest = np.max(results @ rows.T, axis=1) if family.closed else results.max(axis=1)
        scale += float(np.log(largest) @ times)
    return scale


def _normalised(layout: Layout, numbers: Sequence[Sequence[Number]], draws: int) -> tuple[Floats, Array]:
    """The posterior in each draw of a block, and the joint weight of the evidence.

    Where single precision hardly reaches, draws are multiplied again in double.
    """
    weights = layout.weights(numbers)
    single = sum(weights[1:], weights[0]) + np.zeros(draws, dtype=np.float32)
    safe = np.where(single > 0, single, np.float32(1))
    found: Floats = np.stack([weight / safe for weight in weights])
    total: Array = single.astype(np.float64)
    small = np.flatnonzero(total <= SMALL)
    if len(small):
        own = [[n[small].astype(float) if isinstance(n, np.ndarray) else n for n in part] for part in numbers]
        careful = np.stack(np.broadcast_arrays(*layout.weights(own), np.zeros(len(small))))[:-1]
        total[small] = careful.sum(axis=0)
        found[:, small] = np.divide(careful, total[small], out=np.zeros_like(careful), where=total[small] > 0)
    return found, total


def _weighted(parts: Sequence[tuple[Floats, Array]]) -> Sample | None:
    """The draws of several batches as one sample; None if every draw rules the findings out."""
    logarithms = np.concatenate([own for _, own in parts])
    highest = logarithms.max()
    if highest == -np.inf:
        return None
    weights = np.exp(logarithms - highest)
    posteriors = parts[0][0] if len(parts) == 1 else np.concatenate([own for own, _ in parts], axis=1)
    return Sample(posteriors, weights / weights.sum())


def _from_logarithms(numbers: Sequence[Number]) -> tuple[list[Number], Number]:
    """Numbers from their logarithms, divided by the largest of them in each draw, and the logarithm of that."""
    highest = np.maximum.reduce(np.broadcast_arrays(*numbers))
    highest = np.where(np.isfinite(highest), highest, 0)
    return [np.exp(number - highest) for number in numbers], highest


def quantiles(values: Floats, weights: Array, at: Sequence[float]) -> Array:
    """The weighted quantiles of each row of values from 0 to 1, axes `(at, rows)`: the smallest value at which the
    weights, 1 in all, reach each share.

    Numbers of one sign are ordered as their bits are, so adding up the weights by their leading bits finds the few
    values among which the quantile lies; sorting them all would take longer than drawing them.
    """
    found = np.empty((len(at), len(values)))
    for i, row in enumerate(values):
        leading = row.view(np.int32) >> 16
        reached = np.cumsum(np.bincount(leading, weights))
        for j, share in enumerate(at):
            holder = min(int(np.searchsorted(reached, share, side="right")), len(reached) - 1)
            inside = np.flatnonzero(leading == holder)
            inside = inside[np.argsort(row[inside], kind="stable")]
            below = float(reached[holder - 1]) if holder else 0.0
            place = int(np.searchsorted(below + np.cumsum(weights[inside]), share, side="right"))
            found[j, i] = row[inside[min(place, len(inside) - 1)]]
    return found
