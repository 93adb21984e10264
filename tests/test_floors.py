"""The house has four floors, and each uses only those below it; slow packages are imported where they are needed."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import calcinosis

PACKAGE = Path(calcinosis.__file__).parent
FLOORS = ["knowledge", "inference", "analysis", "interface"]
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


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_module_uses_only_its_own_floor_and_those_below(path):
    floor = path.relative_to(PACKAGE).parts[0]
    assert path.stem not in FORBIDDEN_NAMES
    if floor not in FLOORS:
        return
    for name in imported(ast.parse(path.read_text(encoding="utf-8"))):
        parts = name.split(".")
        if parts[0] == "calcinosis" and len(parts) > 1:
            assert FLOORS.index(parts[1]) <= FLOORS.index(floor), f"{path.name} reaches up to {name}"


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_no_module_imports_a_slow_package_at_its_top(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    top = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {name.split(".")[0] for node in top for name in imported(ast.Module([node], []))}
    assert not names & SLOW


def test_one_module_only_imports_pgmpy():
    users = []
    for path in modules():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        typing_only = [n for n in ast.walk(tree) if isinstance(n, ast.If) and ast.unparse(n.test) == "TYPE_CHECKING"]
        hidden = {name for block in typing_only for name in imported(block)}
        if any(name.split(".")[0] == "pgmpy" for name in imported(tree) - hidden):
            users.append(path.stem)
    assert users == ["pgmpy_bridge"]
