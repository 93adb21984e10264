"""Write the reference of the public names, from their docstrings: python notebooks/scripts/reference.py [FILE]."""

import inspect
import sys
from pathlib import Path

import calcinosis as cc

PAGE = Path(__file__).resolve().parent.parent / "reference.md"
MODULES = ("", "whatif", "sensitivity", "learn", "cohort", "plot", "errors")


def entry(name: str, value: object) -> str:
    """The heading and the docstring of a public name, without what is private."""
    heads = f"### `cc.{name}`\n"
    if not callable(value):
        return f"{heads}\n`{value!r}`\n"
    return f"{heads}\n```text\n{inspect.getdoc(value)}\n```\n"


def reference() -> str:
    """The page in Markdown."""
    parts = ["# Reference\n\nThe public names, from their docstrings. Written by `notebooks/scripts/reference.py`.\n"]
    parts.append(f"*{cc.DISCLAIMER}*\n")
    for module in MODULES:
        home = getattr(cc, module) if module else cc
        parts.append(f"## `{'cc.' + module if module else 'cc'}`\n")
        for name in sorted(home.__all__):
            value = getattr(home, name)
            if not inspect.ismodule(value) and name != "__version__":
                parts.append(entry(f"{module}.{name}" if module else name, value))
    return "\n".join(parts)


if __name__ == "__main__":
    page = Path(sys.argv[1]) if len(sys.argv) > 1 else PAGE
    page.write_text(reference(), encoding="utf-8")
