"""The checks before the tests: form, types, direction of imports, templates, migrations. Each says its name."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from billing.dev import child
from billing.dev.state import CLONE, say

APPS = ["billing", "invoicing", "rating", "accounts", "tiers", "tests"]


def commands() -> dict[str, list[str]]:
    tools = Path(sys.executable).parent
    templates = sorted(str(path) for app in [*APPS, "templates"] for path in (CLONE / app).rglob("*.html"))
    found = {
        "ruff check": [str(tools / "ruff"), "check", *APPS, "manage.py"],
        "ruff format": [str(tools / "ruff"), "format", "--check", *APPS, "manage.py"],
        "mypy": [sys.executable, "-m", "mypy", *APPS],
        "import-linter": [str(tools / "lint-imports")],
        "djade": [str(tools / "djade"), "--check", "--target-version", "5.2", *templates] if templates else [],
        "migrations": [sys.executable, "manage.py", "makemigrations", "--check", "--dry-run"],
    }
    return {name: command for name, command in found.items() if command and shutil.which(command[0])}


def run_all(environment: dict[str, str]) -> int:
    """Runs every check, also after one failed; 0 when all pass."""
    failed = []
    for name, command in commands().items():
        say(f"-- {name}")
        if child.run_through(command, environment, cwd=CLONE):
            failed.append(name)
    if failed:
        say(f"Checks failed: {', '.join(failed)}")
    return 1 if failed else 0
