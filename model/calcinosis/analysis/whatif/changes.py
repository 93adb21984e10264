"""Changes of a patient's findings: every other finding that is possible, one variable at a time.

A *change* sets one variable to another finding. The kinds of change:

- `added`: an unobserved variable gets each of its states;
- `changed`: an observed one gets each other state; for a repeatable one, one result changes;
- `repeated`: an observed repeatable one gets one further result;
- `removed`: an observed one becomes unknown.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np

from calcinosis.inference.engine.messages import Weights
from calcinosis.inference.findings.encoding import Coder, Codes, canonical
from calcinosis.inference.findings.evidence import Evidence, Finding
from calcinosis.inference.findings.reader import certain, finding_from
from calcinosis.inference.model import Model
from calcinosis.inference.question_error import QuestionError
from calcinosis.knowledge.problem import choose_from
from calcinosis.knowledge.records import Variable

Kind = Literal["added", "changed", "repeated", "removed"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True)
class Change:
    """One variable of a patient set to another finding; None if it becomes unknown."""

    variable: str
    kind: Kind
    finding: Finding | None

    @property
    def value(self) -> str:
        """The finding as it would be given, such as `severe` or `absent,absent`; `unknown` if removed."""
        return self.finding.given if self.finding else "unknown"

    def __str__(self) -> str:
        return f"{self.variable}={self.value}"


def changes_of(model: Model, evidence: Evidence, kinds: Collection[Kind] = KINDS) -> tuple[Change, ...]:
    """Every change of one variable, in the order of the variables and their states.

    Hidden variables and the target cannot be observed, so they are not changed.

    >>> import calcinosis as cc
    >>> model = cc.load()
    >>> [str(c) for c in changes_of(model, model.read(pain="severe")) if c.variable == "pain"]
    ['pain=none', 'pain=intermittent', 'pain=unknown']
    """
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown:
        raise QuestionError(f"no kind of change {unknown[0]!r}: {choose_from(unknown[0], KINDS)}")
    return tuple(
        change
        for variable in model.variables.values()
        if variable.name not in model.inferred
        for change in _of_variable(variable, evidence.get(variable.name))
        if change.kind in kinds
    )


def with_findings(model: Model, evidence: Evidence, findings: Mapping[str, Any]) -> Evidence:
    """The evidence with other findings for some variables; `unknown` removes one. Stated variables are not silent.

    Raises:
        FindingsError: for invalid findings.

    >>> import calcinosis as cc
    >>> model = cc.load()
    >>> print(with_findings(model, model.read(pain="severe", sex="female"), {"pain": "none", "sex": "unknown"}))
    pain = none
    """
    new = model.read(findings)
    records = model.mentions_by_record.values()
    stated = {*findings, *(mentions[name] for mentions in records for name in findings if name in mentions)}
    changed = {f.variable: f for f in evidence if f.variable not in stated}
    changed |= {f.variable: f for f in new if f.variable in stated}
    return Evidence(tuple(changed[name] for name in model.variables if name in changed), new.notes)


@dataclass(frozen=True, eq=False)
class Alternatives:
    """A patient and the possible changes, encoded so that any combination of them can be weighed.

    `codes` are the codes of the changed findings, `now` those of the present findings.
    """

    model: Model
    changes: tuple[Change, ...]
    coder: Coder
    codes: Codes
    now: Mapping[str, int]

    @classmethod
    def of(cls, model: Model, evidence: Evidence, kinds: Collection[Kind] = KINDS) -> Alternatives:
        """The changes of these kinds that are possible for a patient's findings."""
        coder = Coder(model.engine.base)
        now = {f.variable: coder.code(f.variable, f.likelihoods)[0] for f in evidence}
        changes = changes_of(model, evidence, kinds)
        codes = [
            coder.code(c.variable, c.finding.likelihoods)[0] if c.finding else model.engine.base[c.variable][()]
            for c in changes
        ]
        return cls(model, changes, coder, np.array(codes, dtype=np.int32), now)

    @cached_property
    def variables(self) -> Codes:
        """The number of the variable of each change."""
        number = {name: i for i, name in enumerate(self.model.variables)}
        return np.array([number[change.variable] for change in self.changes], dtype=np.int32)

    def weigh(self, sets: Codes) -> Weights:
        """The weights with some changes made together: `sets`, axes `(sets, changes made)`, holds their numbers."""
        return self._weigh(sets, self.codes)

    def weigh_without(self, sets: Codes) -> Weights:
        """The weights without the changed variables, except those to which a further result was added."""
        missing = [
            self.now[change.variable] if change.kind == "repeated" else self.model.engine.base[change.variable][()]
            for change in self.changes
        ]
        return self._weigh(sets, np.array(missing, dtype=np.int32))

    def _weigh(self, sets: Codes, new: Codes) -> Weights:
        base = self.model.engine.base
        names = dict.fromkeys([*self.now, *(change.variable for change in self.changes)])
        codes = {name: np.full(len(sets), self.now.get(name, base[name][()]), dtype=np.int32) for name in names}
        number = {name: i for i, name in enumerate(self.model.variables)}
        for made in sets.T:
            owner = self.variables[made]
            for name in names:
                mine = owner == number[name]
                codes[name][mine] = new[made[mine]]
        return self.model.engine.weigh(self.coder.coded(len(sets), codes))


def _of_variable(variable: Variable, finding_now: Finding | None) -> Iterator[Change]:
    sure = {state: certain(variable, state) for state in variable.state_names}
    if finding_now is None:
        for finding in sure.values():
            yield Change(variable.name, "added", finding)
        return
    results = finding_now.likelihoods
    seen = {canonical(finding_now.on_one_scale.likelihoods)[0]}
    for result in dict.fromkeys(results):  # equal results are interchangeable
        place = results.index(result)
        for finding in sure.values():
            other = finding_from(variable, (*results[:place], *finding.likelihoods, *results[place + 1 :]))
            key = canonical(other.on_one_scale.likelihoods)[0]
            if key not in seen:
                seen.add(key)
                yield Change(variable.name, "changed", other)
    if variable.repeatable:
        for finding in sure.values():
            yield Change(variable.name, "repeated", finding_from(variable, (*results, *finding.likelihoods)))
    yield Change(variable.name, "removed", None)
