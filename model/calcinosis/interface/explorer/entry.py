"""The entry: every finding that can be made, by group, each in one of its states: not asked, unknown, or found."""

from __future__ import annotations

from typing import Any

from calcinosis.inference.findings.evidence import Finding
from calcinosis.inference.findings.measurement import split_measurement
from calcinosis.inference.model import Model
from calcinosis.inference.phrases import uncapitalised
from calcinosis.interface.explorer.actions import STRENGTHS, likelihoods_of
from calcinosis.interface.explorer.measured import in_units, scale
from calcinosis.interface.explorer.page import PENDING, SILENT, UNKNOWN
from calcinosis.interface.explorer.situation import Situation
from calcinosis.interface.explorer.typed import unit_of
from calcinosis.knowledge.records import GROUPS, Correction, Variable

TITLES = {"": "Findings"}
"""What a group is called where it is not simply its name."""


AWAITED = ("laboratory", "imaging", "histology")
"""The groups whose results are waited for, so that they may be pending."""


def groups(model: Model) -> list[dict[str, Any]]:
    """The groups of findings in the order in which a patient is worked up, each with the names of its rows."""
    found: dict[str, list[str]] = {}
    for name, variable in model.variables.items():
        if variable.observable and name != model.target:
            found.setdefault(variable.group, []).append(name)
            found[variable.group] += [c.covariate for c in model.network.corrections if c.variable == name]
    order = sorted(found, key=lambda group: GROUPS.index(group) if group in GROUPS else len(GROUPS))
    return [{"name": group, "title": TITLES.get(group, group.capitalize()), "rows": found[group]} for group in order]


def entry_rows(situation: Situation) -> dict[str, dict[str, Any]]:
    """What the template of each row of the entry shows, by variable."""
    model = situation.model
    covariates = {own.covariate: own for own in model.network.corrections}
    return {
        name: _covariate_row(situation, covariates[name]) if name in covariates else _row(situation, name)
        for group in groups(model)
        for name in group["rows"]
    }


def counts(situation: Situation) -> dict[str, str]:
    """By group how much of it was asked, such as '3 of 12'."""
    known = situation.page.findings
    return {
        group["name"]: f"{sum(name in known for name in group['rows'])} of {len(group['rows'])}"
        for group in groups(situation.model)
    }


def _row(situation: Situation, name: str) -> dict[str, Any]:
    model, page = situation.model, situation.page
    variable, text = model.variables[name], page.findings.get(name, "")
    finding = situation.evidence.get(name)
    choices = [
        {
            "value": state.name,
            "label": state.label or state.name,
            "help": state.description,
            "chosen": text == state.name,
        }
        for state in variable.states
    ]
    plain = text in ("", *SILENT) or any(choice["chosen"] for choice in choices)
    return _shared(situation, name, variable.label or name.replace("_", " "), variable.description) | {
        "kind": "repeated" if variable.repeatable else "single",
        "choices": choices,
        "other": "" if plain or variable.repeatable or finding is None else _in_words(variable, finding),
        "results": _results(variable, text, finding) if variable.repeatable else [],
        "possible": _possible(variable, finding),
        "strengths": list(STRENGTHS),
    }


def _covariate_row(situation: Situation, correction: Correction) -> dict[str, Any]:
    corrects = uncapitalised(situation.model.variables[correction.variable].label)
    return _shared(situation, correction.covariate, correction.covariate.replace("_", " ").capitalize(), "") | {
        "kind": "covariate",
        "description": f"Corrects {corrects} where that is given as a number ({correction.source}).",
        "choices": [],
        "other": "",
        "results": [],
        "possible": [],
        "strengths": [],
    }


def _shared(situation: Situation, name: str, label: str, description: str) -> dict[str, Any]:
    """What rows of every kind have: the state they are in, and the number with its unit where one can be given."""
    page, text = situation.page, situation.page.findings.get(name, "")
    variable, finding = situation.model.variables.get(name), situation.evidence.get(name)
    draft = page.drafts.get(name)
    units = list(in_units(situation.model, name))
    number = draft.number if draft else split_measurement(text)[0] if units else ""
    measured = draft is None and bool(number)
    lower, upper, own = scale(situation.model, name) if units else (0.0, 0.0, "")
    return {
        "name": name,
        "label": label,
        "description": description,
        "asked": text if text in SILENT else "found" if text else "not-asked",
        "silent": (PENDING, UNKNOWN) if variable is None or variable.group in AWAITED else (UNKNOWN,),
        "days": page.dates_of(name, len(finding.likelihoods)) if finding else [],
        "units": units,
        "number": number,
        "unit": unit_of(page, name) if draft or measured else "",
        "believed": f"{lower:g} to {upper:g} {own}" if units else "",
        "fault": draft.fault if draft else _not_used(situation, name, text),
        "echo": _echo(situation, name, text) if measured else "",
    }


def _not_used(situation: Situation, name: str, text: str) -> str:
    if text in ("", *SILENT) or name in situation.evidence or name not in situation.model.variables:
        return ""
    return "Not used: with the other values as they are it cannot be believed; check number and unit."


def _echo(situation: Situation, name: str, text: str) -> str:
    """What a number was understood as: converted, corrected, and the band it falls in."""
    finding = situation.evidence.get(name)
    if finding is None:
        notes = [note for note in situation.evidence.notes if f" {name} " in note]
        return notes[0] if notes else f"read as {text}"
    state = finding.understood.rpartition(" → ")[2]
    label = next((s.label or s.name for s in situation.model.variables[name].states if s.name == state), state)
    steps = finding.understood.split(" → ")[:-1]
    return " → ".join([*([text] if not steps else [text, *steps]), label])


def _in_words(variable: Variable, finding: Finding) -> str:
    """A finding that is no plain state: either of several, probably one, or a number's band."""
    labels = {state.name: state.label or state.name for state in variable.states}
    shares = likelihoods_of(finding, variable)
    likely = [state for state, share in shares.items() if share == 1.0]
    rest = {share for share in shares.values() if share != 1.0}
    if rest <= {0.0}:
        return " or ".join(labels[state] for state in likely)
    for strength, times in STRENGTHS.items():
        if len(likely) == 1 and rest == {float(f"{1 / times:.3g}")}:
            return f"{strength} {labels[likely[0]]}"
    return ", ".join(f"{labels[state]} {100 * share:.0f}%" for state, share in shares.items())


def _results(variable: Variable, text: str, finding: Finding | None) -> list[str]:
    if text in ("", *SILENT) or finding is None:
        return []
    labels = {state.name: state.label or state.name for state in variable.states}
    found = []
    for likelihoods in finding.likelihoods:
        likely = [state for state, own in zip(finding.states, likelihoods, strict=True) if own == max(likelihoods)]
        found.append(" or ".join(labels[state] for state in likely))
    return found


def _possible(variable: Variable, finding: Finding | None) -> list[dict[str, Any]]:
    """Per state whether it is possible, and its likelihood in percent."""
    if variable.repeatable:
        return []
    shares = likelihoods_of(finding, variable)
    return [
        {
            "value": state.name,
            "label": state.label or state.name,
            "on": shares[state.name] > 0,
            "share": round(100 * share),
        }
        for state, share in zip(variable.states, shares.values(), strict=True)
    ]
