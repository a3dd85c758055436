"""The demo's calls as switches write them: CSV with a header, and Asterisk's 18 columns. A few lines are broken."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

from billing.demo.calls import Call
from billing.demo.numbers import as_dialled

HEADER = ("call_id", "account", "from", "to", "started_at", "answered_at", "seconds", "disposition", "carrier",
          "src_ip", "src_port", "user_agent")  # fmt: skip
ONE_WITHOUT_ACCOUNT_IN = 40


def write_generic(path: Path, calls: Iterable[Call], zone: ZoneInfo, home: str, *, plain: bool) -> int:
    """A switch's export, with what goes wrong on any day: lines repeated, torn, of nobody. Gives how many."""
    random = Random(f"file {path.name}")
    lines = [_generic_line(random, call, zone, home, plain=plain) for call in calls]
    _blemish(random, lines)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADER)
        writer.writerows(lines)
    return len(lines)


def write_asterisk(path: Path, calls: Iterable[Call], zone: ZoneInfo, home: str) -> int:
    """Asterisk's Master.csv: 18 columns, all but numbers quoted, local times. Lines written."""
    random = Random(f"file {path.name}")
    rows = [_asterisk_row(random, number, call, zone, home) for number, call in enumerate(calls, start=1)]
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n").writerows(rows)
    return len(rows)


def _generic_line(random: Random, call: Call, zone: ZoneInfo, home: str, *, plain: bool) -> list[str]:
    known = random.randrange(ONE_WITHOUT_ACCOUNT_IN) > 0
    return [
        call.call_id,
        call.customer.account if known else call.customer.code,
        call.caller,
        as_dialled(random, call.callee, home, plain=plain),
        _local(call.started_at, zone).isoformat(),
        _local(call.answered_at, zone).isoformat() if call.answered_at else "",
        str(call.seconds),
        call.disposition,
        call.carrier,
        call.src_ip,
        str(call.src_port),
        call.user_agent,
    ]


def _blemish(random: Random, lines: list[list[str]]) -> None:
    """Spoil copies of a few lines, so that the quarantine has something to show."""
    if len(lines) < 100:
        return
    spoils = [(1, "ZZ-9999"), (1, "old-account"), (6, "n/a"), (4, "31.02. 10:15"), (3, "anonymous"), (6, "-20")]
    for number, (column, value) in enumerate(spoils):
        line = list(lines[random.randrange(len(lines))])
        line[0], line[column] = f"spoilt-{number}-{line[0]}", value
        line[6], line[7] = line[6] if column == 6 else "61", "ANSWERED"
        lines.insert(random.randrange(len(lines)), line)
    torn = list(lines[random.randrange(len(lines))])[:5]
    lines.insert(random.randrange(len(lines)), torn)
    for _repeat in range(4):
        lines.append(list(lines[random.randrange(len(lines) // 2)]))


def _asterisk_row(random: Random, number: int, call: Call, zone: ZoneInfo, home: str) -> list[str | int]:
    start = _local(call.started_at, zone)
    answered = _local(call.answered_at, zone) if call.answered_at else None
    end = (answered or start + timedelta(seconds=call.ring_s)) + timedelta(seconds=call.seconds)
    room = 100 + random.randrange(180)
    dialled = as_dialled(random, call.callee, home, plain=False)
    return [
        call.customer.code,
        call.caller,
        dialled,
        "from-rooms",
        f'"Room {room}" <{call.caller}>',
        f"PJSIP/room{room}-{number:08x}",
        f"PJSIP/{call.carrier or 'atlas'}-{number:08x}",
        "Dial",
        f"PJSIP/{dialled}@{call.carrier or 'atlas'},60",
        _stamp(start),
        _stamp(answered) if answered else "",
        _stamp(end),
        call.seconds + call.ring_s,
        call.seconds,
        call.disposition,
        "DOCUMENTATION",
        f"{int(call.started_at.timestamp())}.{number}",
        "",
    ]


def _local(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone)


def _stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"
