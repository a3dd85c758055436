"""Records that are not lines: objects, elements and blocks. Any number of workers read one file alike, and no damage
goes further than the record that it hit."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rating.usage import framing, registry
from rating.usage.framing import Blocks, Elements, Objects
from rating.usage.halves import BEGIN, END, Half
from rating.usage.protocol import UsageRefused
from rating.usage.reading import OpenUsage, open_usage
from rating.usage.record import IN, INTERNAL, OUT, BadRow, UsageRow

FIXTURES = Path(__file__).parent / "fixtures" / "usage"
HONG_KONG = ZoneInfo("Asia/Hong_Kong")
LATEST = datetime(2026, 12, 1, tzinfo=UTC)
COUNTS = {  # calls (whole halves among them), halves that wait or join, quarantined
    "3cx.json": (2, 0, 0),
    "acc_bye.log": (0, 2, 0),
    "acc_invite.log": (1, 2, 4),
    "freeswitch_json_array.json": (4, 1, 2),
    "freeswitch_json_lines.json": (4, 1, 3),
    "freeswitch_json_pretty.json": (2, 0, 0),
    "freeswitch_xml.xml": (4, 1, 4),
    "radius_detail.txt": (4, 7, 3),
}
FRAMED = [name for name in COUNTS if not name.endswith(".log")]
Read = list[UsageRow | BadRow | Half]


def read(path: Path, records_per_chunk: int = 1000) -> Read:
    usage = open_usage(path, HONG_KONG, not_after=LATEST)
    return rows_of(usage, records_per_chunk)


def rows_of(usage: OpenUsage, records_per_chunk: int = 1000) -> Read:
    return [row for chunk in usage.chunks(records_per_chunk) for row in usage.rows(chunk)]


def calls(name: str) -> dict[int, UsageRow]:
    found = {}
    for row in read(FIXTURES / name):
        whole = row.row if isinstance(row, Half) else row
        if isinstance(whole, UsageRow):
            found[row.line] = whole
    return found


def faults(name: str) -> dict[int, tuple[str, str]]:
    return {row.line: (row.field, row.code) for row in read(FIXTURES / name) if isinstance(row, BadRow)}


@pytest.mark.parametrize(("name", "counts"), COUNTS.items())
def test_calls_halves_and_quarantine_are_all_there_is(name: str, counts: tuple[int, int, int]) -> None:
    found = read(FIXTURES / name)
    halves = sum(1 for row in found if isinstance(row, Half) and row.row is None)
    assert (len(calls(name)), halves, len(faults(name))) == counts
    assert sum(counts) == len(found)


@pytest.mark.parametrize("records_per_chunk", [1, 2, 3, 7])
@pytest.mark.parametrize("name", FRAMED)
def test_workers_that_share_a_file_read_what_one_reads(name: str, records_per_chunk: int) -> None:
    usage = open_usage(FIXTURES / name, HONG_KONG, not_after=LATEST)
    chunks = usage.chunks(records_per_chunk)
    assert rows_of(usage, records_per_chunk) == rows_of(usage)
    assert all(chunk.lines <= records_per_chunk for chunk in chunks)
    assert [(one.byte_to, one.index + 1) for one in chunks[:-1]] == [(two.byte_from, two.index) for two in chunks[1:]]


@pytest.mark.parametrize("name", FRAMED)
def test_line_numbers_are_those_of_the_file(name: str) -> None:
    lines = (FIXTURES / name).read_text(encoding="utf-8").splitlines()
    for row in read(FIXTURES / name, 2):
        assert lines[row.line - 1].lstrip(" [").startswith(row.text.splitlines()[0][:40])


@pytest.mark.parametrize("name", FRAMED)
@pytest.mark.parametrize("newline", ["\r\n", "\r"])
def test_other_line_ends_change_nothing(tmp_path: Path, name: str, newline: str) -> None:
    path = tmp_path / "calls"
    path.write_text((FIXTURES / name).read_text(encoding="utf-8"), encoding="utf-8-sig", newline=newline)
    assert [row.line for row in read(path, 2)] == [row.line for row in read(FIXTURES / name)]


def test_freeswitch_says_the_same_in_json_and_in_xml() -> None:
    for name in ("freeswitch_json_array.json", "freeswitch_json_lines.json", "freeswitch_xml.xml"):
        first, silent, internal, incoming = calls(name).values()
        assert (first.account, first.caller, first.callee) == ("alice-hotel", "+85223450001", "00442071838750")
        assert (first.duration_s, first.carrier, first.direction) == (75, "atlas", OUT)
        assert (first.src_ip, first.src_port, first.user_agent) == ("10.4.2.5", 5062, "Yealink T54W 96.86")
        assert first.answered_at == datetime(2026, 10, 1, 9, 0, 6, 500000, tzinfo=UTC)
        assert (silent.callee, silent.answered, silent.duration_s) == ("0049301234567", False, 0)
        assert (internal.direction, incoming.direction, incoming.reference) == (INTERNAL, IN, "0.42")
        codes = [code for _line, (_field, code) in sorted(faults(name).items())]
        assert codes[-2:] == ["inconsistent", "missing"]


def test_freeswitch_far_side_of_a_bridged_call_belongs_to_the_near_side() -> None:
    near, _silent, far = read(FIXTURES / "freeswitch_json_array.json")[:3]
    assert isinstance(near, Half)
    assert isinstance(far, Half)
    assert (near.key, far.row) == (far.key, None)


def test_a_document_that_declares_entities_is_never_expanded() -> None:
    assert [code for _field, code in faults("freeswitch_xml.xml").values()][:2] == ["doctype", "doctype"]


def test_radius_bills_the_stop_of_the_side_towards_the_caller() -> None:
    found = read(FIXTURES / "radius_detail.txt")
    halves = [row for row in found if isinstance(row, Half)]
    first_call = [half for half in halves if half.key == halves[0].key]
    assert [half.side.split(":")[0] for half in first_call] == [BEGIN, "far", "near", "whole", "far"]
    billed, silent, plain, by_address = calls("radius_detail.txt").values()
    assert (billed.account, billed.callee, billed.duration_s) == ("alice-hotel", "00442071838750", 75)
    assert (billed.src_ip, billed.user_agent) == ("10.4.2.5", "Yealink T54W")
    assert billed.started_at == datetime(2026, 10, 1, 9, 0, 0, 250000, tzinfo=UTC)
    assert (by_address.account, by_address.src_ip) == ("", "10.4.2.7")
    assert (silent.answered, plain.duration_s) == (False, 60)


def test_radius_distrusts_absurd_delays_and_interims() -> None:
    silent, plain = list(calls("radius_detail.txt").values())[1:3]
    assert silent.started_at == datetime(2026, 10, 1, 9, 5, 20, tzinfo=UTC)  # the block's own time, Hong Kong's
    assert plain.answered_at == datetime(2026, 10, 1, 9, 10, 10, tzinfo=UTC)  # sent 5 s late
    assert {code for _field, code in faults("radius_detail.txt").values()} == {"inconsistent", "missing", "layout"}


def test_proxy_halves_know_each_other_whichever_side_hung_up() -> None:
    invite, refused, waiting = [row for row in read(FIXTURES / "acc_invite.log") if not isinstance(row, BadRow)]
    bye, _lonely = read(FIXTURES / "acc_bye.log")
    assert isinstance(invite, Half)
    assert isinstance(bye, Half)
    assert isinstance(refused, UsageRow)
    assert isinstance(waiting, Half)
    assert (invite.key, invite.side, bye.side) == (bye.key, BEGIN, END)
    assert (refused.answered, refused.callee) == (False, "0049301234567")


def test_a_proxy_that_reckons_the_duration_writes_whole_calls() -> None:
    found = [row for row in read(FIXTURES / "acc_opensips.csv") if isinstance(row, UsageRow)]
    assert [(row.callee, row.duration_s, row.carrier) for row in found] == [
        ("00442071838750", 75, "atlas"),
        ("0049301234567", 0, "atlas"),
    ]
    assert found[0].answered_at == datetime(2026, 10, 1, 9, 0, 6, tzinfo=UTC)


def test_accounting_without_numbers_asks_which_columns_they_are(tmp_path: Path) -> None:
    path = tmp_path / "acc_1.log"
    path.write_text("INVITE|a|b|c@d|200|OK|1790845206\n", encoding="utf-8")
    with pytest.raises(UsageRefused) as refused:
        open_usage(path, HONG_KONG, not_after=LATEST)
    assert refused.value.code == "which_columns"
    assert "mapping" in refused.value.hint


def test_3cx_in_its_usual_order_by_name_and_as_json() -> None:
    rows = [row for row in read(FIXTURES / "3cx_default.log") if isinstance(row, UsageRow)]
    assert [(row.caller, row.callee, row.duration_s, row.direction) for row in rows] == [
        ("10016", "00442071838750", 75, OUT),
        ("201", "0049301234567", 0, OUT),
        ("493012345678", "203", 24, IN),
        ("201", "202", 44, INTERNAL),
        ("493012345678", "0085291234567", 30, OUT),
    ]
    assert (rows[0].reference, rows[0].carrier, rows[0].call_id) == ("0.42 UK", "10001", "501")
    assert (rows[4].carrier, rows[1].answered) == ("10002", False)
    codes = [row.code for row in read(FIXTURES / "3cx_default.log") if isinstance(row, BadRow)]
    assert codes == ["inconsistent", "inconsistent", "columns"]
    named = [row for row in read(FIXTURES / "3cx_named.csv") if isinstance(row, UsageRow)]
    told = [row for row in read(FIXTURES / "3cx.json") if isinstance(row, UsageRow)]
    assert [row.duration_s for row in (*named, *told)] == [75, 24, 75, 0]
    assert (told[0].callee, told[0].reference) == ("00442071838750", "0.42")


def test_a_file_that_two_formats_claim_is_not_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = registry.ADAPTERS["freeswitch"], registry.ADAPTERS["cdrstats"]
    monkeypatch.setattr(type(second), "recognise", lambda self, lines: type(first)().recognise(lines))
    with pytest.raises(UsageRefused) as refused:
        registry.detect((FIXTURES / "freeswitch.csv").read_bytes(), "Master.csv")
    assert refused.value.code == "which_format"
    assert "freeswitch" in refused.value.message
    assert "cdrstats" in refused.value.message


@pytest.mark.parametrize("name", FRAMED)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_damage_costs_no_record_before_it_and_nothing_is_lost(
    tmp_path_factory: pytest.TempPathFactory, name: str, data: st.DataObject
) -> None:
    whole = (FIXTURES / name).read_bytes()
    usage = open_usage(FIXTURES / name, HONG_KONG, not_after=LATEST)
    at = data.draw(st.integers(0, len(whole) - 1))
    cut = data.draw(st.integers(0, 30))
    put = data.draw(
        st.sampled_from([b"", b"\xff", b"\0", b'"', b"{", b"}", b"<", b"</cdr>", b"\n", b"\n\n", b"x" * 40])
    )
    path = tmp_path_factory.mktemp("damaged") / name
    path.write_bytes(whole[:at] + put + whole[at + cut :])
    damaged = OpenUsage(path, usage.format, usage.parser, usage.shape)
    assert rows_of(damaged, 3) == rows_of(damaged)
    spans, before = spans_of(damaged), [span for span in spans_of(usage) if span[1] < at]
    assert spans[: len(before)] == before
    text = path.read_bytes().decode("latin-1")
    gaps = zip([0, *(end for _start, end in spans)], [*(start for start, _end in spans), len(text)], strict=True)
    for start, end in gaps:
        assert FILLING.fullmatch(text, start, end), text[start:end]


FILLING = re.compile(r"(?:[\s,\[\]\x1e]|<\?[^>]*\?>|</?cdrs>)*")


def spans_of(usage: OpenUsage) -> list[tuple[int, int]]:
    kind = usage.parser.framing
    assert kind is not None
    text, at, found = usage.path.read_bytes().decode("latin-1"), 0, []
    while (span := kind.find(text, at)) is not None:
        found.append((span.start, span.end))
        at = span.end
    return found


@pytest.mark.parametrize(
    ("kind", "record"),
    [
        (Objects("core-uuid"), '{"core-uuid": "%s", "a": {"b": ["}", "{", "\\\\"]}}'),
        (Elements("cdr"), "<cdr id='%s'><a>1</a></cdr>"),
        (Blocks(), "Thu %s\n\ta = 1\n\tb = 2\n\n"),
    ],
    ids=["objects", "elements", "blocks"],
)
def test_records_across_the_blocks_of_a_long_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: framing.Framing, record: str
) -> None:
    monkeypatch.setattr(framing, "RECORD_LIMIT_BYTES", 200)
    monkeypatch.setattr(framing, "BLOCK_BYTES", 64)
    path = tmp_path / "long"
    path.write_text("".join(record % number for number in range(500)), encoding="utf-8")
    chunks = framing.plan_records(path, kind, 7)
    found = [item for chunk in chunks for item in framing.read_records(path, chunk, kind)]
    assert [item[1].strip() for item in found if not isinstance(item, BadRow)] == [
        (record % number).strip() for number in range(500)
    ]
    assert sum(chunk.lines for chunk in chunks) == 500


def test_a_record_beyond_all_measure_is_quarantined_and_the_next_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(framing, "RECORD_LIMIT_BYTES", 200)
    monkeypatch.setattr(framing, "BLOCK_BYTES", 64)
    path = tmp_path / "long"
    long = '{"core-uuid": "' + "x" * 1500 + '"}'
    path.write_text(f'{{"core-uuid": "1"}}\n{long}\n{{"core-uuid": "2"}}\n', encoding="utf-8")
    kind = Objects("core-uuid")
    found = [item for chunk in framing.plan_records(path, kind, 2) for item in framing.read_records(path, chunk, kind)]
    texts = [item[1] for item in found if not isinstance(item, BadRow)]
    assert texts[0] == '{"core-uuid": "1"}'
    assert texts[-1] == '{"core-uuid": "2"}'
    assert "record_too_long" in {item.code for item in found if isinstance(item, BadRow)}


def test_large_records_make_small_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(framing, "CHUNK_LIMIT_BYTES", 3000)
    path = tmp_path / "large"
    path.write_text("".join(f'{{"core-uuid": "{number}", "a": "{"x" * 1000}"}}\n' for number in range(9)))
    chunks = framing.plan_records(path, Objects("core-uuid"), 1000)
    assert [chunk.lines for chunk in chunks] == [2, 2, 2, 2, 1]
    found = [item for chunk in chunks for item in framing.read_records(path, chunk, Objects("core-uuid"))]
    assert [item[0] for item in found if not isinstance(item, BadRow)] == list(range(1, 10))


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_whatever_a_file_holds_it_is_read_or_refused_with_a_reason(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    whole = data.draw(st.sampled_from(sorted(FIXTURES.iterdir()))).read_bytes()
    at, cut = data.draw(st.integers(0, len(whole))), data.draw(st.integers(0, 300))
    put = data.draw(st.binary(max_size=40))
    path = tmp_path_factory.mktemp("any") / "file"
    path.write_bytes(whole[:at] + put + whole[at + cut :])
    found: Read = []
    with suppress(UsageRefused):
        found = read(path, 3)
    for row in found:
        whole_row = row.row if isinstance(row, Half) else row
        if isinstance(whole_row, UsageRow):
            assert whole_row.answered or whole_row.duration_s == 0
            assert whole_row.callee or whole_row.duration_s == 0
