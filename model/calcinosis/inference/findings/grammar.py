"""The findings grammar, the same for values from Python, the shell, a CSV cell or JSON.

====================================  =====================================================
``severe``                            a state
``intermittent/severe``               one of these states (soft evidence)
``absent,absent,absent``              repeated results of a repeatable variable
``9.1 mg/dL``, ``2.27mmol/L``         a number with its unit
``none:0.2,severe:0.8``               likelihoods (soft evidence); 0 for a state that is not named
empty, None, NaN                      not observed
``unknown``, ``pending``              not observed, although asked for
====================================  =====================================================

Python also takes a list (repeated results), a set (one of), a dict (likelihoods), and True or False for yes or no.
State names that contain ``/ , :`` are matched first.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence, Set
from numbers import Number
from typing import Any

from calcinosis.inference.findings.measurement import (
    MEASURED,
    Measurement,
    NotUnderstood,
    convert,
    split_measurement,
)
from calcinosis.knowledge.names import folded
from calcinosis.knowledge.number import SMALLEST, NotANumber, is_error, parse_number, whole_number
from calcinosis.knowledge.problem import choose_from, shown
from calcinosis.knowledge.records import Variable

LONGEST = 10_000
"""The maximum length of a text: some thousand results."""

ASKED_FOR = ("unknown", "pending")
"""The words for a variable that was asked for and is not known."""


Reading = tuple[tuple[float, ...], str] | Measurement
"""One result: its likelihoods and its meaning in words, or a number still to be assigned to a band."""


def is_missing(value: Any) -> bool:
    """Whether a value means that nothing was observed: None, NaN, NA, an empty text, 'unknown' or 'pending'."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    if isinstance(value, str):
        return len(value) <= LONGEST and folded(value) in ("", "nan", *ASKED_FOR)
    return isinstance(value, Number) and not isinstance(value, bool) and value != value


def is_mentioned(value: Any) -> bool | None:
    """Whether a record with this value mentions the variable; None if the variable was asked for but is unknown.

    >>> is_mentioned("severe"), is_mentioned(" "), is_mentioned("unknown")
    (True, False, None)
    """
    value = plain(value)
    if isinstance(value, str):
        value = value.split(",")
    items = value if isinstance(value, list | tuple) else [value]
    if not all(map(is_missing, items)):
        return True
    return None if any(isinstance(item, str) and folded(item) in ASKED_FOR for item in items) else False


def plain(value: Any) -> Any:
    """A numpy array or scalar, or a pandas Series, as plain Python; any other value unchanged."""
    return value.tolist() if hasattr(value, "tolist") else value


def read_value(value: Any, variable: Variable) -> list[Reading]:
    """The results in a value; none if nothing was observed.

    Raises:
        NotUnderstood: if the value does not follow the grammar.
    """
    value = plain(value)
    if isinstance(value, str):
        return _read_text(readable(value), variable)
    if is_missing(value):
        return []
    if isinstance(value, Mapping):
        return [_likelihoods(value, variable)]
    if isinstance(value, set | frozenset):
        return [_either(sorted(_state(_word(item), variable) for item in value), variable)]
    if isinstance(value, Sequence):
        return _read_items(value, variable)
    return [_read_word(_word(value), variable)]


def readable(text: str) -> str:
    """A text without surrounding spaces, if it is not too long.

    Raises:
        NotUnderstood: if it is too long.
    """
    if len(text) > LONGEST:
        what = f"{len(text):,} characters, of which at most {LONGEST:,} are read"
        raise NotUnderstood(what, "give a shorter value, or in Python repeated results as a list")
    return text.strip()


def _read_items(items: Sequence[Any], variable: Variable) -> list[Reading]:
    """The results in a list; equal texts are parsed once."""
    by_text: dict[str, list[Reading]] = {}
    results: list[Reading] = []
    for item in items:
        if type(item) is not str:
            results += _read_item(item, variable)
            continue
        if item not in by_text:
            by_text[item] = _read_item(item, variable)
        results += by_text[item]
    return results


def _read_item(item: Any, variable: Variable) -> list[Reading]:
    """One item of a list: a single result, not a nested list."""
    item = plain(item)
    if isinstance(item, Sequence) and not isinstance(item, str | bytes):
        raise NotUnderstood("a list within a list", "give one result per item")
    return read_value(item, variable)


def shallow(value: Any) -> str:
    """A Python value as text; '…' for a container, which may be infinitely nested."""
    value = plain(value)
    holds = isinstance(value, Mapping | Sequence | Set) and not isinstance(value, str | bytes)
    return "…" if holds else str(value)


def _word(value: Any) -> str:
    """A Python value as it would be written in a cell."""
    value = plain(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e6:
        return str(int(value))
    return shallow(value).strip()


def _read_text(text: str, variable: Variable) -> list[Reading]:
    states = variable.state_names
    if text in states:
        return [_read_word(text, variable)]
    if is_missing(text):
        return []
    if _looks_measured(text, variable):
        try:
            return [_measured(text, variable)]
        except NotUnderstood:
            parts = [part.strip() for part in text.split(",")]
            if len(parts) < 2 or not all(split_measurement(part)[1] in variable.units for part in parts):
                raise
            return [_measured(part, variable) for part in parts]
    signs = sum(state.count(",") for state in states)
    weighed = split_words(text, ",", lambda part: _is_weighed(part, variable), signs)
    if all(_is_weighed(part, variable) for part in weighed):
        return [_likelihoods(_pairs(weighed, variable), variable)]
    parts = split_words(text, ",", lambda part: is_missing(part) or _is_result(part, variable), signs)
    if ":" in text and not any(_is_result(part, variable) for part in parts):
        return [_likelihoods(_pairs(weighed, variable), variable)]
    return [_read_word(part, variable) for part in parts if not is_missing(part) or part in states]


def split_words(text: str, sign: str, is_word: Callable[[str], bool], signs: int) -> list[str]:
    """A text split at a sign, but not inside known words that contain the sign.

    Args:
        text: the text.
        sign: the separator.
        known: whether a word is known.
        signs: the maximum number of times that the sign occurs in a known word.

    >>> split_words("a/b/c", "/", lambda word: word in ("a/b", "c"), signs=1)
    ['a/b', 'c']
    """
    pieces = text.split(sign)
    # dynamic programming from the end: the length of the first word of a split of the rest, the longest that works
    first: list[int | None] = [None] * len(pieces) + [0]
    for start in range(len(pieces) - 1, -1, -1):
        for length in range(min(signs + 1, len(pieces) - start), 0, -1):
            if first[start + length] is not None and is_word(sign.join(pieces[start : start + length]).strip()):
                first[start] = length
                break
    words, start = [], 0
    while start < len(pieces):
        length = first[start] or 1
        words.append(sign.join(pieces[start : start + length]).strip())
        start += length
    return words


def _state(word: str, variable: Variable) -> str:
    """A word as the state it means; true and false mean yes and no if there are such states."""
    word = word.strip()
    if word.casefold() in ("true", "false") and word not in variable.state_names:
        for other in ("yes", "true") if word.casefold() == "true" else ("no", "false"):
            if other in variable.state_names:
                return other
    return word


def _alternatives(text: str, variable: Variable) -> list[str]:
    """The states in a text that names one of several."""
    states = variable.state_names
    if _state(text, variable) in states:
        return [_state(text, variable)]
    signs = sum(state.count("/") for state in states)
    words = [_state(word, variable) for word in split_words(text, "/", lambda w: _state(w, variable) in states, signs)]
    return words if any(word in states for word in words) else [text.strip()]


def _is_weighed(text: str, variable: Variable) -> bool:
    """Whether a text is a state with its likelihood."""
    return text not in variable.state_names and _state(text.rpartition(":")[0], variable) in variable.state_names


def _is_result(text: str, variable: Variable) -> bool:
    """Whether a text is a state, or one of several."""
    return all(word in variable.state_names for word in _alternatives(text, variable))


def _read_word(word: str, variable: Variable) -> Reading:
    """One result: a state, one of several, or a number with its unit."""
    if _looks_measured(word, variable):
        return _measured(word, variable)
    return _either(_alternatives(word, variable), variable)


def _either(words: Sequence[str], variable: Variable) -> Reading:
    _known(words, variable)
    named = [state for state in variable.state_names if state in words]
    if not named:
        raise NotUnderstood("no state is named", choose_from("", variable.state_names))
    return tuple(float(state in named) for state in variable.state_names), " or ".join(named)


def _known(words: Sequence[str], variable: Variable) -> None:
    for word in words:
        if word in variable.state_names:
            continue
        if is_error(word):
            raise NotUnderstood(f"{shown(word)} is an error of a spreadsheet", "write what was found, or nothing")
        fix = choose_from(word, variable.state_names)
        if variable.numeric:
            fix += f"; or a number with its unit ({', '.join(variable.units)})"
        if folded(word) in ("na", "n/a", "n.a.", "null"):
            fix += "; or nothing, if it was not observed"
        raise NotUnderstood(f"no state '{shown(word)}'", fix)


def _pairs(parts: Sequence[str], variable: Variable) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for part in parts:
        name, _, number = part.rpartition(":")
        last = next(reversed(pairs), None)
        if not name and last and whole_number(number) is not None and whole_number(pairs[last]) is not None:
            what = f"the likelihood of {last} is a decimal comma"
            raise NotUnderstood(what, f"write {last}:{pairs[last]}.{number}")
        if not name.strip():
            raise NotUnderstood(f"no likelihood in '{shown(part)}'", "write state:number, as in none:0.2,severe:0.8")
        if _state(name, variable) in pairs:
            raise NotUnderstood(f"two likelihoods for {_state(name, variable)}", "name each state once")
        pairs[_state(name, variable)] = number.strip()
    return pairs


def _likelihoods(given: Mapping[Any, Any], variable: Variable) -> Reading:
    words: dict[str, Any] = {}
    for key, number in given.items():
        state = _state(_word(key), variable)
        if state in words:
            raise NotUnderstood(f"two likelihoods for {state}", "name each state once")
        words[state] = number
    _known(list(words), variable)
    values: dict[str, float] = {}
    for state, number in words.items():
        try:
            values[state] = parse_number(number) if isinstance(number, str) else float(number)
        except NotANumber as fault:
            raise NotUnderstood(f"the likelihood of {state} is {fault.what}", fault.fix) from None
        except (TypeError, ValueError, OverflowError):
            raise NotUnderstood(f"the likelihood of {state} is not a number", "write a number from 0 up") from None
        if not math.isfinite(values[state]):
            raise NotUnderstood(f"the likelihood of {state} is not finite", "write a number from 0 up")
        if values[state] < 0:
            raise NotUnderstood(f"the likelihood of {state} is negative", "write a number from 0 up")
    largest = max(values.values(), default=0.0)
    tiny = next((state for state, number in values.items() if 0 < number < SMALLEST * largest), None)
    if tiny is not None:
        what = f"the likelihood of {tiny} is less than {SMALLEST:g} times the largest"
        raise NotUnderstood(what, "write 0 for what cannot be, or a larger number")
    if not any(values.values()):
        raise NotUnderstood("all likelihoods are 0", "give at least one state a likelihood above 0")
    text = ", ".join(f"{state} {values[state]:g}" for state in variable.state_names if state in values)
    return tuple(values.get(state, 0.0) for state in variable.state_names), f"likelihoods {text}"


def _looks_measured(text: str, variable: Variable) -> bool:
    """Whether a text is a number with a unit, and not the name of a state."""
    return variable.numeric and text not in variable.state_names and MEASURED.fullmatch(text) is not None


def _measured(text: str, variable: Variable) -> Measurement:
    number, unit = split_measurement(text)
    return Measurement(f"{number} {unit}" if unit else text, convert(number, unit, variable.units, variable.name))
