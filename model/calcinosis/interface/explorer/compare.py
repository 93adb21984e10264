"""The view 'compare': this patient and another, or this one in another setting, side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from calcinosis.inference.findings.evidence import Evidence
from calcinosis.inference.findings.measurement import split_measurement
from calcinosis.inference.model import Model
from calcinosis.inference.numbers import odds_factor, signed
from calcinosis.inference.phrases import capitalised, uncapitalised
from calcinosis.inference.question_error import QuestionError
from calcinosis.interface.explorer.answer import answer
from calcinosis.interface.explorer.page import SILENT, Findings
from calcinosis.interface.explorer.situation import Situation
from calcinosis.knowledge.frozen import FrozenMap
from calcinosis.knowledge.records import Variable

AT_ONCE = 16
"""With more differences than this, what each of them adds is only worked out if asked for: it takes time."""

EACH = "differences"
"""The part of the page that is unfolded then."""


MOST_NATS = 700
"""Beyond this the factor on the odds is no number that a computer holds."""


def view(situation: Situation) -> dict[str, Any]:
    """What its template shows."""
    page = situation.page
    shared = {"settings": _settings(situation), "other": page.other is not None, "bars": []}
    if page.other is None:
        return shared
    other = _other(situation, page.other)
    mine, theirs = answer(situation), answer(other)
    shared |= {"mine": mine["verdict"], "theirs": theirs["verdict"], "same": False}
    if situation.posterior is None or other.posterior is None:
        return shared
    points = [_points(other.posterior[state] - situation.posterior[state]) for state in other.posterior]
    bars = list(zip(mine["bars"], theirs["bars"], points, strict=True))
    return shared | {"bars": bars} | _differences(situation, other)


def _other(situation: Situation, findings: Findings) -> Situation:
    """The patient compared with, asked of the same model."""
    page = situation.page.changed(findings=findings, drafts=FrozenMap({}), estimate=None, blind=False, other=None)
    assert situation.other is not None
    return Situation(page, situation.other, situation.shipped)


def _settings(situation: Situation) -> list[dict[str, Any]]:
    """Each variable of the setting, with the states that this patient is not in."""
    model, known = situation.model, situation.page.findings
    return [
        {
            "name": name,
            "label": uncapitalised(variable.label or name.replace("_", " ")),
            "choices": [
                {"value": state.name, "label": state.label or state.name}
                for state in variable.states
                if state.name != known.get(name)
            ],
        }
        for name, variable in model.variables.items()
        if variable.group == "setting" and name != model.target
    ]


def _points(difference: float) -> str:
    """A difference of probabilities in percentage points."""
    if abs(difference) < 0.005:
        return "< 1" if difference else "0"
    return signed(100 * difference, 0)


def _differences(situation: Situation, other: Situation) -> dict[str, Any]:
    """The findings that differ, and what each of them adds to the log-odds of the state that leads in the other."""
    model = situation.model
    ours, theirs = situation.evidence, other.evidence
    names = [name for name in model.variables if _shares(ours, name) != _shares(theirs, name)]
    wanted = len(names) <= AT_ONCE or EACH in situation.page.opened
    added = _contributions(situation, other) if names and wanted else {}
    told = {} if isinstance(added, str) else added
    return {
        "same": not names,
        "label": other.label(other.leading),
        "leads_in_both": situation.leading == other.leading,
        "ask": "" if wanted else EACH,
        "refused": added if isinstance(added, str) else "",
        "added": bool(told),
        "lines": [
            {
                "label": capitalised(model.variables[name].label or name.replace("_", " ")),
                "mine": in_words(model, ours, situation.page.findings, name),
                "theirs": in_words(model, theirs, other.page.findings, name),
                "adds": _adds(told.get(name, 0.0)),
            }
            for name in names
        ],
        "total": _adds(sum(told.values())),
    }


def _shares(evidence: Evidence, name: str) -> Sequence[tuple[float, ...]]:
    finding = evidence.get(name)
    return () if finding is None else finding.likelihoods


def _contributions(situation: Situation, other: Situation) -> dict[str, float] | str:
    """By variable what its difference adds to the log-odds, in nats; or why that cannot be told."""
    from calcinosis.analysis.whatif.compare import compare

    try:
        found = compare(situation.model, situation.evidence, other.evidence).findings
    except QuestionError as error:
        return f"{capitalised(str(error))}."
    return dict(zip(found["variable"].to_list(), found["contribution"].to_list(), strict=True))


def _adds(nats: float) -> dict[str, str]:
    return {"nats": signed(nats, 2), "times": odds_factor(nats) if abs(nats) < MOST_NATS else ""}


def in_words(model: Model, evidence: Evidence, findings: Mapping[str, str], name: str) -> str:
    """What is known of a variable, in the labels of its states.

    >>> import calcinosis as cc
    >>> model, given = cc.load(), {"pain": "severe", "vascular_histology": "absent,absent", "serum_calcium": "9 mg/dL"}
    >>> [in_words(model, model.read(given), given, name) for name in (*given, "livedo")]
    ['severe', '2 × no calcium in vessel walls', 'normal (9 mg/dL)', 'not asked']
    """
    finding = evidence.get(name)
    if finding is None:
        text = findings.get(name, "")
        return "not asked" if not text else text if text in SILENT else "not used"
    seen = Counter(_result(model.variables[name], own) for own in finding.likelihoods)
    words = ", ".join(f"{count} × {result}" if count > 1 else result for result, count in seen.items())
    return f"{words} ({finding.given})" if split_measurement(finding.given)[0] else words


def _result(variable: Variable, likelihoods: Sequence[float]) -> str:
    """What one result says: the states that it leaves, and how likely it is under each, the best 100 %, where it is
    not certain."""
    highest = max(likelihoods)
    shares = {s.label or s.name: own / highest for s, own in zip(variable.states, likelihoods, strict=True) if own}
    if set(shares.values()) == {1.0}:
        return " or ".join(shares)
    return ", ".join(f"{label} {100 * share:.0f}%" for label, share in shares.items())
