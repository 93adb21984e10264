"""Immutable content: a mapping that can be hashed and pickled, and the digest of records."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class FrozenMap(Mapping[K, V]):
    """A read-only mapping that keeps its order.

    The read-only view of the standard library cannot be pickled, so a model could not be sent to a worker process.

    >>> units = FrozenMap({"g/dL": 1.0})
    >>> units["g/dL"], len(units)
    (1.0, 1)
    """

    __slots__ = ("_items",)
    _items: dict[K, V]

    def __init__(self, items: Mapping[K, V]) -> None:
        object.__setattr__(self, "_items", dict(items))

    def __getitem__(self, key: K) -> V:
        return self._items[key]

    def __iter__(self) -> Iterator[K]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError("this mapping is read-only")

    def __hash__(self) -> int:
        return hash(frozenset(self._items.items()))

    def __reduce__(self) -> tuple[type[FrozenMap[K, V]], tuple[dict[K, V]]]:
        return type(self), (self._items,)

    def __repr__(self) -> str:
        return repr(self._items)


def digest(*content: Any) -> str:
    """The SHA-256 of the content of records, independent of the order of rows and columns: 64 hexadecimal digits."""
    return hashlib.sha256(_json(content).encode()).hexdigest()


def _json(content: Any) -> str:
    return json.dumps(content, sort_keys=True, default=_plain)


def _plain(value: Any) -> Any:
    """Records and mappings as dictionaries, sets as sorted lists; an `added` field is omitted if it is None."""
    if is_dataclass(value) and not isinstance(value, type):
        content = {name: getattr(value, name) for name in _compared(type(value))}
        for name in _added(type(value)):
            if content[name] is None:
                del content[name]
        return content
    if isinstance(value, Mapping):
        return {str(key): item for key, item in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(value, key=_json)
    if isinstance(value, Sequence):
        return list(value)
    raise TypeError(f"no digest of {type(value).__name__}")


@cache
def _compared(record: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(record) if field.compare)


@cache
def _added(record: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(record) if field.compare and field.metadata.get("added"))
