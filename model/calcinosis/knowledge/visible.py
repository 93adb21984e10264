"""Text of others, made harmless for a terminal: signs that would steer it are shown, not sent."""

from __future__ import annotations

import re

_STEERING = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, line breaks, signs that turn the direction of writing, and what cannot be encoded."""


def visible(text: str) -> str:
    r"""Text in one line, each sign that would steer a terminal as the escape that Python and JSON have for it.

    >>> print(visible("a\nb\x1b[2J\x9b"))
    a\nb\x1b[2J\u009b
    """
    return _STEERING.sub(lambda sign: _escape(sign[0]), text)


def visible_lines(text: str) -> str:
    """The same, with its line breaks as they are."""
    return "\n".join(map(visible, text.split("\n")))


def _escape(sign: str) -> str:
    # below a space as Python has it; all others as JSON has them too, so that JSON stays JSON
    return repr(sign)[1:-1] if sign < " " else f"\\u{ord(sign):04x}"
