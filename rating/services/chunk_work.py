"""One chunk, one transaction: claim the keys, write what is new, post the charges, mark the chunk done."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.services.transactions import in_transaction
from rating.models import ChunkStatus, Quarantined, RecordStatus, UsageChunk, UsageImport
from rating.pricing import Engine
from rating.services.keys import claim_keys, taken
from rating.services.leases import Lease
from rating.services.posting import Poster, free, make_partitions, rated, write_records
from rating.services.sorting import Keyed, Sorted, Sorter
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
    """The chunk's lines, sorted out."""

    records: list[Sorted] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)
    duplicates: int = 0

    def repeat(self, record: Keyed | Sorted, content: bytes) -> None:
        """A key that was taken before, by a record of this content: a duplicate, or a conflict for the quarantine."""
        if record.content == content:
            self.duplicates += 1
            return
        reason = _("The call %s came before with other figures.") % (record.row.call_id or record.key.hex())
        self.bad.append(bad_row(record.row.line, record.row.text, "call_id", "conflict", reason))

    def counts(self) -> dict[str, int]:
        by_status = Counter(record.status for record in self.records)
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
        claimed = _claim_keys(chunked, usage_import.source_id)
        _write_quarantine(claimed.bad, usage_import)
        write_records(claimed.records, usage_import.source_id, usage_import.pk)
        counts = claimed.counts()
        _finish(chunk, counts)
        poster = Poster(engine, chunk.pk.hex)
        for record in rated(claimed.records):
            assert record.priced is not None
            poster.add(record, record.priced)
        for record in free(claimed.records):
            poster.free(record)
        poster.write(Actor(f"import of {usage_import.name}"[:254], usage_import.actor_id))
        return counts

    return in_transaction(write, lock_timeout_ms=20_000)


def _read(lease: Lease, usage_import: UsageImport, engine: Engine) -> Chunked:
    """The chunk's records, priced. What was taken before is told apart first: a file that comes again costs little."""
    sorter, chunked = Sorter(usage_import.source, engine), Chunked()
    keyed = _keyed(lease.chunk, usage_import, sorter, chunked)
    before = taken(usage_import.source_id, [record.key for record in keyed])
    for position, record in enumerate(keyed):
        if position % 500 == 0:
            lease.renew()
        if record.key in before:
            chunked.repeat(record, before[record.key].content)
            continue
        made = sorter.sort(record)
        if isinstance(made, BadRow):
            chunked.bad.append(made)
        else:
            chunked.records.append(made)
    return chunked


def _keyed(row: UsageChunk, usage_import: UsageImport, sorter: Sorter, chunked: Chunked) -> list[Keyed]:
    chunk = Chunk(row.index, row.byte_from, row.byte_to, row.first_line, row.lines)
    occurrences = Occurrences({bytes.fromhex(content): times for content, times in row.repeats.items()})
    keyed = []
    for line in open_import(usage_import).rows(chunk):
        made = line if isinstance(line, BadRow) else sorter.keyed(line, occurrences)
        if isinstance(made, BadRow):
            chunked.bad.append(made)
        else:
            keyed.append(made)
    return keyed


def _claim_keys(chunked: Chunked, source: UUID) -> Chunked:
    """Those of the chunk's records that nobody took before; the others are repeats. Here it is decided for good.

    Leaves `chunked` as it is: the transaction may be tried again.
    """
    first: dict[bytes, Sorted] = {}
    for record in chunked.records:
        first.setdefault(record.key, record)
    claimed = Chunked(bad=list(chunked.bad), duplicates=chunked.duplicates)
    if claim_keys(source, first.values()) == len(chunked.records):
        claimed.records = chunked.records
        return claimed
    holders = taken(source, first)
    for record in chunked.records:
        holder = holders[record.key]
        if holder.record_id == record.id:
            claimed.records.append(record)
        else:
            claimed.repeat(record, holder.content)
    return claimed


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
