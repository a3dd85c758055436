"""What two switches of Harbour Voice report, and what is made of each line."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from rating.usage import registry
from rating.usage.halves import Half
from rating.usage.lines import plan_chunks
from rating.usage.protocol import UsageRefused
from rating.usage.reading import OpenUsage, open_usage
from rating.usage.record import BadRow, UsageRow

FIXTURES = Path(__file__).parent / "fixtures" / "usage"
HONG_KONG = ZoneInfo("Asia/Hong_Kong")
LATEST = datetime(2026, 12, 1, tzinfo=UTC)


def opened(path: Path, zone: ZoneInfo = HONG_KONG) -> OpenUsage:
    return open_usage(path, zone, not_after=LATEST)


def read(path: Path, zone: ZoneInfo = HONG_KONG) -> dict[int, UsageRow | BadRow]:
    usage = opened(path, zone)
    rows = [row for chunk in plan_chunks(path, 3) for row in usage.rows(chunk)]
    return {row.line: row for row in rows if not isinstance(row, Half)}


def generic(tmp_path: Path, lines: Sequence[str], zone: str = "Asia/Hong_Kong") -> list[UsageRow | BadRow]:
    path = tmp_path / "calls.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return list(read(path, ZoneInfo(zone)).values())


def call(row: UsageRow | BadRow) -> UsageRow:
    assert isinstance(row, UsageRow), row
    return row


def bad(row: UsageRow | BadRow) -> tuple[str, str]:
    assert isinstance(row, BadRow), row
    return row.field, row.code


def test_an_answered_call_keeps_every_field() -> None:
    row = call(read(FIXTURES / "switch_export.csv")[2])
    assert (row.call_id, row.leg, row.account) == ("h-1", "", "alice-hotel")
    assert (row.caller, row.callee, row.carrier) == ("85223450001", "+442071838750", "atlas")
    assert row.started_at == datetime(2026, 10, 1, 1, 0, 0, tzinfo=UTC)
    assert row.answered_at == datetime(2026, 10, 1, 1, 0, 6, tzinfo=UTC)
    assert (row.duration_s, row.answered) == (75, True)
    assert (row.src_ip, row.src_port, row.user_agent) == ("10.1.0.5", 5060, "Yealink SIP-T46")


def test_each_odd_line_of_the_export_is_kept_or_quarantined_with_its_reason() -> None:
    rows = read(FIXTURES / "switch_export.csv")
    unanswered, fraction, rang, silent, feature = (call(rows[line]) for line in (3, 4, 5, 6, 7))
    assert (unanswered.answered, unanswered.answered_at, unanswered.duration_s) == (False, None, 0)
    assert (fraction.duration_s, fraction.user_agent) == (90, 'Zoiper, "rc" 5')
    assert (fraction.src_ip, fraction.src_port) == (None, None)
    assert fraction.started_at == datetime(2026, 10, 1, 7, 10, tzinfo=UTC)
    assert (rang.answered, rang.duration_s, rang.src_ip) == (False, 0, "2001:db8::7")
    assert (silent.answered, silent.duration_s) == (True, 0)
    assert (feature.account, feature.carrier, feature.callee) == ("", "", "*203")
    assert {line: bad(row) for line, row in rows.items() if isinstance(row, BadRow)} == {
        8: ("seconds", "negative"),
        9: ("started_at", "time_range"),
        10: ("", "quotes"),
        11: ("seconds", "number"),
        12: ("seconds", "number"),
        13: ("", "columns"),
        16: ("to", "missing"),
    }
    whole_line_in_quotes = call(rows[14])
    assert (whole_line_in_quotes.call_id, whole_line_in_quotes.duration_s) == ("h-13", 30)
    assert 15 not in rows


def test_columns_may_stand_in_any_order_under_other_names_and_delimiters(tmp_path: Path) -> None:
    for mark in (";", "\t", "|"):
        header = mark.join(("Bill Seconds", "Destination", "Start Time", "Caller"))
        row = call(generic(tmp_path, [header, mark.join(("12", "+442071838750", "1790845200", "201"))])[0])
        assert (row.duration_s, row.callee, row.caller, row.answered) == (12, "+442071838750", "201", True)
        assert row.started_at == datetime.fromtimestamp(1790845200, UTC)
        assert row.answered_at == row.started_at
        assert row.call_id is None


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("90", 90), ("+90", 90), ("89.0", 89), ("89.001", 90), ("0:01:30", 90), ("0012", 12), ("", 0), ("NULL", 0)],
)
def test_seconds_as_people_write_them(tmp_path: Path, written: str, seconds: int) -> None:
    row = generic(tmp_path, ["to,started_at,seconds", f"+442071838750,2026-10-01 09:00:00,{written}"])[0]
    assert call(row).duration_s == seconds


@pytest.mark.parametrize(
    "written", ["1e400", "+-90", "--9", "1 200", "0x1F", "nan", "inf", "٩٠", "9" * 40, "2678401", "01:30", "-1"]
)
def test_seconds_that_are_not_clear_are_never_guessed(tmp_path: Path, written: str) -> None:
    row = generic(tmp_path, ["to,started_at,seconds", f"+442071838750,2026-10-01 09:00:00,{written}"])[0]
    assert bad(row)[0] == "seconds"


def test_a_decimal_comma_is_read_but_a_thousands_mark_is_not(tmp_path: Path) -> None:
    head = "to;started_at;seconds"
    assert call(generic(tmp_path, [head, "+4420718387;2026-10-01 09:00;89,2"])[0]).duration_s == 90
    assert bad(generic(tmp_path, [head, "+4420718387;2026-10-01 09:00;1,200"])[0]) == ("seconds", "number")


@pytest.mark.parametrize(
    ("written", "utc"),
    [
        ("2026-10-01 09:00:00", "2026-10-01T01:00:00"),
        ("2026-10-01T09:00", "2026-10-01T01:00:00"),
        ("2026/10/01 09:00:00", "2026-10-01T01:00:00"),
        ("2026-10-01T09:00:00.250Z", "2026-10-01T09:00:00.250000"),
        ("2026-10-01 09:00:00-0330", "2026-10-01T12:30:00"),
        ("1790845200", "2026-10-01T09:00:00"),
        ("1790845200123", "2026-10-01T09:00:00.123000"),
        ("1790845200.5", "2026-10-01T09:00:00.500000"),
    ],
)
def test_times_with_and_without_offset(tmp_path: Path, written: str, utc: str) -> None:
    row = generic(tmp_path, ["to,started_at,seconds", f"+442071838750,{written},5"])[0]
    assert call(row).started_at == datetime.fromisoformat(utc).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("9999-12-31 23:59:59", "time_range"),
        ("0001-01-01 00:00:00", "time_range"),
        ("1999-12-31 00:00:00", "time_range"),
        ("2026-12-01 08:00:01", "time_range"),
        ("2026-02-30 10:00:00", "time"),
        ("2026-10-01 24:00:00", "time"),
        ("2026-10-01 09:00:61", "time"),
        ("03/04/2026 09:00:00", "time"),
        ("٢٠٢٦-١٠-٠١ ٠٩:٠٠:٠٠", "time"),
        ("20261001", "time"),
        ("9" * 30, "time"),
        ("", "missing"),
        ("0", "missing"),
    ],
)
def test_times_out_of_reach_or_unclear_are_quarantined(tmp_path: Path, written: str, code: str) -> None:
    row = generic(tmp_path, ["to,started_at,seconds", f"+442071838750,{written},5"])[0]
    assert bad(row) == ("started_at", code)


def test_the_hour_that_comes_twice_and_the_one_that_never_comes(tmp_path: Path) -> None:
    rows = generic(
        tmp_path,
        [
            "to,started_at,answered_at,seconds",
            "+442071838750,2026-10-25 02:30:00,2026-10-25 02:30:05,60",
            "+442071838750,2026-10-25 02:59:58,2026-10-25 02:00:03,60",
            "+442071838750,2026-03-29 02:30:00,2026-03-29 02:30:05,60",
            "+442071838750,2026-10-24 02:59:58,2026-10-24 02:00:03,60",
        ],
        "Europe/Berlin",
    )
    assert call(rows[0]).started_at == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert call(rows[1]).started_at == datetime(2026, 10, 25, 0, 59, 58, tzinfo=UTC)
    assert call(rows[1]).answered_at == datetime(2026, 10, 25, 1, 0, 3, tzinfo=UTC)
    assert call(rows[2]).started_at == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert bad(rows[3]) == ("answered_at", "order")


def test_without_seconds_the_times_tell_how_long(tmp_path: Path) -> None:
    head = "to,answered_at,ended_at"
    rows = generic(
        tmp_path,
        [
            head,
            "+4420718387,2026-10-01 09:00:00,2026-10-01 09:01:15.2",
            "+4420718387,,2026-10-01 09:01:15",
            "+4420718387,2026-10-01 09:00:00,2026-10-01 08:00:00",
        ],
    )
    assert call(rows[0]).duration_s == 76
    assert bad(rows[1]) == ("started_at", "missing")
    assert bad(rows[2]) == ("ended_at", "order")


def test_who_says_whether_it_was_answered(tmp_path: Path) -> None:
    with_answer = "to,started_at,answered_at,seconds,status"
    rows = generic(
        tmp_path,
        [
            with_answer,
            "+4420718387,2026-10-01 09:00:00,,30,",
            "+4420718387,2026-10-01 09:00:00,0,30,ANSWERED",
            "+4420718387,2026-10-01 09:00:00,2026-10-01 09:00:05,30,",
            "+4420718387,2026-10-01 09:00:00,2026-10-01 09:00:05,30,486",
            "+4420718387,2026-10-01 09:00:00,2026-10-01 09:00:05,30,whatever",
            "+4420718387,2026-10-01 09:00:00,,0,whatever",
        ],
    )
    assert [call(row).answered for row in rows[:4]] == [False, True, True, False]
    assert call(rows[1]).answered_at == call(rows[1]).started_at
    assert bad(rows[4]) == ("disposition", "disposition")
    assert not call(rows[5]).answered


def test_asterisk_in_the_standard_order() -> None:
    usage = opened(FIXTURES / "asterisk_standard.csv")
    assert (usage.format, usage.parser.has_ids, usage.parser.data_from_line) == ("asterisk", True, 1)
    rows = read(FIXTURES / "asterisk_standard.csv")
    first, fork, busy, silent, clocked = (call(rows[line]) for line in range(1, 6))
    assert (first.account, first.caller, first.callee) == ("alice-hotel", "85223450001", "00442071838750")
    assert (first.duration_s, first.carrier, first.call_id) == (75, "atlas", "1790845200.1")
    assert first.answered_at == datetime(2026, 10, 1, 1, 0, 6, tzinfo=UTC)
    assert first.call_id == fork.call_id
    assert first.leg != fork.leg
    assert (busy.answered, busy.duration_s, busy.caller) == (False, 0, "85223450002")
    assert busy.reference == "told busy, billed 30"
    assert (silent.answered, silent.duration_s) == (True, 0)
    assert clocked.duration_s == 40
    assert bad(rows[6]) == ("billsec", "inconsistent")
    assert bad(rows[7]) == ("billsec", "negative")
    assert bad(rows[8]) == ("", "quotes")
    internal = call(rows[9])
    assert (internal.caller, internal.carrier, internal.reference) == ("", "", "")


def test_asterisk_with_fewer_and_with_more_columns(tmp_path: Path) -> None:
    line = (FIXTURES / "asterisk_standard.csv").read_text().splitlines()[0]
    sixteen = line.rsplit(",", 2)[0]
    for text, call_id, reference in (
        (sixteen, None, ""),
        (sixteen + ',"1790845200.1"', "1790845200.1", ""),
        (sixteen + ',"room service"', None, "room service"),
    ):
        path = tmp_path / "Master.csv"
        path.write_text(text + "\n")
        row = call(read(path)[1])
        assert (row.call_id, row.reference, row.duration_s) == (call_id, reference, 75)
        assert opened(path).parser.has_ids is (call_id is not None)
    path.write_text(line + ',"","1790845200.1","42"\n')
    assert call(read(path)[1]).leg == "42"


def test_asterisk_in_an_order_of_its_own_is_refused_and_says_why() -> None:
    with pytest.raises(UsageRefused) as refused:
        opened(FIXTURES / "asterisk_own_order.csv")
    assert refused.value.code == "unknown_layout"
    assert "9 columns with the disposition in column 6" in refused.value.message
    with pytest.raises(UsageRefused):
        open_usage(FIXTURES / "asterisk_own_order.csv", HONG_KONG, not_after=LATEST, format="asterisk")


def test_an_asterisk_export_with_a_header_is_read_by_its_names(tmp_path: Path) -> None:
    rows = generic(
        tmp_path,
        [
            '"accountcode","src","dst","start","answer","end","duration","billsec","disposition","uniqueid"',
            '"campus","201","0049301","2026-10-01 09:00:00","2026-10-01 09:00:05","","35","30","ANSWERED","1.2"',
        ],
    )
    assert (call(rows[0]).duration_s, call(rows[0]).call_id) == (30, "1.2")


@pytest.mark.parametrize(
    ("content", "code", "says"),
    [
        (b"", "empty", "empty"),
        (b" \r\n\r\n\t\n", "empty", "empty"),
        (b"\xef\xbb\xbf\n", "empty", "empty"),
        (b"%PDF-1.7\n%\xe2\xe3\n1 0 obj", "not_text", "PDF"),
        (b"PK\x03\x04\x14\x00", "not_text", "Excel"),
        (b"\x1f\x8b\x08\x00", "not_text", "gzip"),
        (b"\n<!DOCTYPE html><html>", "not_text", "web page"),
        (bytes(range(256)) * 8 + b"\0" * 500, "not_text", "binary"),
        (b"a,b,c\n1,2,3\n", "unknown_layout", "3 columns"),
        (b"hello\nworld\n", "unknown_layout", "no separator"),
        (b"from,account,seconds\n1,2,3\n", "unknown_layout", "to (the number called)"),
    ],
)
def test_what_is_no_call_list_is_refused_with_what_was_seen(content: bytes, code: str, says: str) -> None:
    with pytest.raises(UsageRefused) as refused:
        registry.detect(content, "calls.csv")
    assert refused.value.code == code
    assert says in refused.value.message + refused.value.where
    if code != "empty":
        assert "asterisk" in refused.value.hint


def test_a_column_named_twice_and_an_unknown_format_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageRefused) as refused:
        generic(tmp_path, ["to,started_at,seconds,seconds", "1,2,3,4"])
    assert refused.value.code == "column_twice"
    with pytest.raises(UsageRefused) as refused:
        registry.get("telex")
    assert refused.value.code == "unknown_format"
