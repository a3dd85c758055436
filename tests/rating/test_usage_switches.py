"""Each switch in its own hand: which file is whose, what becomes of every line, and that no line is lost."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from rating.usage import registry
from rating.usage.halves import Half
from rating.usage.lines import decode_head, read_head
from rating.usage.protocol import UsageRefused
from rating.usage.reading import OpenUsage, open_usage
from rating.usage.record import BadRow, UsageRow, record_key

FIXTURES = Path(__file__).parent / "fixtures" / "usage"
SHARED = Path(__file__).parents[3] / "shared" / "data" / "usage"
HONG_KONG = ZoneInfo("Asia/Hong_Kong")
LATEST = datetime(2026, 12, 1, tzinfo=UTC)

FORMAT_OF = {
    "3cx.json": "3cx",
    "3cx_default.log": "3cx",
    "3cx_named.csv": "3cx",
    "acc_bye.log": "acc",
    "acc_invite.log": "acc",
    "acc_opensips.csv": "acc",
    "freeswitch_json_array.json": "freeswitch_json",
    "freeswitch_json_lines.json": "freeswitch_json",
    "freeswitch_json_pretty.json": "freeswitch_json",
    "freeswitch_xml.xml": "freeswitch_xml",
    "radius_detail.txt": "radius",
    "asterisk_custom.csv": "asterisk_custom",
    "asterisk_own_order.csv": "",
    "asterisk_standard.csv": "asterisk",
    "avaya.csv": "avaya",
    "cdrstats_long.txt": "cdrstats",
    "cdrstats_short.txt": "cdrstats",
    "cucm_named.csv": "cucm",
    "cucm_types_first.csv": "cucm",
    "elastix.csv": "freepbx",
    "freepbx.csv": "freepbx",
    "freeswitch.csv": "freeswitch",
    "mitel.txt": "mitel",
    "switch_export.csv": "generic",
}
COUNTS = {  # calls, quarantined, headers and the like
    "3cx_default.log": (5, 3, 0),
    "3cx_named.csv": (2, 0, 1),
    "acc_opensips.csv": (2, 1, 1),
    "asterisk_custom.csv": (3, 3, 0),
    "avaya.csv": (5, 4, 1),
    "cdrstats_long.txt": (3, 3, 0),
    "cdrstats_short.txt": (3, 4, 0),
    "cucm_named.csv": (5, 7, 4),
    "cucm_types_first.csv": (2, 0, 1),
    "elastix.csv": (5, 2, 1),
    "freepbx.csv": (3, 3, 1),
    "freeswitch.csv": (5, 7, 0),
    "mitel.txt": (13, 8, 0),
}
FIELD_FILES = {  # format, calls, answered, billed seconds, quarantined, headers
    "asterisk_kelysaina_Master.csv": ("asterisk_custom", 14, 11, 78, 0, 0),
    "cdrstats_import_cdr.txt": ("cdrstats", 5, 5, 154, 0, 0),
    "cdrstats_import_cdr_100.txt": ("cdrstats", 99, 99, 13842, 1, 0),
    "cucm_sieteunoseis_cdr.txt": ("cucm", 3, 1, 11, 0, 2),
    "cucm_sieteunoseis_fixture_sample_cdr.txt": ("cucm", 1, 1, 60, 0, 1),
    "mitel_smdr_gabaelmer_parser_tests.txt": ("mitel", 14, 12, 2068, 1, 0),
}


def rows_of(path: Path, usage: OpenUsage | None = None) -> dict[int, UsageRow | BadRow]:
    usage = usage or open_usage(path, HONG_KONG, not_after=LATEST)
    rows = (row for chunk in usage.chunks(3) for row in usage.rows(chunk))
    return {row.line: row for row in rows if not isinstance(row, Half)}


def calls_in(name: str) -> dict[int, UsageRow]:
    return {line: row for line, row in rows_of(FIXTURES / name).items() if isinstance(row, UsageRow)}


def faults_in(name: str) -> dict[int, tuple[str, str]]:
    found = rows_of(FIXTURES / name)
    return {line: (row.field, row.code) for line, row in found.items() if isinstance(row, BadRow)}


def line_count(path: Path) -> int:
    return sum(1 for line in path.read_text(encoding="utf-8").splitlines() if line.strip())


def one(tmp_path: Path, text: str, not_after: datetime = LATEST) -> UsageRow | BadRow:
    path = tmp_path / "calls.txt"
    path.write_text(text + "\n", encoding="utf-8")
    return next(iter(rows_of(path, open_usage(path, HONG_KONG, not_after=not_after)).values()))


def test_every_sample_is_listed() -> None:
    assert {path.name for path in FIXTURES.iterdir()} == set(FORMAT_OF)
    assert set(FORMAT_OF.values()) - {""} == set(registry.ADAPTERS)


@pytest.mark.parametrize(("name", "expected"), FORMAT_OF.items())
def test_each_sample_is_taken_for_its_own_format_and_for_no_other(name: str, expected: str) -> None:
    head = read_head(FIXTURES / name)
    scores = {code: adapter.recognise(decode_head(head)).score for code, adapter in registry.ADAPTERS.items()}
    takers = {code for code, score in scores.items() if score}
    if not expected:
        assert not takers
        return
    allowed = {expected, "generic"} if name == "freepbx.csv" else {expected}
    assert takers == allowed
    assert [code for code, score in scores.items() if score == max(scores.values())] == [expected]
    assert registry.detect(head, "Master.csv") == expected


@pytest.mark.parametrize("asked", sorted(set(registry.ADAPTERS)))
@pytest.mark.parametrize("name", sorted(COUNTS))
def test_asking_for_another_format_is_refused(name: str, asked: str) -> None:
    if asked == FORMAT_OF[name] or (name, asked) == ("freepbx.csv", "generic"):
        return
    with pytest.raises(UsageRefused):
        open_usage(FIXTURES / name, HONG_KONG, not_after=LATEST, format=asked)


@pytest.mark.parametrize(("name", "counts"), COUNTS.items())
def test_calls_and_quarantine_and_headers_make_up_the_file(name: str, counts: tuple[int, int, int]) -> None:
    calls, bad, headers = counts
    assert (len(calls_in(name)), len(faults_in(name))) == (calls, bad)
    assert calls + bad + headers == line_count(FIXTURES / name)


@pytest.mark.parametrize("name", sorted(COUNTS))
def test_no_two_calls_with_an_id_share_a_key_and_what_is_not_answered_costs_nothing(name: str) -> None:
    calls = calls_in(name).values()
    keys = [record_key(row) for row in calls if row.call_id]
    assert len(set(keys)) == len(keys)
    for row in calls:
        assert row.answered == (row.answered_at is not None)
        assert row.answered or row.duration_s == 0


def test_asterisk_in_the_order_of_its_custom_sample() -> None:
    calls = calls_in("asterisk_custom.csv")
    assert (calls[1].caller, calls[1].callee, calls[1].duration_s, calls[1].carrier) == (
        "201",
        "0049301234567",
        75,
        "b",
    )
    assert calls[1].answered_at == datetime(2026, 10, 1, 1, 0, 6, tzinfo=UTC)
    assert (calls[2].call_id, calls[2].leg) == (calls[3].call_id, "8") == ("1790845500.1", "8")
    assert (calls[3].leg, calls[3].account, calls[2].answered) == ("9", "campus", False)
    assert faults_in("asterisk_custom.csv") == {
        4: ("billsec", "inconsistent"),
        5: ("billsec", "negative"),
        6: ("", "columns"),
    }


def test_cisco_by_column_name() -> None:
    calls = calls_in("cucm_named.csv")
    assert sorted(calls) == [3, 4, 5, 6, 16]
    first, forwarded, silent, internal, unnamed = calls.values()
    assert (first.account, first.caller, first.callee) == ("alice-hotel", "201", "0049301234567")
    assert (first.duration_s, first.carrier, first.src_ip) == (75, "atlas-gw", "10.1.2.5")
    assert first.answered_at == datetime(2026, 10, 1, 9, 1, 6, tzinfo=UTC)
    assert first.call_id == "5c1e0a01-77aa-4b11-9c3d-2f60a1b2c3d4"
    assert (forwarded.callee, forwarded.src_ip) == ("00442071838750", "10.4.2.5")
    assert (silent.answered, silent.answered_at, silent.duration_s) == (False, None, 0)
    assert (internal.callee, internal.carrier) == ("202", "")
    assert (unnamed.answered, unnamed.call_id) == (True, "campus-1-1-501-1790845860")
    assert faults_in("cucm_named.csv") == {
        7: ("duration", "inconsistent"),
        8: ("duration", "inconsistent"),
        9: ("duration", "negative"),
        10: ("finalCalledPartyNumber", "missing"),
        11: ("cdrRecordType", "record_type"),
        12: ("dateTimeDisconnect", "order"),
        13: ("", "columns"),
    }


def test_cisco_that_lost_its_header_and_cisco_that_holds_no_calls() -> None:
    answered, silent = calls_in("cucm_types_first.csv").values()
    assert (answered.callee, answered.duration_s, answered.carrier) == ("0049301234567", 60, "atlas-gw")
    assert (silent.callee, silent.answered) == ("00442071838750", False)
    quality = b'"cdrRecordType","globalCallID_callManagerId","globalCallID_callId","nodeId"\n2,1,501,1\n'
    with pytest.raises(UsageRefused) as refused:
        registry.detect(quality, "cmr_1.txt")
    assert "CMR" in refused.value.message


def test_freeswitch_by_its_default_template() -> None:
    calls = calls_in("freeswitch.csv")
    assert (calls[1].account, calls[1].caller, calls[1].callee) == ("alice-hotel", "85223450001", "00442071838750")
    assert (calls[1].duration_s, calls[1].answered_at) == (75, datetime(2026, 10, 1, 1, 0, 6, tzinfo=UTC))
    assert (calls[2].answered, calls[2].answered_at) == (False, None)
    assert (calls[3].call_id, calls[3].duration_s, calls[4].duration_s) == (calls[4].call_id, 10, 20)
    assert calls[3].leg != calls[4].leg
    assert calls[12].duration_s == 30
    assert faults_in("freeswitch.csv") == {
        5: ("billsec", "inconsistent"),
        6: ("billsec", "negative"),
        7: ("billsec", "inconsistent"),
        8: ("", "quotes"),
        9: ("", "columns"),
        10: ("answer_stamp", "order"),
        11: ("destination_number", "missing"),
    }


def test_freepbx_keeps_the_legs_of_a_fork_apart() -> None:
    calls = calls_in("freepbx.csv")
    first, fork, last = calls.values()
    assert (first.call_id, first.leg, fork.leg) == (fork.call_id, "10", "11")
    assert (first.duration_s, first.carrier, first.account) == (75, "atlas", "alice-hotel")
    assert first.answered_at == datetime(2026, 10, 1, 1, 0, 6, tzinfo=UTC)
    assert (fork.answered, fork.duration_s, fork.carrier) == (False, 0, "boreal")
    assert (last.caller, last.leg) == ("202", "PJSIP/202-0000000d>PJSIP/atlas-0000000e")
    assert faults_in("freepbx.csv") == {
        4: ("billsec", "inconsistent"),
        5: ("billsec", "negative"),
        6: ("disposition", "disposition"),
    }


def test_elastix_speaks_its_durations_and_its_cost_is_never_a_charge() -> None:
    calls = calls_in("elastix.csv")
    assert [row.duration_s for row in calls.values()] == [75, 75, 0, 3723, 65]
    assert (calls[2].account, calls[2].caller, calls[2].carrier) == ("alice-hotel", "201", "atlas")
    assert calls[2].reference == "0.3200"
    assert not open_usage(FIXTURES / "elastix.csv", HONG_KONG, not_after=LATEST).parser.has_ids
    assert faults_in("elastix.csv") == {7: ("billsec", "number"), 8: ("dst", "missing")}


def test_mitel_in_all_its_shapes() -> None:
    calls = calls_in("mitel.txt")
    assert {line: (row.caller, row.callee, row.duration_s, row.carrier) for line, row in calls.items()} == {
        1: ("2011", "900442071838750", 134, "T001"),
        2: ("2021", "2022", 32, ""),
        3: ("2021", "2023", 12, ""),
        5: ("2031", "900493012345678", 151, "T002"),
        6: ("2032", "2031", 15, ""),
        7: ("0307654321", "2016", 53, "T3"),
        8: ("2041", "2046", 998, ""),
        9: ("T3", "30765432", 0, ""),
        10: ("3027", "2031", 281, ""),
        11: ("2033", "3024", 10, "T3"),
        13: ("2032", "95551234", 0, "T001"),
        15: ("2032", "95551234", 30, "T001"),
        21: ("T3", "2031", 0, ""),
    }
    assert [line for line, row in calls.items() if not row.answered] == [9, 13, 21]
    assert calls[2].call_id == calls[3].call_id
    assert (calls[5].account, calls[5].call_id) == ("4401", "20260217T103045-77")
    assert (calls[7].call_id, calls[7].leg) == ("20260204T053438-M0200371", "A:0307654321>2016")
    assert faults_in("mitel.txt") == {
        4: ("", "layout"),
        12: ("called", "unclear"),
        14: ("ending", "disposition"),
        16: ("start", "time"),
        17: ("", "layout"),
        18: ("duration", "negative"),
        19: ("called", "missing"),
        20: ("", "layout"),
    }


@pytest.mark.parametrize(
    ("date", "latest", "year"),
    [
        ("11/30", datetime(2026, 12, 1, tzinfo=UTC), 2026),
        ("12/24", datetime(2026, 12, 1, tzinfo=UTC), 2025),
        ("12/31", datetime(2027, 1, 1, tzinfo=UTC), 2026),
        ("01/01", datetime(2026, 12, 31, 16, 30, tzinfo=UTC), 2027),
        ("02/29", datetime(2028, 12, 1, tzinfo=UTC), 2028),
        ("02/29", datetime(2029, 1, 1, tzinfo=UTC), 2028),
    ],
)
def test_a_date_without_a_year_is_the_latest_that_can_be(
    tmp_path: Path, date: str, latest: datetime, year: int
) -> None:
    row = one(tmp_path, f"{date} 00:10:00 00:00:30 2032 95551234 T001 A", latest)
    assert isinstance(row, UsageRow)
    assert row.started_at.astimezone(HONG_KONG).year == year


def test_a_leap_day_that_neither_year_has_is_quarantined(tmp_path: Path) -> None:
    row = one(tmp_path, "02/29 00:10:00 00:00:30 2032 95551234 T001 A")
    assert isinstance(row, BadRow)
    assert (row.field, row.code) == ("start", "time")


def test_avaya_parts_of_one_call_are_legs_and_its_charge_is_a_reference() -> None:
    calls = calls_in("avaya.csv")
    outgoing, lost, taken, transferred, internal = calls.values()
    assert (outgoing.account, outgoing.caller, outgoing.callee) == ("alice-hotel", "201", "900442071838750")
    assert (outgoing.duration_s, outgoing.carrier, outgoing.reference) == (75, "T9001", "1.25 GBP")
    assert outgoing.answered_at == datetime(2026, 10, 1, 1, 0, 6, tzinfo=UTC)
    assert (lost.answered, lost.duration_s, lost.callee) == (False, 0, "202")
    assert (taken.callee, taken.duration_s, taken.carrier) == ("203", 24, "")
    assert (transferred.callee, transferred.duration_s) == ("9502", 21)
    assert taken.call_id == transferred.call_id
    assert (internal.caller, internal.src_ip, internal.duration_s) == ("201", "10.4.2.5", 47)
    assert faults_in("avaya.csv") == {
        7: ("Connected Time", "number"),
        8: ("Direction", "direction"),
        9: ("Called Number", "missing"),
        10: ("", "columns"),
    }


def test_avaya_without_a_header_is_known_too(tmp_path: Path) -> None:
    lines = (FIXTURES / "avaya.csv").read_text(encoding="utf-8").splitlines()
    row = one(tmp_path, lines[1])
    assert isinstance(row, UsageRow)
    assert (row.line, row.duration_s) == (1, 75)


def test_plain_exports_with_epoch_times() -> None:
    plain, timed, busy = calls_in("cdrstats_long.txt").values()
    assert (plain.caller, plain.callee, plain.src_ip) == ("85223450001", "00442071838750", "10.4.2.5")
    assert (plain.duration_s, plain.started_at) == (75, datetime(2026, 10, 1, 9, 0, tzinfo=UTC))
    assert timed.answered_at == datetime(2026, 10, 1, 9, 0, 15, tzinfo=UTC)
    assert (busy.answered, busy.duration_s) == (False, 0)
    assert {code for _field, code in faults_in("cdrstats_long.txt").values()} == {"inconsistent"}
    first, fork, silent = calls_in("cdrstats_short.txt").values()
    assert (first.call_id, first.duration_s) == (fork.call_id, 78)
    assert first.answered_at == datetime(2026, 10, 1, 9, 0, 10, tzinfo=UTC)
    assert not silent.answered
    assert faults_in("cdrstats_short.txt") == {
        4: ("billsec", "inconsistent"),
        5: ("billsec", "negative"),
        6: ("destination_number", "missing"),
        7: ("", "columns"),
    }


@pytest.mark.skipif(not SHARED.is_dir(), reason="the folder of field data is not there")
def test_every_file_from_the_field_is_imported_whole() -> None:
    seen = {}
    for path in sorted(SHARED.iterdir()):
        usage = open_usage(path, HONG_KONG, not_after=LATEST)
        found = rows_of(path, usage).values()
        calls = [row for row in found if isinstance(row, UsageRow)]
        bad = len(found) - len(calls)
        answered, billed_s = sum(row.answered for row in calls), sum(row.duration_s for row in calls)
        keys = {record_key(row) for row in calls if row.call_id}
        assert len(keys) == sum(1 for row in calls if row.call_id), path.name
        headers = line_count(path) - len(found)
        seen[path.name] = (usage.format, len(calls), answered, billed_s, bad, headers)
    assert seen == FIELD_FILES
