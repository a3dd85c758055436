"""The loss guard: what is sold below its cost, by whatever way of counting; a brand warns or refuses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from rating.models import ListTerms, Rate
from rating.numbers import Number, ServiceClass
from rating.pricing import CallFacts, Engine
from rating.pricing.engine import PricedCall
from rating.pricing.lists import Found
from rating.pricing.loss import widest_loss
from rating.pricing.tables import Measure, RateRow
from rating.services.guard import BelowCostError, losses_of_call, sold_below_cost
from rating.services.lists import set_list_terms, set_own_rate, set_price_terms
from rating.services.rates import RateEntry, set_rates
from tests.cast import ACTOR

if TYPE_CHECKING:
    from tests.cast import Cast

WEDNESDAY = datetime(2026, 11, 18, 10, tzinfo=UTC)
NIGHT = {"days": "1-7", "from": "20:00", "to": "08:00", "price": "0.0100"}


def rate(price: str, **values: Any) -> Found:
    """A rate in EUR with four decimals, by the second unless said."""
    row = dict.fromkeys(RateRow.__slots__) | {
        "prefix": "852",
        "destination": "Hong Kong",
        "price": Decimal(price),
        "connect_fee": Decimal(0),
        "step_s": 1,
        "grace_s": 0,
        "free_s": 0,
        "min_charge": Decimal(0),
        "blocked": False,
        "effective_from": WEDNESDAY,
    }
    measure = Measure("list", "EUR", values.pop("decimals", 4), "half_up", "UTC", "split", ())
    return Found(RateRow(**{**row, **values}), measure, ())


@pytest.mark.parametrize(
    ("sale", "cost", "gap"),
    [
        (rate("0.0500"), rate("0.0400"), None),
        (rate("0.0400"), rate("0.0400"), None),
        (rate("0.0399"), rate("0.0400"), "0.0001"),
        (rate("0.0450"), rate("0.0400", step_s=60), None),
        (rate("0.0500", connect_fee=Decimal("0.01")), rate("0.0500", connect_fee=Decimal("0.03")), "0.02"),
        (rate("0.0500", free_s=60), rate("0.0400"), "0.04"),
        (rate("0.0500", grace_s=120), rate("0.0400"), "0.04"),
        (rate("0.0500"), rate("0.0400", min_charge=Decimal("0.20")), "0.15"),
        (rate("0.0500", steps=[{"from_s": 600, "price": "0.0300"}]), rate("0.0400"), "0.01"),
        (rate("0.0500", bands=[NIGHT]), rate("0.0400"), "0.03"),
        (rate("0.0500"), rate("0.0400", bands=[{**NIGHT, "price": "0.0900"}]), "0.04"),
        (rate("0.0040", decimals=2), rate("0.0030"), "0.003"),
        (rate("0.0400", min_charge=Decimal("1.00")), rate("0.0500"), "0.01"),
    ],
    ids=[
        "above",
        "equal",
        "a digit below",
        "other increments, both calls above",
        "dearer connection",
        "free seconds",
        "grace",
        "a minimum",
        "a later step",
        "at night",
        "dear nights",
        "rounded away",
        "a minimum hides no minute",
    ],
)
def test_two_rates_are_compared_as_calls_meet_them(sale: Found, cost: Found, gap: str | None) -> None:
    loss = widest_loss(sale, cost, Decimal(1), WEDNESDAY)
    assert (None if loss is None else loss.gap) == (None if gap is None else Decimal(gap))


def test_tax_inside_a_price_is_no_income() -> None:
    assert widest_loss(rate("0.0450"), rate("0.0400"), Decimal(1), WEDNESDAY, Decimal(10)) is None
    loss = widest_loss(rate("0.0450"), rate("0.0400"), Decimal(1), WEDNESDAY, Decimal(21))
    assert loss is not None
    assert loss.gap.quantize(Decimal("0.000001")) == Decimal("0.002810")


def test_a_short_call_by_the_second_against_a_cost_by_the_minute() -> None:
    """90 s of a minute's increments cost 120 s; the calls compared are 60 and 180 s: increments of 50 s show it."""
    loss = widest_loss(rate("0.0450"), rate("0.0400", step_s=50), Decimal(1), WEDNESDAY)
    assert loss is not None
    assert (loss.call_s, loss.gap.quantize(Decimal("0.0001"))) == (60, Decimal("0.0217"))


pytestmark = pytest.mark.django_db


def test_nothing_of_the_cast_is_sold_below_cost(cast: Cast) -> None:
    for code in ("northstar-atlas", "northstar-eu-boreal", "harbour-atlas", "harbour-domestic", "pier-boreal"):
        assert sold_below_cost(cast.price_list(code)) == [], code


def test_a_flat_price_meets_the_dear_mobile_code_inside_it(cast: Cast) -> None:
    """Harbour sells all of the United Kingdom at 0.02 EUR; fixed lines cost it 0.01125, mobiles 0.03375."""
    own = cast.price_list("harbour-atlas")
    set_own_rate(own, "44", Decimal("0.02"), actor=ACTOR, effective_from=timezone.now() - timedelta(days=1))
    set_own_rate(own, "447", Decimal("0.02"), actor=ACTOR, effective_from=timezone.now() - timedelta(days=1))
    (sold,) = sold_below_cost(cast.price_list("harbour-atlas"))
    assert (sold.prefix, sold.destination, sold.carrier) == ("447", "United Kingdom mobile", "Atlas Carrier Services")
    assert (sold.loss.sale, sold.loss.cost, sold.currency) == (Decimal("0.02"), Decimal("0.03375"), "EUR")


def test_the_operator_is_held_against_its_carrier(cast: Cast) -> None:
    """Atlas raises Hong Kong; Northstar's own price there stands where it was."""
    past = timezone.now() - timedelta(days=1)
    set_own_rate(cast.price_list("northstar-atlas"), "852", Decimal("0.0200"), actor=ACTOR, effective_from=past)
    assert sold_below_cost(cast.price_list("northstar-atlas")) == []
    set_rates(cast.table("atlas"), [RateEntry("852", Decimal("0.0210"), past, destination="Hong Kong")], actor=ACTOR)
    (sold,) = sold_below_cost(cast.price_list("northstar-atlas"))
    assert (sold.prefix, sold.loss.gap) == ("852", Decimal("0.0010"))


def test_a_list_for_calls_at_home_is_not_held_against_codes_abroad(cast: Cast) -> None:
    """Trinidad begins with the 1 of the United States, but nobody calls it by the list for calls at home."""
    sold = sold_below_cost(cast.price_list("northstar-domestic"))
    assert "1868" not in {one.prefix for one in sold}
    assert {one.prefix for one in sold} <= {"1800", "49800"}, "toll-free numbers cost what a carrier asks for them"


def below(cast: Cast, **how: Any) -> Rate:
    return set_own_rate(cast.price_list("harbour-atlas"), "852", Decimal("0.001"), actor=ACTOR, **how)


def test_a_warning_is_a_question_and_what_is_meant_is_saved(cast: Cast) -> None:
    with pytest.raises(BelowCostError) as asked:
        below(cast, accept_loss=False)
    assert not asked.value.refused
    assert [one.prefix for one in asked.value.sold] == ["852"]
    assert cast.price_list("harbour-atlas").own_table is None, "nothing was written"
    assert below(cast).price == Decimal("0.001")


def test_a_brand_that_refuses_does_so_whatever_is_meant(cast: Cast) -> None:
    set_price_terms(cast.brand("harbour"), actor=ACTOR, below_cost="refuse")
    with pytest.raises(BelowCostError) as refused:
        below(cast, accept_loss=True)
    assert refused.value.refused
    assert "refuses" in str(refused.value.hint)
    with pytest.raises(BelowCostError):
        set_list_terms(cast.price_list("harbour-atlas"), actor=ACTOR, markup=Decimal("-0.2"))
    assert not ListTerms.objects.filter(price_list__code="harbour-atlas", markup__lt=0).exists()
    set_list_terms(cast.price_list("harbour-atlas"), actor=ACTOR, markup=Decimal("0.1"))


def test_what_was_below_before_does_not_stand_in_the_way(cast: Cast) -> None:
    below(cast, effective_from=timezone.now() - timedelta(hours=1))
    set_price_terms(cast.brand("harbour"), actor=ACTOR, below_cost="refuse")
    set_own_rate(cast.price_list("harbour-atlas"), "852", Decimal("0.002"), actor=ACTOR)
    set_list_terms(cast.price_list("harbour-atlas"), actor=ACTOR, markup=Decimal("0.4"))
    with pytest.raises(BelowCostError):
        set_own_rate(cast.price_list("harbour-atlas"), "852", Decimal("0.0005"), actor=ACTOR)


def test_a_mark_up_of_later_is_judged_by_its_own_day(cast: Cast) -> None:
    later = timezone.now() + timedelta(days=30)
    with pytest.raises(BelowCostError):
        set_list_terms(
            cast.price_list("harbour-atlas"),
            actor=ACTOR,
            valid_from=later,
            markup=Decimal("-0.5"),
            accept_loss=False,
        )


def priced(engine: Engine, cast: Cast) -> PricedCall:
    number = Number("85225550123", ServiceClass.INTERNATIONAL)
    found = engine.price(CallFacts(cast.alice.pk, number, True, timezone.now(), 60, trunk=cast.carrier("atlas").pk))
    assert isinstance(found, PricedCall)
    return found


def test_a_live_call_is_judged_at_every_tier(cast: Cast) -> None:
    engine = Engine()
    assert losses_of_call(priced(engine, cast), engine, timezone.now()) == []
    below(cast)
    set_price_terms(cast.brand("harbour"), actor=ACTOR, below_cost="refuse")
    engine = Engine()
    (found,) = losses_of_call(priced(engine, cast), engine, timezone.now())
    assert (found.seller, found.buyer, found.refused) == (cast.harbour.pk, cast.alice.pk, True)
    assert found.loss.cost > found.loss.sale
