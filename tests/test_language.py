"""The texts and names of the package keep to the field's words: every offender is listed at once."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "model" / "calcinosis"
MODULES = [path for path in sorted(PACKAGE.rglob("*.py")) if "explorer" not in path.parts]
TEXTS = [
    *MODULES,
    *(path for path in sorted(ROOT.glob("*.md"))),
    *sorted((ROOT / "priors").glob("*.md")),
    *sorted((ROOT / "notebooks").rglob("*.md")),
    *sorted((ROOT / "notebooks").glob("*.ipynb")),
]

# a phrase that reads as translated, or a private word for a term of the field
BANNED = [
    r"hangs? on\b",
    r"tells most",
    r"speaks? (most )?(for|against)\b",
    r"what is not known",
    r"set aside",
    r"leave it open",
    r"truly leads",
    r"the leading (one|state|subtype)",
    r"gravest",
    r"to be had",
    r"drawn by its weight|with every row drawn",
    r"patients' worth",
    r"\bmend(s|ed)?\b",
    r"\bslips? (of|in|is)\b",
    r"senseless",
    r"\banew\b",
    r"\bof whom\b|\bwhoever\b",
    r"yardsticks?",
    r"tightly knit",
    r"that cannot be\b[.,:]",
    r"\bstakes\b",
    r"\bprequential check",
    r"--unasked|--towards|--plan\b",
    r"\bis told\b|\bare told\b",
    r"\b(him|her)self\b",
    r"\bplausible parameter sets\b",
]

PREPOSITIONS = {"after", "behind", "through", "before", "beside", "beyond", "within", "without"}


def test_no_text_uses_a_banned_phrase():
    """LANGUAGE: subject first, verb soon, the term a clinician or an engineer would look for."""
    pattern = re.compile("|".join(BANNED), re.IGNORECASE)
    offenders = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:110]}"
        for path in TEXTS
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line)
    ]
    assert not offenders, "\n".join(offenders)


def test_every_class_has_a_name_of_its_own():
    """A reader who searches for a class finds one definition."""
    places = defaultdict(list)
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(str(path.relative_to(PACKAGE)))
    repeated = {name: files for name, files in places.items() if len(files) > 1}
    assert not repeated, repeated


def test_no_file_is_named_by_a_preposition():
    """A file is named by what it has."""
    assert not [path for path in MODULES if path.stem in PREPOSITIONS]
