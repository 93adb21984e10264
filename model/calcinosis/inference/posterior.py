"""The answer: the probability of each state of the target, with what it was computed from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from calcinosis.inference.conflict.comparison import Fitting
from calcinosis.inference.conflict.conflict import Fit
from calcinosis.inference.findings.evidence import Evidence
from calcinosis.inference.intervals.dirichlet import NO_WEIGHTS, SecondOrder, Spread
from calcinosis.inference.question_error import QuestionError
from calcinosis.inference.result import Result
from calcinosis.knowledge.arguments import checked
from calcinosis.knowledge.records import ASKED, MENTIONED

if TYPE_CHECKING:
    import pandas as pd

DISCLAIMER = "For research and teaching. Not a medical device; not medical advice."
"""Printed on every surface that shows a result."""

CREDIBLE = 0.95
"""The share of probability that the states named in a verdict hold together."""


@dataclass(frozen=True, repr=False)
class Posterior(Result):
    """The posterior of the target given a patient's evidence.

    `probabilities_of` maps each state, in order, to its probability; `labels` to the words for it. `log_evidence` is
    the natural logarithm of the probability of the evidence, `digest` the fingerprint of the priors. `second_order` is
    what intervals are computed from, None if the rows have no weights; `fitting` computes the conflict of the findings.
    `record` is the kind of record that was assumed: what it does not mention is evidence too.

    >>> import calcinosis as cc
    >>> p = cc.load().posterior(warfarin="yes", pain="severe", vascular_histology="intramural_calcification")
    >>> p.leading, p["calciphylaxis"] > 0.9
    ('calciphylaxis', True)
    """

    target: str
    probabilities_of: Mapping[str, float]
    labels: Mapping[str, str]
    evidence: Evidence
    log_evidence: float
    digest: str
    second_order: SecondOrder | None = field(default=None, compare=False, repr=False)
    fitting: Fitting | None = field(default=None, compare=False, repr=False)
    record: str = ASKED

    def __getitem__(self, state: str) -> float:
        """The probability of a state; KeyError, with the states there are, for any other word."""
        try:
            return self.probabilities_of[state]
        except KeyError:
            raise KeyError(f"{state}: {self.target} is one of {', '.join(self.probabilities_of)}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self.probabilities_of)

    def __len__(self) -> int:
        return len(self.probabilities_of)

    @property
    def probabilities(self) -> pd.Series[float]:
        """The probabilities as a pandas Series, indexed by state in order."""
        import pandas as pd

        return pd.Series(dict(self.probabilities_of), name="probability").rename_axis(self.target)

    @property
    def leading(self) -> str:
        """The most probable state; the first of them in order, if several are equally so."""
        return max(self.probabilities_of, key=self.probabilities_of.__getitem__)

    @checked
    def interval(self, mass: float = CREDIBLE) -> pd.DataFrame:
        """The equal-tailed credible interval of each probability: columns `lower` and `upper`, a row per state.

        It is the distribution of the posterior when every row of the tables is sampled from its Dirichlet distribution,
        given the findings; see `calcinosis.inference.intervals.dirichlet`. Its mean is the posterior; with
        repeated results this holds only approximately.

        Raises:
            QuestionError: for a mass not between 0 and 1, rows without weights, or findings with probability 0 in every
                draw.
            NetworkError: if the treewidth is too large for exact inference.

        >>> import calcinosis as cc
        >>> limits = cc.load().posterior(pain="severe").interval(0.95)
        >>> limits.columns.to_list(), bool((limits["lower"] < limits["upper"]).all())
        (['lower', 'upper'], True)
        """
        import pandas as pd

        spread = self.spread(mass)
        index = pd.Index(self.probabilities_of, name=self.target)
        return pd.DataFrame({"lower": spread.lower, "upper": spread.upper}, index=index)

    @property
    def leads(self) -> pd.Series[float]:
        """The probability that each state ranks first when the rows of the tables are sampled, as a Series.

        Raises:
            QuestionError: if the rows of the tables have no weights.
        """
        import pandas as pd

        return pd.Series(
            dict(zip(self.probabilities_of, (self.drawn or self.spread()).leads, strict=True)), name="leads"
        ).rename_axis(self.target)

    @checked
    def spread(self, mass: float = CREDIBLE) -> Spread:
        """The interval of each state and the probability that it ranks first, as a record.

        Raises:
            QuestionError, NetworkError: as `interval`.
        """
        if self.second_order is None:
            raise QuestionError(NO_WEIGHTS)
        return self.second_order.spread(self.evidence, mass)

    @checked
    def limits(self, mass: float = CREDIBLE) -> dict[str, dict[str, float]]:
        """The `lower` and `upper` limit by state; empty if there is no interval (`not_drawn` has the reason).

        Raises:
            QuestionError: for a mass not between 0 and 1.
        """
        if not 0.0 < mass < 1.0:
            raise QuestionError(f"the mass of an interval lies between 0 and 1, not at {mass}")
        spread = self.drawn if self.drawn is None or mass == self.drawn.mass else self.spread(mass)
        if spread is None:
            return {}
        pairs = zip(spread.lower, spread.upper, strict=True)
        return {state: {"lower": a, "upper": b} for state, (a, b) in zip(self.probabilities_of, pairs, strict=True)}

    @property
    def drawn(self) -> Spread | None:
        """The spread of the default mass; None if there is none."""
        spread = self._spread_or_reason
        return None if isinstance(spread, str) else spread

    @property
    def not_drawn(self) -> str:
        """Why there is no spread; empty if there is one, or if the rows have no weights."""
        spread = self._spread_or_reason
        return spread if isinstance(spread, str) else ""

    @cached_property
    def _spread_or_reason(self) -> Spread | str:
        if self.second_order is None:
            return ""
        try:
            return self.spread()
        except ValueError as error:  # the exact posterior is shown all the same
            return str(error)

    @cached_property
    def fit(self) -> Fit:
        """Conflict and rarity of the findings, and whether they fit any state of the target.

        Raises:
            QuestionError: if the treewidth is too large for the comparison with simulated patients.

        >>> import calcinosis as cc
        >>> cc.load().posterior(pain="severe", ulceration="yes").fit.category
        'consistent'
        """
        if self.fitting is None:
            raise QuestionError(
                "this posterior was made without its network, so the conflict of its findings is unknown"
            )
        return self.fitting.fit(self.evidence)

    @checked
    def credible_set(self, mass: float = CREDIBLE) -> tuple[str, ...]:
        """The fewest states that together hold at least `mass` of the probability, most probable first."""
        if not 0.0 < mass <= 1.0:
            raise ValueError(f"a share of probability lies above 0 and up to 1, not at {mass}")
        chosen: list[str] = []
        total = 0.0
        for state in sorted(self.probabilities_of, key=lambda s: -self.probabilities_of[s]):
            chosen.append(state)
            total += self.probabilities_of[state]
            if total >= mass:
                break
        return tuple(chosen)

    @property
    def not_mentioned(self) -> tuple[str, ...]:
        """The variables whose absence from the record is evidence.

        >>> import calcinosis as cc
        >>> "pain" in cc.load().posterior(pain="severe", record="case_report").not_mentioned
        False
        """
        return tuple(f.variable.removeprefix(MENTIONED).partition(":")[0] for f in self.evidence.silent)

    def to_dict(self) -> dict[str, Any]:
        """The answer as plain values, for JSON."""
        return {
            "target": self.target,
            "leading": self.leading,
            "probabilities": dict(self.probabilities_of),
            "credible_set": list(self.credible_set()),
            "summary": self.summary,
            "interval": self._interval_as_dict(),
            "fit": self._fit_as_dict(),
            "log_evidence": self.log_evidence,
            "record": self.record,
            "findings": [
                {"variable": f.variable, "given": f.given, "understood": f.understood} for f in self.evidence.given
            ],
            **({} if self.record == ASKED else {"not_mentioned": list(self.not_mentioned)}),
            "notes": list(self.evidence.notes),
            "digest": self.digest,
            "disclaimer": DISCLAIMER,
        }

    def _fit_as_dict(self) -> dict[str, Any] | None:
        try:
            return self.fit.to_dict()
        except QuestionError:
            return None

    def _interval_as_dict(self) -> dict[str, Any] | None:
        if self.drawn is None:
            return None
        numbers = {"lower": self.drawn.lower, "upper": self.drawn.upper, "leads": self.drawn.leads}
        by_state = {key: dict(zip(self.probabilities_of, own, strict=True)) for key, own in numbers.items()}
        return {"mass": self.drawn.mass, **by_state, "draws": self.drawn.draws, "effective": self.drawn.effective}
