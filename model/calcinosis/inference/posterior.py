"""The answer: the probability of each state of the target, with what it was computed from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from calcinosis.inference.conflict.comparison import Fitting
from calcinosis.inference.conflict.conflict import Fit
from calcinosis.inference.findings.evidence import Evidence
from calcinosis.inference.intervals.dirichlet import NO_WEIGHTS, SecondOrder, Spread
from calcinosis.inference.numbers import exact_percent, percent, percents
from calcinosis.inference.phrases import capitalised, listed, uncapitalised
from calcinosis.inference.question_error import QuestionError
from calcinosis.knowledge.arguments import checked
from calcinosis.knowledge.records import ASKED, MENTIONED

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

DISCLAIMER = "For research and teaching. Not a medical device; no advice for a patient."
"""Printed on every surface that shows a result."""

CREDIBLE = 0.95
"""The share of probability that the states named in a verdict hold together."""


@dataclass(frozen=True)
class Posterior:
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

        It is the distribution of the posterior when every row of the tables is sampled from its Dirichlet distribution;
        see `calcinosis.inference.intervals.dirichlet`.

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
            dict(zip(self.probabilities_of, (self._spread or self.spread()).leads, strict=True)), name="leads"
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
        """The `lower` and `upper` limit by state; empty if there is no interval (`no_interval` has the reason).

        Raises:
            QuestionError: for a mass not between 0 and 1.
        """
        if not 0.0 < mass < 1.0:
            raise QuestionError(f"the mass of an interval lies between 0 and 1, not at {mass}")
        spread = self._spread if self._spread is None or mass == self._spread.mass else self.spread(mass)
        if spread is None:
            return {}
        pairs = zip(spread.lower, spread.upper, strict=True)
        return {state: {"lower": a, "upper": b} for state, (a, b) in zip(self.probabilities_of, pairs, strict=True)}

    @cached_property
    def _spread(self) -> Spread | None:
        """The spread of the default mass; None if there is none."""
        spread = self._spread_or_reason
        return None if isinstance(spread, str) else spread

    @cached_property
    def _spread_or_reason(self) -> Spread | str:
        """The same, or the reason why there is none; empty if the rows have no weights."""
        if self.second_order is None:
            return ""
        try:
            return self.spread()
        except ValueError as error:  # the exact posterior is shown all the same
            return str(error)

    @property
    def ranges(self) -> dict[str, str]:
        """The interval of each state as text, such as '43–78%'; empty if there is none."""
        if self._spread is None:
            return dict.fromkeys(self.probabilities_of, "")
        limits = zip(self._spread.lower, self._spread.upper, strict=True)
        return {state: percents(*pair) for state, pair in zip(self.probabilities_of, limits, strict=True)}

    @property
    def sureness(self) -> str:
        """One sentence on the interval, and the probability that the most probable state ranks first."""
        if self._spread is None:
            return ""
        share = dict(zip(self.probabilities_of, self._spread.leads, strict=True))[self.leading]
        return (
            f"{exact_percent(self._spread.mass)} credible interval of the posterior given these findings, when every "
            "row of the tables is sampled from its distribution. "
            f"{capitalised(self.labels[self.leading])} ranks first with probability {percent(share)}."
        )

    @property
    def no_interval(self) -> str:
        """Why there is no interval although the rows have weights; empty if there is one."""
        reason = self._spread_or_reason
        return f"No interval: {reason}." if isinstance(reason, str) and reason else ""

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

    @property
    def misfit(self) -> str:
        """The conflict among the findings in words; empty where they fit, or where it is not known."""
        fit = self._fit_or_reason
        return "" if isinstance(fit, str) or fit.category == "consistent" else fit.verdict

    @property
    def fit_in_words(self) -> str:
        """Whether the findings fit together, with conflict and rarity in figures; or why that is not known."""
        fit = self._fit_or_reason
        return f"{capitalised(fit)}." if isinstance(fit, str) else f"{fit.verdict} {fit.figures}"

    @cached_property
    def _fit_or_reason(self) -> Fit | str:
        try:
            return self.fit
        except QuestionError as error:
            return str(error)

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
    def verdict(self) -> str:
        """The most probable state, and every other state that cannot be excluded."""
        first, *others = self.credible_set()
        unsure = "" if self[first] >= 0.5 else "only "
        most = f"Most probable: {self.labels[first]}, {unsure}{percent(self[first])}."
        if not others:
            return f"{most} All others together: under {exact_percent(1 - CREDIBLE)}."
        rest = listed(f"{self.labels[s]} ({percent(self[s])})" for s in others)
        return f"{most} {capitalised(rest)} cannot be excluded."

    @property
    def not_mentioned(self) -> tuple[str, ...]:
        """The variables whose absence from the record is evidence.

        >>> import calcinosis as cc
        >>> "pain" in cc.load().posterior(pain="severe", record="case_report").not_mentioned
        False
        """
        return tuple(f.variable.removeprefix(MENTIONED).partition(":")[0] for f in self.evidence.silent)

    @property
    def silence(self) -> str:
        """One line: the record that was assumed, and what it does not mention."""
        if self.record == ASKED:
            return "Record: asked, so findings not given count as unknown"
        variables = self.fitting.network.variables if self.fitting else {}
        names = [
            uncapitalised(variables[name].label or name) if name in variables else name for name in self.not_mentioned
        ]
        return f"Not mentioned ({self.record.replace('_', ' ')}): {', '.join(names) or 'nothing that the tables cover'}"

    @property
    def findings_in_words(self) -> list[str]:
        """What was given, and what the record does not mention, a line for each."""
        return [f"Findings: {self.evidence.given}", self.silence]

    def as_dict(self) -> dict[str, Any]:
        """The answer as plain values, for JSON."""
        return {
            "target": self.target,
            "leading": self.leading,
            "probabilities": dict(self.probabilities_of),
            "credible_set": list(self.credible_set()),
            "verdict": self.verdict,
            "interval": self._interval_as_dict(),
            "fit": None if isinstance(self._fit_or_reason, str) else self._fit_or_reason.as_dict(),
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

    def _interval_as_dict(self) -> dict[str, Any] | None:
        if self._spread is None:
            return None
        numbers = {"lower": self._spread.lower, "upper": self._spread.upper, "leads": self._spread.leads}
        by_state = {key: dict(zip(self.probabilities_of, own, strict=True)) for key, own in numbers.items()}
        return {"mass": self._spread.mass, **by_state, "draws": self._spread.draws}

    @checked
    def plot(self, ax: Axes | None = None) -> Axes:
        """The matplotlib axes with one bar per state, in order, on a fixed scale from 0 to 100%."""
        import matplotlib.pyplot as plt

        if ax is None:
            ax = plt.figure(figsize=(7, 0.5 * len(self.probabilities_of) + 1.4), layout="constrained").add_subplot()
        names = [self.labels[state] for state in self.probabilities_of]
        values = [100 * p for p in self.probabilities_of.values()]
        colors = ["#1f5f8b" if state == self.leading else "#9db8cc" for state in self.probabilities_of]
        ax.barh(names, values, color=colors, height=0.65)
        ranges = self.ranges
        words = [f"{percent(p)}\N{EM SPACE}{ranges[state]}".rstrip() for state, p in self.probabilities_of.items()]
        what = "posterior probability (%)"
        if self._spread is None:
            places = values
        else:
            lower, upper = (100 * np.array(limits) for limits in (self._spread.lower, self._spread.upper))
            ax.hlines(range(len(names)), lower, upper, color="#222222", linewidth=1.6)
            for limit in (lower, upper):
                ax.plot(limit, range(len(names)), "|", color="#222222", markersize=7, markeredgewidth=1.6)
            places = [max(pair) for pair in zip(values, upper, strict=True)]
            what += f", line: {exact_percent(self._spread.mass)} credible interval"
        for row, (place, text) in enumerate(zip(places, words, strict=True)):
            ax.annotate(text, (place, row), xytext=(6, 0), textcoords="offset points", va="center")
        ax.set(xlim=(0, 134 if self._spread else 112), xticks=range(0, 101, 20), ylim=(len(names) - 0.5, -0.5))
        ax.set_xlabel(f"{what}\n{DISCLAIMER}", fontsize=8)
        ax.spines[["top", "right"]].set_visible(False)
        return ax

    def __repr__(self) -> str:
        width = max(len(label) for label in self.labels.values())
        ranges = self.ranges
        room = max(map(len, ranges.values()))
        room += 2 if room else 0
        lines = [
            f"{self.labels[state]:<{width}}  {percent(p):>6}{ranges[state]:>{room}}  {bar(p)}".rstrip()
            for state, p in self.probabilities_of.items()
        ]
        return "\n".join([self.verdict, "", *lines, "", *self._footnotes()])

    def _footnotes(self) -> list[str]:
        found = [*self.findings_in_words, *(f"Note: {note}" for note in self.evidence.notes)]
        found += [words for words in (self.sureness, self.no_interval, self.misfit) if words]
        return [*found, f"log evidence {self.log_evidence:.3f} · priors {self.digest[:12]}", DISCLAIMER]

    def _repr_html_(self) -> str:
        ranges = self.ranges
        rows = "".join(
            f'<tr><td style="text-align:left;padding:2px 10px 2px 0">{escape(self.labels[state])}</td>'
            f'<td style="text-align:right;padding:2px 10px 2px 0">{escape(percent(p))}</td>'
            f'<td style="text-align:right;padding:2px 10px 2px 0;opacity:0.7">{escape(ranges[state])}</td>'
            f'<td style="width:22em;padding:2px 0"><div style="background:rgba(127,127,127,0.15)">'
            f'<div role="img" aria-label="{escape(percent(p))}" style="width:{100 * p:.2f}%;height:0.9em;'
            f'background:{"#2f7ab0" if state == self.leading else "#9db8cc"}"></div></div></td></tr>'
            for state, p in self.probabilities_of.items()
        )
        notes = "<br>".join(map(escape, self._footnotes()))
        return (
            f"<div><p><b>{escape(self.verdict)}</b></p><table>{rows}</table>"
            f'<p style="font-size:0.85em;opacity:0.8">{notes}</p></div>'
        )


def bar(probability: float, width: int = 30, encoding: str = "utf-8") -> str:
    """A bar of block characters, in eighths of one, `width` characters long at probability 1; of number signs where
    the encoding has no blocks."""
    try:
        "█▏".encode(encoding)
    except UnicodeEncodeError:
        return "#" * round(probability * width)
    eighths = round(probability * width * 8)
    return "█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8].strip()
