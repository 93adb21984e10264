"""The records of decisions/: what can be done for a patient, what comes of it, and what that is worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

KINDS = ("outcome", "harm", "delay")
"""What can be given a value: how it ends, a harm on the way, a day of waiting for a result."""

TEST_HARM = "test_complication"
"""The name under which a complication of a test of tests.csv is valued; how probable it is stands there."""

LOWEST, HIGHEST = 0.0, 100.0
"""The ends of the scale of values, in points."""


@dataclass(frozen=True)
class Action:
    """Something that can be done for a patient: a treatment, or tests first and then a treatment.

    `steps` are the tests in their order, empty for a treatment; each is the first of its names that can be done. The
    treatment `meanwhile`, if any, is given while results are awaited. `when` are findings, as variable and state, that
    must be known before the action is offered.
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
    """How often each outcome follows some treatments in a subtype; one row, so one draw for all of `actions`.

    As a row of a table it stands for a Dirichlet distribution with parameters `probability × weight`.
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
    """How probable a harm is under some treatments, whatever the subtype: a Beta distribution by its `weight`."""

    actions: tuple[str, ...]
    harm: str
    probability: float
    weight: float
    sources: tuple[str, ...]
    note: str = ""
    line: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Utility:
    """The value of an outcome in points (0 to 100), or the points that a harm or a day of waiting costs.

    With a `subtype` it holds for that one only, and goes before the row without.
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
        """The item, with `@subtype` where it holds for one subtype only."""
        return f"{self.item}@{self.subtype}" if self.subtype else self.item


@dataclass(frozen=True)
class Decisions:
    """A decisions/ folder that was read and found without fault; `actions` and `utilities` are keyed by name."""

    actions: Mapping[str, Action]
    outcomes: tuple[str, ...]
    responses: tuple[Response, ...]
    harms: tuple[Harm, ...]
    utilities: Mapping[str, Utility]

    @property
    def treatments(self) -> tuple[Action, ...]:
        """The actions that need no test."""
        return tuple(action for action in self.actions.values() if not action.steps)

    def utility(self, item: str, subtype: str) -> Utility | None:
        """The row that values an item in a subtype, or None if none does."""
        return self.utilities.get(f"{item}@{subtype}") or self.utilities.get(item)
