"""Names: when two are equal, and which words and signs are reserved."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Mapping
from typing import Literal, get_args

from calcinosis.knowledge.number import NotANumber, parse_number, plain

TABLE = ("weight", "source", "note")
"""The columns that every table has in addition to its parents and states."""

SIGNS = "/,:;=@|"
"""The separators in cells, findings, links and names of entries."""

Role = Literal["variable", "state", "subtype", "action", "utility"]
"""What a name stands for. Covariates follow the rules for variables, tests those for actions."""

_EVERY: tuple[Role, ...] = get_args(Role)

RESERVED: Mapping[str, tuple[str, Collection[str]]] = {
    **dict.fromkeys(("unknown", "nan"), ("it says that nothing was observed", _EVERY)),
    "pending": ("it says that a result is awaited", _EVERY),
    **dict.fromkeys(("na", "nat", "<na>", "null"), ("programs that read tables take it for an empty cell", _EVERY)),
    "any": ("it says that every state is meant", _EVERY),
    **dict.fromkeys(TABLE, ("every table has a column of that name", ("variable", "state", "subtype", "utility"))),
    **dict.fromkeys(("action", "subtype"), ("responses.csv has a column of that name", ("utility",))),
    **dict.fromkeys(("patient", "id", "case_id"), ("the column of that name holds patients' names", ("variable",))),
    "diagnosis": ("the column of that name holds the diagnosis", ("variable",)),
    "record": ("the column of that name has the kind of record", ("variable",)),
    **dict.fromkeys(
        ("hard", "text_seen", "year", "source_title", "doi_or_pmcid"),
        ("the published cases have a column of that name", ("variable",)),
    ),
    **dict.fromkeys(
        ("status", "leading", "log_evidence"), ("the answers have a column of that name", ("variable", "subtype"))
    ),
    **dict.fromkeys(
        ("variable", "kind", "value", "chance", "flips", "moved", "together", "test", "outcome", "then"),
        ("an analysis has a column of that name", ("subtype",)),
    ),
}
"""The reserved words, each with its meaning and the roles in which it is not allowed."""

_TRUTH = {"true": "yes", "false": "no"}


def folded(name: str) -> str:
    """The key by which names are compared: case, compatible characters and runs of spaces do not matter.

    >>> folded("MG/dL") == folded("mg/dL"), folded("\\u00b5mol/L") == folded("\\u03bcmol/L"), folded("Stra\\u00dfe")
    (True, True, 'strasse')
    """
    if not name.isascii():
        name = unicodedata.normalize("NFKC", unicodedata.normalize("NFKD", name.casefold()).casefold())
        name = "".join(sign for sign in name if unicodedata.category(sign) != "Cf")  # invisible
    return " ".join(name.casefold().split())


def same_finding(state: str) -> str:
    """The key by which states of a variable are compared: true is yes, and numbers are equal in any notation.

    >>> same_finding("True"), same_finding("2.0") == same_finding("2")
    ('yes', True)
    """
    name = folded(state)
    try:
        return plain(parse_number(name))
    except NotANumber:
        return _TRUTH.get(name, name)


def known_as(name: str, names: Collection[str]) -> str | None:
    """The known name that equals a name, or None.

    >>> known_as("MMOL/L", ["mg/dL", "mmol/L"])
    'mmol/L'
    """
    if name in names:
        return name
    wanted = folded(name)
    return next((other for other in names if folded(other) == wanted), None)


def fault_of_name(name: str, role: Role) -> tuple[str, str] | None:
    """The error in a name and its fix; None if the name is allowed in this role."""
    reason, roles = RESERVED.get(folded(name), ("", ()))
    if role in roles:
        return "a reserved name", f"{reason}: choose another name"
    held = next((sign for sign in name if sign in SIGNS or unicodedata.category(sign) in ("Cc", "Cf")), None)
    if held is not None:
        sign = f"'{held}'" if held in SIGNS else "a character that cannot be seen"
        return f"a name that holds {sign}", "use letters, digits, spaces, hyphens and underscores"
    return None
