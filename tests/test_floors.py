"""Four floors with rooms, imports only downwards; slow packages are imported where they are needed."""

from __future__ import annotations

import ast
from pathlib import Path

import calcinosis

PACKAGE = Path(calcinosis.__file__).parent
FLOORS = ["knowledge", "inference", "analysis", "interface"]
ROOMS = {
    "inference": [
        ["question_error", "numbers", "result"],
        ["network", "streams"],
        ["findings"],
        ["engine", "simulate", "pgmpy_bridge", "phrases"],
        ["intervals", "conflict"],
        ["entries"],
        ["posterior", "reading"],
        ["tables"],
        ["model"],
        ["cases"],
    ],
    "analysis": [
        ["plain"],
        ["explain", "workup", "sensitivity"],
        ["whatif", "validate"],
        ["decide", "learn"],
    ],
    "interface": [
        ["paths", "words"],
        ["figures", "cohort"],
        ["reports"],
        ["presenting"],
        ["shell"],
    ],
}
"""The rooms of each floor, the lowest first; those of one line do not import each other. The explorer is in none."""

SLOW = {"pgmpy", "matplotlib", "pandas", "panel", "pyarrow", "rich", "scipy", "sklearn"}
FORBIDDEN_NAMES = {"utils", "helpers", "core", "common", "config"}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def imported(tree: ast.AST) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            found.add(node.module or "")
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found


def typing_only(tree: ast.AST) -> set[str]:
    """What is imported for annotations only."""
    blocks = [n for n in ast.walk(tree) if isinstance(n, ast.If) and ast.unparse(n.test) == "TYPE_CHECKING"]
    return {name for block in blocks for name in imported(block)}


def place(name: str) -> tuple[str, str]:
    """The floor and the room of a module, by its name below the package."""
    floor, room, *_ = [*name.split("."), "", ""]
    return floor, room


def test_imports_lead_downwards_only():
    level = {(floor, room): n for floor, rooms in ROOMS.items() for n, some in enumerate(rooms) for room in some}
    wrong = []
    for path in modules():
        assert path.stem not in FORBIDDEN_NAMES
        here = place(".".join(path.relative_to(PACKAGE).with_suffix("").parts))
        if here[0] not in FLOORS:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for name in imported(tree) - typing_only(tree):
            if not name.startswith("calcinosis.") or "explorer" in (here[1], place(name[11:])[1]):
                continue
            there = place(name[11:])
            up = FLOORS.index(there[0]) > FLOORS.index(here[0])
            if there[0] == here[0] and there != here and here[0] in ROOMS:
                up = level.get(there, 0) >= level[here] if here[1] != "__init__" else False
            if up:
                wrong.append(f"{'.'.join(here)} -> {name} in {path.name}")
    assert not wrong, "\n".join(wrong)


def test_no_module_imports_a_slow_package_at_its_top():
    wrong = []
    for path in modules():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        top = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
        names = {name.split(".")[0] for node in top for name in imported(ast.Module([node], []))}
        wrong += [f"{path.relative_to(PACKAGE)} imports {name}" for name in sorted(names & SLOW)]
    assert not wrong, "\n".join(wrong)


def test_one_module_only_imports_pgmpy():
    users = []
    for path in modules():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if any(name.split(".")[0] == "pgmpy" for name in imported(tree) - typing_only(tree)):
            users.append(path.stem)
    assert users == ["pgmpy_bridge"]
