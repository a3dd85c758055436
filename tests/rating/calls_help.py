"""Small usage files, as a switch would write them."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

HEADER = [
    "call_id",
    "account",
    "from",
    "to",
    "started_at",
    "answered_at",
    "seconds",
    "disposition",
    "carrier",
    "src_ip",
    "src_port",
    "user_agent",
]
START = datetime(2026, 10, 5, 9, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Call:
    """A call as a test tells it; 0 seconds: nobody answered."""

    id: str
    account: str = "alice"
    to: str = "447700900123"
    seconds: int = 90
    at: datetime = START
    carrier: str = "atlas"

    def row(self) -> list[Any]:
        answered = (self.at + timedelta(seconds=5)).isoformat() if self.seconds else ""
        said = "ANSWERED" if self.seconds else "NO ANSWER"
        return [
            self.id,
            self.account,
            "4930123456",
            self.to,
            self.at.isoformat(),
            answered,
            self.seconds,
            said,
            self.carrier,
            "10.1.2.3",
            5060,
            "Yealink T54W",
        ]


def write(path: Path, calls: Iterable[Call], extra: Iterable[str] = ()) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows(call.row() for call in calls)
        file.writelines(f"{line}\n" for line in extra)
    return path


def many(count: int, account: str = "alice", prefix: str = "c") -> list[Call]:
    """So many calls over the day, every fifth unanswered."""
    return [
        Call(
            f"{prefix}{number}",
            account,
            ("447700900123", "33612345678", "4930123456")[number % 3],
            0 if number % 5 == 0 else 20 + number % 200,
            START + timedelta(seconds=number % 40_000),
        )
        for number in range(count)
    ]
