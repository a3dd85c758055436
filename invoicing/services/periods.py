"""Billing months: from when to when they run in a brand's zone, and whether they are over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.translation import gettext as _

from tiers.errors import Conflict, Invalid
from tiers.models import Brand, Party


@dataclass(frozen=True, slots=True)
class Month:
    """A calendar month: `start` and `end` (exclusive) are moments, `first` and `last` its days."""

    first: date
    last: date
    start: datetime
    end: datetime


def parse_month(text: str) -> date:
    """The first day of "2026-10". Raises Invalid."""
    try:
        return datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC).date()
    except ValueError:
        raise Invalid(
            "period", _("%s is not a month.") % text, where="period", hint=_("Write it as 2026-10.")
        ) from None


def next_month(month: date) -> date:
    return (month.replace(day=1) + timedelta(days=32)).replace(day=1)


def month_before(month: date, months: int = 1) -> date:
    """The first of the month so many months earlier."""
    at = month.year * 12 + month.month - 1 - months
    return date(at // 12, at % 12 + 1, 1)


def month_in(month: date, time_zone: str) -> Month:
    """The month as it runs in a zone. A midnight that a clock change skips begins when the clock does."""
    zone, first, after = ZoneInfo(time_zone), month.replace(day=1), next_month(month)
    start, end = (datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC) for day in (first, after))
    return Month(first, after - timedelta(days=1), start, end)


def today_in(time_zone: str) -> date:
    return timezone.now().astimezone(ZoneInfo(time_zone)).date()


def require_over(seller: Party, month: date) -> None:
    """Refuse a month that still runs under one of the seller's brands. Raises Conflict("period_running")."""
    now = timezone.now()
    for brand in Brand.objects.filter(owner=seller).order_by("code"):
        if month_in(month, brand.time_zone).end > now:
            raise Conflict(
                "period_running",
                _("%(month)s is not over yet for %(brand)s (%(zone)s).")
                % {"month": f"{month:%Y-%m}", "brand": brand.name, "zone": brand.time_zone},
                where="period",
                hint=_("Wait for its end, or say --early to bill what there is."),
            )
