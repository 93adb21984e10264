"""What can be taken away from the page: the report, the five-line summary, JSON, the edited tables."""

from __future__ import annotations

from typing import Any

from calcinosis.interface.explorer.situation import Situation


def download(what: str, situation: Situation, published: dict[str, str] | None) -> dict[str, Any]:
    """What the browser saves or copies."""
    raise NotImplementedError(what)
