"""What is to be charged and given back: the days as they should be, held against the days as they were charged.

Nothing is remembered about changes: each pass compares the two day by day. So a pass after a pass finds nothing, one
after a week of downtime finds all, and a price, quantity, product or end that is changed in the middle of a paid
period gives back exactly the days that were paid otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from invoicing.charges.periods import ONE_DAY, Period


@dataclass(frozen=True, slots=True)
class Terms:
    """What one day is charged by: so many of a product, each at a price for the whole period."""

    product: UUID | None
    quantity: int
    unit_price: Decimal

    @property
    def amount(self) -> Decimal:
        """Of a whole period."""
        return self.unit_price * self.quantity


@dataclass(frozen=True, slots=True)
class Stretch:
    """Days of one period on the same terms, from `start` to before `end`."""

    start: date
    end: date
    terms: Terms


@dataclass(frozen=True, slots=True)
class Charged:
    """A stretch that was charged already, less what of it was given back since."""

    key: UUID
    stretch: Stretch
    given_back: Sequence[tuple[date, date]] = ()

    def days(self) -> Iterator[date]:
        for day in days_of(self.stretch.start, self.stretch.end):
            if not any(start <= day < end for start, end in self.given_back):
                yield day


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to be posted: a stretch to be charged, or (`gives_back`) days of a charged one to be given back."""

    stretch: Stretch
    gives_back: UUID | None = None


def days_of(start: date, end: date) -> Iterator[date]:
    day = start
    while day < end:
        yield day
        day += ONE_DAY


def items(period: Period, wanted: Iterable[Stretch], charged: Iterable[Charged]) -> list[Item]:
    """What leads from the charged days to the wanted ones; give-backs first, each by its days."""
    should = {day: one.terms for one in wanted for day in days_of(one.start, one.end) if period.holds(day)}
    back: list[Item] = []
    holds: dict[date, Terms] = {}
    for one in charged:
        wrong = []
        for day in one.days():
            if should.get(day) != one.stretch.terms or day in holds:
                wrong.append(day)
            else:
                holds[day] = one.stretch.terms
        back += [Item(Stretch(start, end, one.stretch.terms), one.key) for start, end in _runs(wrong)]
    missing = [day for day in sorted(should) if day not in holds]
    fresh = [
        Item(Stretch(start, end, should[start]))
        for terms in dict.fromkeys(should[day] for day in missing)
        for start, end in _runs([day for day in missing if should[day] == terms])
    ]
    return sorted(back, key=_by_days) + sorted(fresh, key=_by_days)


def _by_days(item: Item) -> tuple[date, date]:
    return item.stretch.start, item.stretch.end


def _runs(days: Sequence[date]) -> Iterator[tuple[date, date]]:
    """Days in order, as stretches without a gap."""
    start = last = None
    for day in days:
        if start is None or last is None or day != last + ONE_DAY:
            if start is not None and last is not None:
                yield start, last + ONE_DAY
            start = day
        last = day
    if start is not None and last is not None:
        yield start, last + ONE_DAY
