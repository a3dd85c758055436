"""The house's rules that no linter knows: where rows may be read, how long a file may be, no float near money."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
APPS = ("tiers", "accounts", "rating", "invoicing", "billing")
LONGEST_FILE = 400
LONGEST_FUNCTION = 70
MONEY = (
    "accounts/",
    "rating/kernel/",
    "rating/batch/",
    "rating/pricing/",
    "rating/services/",
    "invoicing/services/",
    "invoicing/api.py",
)


def sources() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    found = [ROOT / name for name in listed if name.split("/")[0] in APPS and "/migrations/" not in name]
    return [path for path in found if path.is_file()]


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def named(path: Path, node: ast.AST) -> str:
    return f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"


def seen_by_people(path: Path) -> bool:
    name = str(path.relative_to(ROOT))
    return name.startswith("billing/portals/") or path.name.endswith("api.py")


def test_views_and_api_read_through_a_viewer_only() -> None:
    """`Model.objects` is for services; what people see comes through `visible.for_viewer`."""
    broken = [
        named(path, node)
        for path in sources()
        if seen_by_people(path)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute) and node.attr in {"objects", "_default_manager", "_base_manager"}
    ]
    assert broken == []


def test_files_and_functions_stay_short() -> None:
    long_files = [str(path) for path in sources() if len(path.read_text().splitlines()) > LONGEST_FILE]
    assert long_files == []
    long_functions = [
        named(path, node)
        for path in sources()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno >= LONGEST_FUNCTION
    ]
    assert long_functions == []


def test_every_module_says_why_it_exists() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in sources()
        if path.name not in {"__init__.py", "apps.py"} and not ast.get_docstring(tree(path))
    ]
    assert silent == []


def floats(path: Path) -> Iterator[str]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float":
            yield named(path, node)


def test_no_float_comes_near_money() -> None:
    broken = [place for path in sources() if str(path.relative_to(ROOT)).startswith(MONEY) for place in floats(path)]
    assert broken == []


def test_business_flow_is_called_not_signalled() -> None:
    broken = [
        named(path, node)
        for path in sources()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("django.db.models.signals")
    ]
    assert broken == []


@pytest.mark.parametrize("word", ["TODO", "FIXME", "XXX"])
def test_nothing_is_left_unfinished(word: str) -> None:
    marker = "# " + word
    assert [str(path) for path in sources() if marker in path.read_text()] == []
