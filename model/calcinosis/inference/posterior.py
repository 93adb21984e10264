"""The answer: the probability of each state of the target, with what it was computed from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from calcinosis.inference.evidence import Evidence

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
    the natural logarithm of the probability of the evidence, `digest` the fingerprint of the priors.

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
        """One sentence: what leads, and what else must be kept in mind, honest about not being sure."""
        first, *others = self.credible_set()
        lead = f"{self.labels[first][:1].upper()}{self.labels[first][1:]} leads with {percent(self[first])}"
        if not others:
            return f"{lead}; the others together hold under {100 * (1 - CREDIBLE):.0f} %."
        if self[first] < 0.5:
            lead = f"Not sure: {self.labels[first]} leads with only {percent(self[first])}"
        named = [f"{self.labels[s]} ({percent(self[s])})" for s in others]
        rest = " and ".join([", ".join(named[:-1]), named[-1]] if len(named) > 1 else named)
        return f"{lead}; {rest} cannot be set aside."

    def as_dict(self) -> dict[str, Any]:
        """The answer as plain values, for JSON."""
        return {
            "target": self.target,
            "leading": self.leading,
            "probabilities": dict(self.probabilities_of),
            "credible_set": list(self.credible_set()),
            "verdict": self.verdict,
            "log_evidence": self.log_evidence,
            "findings": [{"variable": f.variable, "given": f.given, "understood": f.understood} for f in self.evidence],
            "notes": list(self.evidence.notes),
            "digest": self.digest,
            "disclaimer": DISCLAIMER,
        }

    def plot(self, ax: Axes | None = None) -> Axes:
        """The matplotlib axes with one bar per state, in order, on a fixed scale from 0 to 100 %."""
        import matplotlib.pyplot as plt

        if ax is None:
            ax = plt.figure(figsize=(7, 0.5 * len(self.probabilities_of) + 1.4), layout="constrained").add_subplot()
        names = [self.labels[state] for state in self.probabilities_of]
        values = [100 * p for p in self.probabilities_of.values()]
        colors = ["#1f5f8b" if state == self.leading else "#9db8cc" for state in self.probabilities_of]
        bars = ax.barh(names, values, color=colors, height=0.65)
        ax.bar_label(bars, [percent(p) for p in self.probabilities_of.values()], padding=4)
        ax.set(xlim=(0, 112), xticks=range(0, 101, 20), ylim=(len(names) - 0.5, -0.5))
        ax.set_xlabel(f"posterior probability (%)\n{DISCLAIMER}", fontsize=8)
        ax.spines[["top", "right"]].set_visible(False)
        return ax

    def __repr__(self) -> str:
        width = max(len(label) for label in self.labels.values())
        lines = [
            f"{self.labels[state]:<{width}}  {percent(p):>7}  {bar(p)}".rstrip()
            for state, p in self.probabilities_of.items()
        ]
        return "\n".join([self.verdict, "", *lines, "", *self._footnotes()])

    def _footnotes(self) -> list[str]:
        found = [f"Findings: {self.evidence}", *(f"Note: {note}" for note in self.evidence.notes)]
        return [*found, f"log evidence {self.log_evidence:.3f} · priors {self.digest[:12]}", DISCLAIMER]

    def _repr_html_(self) -> str:
        rows = "".join(
            f'<tr><td style="text-align:left;padding:2px 10px 2px 0">{escape(self.labels[state])}</td>'
            f'<td style="text-align:right;padding:2px 10px 2px 0">{escape(percent(p))}</td>'
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


def percent(probability: float) -> str:
    """A probability in words that never claim certainty: '61 %', '< 1 %', '> 99 %'.

    >>> percent(0.613), percent(0.001), percent(0.9999)
    ('61 %', '< 1 %', '> 99 %')
    """
    if probability < 0.01:
        return "< 1 %"
    if probability > 0.99:
        return "> 99 %"
    return f"{100 * probability:.0f} %"


def bar(probability: float, width: int = 30, encoding: str = "utf-8") -> str:
    """A bar of block characters, in eighths of one, `width` characters long at probability 1; of number signs where
    the encoding has no blocks."""
    try:
        "█▏".encode(encoding)
    except UnicodeEncodeError:
        return "#" * round(probability * width)
    eighths = round(probability * width * 8)
    return "█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8].strip()
