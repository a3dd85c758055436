"""The watch over calls: every half minute, for those who were charged or called since the last look.

Who that is comes from two ends of indexes: the newest transfers, and the newest live calls. For them alone the last two
days of facts are read, by the hour. Looking twice at the same does no harm (an alarm is raised once), so each look goes
back some minutes further than the last one ended, for what was committed late.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection
from django.utils import timezone

from accounts.models import AlertEvent, AlertKind
from accounts.services.alert_rules import rules_for
from accounts.services.alerts import watch
from accounts.services.watching import nothing_left
from rating.alerts.first_calls import watch_first_calls
from rating.alerts.places import watch_places
from rating.alerts.spending import Buyer, watch_spending
from tiers.models import Kind, Party, Placement

LATE = timedelta(minutes=3)
"""How late what was made may be committed and still be seen."""
LONGEST_GAP = timedelta(days=1)
"""After a longer stop of the watch, what came before is not looked for."""
LOOK_BACK = timedelta(hours=50)
"""Which hours of a file that comes late are still news: today's, yesterday's, and yesterday whole in every zone."""
AT_ONCE = 500
KINDS = (
    AlertKind.SPEND_HOUR,
    AlertKind.SPEND_DAY,
    AlertKind.USUAL_HOUR,
    AlertKind.USUAL_DAY,
    AlertKind.RISK,
    AlertKind.PLACES,
)

CHARGED = """
    SELECT DISTINCT a.owner_id FROM (SELECT DISTINCT payer_id FROM accounts_transfer
        WHERE id >= rating_id_floor(%(since)s) AND kind IN ('usage', 'usage_tax')) t
    JOIN accounts_wallet w ON w.account_id = t.payer_id JOIN accounts_account a ON a.id = w.account_id
"""
CALLED = """
    SELECT DISTINCT customer_id FROM rating_livecall
    WHERE id >= rating_id_floor(%(since)s) AND customer_id IS NOT NULL AND status <> 'refused'
"""
SHORT = """
    SELECT DISTINCT blame FROM rating_livecall
    WHERE id >= rating_id_floor(%(since)s) AND status = 'refused' AND code = 'funds' AND blame IS NOT NULL
"""


def watch_calls(now: datetime | None = None) -> int:
    """Look at who called since the last time; how many alarms were raised. Any number may run it at once."""
    moment = now or timezone.now()
    with watch("calls", moment - LATE) as mark:
        if mark is None:
            return 0
        since = max(min(mark.upto, moment), moment - LONGEST_GAP) - LATE
        busy = sorted({*_asked(CHARGED, since), *_asked(CALLED, since)})
        _end_periods(moment)
        raised = 0
        for first in range(0, len(busy), AT_ONCE):
            raised += _watch(busy[first : first + AT_ONCE], moment, since)
        raised += nothing_left(_asked(SHORT, since), moment)
        mark.upto = moment
    return raised


def _watch(keys: list[UUID], now: datetime, since: datetime) -> int:
    parties = {party.pk: party for party in Party.objects.filter(pk__in=keys)}
    rules = rules_for(parties.values(), KINDS)
    start = (now - LOOK_BACK).astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    raised = watch_spending(_buyers(parties), rules, now, start)
    customers = {pk: party for pk, party in parties.items() if party.kind == Kind.CUSTOMER}
    raised += watch_places(customers, rules, now, start)
    return raised + watch_first_calls(customers, rules, now, since)


def _buyers(parties: dict[UUID, Party]) -> dict[UUID, Buyer]:
    rows = Placement.objects.filter(party__in=list(parties), valid_to__isnull=True)
    zones = dict(rows.values_list("party_id", "brand__time_zone"))
    return {pk: Buyer(party, ZoneInfo(zones.get(pk, "UTC"))) for pk, party in parties.items()}


def _asked(query: str, since: datetime) -> list[UUID]:
    with connection.cursor() as cursor:
        cursor.execute(query, {"since": since})
        return [row[0] for row in cursor.fetchall()]


def _end_periods(now: datetime) -> None:
    """An hour's or day's alarm ends with it."""
    periodic = (AlertKind.SPEND_HOUR, AlertKind.SPEND_DAY, AlertKind.USUAL_HOUR, AlertKind.USUAL_DAY)
    for event in AlertEvent.objects.filter(kind__in=periodic, ended_at__isnull=True):
        start = datetime.fromisoformat(event.figures["start"])
        last = event.figures.get("end")
        end = datetime.fromisoformat(last) if last else start + timedelta(days=1)
        if end <= now:
            AlertEvent.objects.filter(pk=event.pk).update(ended_at=now)
