"""Clean lines are read by columns, all others by the line parser: both must come to the same record for every line."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from rating.services import records
from rating.usage.quick import SCHEMA
from rating.usage.reading import OpenUsage, Read, open_usage
from rating.usage.record import BadRow, UsageRow, content_hash, record_key

NOT_AFTER = datetime(2026, 11, 1, tzinfo=UTC)
BERLIN, LORD_HOWE = ZoneInfo("Europe/Berlin"), ZoneInfo("Australia/Lord_Howe")

MOMENTS = (
    *("2026-10-05 09:30:00", "2026-10-05T09:30:05", "2026-10-05 09:30:00Z", "2026-10-05 09:30:00+05:30"),
    *("2026-10-05 09:30:00-0330", "2026-10-05 09:30:00+14:59", "2026-10-05 09:30:00+15:00", "2026-10-05 09:30"),
    *("2026-10-25 02:30:00", "2026-10-25 01:59:59", "2026-10-25 03:00:00", "2026-03-29 02:30:00"),
    *("2026-04-05 01:45:00", "2026-10-04 02:10:00", "2026-10-04 02:40:00", "2026-10-05 09:30:00.5", "1791192600"),
    *("2026-02-30 00:00:00", "2026-13-01 00:00:00", "2026-10-05 24:00:00", "2026-10-05 23:59:60", "yesterday"),
    *("", "0", "NULL", "0000-00-00 00:00:00", "1970-01-01 00:00:00", "1999-12-31 23:59:59", "2031-01-01 00:00:00"),
    *("2026-10-25 01:10:00Z", "2026-10-25 02:20:00") * 5,
    *("2026/10/05 09:30:00", "2026-10-05  09:30:00", " 2026-10-05 09:30:10 ", "2026-10-05 09:30:00 +02:00", "x"),
)
SECONDS = ("60", "0", "", "1", "59.2", "89,2", "0:01:30", "-5", "1e3", "+7", "007", "2678400", "2678401", "9999999999")
WORDS = ("ANSWERED", "answered", "NO ANSWER", "", "busy", "200", "487", "perhaps", "NULL", "Ok")
NAMES = ("alice", "", "a b", "null", "\\N", "Müller", "tab\there", "x" * 128, "x" * 129, "*67", "'", "\u00a0", "\x1c")
QUOTED = ('"alice"', '"al,ice"', '"al""ice"', '""', '" alice "', ' "alice"', 'al"ice', '"alice', '"a"b', '"NULL"')
ADDRESSES = ("10.1.2.3", "::1", "[2001:DB8::1]", "fe80::1%eth0", "300.1.1.1", "", "null", "localhost")
PORTS = ("5060", "0", "65535", "65536", "00080", "-1", "", "sip")
AGENTS = ("Yealink T54W", "", "a" * 300, "Agent\tX", "Ägent", '"quoted, agent"')
DIRECTIONS = ("", "out", "IN", "internal", "sideways")
ENDS = ("\n", "\n", "\r\n", "\r\r\n")

FULL = (
    "call_id,leg,account,from,to,started_at,answered_at,ended_at,seconds,disposition,carrier,src_ip,src_port,"
    "user_agent,reference,direction"
)
HEADERS = (
    FULL,
    FULL.replace(",", ";"),
    "to,answered_at,ended_at,account",
    "account,to,answered_at,seconds,disposition",
    "from,to,start,duration",
    "to,started_at,answered_at,ended_at,seconds",
)


def pools(chance: random.Random) -> dict[str, Callable[[], str]]:
    """A mostly plain, sometimes odd value for each column."""

    def of(plain: str, odd: Sequence[str]) -> Callable[[], str]:
        return lambda: plain if chance.random() < 0.6 else chance.choice(odd)

    moment = of("2026-10-05 09:30:00+00:00", MOMENTS)
    name = of("alice", (*NAMES, *QUOTED))
    return {
        **dict.fromkeys(("started_at", "answered_at", "ended_at", "start"), moment),
        **dict.fromkeys(("seconds", "duration"), of("60", SECONDS)),
        **dict.fromkeys(("account", "from", "carrier", "leg"), name),
        "call_id": lambda: f"c{chance.randrange(99)}" if chance.random() < 0.9 else chance.choice(NAMES),
        "to": of("447700900123", (*NAMES, "+44 7700 900123")),
        "disposition": of("ANSWERED", WORDS),
        "src_ip": of("10.1.2.3", ADDRESSES),
        "src_port": of("5060", PORTS),
        "user_agent": of("Yealink T54W", AGENTS),
        "reference": of("", ("0.12", "é")),
        "direction": of("", DIRECTIONS),
    }


def file_of(path: Path, header: str, lines: int, seed: int) -> Path:
    chance = random.Random(seed)
    made, delimiter = pools(chance), ";" if ";" in header else ","
    columns = header.split(delimiter)
    text = [header + "\n"]
    for _line in range(lines):
        cells = [made[column]() for column in columns]
        if chance.random() < 0.03:
            cells = chance.choice((cells[:-1], [*cells, ""], [*cells, "more"], [], ["   "], columns))
        text.append(delimiter.join(cells) + chance.choice(ENDS))
    text[-1] = text[-1].rstrip()
    path.write_bytes("".join(text).encode())
    return path


def both(usage: OpenUsage) -> tuple[Read, pl.DataFrame, list[BadRow], pl.DataFrame, list[BadRow]]:
    """What is read by columns and by lines, and what each could not read."""
    [chunk] = usage.chunks(1_000_000)
    read, parsed = usage.read(chunk), list(usage.rows(chunk))
    merged = records.merged(read.clean, [row for row in read.rest if isinstance(row, UsageRow)], read.text)
    by_lines = records.of_rows([row for row in parsed if isinstance(row, UsageRow)])
    texts = [merged.text(at) for at in range(len(merged))]
    assert texts == [by_lines.text(at) for at in range(len(by_lines))]
    bad = ([row for row in rows if isinstance(row, BadRow)] for rows in (read.rest, parsed))
    first, second = bad
    return read, merged.frame, first, by_lines.frame, second


@pytest.mark.parametrize("zone", [BERLIN, LORD_HOWE], ids=["berlin", "lord-howe"])
@pytest.mark.parametrize("header", HEADERS, ids=[str(at) for at in range(len(HEADERS))])
def test_both_ways_read_every_line_alike(tmp_path: Path, header: str, zone: ZoneInfo) -> None:
    path = file_of(tmp_path / "calls.csv", header, 3000, HEADERS.index(header))
    read, quick, quick_bad, slow, slow_bad = both(open_usage(path, zone, not_after=NOT_AFTER))
    assert read.clean is not None
    assert len(read.clean) > 30, "some lines are clean, or the test proves nothing"
    assert quick_bad == slow_bad
    for name in SCHEMA:
        assert quick[name].to_list() == slow[name].to_list(), name


def test_plain_lines_never_come_to_the_line_parser(tmp_path: Path) -> None:
    line = "c{},1,alice,100,447700900123,2026-10-05 09:30:00,2026-10-05 09:30:05,,60,ANSWERED,atlas,::1,5060,SIP,,\n"
    path = tmp_path / "calls.csv"
    path.write_text(FULL + "\n" + "".join(line.format(at) for at in range(100)) + '"odd\n')
    usage = open_usage(path, BERLIN, not_after=NOT_AFTER)
    [first, *others] = [usage.read(chunk) for chunk in usage.chunks(60)]
    assert first.clean is not None
    assert first.clean["line"].to_list() == list(range(2, 61))
    assert others[0].clean is not None
    assert others[0].clean["line"].to_list() == list(range(61, 102))
    assert [row.line for row in others[0].rest] == [102]
    assert others[0].text(61) == line.format(59).rstrip("\n")


def test_keys_and_contents_are_those_of_single_records(tmp_path: Path) -> None:
    path = file_of(tmp_path / "calls.csv", FULL, 500, seed=7)
    usage = open_usage(path, BERLIN, not_after=NOT_AFTER)
    [chunk] = usage.chunks(1_000_000)
    rows = [row for row in usage.rows(chunk) if isinstance(row, UsageRow)]
    frame = records.of_rows(rows).frame
    content = records.contents(frame)
    assert content == [content_hash(row) for row in rows]
    keys, seen = records.keys(frame, content), dict[bytes, int]()
    for row, key in zip(rows, keys, strict=True):
        nth = seen.get(content_hash(row), 0)
        seen[content_hash(row)] = nth + (not row.call_id)
        assert key == record_key(row, nth)
    fractions = [row for row in rows if row.started_at.microsecond]
    assert fractions, "some starts have fractions of a second"
