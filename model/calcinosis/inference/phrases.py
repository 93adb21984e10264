"""Findings in words that stand in a sentence: 'no weight loss', 'serum calcium (normal)'."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from calcinosis.inference.findings.evidence import Finding
from calcinosis.knowledge.records import REPORTING, Variable

TIMES = ("", "once", "twice")
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def counted(number: int) -> str:
    """A number in words, up to twelve; as digits above.

    >>> counted(5), counted(59)
    ('five', '59')
    """
    return NUMBERS[number] if number < len(NUMBERS) else f"{number:,}"


def phrase(variable: Variable, finding: Finding) -> str:
    """A finding in words, to stand in a sentence.

    >>> import calcinosis as cc
    >>> model = cc.load()
    >>> known = model.read(weight_loss="no", serum_calcium="normal", vascular_histology="absent,absent")
    >>> print("; ".join(phrase(model.variables[finding.variable], finding) for finding in known))
    no weight loss; serum calcium (normal); vessels on biopsy (no calcium in vessel walls, twice)
    """
    name = uncapitalised(variable.label)
    if variable.group == REPORTING and finding.given == "no":
        return f"{name.rpartition(' mentioned')[0]} not mentioned"
    if variable.state_names == ("no", "yes") and len(finding.likelihoods) == 1:
        no, yes = finding.likelihoods[0]
        if not (no and yes):
            return name if yes else f"no {name}"
    seen = Counter(_result(variable, likelihoods) for likelihoods in finding.likelihoods)
    if len(finding.likelihoods) == 1:
        return f"{name} ({next(iter(seen))})"
    return f"{name} ({', '.join(f'{result}, {_times(count)}' for result, count in seen.items())})"


def not_mentioned(count: int, other: bool = False) -> str:
    """So many variables, perhaps others than those named, that a record does not mention.

    >>> not_mentioned(1), not_mentioned(7, other=True)
    ('one variable not mentioned', 'seven other variables not mentioned')
    """
    return f"{counted(count)} {'other ' if other else ''}variable{'' if count == 1 else 's'} not mentioned"


def a_record(record: str) -> str:
    """A kind of record in a sentence.

    >>> a_record("case_report"), a_record("abstract")
    ('a case report', 'an abstract')
    """
    return f"{'an' if record[:1] in 'aeiou' else 'a'} {record.replace('_', ' ') or 'record'}"


def uncapitalised(label: str) -> str:
    """A label as it stands within a sentence: its first letter small, unless a capital follows, as in an acronym.

    >>> uncapitalised("Weight loss"), uncapitalised("CT scan"), uncapitalised("")
    ('weight loss', 'CT scan', '')
    """
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]


def capitalised(sentence: str) -> str:
    """A sentence with a capital to begin with."""
    return sentence[:1].upper() + sentence[1:]


def listed(words: Iterable[str], last: str = "and") -> str:
    """Words as a list in a sentence.

    >>> listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"])
    ('a', 'a and b', 'a, b and c')
    """
    every = list(words)
    return f" {last} ".join([", ".join(every[:-1]), every[-1]] if len(every) > 1 else every)


def _result(variable: Variable, likelihoods: Sequence[float]) -> str:
    """What one result says, in the labels of the states."""
    highest = max(likelihoods)
    labels = list(variable.labels.values())
    if set(likelihoods) <= {0.0, highest}:
        shown = [label for label, own in zip(labels, likelihoods, strict=True) if own]
        return " / ".join(shown) if any(" or " in label for label in shown) else listed(shown, "or")
    shares = (f"{label} {own / highest:.2g}" for label, own in zip(labels, likelihoods, strict=True))
    return f"likelihoods {', '.join(shares)}"


def _times(count: int) -> str:
    return TIMES[count] if count < len(TIMES) else f"{count} times"
