"""The views below the answer, each a short file of its own: which is shown, and as which template."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from calcinosis.interface.explorer.rendering import render
from calcinosis.interface.explorer.situation import Situation

VIEWS = {
    "why": "why",
    "what-if": "what_if",
    "next": "next_test",
    "decide": "decide",
    "sensitivity": "sensitivity",
    "compare": "compare",
    "network": "network",
    "priors": "tables",
}
"""Each view with the module that makes its values (its function `view`) and the template that shows them."""


def view(situation: Situation) -> str:
    """The HTML of the view that the page shows.

    Raises:
        QuestionError: if what is asked has no answer, with the reason.
    """
    name = VIEWS[situation.page.tab]
    make: Callable[[Situation], dict[str, Any]] = import_module(f"calcinosis.interface.explorer.{name}").view
    if situation.posterior is None and situation.page.tab != "priors":
        return render("words", words="There is no answer to look at: take one of the findings above away.")
    return render(name, **make(situation))
