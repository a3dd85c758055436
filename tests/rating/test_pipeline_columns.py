"""The pipeline works by columns; here each of its rows is held against one call priced by itself."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from django.db import connection

from accounts.models import AccountKind, Transfer
from accounts.services.accounts import wallet_of
from billing.books import violations
from rating.models import ImportStatus, Quarantined, Rate, RatedCall, RateTable, RateTerms, RecordStatus, UsageRecord
from rating.numbers import DialPlan, Number
from rating.numbers.names import is_abroad
from rating.pricing import CallFacts, Engine, PricedCall, Unpriced
from rating.services import imports
from rating.services.carriers import choose_carrier
from rating.services.imports import counts, import_file
from tests.cast import ACTOR
from tests.rating.calls_help import START, Call, many, write

if TYPE_CHECKING:
    from tests.cast import Cast

MIDNIGHT = datetime(2026, 9, 30, 21, 0, tzinfo=UTC)
NUMBERS = ("447700900123", "33612345678", "4930123456", "18005550100", "12125550100", "8613800138000")


@pytest.fixture(autouse=True)
def files(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    return tmp_path


def everything() -> list[Call]:
    """Each kind of call for each kind of customer, around a month's end in several zones."""
    calls = []
    for code in ("alice", "bob", "carol", "dave", "erin"):
        for at, number in enumerate(NUMBERS):
            moment = MIDNIGHT + timedelta(hours=2 * at)
            calls.append(Call(f"{code}-{at}", code, number, 7 + 61 * at, moment, ("atlas", "boreal", "")[at % 3]))
        calls += [
            Call(f"{code}-nobody-answers", code, NUMBERS[0], 0),
            Call(f"{code}-no-price", code, "37120000000", 60),
            Call(f"{code}-closed", code, "61491570156", 60),
            Call(f"{code}-emergency", code, "911", 60),
            Call(f"{code}-house", code, "203", 60),
            Call(f"{code}-no-number", code, "12", 60),
            Call(f"{code}-0", code, NUMBERS[0], 7, MIDNIGHT, "atlas"),
            Call(f"{code}-1", code, NUMBERS[1], 999, MIDNIGHT + timedelta(hours=2), "boreal"),
        ]
    return [*calls, Call("whose", "nobody-knows")]


@pytest.fixture
def imported(cast: Cast, files: Path) -> dict[str, int]:
    """The world with everything; in chunks of 17 lines, so that repeats lie in other chunks too."""
    cast.fund("summit", 500)
    for code in ("alice", "bob", "carol", "erin"):
        cast.fund(code, 50)
    choose_carrier(cast.alice, cast.carrier("boreal"), actor=ACTOR, at=MIDNIGHT + timedelta(hours=1))
    for table in RateTable.objects.filter(code__in=["atlas", "boreal"]):
        closed = Rate(prefix="6149", destination="Closed", price=Decimal(1), blocked=True)
        closed.table, closed.effective_from = table, START - timedelta(days=90)
        closed.save()
        RateTable.objects.filter(pk=table.pk).update(version=table.version + 1)
    found = counts(import_file(write(files / "all.csv", everything()), cast.source(), actor=ACTOR))
    assert found["read"] == sum(value for name, value in found.items() if name != "read")
    return found


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "LINES_PER_CHUNK", 17)


def asked_singly(cast: Cast) -> Iterator[tuple[UsageRecord, PricedCall | Unpriced | None]]:
    """Every record that is kept, with what the engine says of it alone; None where nothing is to be charged."""
    engine, plan = Engine(), DialPlan.from_json(cast.source().dial_plan)
    for record in UsageRecord.objects.all():
        number = plan.normalise(record.callee)
        if record.answered_at is None or not isinstance(number, Number) or not number.is_e164:
            yield record, None
            continue
        facts = CallFacts(
            customer=record.customer_id,
            number=number,
            abroad=is_abroad(number, plan.home_country),
            answered_at=record.answered_at,
            duration_s=record.duration_s,
            trunk=record.carrier_id,
        )
        yield record, engine.price(facts)


def expected_rows(record: UsageRecord, priced: PricedCall) -> dict[UUID, tuple[Any, ...]]:
    """By seller, all that a rated call is to say."""
    rows = {}
    for at, tier in enumerate(priced.tiers):
        top = at + 1 == len(priced.tiers)
        above = None if top else priced.tiers[at + 1]
        cost = above.sale if above else (priced.cost and priced.cost.amount)
        cost_found = above.found if above else (priced.cost and priced.cost.found)
        rows[tier.link.seller] = (
            *(tier.link.buyer, tier.list_id, tier.charge.billed_s, tier.sale, tier.tax),
            *(tier.found.row.prefix, tier.found.row.destination, tier.found.measure.currency, tier.found.terms),
            *(cost, cost_found.measure.currency if cost_found else None, cost_found.terms if cost_found else None),
            record.carrier_id or priced.carrier if top else priced.carrier,
            *(record.customer_id, record.caller, record.number, record.service_class),
            *(record.started_at, record.answered_at, record.duration_s),
        )
    return rows


def written_rows(record: UsageRecord, terms: dict[int, Any]) -> dict[UUID, tuple[Any, ...]]:
    return {
        call.seller_id: (
            *(call.buyer_id, call.price_list_id, call.billed_s, call.sale, call.tax),
            *(call.prefix, call.destination, call.currency, terms[call.terms_id]),
            *(call.cost, call.cost_currency, call.cost_terms_id and terms[call.cost_terms_id]),
            call.carrier_id,
            *(call.customer_id, call.caller, call.number, call.service_class),
            *(call.started_at, call.answered_at, call.duration_s),
        )
        for call in RatedCall.objects.filter(record_id=record.pk)
    }


@pytest.mark.django_db
def test_every_row_is_what_its_call_alone_comes_to(cast: Cast, imported: dict[str, int]) -> None:
    terms = dict(RateTerms.objects.values_list("pk", "body"))
    seen = Counter[str]()
    for record, priced in asked_singly(cast):
        seen[record.status] += 1
        if isinstance(priced, Unpriced):
            assert (record.status, record.reason) == (RecordStatus.UNRATED, priced.reason)
            assert not written_rows(record, terms)
        elif priced is None or not priced.charged:
            assert record.status == RecordStatus.FREE
            assert not written_rows(record, terms)
        else:
            assert record.status == RecordStatus.RATED
            assert written_rows(record, terms) == expected_rows(record, priced)
    assert {name: imported[name] for name in ("rated", "unrated", "free")} == dict(seen)
    assert all(seen.values())
    assert imported["duplicate"] == 5
    assert Counter(Quarantined.objects.values_list("code", flat=True)) == {
        "too_short": 5,
        "conflict": 5,
        "unknown_customer": 1,
    }
    assert list(violations()) == []


@pytest.mark.django_db
def test_transfers_are_the_sums_of_their_calls_by_wallet_and_month(cast: Cast, imported: dict[str, int]) -> None:
    """Added up by hand: who pays whom, for which month of the seller's zone, how much."""
    engine = Engine()
    sums: dict[tuple[str, UUID, UUID | None, str, Any], Decimal] = defaultdict(Decimal)
    for record, priced in asked_singly(cast):
        if not isinstance(priced, PricedCall):
            continue
        for tier in priced.tiers:
            month = (record.answered_at or record.started_at).astimezone(engine.directory.zones[tier.link.brand])
            key = (tier.purse.id, tier.purse.counter, tier.purse.currency, month.date().replace(day=1))
            sums["usage", *key] += tier.sale
            sums["usage_tax", *key] += tier.tax
    made: dict[tuple[str, UUID, UUID | None, str, Any], Decimal] = defaultdict(Decimal)
    for one in Transfer.objects.filter(kind__in=["usage", "usage_tax"]).select_related("payee"):
        purse = next(purse for purse in engine.directory._purses.values() if purse.id == one.payer_id)
        if one.kind == "usage" and purse.counter is None:
            assert (one.payee.kind, one.payee.owner_id) == (AccountKind.REVENUE, purse.seller)
        made[one.kind, one.payer_id, purse.counter, one.currency, one.for_month] += one.amount
    assert made == {key: total for key, total in sums.items() if total}
    assert {key[-1].month for key in made} == {9, 10}
    assert {key[-2] for key in made} >= {"EUR", "HKD", "USD"}


@pytest.mark.django_db(transaction=True)
def test_two_workers_with_overlapping_files_charge_each_call_once(
    cast: Cast, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One goes through Monday and Tuesday, the other through Tuesday and Wednesday, at the same time."""
    monkeypatch.setattr(imports, "LINES_PER_CHUNK", 150)
    days = [many(600, prefix=day) for day in ("mon", "tue", "wed")]
    paths = [write(files / "first.csv", days[0] + days[1]), write(files / "second.csv", days[1][::-1] + days[2])]
    source, done, together = cast.source(), list[Any](), threading.Barrier(2)

    def work(path: Path) -> None:
        together.wait()
        try:
            done.append(import_file(path, source, actor=ACTOR))
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(path,)) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.status for one in done] == [ImportStatus.DONE] * 2
    found = [counts(one) for one in done]
    assert sum(one["read"] for one in found) == 2400
    assert sum(one["duplicate"] for one in found) == 600
    assert sum(one["quarantined"] for one in found) == 0
    assert UsageRecord.objects.count() == 1800
    charged = sum(RatedCall.objects.filter(buyer=cast.alice).values_list("sale", flat=True))
    assert wallet_of(cast.alice).posted == -charged - sum(
        RatedCall.objects.filter(buyer=cast.alice).values_list("tax", flat=True)
    )
    assert list(violations()) == []
