"""Files that no format knows, read as somebody said once; and totals that are held against what was sent."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rating.models import RatedCall, UsageRecord
from rating.services.imports import counts, import_file
from rating.services.sources import update_source
from rating.usage.formats.mapped import MappedParser, prepare
from rating.usage.halves import Half
from rating.usage.mapping import MappingError, UsageMapping
from rating.usage.protocol import UsageRefused
from rating.usage.reading import open_usage
from rating.usage.record import BadRow, UsageRow
from tests.cast import ACTOR
from tiers.errors import Invalid

if TYPE_CHECKING:
    from tests.cast import Cast

FIXTURES = Path(__file__).parent / "fixtures" / "usage_mapped"
ZONE, LATEST = ZoneInfo("Europe/Berlin"), datetime(2026, 12, 1, tzinfo=UTC)
DELIMITED: dict[str, Any] = {
    "format": "delimited",
    "delimiter": ";",
    "skip_lines": 2,
    "columns": {
        "account": 1,
        "from": 2,
        "to": 3,
        "started_at": [4, 5],
        "seconds": 6,
        "disposition": 7,
        "reference": 8,
        "direction": 9,
    },
    "times": "%d.%m.%Y %H:%M:%S",
    "unit": "min",
    "decimal": ",",
    "answered": ["A"],
    "directions": {"E": "in", "A": "out"},
    "trailer": {"begins": "SUM", "count": 2, "seconds": 3, "unit": "min"},
}
FIXED: dict[str, Any] = {
    "format": "fixed",
    "columns": {"account": "2-9", "to": "10-29", "started_at": "30-43", "seconds": "44-49"},
    "times": "%Y%m%d%H%M%S",
    "unit": "s",
    "trailer": {"begins": "T", "count": "2-9", "seconds": "10-19"},
}
ORDER = ["clid", "src", "dst", "start", "answer", "end", "billsec", "disposition", "accountcode", "uniqueid", "x-own"]


def rows(name: str, mapping: dict[str, Any]) -> list[UsageRow | BadRow | Half]:
    usage = open_usage(FIXTURES / name, ZONE, not_after=LATEST, mapping=mapping)
    return [row for chunk in usage.chunks(2) for row in usage.rows(chunk)]


def calls(name: str, mapping: dict[str, Any]) -> list[UsageRow]:
    return [row for row in rows(name, mapping) if isinstance(row, UsageRow)]


def faults(name: str, mapping: dict[str, Any]) -> list[tuple[int, str, str]]:
    return [(row.line, row.field, row.code) for row in rows(name, mapping) if isinstance(row, BadRow)]


def test_a_delimited_file_in_its_own_hand() -> None:
    first, silent, incoming, long = calls("own_hand.csv", DELIMITED)
    assert (first.account, first.caller, first.callee) == ("alice", "201", "0044 7700 900123")
    assert first.started_at == datetime(2026, 10, 5, 7, 30, tzinfo=UTC)
    assert (first.duration_s, first.reference, first.direction) == (90, "0,42", "out")
    assert (silent.answered, incoming.direction, long.duration_s) == (False, "in", 4502)
    assert faults("own_hand.csv", DELIMITED) == [(7, "started_at", "time"), (8, "", "columns")]


def test_a_fixed_width_file() -> None:
    first, second = calls("fixed.txt", FIXED)
    assert (first.account, first.callee, first.duration_s) == ("alice", "00447700900123", 75)
    assert (second.callee, second.duration_s) == ("004930123456", 0)
    assert faults("fixed.txt", FIXED) == []


def test_columns_by_the_names_in_a_header() -> None:
    mapping = {
        "format": "delimited",
        "columns": {"to": "Gerufene Nr.", "started_at": "Beginn", "seconds": "Dauer"},
        "unit": "clock",
    }
    found = calls("named.csv", mapping)
    assert [(row.callee, row.duration_s) for row in found] == [("00447700900123", 75), ("004930123456", 3725)]
    with pytest.raises(UsageRefused) as refused:
        rows("named.csv", {**mapping, "columns": {**mapping["columns"], "account": "Konto"}})  # type: ignore[dict-item]
    assert "konto" in refused.value.message


def test_asterisk_in_the_order_of_its_configuration() -> None:
    found = calls("cdr_custom.csv", {"format": "asterisk_custom", "columns": ORDER})
    assert [(row.callee, row.duration_s, row.answered, row.account) for row in found] == [
        ("00447700900123", 75, True, "alice"),
        ("004930123456", 0, False, "alice"),
    ]
    assert found[0].call_id == "1791185400.1"
    assert faults("cdr_custom.csv", {"format": "asterisk_custom", "columns": ORDER}) == [(3, "", "columns")]


def test_a_proxy_s_accounting_with_columns_of_its_own() -> None:
    columns = ["method", "from_tag", "to_tag", "callid", "sip_code", "sip_reason", "time", "caller", "callee"]
    (half,) = rows("acc_own.log", {"format": "acc", "columns": columns})
    assert isinstance(half, Half)
    assert half.fields["callee"] == "00447700900123"


def test_3cx_in_an_order_of_its_own() -> None:
    columns = ["time-start", "time-answered", "duration", "from-no", "to-no", "to-type", "bill-cost"]
    (row,) = calls("3cx_own.log", {"format": "3cx", "columns": columns})
    assert (row.caller, row.callee, row.duration_s, row.reference) == ("201", "00447700900123", 75, "0.42")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("SUM;6;", "SUM;7;"), "The totals say 7 calls, the file holds 6."),
        (("SUM;6;", "SUM;;"), ""),
        (("SUM;6;77,7667", "SUM;6;1,5"), "The totals say 90 seconds, the calls come to 4666.002."),
        (("SUM;6;77,7667\n", ""), "The line with the totals is missing: the file may be cut off."),
        (("SUM;6;77,7667", "SUM;six;77,7667"), "The totals cannot be read"),
        (("SUM;6;77,7667", "SUM;6;77,7667\nSUM;6;77,7667"), "A second line of totals"),
        (("SUM;6;77,7667", "SUM;6;77,7667\nalice;201;0044;05.10.2026;09:30:00;1,5;A;;A"), "calls behind them"),
    ],
    ids=["count", "count not said", "seconds", "missing", "unreadable", "twice", "not last"],
)
def test_totals_that_disagree_refuse_the_file_and_say_both_figures(
    tmp_path: Path, change: tuple[str, str], said: str
) -> None:
    path = tmp_path / "own_hand.csv"
    text = (FIXTURES / "own_hand.csv").read_text(encoding="utf-8")
    assert change[0] in text
    path.write_text(text.replace(*change), encoding="utf-8")
    usage = open_usage(path, ZONE, not_after=LATEST, mapping=DELIMITED)
    if not said:
        assert usage.chunks(3)
        return
    with pytest.raises(UsageRefused) as refused:
        usage.chunks(3)
    assert refused.value.code == "trailer"
    assert said in refused.value.message


def test_a_file_that_the_mapping_does_not_fit_is_refused() -> None:
    with pytest.raises(UsageRefused) as refused:
        rows("fixed.txt", DELIMITED)
    assert refused.value.code == "mapping"


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"format": "pdf"}, "format"),
        ({"columns": {"to": 1, "seconds": 2}}, "columns.started_at"),
        ({"columns": {"to": 0, "started_at": 1, "seconds": 2}}, "columns.to"),
        ({"columns": {"to": 1, "started_at": 1, "seconds": 2, "shoe size": 3}}, "columns"),
        ({"columns": {"started_at": 1, "seconds": 2}}, "columns.to"),
        ({"columns": {"to": 1, "started_at": 1}}, "columns.seconds"),
        ({"times": "%A %H"}, "times"),
        ({"times": "%Y-%m-%d"}, "times"),
        ({"unit": "hours"}, "unit"),
        ({"decimal": ";"}, "decimal"),
        ({"skip_lines": -1}, "skip_lines"),
        ({"directions": {"x": "sideways"}}, "directions"),
        ({"trailer": {"begins": ""}}, "trailer.begins"),
        ({"trailer": {"begins": "T"}}, "trailer"),
        ({"pattern": "(a+)+$"}, "pattern"),
        ({"format": "asterisk_custom", "columns": ["clid"]}, "times"),
    ],
    ids=lambda one: "-".join(one) if isinstance(one, dict) else None,
)
def test_a_mapping_that_cannot_be_used_says_where(change: dict[str, Any], where: str) -> None:
    with pytest.raises(MappingError) as refused:
        UsageMapping.from_json({**DELIMITED, **change})
    assert refused.value.where in (where, "answered", "decimal") or refused.value.where.startswith(where)


WORDS = st.sampled_from(["", " ", ";", ",", "-", "9" * 20, "NULL", "\0", "1e9", "-3", "٣", "99.99.9999", '"', "SUM"])


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_damage_in_a_mapped_line_never_raises(data: st.DataObject) -> None:
    name, mapping = data.draw(st.sampled_from([("own_hand.csv", DELIMITED), ("fixed.txt", FIXED)]))
    lines = (FIXTURES / name).read_text(encoding="utf-8").splitlines()
    parser = prepare(lines, UsageMapping.from_json(mapping), ZONE, not_after=LATEST)
    assert isinstance(parser, MappedParser)
    line = data.draw(st.sampled_from([line for line in lines[parser.data_from_line - 1 :] if line.strip()]))
    at, cut = data.draw(st.integers(0, len(line))), data.draw(st.integers(0, 12))
    found = parser.parse(99, line[:at] + data.draw(WORDS) + line[at + cut :])
    if isinstance(found, UsageRow):
        assert found.answered or found.duration_s == 0
        assert found.callee or found.duration_s == 0


@pytest.mark.django_db
class TestOnASource:
    @pytest.fixture(autouse=True)
    def files(self, settings: Any, tmp_path: Path) -> Path:
        settings.MEDIA_ROOT = str(tmp_path / "media")
        return tmp_path

    def test_what_the_mapping_reads_is_charged_and_its_totals_hold(self, cast: Cast) -> None:
        source = update_source(cast.source("switch"), actor=ACTOR, mapping=DELIMITED, time_zone="Europe/Berlin")
        found = counts(import_file(FIXTURES / "own_hand.csv", source, actor=ACTOR))
        assert {name: count for name, count in found.items() if count} == {
            "read": 6,
            "rated": 2,
            "free": 2,
            "quarantined": 2,
        }
        again = counts(import_file(FIXTURES / "own_hand.csv", source, actor=ACTOR))
        assert (again["duplicate"], again["quarantined"]) == (4, 2)

    def test_a_file_whose_totals_disagree_charges_nothing(self, cast: Cast, tmp_path: Path) -> None:
        source = update_source(cast.source("switch"), actor=ACTOR, mapping=DELIMITED)
        path = tmp_path / "cut.csv"
        lines = (FIXTURES / "own_hand.csv").read_text(encoding="utf-8").splitlines(keepends=True)
        path.write_text("".join([*lines[:3], *lines[4:]]), encoding="utf-8")
        with pytest.raises(Invalid) as refused:
            import_file(path, source, actor=ACTOR)
        assert refused.value.code == "trailer"
        assert "6 calls, the file holds 5" in refused.value.message
        assert not UsageRecord.objects.exists()
        assert not RatedCall.objects.exists()

    def test_a_source_refuses_a_mapping_that_cannot_be_used(self, cast: Cast) -> None:
        with pytest.raises(Invalid) as refused:
            update_source(cast.source("switch"), actor=ACTOR, mapping={"format": "delimited", "columns": {}})
        assert refused.value.where == "mapping.columns.to"

    def test_another_format_that_is_asked_for_goes_before_the_mapping(self, cast: Cast, tmp_path: Path) -> None:
        source = update_source(cast.source("switch"), actor=ACTOR, mapping=DELIMITED)
        path = tmp_path / "calls.csv"
        path.write_text(
            "call_id,account,to,started_at,seconds\nc1,alice,447700900123,2026-10-05T09:30:00Z,60\n", encoding="utf-8"
        )
        assert counts(import_file(path, source, actor=ACTOR, format="generic"))["rated"] == 1
