"""A number as typed into the page: a finding once its unit is chosen and it can be believed, until then a draft."""

from __future__ import annotations

import re

from calcinosis.inference.findings.measurement import split_measurement
from calcinosis.inference.findings.reader import FindingsError
from calcinosis.inference.model import Model
from calcinosis.inference.phrases import capitalised
from calcinosis.interface.explorer.measured import in_units, with_point
from calcinosis.interface.explorer.page import Draft, Page
from calcinosis.knowledge.names import known_as

THOUSANDS = re.compile(r"\d{1,3}(,\d{3})+")
"""A number whose comma may be a decimal one, or stand for thousands."""


def typed(page: Page, name: str, words: str, unit: str, model: Model) -> Page:
    """The page after a number was typed; with no words, it has none. A unit typed behind it counts as chosen.

    >>> import calcinosis as cc
    >>> typed(Page(), "pth", "5,3 pmol/L", "", cc.load()).findings["pth"]
    '5.3 pmol/L'
    >>> print(typed(Page(), "pth", "1,234", "pg/mL", cc.load()).drafts["pth"].fault)
    The comma may be a decimal one or stand for thousands: write 1.234 or 1234.
    """
    words = with_point(words)
    number, own = split_measurement(words)
    known = known_as(own, in_units(model, name)) if number and own else None
    if known is not None:
        words, unit = with_point(number), known
    if not words:
        return page.with_draft(name, Draft("", unit)) if unit else page.with_finding(name, "")
    fault = _fault(words, bool(number))
    if fault or not unit:
        return page.with_draft(name, Draft(words, unit, fault or "Choose its unit: it is never assumed."))
    text = f"{words} {unit}"
    try:
        model.read({**_beside(page, model, name), name: text})
    except FindingsError as error:
        told = next((fault for fault in error.faults if fault.variable == name), error.faults[0])
        return page.with_draft(name, Draft(words, unit, capitalised(f"{told.what}: {told.fix}.")))
    return page.with_finding(name, text)


def unit_of(page: Page, name: str) -> str:
    """The unit that was chosen for a number; empty if none was."""
    if name in page.drafts:
        return page.drafts[name].unit
    number, unit = split_measurement(page.findings.get(name, ""))
    return unit if number else ""


def _fault(words: str, number: bool) -> str:
    """What is wrong with the number itself, whatever its unit; empty if nothing is."""
    if not number:
        return "That is no number."
    if THOUSANDS.fullmatch(words):
        point, whole = words.replace(",", "."), words.replace(",", "")
        either = f"{point} or {whole}" if words.count(",") == 1 else whole
        return f"The comma may be a decimal one or stand for thousands: write {either}."
    return ""


def _beside(page: Page, model: Model, name: str) -> dict[str, str]:
    """What else a number is corrected by, such as albumin; of a covariate, the value that it corrects."""
    found = {}
    for correction in model.network.corrections:
        for one, other in ((correction.variable, correction.covariate), (correction.covariate, correction.variable)):
            if name == one and other in page.findings:
                found[other] = page.findings[other]
    return found
