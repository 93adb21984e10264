"""The records of decisions/: actions, their outcomes and harms, and utilities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from calcinosis.knowledge.frozen import FrozenMap

KINDS = ("outcome", "harm", "delay")
"""What has a utility: an outcome, a harm, or a day of waiting for a result."""

TEST_HARM = "test_complication"
"""The item under which a complication of a test is valued; its probability is in tests.csv."""

LOWEST, HIGHEST = 0.0, 100.0
"""The limits of the utility scale, in points."""


@dataclass(frozen=True)
class ClinicalTest:
    """A test for a patient: the variables it reveals, and its price.

    `reveals` names variables; a repeatable variable may be named twice for two results at once, as in a deep biopsy.
    `cost` is in US dollars, `harm` the probability of a complication that needs attention, `days` the time to the
    result; `weight` is the equivalent sample size of the harm, None if unknown. `after` names variables that must be
    known before the test is offered: a repeat biopsy is offered only once `vascular_histology` has a result.
    """

    name: str
    label: str
    reveals: tuple[str, ...]
    cost: float
    harm: float
    days: float
    sources: tuple[str, ...]
    after: tuple[str, ...] = ()
    note: str = ""
    line: int = field(default=0, compare=False)
    weight: float | None = field(default=None, metadata={"added": True})


@dataclass(frozen=True)
class Action:
    """An action for a patient: a treatment, or tests followed by a treatment.

    `steps` are the tests in order, empty for a treatment; of each step, the first available test is done. The treatment
    `meanwhile`, if any, is given while results are awaited. `when` lists findings (variable and state) that must be
    known before the action is offered.
    """

    name: str
    label: str
    steps: tuple[tuple[str, ...], ...]
    meanwhile: str
    when: tuple[tuple[str, str], ...]
    sources: tuple[str, ...]
    note: str = ""
    line: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Response:
    """The outcome probabilities of some treatments in a subtype; one row, so `actions` share one draw.

    Like a row of a table, it has a Dirichlet distribution with parameters `probability × weight`.
    """

    actions: tuple[str, ...]
    subtype: str
    probabilities: tuple[float, ...]
    weight: float
    sources: tuple[str, ...]
    note: str = ""
    line: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Harm:
    """The probability of a harm under some treatments, in any subtype: a Beta distribution with this `weight`."""

    actions: tuple[str, ...]
    harm: str
    probability: float
    weight: float
    sources: tuple[str, ...]
    note: str = ""
    line: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Utility:
    """The utility of an outcome in points (0 to 100), or the points that a harm or a day of waiting costs.

    A row with a `subtype` holds for that subtype only, and takes precedence over the row without.
    """

    item: str
    kind: str
    subtype: str
    label: str
    value: float
    sources: tuple[str, ...]
    note: str = ""
    line: int = field(default=0, compare=False)

    @property
    def name(self) -> str:
        """The item, with `@subtype` if it holds for one subtype only."""
        return f"{self.item}@{self.subtype}" if self.subtype else self.item


@dataclass(frozen=True)
class Decisions:
    """A valid decisions/ folder; `actions` and `utilities` are keyed by name."""

    actions: Mapping[str, Action]
    outcomes: tuple[str, ...]
    responses: tuple[Response, ...]
    harms: tuple[Harm, ...]
    utilities: Mapping[str, Utility]

    @property
    def treatments(self) -> tuple[Action, ...]:
        """The actions without tests."""
        return tuple(action for action in self.actions.values() if not action.steps)

    @property
    def content(self) -> tuple[object, ...]:
        """All decisions for the digest, independent of the order of rows."""
        responses = frozenset(
            (
                frozenset(row.actions),
                row.subtype,
                FrozenMap(dict(zip(self.outcomes, row.probabilities, strict=True))),
                row.weight,
                row.sources,
                row.note,
            )
            for row in self.responses
        )
        harms = frozenset(
            (frozenset(row.actions), row.harm, row.probability, row.weight, row.sources, row.note) for row in self.harms
        )
        return self.actions, responses, harms, self.utilities

    def utility(self, item: str, subtype: str) -> Utility | None:
        """The utility of an item in a subtype, or None."""
        return self.utilities.get(f"{item}@{subtype}") or self.utilities.get(item)
