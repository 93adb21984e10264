"""Everything that an open page holds, as one frozen record: a click makes a new one, and undo goes back to the last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from calcinosis.inference.findings.reader import Fault, FindingsError
from calcinosis.inference.model import Model
from calcinosis.knowledge.frozen import FrozenMap

TABS = {
    "why": "Why",
    "what-if": "What if",
    "next": "Next test",
    "decide": "Decide",
    "sensitivity": "Sensitivity",
    "compare": "Compare",
    "network": "Network",
    "priors": "Priors",
}
"""The views below the answer by name, with their titles, in order."""

UNKNOWN, PENDING = "unknown", "pending"
SILENT = (UNKNOWN, PENDING)
"""The values of a finding that was asked for and is not known, or not yet: they leave the model alone, but are kept and
shown."""

LONGEST_FINDING, MOST_RESULTS = 2_000, 100
"""How many characters and results a finding of a page has at most; Python and the shell take more."""


class Draft(NamedTuple):
    """A laboratory value as typed so far, not yet a finding: its number, its unit, and what is wrong with it."""

    number: str
    unit: str
    fault: str = ""


class Estimate(NamedTuple):
    """The user's own first estimate: a state of the target and how probable he holds it, in percent."""

    state: str
    percent: int


class Edit(NamedTuple):
    """A row of a table as edited in the page: its probabilities and its weight."""

    variable: str
    given: tuple[str, ...]
    probabilities: tuple[float, ...]
    weight: float


Findings = Mapping[str, str]


def check_findings(findings: Mapping[str, str], model: Model) -> None:
    """Refuse findings that are not understood, or are more than a page can show at once.

    Raises:
        FindingsError: with every finding that is at fault.
    """
    long = [name for name, text in findings.items() if len(text) > LONGEST_FINDING]
    if long:
        what = f"more than {LONGEST_FINDING:,} characters"
        raise FindingsError(Fault(name, findings[name], what, "enter fewer results") for name in long)
    many = [own for own in model.read(findings) if len(own.likelihoods) > MOST_RESULTS]
    if many:
        what = f"more than {MOST_RESULTS} results"
        raise FindingsError(Fault(own.variable, own.given, what, "enter fewer of them") for own in many)


def enterable(model: Model) -> tuple[str, ...]:
    """What can be entered in a page: all that findings may be given for, but for what nobody can observe."""
    hidden = {name for name, own in model.variables.items() if not own.observable or name == model.target}
    return tuple(name for name in model.names if name not in hidden)


def _nothing() -> Findings:
    return FrozenMap({})


@dataclass(frozen=True)
class Page:
    """What a page holds.

    - `findings` has a text in the findings grammar by variable, `unknown` among them; a variable that is not there was
      not asked for. `drafts` has the numbers that are not yet findings.
    - `dates` has by variable the day of each of its results, as 2023-07-15 or empty; they are told along, no more.
    - `case` names the published case the findings began as; empty if none.
    - `estimate` is the user's own; while `blind`, the answer is kept back until there is one.
    - `tab` is the view below the answer; `state` and `against` what it explains, empty for the leading state and for
      all others; `ranking` how tests are ranked, `away` the tests that are not available here.
    - `utilities` are values other than those of the priors, in points by name; `unavailable` the actions that are not
      to be had here.
    - `other` is the patient compared with, None if none was chosen.
    - `edits` are the edited rows of the tables; `table` is the table shown.
    - `opened` are the parts of the view that are unfolded.
    """

    findings: Findings = field(default_factory=_nothing)
    drafts: Mapping[str, Draft] = field(default_factory=lambda: FrozenMap({}))
    dates: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: FrozenMap({}))
    case: str = ""
    estimate: Estimate | None = None
    blind: bool = False
    tab: str = "why"
    state: str = ""
    against: str = ""
    ranking: str = "information"
    away: frozenset[str] = frozenset()
    utilities: Mapping[str, float] = field(default_factory=lambda: FrozenMap({}))
    unavailable: frozenset[str] = frozenset()
    other: Findings | None = None
    edits: tuple[Edit, ...] = ()
    table: str = ""
    opened: frozenset[str] = frozenset()

    @property
    def waits(self) -> bool:
        """Whether the answer is kept back, until the user has made an estimate of his own."""
        return self.blind and self.estimate is None

    def with_finding(self, variable: str, text: str) -> Page:
        """The page with another finding of a variable; with none of it, if the text is empty."""
        others = {name: own for name, own in self.findings.items() if name != variable}
        drafts = FrozenMap({name: own for name, own in self.drafts.items() if name != variable})
        dates = self.dates
        if text in ("", *SILENT):
            dates = FrozenMap({name: own for name, own in dates.items() if name != variable})
        if text:
            # a finding keeps its place, so that a change of it changes nothing else
            others = {name: text if name == variable else own for name, own in self.findings.items()} | {variable: text}
        return replace(self, findings=FrozenMap(others), drafts=drafts, dates=dates)

    def dates_of(self, variable: str, results: int) -> list[str]:
        """The day of each of the results of a variable, empty where none was given."""
        known = self.dates.get(variable, ())
        return [*known, *[""] * results][:results]

    def with_dates(self, variable: str, days: list[str]) -> Page:
        """The page with other days of a variable's results."""
        others = {name: own for name, own in self.dates.items() if name != variable}
        return replace(self, dates=FrozenMap(others | ({variable: tuple(days)} if any(days) else {})))

    def with_draft(self, variable: str, draft: Draft) -> Page:
        """The page with a number that is not yet a finding, and so with no finding of the variable."""
        page = self.with_finding(variable, "")
        return replace(page, drafts=FrozenMap({**page.drafts, variable: draft}))

    def seen_as(self, other: Page) -> Page:
        """The page, looked at as another page is."""
        return replace(self, **{name: getattr(other, name) for name in LOOKS})

    def changed(self, **fields: Any) -> Page:
        """The page with other fields."""
        return replace(self, **fields)


LOOKS = ("tab", "state", "against", "ranking", "table", "opened")
"""The fields that are not about the patient, but about how the page is looked at: undo leaves them alone."""
