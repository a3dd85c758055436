"""Usage in, rated calls out: what becomes of a file, told by what is in the books afterwards."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from accounts.models import Transfer
from accounts.services.accounts import open_wallet, wallet_of
from billing.books import violations
from rating.models import Quarantined, Rate, RatedCall, RateTable, RecordStatus, UsageRecord
from rating.services.carriers import choose_carrier
from rating.services.imports import counts, import_file
from rating.services.unrated import rate_waiting
from tests.cast import ACTOR
from tests.rating.calls_help import START, Call, many, write
from tiers.errors import Invalid
from tiers.services.parties import move_party

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def files(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    return tmp_path


def run(cast: Cast, path: Path, source: str = "switch") -> dict[str, int]:
    found = counts(import_file(path, cast.source(source), actor=ACTOR))
    assert found["read"] == sum(value for name, value in found.items() if name != "read")
    return found


def test_one_call_is_charged_at_every_tier_and_costed(cast: Cast, files: Path) -> None:
    """Bob buys from pier, pier from harbour, harbour from northstar, northstar from atlas."""
    assert run(cast, write(files / "one.csv", [Call("c1", "bob")]))["rated"] == 1
    rated = {call.buyer.code: call for call in RatedCall.objects.all()}
    assert set(rated) == {"bob", "pier", "harbour"}
    assert [rated[code].seller.code for code in ("bob", "pier", "harbour")] == ["pier", "harbour", "northstar"]
    assert rated["bob"].cost == rated["pier"].sale
    assert rated["pier"].cost == rated["harbour"].sale
    assert rated["harbour"].cost == Decimal("0.045")
    for code in ("bob", "pier", "harbour"):
        call, wallet = rated[code], wallet_of(cast.party(code))
        assert wallet.posted == -(call.sale + call.tax)
        assert Transfer.objects.get(pk=call.transfer_id).amount == call.sale
    record = UsageRecord.objects.get()
    assert (str(record.src_ip), record.src_port, record.user_agent) == ("10.1.2.3", 5060, "Yealink T54W")
    assert list(violations()) == []


def test_prices_that_include_tax_are_split_and_the_customer_pays_the_list_price(cast: Cast, files: Path) -> None:
    """Pier's prices include 21 percent: bob pays what the list says, and 21/121 of it is pier's tax."""
    run(cast, write(files / "one.csv", [Call("c1", "bob", seconds=600)]))
    call = RatedCall.objects.get(buyer=cast.bob)
    gross = call.sale + call.tax
    assert gross == gross.quantize(Decimal("0.0001"))
    assert call.tax == (gross * 21 / 121).quantize(Decimal("0.000001"))
    assert -wallet_of(cast.bob).posted == gross


def test_distribution_margin_stays_with_the_seller(cast: Cast, files: Path) -> None:
    """Carol's charge arrives in summit's wallet, summit's own charge leaves it."""
    cast.fund("summit", "100")
    cast.fund("carol", "40")
    run(cast, write(files / "one.csv", [Call("c1", "carol")]))
    sold, bought = RatedCall.objects.get(buyer=cast.carol), RatedCall.objects.get(buyer=cast.summit)
    assert wallet_of(cast.summit, sold.currency).posted == 100 - 40 + sold.sale - bought.sale
    assert sold.sale > bought.sale
    assert list(violations()) == []


def test_every_line_is_accounted_for(cast: Cast, files: Path) -> None:
    calls = [
        Call("paid"),
        Call("unanswered", seconds=0),
        Call("nowhere", to="37120000000"),
        Call("unknown", account="nobody"),
        Call("paid"),
    ]
    path = write(files / "mixed.csv", calls, extra=['"broken', "x,alice,1,447700900123,yesterday,,60,ANSWERED,,,,"])
    found = run(cast, path)
    assert found == {
        "read": 7,
        "rated": 1,
        "unrated": 1,
        "free": 1,
        "duplicate": 1,
        "quarantined": 3,
        "waiting": 0,
        "joined": 0,
        "reconciled": 0,
    }
    kept = {row.line: (row.code, row.text) for row in Quarantined.objects.all()}
    assert kept[5][0] == "unknown_customer"
    assert kept[7][1] == '"broken'
    unrated = UsageRecord.objects.get(status=RecordStatus.UNRATED)
    assert "no price" in unrated.reason
    assert list(violations()) == []


def test_the_same_file_under_two_names_charges_once(cast: Cast, files: Path) -> None:
    calls = many(300)
    first = run(cast, write(files / "monday.csv", calls))
    paid = wallet_of(cast.alice).posted
    second = run(cast, write(files / "renamed.csv", calls))
    assert second["duplicate"] == first["read"] == 300
    assert wallet_of(cast.alice).posted == paid
    assert list(violations()) == []


def test_a_call_that_comes_again_with_other_figures_is_set_aside(cast: Cast, files: Path) -> None:
    run(cast, write(files / "a.csv", [Call("c1", seconds=60)]))
    paid = wallet_of(cast.alice).posted
    assert run(cast, write(files / "b.csv", [Call("c1", seconds=61)]))["quarantined"] == 1
    assert Quarantined.objects.get().code == "conflict"
    assert wallet_of(cast.alice).posted == paid


def test_calls_without_an_id_are_told_apart_by_content_and_order(cast: Cast, files: Path) -> None:
    path = files / "noid.csv"
    line = "alice,447700900123,2026-10-05T09:30:00+00:00,60,ANSWERED\n"
    path.write_text("account,to,answered_at,seconds,disposition\n" + line * 3)
    assert run(cast, path)["rated"] == 3
    path.write_text(path.read_text() + line)
    again = run(cast, path)
    assert (again["rated"], again["duplicate"]) == (1, 3)


def test_charges_go_to_the_month_of_the_sellers_zone(cast: Cast, files: Path) -> None:
    """00:30 on the 1st in Berlin is still September in New York and Dublin: each seller bills it in its own month."""
    moment = datetime(2026, 9, 30, 22, 30, tzinfo=UTC)
    run(cast, write(files / "midnight.csv", [Call("c1", "alice", at=moment)]))
    months = {
        t.payer.owner.code: t.for_month for t in Transfer.objects.filter(kind="usage").select_related("payer__owner")
    }
    assert months == {"alice": date(2026, 10, 1), "harbour": date(2026, 9, 1)}


def test_the_sale_follows_the_choice_and_the_cost_follows_the_trunk(cast: Cast, files: Path) -> None:
    """Alice chose boreal at noon; the afternoon's call went out by atlas all the same."""
    noon = START.replace(hour=12)
    choose_carrier(cast.alice, cast.carrier("boreal"), actor=ACTOR, at=noon)
    before, after = noon - timedelta(hours=1), noon + timedelta(hours=1)
    run(
        cast,
        write(files / "x.csv", [Call("c1", at=before, to="447700900123"), Call("c2", at=after, to="447700900123")]),
    )
    sales = [c.carrier.code for c in RatedCall.objects.filter(buyer=cast.alice).order_by("started_at") if c.carrier]
    assert sales == ["atlas", "boreal"]
    top = RatedCall.objects.filter(seller=cast.northstar).order_by("started_at")
    assert [call.cost for call in top] == [Decimal("0.045")] * 2
    assert top[0].sale != top[1].sale


def test_an_unrated_call_is_charged_when_a_rate_comes_that_was_in_force(cast: Cast, files: Path) -> None:
    run(cast, write(files / "x.csv", [Call("c1", to="37120000000")]))
    assert rate_waiting() == 0
    for table in RateTable.objects.filter(code__in=["atlas", "boreal"]):
        Rate.objects.create(
            table=table,
            prefix="371",
            destination="Latvia",
            price=Decimal("0.1"),
            effective_from=START - timedelta(days=30),
        )
        RateTable.objects.filter(pk=table.pk).update(version=table.version + 1)
    assert rate_waiting() == 1
    assert rate_waiting() == 0
    assert UsageRecord.objects.get().status == RecordStatus.RATED
    assert wallet_of(cast.alice).posted < 0
    assert list(violations()) == []


def test_emergency_calls_and_calls_within_the_house_cost_nothing(cast: Cast, files: Path) -> None:
    assert run(cast, write(files / "x.csv", [Call("c1", to="911"), Call("c2", to="203")]))["free"] == 2
    assert not RatedCall.objects.exists()


def asterisk_file(path: Path, account: str) -> Path:
    times = '"2026-10-05 11:30:00","2026-10-05 11:30:05","2026-10-05 11:31:35"'
    who = f'"{account}","4930123456","00447700900123","default","","PJSIP/a-1","PJSIP/atlas-2","Dial","x"'
    path.write_text(f'{who},{times},"95","90","ANSWERED","DOCUMENTATION","1.1",""\n')
    return path


def test_asterisk_files_are_read_in_the_zone_of_their_source(cast: Cast, files: Path) -> None:
    assert run(cast, asterisk_file(files / "Master.csv", "alice"), "pbx")["rated"] == 1
    answered = set(RatedCall.objects.values_list("answered_at", flat=True))
    assert answered == {datetime(2026, 10, 5, 9, 30, 5, tzinfo=UTC)}


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"%PDF-1.7 ...", "not_text"), (b"", "empty"), (b"\x00" * 4096, "empty"), (b"hello\nworld\n", "unknown_layout")],
)
def test_what_is_no_usage_file_is_refused_with_its_reason(cast: Cast, files: Path, content: bytes, code: str) -> None:
    path = files / "calls.csv"
    path.write_bytes(content)
    with pytest.raises(Invalid) as refused:
        import_file(path, cast.source(), actor=ACTOR)
    assert refused.value.code == code
    assert refused.value.message
    assert not UsageRecord.objects.exists()


def test_a_file_beyond_the_bound_is_refused_while_it_is_read(cast: Cast, files: Path, settings: Any) -> None:
    settings.UPLOAD_MAX_BYTES = 1000
    with pytest.raises(Invalid, match="larger than"):
        import_file(write(files / "big.csv", many(100)), cast.source(), actor=ACTOR)
    assert not list((files / "media" / "usage").iterdir())


def test_a_source_of_a_dealer_charges_nobody_beside_it(cast: Cast, files: Path) -> None:
    """Harbour's PBX names mallory, whose seller is somebody else: unknown there."""
    assert run(cast, asterisk_file(files / "Master.csv", "mallory"), "pbx")["quarantined"] == 1


def test_a_call_without_a_cost_is_charged_all_the_same(cast: Cast, files: Path) -> None:
    Rate.objects.filter(table__code="boreal").delete()
    RateTable.objects.filter(code="boreal").update(version=99, changed_at=timezone.now())
    assert run(cast, write(files / "x.csv", [Call("c1", carrier="boreal")]))["rated"] == 1
    assert RatedCall.objects.get(seller=cast.northstar).cost is None
    assert list(violations()) == []


def test_a_customer_that_moved_pays_each_seller_from_its_own_wallet(cast: Cast, files: Path) -> None:
    """Alice left harbour for pier at noon: the morning's call is harbour's, the afternoon's pier's, in two wallets."""
    noon = START.replace(hour=12)
    move_party(cast.alice, cast.pier, cast.brand("pier"), actor=ACTOR, from_moment=noon)
    old = wallet_of(cast.alice)
    new = open_wallet(cast.alice, cast.pier, "EUR")
    assert new != old
    assert wallet_of(cast.alice) == new
    morning, evening = Call("c1", at=noon - timedelta(hours=1)), Call("c2", at=noon + timedelta(hours=1))
    assert run(cast, write(files / "moved.csv", [morning, evening]))["rated"] == 2
    sellers = [call.seller.code for call in RatedCall.objects.filter(buyer=cast.alice).order_by("started_at")]
    assert sellers == ["harbour", "pier"]
    assert RatedCall.objects.filter(record_id=RatedCall.objects.get(seller=cast.pier).record_id).count() == 3
    old.refresh_from_db()
    new.refresh_from_db()
    assert old.posted < 0
    assert new.posted < 0
    assert list(violations()) == []
