"""The sums of a bill: one rounding each, and wallet and paper meet to the cent, whatever the figures."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoicing.services import amounts

charges = st.decimals(min_value=0, max_value=10**9, places=6, allow_nan=False)
rates = st.decimals(min_value=0, max_value=Decimal("99.9999"), places=4, allow_nan=False)
places = st.sampled_from([0, 2, 3])


def nearest(value: Fraction, decimals: int) -> Decimal:
    """Half up by whole numbers, another way than the code's."""
    scale = 10**decimals
    return Decimal(int(value * scale * 2 + 1) // 2) / scale


@given(charges, rates, places)
def test_postpaid_without_tax(charged: Decimal, rate: Decimal, decimals: int) -> None:
    sums = amounts.postpaid(charged, rate, decimals, inclusive=False)
    exact = Fraction(charged) * Fraction(rate) / 100
    assert sums.tax == nearest(exact, decimals)
    assert sums.total == nearest(Fraction(charged) + exact, decimals)
    assert charged + sums.tax_due + sums.rounding == sums.total
    assert sums.net == charged
    assert abs(sums.rounding) <= amounts.unit(decimals)


@given(charges, rates, places)
def test_postpaid_with_tax_inside(gross: Decimal, rate: Decimal, decimals: int) -> None:
    sums = amounts.postpaid(gross, rate, decimals, inclusive=True)
    assert sums.tax == nearest(Fraction(gross) * Fraction(rate) / (100 + Fraction(rate)), decimals)
    assert sums.total == nearest(Fraction(gross), decimals)
    assert gross + sums.tax_due + sums.rounding == sums.total
    assert sums.net + sums.tax_exact == gross
    assert sums.tax_moved == sums.tax


@given(charges, charges, places)
def test_prepaid_pays_what_was_charged(net: Decimal, taxed: Decimal, decimals: int) -> None:
    sums = amounts.prepaid(net, taxed, decimals)
    assert net + taxed + sums.rounding == sums.total
    assert taxed + sums.tax_moved == sums.tax
    assert abs(sums.rounding) <= amounts.unit(decimals) / 2


@given(charges, charges, places, st.decimals(min_value=-5, max_value=Decimal("0.02"), places=6))
def test_rounding_never_takes_a_prepaid_wallet_below_zero(
    net: Decimal, taxed: Decimal, decimals: int, available: Decimal
) -> None:
    sums = amounts.prepaid(net, taxed, decimals, available=available)
    assert sums.rounding <= max(available, Decimal(0))
    assert net + taxed + sums.rounding == sums.total
    assert abs(sums.rounding) < amounts.unit(decimals)


@given(st.lists(charges, max_size=12), charges)
def test_shares_add_up(weights: list[Decimal], target: Decimal) -> None:
    shares = amounts.share_out(weights, target)
    assert sum(shares) == (target if weights else 0)
    assert all(share >= 0 for share in shares)


@given(st.lists(charges, min_size=1, max_size=12))
def test_shares_of_the_whole_are_the_weights(weights: list[Decimal]) -> None:
    assert amounts.share_out(weights, sum(weights, Decimal(0))) == weights


def test_the_two_roundings_may_differ_by_a_cent() -> None:
    sums = amounts.postpaid(Decimal("10.004"), Decimal("8.1"), 2, inclusive=False)
    assert (sums.tax, sums.total, sums.rounding) == (Decimal("0.81"), Decimal("10.81"), Decimal("-0.004"))


def test_tax_charged_while_the_wallet_was_prepaid_is_not_posted_again() -> None:
    sums = amounts.postpaid(Decimal("100"), Decimal(19), 2, inclusive=False, taxed=Decimal("7.600001"))
    assert (sums.tax, sums.total) == (Decimal("19.00"), Decimal("119.00"))
    assert Decimal(100) + Decimal("7.600001") + sums.tax_due + sums.rounding == sums.total


@pytest.mark.parametrize(
    ("total", "closing", "due"),
    [
        ("30", "-30", "30"),
        ("30", "-10", "10"),  # a credit of 20 was there
        ("30", "5", "0"),
        ("30", "-80", "30"),  # 50 are open on earlier invoices, and due there
    ],
)
def test_due_is_what_is_unpaid_of_this_one(total: str, closing: str, due: str) -> None:
    assert amounts.amount_due(Decimal(total), Decimal(closing)) == Decimal(due)


@pytest.mark.parametrize(
    ("amount", "decimals", "text"),
    [("1.250000", 2, "1.25"), ("1.2", 2, "1.20"), ("1000.123400", 2, "1000.1234"), ("5", 0, "5"), ("1200", 0, "1200")],
)
def test_exact_amounts_as_text(amount: str, decimals: int, text: str) -> None:
    assert amounts.plain_exact(Decimal(amount), decimals) == text


def test_half_a_cent_goes_up_never_to_the_even_one() -> None:
    without = amounts.postpaid(Decimal("2.50"), Decimal(1), 2, inclusive=False)
    assert (without.tax, without.total) == (Decimal("0.03"), Decimal("2.53"))
    inside = amounts.postpaid(Decimal("4.545"), Decimal(1), 2, inclusive=True)
    assert (inside.tax, inside.total) == (Decimal("0.05"), Decimal("4.55"))
    ahead = amounts.prepaid(Decimal("1.000"), Decimal("0.125"), 2)
    assert (ahead.tax, ahead.total) == (Decimal("0.13"), Decimal("1.13"))
