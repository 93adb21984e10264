"""Untrusted text made safe for a terminal: control characters are escaped."""

from __future__ import annotations

import re

_STEERING = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, line breaks, bidirectional overrides, and lone surrogates."""


def visible(text: str) -> str:
    r"""The text on one line, with control characters escaped as in Python and JSON.

    >>> print(visible("a\nb\x1b[2J\x9b"))
    a\nb\x1b[2J\u009b
    """
    return _STEERING.sub(lambda sign: _escape(sign[0]), text)


def visible_lines(text: str) -> str:
    """The text with control characters escaped, except line breaks."""
    return "\n".join(map(visible, text.split("\n")))


def _escape(sign: str) -> str:
    # escapes that are valid in JSON, so that JSON stays JSON
    return repr(sign)[1:-1] if sign < " " else f"\\u{ord(sign):04x}"
