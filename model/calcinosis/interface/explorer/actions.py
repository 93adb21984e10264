"""What each click does to the page: a page and an action in, another page out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from calcinosis.analysis.workup.ranking import RANKINGS
from calcinosis.inference.findings.evidence import Finding
from calcinosis.inference.findings.measurement import split_measurement
from calcinosis.inference.findings.reader import FindingsError, finding_from
from calcinosis.inference.model import Model
from calcinosis.interface.explorer.edit_rows import EditError, with_edit
from calcinosis.interface.explorer.measured import converted, in_units
from calcinosis.interface.explorer.page import SILENT, TABS, Draft, Estimate, Page, check_findings, enterable
from calcinosis.interface.explorer.typed import typed, unit_of
from calcinosis.knowledge.decisions import HIGHEST, LOWEST, Decisions
from calcinosis.knowledge.frozen import FrozenMap
from calcinosis.knowledge.number import whole_number
from calcinosis.knowledge.records import Variable

LONGEST = 400
"""How many characters a value that was typed may have."""

MOST_FINDINGS = 100
"""How many findings are adopted at once."""

STRENGTHS = {"perhaps": 3.0, "probably": 10.0, "almost surely": 30.0}
"""How many times as well a state then explains what was seen as any other: rounded steps of the scale of evidence by
Jeffreys (Theory of Probability, 1961, appendix B: 3.2, 10, 31.6)."""

Action = Mapping[str, Any]


class ActionError(ValueError):
    """An action that cannot be done, in words for the one who did it."""


def act(page: Page, action: Action, model: Model) -> Page:
    """The page after an action: what was done (`do`), to which `variable`, with which `value`.

    Raises:
        ActionError: for an action that is none, or a value that cannot be.

    >>> import calcinosis as cc
    >>> page = act(Page(), {"do": "set", "variable": "pain", "value": "severe"}, cc.load())
    >>> dict(page.findings)
    {'pain': 'severe'}
    """
    done = _ACTIONS.get(_read(action.get("do", "")))
    if done is None:
        raise ActionError("The page asked for something that this program does not know: reload it.")
    return done(page, action, model)


def _read(value: Any) -> str:
    """A value of an action as a text: every value is read here, whatever it is part of."""
    if not isinstance(value, str | int | float | None):
        raise ActionError("That is neither a text nor a number.")
    text = "" if value is None else str(value)
    if len(text) > LONGEST:
        raise ActionError(f"That is too long: at most {LONGEST} characters can be read.")
    return text


def _variable(action: Action, model: Model) -> str:
    name = _read(action.get("variable", ""))
    if name not in enterable(model):
        raise ActionError(f"There is no variable {name[:60]!r}.")
    return name


def _value(action: Action) -> str:
    return _read(action.get("value", "")).strip()


def _values(action: Action) -> list[str]:
    found = action.get("values", [])
    return [_read(word) for word in found] if isinstance(found, list) and len(found) <= LONGEST else []


def _set(page: Page, action: Action, model: Model) -> Page:
    """A finding as a text in the grammar; none, if the text is empty."""
    return _entered(page, _variable(action, model), _value(action), model)


def _entered(page: Page, name: str, text: str, model: Model) -> Page:
    if text and text not in SILENT:
        try:
            check_findings({name: text}, model)
        except FindingsError as error:
            raise ActionError(f"{error.faults[0].what}: {error.faults[0].fix}") from None
    return page.with_finding(name, text)


def _add(page: Page, action: Action, model: Model) -> Page:
    """One more result of a repeatable variable."""
    name = _variable(action, model)
    known = page.findings.get(name, "")
    results = [] if known in ("", *SILENT) else [known]
    return _entered(page, name, ",".join([*results, _value(action)]), model)


def _adopt(page: Page, action: Action, model: Model) -> Page:
    """Several findings at once, each as it is set alone: all of them, or none."""
    for name, value in _pairs(action.get("findings")):
        page = _set(page, {"variable": name, "value": value}, model)
    return page


def _pairs(findings: Any) -> list[tuple[str, str]]:
    """Variables with their values: a list of such pairs, or the JSON of one."""
    text = _read(findings) if isinstance(findings, str) else ""
    try:
        found = [(name, value) for name, value in (json.loads(text) if text else findings)]
    except (TypeError, ValueError, RecursionError):  # among them JSON that cannot be read
        raise ActionError("These are no findings that could be adopted.") from None
    if len(found) > MOST_FINDINGS:
        raise ActionError(f"That is too much at once: at most {MOST_FINDINGS} findings can be adopted.")
    return [(_read(name), _read(value)) for name, value in found]


def _drop(page: Page, action: Action, model: Model) -> Page:
    """One result of a repeatable variable less, by its place."""
    name, place = _variable(action, model), whole_number(_value(action))
    finding = _finding(page, model, name)
    if finding is None or place is None or place >= len(finding.likelihoods):
        raise ActionError("There is no such result.")
    results, days = list(finding.likelihoods), page.dates_of(name, len(finding.likelihoods))
    for own in (results, days):
        del own[place]
    text = finding_from(model.variables[name], results).given if results else ""
    return page.with_dates(name, days).with_finding(name, text)


def _date(page: Page, action: Action, model: Model) -> Page:
    """The day of a result, by its place; none, if it is empty."""
    name, day, place = _variable(action, model), _value(action), whole_number(_read(action.get("place", "0")))
    finding = _finding(page, model, name)
    if finding is None or place is None or place >= len(finding.likelihoods):
        raise ActionError("There is no such result.")
    days = page.dates_of(name, len(finding.likelihoods))
    days[place] = day and read_day(day)
    return page.with_dates(name, days)


def read_day(words: str) -> str:
    """A day such as 2023-07-15, as it stands.

    Raises:
        ActionError: if it is none.
    """
    try:
        return date.fromisoformat(words).isoformat()
    except ValueError:
        raise ActionError(f"{words[:20]!r} is no day: write for instance 2023-07-15.") from None


def _either(page: Page, action: Action, model: Model) -> Page:
    """Either of some states; all of them, or none, says nothing."""
    name = _variable(action, model)
    states = _states(model, name)
    chosen = [state for state in states if state in _values(action)]
    return page.with_finding(name, "" if len(chosen) in (0, len(states)) else "/".join(chosen))


def _probably(page: Page, action: Action, model: Model) -> Page:
    """A state that is probably true, in one of three strengths."""
    name, (state, _, strength) = _variable(action, model), _value(action).rpartition(":")
    states = _states(model, name)
    if state not in states or strength not in STRENGTHS:
        raise ActionError("Choose a state and how sure it is.")
    share = 1 / STRENGTHS[strength]
    return page.with_finding(name, _likelihoods({own: 1.0 if own == state else share for own in states}))


def _likelihood(page: Page, action: Action, model: Model) -> Page:
    """The likelihood of one state, in percent, as the expert's slider has it; the others stay."""
    name, state = _variable(action, model), _read(action.get("state", ""))
    number = whole_number(_value(action))
    if state not in _states(model, name) or number is None or number > 100:
        raise ActionError("A likelihood lies between 0 and 100%.")
    own = likelihoods_of(_finding(page, model, name), model.variables[name])
    own[state] = number / 100
    if not any(own.values()):
        raise ActionError("At least one likelihood must lie above 0.")
    return page.with_finding(name, "" if len(set(own.values())) == 1 else _likelihoods(own))


def likelihoods_of(finding: Finding | None, variable: Variable) -> dict[str, float]:
    """The likelihood of a finding under each state, the highest 1; of no finding it is 1 under all."""
    if finding is None or len(finding.likelihoods) != 1:
        return dict.fromkeys(variable.state_names, 1.0)
    highest = max(finding.likelihoods[0])
    return {s: own / highest for s, own in zip(finding.states, finding.likelihoods[0], strict=True)}


def _finding(page: Page, model: Model, name: str) -> Finding | None:
    text = page.findings.get(name, "")
    return None if text in ("", *SILENT) else model.read({name: text}).get(name)


def _states(model: Model, name: str) -> tuple[str, ...]:
    if name not in model.variables:
        raise ActionError(f"{name} is a number: type it with its unit.")
    return model.variables[name].state_names


def _likelihoods(shares: Mapping[str, float]) -> str:
    return ",".join(f"{state}:{share:.3g}" for state, share in shares.items())


def _number(page: Page, action: Action, model: Model) -> Page:
    """A number as typed: a finding once its unit is chosen and it can be believed."""
    name = _variable(action, model)
    return typed(page, name, _value(action), unit_of(page, name), model)


def _unit(page: Page, action: Action, model: Model) -> Page:
    """A unit as chosen: what is a finding already is converted, so that it stays the same amount."""
    name, unit = _variable(action, model), _value(action)
    units = in_units(model, name)
    if unit and unit not in units:
        raise ActionError(f"There is no unit {unit[:20]!r} of {name}.")
    number, own = split_measurement(page.findings.get(name, ""))
    if not own:
        return typed(page, name, page.drafts[name].number if name in page.drafts else "", unit, model)
    if not unit:
        return page.with_draft(name, Draft("", ""))
    return typed(page, name, converted(number, own, unit, units), unit, model)


def _tab(page: Page, action: Action, model: Model) -> Page:
    return page.changed(tab=_one_of(_value(action), TABS), opened=frozenset())


def _why(page: Page, action: Action, model: Model) -> Page:
    """What is explained: a state, and what it is held against."""
    allowed = ("", *model.states)
    if action.get("field") == "against":
        against = _one_of(_value(action), allowed)
        return page.changed(against=against, state="" if against and against == page.state else page.state)
    state = _one_of(_value(action), allowed)
    return page.changed(state=state, against="" if state and state == page.against else page.against)


def _open(page: Page, action: Action, model: Model) -> Page:
    """A part of the view unfolded, or folded up again."""
    return page.changed(opened=page.opened ^ {_value(action)})


def _rank(page: Page, action: Action, model: Model) -> Page:
    return page.changed(ranking=_one_of(_value(action), RANKINGS))


def _away(page: Page, action: Action, model: Model) -> Page:
    """A test that is not available here, or is again."""
    tests = model.priors.tests if model.priors and model.priors.tests else model.variables
    return page.changed(away=page.away ^ {_one_of(_value(action), tests)})


def _utility(page: Page, action: Action, model: Model) -> Page:
    """The value of a utility, in points; that of the priors is no change."""
    decisions = _decisions(model)
    name, text = _read(action.get("variable", "")), _value(action)
    own = decisions.utilities.get(name)
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if own is None or not LOWEST <= value <= HIGHEST:
        raise ActionError("A utility is a number of points from 0 to 100.")
    others = {other: kept for other, kept in page.utilities.items() if other != name}
    return page.changed(utilities=FrozenMap(others if value == own.value else others | {name: value}))


def _utilities(page: Page, action: Action, model: Model) -> Page:
    """Every utility as it stands in the priors."""
    return page.changed(utilities=FrozenMap({}))


def _without(page: Page, action: Action, model: Model) -> Page:
    """An action that is not to be had here, or is again; one treatment is always left."""
    decisions = _decisions(model)
    gone = page.unavailable ^ {_one_of(_value(action), list(decisions.actions))}
    if all(own.name in gone for own in decisions.treatments if not own.when):
        raise ActionError("One treatment has to be left to choose.")
    return page.changed(unavailable=gone)


def _decisions(model: Model) -> Decisions:
    if model.priors is None or model.priors.decisions is None:
        raise ActionError("These priors have no decisions.")
    return model.priors.decisions


def _estimate(page: Page, action: Action, model: Model) -> Page:
    """The user's own estimate; taken back, if it names no state."""
    state, percent = _value(action), whole_number(_read(action.get("percent", "")))
    if not state:
        return page.changed(estimate=None)
    if percent is None or percent > 100:
        raise ActionError("How probable is a number from 0 to 100%.")
    return page.changed(estimate=Estimate(_one_of(state, model.states), percent))


def _blind(page: Page, action: Action, model: Model) -> Page:
    """Whether the answer is kept back until the user has made an estimate."""
    return page.changed(blind=not page.blind)


def _keep(page: Page, action: Action, model: Model) -> Page:
    """This patient kept, to be compared with what comes."""
    return page.changed(other=page.findings, tab="compare")


def _other(page: Page, action: Action, model: Model) -> Page:
    """What the patient is compared with: the same with one finding other, or no one."""
    if not action.get("variable"):
        return page.changed(other=None)
    changed = _set(page, action, model)
    return page.changed(other=changed.findings, tab="compare")


def _swap(page: Page, action: Action, model: Model) -> Page:
    """The patient compared with becomes the patient, and the other way round."""
    if page.other is None:
        return page
    # days, numbers not yet read and the published case are the first patient's alone
    nothing = {"drafts": FrozenMap({}), "dates": FrozenMap({}), "case": ""}
    return page.changed(findings=page.other, other=page.findings, **nothing)


def _table(page: Page, action: Action, model: Model) -> Page:
    return page.changed(table=_one_of(_value(action), ("", *model.variables)))


def _edit(page: Page, action: Action, model: Model) -> Page:
    """A probability or the weight of a row: of a probability, the rest of the row moves along in proportion."""
    try:
        return page.changed(edits=with_edit(page.edits, {name: _read(value) for name, value in action.items()}, model))
    except EditError as error:
        raise ActionError(str(error)) from None


def _unedit(page: Page, action: Action, model: Model) -> Page:
    """Every table as it was."""
    return page.changed(edits=())


def _one_of(word: str, allowed: Mapping[str, Any] | Sequence[str]) -> str:
    if word not in allowed:
        raise ActionError(f"There is no {word[:60]!r} to choose.")
    return word


_ACTIONS: Mapping[str, Callable[[Page, Action, Model], Page]] = {
    "set": _set,
    "add": _add,
    "adopt": _adopt,
    "drop": _drop,
    "date": _date,
    "either": _either,
    "probably": _probably,
    "likelihood": _likelihood,
    "number": _number,
    "unit": _unit,
    "tab": _tab,
    "why": _why,
    "open": _open,
    "rank": _rank,
    "away": _away,
    "utility": _utility,
    "utilities": _utilities,
    "without": _without,
    "estimate": _estimate,
    "blind": _blind,
    "keep": _keep,
    "other": _other,
    "swap": _swap,
    "table": _table,
    "edit": _edit,
    "unedit": _unedit,
}
