"""Which way a call went: what came in or never left the house is kept, and nobody pays for it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from rating.models import Direction, RatedCall, RecordStatus, UsageRecord
from rating.services.imports import counts, import_file
from rating.services.sources import update_source
from rating.usage.formats.asterisk import direction
from rating.usage.lines import plan_chunks
from rating.usage.reading import open_usage
from rating.usage.record import IN, INTERNAL, OUT, UsageRow
from tests.cast import ACTOR
from tiers.errors import Invalid

if TYPE_CHECKING:
    from tests.cast import Cast

FIXTURES = Path(__file__).parent / "fixtures" / "usage"
ZONE, LATEST = ZoneInfo("Asia/Hong_Kong"), datetime(2026, 12, 1, tzinfo=UTC)


def directions(name: str) -> list[tuple[int, str]]:
    usage = open_usage(FIXTURES / name, ZONE, not_after=LATEST)
    rows = [row for chunk in plan_chunks(FIXTURES / name) for row in usage.rows(chunk)]
    return [(row.line, row.direction) for row in rows if isinstance(row, UsageRow)]


@pytest.mark.parametrize(
    ("callee", "dstchannel", "context", "did", "expected"),
    [
        ("0049301234567", "PJSIP/atlas-0000002a", "from-internal", "", OUT),
        ("202", "PJSIP/202-00000003", "from-internal", "", INTERNAL),
        ("202", "PJSIP/202-00000003", "from-trunk", "", IN),
        ("202", "PJSIP/202-00000003", "ext-local", "85223450000", IN),
        ("s", "", "from-pstn", "", IN),
        ("85223450000", "", "from-did-direct", "85223450000", IN),
        ("0049301234567", "PJSIP/atlas-0000002b", "from-trunk", "85223450000", OUT),
        ("0049301234567", "Local/0049301234567@from-internal-0001;1", "from-trunk", "", OUT),
        ("0049301234567", "PJSIP/4930-0000002b", "from-internal", "", OUT),
        ("", "", "default", "", OUT),
    ],
)
def test_asterisk_tells_by_context_and_by_where_the_call_ended(
    callee: str, dstchannel: str, context: str, did: str, expected: str
) -> None:
    assert direction(callee, dstchannel, context, did) == expected


@pytest.mark.parametrize(
    ("name", "not_out"),
    [
        ("cucm_named.csv", {6: INTERNAL}),
        ("avaya.csv", {3: IN, 4: IN, 5: IN, 6: INTERNAL}),
        ("mitel.txt", {6: INTERNAL, 8: INTERNAL, 9: IN, 10: IN, 21: IN}),
        ("freepbx.csv", {}),
    ],
)
def test_switches_that_tell_are_believed(name: str, not_out: dict[int, str]) -> None:
    assert {line: told for line, told in directions(name) if told != OUT} == not_out


@pytest.mark.django_db
class TestCharged:
    @pytest.fixture(autouse=True)
    def files(self, settings: Any, tmp_path: Path) -> Path:
        settings.MEDIA_ROOT = str(tmp_path / "media")
        return tmp_path

    def run(self, cast: Cast, tmp_path: Path, *rows: str) -> dict[str, int]:
        path = tmp_path / "calls.csv"
        head = "call_id,account,from,to,started_at,seconds,direction,reference"
        path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
        return counts(import_file(path, cast.source("switch"), actor=ACTOR))

    def test_an_incoming_and_an_internal_call_are_kept_free_and_an_outgoing_one_is_charged(
        self, cast: Cast, tmp_path: Path
    ) -> None:
        found = self.run(
            cast,
            tmp_path,
            "c1,alice,4930123456,447700900123,2026-10-05T09:30:00Z,90,outbound,9.99 EUR",
            "c2,alice,447700900123,4930123456,2026-10-05T09:31:00Z,90,inbound,",
            "c3,alice,4930123456,447700900123,2026-10-05T09:32:00Z,90,internal,",
            "c4,alice,4930123456,447700900123,2026-10-05T09:33:00Z,90,sideways,",
        )
        assert {name: count for name, count in found.items() if count} == {
            "read": 4,
            "rated": 1,
            "free": 2,
            "quarantined": 1,
        }
        kept = {record.call_id: record for record in UsageRecord.objects.all()}
        assert (kept["c1"].direction, kept["c2"].direction) == (Direction.OUT, Direction.IN)
        assert kept["c3"].status == RecordStatus.FREE
        assert {call.record_id for call in RatedCall.objects.all()} == {kept["c1"].id}

    def test_the_switch_s_own_cost_is_kept_and_charged_by_nobody(self, cast: Cast, tmp_path: Path) -> None:
        self.run(cast, tmp_path, "c1,alice,4930123456,447700900123,2026-10-05T09:30:00Z,60,out,9.99 EUR")
        assert UsageRecord.objects.get().reference == "9.99 EUR"
        assert all(call.sale < 1 for call in RatedCall.objects.all())

    def test_a_switch_in_one_house_needs_no_account_on_its_calls(self, cast: Cast, tmp_path: Path) -> None:
        row = "c{0},,201,447700900123,2026-10-05T09:3{0}:00Z,60,,"
        assert self.run(cast, tmp_path, row.format(1))["quarantined"] == 1
        update_source(cast.source("switch"), actor=ACTOR, customer=cast.alice)
        assert self.run(cast, tmp_path, row.format(1), row.format(2))["rated"] == 2
        assert {record.customer_id for record in UsageRecord.objects.all()} == {cast.alice.pk}

    def test_a_source_is_not_given_to_somebody_who_does_not_buy_from_its_owner(self, cast: Cast) -> None:
        source = cast.source("switch")
        source.owner = cast.party("summit")
        with pytest.raises(Invalid) as refused:
            update_source(source, actor=ACTOR, customer=cast.alice)
        assert refused.value.code == "customer"
