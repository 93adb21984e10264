"""Arguments of a wrong type are refused where a public function is called, in words: what is expected, what was given.

A function marked with `checked` compares its arguments with its annotations before it runs. Classes are compared by
name, so that nothing is imported for it and annotations may be names that only the type checker sees. Values, such as
a number out of range or an unknown state, are for the function itself to judge.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterable, Sequence, Set
from dataclasses import dataclass
from functools import cache, wraps
from inspect import Parameter, signature
from numbers import Number
from typing import Any, TypeVar

import numpy as np

F = TypeVar("F", bound=Callable[..., Any])

_ALIASES = {
    "Kind": "str",
    "Literal": "str",
    "Missing": "Any",
    "Prevalence": "Mapping[str, float] | Sequence[float]",
    "Progress": "Callable",
    "Ranking": "str",
    "Scheme": "str",
    "Seed": "int | Sequence[int] | SeedSequence | BitGenerator | Generator | None",
    "States": "str | Collection[str]",
}
"""What the names of unions and literals mean in annotations."""

_WORDS = {
    "Callable": "a function",
    "Collection": "a list",
    "DataFrame": "a pandas.DataFrame",
    "Iterable": "a list",
    "Mapping": "a mapping",
    "Model": "a calcinosis.Model",
    "PathLike": "a path",
    "Sequence": "a list",
    "bool": "True or False",
    "float": "a number",
    "int": "a whole number",
    "str": "a text",
    "tuple": "a pair",
}
"""What is expected, by the name in an annotation; any other class goes by its name."""

_ITEMS = {"DataFrame": "DataFrames", "float": "numbers", "int": "whole numbers", "str": "texts"}

_FIXES = {
    "Model": "load one with calcinosis.load()",
    "DataFrame": "give one row per patient",
    "Evidence": "give findings by name, as in pain='severe', or as a dict",
    "PathLike": "give its name as a text or a pathlib.Path",
}
"""How to get what is expected."""


MOST_BY_PLACE = 2**8
"""How many arguments of one name are given by place at most, where any number can be."""

BEYOND = 2**1023
"""Whole numbers from here on are refused: no float holds them."""


@dataclass(frozen=True)
class _Kind:
    """One alternative of an annotation: the name of the class, and the alternatives of each item in its brackets."""

    name: str
    items: tuple[tuple[_Kind, ...], ...] = ()


def checked(function: F) -> F:
    """The same function, which refuses arguments that are not as its annotations say.

    Raises:
        TypeError: naming the argument, what is expected and what was given.

    >>> @checked
    ... def draw(model: Model, draws: int = 100): ...
    >>> draw("x")
    Traceback (most recent call last):
    TypeError: draw: model must be a calcinosis.Model, not str ('x'): load one with calcinosis.load()
    """

    @wraps(function)
    def wrapper(*given: Any, **named: Any) -> Any:
        by_place, by_name = _annotations(function)
        for (name, kinds), value in zip(by_place, given, strict=False):  # Python itself refuses what is too much
            if not _fits(value, kinds):
                raise _refused(f"{function.__name__}: {name}", value, kinds)
        for name, value in named.items():
            if name in by_name and not _fits(value, by_name[name]):
                raise _refused(f"{function.__name__}: {name}", value, by_name[name])
        return function(*given, **named)

    return wrapper  # type: ignore[return-value]


def refused(name: str, value: Any, annotation: str) -> TypeError:
    """The error that a value is not as an annotation says, for a function that is too fast to be checked first.

    >>> print(refused("draws", None, "int"))
    draws must be a whole number, not None
    """
    return _refused(name, value, _kinds(ast.parse(annotation, mode="eval").body))


def _refused(name: str, value: Any, kinds: tuple[_Kind, ...]) -> TypeError:
    *others, last = dict.fromkeys(map(_in_words, kinds))
    expected = f"{', '.join(others)} or {last}" if others else last
    names = {kind.name for kind in kinds}
    fix = next((f": {words}" for name, words in _FIXES.items() if name in names), "")
    if isinstance(value, str) and names & {"Collection", "Sequence"}:
        fix = f": write [{value[:40]!r}]"
    return TypeError(f"{name} must be {expected}, not {_as_given(value, names)}{fix}")


def _as_given(value: Any, names: Set[str]) -> str:
    """The type of a value, with the value if it is short, or with the types of its items if they are at fault."""
    given = type(value).__name__
    if value is None:
        return "None"
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if isinstance(value, int) and abs(value) >= BEYOND:
        return "one of more than 300 digits"
    if isinstance(value, str | bytes | Number):
        text = repr(value)
        return f"{given} ({text if len(text) <= 40 else text[:39] + '…'})"
    if isinstance(value, dict | list | set | tuple) and value and names & {"Collection", "Mapping", "Sequence"}:
        parts = (value, value.values()) if isinstance(value, dict) else (value,)
        return f"{given} of " + " to ".join("/".join(sorted({type(item).__name__ for item in part})) for part in parts)
    return given


def _in_words(kind: _Kind) -> str:
    words = _WORDS.get(kind.name, kind.name)
    items = [_ITEMS.get(alternatives[0].name, alternatives[0].name) for alternatives in kind.items]
    if not items or "Any" in items or kind.name not in ("Collection", "Iterable", "Mapping", "Sequence"):
        return words
    return f"{words} of {' to '.join(items)}"


@cache
def _annotations(function: Callable[..., Any]) -> tuple[list[tuple[str, tuple[_Kind, ...]]], dict[str, Any]]:
    """The kinds of the arguments that are given by place, and of those that are given by name."""
    places, names = [], {}
    for name, parameter in signature(function).parameters.items():
        untyped = parameter.annotation is Parameter.empty
        kinds = _kinds(ast.parse("Any" if untyped else parameter.annotation, mode="eval").body)
        if parameter.kind in (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD):
            places.append((name, kinds))
        if parameter.kind is Parameter.VAR_POSITIONAL:
            places += [(name, kinds)] * MOST_BY_PLACE
        if parameter.kind in (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY):
            names[name] = kinds
    return places, names


def _kinds(node: ast.expr) -> tuple[_Kind, ...]:
    """The alternatives of an annotation."""
    if isinstance(node, ast.BinOp):
        return (*_kinds(node.left), *_kinds(node.right))
    items: list[ast.expr] = []
    if isinstance(node, ast.Subscript):
        items = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        node = node.value
    name = ast.unparse(node).rpartition(".")[2]
    if name in _ALIASES:
        return _kinds(ast.parse(_ALIASES[name], mode="eval").body)
    return (_Kind(name, tuple(map(_kinds, items)) if name != "Callable" else ()),)


def _fits(value: Any, kinds: Iterable[_Kind]) -> bool:
    return any(_is_a(value, kind) for kind in kinds)


def _is_a(value: Any, kind: _Kind) -> bool:
    """Whether a value is of one kind, and its items are of theirs."""
    name, items = kind.name, kind.items
    match name:
        case "Any":
            return True
        case "None":
            return value is None
        case "int" | "float":
            if isinstance(value, int | np.integer) and not isinstance(value, bool):
                return abs(int(value)) < BEYOND
            return name == "float" and isinstance(value, float | np.floating)
        case "bool":
            return type(value).__name__ in ("bool", "bool_")  # the second is numpy's
        case "Callable":
            return callable(value)
        case "PathLike":
            return hasattr(value, "__fspath__") and not isinstance(value, type)
        case "Mapping":
            return _is_mapping(value, items)
        case "Collection" | "Sequence" | "Iterable":
            return _is_collection(value, name, items)
        case "tuple":
            return isinstance(value, tuple | list) and len(value) == len(items) and all(map(_fits, value, items))
    return any(base.__name__ == name for base in type(value).__mro__)


def _is_mapping(value: Any, items: Sequence[Iterable[_Kind]]) -> bool:
    """Whether a value can be read by name, as a dict or a pandas.Series can, and holds what it should."""
    if isinstance(value, type) or not (hasattr(value, "keys") and hasattr(value, "__getitem__")):
        return False
    keys, values = items
    if any(kind.name == "Any" for kind in values):
        return True  # findings, which `Model.read` reads and judges
    return not hasattr(value, "columns") and all(
        _fits(key, keys) and _fits(item, values) for key, item in dict(value).items()
    )


def _is_collection(value: Any, name: str, items: Sequence[Iterable[_Kind]]) -> bool:
    """Whether a value holds others, in order where it is a sequence, and these are what they should be."""
    single = isinstance(value, str | bytes | bytearray | type) or getattr(value, "shape", None) == ()
    if single or not isinstance(value, Iterable):
        return False
    if name == "Iterable":
        return True
    unordered = hasattr(value, "keys") or isinstance(value, Set)
    if not isinstance(value, Collection) or hasattr(value, "columns") or (name == "Sequence" and unordered):
        return False
    named = any(kind.name == "str" for kind in items[0])
    # `in` looks at the index of a pandas.Series, not at its values
    return not (named and hasattr(value, "iloc")) and all(_fits(item, items[0]) for item in value)
