"""However a bill is given back in parts, the parts add up to it: net, tax and total, to the cent."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from invoicing.services.amounts import Sums, postpaid
from invoicing.services.credit_sums import Billed, Left, asked_amount, next_part, rest_of

MICRO = Decimal("0.000001")
nets = st.integers(1, 10**11).map(lambda n: n * MICRO)
rates = st.integers(0, 300_000).map(lambda n: Decimal(n) / 10_000)


def bill_of(net: Decimal, rate: Decimal, inclusive: bool, decimals: int) -> Billed:
    sums: Sums = postpaid(net, rate, decimals, inclusive=inclusive)
    return Billed(sums.net, sums.tax_exact, sums.tax, sums.total, decimals)


@given(nets, rates, st.booleans(), st.sampled_from([0, 2, 3]), st.lists(st.integers(1, 10**6), max_size=8))
def test_any_split_sums_to_the_whole(
    net: Decimal, rate: Decimal, inclusive: bool, decimals: int, cuts: list[int]
) -> None:
    bill = bill_of(net, rate, inclusive, decimals)
    ends = sorted({(bill.net * cut / 10**6).quantize(MICRO) for cut in cuts} | {bill.net})
    before, parts = Decimal(0), []
    for end in ends:
        parts.append(next_part(bill, before, end - before))
        before = end
    assert sum(part.net for part in parts) == bill.net
    assert sum(part.tax for part in parts) == bill.tax
    assert sum(part.total for part in parts) == bill.total
    assert all(part.tax >= 0 and part.total >= 0 for part in parts)


@given(nets, rates, st.sampled_from([0, 2]))
def test_a_part_is_taxed_at_the_bills_rate(net: Decimal, rate: Decimal, decimals: int) -> None:
    bill = bill_of(net, rate, False, decimals)
    half = (bill.net / 2).quantize(MICRO)
    part = next_part(bill, Decimal(0), half)
    unit = Decimal(1).scaleb(-decimals)
    assert abs(part.tax - half * rate / 100) <= unit
    assert abs(part.rounding) <= unit


@given(st.lists(st.integers(-(10**9), 10**9).map(lambda n: n * MICRO), min_size=1, max_size=6), st.integers(0, 100))
def test_what_is_left_is_given_back_whole(nets: list[Decimal], percent: int) -> None:
    """Also where a line that took something off was left standing: never more than the bill."""
    whole = sum(nets, Decimal(0))
    lines = [Left(i, net, net) for i, net in enumerate(nets)]
    if whole <= 0:
        return
    most = (whole * (100 - percent) / 100).quantize(MICRO)
    asked = rest_of(lines, most)
    assert sum(asked.values(), Decimal(0)) == most


def test_the_cents_that_people_see_are_the_rest() -> None:
    line = Left(1, Decimal("1.234567"), Decimal("1.234567"))
    assert asked_amount(line, Decimal("1.23"), 2) == Decimal("1.234567")
    assert asked_amount(line, Decimal("1.22"), 2) == Decimal("1.22")
    assert asked_amount(line, Decimal("1.24"), 2) is None
    assert asked_amount(line, Decimal("-1"), 2) is None
    taken = Left(2, Decimal("-3"), Decimal("-3"))
    assert asked_amount(taken, Decimal("-2"), 2) == Decimal("-2")
    assert asked_amount(taken, Decimal("2"), 2) is None
