"""Phones and switches share a processor with the server here, and with other tests: the door takes its time."""

from __future__ import annotations

import pytest

from rating.live import guard


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """How soon the door gives up is tested with a database that is down (tests/faults), not with one that is busy."""
    monkeypatch.setattr(guard, "ANSWER_S", 15.0)
    monkeypatch.setattr(guard, "PROBE_S", 15.0)
