"""Tables as plain rows, for text and JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


def lines_of(frame: pd.DataFrame) -> list[Any]:
    """The rows of a table, each with its columns as attributes, in order."""
    return list(frame.itertuples(index=False))


def plain_lines(frame: pd.DataFrame, most: int | None = None) -> list[dict[str, Any]]:
    """The rows of a table as plain values, for JSON; the first `most` of them."""
    rows = frame if most is None else frame.head(most)
    return [{str(key): plain(value) for key, value in line.items()} for line in rows.to_dict("records")]


def plain(value: Any) -> Any:
    """A JSON value: None for NaN, 'inf' for infinity."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return None if np.isnan(value) else "inf" if np.isinf(value) else value
    return value
