"""One chunk, one transaction: claim the keys, write what is new, post the charges, mark the chunk done."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.services.transactions import in_transaction
from rating.models import ChunkStatus, Quarantined, RecordStatus, UsageChunk, UsageImport
from rating.pricing import Engine
from rating.services.leases import Lease
from rating.services.posting import Poster, make_partitions, rated, write_records
from rating.services.sorting import Sorted, Sorter
from rating.usage.lines import Chunk
from rating.usage.occurrence import Occurrences
from rating.usage.reading import OpenUsage, open_usage
from rating.usage.record import BadRow, bad_row
from tiers.viewer import Actor

COUNTS = ("read", "rated", "unrated", "free", "duplicate", "quarantined", "waiting", "joined", "reconciled")
CLOCKS_ALLOWED = timedelta(days=2)
QUARANTINE_BATCH = 2000


@dataclass(slots=True)
class Chunked:
    """The chunk's lines, sorted out; `duplicates` is known once the keys are claimed."""

    records: list[Sorted] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)
    duplicates: int = 0

    def counts(self, fresh: list[Sorted]) -> dict[str, int]:
        by_status = Counter(record.status for record in fresh)
        counts = {
            "rated": by_status[RecordStatus.RATED],
            "unrated": by_status[RecordStatus.UNRATED],
            "free": by_status[RecordStatus.FREE],
            "duplicate": self.duplicates,
            "quarantined": len(self.bad),
        }
        return {"read": sum(counts.values()), **counts}


def open_import(usage_import: UsageImport) -> OpenUsage:
    """The stored file, understood. Raises UsageRefused."""
    return open_usage(
        f"{settings.MEDIA_ROOT}/{usage_import.path}",
        ZoneInfo(usage_import.source.time_zone),
        not_after=timezone.now() + CLOCKS_ALLOWED,
        format=usage_import.format,
        filename=usage_import.name,
    )


def work_chunk(lease: Lease, usage_import: UsageImport, engine: Engine) -> dict[str, int]:
    """Do the whole chunk and return its counts. Raises LeaseLost, with nothing written."""
    chunked = _read(lease, usage_import, engine)
    make_partitions(record.row.started_at for record in chunked.records)
    lease.renew(now=True)

    def write() -> dict[str, int]:
        chunk = lease.keep()
        fresh = _claim_keys(chunked, usage_import.source_id)
        _write_quarantine(chunked.bad, usage_import)
        write_records(fresh, usage_import.source_id, usage_import.pk)
        counts = chunked.counts(fresh)
        _finish(chunk, counts)
        poster = Poster(engine, chunk.pk.hex)
        for record in rated(fresh):
            assert record.priced is not None
            poster.add(record, record.priced)
        poster.write(Actor(f"import of {usage_import.name}"[:254], usage_import.actor_id))
        return counts

    return in_transaction(write, lock_timeout_ms=20_000)


def _read(lease: Lease, usage_import: UsageImport, engine: Engine) -> Chunked:
    row = lease.chunk
    chunk = Chunk(row.index, row.byte_from, row.byte_to, row.first_line, row.lines)
    before = {bytes.fromhex(content): times for content, times in row.repeats.items()}
    sorter = Sorter(usage_import.source, engine)
    chunked = Chunked()
    rows = open_import(usage_import).rows(chunk)
    for position, made in enumerate(sorter.sort(rows, Occurrences(before))):
        if position % 500 == 0:
            lease.renew()
        if isinstance(made, BadRow):
            chunked.bad.append(made)
        else:
            chunked.records.append(made)
    return chunked


def _claim_keys(chunked: Chunked, source: UUID) -> list[Sorted]:
    """Those of the chunk's records that nobody took before. Others are duplicates, or conflicts for the quarantine.

    Keys are claimed in key order, so that two workers with overlapping files wait for each other only one way.
    """
    first: dict[bytes, Sorted] = {}
    later: list[Sorted] = []
    for record in chunked.records:
        if record.key in first:
            later.append(record)
        else:
            first[record.key] = record
    keys = sorted(first)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO rating_recordkey (source_id, key, content, record_id)"
            " SELECT %s, * FROM unnest(%s::bytea[], %s::bytea[], %s::uuid[])"
            " ON CONFLICT DO NOTHING RETURNING key",
            [source, keys, [first[key].content for key in keys], [first[key].id for key in keys]],
        )
        claimed = {bytes(key) for (key,) in cursor.fetchall()}
        taken = [key for key in keys if key not in claimed]
        cursor.execute(
            "SELECT key, content FROM rating_recordkey WHERE source_id = %s AND key = ANY(%s)",
            [source, [*taken, *(record.key for record in later)]],
        )
        contents = {bytes(key): bytes(content) for key, content in cursor.fetchall()}
    fresh = [record for key, record in first.items() if key in claimed]
    for record in [*(first[key] for key in taken), *later]:
        _repeat(chunked, record, contents[record.key])
    return fresh


def _repeat(chunked: Chunked, record: Sorted, content: bytes) -> None:
    if record.content == content:
        chunked.duplicates += 1
        return
    reason = _("The call %s came before with other figures.") % (record.row.call_id or record.key.hex())
    chunked.bad.append(bad_row(record.row.line, record.row.text, "call_id", "conflict", reason))


def _write_quarantine(bad: list[BadRow], usage_import: UsageImport) -> None:
    Quarantined.objects.bulk_create(
        (
            Quarantined(
                usage_import=usage_import,
                line=row.line,
                field=row.field[:64],
                code=row.code[:64],
                reason=row.reason[:500],
                text=row.text,
            )
            for row in bad
        ),
        batch_size=QUARANTINE_BATCH,
    )


def _finish(chunk: UsageChunk, counts: dict[str, int]) -> None:
    chunk.status, chunk.lease, chunk.claimed_until, chunk.error = ChunkStatus.DONE, None, None, ""
    for name, value in counts.items():
        setattr(chunk, name, value)
    chunk.save(update_fields=["status", "lease", "claimed_until", "error", *counts])
