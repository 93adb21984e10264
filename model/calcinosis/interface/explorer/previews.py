"""What each answer to a finding would do to the bars: sent along with every answer, so that a look costs no waiting."""

from __future__ import annotations

from typing import Any

from calcinosis.inference.numbers import percent
from calcinosis.interface.explorer.page import SILENT
from calcinosis.interface.explorer.situation import Situation
from calcinosis.knowledge.records import State, Variable

Preview = dict[str, Any]


def previews(situation: Situation) -> dict[str, list[Preview]]:
    """By variable one line per answer that could still be given, in the order of its states.

    Each has the `value` as an action gives it, its `label`, the `chance` that just this would be found, and `bars`: the
    probability of each state of the target then, in percent, as a number and in words. Nothing where there is no answer
    to start from, or the answer is kept back.
    """
    page = situation.page
    if situation.posterior is None or page.waits:
        return {}
    frame = situation.sweep.frame
    states = list(situation.posterior)
    found: dict[str, list[Preview]] = {}
    kinds = frame["kind"].isin(("added", "changed", "repeated"))
    chosen = frame[kinds]
    columns = [chosen[name].to_list() for name in ("variable", "kind", "value", "chance")]
    for (variable, kind, value, chance), bars in zip(
        zip(*columns, strict=True), chosen[states].to_numpy().tolist(), strict=True
    ):
        own = situation.model.variables[variable]
        if own.repeatable and kind == "changed":
            continue
        last = last_result(own, value)
        found.setdefault(variable, []).append(
            {
                "value": last.name,
                "label": last.label or last.name,
                "chance": percent(chance),
                "open": page.findings.get(variable, "") in ("", *SILENT),
                "bars": [[round(100 * p, 2), percent(p)] for p in bars],
            }
        )
    return found


def last_result(variable: Variable, value: str) -> State:
    """The state that the last result of a finding shows, whose text may be of several, as in `absent,absent`.

    >>> from calcinosis.knowledge.records import State, Variable
    >>> last_result(Variable("pair", (State("b", ""), State("a,b", ""))), "b,a,b").name
    'a,b'
    """
    ends = [state for state in variable.states if value == state.name or value.endswith(f",{state.name}")]
    return max(ends, key=lambda state: len(state.name))
