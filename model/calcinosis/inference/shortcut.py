"""One patient in microseconds: findings seen before, each with what it adds to the row of its lookup table.

A finding written as a text, or a list of texts, is read once by the grammar and remembered with the step it makes in
the tables. What has no base code, needs a covariate or is not understood goes the long way, which also tells what is
wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from calcinosis.inference.coding import canonical
from calcinosis.inference.engine import Engine
from calcinosis.inference.evidence import Finding
from calcinosis.inference.findings import FindingsError, read_findings
from calcinosis.inference.network import Network

MOST_KNOWN = 2**14
"""How many findings are remembered; then all are forgotten, so that memory stays bounded."""


class Step(NamedTuple):
    """What a finding adds: to the evidence at `position`, to the row of lookup number `lookup`; None if nothing."""

    position: int
    lookup: int
    shift: int
    finding: Finding | None


@dataclass(frozen=True, eq=False)
class Shortcut:
    """The way of one patient through the tables of an engine."""

    engine: Engine
    network: Network
    known: dict[tuple[str, Any], Step] = field(default_factory=dict)

    def rows(self, findings: Mapping[str, Any]) -> tuple[list[int], list[Step]] | None:
        """The row of each lookup, and the steps to it; None for findings that must go the long way."""
        rows, steps, known = list(self.engine.unseen), [], self.known
        for name, given in findings.items():
            value = tuple(given) if type(given) is list else given
            try:
                step = known[name, value]
            except (KeyError, TypeError):
                learned = self._learn(name, value)
                if learned is None:
                    return None
                step = learned
            if step.finding is not None:
                rows[step.lookup] += step.shift
                steps.append(step)
        return rows, steps

    def _learn(self, name: str, value: Any) -> Step | None:
        """The step of a finding met for the first time."""
        # only texts: True and 1 are equal as keys, but not as findings
        if not (type(value) is str or (type(value) is tuple and all(type(item) is str for item in value))):
            return None
        variable = self.network.variables.get(name)
        if variable is None:
            return None
        try:
            evidence = read_findings({name: list(value) if type(value) is tuple else value}, {name: variable})
        except FindingsError:
            return None
        lookup, shifts = self.engine.shifts[name]
        position = list(self.network.variables).index(name)
        step = Step(position, lookup, 0, None)
        for finding in evidence:
            key, exponent = canonical(finding.likelihoods)
            code = self.engine.base[name].get(key)
            if code is None or exponent:
                return None
            step = Step(position, lookup, shifts[code] - shifts[self.engine.base[name][()]], finding)
        if len(self.known) >= MOST_KNOWN:
            self.known.clear()
        self.known[name, value] = step
        return step
