"""Calls that had no price when they came: kept, and charged when a rate comes that was in force at their answer."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from accounts.services.transactions import in_transaction
from rating.models import RecordStatus, Source, UsageRecord
from rating.pricing import Engine
from rating.services.posting import Poster
from rating.services.sorting import Keyed, Sorted, Sorter
from rating.usage.record import UsageRow
from tiers.ids import uuid7
from tiers.viewer import SYSTEM, Actor

BATCH = 2000


def rate_waiting(actor: Actor = SYSTEM) -> int:
    """Try every unrated call again, in batches; how many were charged. Safe to run at any time, by any number."""
    engine, total, after = Engine(), 0, UUID(int=0)
    while True:
        last, charged = _batch(engine, after, actor)
        total += charged
        if last is None:
            return total
        after = last


def _batch(engine: Engine, after: UUID, actor: Actor) -> tuple[UUID | None, int]:
    def work() -> tuple[UUID | None, int]:
        waiting = UsageRecord.objects.select_for_update(skip_locked=True).filter(
            status=RecordStatus.UNRATED, id__gt=after
        )
        records = list(waiting.order_by("id")[:BATCH])
        if not records:
            return None, 0
        poster, charged = Poster(engine, uuid7().hex), 0
        for made in sorted_again(engine, records):
            if made.status == RecordStatus.UNRATED:
                continue
            if made.priced is not None:
                poster.add(made, made.priced)
            else:
                poster.free(made)
            UsageRecord.objects.filter(pk=made.id).update(status=made.status, reason="")
            charged += 1
        poster.write(actor)
        return records[-1].pk, charged

    return in_transaction(work, lock_timeout_ms=20_000)


def sorted_again(engine: Engine, records: Iterable[UsageRecord]) -> Iterable[Sorted]:
    """Kept records as they would be sorted now, under their own ids."""
    sorters: dict[UUID, Sorter] = {}
    sources = {source.pk: source for source in Source.objects.select_related("owner")}
    for record in records:
        if record.source_id not in sorters:
            sorters[record.source_id] = Sorter(sources[record.source_id], engine)
        sorter = sorters[record.source_id]
        made = sorter.sort(Keyed(_as_row(record), record.customer_id, record.carrier_id, b"", b""))
        if isinstance(made, Sorted):
            made.id = record.pk
            yield made


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
        duration_s=record.duration_s,
        answered=record.answered_at is not None,
        carrier="",
        src_ip=record.src_ip,
        src_port=record.src_port,
        user_agent=record.user_agent,
        reference=record.reference,
        direction=record.direction,
    )
