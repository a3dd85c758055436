"""A clone's state in a folder of the test's own, and an environment as a person's shell has it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from billing.dev import postgres as embedded
from billing.settings import ENVIRONMENT


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty state folder; under root nobody else may enter it, so the servers' files go to /var/tmp."""
    place = tmp_path / "state"
    monkeypatch.setattr("billing.dev.state.STATE", place)
    yield place
    shutil.rmtree(Path("/var/tmp") / f"tollgate-{embedded.short_hash(place)}", ignore_errors=True)


@pytest.fixture
def shell(state: Path) -> dict[str, str]:
    """The environment of a shell in which nothing of Tollgate is set but its state folder."""
    ours = {*ENVIRONMENT, "DJANGO_SETTINGS_MODULE", "DJANGO_ALLOW_ASYNC_UNSAFE", "PORT"}
    inherited = {name: value for name, value in os.environ.items() if name not in ours}
    return inherited | {"TOLLGATE_STATE": str(state)}
