"""The digest of a priors folder, which identifies the numbers behind a result."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any


def digest(*content: Any) -> str:
    """The SHA-256 of the content of records, independent of the order of rows and columns: 64 hexadecimal digits."""
    text = json.dumps([_plain(part) for part in content], sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: Any) -> Any:
    """Records and mappings as dictionaries, sets as sorted lists; an `added` field is omitted if it is None."""
    if is_dataclass(value) and not isinstance(value, type):
        content = {f.name: getattr(value, f.name) for f in fields(value) if f.compare}
        added = [f.name for f in fields(value) if f.metadata.get("added") and content[f.name] is None]
        return {name: _plain(item) for name, item in content.items() if name not in added}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, str | int | float | bool) or value is None:
        return value
    if isinstance(value, set | frozenset):
        return sorted((_plain(item) for item in value), key=lambda item: json.dumps(item, sort_keys=True))
    if isinstance(value, Sequence):
        return [_plain(item) for item in value]
    raise TypeError(f"no digest of {type(value).__name__}")
