"""What buyers spent, hour by hour, and whether that is more than a rule says or than they usually spend.

Spend is what calls were charged, tax included, by the hour (UTC) in which they began; an hour belongs to the day in
which it begins, in the zone of the buyer's brand. Calls going on are not in it: their price is known when they end.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection

from accounts.figures import plain
from accounts.models import AlertKind
from accounts.services.alert_rules import Applied
from accounts.services.alerts import raise_alarm
from tiers.models import Party

HOUR = timedelta(hours=1)
WEEKS = 4
"""How many weeks back the usual is learned from: the same hour, or the same weekday, of each."""
MILLION = Decimal(1_000_000)

SPENT = """
    SELECT buyer_id, hour, currency, sum(sale_micro + tax_micro)::bigint FROM rating_fact
    WHERE buyer_id = ANY(%s) AND grain IN ('loose', 'hour') AND hour >= %s AND hour < %s GROUP BY 1, 2, 3
"""

Hours = dict[datetime, Decimal]


@dataclass(frozen=True, slots=True)
class Buyer:
    """Whose spend is looked at; `zone` cuts its days."""

    party: Party
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Period:
    """An hour or a day of a buyer, and what was spent in it."""

    start: datetime
    end: datetime
    spent: Decimal


def spent_by_hour(buyers: Sequence[UUID], start: datetime, end: datetime) -> dict[tuple[UUID, str], Hours]:
    """By (buyer, currency): what each hour from `start` to before `end` cost. Hours without calls are absent."""
    found: dict[tuple[UUID, str], Hours] = defaultdict(dict)
    with connection.cursor() as cursor:
        cursor.execute(SPENT, [list(buyers), start, end])
        for buyer, hour, currency, micro in cursor.fetchall():
            found[buyer, currency][hour] = Decimal(micro) / MILLION
    return dict(found)


def watch_spending(buyers: dict[UUID, Buyer], rules: dict[UUID, list[Applied]], now: datetime, since: datetime) -> int:
    """Raise what these buyers' hours and days since a moment ask for; how many alarms."""
    kinds = (AlertKind.SPEND_HOUR, AlertKind.SPEND_DAY, AlertKind.USUAL_HOUR, AlertKind.USUAL_DAY)
    watched = [pk for pk in buyers if any(one.kind in kinds for one in rules[pk])]
    if not watched:
        return 0
    spent = spent_by_hour(watched, since, now + HOUR)
    raised = 0
    for (pk, currency), hours in spent.items():
        for applied in rules[pk]:
            if applied.kind in kinds and applied.terms.currency == currency:
                raised += _watch_one(buyers[pk], applied, hours, now)
    return raised


def _watch_one(buyer: Buyer, applied: Applied, hours: Hours, now: datetime) -> int:
    by_hour = applied.kind in (AlertKind.SPEND_HOUR, AlertKind.USUAL_HOUR)
    raised = 0
    for period in by_hours(hours) if by_hour else by_days(hours, buyer.zone):
        figures = _too_much(buyer, applied, period, by_hour=by_hour)
        if figures is None:
            continue
        occasion = f"{period.start.astimezone(UTC):%Y-%m-%dT%H:%MZ} {applied.terms.currency}"
        event = raise_alarm(applied, buyer.party, figures, now=now, occasion=occasion, over=period.end <= now)
        raised += event is not None
    return raised


def by_hours(hours: Hours) -> Iterator[Period]:
    """Each hour as a period of its own."""
    for start, spent in sorted(hours.items()):
        yield Period(start, start + HOUR, spent)


def by_days(hours: Hours, zone: ZoneInfo) -> Iterator[Period]:
    """The days that the hours begin in, by the zone."""
    days: dict[date, Decimal] = defaultdict(Decimal)
    for start, spent in hours.items():
        days[start.astimezone(zone).date()] += spent
    for day, spent in sorted(days.items()):
        yield Period(_midnight(day, zone), _midnight(day + timedelta(days=1), zone), spent)


def _too_much(buyer: Buyer, applied: Applied, period: Period, *, by_hour: bool) -> dict[str, Any] | None:
    """The figures of an alarm, exact; None where the period is as it should be."""
    terms = applied.terms
    assert terms.threshold is not None
    if period.spent <= terms.threshold:
        return None
    figures = {
        "currency": terms.currency,
        "spent": plain(period.spent),
        "limit": plain(terms.threshold),
        "start": period.start.isoformat(),
        "end": period.end.isoformat() if by_hour else None,
    }
    if applied.kind in (AlertKind.SPEND_HOUR, AlertKind.SPEND_DAY):
        return figures
    assert terms.factor is not None
    usual = usual_spend(buyer, period, terms.currency, by_hour=by_hour)
    limit = max(terms.threshold, usual * terms.factor)
    if period.spent <= limit:
        return None
    times = (period.spent / usual).quantize(Decimal("0.1")) if usual else Decimal(0)
    return figures | {
        "limit": plain(limit),
        "usual": plain(usual),
        "factor": plain(terms.factor),
        "times": plain(times),
    }


def usual_spend(buyer: Buyer, period: Period, currency: str, *, by_hour: bool) -> Decimal:
    """The median of what was spent in the same hour, or on the same weekday, of the four weeks before.

    Four figures: the mean of the middle two. A week without calls counts as 0, so a new customer's usual is 0.
    """
    found = []
    for week in range(1, WEEKS + 1):
        start, end = week_before(period, week, buyer.zone, by_hour=by_hour)
        hours = spent_by_hour([buyer.party.pk], start, end).get((buyer.party.pk, currency), {})
        found.append(sum(hours.values(), Decimal(0)))
    found.sort()
    return (found[WEEKS // 2 - 1] + found[WEEKS // 2]) / 2


def week_before(period: Period, week: int, zone: ZoneInfo, *, by_hour: bool) -> tuple[datetime, datetime]:
    """(start, end) of the same local hour or day so many weeks earlier."""
    local = period.start.astimezone(zone)
    day = local.date() - timedelta(weeks=week)
    if not by_hour:
        return _midnight(day, zone), _midnight(day + timedelta(days=1), zone)
    start = datetime.combine(day, local.time(), zone).astimezone(UTC)
    return start, start + HOUR


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)
