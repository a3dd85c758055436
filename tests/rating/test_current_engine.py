"""One engine for each state of the prices: kept while nothing changes, never kept when something did."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from threading import Event, Thread
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Wallet
from rating.models import BookChange, CarrierChoice, ExchangeRate, ListTerms, PriceList, PriceTerms, Rate, RateTable
from rating.numbers import Number, ServiceClass
from rating.pricing import CallFacts, Engine, PricedCall
from rating.pricing.current import current_engine, fold_changes, seen
from rating.pricing.tables import CACHE
from rating.services.rates import RateEntry, set_rates
from tests.cast import ACTOR, Cast
from tiers.models import Brand, Party, Placement


def test_without_a_change_the_same_engine_answers(cast: Cast) -> None:
    engine = current_engine()
    assert current_engine() is engine
    cast.fund("alice", 50)
    Wallet.objects.filter(account__owner__code="alice").update(warn_below=Decimal(3))
    assert current_engine() is engine, "balances and warnings are not prices"
    Placement.objects.filter(party__code="nobody").update(valid_to=None)
    assert current_engine() is engine, "a statement that touches no row changes nothing"


def test_rates_of_a_change_that_is_rolled_back_are_never_taken_for_those_in_force(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table is read when it is first asked: maybe by an engine of before, in the middle of a change."""

    def price_of(engine: Engine) -> Decimal:
        number = Number("447700900123", ServiceClass.INTERNATIONAL)
        priced = engine.price(CallFacts(cast.party("alice").pk, number, True, timezone.now(), 60))
        assert isinstance(priced, PricedCall)
        return priced.tiers[0].charge.amount

    monkeypatch.setattr(CACHE, "_books", OrderedDict())
    before = Engine()
    change = transaction.savepoint()
    dear = RateEntry("447", Decimal(30), timezone.now() - timedelta(hours=1), destination="United Kingdom mobile")
    set_rates(cast.table("atlas"), [dear], actor=ACTOR)
    assert price_of(before) > 30, "it had not read the table yet"
    transaction.savepoint_rollback(change)
    assert price_of(Engine()) < 1


def add_rate() -> None:
    Rate.objects.create(table=RateTable.objects.get(code="atlas"), prefix="4479", effective_from=timezone.now())


CHANGES: dict[str, Callable[[], object]] = {
    "party": lambda: Party.objects.filter(code="alice").update(name="Alice & Daughters"),
    "placement": lambda: Placement.objects.filter(party__code="bob").update(valid_from=timezone.now()),
    "brand": lambda: Brand.objects.filter(code="harbour").update(time_zone="Asia/Tokyo"),
    "tax": lambda: PriceTerms.objects.update(tax_rate=7),
    "rate": add_rate,
    "table": lambda: RateTable.objects.filter(code="atlas").update(decimals=2),
    "list": lambda: PriceList.objects.filter(brand__code="pier").update(active=False),
    "terms": lambda: ListTerms.objects.all()[0].delete(),
    "exchange": lambda: ExchangeRate.objects.update(rate=2),
    "billing": lambda: Wallet.objects.filter(account__owner__code="alice").update(billing="postpaid"),
    "choice": lambda: CarrierChoice.objects.create(
        party=Party.objects.get(code="alice"), carrier_id=carrier(), valid_from=timezone.now(), actor="test"
    ),
}


def carrier() -> UUID:
    return current_engine().directory.carriers["boreal"].pk


@pytest.mark.parametrize("what", sorted(CHANGES))
def test_whatever_an_engine_reads_makes_another(cast: Cast, what: str) -> None:
    engine = current_engine()
    CHANGES[what]()
    assert current_engine() is not engine
    engine = current_engine()
    assert current_engine() is engine


def test_a_new_price_holds_from_the_next_call_on(cast: Cast) -> None:
    def cost() -> Decimal:
        facts = CallFacts(
            cast.party("erin").pk, Number("447700900123", ServiceClass.INTERNATIONAL), True, timezone.now(), 60
        )
        priced = current_engine().price(facts)
        assert isinstance(priced, PricedCall)
        return priced.tiers[0].amount

    before = cost()
    ListTerms.objects.filter(price_list__brand__code="northstar").update(markup=3)
    assert cost() > before


def test_a_change_that_is_taken_back_leaves_the_old_prices(cast: Cast) -> None:
    """Within a transaction its own changes count; when it fails, they never were."""
    engine, state = current_engine(), seen()

    def attempt() -> None:
        with transaction.atomic():
            Brand.objects.filter(code="harbour").update(time_zone="Asia/Tokyo")
            assert str(current_engine().directory.zones[cast.brand("harbour").pk]) == "Asia/Tokyo"
            raise RuntimeError

    with pytest.raises(RuntimeError):
        attempt()
    assert seen() == state
    assert current_engine() is not engine
    assert str(current_engine().directory.zones[cast.brand("harbour").pk]) != "Asia/Tokyo"
    Brand.objects.filter(code="harbour").update(time_zone="Asia/Hong_Kong")
    assert str(current_engine().directory.zones[cast.brand("harbour").pk]) == "Asia/Hong_Kong"


def test_folding_the_trace_changes_nothing(cast: Cast) -> None:
    Party.objects.filter(code="alice").update(name="Alice & Daughters")
    engine, state = current_engine(), seen()
    assert fold_changes() == state.changes
    assert BookChange.objects.count() == 1
    assert seen() == state
    assert current_engine() is engine
    assert fold_changes() == state.changes
    assert seen() == state
    Party.objects.filter(code="alice").update(name="Alice")
    assert current_engine() is not engine


@pytest.mark.django_db(transaction=True)
def test_a_change_that_commits_late_is_seen_though_a_later_one_came_first(cast: Cast) -> None:
    """And neither writer waits for the other, nor for the folding of what came before."""
    changed, go_on = Event(), Event()

    def slow() -> None:
        try:
            with transaction.atomic():
                Party.objects.filter(code="alice").update(name="Alice late")
                changed.set()
                assert go_on.wait(10)
        finally:
            connection.close()

    thread = Thread(target=slow)
    thread.start()
    assert changed.wait(10)
    Party.objects.filter(code="bob").update(name="Bob early")
    engine = current_engine()
    assert (engine.directory.by_code["bob"].name, engine.directory.by_code["alice"].name[-4:]) == ("Bob early", "otel")
    fold_changes()
    assert current_engine() is engine
    go_on.set()
    thread.join(10)
    assert current_engine().directory.by_code["alice"].name == "Alice late"
    assert timezone.now() - BookChange.objects.latest("at").at < timedelta(minutes=1)
