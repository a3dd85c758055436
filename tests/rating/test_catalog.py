"""What sellers enter: carriers, sources, rates, price lists, exchange rates; dated, checked, refused in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from rating.models import CarrierChoice, ListTerms, Rate, RateTable, SourceIdentity
from rating.services.carriers import carrier_at, choose_carrier, create_carrier, update_carrier
from rating.services.exchange import exchange_rate_at, set_exchange_rate
from rating.services.lists import (
    create_list,
    end_own_rate,
    set_list_terms,
    set_own_rate,
    set_price_terms,
    update_list,
)
from rating.services.rates import RateEntry, create_table, set_rates, update_table
from rating.services.sources import add_identity, create_source, update_source
from tests.cast import ACTOR, Cast
from tiers.errors import Conflict, Invalid

JAN, FEB, MAR = (datetime(2026, month, 1, tzinfo=UTC) for month in (1, 2, 3))
D = Decimal


def rates(table: RateTable, prefix: str) -> list[tuple[Decimal, datetime, datetime | None]]:
    rows = Rate.objects.filter(table=table, prefix=prefix).order_by("effective_from")
    return [(row.price, row.effective_from, row.effective_to) for row in rows]


# -- carriers ---------------------------------------------------------------------------------------------------
def test_a_customer_changes_carrier_from_now_on(cast: Cast) -> None:
    choose_carrier(cast.alice, cast.carrier("atlas"), actor=ACTOR, at=JAN)
    choose_carrier(cast.alice, cast.carrier("boreal"), actor=ACTOR, at=FEB)
    told = [carrier_at(cast.alice, moment) for moment in (JAN - timedelta(seconds=1), JAN, FEB, MAR)]
    assert [carrier and carrier.code for carrier in told] == [None, "atlas", "boreal", "boreal"]
    assert CarrierChoice.objects.filter(party=cast.alice).count() == 2


def test_the_same_choice_again_is_no_change(cast: Cast) -> None:
    first = choose_carrier(cast.alice, cast.carrier("atlas"), actor=ACTOR, at=JAN)
    assert choose_carrier(cast.alice, cast.carrier("atlas"), actor=ACTOR, at=FEB) == first
    assert CarrierChoice.objects.filter(party=cast.alice).count() == 1


def test_a_choice_never_goes_backwards_nor_to_what_is_not_offered(cast: Cast) -> None:
    choose_carrier(cast.alice, cast.carrier("atlas"), actor=ACTOR, at=FEB)
    with pytest.raises(Invalid):
        choose_carrier(cast.alice, cast.carrier("boreal"), actor=ACTOR, at=JAN)
    update_carrier(cast.carrier("boreal"), actor=ACTOR, offered=False)
    with pytest.raises(Conflict, match="cannot be chosen"):
        choose_carrier(cast.alice, cast.carrier("boreal"), actor=ACTOR)
    assert CarrierChoice.objects.get(party=cast.alice).valid_to is None


def test_carriers_are_the_operators(cast: Cast) -> None:
    with pytest.raises(Invalid):
        create_carrier(cast.harbour, "cargo", "Cargo", actor=ACTOR)
    with pytest.raises(Conflict):
        create_carrier(cast.northstar, "atlas", "Atlas again", actor=ACTOR)
    foreign = create_table(cast.harbour, "harbour-costs", "Costs", "USD", actor=ACTOR)
    with pytest.raises(Invalid) as refused:
        create_carrier(cast.northstar, "cargo", "Cargo", actor=ACTOR, cost_table=foreign)
    assert refused.value.where == "cost_table"


# -- sources ----------------------------------------------------------------------------------------------------
def test_a_source_reads_numbers_by_its_dial_plan(cast: Cast) -> None:
    source = create_source(cast.pier, "pier-pbx", "Pier PBX", actor=ACTOR, dial_plan={"home_country": "NL"})
    with pytest.raises(Invalid) as refused:
        update_source(source, actor=ACTOR, dial_plan={"home_land": "NL"})
    assert refused.value.where == "dial_plan"
    with pytest.raises(Invalid) as zone:
        update_source(cast.source("pbx"), actor=ACTOR, time_zone="Mars/Olympus")
    assert zone.value.where == "time_zone"


@pytest.mark.parametrize(
    ("kind", "written", "kept"),
    [
        ("caller", "+49 40 555-100", "4940555100"),
        ("ip", "2001:DB8::0001", "2001:db8::1"),
        ("account", " 1001 ", "1001"),
    ],
)
def test_an_identity_has_one_spelling(cast: Cast, kind: str, written: str, kept: str) -> None:
    assert add_identity(cast.alice, kind, written, actor=ACTOR).value == kept
    assert add_identity(cast.alice, kind, kept, actor=ACTOR).party == cast.alice
    with pytest.raises(Conflict, match="another party"):
        add_identity(cast.bob, kind, kept, actor=ACTOR)
    assert SourceIdentity.objects.filter(kind=kind, value=kept).count() == 1


@pytest.mark.parametrize(
    ("kind", "value"), [("caller", "Room 12"), ("ip", "10.0.0.300"), ("account", ""), ("mac", "x")]
)
def test_an_identity_that_no_record_could_carry_is_refused(cast: Cast, kind: str, value: str) -> None:
    with pytest.raises(Invalid):
        add_identity(cast.alice, kind, value, actor=ACTOR)


# -- rates ------------------------------------------------------------------------------------------------------
def test_a_new_rate_closes_the_one_before_and_ends_where_a_later_one_begins(cast: Cast) -> None:
    table = create_table(cast.harbour, "own", "Own", "EUR", actor=ACTOR)
    set_rates(table, [RateEntry("44", D("0.01"), JAN), RateEntry("44", D("0.03"), MAR)], actor=ACTOR)
    set_rates(table, [RateEntry("44", D("0.02"), FEB)], actor=ACTOR)
    assert rates(table, "44") == [(D("0.01"), JAN, FEB), (D("0.02"), FEB, MAR), (D("0.03"), MAR, None)]


def test_the_same_rates_again_change_nothing_and_a_correction_keeps_the_dates(cast: Cast) -> None:
    table = create_table(cast.harbour, "own", "Own", "EUR", actor=ACTOR)
    entries = [RateEntry("44", D("0.01"), JAN), RateEntry("44", D("0.03"), MAR)]
    set_rates(table, entries, actor=ACTOR)
    version = table.version
    again = set_rates(table, entries, actor=ACTOR)
    assert (again.added, again.changed, again.unchanged) == (0, 0, 2)
    assert table.version == version
    corrected = set_rates(table, [RateEntry("44", D("0.015"), JAN)], actor=ACTOR)
    assert (corrected.added, corrected.changed) == (0, 1)
    assert rates(table, "44") == [(D("0.015"), JAN, MAR), (D("0.03"), MAR, None)]
    assert table.version > version


@pytest.mark.parametrize(
    ("entry", "where"),
    [
        (RateEntry("4a", D(1), JAN), "rates[1].prefix"),
        (RateEntry("٤٤", D(1), JAN), "rates[1].prefix"),
        (RateEntry("44", D("-0.1"), JAN), "rates[1].price"),
        (RateEntry("44", D("0.123456789"), JAN), "rates[1].price"),
        (RateEntry("44", D("NaN"), JAN), "rates[1].price"),
        (RateEntry("44", D(1), JAN, step_s=0), "rates[1].step_s"),
        (RateEntry("44", D(1), MAR, effective_to=JAN), "rates[1].effective_to"),
        (RateEntry("44", D(1), JAN, bands=[{"days": "1-8", "from": "08:00", "to": "9:00"}]), "rates[1].bands[0].days"),
        (
            RateEntry(
                "44", D(1), JAN,
                bands=[
                    {"days": "1-5", "from": "08:00", "to": "19:00", "price": "1"},
                    {"days": "5", "from": "18:00", "to": "20:00", "price": "2"},
                ],
            ),
            "rates[1].bands[1]",
        ),
    ],
)  # fmt: skip
def test_one_bad_rate_keeps_all_out_and_says_where(cast: Cast, entry: RateEntry, where: str) -> None:
    table = create_table(cast.harbour, "own", "Own", "EUR", actor=ACTOR)
    with pytest.raises(Invalid) as refused:
        set_rates(table, [RateEntry("33", D(1), JAN), entry], actor=ACTOR)
    assert refused.value.where == where
    assert not Rate.objects.filter(table=table).exists()


def test_a_table_counts_its_changes(cast: Cast) -> None:
    table = cast.table("atlas")
    version = table.version
    update_table(table, actor=ACTOR, decimals=6)
    assert table.version > version
    with pytest.raises(Invalid):
        update_table(table, actor=ACTOR, decimals=7)
    with pytest.raises(Invalid):
        create_table(cast.harbour, "own", "Own", "DOUBLOON", actor=ACTOR)


# -- price lists ------------------------------------------------------------------------------------------------
def test_an_own_rate_stands_in_a_table_of_the_lists_own(cast: Cast) -> None:
    price_list = cast.price_list("harbour-atlas")
    set_own_rate(price_list, "44", D("0.02"), actor=ACTOR, effective_from=JAN)
    set_own_rate(price_list, "44", D("0.03"), actor=ACTOR, effective_from=FEB)
    own = cast.price_list("harbour-atlas").own_table
    assert own is not None
    assert (own.owner, own.currency) == (cast.harbour, "EUR")
    assert rates(own, "44") == [(D("0.02"), JAN, FEB), (D("0.03"), FEB, None)]
    assert end_own_rate(price_list, "44", actor=ACTOR, at=MAR)
    assert rates(own, "44")[-1] == (D("0.03"), FEB, MAR)
    assert not end_own_rate(price_list, "33", actor=ACTOR)


def test_terms_hold_from_their_date_and_the_same_date_corrects(cast: Cast) -> None:
    price_list = cast.price_list("harbour-atlas")
    _terms, changed = set_list_terms(price_list, actor=ACTOR, valid_from=FEB, markup=D("0.6"), step_s=30)
    assert changed
    terms, changed = set_list_terms(price_list, actor=ACTOR, valid_from=FEB, markup=D("0.6"))
    assert not changed
    assert terms.step_s == 30
    assert ListTerms.objects.filter(price_list=price_list).count() == 2
    with pytest.raises(Invalid) as refused:
        set_list_terms(price_list, actor=ACTOR, valid_from=MAR, markup=D("-1"))
    assert refused.value.where == "markup"


def test_a_list_for_one_buyer_stands_beside_the_brands(cast: Cast) -> None:
    special = create_list(cast.harbour, "for-alice", cast.brand("harbour"), actor=ACTOR, buyer=cast.alice)
    assert special.currency == "EUR"
    with pytest.raises(Conflict, match="active list"):
        create_list(cast.harbour, "for-alice-2", cast.brand("harbour"), actor=ACTOR, buyer=cast.alice)
    update_list(special, actor=ACTOR, active=False)
    create_list(cast.harbour, "for-alice-2", cast.brand("harbour"), actor=ACTOR, buyer=cast.alice)


def test_a_list_stands_on_what_its_seller_may_see(cast: Cast) -> None:
    brand = cast.brand("harbour")
    with pytest.raises(Invalid) as table:
        create_list(cast.harbour, "x", brand, actor=ACTOR, buyer=cast.alice, base_table=cast.table("atlas"))
    assert table.value.where == "base_table", "the carriers' costs are the operator's alone"
    with pytest.raises(Invalid) as other:
        create_list(cast.harbour, "x", brand, actor=ACTOR, buyer=cast.alice, base_list=cast.price_list("meadow-atlas"))
    assert other.value.where == "base_list"
    with pytest.raises(Invalid) as stranger:
        create_list(cast.harbour, "x", brand, actor=ACTOR, buyer=cast.mallory)
    assert stranger.value.where == "buyer"
    with pytest.raises(Invalid) as foreign:
        create_list(cast.pier, "x", brand, actor=ACTOR)
    assert foreign.value.where == "brand"
    with pytest.raises(Invalid) as currency:
        create_list(cast.harbour, "x", brand, actor=ACTOR, buyer=cast.alice, currency="USD")
    assert currency.value.where == "currency"


def test_a_list_is_never_derived_from_itself(cast: Cast) -> None:
    brand = cast.brand("harbour")
    one = create_list(cast.harbour, "one", brand, actor=ACTOR, buyer=cast.alice)
    two = create_list(cast.harbour, "two", brand, actor=ACTOR, buyer=cast.pier, base_list=one)
    with pytest.raises(Conflict, match="itself"):
        update_list(one, actor=ACTOR, base_list=two)
    with pytest.raises(Conflict, match="itself"):
        update_list(one, actor=ACTOR, base_list=one)
    assert cast.price_list("one").base_list is None


def test_a_brands_tax_is_a_percentage(cast: Cast) -> None:
    brand = cast.brand("harbour")
    terms, changed = set_price_terms(brand, actor=ACTOR, tax_rate=D("7"))
    assert (terms.tax_rate, changed) == (D(7), True)
    assert set_price_terms(brand, actor=ACTOR, tax_rate=D("7"))[1] is False
    for rate in (D(100), D(-1), D("NaN")):
        with pytest.raises(Invalid):
            set_price_terms(brand, actor=ACTOR, tax_rate=rate)


# -- exchange rates ---------------------------------------------------------------------------------------------
def test_an_exchange_rate_holds_from_its_moment(cast: Cast) -> None:
    set_exchange_rate("USD", "EUR", D("0.95"), actor=ACTOR, valid_from=FEB)
    assert exchange_rate_at("USD", "EUR", JAN) == D("0.9")
    assert exchange_rate_at("USD", "EUR", FEB) == D("0.95")
    assert exchange_rate_at("EUR", "EUR", FEB) == 1
    assert exchange_rate_at("EUR", "JPY", FEB) is None
    assert set_exchange_rate("USD", "EUR", D("0.95"), actor=ACTOR, valid_from=FEB)[1] is False
    for base, quote, rate in (
        ("USD", "USD", D(1)),
        ("USD", "EUR", D(0)),
        ("USD", "ZZZ", D(1)),
        ("USD", "EUR", D("NaN")),
    ):
        with pytest.raises(Invalid):
            set_exchange_rate(base, quote, rate, actor=ACTOR, valid_from=timezone.now())
