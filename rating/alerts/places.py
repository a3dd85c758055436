"""Calls of one customer in many places: to many countries, or from many addresses, within an hour.

The last sixty minutes are looked at as they go by, live calls and records alike. Calls that a file brings later are
looked at by the hour of the clock, and by country only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db import connection

from accounts.models import AlertEvent, AlertKind
from accounts.services.alert_rules import Applied, Terms, rules_for
from accounts.services.alerts import raise_alarm
from rating.numbers.countries import calling_code
from rating.numbers.names import region_code
from tiers.models import Party

WITHIN = timedelta(hours=1)
MOST_KEPT = 100
"""Countries and addresses kept in an alarm."""

# The first six digits tell the country; one number stands for all that begin alike.
CALLS = """
    SELECT customer_id, min(number), host(src_ip) FROM (
        SELECT customer_id, number, src_ip FROM rating_livecall
        WHERE customer_id = ANY(%(customers)s) AND id >= rating_id_floor(%(start)s) AND id < rating_id_floor(%(end)s)
            AND status <> 'refused' AND service_class NOT IN ('on_net', 'emergency', '')
        UNION ALL
        SELECT customer_id, number, src_ip FROM rating_usagerecord
        WHERE customer_id = ANY(%(customers)s) AND id >= rating_id_floor(%(start)s) AND id < rating_id_floor(%(end)s)
            AND direction = 'out' AND service_class NOT IN ('on_net', 'emergency', '')
    ) calls GROUP BY customer_id, left(number, 6), src_ip
"""
BUSY_HOURS = """
    SELECT buyer_id, hour, count(DISTINCT destination) FROM rating_fact
    WHERE buyer_id = ANY(%s) AND grain IN ('loose', 'hour') AND hour >= %s AND hour < %s GROUP BY 1, 2
"""


@dataclass(slots=True)
class Places:
    """Where calls of a time went and came from. Countries by region code, or "+881" where there is none."""

    countries: set[str] = field(default_factory=set)
    addresses: set[str] = field(default_factory=set)

    def too_many(self, terms: Terms) -> str:
        """ "countries", "addresses", or nothing."""
        if terms.most_countries is not None and len(self.countries) > terms.most_countries:
            return "countries"
        if terms.most_addresses is not None and len(self.addresses) > terms.most_addresses:
            return "addresses"
        return ""


def places_of(customers: Sequence[UUID], start: datetime, end: datetime) -> dict[UUID, Places]:
    """By customer: the places of its calls that began from `start` to before `end`."""
    found: dict[UUID, Places] = defaultdict(Places)
    with connection.cursor() as cursor:
        cursor.execute(CALLS, {"customers": list(customers), "start": start, "end": end})
        for customer, number, address in cursor.fetchall():
            places = found[customer]
            if number:
                places.countries.add(region_code(number) or f"+{calling_code(number) or number[:3]}")
            if address:
                places.addresses.add(address)
    return dict(found)


def watch_places(customers: dict[UUID, Party], rules: dict[UUID, list[Applied]], now: datetime, since: datetime) -> int:
    """End what is over; raise what the last hour, and hours that files brought, ask for; how many alarms."""
    _end_old(now)
    watched = {pk: [one for one in rules[pk] if one.kind == AlertKind.PLACES] for pk in customers}
    watched = {pk: found for pk, found in watched.items() if found}
    if not watched:
        return 0
    raised = 0
    for pk, places in places_of(list(watched), now - WITHIN, now + WITHIN).items():
        for applied in watched[pk]:
            raised += _raise(applied, customers[pk], places, now, now - WITHIN)
    return raised + _watch_files(customers, watched, now, since)


def _watch_files(
    customers: dict[UUID, Party], watched: dict[UUID, list[Applied]], now: datetime, since: datetime
) -> int:
    """Whole hours before the last one: only those whose destinations could be too many are read call by call."""
    least = min((one.terms.most_countries or 10**6 for found in watched.values() for one in found), default=10**6)
    with connection.cursor() as cursor:
        cursor.execute(BUSY_HOURS + " HAVING count(DISTINCT destination) > %s", [list(watched), since, now, least])
        busy = [(pk, hour) for pk, hour, _count in cursor.fetchall() if hour + 2 * WITHIN <= now]
    raised = 0
    for pk, hour in busy:
        places = Places(places_of([pk], hour, hour + WITHIN).get(pk, Places()).countries)
        for applied in watched[pk]:
            if not _told(applied, pk, hour):
                raised += _raise(applied, customers[pk], places, now, hour, over=True)
    return raised


def _raise(
    applied: Applied, party: Party, places: Places, now: datetime, start: datetime, *, over: bool = False
) -> bool:
    why = places.too_many(applied.terms)
    if not why:
        return False
    figures = {
        "countries": sorted(places.countries)[:MOST_KEPT],
        "addresses": sorted(places.addresses)[:MOST_KEPT],
        "by_address": why == "addresses",
        "start": start.isoformat(),
        "end": (start + WITHIN).isoformat(),
    }
    occasion = f"{start.astimezone(UTC):%Y-%m-%dT%H:%MZ}" if over else ""
    return raise_alarm(applied, party, figures, now=now, occasion=occasion, over=over) is not None


def _told(applied: Applied, party: UUID, hour: datetime) -> bool:
    """Was this hour told of while it went by?"""
    told = AlertEvent.objects.filter(party=party, owner=applied.owner, kind=AlertKind.PLACES)
    return told.filter(opened_at__gte=hour, opened_at__lt=hour + 2 * WITHIN).exists()


def _end_old(now: datetime) -> None:
    """An alarm about the last hour ends, an hour after it at the earliest, when the last hour is within its rule."""
    rows = AlertEvent.objects.filter(kind=AlertKind.PLACES, ended_at__isnull=True, opened_at__lte=now - WITHIN)
    standing = list(rows.select_related("party"))
    if not standing:
        return
    rules = rules_for({event.party for event in standing}, [AlertKind.PLACES])
    found = places_of([event.party_id for event in standing], now - WITHIN, now + WITHIN)
    for event in standing:
        places = found.get(event.party_id, Places())
        still = [one for one in rules[event.party_id] if one.owner == event.owner and places.too_many(one.terms)]
        if not still:
            AlertEvent.objects.filter(pk=event.pk, ended_at__isnull=True).update(ended_at=now)
