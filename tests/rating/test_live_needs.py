"""What is set aside covers what will be charged, whenever the call is answered and however long it lasts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rating.kernel import Band, Rate, Step, price
from rating.kernel.dearest import dearest
from rating.live.needs import Curve, curves, curves_answered
from rating.live.terms import ANSWERED_WITHIN, Priced, TierTerms
from rating.pricing.directory import Tax
from rating.pricing.engine import split_tax

ASKED = datetime(2026, 11, 2, 18, 58, 30, tzinfo=UTC)
LONGEST_S = 240

prices = st.decimals("0", "2", places=4)
steps = st.lists(
    st.builds(Step, from_s=st.integers(0, 300), price=prices, step_s=st.none() | st.integers(1, 90)),
    max_size=3,
    unique_by=lambda step: step.from_s,
).map(tuple)


def _bands(evening: Any) -> tuple[Band, ...]:
    """The evening begins at 19:00, 90 seconds after the call is asked for; the morning is far away."""
    days = frozenset(range(1, 8))
    late = Band(days, True, 19 * 60, 19 * 60 + 2, evening[0], evening[1])
    return late, Band(days, True, 19 * 60 + 2, 8 * 60, evening[2])


bands = st.tuples(prices, steps, prices).map(_bands)
rates = st.builds(
    Rate,
    price=prices,
    connect_fee=prices,
    first_s=st.none() | st.integers(1, 90),
    step_s=st.integers(1, 90),
    grace_s=st.sampled_from([0, 0, 3]),
    free_s=st.sampled_from([0, 0, 20]),
    min_charge=st.sampled_from([Decimal(0), Decimal("0.5")]),
    decimals=st.integers(0, 6),
    rounding=st.sampled_from(["half_up", "half_even", "up", "down"]),
    band_rule=st.sampled_from(["split", "at_start"]),
    steps=steps,
    bands=st.just(()) | bands,
)


@given(rate=rates, waits_s=st.integers(0, 180), lasts_s=st.integers(1, LONGEST_S))
def test_the_dearest_rate_is_never_too_low_and_exact_where_it_says_so(rate: Rate, waits_s: int, lasts_s: int) -> None:
    plain, exact = dearest(rate, LONGEST_S, ASKED, ASKED + ANSWERED_WITHIN)
    assert not plain.bands
    real = price(rate, lasts_s, ASKED + timedelta(seconds=waits_s)).amount
    held = price(plain, lasts_s, ASKED).amount
    assert held == real if exact else held >= real


def _tier(rate: Rate, wallet: UUID, counter: UUID | None, tax: Tax | None, prepaid: bool) -> TierTerms:
    nobody = uuid4()
    held = (Priced(ASKED, uuid4().int % 10**12, rate),)
    return TierTerms(nobody, nobody, nobody, wallet, counter, prepaid, nobody, "EUR", "44", "there", tax, held)


def _need(curve: Curve, seconds: int) -> Decimal:
    at = next(place for place, upto in enumerate(curve.seconds) if upto >= seconds)
    return Decimal(curve.micros[at]).scaleb(-6)


taxes = st.none() | st.builds(Tax, rate=st.sampled_from([Decimal(19), Decimal("7.7")]), included=st.booleans())


@given(
    sale=rates,
    buy=rates,
    tax=taxes,
    buy_tax=taxes,
    waits_s=st.integers(0, 180),
    lasts_s=st.integers(1, LONGEST_S),
    allowed_s=st.integers(1, LONGEST_S),
)
def test_a_seller_in_distribution_holds_what_its_price_may_exceed_its_income(
    sale: Rate, buy: Rate, tax: Tax | None, buy_tax: Tax | None, waits_s: int, lasts_s: int, allowed_s: int
) -> None:
    """Whenever it ends within what was allowed, what was set aside at both wallets covers what is charged."""
    lasts_s = min(lasts_s, allowed_s)
    customers, sellers = uuid4(), uuid4()
    tiers = [_tier(sale, customers, sellers, tax, True), _tier(buy, sellers, None, buy_tax, True)]
    answered = ASKED + timedelta(seconds=waits_s)
    paid, taxed = split_tax(price(sale, lasts_s, answered).amount, tax, True)
    bought = sum(split_tax(price(buy, lasts_s, answered).amount, buy_tax, True))
    for mine, theirs in (curves(tiers, LONGEST_S, ASKED), curves_answered(tiers, LONGEST_S, answered)):
        assert _need(mine, allowed_s) >= paid + taxed
        assert _need(theirs, allowed_s) >= bought - paid


@given(rate=rates.filter(lambda one: not one.bands), longest_s=st.integers(1, 3600))
def test_a_curve_rises_and_ends_with_what_was_asked_for(rate: Rate, longest_s: int) -> None:
    (curve,) = curves([_tier(rate, uuid4(), None, None, False)], longest_s, ASKED)
    assert curve.seconds[-1] == longest_s
    assert curve.micros[-1] == int(price(rate, longest_s, ASKED).amount * 1_000_000)
    assert len(curve.seconds) <= 121
    assert np.all(np.diff(curve.seconds) > 0)
    assert np.all(np.diff(curve.micros) >= 0)
