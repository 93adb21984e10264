"""Five lines for a letter: findings, answer, fit, the evidence for and against it, and its basis."""

from __future__ import annotations

from datetime import date
from importlib import metadata

from calcinosis.analysis.explain.explanation import Explanation
from calcinosis.inference.findings.evidence import Finding
from calcinosis.inference.findings.measurement import split_measurement
from calcinosis.inference.numbers import EVEN, exact_percent, odds_factor, percent
from calcinosis.inference.phrases import capitalised, listed, phrase, uncapitalised
from calcinosis.inference.posterior import CREDIBLE, DISCLAIMER, Posterior
from calcinosis.inference.question_error import QuestionError
from calcinosis.interface.explorer.answer import frequencies, leads_in_words, record_in_words, verdict_of
from calcinosis.interface.explorer.page import PENDING, SILENT, UNKNOWN
from calcinosis.interface.explorer.situation import Situation
from calcinosis.interface.words.posterior import ranges_of

MOST = 2
"""How many findings are named on each side."""


def letter(situation: Situation, today: date) -> str:
    """Five lines of plain text.

    >>> import calcinosis as cc
    >>> from calcinosis.interface.explorer.page import Page
    >>> model = cc.load()
    >>> page = Page().with_finding("pain", "severe").with_finding("warfarin", "yes").with_finding("livedo", "unknown")
    >>> told = letter(Situation.of(page, model), date(2026, 11, 26)).splitlines()
    >>> [line.partition(":")[0] for line in told[:4]], told[0][-26:]
    (['Findings', 'Answer', 'Fit', 'For calciphylaxis'], 'Asked but unknown: livedo.')
    """
    posterior = situation.posterior
    assert posterior is not None
    lines = (
        _findings(situation),
        _answer(situation, posterior),
        _fit(situation, posterior),
        _why(situation),
        f"{stamp(situation, today)}. {DISCLAIMER}",
    )
    return "\n".join(" ".join(line.split()) for line in lines)  # a label may hold a line break


def version() -> str:
    """The version of this program."""
    return metadata.version("calcinosis")


def stamp(situation: Situation, today: date) -> str:
    """What an answer rests on: the version of the program, the priors, how many rows of them were edited, the date."""
    edits = len(situation.page.edits)
    edited = f" ({edits} row{'s' if edits > 1 else ''} of them edited by hand)" if edits else ""
    return f"calcinosis {version()}, priors {situation.model.digest[:12]}{edited}, {today.isoformat()}"


def why_leading(situation: Situation) -> Explanation | QuestionError:
    """What each finding contributed to the leading state against all others, whatever the page explains just now."""
    return situation.asked.explanation(situation.leading, "")


def patients_in_words(situation: Situation, posterior: Posterior, most: int | None = None) -> str:
    """The answer in numbers of patients, the most frequent first: a sentence that can be passed on."""
    counts = sorted(frequencies(posterior), key=lambda own: -int(own["count"]))
    named = [
        f"{'more than 99' if own['count'] == 100 else own['count']} {'has' if own['count'] == 1 else 'have'} "
        f"{situation.label(own['state'])}"
        for own in counts
        if own["count"]
    ]
    about = "" if counts[0]["count"] == 100 else "about "
    return f"Of 100 patients like this one, {about}{listed(named[:most])}."


def silent(situation: Situation) -> list[str]:
    """What was asked for and is not known, or not yet: a sentence for each that there is."""
    known = situation.page.findings.items()
    found = {
        title: [uncapitalised(label_of(situation, name)) for name, text in known if text == word]
        for word, title in ((UNKNOWN, "Asked but unknown"), (PENDING, "Pending"))
    }
    return [f"{title}: {', '.join(names)}." for title, names in found.items() if names]


def unused(situation: Situation) -> dict[str, str]:
    """By variable what was typed and is not used, since it is not a finding yet or cannot be believed."""
    page, model = situation.page, situation.model
    typed = {name: " ".join((draft.number, draft.unit)).strip() for name, draft in page.drafts.items()}
    lost = {
        name: text
        for name, text in page.findings.items()
        if text not in SILENT and name in model.variables and name not in situation.evidence
    }
    return typed | lost


def label_of(situation: Situation, name: str) -> str:
    """A variable, or what corrects one, in words."""
    variable = situation.model.variables.get(name)
    return (variable.label if variable else "") or capitalised(name.replace("_", " "))


def _findings(situation: Situation) -> str:
    told = "; ".join(_told(situation, finding) for finding in situation.evidence) or "none"
    typed = ", ".join(f"{name}={text}" for name, text in unused(situation).items())
    return " ".join([f"Findings: {told}.", *silent(situation), *([f"Typed but not used: {typed}."] if typed else [])])


def _told(situation: Situation, finding: Finding) -> str:
    """A finding in words, with the number that was measured, and the days."""
    variable, page = situation.model.variables[finding.variable], situation.page
    text = page.findings.get(finding.variable, "")
    number = [text] if variable.numeric and split_measurement(text)[0] else []
    days = filter(None, page.dates_of(finding.variable, len(finding.likelihoods)))
    return ", ".join([phrase(variable, finding), *number, *days])


def _answer(situation: Situation, posterior: Posterior) -> str:
    ranges = ranges_of(posterior)
    told = []
    for state in sorted(posterior, key=lambda state: -posterior[state]):
        words = f"{situation.label(state)} {percent(posterior[state])}"
        if state == posterior.leading and ranges[state]:
            words += f" ({exact_percent(CREDIBLE)} interval {ranges[state]})"
        told.append(words)
    return f"Answer: {', '.join(told)}. {patients_in_words(situation, posterior, 1)} {record_in_words(posterior)}"


def _fit(situation: Situation, posterior: Posterior) -> str:
    verdict = verdict_of(situation, posterior)
    detail = verdict.detail.removesuffix(posterior.summary).rstrip()  # the line before says what leads
    if verdict.category == "empty":
        detail = "These are the prior probabilities."
    return f"Fit: {verdict.headline.rstrip('.')}. {detail} {leads_in_words(posterior)}"


def _why(situation: Situation) -> str:
    found = why_leading(situation)
    leading = situation.label(situation.leading)
    if isinstance(found, QuestionError):
        return f"For and against {leading}: not told, since {found}."
    told = list(zip(found.frame["finding"].to_list(), found.frame["contribution"].to_list(), strict=True))
    sides = []
    for sign in (1, -1):
        strongest = sorted((own for own in told if own[1] * sign > EVEN), key=lambda own: -abs(own[1]))[:MOST]
        sides.append(listed(f"{words} (odds {odds_factor(nats)})" for words, nats in strongest) or "nothing notable")
    return f"For {leading}: {sides[0]}. Against it: {sides[1]}."
