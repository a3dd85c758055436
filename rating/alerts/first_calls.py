"""The first call of a customer to a high-risk destination: the first in ninety days.

A destination is new where the facts of ninety days know no call to it. New ones are few, so only for them a number is
looked for, which says whether they lie in a range of the list. Calls that go on are looked at as they are asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from accounts.models import AlertEvent, AlertKind
from accounts.services.alert_rules import Applied
from accounts.services.alerts import raise_alarm
from rating.alerts.risk import PREMIUM, Range, Watched
from tiers.models import Party

HISTORY = timedelta(days=90)
LOOK_BACK_DAYS = 2
"""Whole days (UTC) before today whose calls still count as new; what is older is history."""
ENDS_AFTER = timedelta(days=1)

NEW_IN_FACTS = """
    SELECT f.buyer_id, f.destination, f.service_class, (
        SELECT r.number FROM rating_ratedcall r WHERE r.buyer_id = f.buyer_id AND r.id >= rating_id_floor(%(since)s)
            AND r.destination = f.destination AND r.service_class = f.service_class LIMIT 1)
    FROM (SELECT DISTINCT buyer_id, destination, service_class FROM rating_fact
        WHERE buyer_id = ANY(%(customers)s) AND grain IN ('loose', 'hour') AND hour >= %(since)s
            AND destination <> '' AND service_class <> 'on_net') f
    WHERE NOT EXISTS (SELECT 1 FROM rating_fact e WHERE e.buyer_id = f.buyer_id AND e.grain = 'day'
        AND e.hour >= %(from)s AND e.hour < %(since)s AND e.service_class = f.service_class
        AND (e.destination = f.destination OR f.service_class = 'premium'))
"""
NEW_LIVE = """
    SELECT DISTINCT ON (l.customer_id, l.destination, l.service_class)
        l.customer_id, l.destination, l.service_class, l.number
    FROM rating_livecall l
    WHERE l.id >= rating_id_floor(%(asked)s) AND l.status <> 'refused' AND l.customer_id = ANY(%(customers)s)
        AND l.number <> '' AND l.service_class NOT IN ('on_net', 'emergency', '')
        AND NOT EXISTS (SELECT 1 FROM rating_fact e WHERE e.buyer_id = l.customer_id AND e.grain = 'day'
            AND e.hour >= %(from)s AND e.hour < %(since)s AND e.service_class = l.service_class
            AND (e.destination = l.destination OR l.service_class = 'premium'))
"""


@dataclass(frozen=True, slots=True)
class FirstCall:
    """A customer's call where it never called of late; `number` in E.164 digits."""

    customer: UUID
    destination: str
    service_class: str
    number: str


def watch_first_calls(
    customers: dict[UUID, Party], rules: dict[UUID, list[Applied]], now: datetime, asked_since: datetime
) -> int:
    """Raise what calls of these customers ask for; how many alarms."""
    over = AlertEvent.objects.filter(kind=AlertKind.RISK, ended_at__isnull=True, opened_at__lte=now - ENDS_AFTER)
    over.update(ended_at=now)
    watched = [pk for pk in customers if any(one.kind == AlertKind.RISK for one in rules[pk])]
    if not watched:
        return 0
    risky, raised = Watched(), 0
    for call in _first_calls(watched, now, asked_since):
        found = risky.range_of(call.number, call.service_class)
        if found is None:
            continue
        for applied in rules[call.customer]:
            if applied.kind == AlertKind.RISK and not _told(applied, call, found, now):
                raised += _raise(applied, customers[call.customer], call, found, now)
    return raised


def _first_calls(customers: list[UUID], now: datetime, asked_since: datetime) -> Iterator[FirstCall]:
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    since = today - timedelta(days=LOOK_BACK_DAYS)
    arguments: dict[str, Any] = {"customers": customers, "since": since, "from": since - HISTORY, "asked": asked_since}
    for query in (NEW_LIVE, NEW_IN_FACTS):
        with connection.cursor() as cursor:
            cursor.execute(query, arguments)
            rows = cursor.fetchall()
        yield from (FirstCall(*row) for row in rows if row[3])


def _told(applied: Applied, call: FirstCall, found: Range, now: datetime) -> bool:
    """Was this range told of while the call was still new? (Then the facts know it, and it is new no more.)"""
    lately = now - timedelta(days=LOOK_BACK_DAYS + 2)
    told = AlertEvent.objects.filter(party=call.customer, owner=applied.owner, kind=AlertKind.RISK)
    return told.filter(occasion=_occasion(call, found), opened_at__gte=lately).exists()


def _occasion(call: FirstCall, found: Range) -> str:
    return PREMIUM if found.prefix == PREMIUM else f"{found.prefix} {call.destination}"[:80]


def _raise(applied: Applied, party: Party, call: FirstCall, found: Range, now: datetime) -> bool:
    figures = {
        "destination": call.destination or found.name,
        "range": f"+{found.prefix}" if found.prefix.isdigit() else found.prefix,
        "number": call.number,
        "start": now.isoformat(),
    }
    return raise_alarm(applied, party, figures, now=now, occasion=_occasion(call, found)) is not None
