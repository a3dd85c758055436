"""Periods of recurring charges: months, quarters and years of days, by the calendar or from a day of one's own.

All is reckoned in local days of the brand's zone, so a clock change makes no day longer or dearer.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

MONTHS = {"month": 1, "quarter": 3, "year": 12}
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """Days from `start` to `end`, which is no part of it any more."""

    start: date
    end: date

    @property
    def days(self) -> int:
        return (self.end - self.start).days

    def holds(self, day: date) -> bool:
        return self.start <= day < self.end


def day_in(moment: datetime, time_zone: str) -> date:
    """The local day of an aware moment."""
    return moment.astimezone(ZoneInfo(time_zone)).date()


def add_months(day: date, months: int) -> date:
    """The same day so many months on; the month's last day where it has no such day (31 January: 28 February)."""
    at = day.year * 12 + day.month - 1 + months
    year, month = at // 12, at % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def period_of(day: date, every: str, anchor: date | None = None) -> Period:
    """The period that a day lies in. `every` is month, quarter or year; without an anchor they are the calendar's.

    With one they begin on its day: an anchor of 31 January has periods from 31 January, 28 February, 31 March.
    """
    step = MONTHS[every]
    base = anchor or date(2000, 1, 1)
    steps = ((day.year - base.year) * 12 + day.month - base.month) // step
    start = add_months(base, steps * step)
    while start > day:
        steps -= 1
        start = add_months(base, steps * step)
    while add_months(base, (steps + 1) * step) <= day:
        steps += 1
        start = add_months(base, steps * step)
    return Period(start, add_months(base, (steps + 1) * step))


def period_after(period: Period, every: str, anchor: date | None = None) -> Period:
    return period_of(period.end, every, anchor)
