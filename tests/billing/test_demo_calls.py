"""The demo's telephone: whatever was allowed is told to have ended, also when the play is over in the middle of it."""

from __future__ import annotations

from typing import Any, cast

from billing.demo.playing import Play, Switchboard


class Door:
    """Allows every second call for a second, and remembers what it was told of each."""

    def __init__(self) -> None:
        self.told: dict[str, list[str]] = {}

    def post(self, source: str, event: str, said: dict[str, Any]) -> dict[str, Any]:
        events = self.told.setdefault(said["call_id"], [])
        events.append(event)
        if event != "authorize":
            return {"max_seconds": 1}
        assert {"to", "account", "caller", "src_ip", "src_port", "user_agent"} <= set(said)
        return {"allow": len(self.told) % 2 == 1, "max_seconds": 1, "reason": "not now"}


def test_every_call_that_was_allowed_is_ended(monkeypatch: Any) -> None:
    door = Door()
    said: list[str] = []
    monkeypatch.setattr("billing.demo.playing.Random.uniform", lambda self, low, high: 0.1)
    played = Play(cast(Switchboard, door), 4, said.append, seed=7).run(3)
    assert played.asked == len(door.told) == played.allowed + played.refused > 4
    assert len(said) == played.refused > 0
    for events in door.told.values():
        if len(events) > 1:
            assert events[-1] in ("end", "failed")
            assert (events[-1] == "end") == ("start" in events)
    assert played.allowed == sum(1 for events in door.told.values() if len(events) > 1)
