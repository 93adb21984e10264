"""The cache of drawn rows, bounded in memory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from calcinosis.inference.intervals.sparse import Number

MOST_KEPT = 2**28
"""The approximate size in bytes of the cache of drawn rows, 256 MiB. Beyond it the oldest rows are dropped; if needed
again, the same numbers are drawn."""


class RowCache(dict[tuple[str, int, int, bytes], list[Number]]):
    """A cache of drawn rows, oldest first; the oldest are dropped when it is full."""

    size = 0
    """The size of the cached rows in bytes."""

    def keep(self, key: tuple[str, int, int, bytes], numbers: list[Number]) -> None:
        """Cache the numbers of a row, dropping the oldest rows if necessary."""
        self[key] = numbers
        self.size += _bytes(numbers)
        while self.size > MOST_KEPT and len(self) > 1:
            self.size -= _bytes(self.pop(next(iter(self))))


def _bytes(numbers: Sequence[Number]) -> int:
    return sum(number.nbytes for number in numbers if isinstance(number, np.ndarray))
