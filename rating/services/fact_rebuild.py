"""Facts of a month made anew from its calls: for calls that were there before facts, or when the books differ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
from django.db import connection, transaction
from django.db.models import Q

from rating.checks import NOW
from rating.models import Fact, Grain, RatedCall, RecordStatus, UsageRecord
from rating.pricing.current import current_engine
from rating.selectors.calls import began_between, month_bounds
from rating.services.facts import COLUMNS, LOCK, fold, write_facts
from rating.services.posting import Poster
from rating.services.sorting import FREE
from rating.services.unrated import sorted_again

AT_A_TIME = 5000

CHARGED = f"""
INSERT INTO rating_fact ({COLUMNS})
SELECT date_trunc('hour', started_at, 'UTC'), seller_id, buyer_id, carrier_id, service_class, destination, currency,
    cost_currency, count(*), count(*), count(*), sum(duration_s), sum(billed_s),
    sum(sale) * 1000000, sum(tax) * 1000000, COALESCE(sum(cost), 0) * 1000000
FROM {NOW} now WHERE id >= rating_id_floor(%(start)s) AND id < rating_id_floor(%(end)s)
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
"""


def rebuild_facts(month: date) -> int:
    """Throw the facts of a UTC month away and make them again; how many rows there are by the hour.

    Whoever writes calls meanwhile waits at its facts until this is done, so that none is lost or counted twice.
    Calls that were not charged get the destination that today's prices name for their time.
    """
    start, end = month_bounds(month, UTC)
    engine = current_engine()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        cursor.execute("LOCK TABLE rating_fact IN SHARE ROW EXCLUSIVE MODE")
        cursor.execute("DELETE FROM rating_fact WHERE hour >= %s AND hour < %s", [start, end])
        cursor.execute(CHARGED, {"start": start, "end": end})
        poster = Poster(engine)
        for records in _free(began_between(start, end)):
            for made in sorted_again(engine, records):
                uncharged = replace(made, status=np.full_like(made.status, FREE))
                write_facts(poster.lay_out(uncharged, batch="").facts)
    fold()
    return Fact.objects.filter(grain=Grain.HOUR, hour__gte=start, hour__lt=end).count()


def months_of_calls() -> list[date]:
    """The UTC months from the first call to the last."""
    first = RatedCall.objects.order_by("id").values_list("started_at", flat=True).first()
    last = RatedCall.objects.order_by("-id").values_list("started_at", flat=True).first()
    if first is None or last is None:
        return []
    return list(_months(first.astimezone(UTC), last.astimezone(UTC)))


def _months(first: datetime, last: datetime) -> Iterator[date]:
    for at in range(first.year * 12 + first.month - 1, last.year * 12 + last.month):
        yield date(at // 12, at % 12 + 1, 1)


def _free(when: Q) -> Iterator[list[UsageRecord]]:
    """Records that were not charged, in bounded batches by id."""
    rows = UsageRecord.objects.filter(when, status=RecordStatus.FREE).order_by("id")
    found = list(rows[:AT_A_TIME])
    while found:
        yield found
        found = list(rows.filter(id__gt=found[-1].pk)[:AT_A_TIME])
