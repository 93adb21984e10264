"""A mix of subtypes as it is asked for: every one named, the shares adding up to 1."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from calcinosis.inference.question_error import QuestionError
from calcinosis.knowledge.problem import choose_from

Prevalence = Mapping[str, float] | Sequence[float]
"""The share of each state of the target, by name or in order."""


def read_prevalence(prevalence: Prevalence, states: Sequence[str]) -> tuple[float, ...]:
    """The share of each state, in order.

    Raises:
        QuestionError: for a state that there is not, one that is not named, or shares that are not above 0 or do not
            add up to 1.

    >>> read_prevalence({"flu": 0.1, "cold": 0.9}, ["cold", "flu"])
    (0.9, 0.1)
    """
    if hasattr(prevalence, "keys"):  # a pandas.Series too: its names count, not its order
        given = dict(prevalence)
    elif len(prevalence) == len(states):
        given = dict(zip(states, prevalence, strict=True))
    else:
        raise QuestionError(f"{len(prevalence)} shares for {len(states)} subtypes: give one for each")
    for name in given:
        if name not in states:
            raise QuestionError(f"no subtype {name!r}: {choose_from(name, list(states))}")
    lacking = [name for name in states if name not in given]
    if lacking:
        raise QuestionError(f"the mix of subtypes lacks {', '.join(lacking)}: give the share of each")
    shares = tuple(float(given[name]) for name in states)
    for name, share in zip(states, shares, strict=True):
        if not 0 < share < 1:
            raise QuestionError(f"the share of {name} is {share:g}: give a number between 0 and 1")
    if abs(math.fsum(shares) - 1) > 1e-6:
        raise QuestionError(f"the shares add up to {math.fsum(shares):g}, not to 1")
    return shares
