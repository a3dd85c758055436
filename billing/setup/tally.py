"""What a set-up did, counted: each thing in the file is created, changed or unchanged."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(slots=True)
class Tally:
    created: int = 0
    changed: int = 0
    unchanged: int = 0

    def count(self, *, created: bool = False, changed: bool = False) -> None:
        if created:
            self.created += 1
        elif changed:
            self.changed += 1
        else:
            self.unchanged += 1

    def to_json(self) -> dict[str, int]:
        return asdict(self)
