"""One patient in microseconds: findings are cached with the offset they add to the row of their lookup table.

A finding given as a text, or a list of texts, is parsed once and cached with its offset; rows for findings without a
base code are cached too. Findings that need a covariate or are not understood take the general route, which also
reports the errors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from calcinosis.inference.engine.engine import Engine
from calcinosis.inference.findings.encoding import Likelihoods, canonical, encode
from calcinosis.inference.findings.evidence import Evidence, Finding
from calcinosis.inference.findings.reader import FindingsError, read_findings
from calcinosis.inference.network import Array, Network

MOST_KNOWN = 2**14
"""The size of a cache; a full cache is cleared, so that memory stays bounded."""

MOST_ITEMS = 100
"""A longer list of results is not cached, because it would take too much memory."""


class FindingStep(NamedTuple):
    """The contribution of a finding: `position` in the evidence, and `shift`, the offset in the rows of `lookup`.

    `finding` is None if nothing was observed. A finding without a base code has `likelihoods`, divided by a power of
    two, instead of a shift.
    """

    position: int
    lookup: int
    shift: int
    finding: Finding | None
    likelihoods: Likelihoods | None = None
    exponent: int = 0


@dataclass(frozen=True, eq=False)
class SinglePatient:
    """The lookup-table route for one patient, with its caches."""

    engine: Engine
    network: Network
    known: dict[tuple[str, Any], FindingStep] = field(default_factory=dict)
    further: dict[tuple[Any, ...], Array] = field(default_factory=dict)

    def rows(self, findings: Mapping[str, Any]) -> tuple[list[int | Array], list[FindingStep]] | None:
        """The row of each lookup, as an index or an array, and its steps; None if the general route is needed."""
        rows: list[Any] = list(self.engine.unseen)
        steps, beyond, remembered = [], set(), self.known
        for name, given in findings.items():
            value = tuple(given) if type(given) is list else given
            try:
                step = remembered[name, value]
            except (KeyError, TypeError):
                learned = self._learn(name, value)
                if learned is None:
                    return None
                step = learned
            if step.finding is not None:
                rows[step.lookup] += step.shift
                steps.append(step)
                if step.likelihoods is not None:
                    beyond.add(step.lookup)
        for lookup in beyond:
            rows[lookup] = self._row(lookup, [step for step in steps if step.lookup == lookup])
        return rows, steps

    def _learn(self, name: str, value: Any) -> FindingStep | None:
        """The step of a finding that is not cached yet."""
        items = value if type(value) is tuple else (value,)
        variable = self.network.variables.get(name)
        # only texts: True and 1 are equal as keys but not as findings
        if variable is None or len(items) > MOST_ITEMS or not all(type(item) is str for item in items):
            return None
        try:
            evidence = read_findings({name: list(value) if type(value) is tuple else value}, {name: variable})
        except FindingsError:
            return None
        lookup, shifts = self.engine.shifts[name]
        base = self.engine.base[name]
        position = list(self.network.variables).index(name)
        step = FindingStep(position, lookup, 0, None)
        for finding in evidence:
            key, exponent = canonical(finding.likelihoods)
            if key in base:
                step = FindingStep(position, lookup, shifts[base[key]] - shifts[base[()]], finding, None, exponent)
            else:
                step = FindingStep(position, lookup, 0, finding, key, exponent)
        _remember(self.known, (name, value), step)
        return step

    def _row(self, lookup: int, steps: list[FindingStep]) -> Array:
        """The row of a lookup for findings some of which have no base code."""
        findings = [step.finding for step in steps if step.finding]
        memory = (lookup, *sorted((finding.variable, canonical(finding.likelihoods)[0]) for finding in findings))
        row = self.further.get(memory)
        if row is None:
            coded = encode(self.engine.base, [Evidence(tuple(findings))])
            table = self.engine.lookups[lookup]
            row = self.engine.joined(table.branches, table.weights, coded)[0][0]
            _remember(self.further, memory, row)
        return row


def _remember(memory: dict[Any, Any], key: Any, value: Any) -> None:
    if len(memory) >= MOST_KNOWN:
        memory.clear()
    memory[key] = value
