"""Tables as plain lines, for texts and for JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


def lines_of(frame: pd.DataFrame) -> list[Any]:
    """The lines of a table, each with its columns as attributes and in order."""
    return list(frame.itertuples(index=False))


def plain_lines(frame: pd.DataFrame, most: int | None = None) -> list[dict[str, Any]]:
    """The lines of a table as plain values, for JSON; the first `most` of them."""
    chosen = frame if most is None else frame.head(most)
    return [{str(key): plain(value) for key, value in line.items()} for line in chosen.to_dict("records")]


def plain(value: Any) -> Any:
    """A value that JSON has: None for what is not a number, 'inf' for no limit."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return None if np.isnan(value) else "inf" if np.isinf(value) else value
    return value
