"""The explorer in a cell of a notebook."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from calcinosis.inference.model import Model, load
from calcinosis.interface.explorer.component import component
from calcinosis.interface.explorer.page import Page
from calcinosis.knowledge.frozen import FrozenMap

if TYPE_CHECKING:
    from panel.custom import JSComponent


def explorer(model: Model | None = None, findings: Mapping[str, Any] | None = None) -> JSComponent:
    """The what-if page."""
    import panel as pn
    if not getattr(explorer, "done", False): pn.extension(inline=True)
    explorer.done = True
    model = model or load()
    return component(model, Page(findings=FrozenMap(dict(findings or {}))), embedded=True)
