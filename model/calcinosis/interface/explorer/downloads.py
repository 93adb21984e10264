"""What can be taken away from the page: the report to print, the five lines for a letter, JSON, the edited tables."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from calcinosis.analysis.plain import plain
from calcinosis.inference.phrases import listed
from calcinosis.interface.explorer.actions import ActionError
from calcinosis.interface.explorer.letter import letter, version
from calcinosis.interface.explorer.link import fragment_of
from calcinosis.interface.explorer.page import PENDING, UNKNOWN
from calcinosis.interface.explorer.situation import Situation

Published = Mapping[str, str]
"""What was published of the case that the findings began as: case, diagnosis, citation."""


def download(what: str, situation: Situation, published: Published | None, today: date | None = None) -> dict[str, Any]:
    """What the browser saves (`download`: name, type and content of a file) or copies (`copy`, and a notice of it).

    The names of the files say nothing of the patient.

    Raises:
        ActionError: for what cannot be taken away, or not yet.

    >>> import calcinosis as cc
    >>> from calcinosis.interface.explorer.page import Page
    >>> model = cc.load()
    >>> situation = Situation.of(Page().with_finding("pain", "severe"), model)
    >>> download("report", situation, None, date(2026, 11, 26))["download"]["name"]
    'calcinosis-2026-11-26.html'
    """
    make = _KINDS.get(what)
    if make is None:
        raise ActionError(f"There is no {what[:60]!r} to take away: {listed(_KINDS, 'or')}.")
    if what != "folder":
        _check_answer(situation)
    return make(situation, published, today or date.today())


def _check_answer(situation: Situation) -> None:
    if situation.page.waits:
        raise ActionError("The answer is kept back until you have given your own estimate: give it first.")
    if situation.posterior is None:
        raise ActionError("There is no answer to take away: the findings cannot stand together as they are.")


def _report(situation: Situation, published: Published | None, today: date) -> dict[str, Any]:
    from calcinosis.interface.explorer.printed import report  # nobody waits for it until it is asked for

    return _file(f"calcinosis-{today}.html", "text/html", text=report(situation, published, today))


def _summary(situation: Situation, published: Published | None, today: date) -> dict[str, Any]:
    return {"copy": letter(situation, today), "copied": "The summary is copied: five lines for a letter."}


def _json(situation: Situation, published: Published | None, today: date) -> dict[str, Any]:
    text = json.dumps(_plain(to_dict(situation, published, today)), ensure_ascii=False, indent=2, allow_nan=False)
    return _file(f"calcinosis-{today}.json", "application/json", text=text + "\n")


def _folder(situation: Situation, published: Published | None, today: date) -> dict[str, Any]:
    if situation.model.priors is None:
        raise ActionError("This network has no priors folder that could be taken away.")
    from calcinosis.interface.explorer.folder_zip import folder_zip

    return _file(
        f"calcinosis-priors-{today}.zip", "application/zip", base64=b64encode(folder_zip(situation)).decode("ascii")
    )


_KINDS: Mapping[str, Callable[[Situation, Published | None, date], dict[str, Any]]] = {
    "report": _report,
    "summary": _summary,
    "json": _json,
    "folder": _folder,
}


def _file(name: str, kind: str, **content: str) -> dict[str, Any]:
    return {"download": {"name": name, "type": kind, **content}}


def to_dict(situation: Situation, published: Published | None, today: date) -> dict[str, Any]:
    """The answer and all that the page holds of the patient, with full digits."""
    page, model, posterior = situation.page, situation.model, situation.posterior
    assert posterior is not None
    return posterior.to_dict() | {
        "entered": page.findings,
        "days": page.dates,
        "asked_but_unknown": [name for name, text in page.findings.items() if text == UNKNOWN],
        "pending": [name for name, text in page.findings.items() if text == PENDING],
        "typed_but_not_used": {name: draft._asdict() for name, draft in page.drafts.items()},
        "case": page.case or None,
        "published": published,
        "estimate": page.estimate._asdict() if page.estimate else None,
        "edits": [
            {
                "variable": edit.variable,
                "given": dict(zip(model.network.parents[edit.variable], edit.given, strict=True)),
                "probabilities": dict(zip(model.variables[edit.variable].state_names, edit.probabilities, strict=True)),
                "weight": edit.weight,
            }
            for edit in page.edits
        ],
        "digest_before_edits": situation.shipped.digest,
        "link": fragment_of(page, model.digest),
        "date": today.isoformat(),
        "version": version(),
    }


def _plain(value: Any) -> Any:
    """Values that JSON has, all the way down."""
    if isinstance(value, Mapping):
        return {str(key): _plain(own) for key, own in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(own) for own in value]
    return plain(value)
