"""Entries of the tables in the words of a figure: the labels of variables and states, not their names."""

from __future__ import annotations

import textwrap
from collections.abc import Collection

from calcinosis.inference.entries import Entries, Entry
from calcinosis.inference.network import Network
from calcinosis.inference.phrases import a_record, listed, uncapitalised
from calcinosis.knowledge.contexts import states_in
from calcinosis.knowledge.records import REPORTING, Priors

ITSELF = ("setting", "outcome")
"""The groups of variables whose states are understood without the name of the variable."""


def entry_in_words(entry: Entry, network: Network, width: int) -> str:
    """An entry in words, what and then under which circumstances, in lines of so many characters; nothing is left out.

    >>> import calcinosis as cc
    >>> model = cc.load()
    >>> print(entry_in_words(model.entries.find("sex=male@form=idiopathic_genital"), model.network, 62))
    Sex: male
    given idiopathic, genital
    >>> print(entry_in_words(model.entries.find("pth=high@esrd=no,serum_calcium=low"), model.network, 62))
    Parathyroid hormone: high
    given no end-stage renal disease, serum calcium low
    """
    what = f"{network.variables[entry.variable].label}: {network.variables[entry.variable].labels[entry.state]}"
    if network.variables[entry.variable].group == REPORTING:
        mentioned, _, record = network.variables[entry.variable].label.rpartition(" mentioned")
        verb = "mentions" if entry.state == "yes" else "does not mention"
        what = f"How often {a_record(record.strip(' ()'))} {verb} {uncapitalised(mentioned)}"
    found = [what]
    if entry.given:
        # the subtype or its form first: it is what the reader looks for
        first = sorted(entry.given, key=lambda parent: not _speaks_for_itself(parent, network))
        parts = [part for parent in first if (part := given_in_words(parent, entry.given[parent], network))]
        if parts:
            found.append(f"given {('; ' if any(',' in part for part in parts) else ', ').join(parts)}")
    return "\n".join(line for part in found for line in textwrap.wrap(part, width, break_on_hyphens=False))


def given_in_words(variable: str, cell: str, network: Network) -> str:
    """A parent cell of a row in words: its states, with the name of the variable where they need it; empty for any."""
    names = network.variables[variable].state_names
    states = states_in(cell, names)
    if len(states) == len(names) > 1:
        return ""
    name = network.variables[variable].label
    if not name[1:2].isupper():
        name = name[:1].lower() + name[1:]
    if cell in ("no", "yes"):
        return name if cell == "yes" else f"no {name}"
    label = states_in_words(variable, states, network)
    return label if _speaks_for_itself(variable, network) else f"{name} {label}"


def states_in_words(variable: str, states: Collection[str], network: Network) -> str:
    """Several states in as few words as name them all: labels that begin alike are named once, and the few states that
    are left out are named instead of the many.

    >>> import calcinosis as cc
    >>> network = cc.load().network
    >>> states_in_words("form", ["idiopathic_genital", "idiopathic_tumoral", "idiopathic_nodular"], network)
    'idiopathic'
    >>> states_in_words("form", ["metastatic_renal", "calciphylaxis_uraemic", "calciphylaxis_nonuraemic"], network)
    'metastatic (of renal failure) or calciphylaxis'
    >>> states_in_words("subtype", ["dystrophic", "metastatic", "idiopathic", "iatrogenic"], network)
    'any but calciphylaxis'
    """
    others = [name for name in network.variables[variable].state_names if name not in states]
    if 0 < 2 * len(others) < len(states):
        return f"any but {_alike(variable, others, network)}"
    return _alike(variable, states, network)


def _alike(variable: str, states: Collection[str], network: Network) -> str:
    """The labels of states, those that share what is before the comma told together."""
    labels = network.variables[variable].labels
    groups: dict[str, list[str]] = {}
    for name, label in labels.items():
        groups.setdefault(label.partition(", ")[0], []).append(name)
    parts = []
    for beginning, members in groups.items():
        chosen = [name for name in members if name in states]
        if len(members) == 1 or len(states) == 1:
            parts += [labels[name] for name in chosen]
        elif len(chosen) == len(members):
            parts.append(beginning)
        elif chosen:
            few = 2 * len(chosen) <= len(members)
            named = chosen if few else [name for name in members if name not in states]
            rest = listed((labels[name].partition(", ")[2] for name in named), "or")
            parts.append(f"{beginning} ({rest})" if few else f"{beginning} (not {rest})")
    return listed(parts, "or")


def _speaks_for_itself(variable: str, network: Network) -> bool:
    """Whether the states of a variable say what they are states of: the target, its forms, the setting."""
    group = network.variables[variable].group
    form = group == "hidden" and network.target in network.parents[variable] and not _yes_or_no(variable, network)
    return variable == network.target or group in ITSELF or form


def _yes_or_no(variable: str, network: Network) -> bool:
    return set(network.variables[variable].state_names) == {"no", "yes"}


def named_entry(name: str, entries: Entries, width: int = 60) -> tuple[str, ...]:
    """An entry in words, line by line, and below it the name by which it is found."""
    return (*entry_in_words(entries.find(name), entries.network, width).split("\n"), f"({name})")


def citations(keys: str, priors: Priors | None) -> tuple[str, ...]:
    """The sources of a row with their kinds, one to a line."""
    if priors is None:
        return ()
    return tuple(f"{priors.sources[key].citation} ({priors.sources[key].kind})" for key in keys.split(";"))
