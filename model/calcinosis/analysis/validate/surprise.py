"""How often a network that was nearly sure was wrong: the surprise index of Netica's test with cases."""

from __future__ import annotations

from dataclasses import dataclass

from calcinosis.inference.network import Array

LEVELS = (("below 1%", 0.01, False), ("below 10%", 0.1, False), ("above 90%", 0.9, True), ("above 99%", 0.99, True))
"""What a forecast may say: in words, its limit, and whether it lies above that."""


@dataclass(frozen=True)
class Surprise:
    """Of the forecasts that said so: how many `times`, how often it came `otherwise`, that as a `share`, and the share
    that the forecasts themselves `allowed`."""

    said: str
    times: int
    otherwise: int
    share: float
    allowed: float


def surprises(forecasts: Array, came: Array) -> list[Surprise]:
    """The surprises of forecasts, and what came true, of one shape; levels that no forecast reaches are left out.

    >>> import numpy as np
    >>> surprises(np.array([0.005, 0.005, 0.5]), np.array([False, True, True]))[0]
    Surprise(said='below 1%', times=2, otherwise=1, share=0.5, allowed=0.005)
    """
    found = []
    for said, limit, above in LEVELS:
        there = forecasts > limit if above else forecasts < limit
        if there.any():
            wrong = came[there] != above
            allowed = (1 - forecasts if above else forecasts)[there].mean()
            found.append(Surprise(said, int(there.sum()), int(wrong.sum()), float(wrong.mean()), float(allowed)))
    return found
