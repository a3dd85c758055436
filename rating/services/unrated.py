"""Calls that had no price when they came: kept, and charged when a rate comes that was in force at their answer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from uuid import UUID

import numpy as np
from django.db import connection
from django.db.models import QuerySet

from accounts.services.transactions import in_transaction
from rating.models import RecordStatus, Source, UsageRecord
from rating.pricing import Engine
from rating.pricing.current import current_engine
from rating.services import records
from rating.services.binary import digests
from rating.services.copying import uuid_array
from rating.services.posting import Poster
from rating.services.sorting import STATUSES, UNRATED, Sorted, Sorter
from rating.usage.record import UsageRow
from tiers.ids import uuid7
from tiers.viewer import SYSTEM, Actor

BATCH = 10_000


def rate_waiting(actor: Actor = SYSTEM, among: QuerySet[UsageRecord] | None = None) -> int:
    """Try every unrated call again (or those `among` some), in batches; how many were charged.

    Safe to run at any time, by any number.
    """
    engine, total, after = current_engine(), 0, UUID(int=0)
    while True:
        last, charged = _batch(engine, after, actor, among)
        total += charged
        if last is None:
            return total
        after = last


def _batch(engine: Engine, after: UUID, actor: Actor, among: QuerySet[UsageRecord] | None) -> tuple[UUID | None, int]:
    def work() -> tuple[UUID | None, int]:
        rows = UsageRecord.objects.all() if among is None else among
        waiting = rows.select_for_update(skip_locked=True).filter(status=RecordStatus.UNRATED, id__gt=after)
        found = list(waiting.order_by("id")[:BATCH])
        charged = sum(_charge(engine, made, actor) for made in sorted_again(engine, found))
        return (found[-1].pk if found else None), charged

    return in_transaction(work, lock_timeout_ms=20_000)


def _charge(engine: Engine, made: Sorted, actor: Actor) -> int:
    """Those that have a price now: rated, or free by it. How many."""
    now = np.flatnonzero(made.status != UNRATED)
    for status in np.unique(made.status[now]).tolist():
        ids = uuid_array(UUID(bytes=one.tobytes()) for one in made.ids[made.status == status])
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE rating_usagerecord SET status = %s, reason = '' WHERE id = ANY(%s::uuid[])",
                [STATUSES[status].value, ids],
            )
    if len(now):
        Poster(engine).lay_out(made, uuid7().hex).write(actor)
    return len(now)


def sorted_again(engine: Engine, kept: Iterable[UsageRecord]) -> Iterator[Sorted]:
    """Kept records as they would be sorted now, by source, under their own ids."""
    by_source: dict[UUID, list[UsageRecord]] = defaultdict(list)
    for record in kept:
        by_source[record.source_id].append(record)
    sources = Source.objects.select_related("owner").in_bulk(by_source)
    for pk, some in by_source.items():
        yield _sorted(Sorter(sources[pk], engine), some)


def _sorted(sorter: Sorter, kept: Sequence[UsageRecord]) -> Sorted:
    return sorter.again(
        records.of_rows([_as_row(record) for record in kept]),
        [record.customer_id for record in kept],
        [record.carrier_id for record in kept],
        digests([record.pk.bytes for record in kept]),
    )


def _as_row(record: UsageRecord) -> UsageRow:
    return UsageRow(
        line=record.line or 0,
        text="",
        call_id=record.call_id or None,
        leg="",
        account=record.account,
        caller=record.caller,
        callee=record.callee,
        started_at=record.started_at,
        answered_at=record.answered_at,
        duration_s=record.charged_s,
        answered=record.answered_at is not None,
        carrier="",
        src_ip=record.src_ip,
        src_port=record.src_port,
        user_agent=record.user_agent,
        reference=record.reference,
        direction=record.direction,
    )
