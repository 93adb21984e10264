"""Credible intervals of a posterior: its distribution when the rows of all tables follow Dirichlet distributions.

A row with probabilities p and weight w has a Dirichlet distribution with parameters w·p; w is its equivalent sample
size. Rows are independent. A patient's posterior then has a distribution of its own (Van Allen, Singh, Greiner and
Hooper, Quantifying the uncertainty of a belief net response, Artificial Intelligence 172, 2008), and its quantiles are
the limits of the credible interval. They come from DRAWS exact posteriors. No normal or Beta shape is assumed, because
posteriors that depend on a few judged rows have neither.

Each row is drawn once per model, from a random stream of its own, and cached. A patient's interval therefore does not
depend on earlier queries, and a further query costs about a hundred multiplications of vectors.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from zlib import crc32

import numpy as np

from calcinosis.inference.findings.evidence import Evidence
from calcinosis.inference.intervals.beta import Floats, RowCache, draw_row
from calcinosis.inference.intervals.elimination import Family
from calcinosis.inference.intervals.sparse import EvidencePlan, Number, plan_for
from calcinosis.inference.network import Array, Network
from calcinosis.inference.question_error import QuestionError
from calcinosis.inference.streams import Seed, root_of, stream

DRAWS = 2**14
"""The number of draws in a batch."""

ENOUGH = 2**13
"""The effective sample size that an interval rests on, where MOST_BATCHES reach it."""

ERROR = 1 / 300
"""The largest standard error of a limit: three of them are 0.01."""

MOST_BATCHES = 8
"""The maximum number of batches, needed when few draws make the findings probable or a limit is imprecise."""

BLOCK = 2**13
"""The number of draws multiplied at a time, so that vectors stay in the cache."""

NO_WEIGHTS = (
    "the rows of this network have no weights, so it has no credible intervals: give the equivalent sample size of "
    "its rows, as in Model.from_file(..., weight=50)"
)

NO_DRAW = "the findings have probability 0 in every draw of the tables: give the rows larger weights"

SMALL = 1e-25
"""Joint weights up to this, relative to the largest possible, are recomputed in double precision."""


@dataclass(frozen=True, eq=False)
class Sample:
    """A Monte Carlo sample of the posterior given one patient's findings.

    `posteriors`, axes `(states, draws)`, is the posterior in each draw of the tables. `weights`, axis `(draws,)`, are
    importance weights that sum to 1, proportional to the probability of the findings in each draw. The weighted mean
    is therefore the posterior under the mean tables, unless a finding has several results.
    """

    posteriors: Floats
    weights: Array

    @property
    def effective(self) -> float:
        """The effective sample size (Σw)² / Σw² (Kong, Liu and Wong, JASA 89, 1994)."""
        return float(1 / np.square(self.weights).sum())  # a dot product would wait for the threads of BLAS

    def leads(self) -> tuple[float, ...]:
        """The probability that each state ranks first; states that tie in a draw both count."""
        highest = self.posteriors.max(axis=0)
        total = self.weights.sum()  # 1 but for rounding
        return tuple(min(1.0, float(self.weights[posterior == highest].sum() / total)) for posterior in self.posteriors)

    def quantiles(self, at: Sequence[float]) -> Array:
        """The weighted quantiles of each state's posterior, axes `(at, states)`."""
        return quantiles(self.posteriors, self.weights, at)


@dataclass(frozen=True)
class Spread:
    """The equal-tailed credible interval of each state's posterior, and the probability that the state ranks first.

    `mass` is the probability of the interval. `lower`, `upper` and `leads` have one number per state of the target.
    `draws` is the number of draws, `effective` their effective sample size.
    """

    mass: float
    lower: tuple[float, ...]
    upper: tuple[float, ...]
    leads: tuple[float, ...]
    draws: int
    effective: float


@dataclass(frozen=True, eq=False)
class SecondOrder:
    """The rows of a network as Dirichlet distributions, drawn as needed."""

    network: Network
    draws: int = DRAWS
    seed: Seed = 0
    kept: RowCache = field(default_factory=RowCache)

    def __post_init__(self) -> None:
        if not self.network.weights:
            raise QuestionError(NO_WEIGHTS)

    def __reduce__(self) -> tuple[type[SecondOrder], tuple[Network, int, Seed]]:
        return type(self), (self.network, self.draws, self.seed)  # the same rows are drawn again

    def spread(self, evidence: Evidence, mass: float) -> Spread:
        """The equal-tailed credible interval of each state's posterior, of a mass between 0 and 1.

        Raises:
            QuestionError: for another mass; if the findings have probability 0 in every draw.
        """
        if not 0.0 < mass < 1.0:
            raise QuestionError(f"the mass of an interval lies between 0 and 1, not at {mass}")
        sample = self.sample(
            plan_for(self.network, evidence),
            lambda sample: max(ENOUGH / sample.effective, (_error(sample, mass) / ERROR) ** 2),
        )
        lower, upper = sample.quantiles(((1 - mass) / 2, (1 + mass) / 2)).tolist()
        return Spread(mass, tuple(lower), tuple(upper), sample.leads(), len(sample.weights), sample.effective)

    def sample(
        self, plan: EvidencePlan, shortage: Callable[[Sample], float] = lambda sample: ENOUGH / sample.effective
    ) -> Sample:
        """A Monte Carlo sample of the posterior, given a patient's elimination plan.

        `shortage` is how many times as many draws a sample needs, by default for an effective size of ENOUGH. Batches
        are added until it is at most 1, up to MOST_BATCHES.

        Raises:
            QuestionError: if the findings have probability 0 in every draw.
        """
        parts: list[tuple[Floats, Array]] = []
        batches, sample = 1, None
        while len(parts) < batches:
            for batch in range(len(parts), batches):
                parts.append(joint_of(plan, self.numbers(plan, batch), self.draws))
            sample = _weighted(parts)
            batches = min(MOST_BATCHES, math.ceil(len(parts) * (shortage(sample) if sample else 2)))
        if sample is None:
            raise QuestionError(NO_DRAW)
        return sample

    def numbers(self, plan: EvidencePlan, batch: int = 0) -> list[list[Number]]:
        """The drawn entries of each family's factor, structural zeros removed."""
        factors = []
        for family, places in zip(plan.families, plan.places, strict=True):
            flat = [number for row in range(len(family.rows)) for number in self.row(family, row, batch)]
            factors.append([flat[place] for place in places])
        return factors

    def row(self, family: Family, row: int, batch: int = 0) -> list[Number]:
        """The drawn entries of one row of a family: one if it is closed, otherwise one per state.

        A row that is one Beta variate is drawn once. A later batch rotates its draws by an offset of their own, which
        pairs them differently with the draws of every other row, twenty times faster than drawing again.
        """
        number, name = int(family.rows[row]), family.variable
        table, weight = self.network.rows(name), float(self.network.weights[name][number])
        parts = family.grouped[0] if family.closed else table
        drawn = 0 if parts.shape[1] <= 2 else batch
        results = b"".join(part.tobytes() for part in family.distinct)
        key = (name, number, drawn, results + bytes([family.closed]))
        numbers = self.kept.get(key)
        if numbers is None:
            random = stream(root_of(self.seed), drawn, "row", name, str(number))
            numbers = draw_row(family, table, number, weight, self.draws, random)
            self.kept.keep(key, numbers)
        if drawn == batch:
            return numbers
        offset = batch * (crc32(f"{name} {number}".encode()) | 1) % self.draws
        return [np.concatenate((n[offset:], n[:offset])) if isinstance(n, np.ndarray) else n for n in numbers]


def joint_of(plan: EvidencePlan, numbers: Sequence[Sequence[Number]], draws: int) -> tuple[Floats, Array]:
    """The posterior in each draw, axes `(states, draws)`, and the log-probability of the findings, axis `(draws,)`.

    In a draw in which the findings have probability 0, the posterior is 0 and the logarithm -inf. The probability is
    known up to a constant, because barren families are omitted; the constant is the same for all results of the same
    tests. `numbers` are the drawn entries of each family's factor.
    """
    posteriors = np.empty((plan.sums[-1].results, draws), dtype=np.float32)
    logarithms = np.full(draws, _log_scale(plan))
    for first in range(0, draws, BLOCK):  # blocks of draws that stay in the cache
        here = slice(first, min(first + BLOCK, draws))
        part = [[n[here] if isinstance(n, np.ndarray) else n for n in factor] for factor in numbers]
        for number, family in enumerate(plan.families):
            if family.repeated:  # from logarithms to numbers, the largest of each draw being 1
                highest = np.maximum.reduce(np.broadcast_arrays(*part[number]))
                highest = np.where(np.isfinite(highest), highest, 0)
                part[number] = [np.exp(logarithm - highest) for logarithm in part[number]]
                logarithms[here] += highest
        posteriors[:, here], total = _normalised(plan, part, here.stop - first)
        with np.errstate(divide="ignore"):
            logarithms[here] += np.log(total)
    return posteriors, logarithms


def _log_scale(plan: EvidencePlan) -> float:
    """The logarithm of the constant by which the drawn factors were divided."""
    network = plan.contraction.network
    return sum(
        float(np.log(family.largest(network.rows(family.variable))) @ family.distinct[1]) for family in plan.families
    )


def _normalised(plan: EvidencePlan, numbers: Sequence[Sequence[Number]], draws: int) -> tuple[Floats, Array]:
    """The posterior in each draw of a block, and the joint weight of the evidence.

    Draws near the limit of single precision are recomputed in double precision.
    """
    # eliminate the variables, then normalise over the states of the target
    weights = plan.weights(numbers)
    single = sum(weights[1:], weights[0]) + np.zeros(draws, dtype=np.float32)
    safe = np.where(single > 0, single, np.float32(1))
    posteriors: Floats = np.stack([weight / safe for weight in weights])
    total: Array = single.astype(np.float64)
    small = np.flatnonzero(total <= SMALL)
    if len(small):
        doubles = [[n[small].astype(float) if isinstance(n, np.ndarray) else n for n in part] for part in numbers]
        careful = np.stack(np.broadcast_arrays(*plan.weights(doubles), np.zeros(len(small))))[:-1]
        total[small] = careful.sum(axis=0)
        posteriors[:, small] = np.divide(careful, total[small], out=np.zeros_like(careful), where=total[small] > 0)
    return posteriors, total


def _weighted(parts: Sequence[tuple[Floats, Array]]) -> Sample | None:
    """The draws of several batches as one weighted sample; None if the findings have probability 0 in all of them."""
    logarithms = np.concatenate([logarithms for _, logarithms in parts])
    highest = logarithms.max()
    if highest == -np.inf:
        return None
    weights = np.exp(logarithms - highest)
    posteriors = parts[0][0] if len(parts) == 1 else np.concatenate([posteriors for posteriors, _ in parts], axis=1)
    return Sample(posteriors, weights / weights.sum())


def _error(sample: Sample, mass: float) -> float:
    """The largest standard error of the limits of the intervals: half the distance between the quantiles one standard
    error of their cumulative probability below and above (Woodruff, Journal of the American Statistical Association
    47, 1952)."""
    share = (1 - mass) / 2
    width = (share * (1 - share) / sample.effective) ** 0.5
    below, above, low, high = sample.quantiles(
        (max(0.0, share - width), share + width, 1 - share - width, min(1.0, 1 - share + width))
    )
    return float(max((above - below).max(), (high - low).max())) / 2


def quantiles(values: Floats, weights: Array, at: Sequence[float]) -> Array:
    """The weighted quantiles of each row of values, axes `(at, rows)`.

    A quantile is the smallest value at which the cumulative weight exceeds the share. Non-negative floats sort as their
    bits do, so a histogram over the leading 16 bits finds the bin of the quantile, and only that bin is sorted; sorting
    all values would take longer than drawing them.
    """
    limits = np.empty((len(at), len(values)))
    for i, row in enumerate(values):
        # cumulative weight by bin of leading bits
        leading = row.view(np.int32) >> 16
        reached = np.cumsum(np.bincount(leading, weights))
        for j, share in enumerate(at):
            bin_of_quantile = min(int(np.searchsorted(reached, share, side="right")), len(reached) - 1)
            # sort the one bin that contains the quantile
            inside = np.flatnonzero(leading == bin_of_quantile)
            inside = inside[np.argsort(row[inside], kind="stable")]
            below = float(reached[bin_of_quantile - 1]) if bin_of_quantile else 0.0
            place = int(np.searchsorted(below + np.cumsum(weights[inside]), share, side="right"))
            limits[j, i] = row[inside[min(place, len(inside) - 1)]]
    return limits
