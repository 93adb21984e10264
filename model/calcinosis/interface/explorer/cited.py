"""The sources that a figure of the priors rests on, as a view shows them."""

from __future__ import annotations

from collections.abc import Iterable

from calcinosis.knowledge.records import Priors

Cited = dict[str, str]


def cited(priors: Priors | None, keys: Iterable[str]) -> list[Cited]:
    """Each source with its `kind`, `citation` and `doi`, which is empty where there is none; none without a folder.

    >>> import calcinosis as cc
    >>> [(own["kind"], own["doi"]) for own in cited(cc.load().priors, ["akhtar2015"])]
    [('series', '10.14309/crj.2015.60')]
    """
    if priors is None:
        return []
    found = [priors.sources[key] for key in keys if key in priors.sources]
    return [{"kind": own.kind, "citation": own.citation, "doi": own.doi} for own in found]
