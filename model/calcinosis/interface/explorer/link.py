"""A link that holds a page: everything of it stands behind the '#', which a browser never sends to a server."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date
from urllib.parse import quote, unquote

from calcinosis.analysis.workup.ranking import RANKINGS
from calcinosis.inference.findings.reader import FindingsError
from calcinosis.inference.model import Model
from calcinosis.interface.explorer.edit_rows import EditError, from_words, in_words
from calcinosis.interface.explorer.edits import edited
from calcinosis.interface.explorer.measured import in_units
from calcinosis.interface.explorer.page import SILENT, TABS, Edit, Estimate, Findings, Page, check_findings, enterable
from calcinosis.interface.explorer.typed import typed
from calcinosis.knowledge.decisions import HIGHEST, LOWEST
from calcinosis.knowledge.frozen import FrozenMap
from calcinosis.knowledge.number import whole_number
from calcinosis.knowledge.problem import PriorsError

LONGEST = 8_000
"""How many characters a link has at most; a page with every finding has about a thousand."""

PLAIN = ",/:"
"""Signs of the findings grammar that are left as they are, so that a link can be read."""

OWN = "~"
"""What the names begin with that are not those of variables."""


class LinkError(ValueError):
    """A link that cannot be opened, in words for the one who opened it."""


def fragment_of(page: Page, digest: str) -> str:
    """The page as the part of a link behind the '#'; empty for an empty page.

    >>> from calcinosis.knowledge.frozen import FrozenMap
    >>> page = Page(FrozenMap({"pain": "severe", "serum_calcium": "9.1 mg/dL"}), tab="next")
    >>> fragment_of(page, "6b8708953a4dab")
    'pain=severe&serum_calcium=9.1%20mg/dL&~tab=next&~priors=6b8708953a4d'
    """
    fields = dict(page.findings)
    own: dict[str, str] = {
        "drafts": _joined(f"{name}:{own.number}|{own.unit}" for name, own in page.drafts.items()),
        "dates": _joined(f"{name}:{'/'.join(days)}" for name, days in page.dates.items()),
        "case": page.case,
        "estimate": f"{page.estimate.state}:{page.estimate.percent}" if page.estimate else "",
        "blind": "yes" if page.blind else "",
        "tab": "" if page.tab == Page().tab else page.tab,
        "state": page.state,
        "against": page.against,
        "ranking": "" if page.ranking == Page().ranking else page.ranking,
        "away": _joined(sorted(page.away)),
        "utilities": _joined(f"{name}:{value:g}" for name, value in page.utilities.items()),
        "unavailable": _joined(sorted(page.unavailable)),
        "other": "" if page.other is None else f"{OWN}&{_fields(page.other)}",
        "table": page.table,
        "edits": _joined(map(in_words, page.edits)),
    }
    fields |= {f"{OWN}{name}": value for name, value in own.items() if value}
    if not fields:
        return ""
    return _fields(fields | {f"{OWN}priors": digest[:12]})


def page_of(fragment: str, model: Model) -> tuple[Page, str]:
    """The page that a link holds, and a notice if it was made with other priors.

    Raises:
        LinkError: for a link that is too long, or holds what this model does not know.
    """
    fragment = fragment.removeprefix("#")
    if len(fragment) > LONGEST:
        raise LinkError(f"The link is too long: {len(fragment):,} characters, at most {LONGEST:,} can be read.")
    fields = _split(fragment)
    own = {name.removeprefix(OWN): fields[name] for name in fields if name.startswith(OWN)}
    findings = {name: value for name, value in fields.items() if not name.startswith(OWN)}
    unknown = [name for name in own if name not in _OWN]
    if unknown:
        raise LinkError(f"The link holds {_short(unknown[0])!r}, which is nothing that this page knows.")
    edits = tuple(_edit(words, model) for words in _parted(own.get("edits", "")))
    try:
        opened = edited(model, edits)
    except (PriorsError, ValueError):
        raise LinkError("The link holds an edited row that is no row of these priors.") from None
    known = _findings(findings, model)
    page = Page(
        findings=known,
        dates=_dates(own.get("dates", ""), known, model),
        case=_short(own.get("case", "")),
        estimate=_estimate(own["estimate"], model) if "estimate" in own else None,
        blind=own.get("blind") == "yes",
        tab=_chosen("tab", own.get("tab", Page().tab), TABS),
        state=_chosen("state", own.get("state", ""), ("", *model.states)),
        against=_chosen("against", own.get("against", ""), ("", *model.states)),
        ranking=_chosen("ranking", own.get("ranking", Page().ranking), RANKINGS),
        away=frozenset(_chosen("test", name, _tests(model)) for name in _parted(own.get("away", ""))),
        utilities=_utilities(own.get("utilities", ""), model),
        unavailable=_unavailable(own.get("unavailable", ""), model),
        other=_findings(_split(own["other"].removeprefix(f"{OWN}&")), model) if "other" in own else None,
        edits=edits,
        table=_chosen("table", own.get("table", ""), ("", *model.variables)),
    )
    for name, number, unit in _drafts(own.get("drafts", ""), page, model):
        page = typed(page, name, number, unit, model)
    priors = own.get("priors", "")
    if priors and priors != opened.digest[:12]:
        return page, (
            f"This link was made with other priors ({_short(priors)}); these are {opened.digest[:12]}, so the figures "
            "may differ."
        )
    return page, ""


_OWN = (
    "drafts", "dates", "case", "estimate", "blind", "tab", "state", "against", "ranking", "away", "utilities",
    "unavailable", "other", "table", "edits", "priors",
)  # fmt: skip


def _fields(fields: Mapping[str, str]) -> str:
    return "&".join(f"{quote(name, safe=OWN)}={quote(value, safe=PLAIN)}" for name, value in fields.items())


def _split(text: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    for part in filter(None, text.split("&")):
        name, sign, value = part.partition("=")
        name = unquote(name)
        if not sign:
            raise LinkError(f"The link holds {_short(name)!r}, which is no name=value.")
        if name in fields:
            raise LinkError(f"The link holds {_short(name)!r} twice.")
        fields[name] = unquote(value)
    return fields


def _findings(fields: Mapping[str, str], model: Model) -> Findings:
    """Findings that the model understands, in their order."""
    given = {name: value.strip() for name, value in fields.items()}
    if not all(given.values()):
        raise LinkError("The link holds a finding without a value.")
    for name in given:
        if name not in enterable(model) and (name in model.variables or given[name] in SILENT):
            raise LinkError(f"The link holds {_short(name)!r}, which cannot be entered in this page.")
    try:
        check_findings({name: value for name, value in given.items() if value not in SILENT}, model)
    except FindingsError as error:
        first = error.faults[0]
        more = f", and {len(error.faults) - 1} more" if len(error.faults) > 1 else ""
        raise LinkError(f"The link holds {_short(f'{first.variable}={first.value}')!r}: {first.what}{more}.") from None
    return FrozenMap(given)


def _drafts(text: str, page: Page, model: Model) -> Iterator[tuple[str, str, str]]:
    """The numbers that are not yet findings, each with its unit."""
    for words in _parted(text):
        name, _, rest = words.partition(":")
        number, _, unit = rest.rpartition("|")
        units = in_units(model, name) if name in enterable(model) else {}
        if name in page.findings or (unit and unit not in units) or not units:
            raise LinkError("The link holds a number that cannot be entered.")
        yield name, number, unit


def _dates(text: str, findings: Findings, model: Model) -> Mapping[str, tuple[str, ...]]:
    """The days of results, of findings that there are."""
    found = {}
    known = model.read({name: value for name, value in findings.items() if value not in SILENT})
    results = dict.fromkeys(findings, 1) | {finding.variable: len(finding.likelihoods) for finding in known}
    for words in _parted(text):
        name, _, days = words.partition(":")
        if name not in findings:
            raise LinkError("The link holds the day of a finding that is not there.")
        if days.count("/") >= results[name]:
            raise LinkError("The link holds more days than results.")
        try:
            found[name] = tuple(day and date.fromisoformat(day).isoformat() for day in days.split("/"))
        except ValueError:
            raise LinkError("The link holds a day that is none, such as 2023-07-15.") from None
    return FrozenMap(found)


def _estimate(words: str, model: Model) -> Estimate:
    state, _, percent = words.rpartition(":")
    share = whole_number(percent)
    if state not in model.states or share is None or share > 100:
        raise LinkError("The link holds an estimate that is none, such as calciphylaxis:70.")
    return Estimate(state, share)


def _utilities(words: str, model: Model) -> Mapping[str, float]:
    """Values of utilities other than those of the priors, in points."""
    known = model.priors.decisions.utilities if model.priors and model.priors.decisions else {}
    found: dict[str, float] = {}
    for part in _parted(words):
        name, _, number = part.rpartition(":")
        try:
            value = float(number)
        except ValueError:
            value = -1.0
        if name not in known or name in found or not LOWEST <= value <= HIGHEST:
            raise LinkError(f"The link holds {_short(part)!r}, which is no utility, such as infusions:0.")
        found[name] = value
    return FrozenMap(found)


def _unavailable(words: str, model: Model) -> frozenset[str]:
    """Actions that are not to be had; at least one treatment is."""
    decisions = model.priors.decisions if model.priors else None
    names = list(decisions.actions) if decisions else []
    found = frozenset(_chosen("action", name, names) for name in _parted(words))
    if decisions and all(own.name in found for own in decisions.treatments if not own.when):
        raise LinkError("The link leaves no treatment to choose.")
    return found


def _edit(words: str, model: Model) -> Edit:
    try:
        return from_words(words, model)
    except EditError as error:
        raise LinkError(str(error)) from None


def _chosen(what: str, word: str, allowed: Collection[str]) -> str:
    if word not in allowed:
        raise LinkError(f"The link names a {what} {_short(word)!r}, which is none of this page.")
    return word


def _tests(model: Model) -> tuple[str, ...]:
    return (*model.variables, *(model.priors.tests if model.priors else ()))


def _joined(words: Iterable[str]) -> str:
    return ";".join(words)


def _parted(text: str) -> list[str]:
    return list(filter(None, text.split(";")))


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}…"
