"""Conflict and rarity of a patient's findings, and whether they fit any state of the target.

*Conflict* is log(Π P(e_i) / P(e)) in nats: above 0 where the findings occur together less often than if they were
unrelated. That is the sign of HUGIN (Jensen, Chamberlain, Nordahl & Jensen, Analysis in HUGIN of data conflict, UAI
1990); other software uses the opposite sign or another base. By hand: two findings, each in half of all patients, but
together in one of eight, have the conflict log(½ · ½ / ⅛) = log 2 = 0.693: half as often as if unrelated.

A patient is compared with patients whose records are silent on the same variables.

*Rarity* is the share of simulated patients (`comparison`) with the same variables observed whose findings are
less probable. It is a p-value: of patients from the network itself, one in a hundred is below 0.01. The same share is
computed among the patients of each state of the target, and for the conflict.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from calcinosis.inference.findings.evidence import Evidence
from calcinosis.inference.numbers import percent, times
from calcinosis.inference.phrases import counted, listed, phrase
from calcinosis.knowledge.records import Variable

UNUSUAL = 0.01
"""The share of patients below which findings are called rare, conflicting, or unlike every state: one in a hundred, so
the words are seldom wrong of a patient from the network."""

TIE = 1e-9
"""Log probabilities that differ by less are equal up to rounding; a conflict up to this is none."""

NOTABLE = math.log(2)
"""The smallest conflict of two findings that is reported: together half as often as if unrelated."""

MOST_PAIRS = 3
"""The maximum number of conflicting pairs in a verdict."""


@dataclass(frozen=True, eq=False)
class Fit:
    """How well a patient's findings fit each other and the states of the target.

    - `conflict`, in nats, above 0 for a conflict; `as_conflicting` is the share of simulated patients with the same
      variables observed that show at least this conflict.
    - `rarer` and `as_rare` are the shares of such patients whose findings are less, and equally, probable.
    - `by_state` is the share of the patients of each state whose findings are at most as probable.
    - `conflict_given` is the conflict given each state: where it is no longer above 0, that state explains it.
      States that the findings exclude are omitted.
    - `against_rest` is, by variable, log(P(e_i) / P(e_i | all others)), above 0 for a finding that the others make less
      probable; `pairs` the conflict of two findings; `groups` that within a group, and of a group with all others.
    """

    target: Variable
    variables: Mapping[str, Variable]
    evidence: Evidence
    conflict: float
    as_conflicting: float
    rarer: float
    as_rare: float
    by_state: Mapping[str, float]
    conflict_given: Mapping[str, float]
    against_rest: Mapping[str, float]
    pairs: Mapping[tuple[str, str], float]
    groups: Mapping[str, tuple[float, float]]

    @property
    def rarity(self) -> float:
        """The share of simulated patients with the same variables observed whose findings are less probable, counting
        half of those equally probable (the mid-p-value)."""
        return self.rarer + self.as_rare / 2

    @property
    def conflicting(self) -> bool:
        """Whether the findings conflict more than those of 99 in 100 patients."""
        return self.conflict > TIE and self.as_conflicting < UNUSUAL

    @property
    def rare(self) -> bool:
        """Whether the findings are less probable than those of 99 in 100 patients."""
        return len(self.evidence) > 0 and self.rarity < UNUSUAL

    @property
    def fits_none(self) -> bool:
        """Whether the findings are less probable than in 99 of 100 patients of every state of the target."""
        return len(self.evidence) > 0 and max(self.by_state.values()) < UNUSUAL

    @property
    def category(self) -> str:
        """'conflicting', 'none' (fits no state well), 'rare' or 'consistent', the first that applies."""
        words = {"conflicting": self.conflicting, "none": self.fits_none, "rare": self.rare}
        return next((word for word, holds in words.items() if holds), "consistent")

    @cached_property
    def conflicting_pairs(self) -> tuple[tuple[str, str], ...]:
        """The pairs of findings that occur together at most half as often as if they were unrelated, worst first."""
        pairs = sorted(self.pairs, key=lambda pair: -self.pairs[pair])
        return tuple(pair for pair in pairs if self.pairs[pair] > NOTABLE)

    @property
    def least_fitting(self) -> str | None:
        """The variable whose finding the others make least probable; None if they make none less probable."""
        worst = max(self.against_rest, key=self.against_rest.__getitem__, default=None)
        return worst if worst is not None and self.against_rest[worst] > TIE else None

    @property
    def verdict(self) -> str:
        """One to three sentences: what does not fit, and which findings it is."""
        sentences = [self._conflict_in_words()] if self.conflicting else []
        if self.fits_none:
            best = max(self.by_state, key=self.by_state.__getitem__)
            also = "also " if sentences else ""
            sentences.append(
                f"The findings {also}fit none of the {counted(len(self.by_state))} well: even among simulated patients "
                f"with {self.target.labels[best]}, {at_most(self.by_state[best])} have findings as improbable."
            )
        elif self.rare:
            yet = "They are also rare" if sentences else "The findings are rare, but do not conflict"
            sentences.append(
                f"{yet}: {at_most(self.rarity)} simulated patients with the same variables observed have findings "
                "as improbable."
            )
        return " ".join(sentences) or "The findings fit together."

    def _conflict_in_words(self) -> str:
        named = listed(
            f"{self._phrase(one)} with {self._phrase(other)} "
            f"({times(self.pairs[one, other])} times rarer together than if unrelated)"
            for one, other in self.conflicting_pairs[:MOST_PAIRS]
        )
        sentence = f": {named}." if named else ", although no two of them conflict on their own."
        worst = self.least_fitting
        least = f" Least compatible with the others: {self._phrase(worst)}." if worst else ""
        return f"The findings conflict{sentence}{least}"

    def _phrase(self, variable: str) -> str:
        return phrase(self.variables[variable], self.evidence[variable])

    def to_dict(self) -> dict[str, Any]:
        """The answer as plain values, for JSON."""
        return {
            "category": self.category,
            "verdict": self.verdict,
            "conflict": self.conflict,
            "as_conflicting": self.as_conflicting,
            "rarity": self.rarity,
            "by_state": dict(self.by_state),
            "conflict_given": dict(self.conflict_given),
            "against_rest": dict(self.against_rest),
            "conflicting_pairs": [
                {"findings": list(pair), "conflict": self.pairs[pair]} for pair in self.conflicting_pairs
            ],
            "groups": {
                name: {"within": within, "with_others": others} for name, (within, others) in self.groups.items()
            },
            "unit": "nats",
        }

    @property
    def figures(self) -> str:
        """One sentence: conflict and rarity in figures."""
        return (
            f"Of simulated patients with the same variables observed, {percent(self.as_conflicting)} show at least as "
            f"much conflict and {percent(self.rarity)} have less probable findings."
        )

    def __repr__(self) -> str:
        return f"{self.verdict}\n{self.figures}"


def at_most(share: float) -> str:
    """A share of patients in words.

    >>> at_most(0.004), at_most(0.0001)
    ('4 in 1,000', 'fewer than 1 in 1,000')
    """
    return "fewer than 1 in 1,000" if share < 0.001 else f"{1000 * share:.0f} in 1,000"
