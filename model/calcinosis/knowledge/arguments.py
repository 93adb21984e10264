"""Type checks for the arguments of public functions, with errors that say what was given and what was expected.

A function marked with `checked` compares its arguments with its annotations before it runs. Classes are compared by
name, so nothing needs to be imported, and annotations may use names that only the type checker sees. Values, such as
numbers out of range or unknown states, are checked by the function itself.
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
"""The types behind aliases in annotations."""

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
"""The expected type in words; any other class is called by its name."""

_ITEMS = {"DataFrame": "DataFrames", "float": "numbers", "int": "whole numbers", "str": "texts"}

_FIXES = {
    "Model": "load one with calcinosis.load()",
    "DataFrame": "give one row per patient",
    "Evidence": "give findings by name, as in pain='severe', or as a dict",
    "PathLike": "give its name as a text or a pathlib.Path",
}
"""How to fix a wrong argument, by the expected type."""

MOST_BY_PLACE = 2**8
"""The maximum number of arguments checked for a parameter such as `*args`."""

BEYOND = 2**1023
"""The limit of integers, beyond which a float overflows."""


@dataclass(frozen=True)
class _Kind:
    """One alternative of an annotation: the name of the class, and the alternatives of each type argument."""

    name: str
    items: tuple[tuple[_Kind, ...], ...] = ()


def checked(function: F) -> F:
    """The same function with its arguments checked against its annotations.

    Raises:
        TypeError: naming the argument, the expected type and the value given.

    >>> @checked
    ... def draw(model: Model, draws: int = 100): ...
    >>> draw("x")
    Traceback (most recent call last):
    TypeError: draw: model must be a calcinosis.Model, not str ('x'): load one with calcinosis.load()
    """

    @wraps(function)
    def wrapper(*given: Any, **named: Any) -> Any:
        places, kinds = _parameters(function)
        for name, value in (*zip(places, given, strict=False), *named.items()):  # Python itself rejects extra arguments
            if name in kinds and not _fits(value, kinds[name]):
                raise _refused(f"{function.__name__}: {name}", value, kinds[name])
        return function(*given, **named)

    return wrapper  # type: ignore[return-value]


def refused(name: str, value: Any, annotation: str) -> TypeError:
    """The error for a value that does not match an annotation, for functions too fast to be `checked`.

    >>> print(refused("draws", None, "int"))
    draws must be a whole number, not None
    """
    return _refused(name, value, _kinds(annotation))


def _refused(name: str, value: Any, kinds: tuple[_Kind, ...]) -> TypeError:
    *others, last = dict.fromkeys(map(_in_words, kinds))
    expected = f"{', '.join(others)} or {last}" if others else last
    names = {kind.name for kind in kinds}
    fix = next((f": {words}" for name, words in _FIXES.items() if name in names), "")
    if isinstance(value, str) and names & {"Collection", "Sequence"}:
        fix = f": write [{value[:40]!r}]"
    return TypeError(f"{name} must be {expected}, not {_as_given(value, names)}{fix}")


def _as_given(value: Any, names: Set[str]) -> str:
    """The type of a value, with the value if it is short, or with the types of its items if these are wrong."""
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
def _parameters(function: Callable[..., Any]) -> tuple[list[str], dict[str, tuple[_Kind, ...]]]:
    """The parameters by place, and the types of each by name; `**keywords` may be anything."""
    places: list[str] = []
    kinds = {}
    for name, parameter in signature(function).parameters.items():
        if parameter.kind is Parameter.VAR_KEYWORD:
            continue
        kinds[name] = _kinds("Any" if parameter.annotation is Parameter.empty else parameter.annotation)
        if parameter.kind is not Parameter.KEYWORD_ONLY:
            places += [name] * (MOST_BY_PLACE if parameter.kind is Parameter.VAR_POSITIONAL else 1)
    return places, kinds


def _kinds(annotation: str | ast.expr) -> tuple[_Kind, ...]:
    """The alternatives of an annotation."""
    node = ast.parse(annotation, mode="eval").body if isinstance(annotation, str) else annotation
    if isinstance(node, ast.BinOp):
        return (*_kinds(node.left), *_kinds(node.right))
    items: list[ast.expr] = []
    if isinstance(node, ast.Subscript):
        items = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        node = node.value
    name = ast.unparse(node).rpartition(".")[2]
    if name in _ALIASES:
        return _kinds(_ALIASES[name])
    return (_Kind(name, () if name == "Callable" else tuple(map(_kinds, items))),)


def _fits(value: Any, kinds: Iterable[_Kind]) -> bool:
    return any(_is_a(value, kind) for kind in kinds)


def _is_a(value: Any, kind: _Kind) -> bool:
    """Whether a value has a type, and its items the types of the type arguments."""
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
    """Whether a value is a mapping, such as a dict or a pandas.Series, with keys and items of the right type."""
    if isinstance(value, type) or not (hasattr(value, "keys") and hasattr(value, "__getitem__")):
        return False
    keys, values = items
    if any(kind.name == "Any" for kind in values):
        return True  # findings, which `Model.read` reads and judges
    return not hasattr(value, "columns") and all(
        _fits(key, keys) and _fits(item, values) for key, item in dict(value).items()
    )


def _is_collection(value: Any, name: str, items: Sequence[Iterable[_Kind]]) -> bool:
    """Whether a value is a collection (ordered, for a sequence) with items of the right type."""
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
