"""The sources that a figure of the priors rests on, as every view shows them."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

from calcinosis.knowledge.records import Priors, Source

Cited = dict[str, str]

SIGNS = "/():;._-"
"""Signs of a DOI that may stand in an address as they are."""


def cited(priors: Priors | None, keys: Iterable[str]) -> list[Cited]:
    """Each source in words; none without a folder.

    >>> import calcinosis as cc
    >>> [(own["kind"], own["link"]) for own in cited(cc.load().priors, ["akhtar2015"])]
    [('series', 'https://doi.org/10.14309/crj.2015.60')]
    """
    return [] if priors is None else [source_in_words(priors.sources[key]) for key in keys if key in priors.sources]


def source_in_words(source: Source) -> Cited:
    """A source with its kind of evidence, its year unless the citation has it, and its DOI, linked if it is one."""
    return {
        "citation": source.citation,
        "kind": source.kind,
        "year": source.year if source.year not in source.citation else "",
        "doi": source.doi,
        "link": f"https://doi.org/{quote(source.doi, safe=SIGNS)}" if source.doi.startswith("10.") else "",
    }
