"""Independent random streams from one seed, one for each block of patients and purpose.

Any block can be drawn alone, and a change of one option (missingness, number of biopsies, a further variable) leaves
all other random numbers unchanged.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np

from calcinosis.inference.question_error import QuestionError

Seed = int | Sequence[int] | np.random.SeedSequence | np.random.BitGenerator | np.random.Generator | None
"""All that `numpy.random.default_rng` takes."""


def root_of(seed: Seed) -> np.random.SeedSequence:
    """The seed sequence of a seed. A Generator advances, so it gives a different one each time.

    Raises:
        QuestionError: for a number below 0.

    >>> root_of(7).entropy
    7
    """
    if isinstance(seed, np.random.SeedSequence):
        return seed
    if isinstance(seed, np.random.BitGenerator | np.random.Generator):
        return np.random.SeedSequence(np.random.default_rng(seed).integers(2**32, size=4).tolist())
    try:
        return np.random.SeedSequence(seed)
    except ValueError:
        raise QuestionError(f"seed must be 0 or more, not {seed}: give a whole number such as 0") from None


def stream(root: np.random.SeedSequence, block: int, *purpose: str) -> np.random.Generator:
    """The random numbers of one block of patients for one purpose, independent of what else is drawn.

    >>> one, same = (stream(root_of(7), 0, "missing", "pain") for _ in range(2))
    >>> one.random() == same.random()
    True
    """
    name = int.from_bytes(blake2b("\0".join(purpose).encode(), digest_size=16).digest(), "big")
    key = (*root.spawn_key, block, name)
    return np.random.default_rng(np.random.SeedSequence(root.entropy, spawn_key=key, pool_size=root.pool_size))
