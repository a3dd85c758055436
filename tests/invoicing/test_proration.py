"""The parts of a period always sum to the whole, over zones, clock changes and leap years, however it is cut."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoicing.charges.periods import Period, add_months, day_in, period_after, period_of
from invoicing.charges.plan import Charged, Stretch, Terms, items
from invoicing.charges.proration import part, places_of

ZONES = (
    "UTC",
    "America/New_York",
    "Europe/Berlin",
    "Asia/Hong_Kong",
    "Pacific/Apia",
    "Africa/Cairo",
    "America/Sao_Paulo",
    "Australia/Lord_Howe",
    "Pacific/Kiritimati",
)
days = st.dates(date(1999, 1, 1), date(2045, 12, 31))
rhythms = st.sampled_from(["month", "quarter", "year"])
anchors = st.none() | days
amounts = st.decimals(min_value=0, max_value=10**7, places=4, allow_nan=False)
moments = st.integers(0, 40 * 366 * 86_400).map(lambda at: datetime(2000, 1, 1, tzinfo=UTC) + timedelta(seconds=at))
LINE, HOST = UUID(int=1), UUID(int=2)


@given(days, rhythms, anchors, amounts, st.sampled_from([0, 2, 3]), st.lists(st.integers(0, 366), max_size=8))
def test_the_parts_of_a_period_sum_to_the_whole(
    day: date, every: str, anchor: date | None, amount: Decimal, decimals: int, cuts: list[int]
) -> None:
    period = period_of(day, every, anchor)
    inside = sorted({min(cut, period.days) for cut in cuts} | {0, period.days})
    edges = [period.start + timedelta(days=cut) for cut in inside]
    places = places_of(amount, decimals)
    parts = [part(amount, period, start, end, places) for start, end in pairwise(edges)]
    assert sum(parts, Decimal(0)) == amount
    for share, (start, end) in zip(parts, pairwise(edges), strict=True):
        exact = amount * (end - start).days / period.days
        assert abs(share - exact) <= Decimal(1).scaleb(-places)
        assert share >= 0


@given(moments, moments, st.sampled_from(ZONES), rhythms, amounts)
def test_moments_cut_a_period_by_local_days(
    one: datetime, other: datetime, zone: str, every: str, amount: Decimal
) -> None:
    """From a start to an end in UTC: the local days between them, whatever the clocks did in between."""
    begin, end = sorted((day_in(one, zone), day_in(other, zone)))
    periods = [period_of(begin, every)]
    while periods[-1].end < end and len(periods) < 40:
        periods.append(period_after(periods[-1], every))
    whole = Decimal(0)
    for period in periods:
        start, until = max(begin, period.start), min(end, period.end)
        before = part(amount, period, period.start, start, 6)
        inside = part(amount, period, start, max(until, start), 6)
        after = part(amount, period, max(until, start), period.end, 6)
        assert before + inside + after == amount
        whole += before + inside + after
    assert whole == amount * len(periods)


@given(days, rhythms, anchors)
def test_every_day_lies_in_one_period_and_periods_join(day: date, every: str, anchor: date | None) -> None:
    period = period_of(day, every, anchor)
    assert period.holds(day)
    assert period_of(period.start, every, anchor) == period
    assert period_of(period.end - timedelta(days=1), every, anchor) == period
    assert period_after(period, every, anchor).start == period.end


@pytest.mark.parametrize(
    ("day", "every", "anchor", "start", "end"),
    [
        ("2028-02-29", "month", None, "2028-02-01", "2028-03-01"),
        ("2026-11-22", "quarter", None, "2026-10-01", "2027-01-01"),
        ("2026-11-22", "year", None, "2026-01-01", "2027-01-01"),
        ("2026-02-27", "month", "2026-01-31", "2026-01-31", "2026-02-28"),
        ("2026-02-28", "month", "2026-01-31", "2026-02-28", "2026-03-31"),
        ("2028-02-29", "year", "2024-02-29", "2028-02-29", "2029-02-28"),
        ("2026-03-14", "year", "2025-03-15", "2025-03-15", "2026-03-15"),
    ],
)
def test_periods_of_the_calendar_and_of_ones_own(
    day: str, every: str, anchor: str | None, start: str, end: str
) -> None:
    found = period_of(date.fromisoformat(day), every, date.fromisoformat(anchor) if anchor else None)
    assert (str(found.start), str(found.end)) == (start, end)


def test_months_of_different_length_and_the_hour_that_a_clock_change_skips() -> None:
    """30.00 a month: 16 days of November are 16.00, and half of March is as long with or without summer time."""
    november, march = period_of(date(2026, 11, 1), "month"), period_of(date(2026, 3, 1), "month")
    assert part(Decimal(30), november, date(2026, 11, 15), november.end, 2) == Decimal("16.00")
    assert part(Decimal(31), march, date(2026, 3, 29), date(2026, 3, 30), 2) == Decimal("1.00")
    berlin = ZoneInfo("Europe/Berlin")
    assert day_in(datetime(2026, 3, 28, 23, 30, tzinfo=UTC), "Europe/Berlin") == date(2026, 3, 29)
    assert datetime(2026, 3, 29, 23, 59, tzinfo=berlin).date() == date(2026, 3, 29)
    assert add_months(date(2026, 1, 31), 1) == date(2026, 2, 28)


edits = st.lists(
    st.tuples(st.integers(0, 31), st.integers(0, 31), st.sampled_from([LINE, HOST]), st.integers(1, 3), amounts),
    min_size=1,
    max_size=5,
)


@given(days, edits)
def test_whatever_is_changed_in_the_end_the_days_are_charged_as_they_should_be(
    day: date, changes: list[tuple[int, int, UUID, int, Decimal]]
) -> None:
    """Each edit says anew what the month should be; each pass gives back and charges, and a second finds nothing."""
    period = period_of(day, "month")
    charged: list[Charged] = []
    balance = Decimal(0)
    for first, last, product, quantity, price in changes:
        start, end = (period.start + timedelta(days=min(at, period.days)) for at in sorted((first, last)))
        terms = Terms(product, quantity, price)
        wanted = [Stretch(start, end, terms)] if start < end else []
        balance += _carry_out(period, wanted, charged)
        assert items(period, wanted, charged) == []
        assert balance == sum((_worth(period, one) for one in wanted), Decimal(0))


def _carry_out(period: Period, wanted: list[Stretch], charged: list[Charged]) -> Decimal:
    moved = Decimal(0)
    for item in items(period, wanted, charged):
        worth = _worth(period, item.stretch)
        if item.gives_back is None:
            charged.append(Charged(UUID(int=len(charged) + 1), item.stretch))
            moved += worth
            continue
        at = next(i for i, one in enumerate(charged) if one.key == item.gives_back)
        back = (*charged[at].given_back, (item.stretch.start, item.stretch.end))
        charged[at] = Charged(charged[at].key, charged[at].stretch, back)
        moved -= worth
    return moved


def _worth(period: Period, stretch: Stretch) -> Decimal:
    amount = stretch.terms.amount
    return part(amount, period, stretch.start, stretch.end, places_of(amount, 2))
