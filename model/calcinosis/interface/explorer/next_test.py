"""The view 'next_test'."""

from __future__ import annotations

from typing import Any

from calcinosis.interface.explorer.situation import Situation


def view(situation: Situation) -> dict[str, Any]:
    """What its template shows."""
    return {}
