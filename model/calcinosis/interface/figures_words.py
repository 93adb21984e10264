"""Entries of the tables in the words of a figure: the labels of variables and states, not their names."""

from __future__ import annotations

import textwrap

from calcinosis.inference.entries import Entry
from calcinosis.inference.network import Network
from calcinosis.inference.phrases import a_record, uncapitalised
from calcinosis.knowledge.contexts import states_in
from calcinosis.knowledge.records import REPORTING

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
    what = f"{_name(entry.variable, network)}: {state_in_words(entry.variable, entry.state, network)}"
    if network.variables[entry.variable].group == REPORTING:
        mentioned, _, record = _name(entry.variable, network).rpartition(" mentioned")
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


def state_in_words(variable: str, state: str, network: Network) -> str:
    """The label of a state, or its name where it has none."""
    return next(own.label or own.name for own in network.variables[variable].states if own.name == state)


def _name(variable: str, network: Network) -> str:
    return network.variables[variable].label or variable.replace("_", " ")


def given_in_words(variable: str, cell: str, network: Network) -> str:
    """A parent cell of a row in words: its states, with the name of the variable where they need it; empty for any."""
    names = network.variables[variable].state_names
    states = states_in(cell, names)
    if len(states) == len(names) > 1:
        return ""
    name = _name(variable, network)
    if not name[1:2].isupper():
        name = name[:1].lower() + name[1:]
    if cell in ("no", "yes"):
        return name if cell == "yes" else f"no {name}"
    label = " or ".join(state_in_words(variable, state, network) for state in states)
    return label if _speaks_for_itself(variable, network) else f"{name} {label}"


def _speaks_for_itself(variable: str, network: Network) -> bool:
    """Whether the states of a variable say what they are states of: the target, its forms, the setting."""
    group = network.variables[variable].group
    form = group == "hidden" and network.target in network.parents[variable] and not _yes_or_no(variable, network)
    return variable == network.target or group in ITSELF or form


def _yes_or_no(variable: str, network: Network) -> bool:
    return set(network.variables[variable].state_names) == {"no", "yes"}
