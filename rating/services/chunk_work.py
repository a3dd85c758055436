"""One chunk, one transaction: claim the keys, write what is new, post the charges, mark the chunk done.

In two steps, so that one chunk can be made ready while another is being written: `Desk.prepare` reads, prices and lays
out all rows; `Ready.write` hands them to the database.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

import numpy as np
from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from accounts.services.transactions import in_transaction
from rating.batch.times import moment_of
from rating.models import ChunkStatus, Quarantined, UsageChunk, UsageImport
from rating.pricing import Engine
from rating.services import records
from rating.services.halves import Joined, Rejoined, foresee, join_halves
from rating.services.keys import Holder, Overtaken, claim, keys_of, taken
from rating.services.leases import Lease
from rating.services.posting import Batch, Poster, make_partitions, records_of, write_records
from rating.services.reconciling import LiveCalls, Telling, apart, is_live
from rating.services.sorting import FREE, RATED, UNRATED, Keyed, Sorted, Sorter
from rating.usage.halves import Half
from rating.usage.lines import Chunk
from rating.usage.reading import OpenUsage, open_usage
from rating.usage.record import BadRow, UsageRow, bad_row
from tiers.viewer import Actor

T = TypeVar("T")
log = logging.getLogger(__name__)
COUNTS = ("read", "rated", "unrated", "free", "duplicate", "quarantined", "waiting", "joined", "reconciled")
CLOCKS_ALLOWED = timedelta(days=2)
QUARANTINE_BATCH = 2000
LOOKS = 20
"""How often keys may be found taken by others at the last moment before the chunk is given back."""


def open_import(usage_import: UsageImport) -> OpenUsage:
    """The stored file, understood. Raises UsageRefused."""
    return open_usage(
        f"{settings.MEDIA_ROOT}/{usage_import.path}",
        ZoneInfo(usage_import.source.time_zone),
        not_after=timezone.now() + CLOCKS_ALLOWED,
        format=usage_import.format,
        filename=usage_import.name,
        mapping=usage_import.mapping,
    )


@dataclass(slots=True)
class Outcome:
    """What became of lines that are no new records."""

    bad: list[BadRow] = field(default_factory=list)
    duplicates: int = 0
    waiting: int = 0
    joined: int = 0

    def repeat(self, keyed: Keyed, row: int, content: bytes) -> None:
        """A key that was taken before, by a record of this content: a duplicate, or a conflict for the quarantine."""
        if keyed.contents[row] == content:
            self.duplicates += 1
            return
        line, call_id = keyed.records.frame["line"][row], keyed.records.frame["call_id"][row]
        reason = _("The call %s came before with other figures.") % (call_id or keyed.keys[row].hex())
        self.bad.append(bad_row(line, keyed.records.text(row), "call_id", "conflict", reason))

    def copy(self) -> Outcome:
        return Outcome(list(self.bad), self.duplicates, self.waiting, self.joined)


class Desk:
    """Where one worker makes chunks of one import ready."""

    def __init__(self, usage_import: UsageImport, engine: Engine) -> None:
        self.engine = engine
        self._import = usage_import
        self._usage = open_import(usage_import)
        self._sorter = Sorter(usage_import.source, engine)
        self._poster = Poster(engine)
        self._live = LiveCalls(usage_import.source_id)

    def prepare(self, lease: Lease) -> Ready:
        """Read, tell apart, price and lay out. What was taken before costs little: it is not priced."""
        read = self._usage.read(_chunk(lease.chunk))
        rows, halves = _of_kind(read.rest, UsageRow), _of_kind(read.rest, Half)
        foreseen = foresee(self._import.source_id, halves)
        outcome = Outcome(
            [*_of_kind(read.rest, BadRow), *foreseen.bad], foreseen.duplicates, foreseen.waiting, foreseen.joined
        )
        found = records.merged(read.clean, [*rows, *foreseen.rows], read.text)
        lease.check()
        found, calls = self._live.marked(found)
        keyed, strangers = self._sorter.keyed(found, _repeats(lease.chunk), is_live(found))
        outcome.bad += strangers
        keyed = _untaken(keyed, taken(self._import.source_id, keyed.keys), outcome)
        telling, keyed = apart(self._import, keyed, calls)
        lease.check()
        sorted_, bad = self._sorted(keyed)
        outcome.bad += bad
        lease.check()
        ready = Ready(self._import, lease, sorted_, outcome, self._poster, halves, foreseen, telling)
        ready.lay_out({})
        _make_room(sorted_)
        return ready

    def _sorted(self, keyed: Keyed) -> tuple[Sorted, list[BadRow]]:
        """All that can be priced. A record by which pricing breaks is set aside, so that it keeps no other out."""
        try:
            return self._sorter.sort(keyed)
        except DatabaseError:
            raise
        except Exception:
            log.exception("looking for the record that cannot be priced among %s", len(keyed))
            poison = self._poison(keyed, np.arange(len(keyed)))
            if not poison:
                raise
        rows = np.array([row for row in range(len(keyed)) if row not in poison], dtype=np.intp)
        sorted_, bad = self._sorter.sort(keyed.only(rows))
        return sorted_, [*bad, *(_not_priced(keyed, row, error) for row, error in poison.items())]

    def _poison(self, keyed: Keyed, rows: NDArray[np.intp]) -> dict[int, Exception]:
        """Those of the rows that break pricing by themselves, found by halving."""
        try:
            self._sorter.sort(keyed.only(rows))
        except DatabaseError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever breaks it is what is looked for
            if len(rows) == 1:
                return {int(rows[0]): error}
            half = len(rows) // 2
            return self._poison(keyed, rows[:half]) | self._poison(keyed, rows[half:])
        return {}

    def join(self, ready: Ready) -> dict[str, int]:
        """Write a chunk with halves of calls: made ready anew as long as others bring the other halves meanwhile."""
        for _look in range(LOOKS):
            try:
                return ready.write()
            except Rejoined:
                ready = self.prepare(ready.lease)
        raise Rejoined


@dataclass(slots=True)
class Ready:
    """A chunk laid out: all rows as they will be written, unless somebody takes one of the keys first.

    `telling`: the records of live calls, which are not rated again; where there are any, `taking` has the others with
    their ids, and all keys are laid out once the calls are locked.
    """

    usage_import: UsageImport
    lease: Lease
    sorted: Sorted
    outcome: Outcome
    poster: Poster
    halves: Sequence[Half]
    foreseen: Joined
    telling: Telling | None = None
    taking: tuple[Keyed, NDArray[np.void]] | None = None
    keys: bytes = b""
    records: bytes = b""
    batch: Batch | None = None
    counts: dict[str, int] = field(default_factory=dict)
    bad: list[BadRow] = field(default_factory=list)

    def lay_out(self, before: Mapping[bytes, Holder]) -> None:
        """Make the rows of the records whose key nobody has before them, in the database or in this chunk."""
        outcome, keyed, source = self.outcome.copy(), self.sorted.keyed, self.usage_import.source_id
        at = _firsts(keyed, before, outcome)
        kept = np.zeros(len(keyed), dtype=np.bool_)
        kept[at] = True
        taking = keyed.only(at), self.sorted.ids[at]
        self.records = records_of(self.sorted, source, self.usage_import.pk, kept)
        self.batch = self.poster.lay_out(self.sorted, self.lease.chunk.pk.hex, kept)
        if self.telling is not None:
            self.telling.take(_firsts(self.telling.keyed, before, outcome))
            self.taking = taking
        else:
            self.keys = keys_of(source, taking[0].keys, taking[0].contents, taking[1])
        told = 0 if self.telling is None else len(self.telling)
        self.bad, self.counts = outcome.bad, _counts(self.sorted.status[kept], outcome, told)

    def write(self) -> dict[str, int]:
        """Write the chunk and return its counts. Raises LeaseLost or Rejoined, with nothing written."""
        for _look in range(LOOKS):
            try:
                return in_transaction(self._write, lock_timeout_ms=20_000)
            except Overtaken:
                told = () if self.telling is None else self.telling.keyed.keys
                self.lay_out(taken(self.usage_import.source_id, [*self.sorted.keyed.keys, *told]))
        raise Overtaken

    def _write(self) -> dict[str, int]:
        chunk = self.lease.keep()
        join_halves(self.usage_import.source_id, chunk, self.halves, self.foreseen)
        if self.telling is not None:
            self.telling.lock()
        claim(self._keys())
        _write_quarantine(self.bad, self.usage_import)
        write_records(self.records)
        _finish(chunk, self.counts)
        assert self.batch is not None
        self.batch.write_calls()
        if self.telling is not None:
            self.telling.settle(self.batch.accounts())
        self.batch.post(Actor(f"import of {self.usage_import.name}"[:254], self.usage_import.actor_id))
        return self.counts

    def _keys(self) -> bytes:
        """Rows of all keys that are taken; those of live calls point at the live call's record."""
        if self.telling is None or self.taking is None:
            return self.keys
        (keyed, ids), told = self.taking, self.telling.new()
        ids = np.concatenate([ids, self.telling.record_ids()])
        return keys_of(self.usage_import.source_id, [*keyed.keys, *told.keys], [*keyed.contents, *told.contents], ids)


def _not_priced(keyed: Keyed, row: int, error: Exception) -> BadRow:
    line, text = keyed.records.frame["line"][row], keyed.records.text(row)
    return bad_row(line, text, "", "not_priced", f"{type(error).__name__}: {error}")


def _untaken(keyed: Keyed, before: Mapping[bytes, Holder], outcome: Outcome) -> Keyed:
    """The records whose key nobody has; the others are repeats."""
    if not before:
        return keyed
    rows = [row for row, key in enumerate(keyed.keys) if key not in before]
    for row, key in enumerate(keyed.keys):
        if key in before:
            outcome.repeat(keyed, row, before[key].content)
    return keyed.only(np.array(rows, dtype=np.intp))


def _firsts(keyed: Keyed, before: Mapping[bytes, Holder], outcome: Outcome) -> NDArray[np.intp]:
    """The rows whose key nobody has, nor an earlier row of this chunk; the others are repeats."""
    known = {key: holder.content for key, holder in before.items()}
    rows = []
    for row, (key, content) in enumerate(zip(keyed.keys, keyed.contents, strict=True)):
        if key in known:
            outcome.repeat(keyed, row, known[key])
        else:
            known[key] = content
            rows.append(row)
    return np.array(rows, dtype=np.intp)


def _chunk(row: UsageChunk) -> Chunk:
    return Chunk(row.index, row.byte_from, row.byte_to, row.first_line, row.lines)


def _of_kind(rows: Iterable[object], kind: type[T]) -> list[T]:
    return [row for row in rows if isinstance(row, kind)]


def _repeats(chunk: UsageChunk) -> dict[bytes, int]:
    return {bytes.fromhex(content): times for content, times in chunk.repeats.items()}


def _make_room(sorted_: Sorted) -> None:
    days = np.unique(sorted_.keyed.column("started_us") // 86_400_000_000)
    make_partitions(filter(None, (moment_of(int(day) * 86_400_000_000) for day in days)))


def _counts(status: NDArray[np.int8], outcome: Outcome, reconciled: int) -> dict[str, int]:
    counts = {
        "rated": int((status == RATED).sum()),
        "unrated": int((status == UNRATED).sum()),
        "free": int((status == FREE).sum()),
        "duplicate": outcome.duplicates,
        "quarantined": len(outcome.bad),
        "waiting": outcome.waiting,
        "joined": outcome.joined,
        "reconciled": reconciled,
    }
    return {"read": sum(counts.values()), **counts}


def _write_quarantine(bad: Sequence[BadRow], usage_import: UsageImport) -> None:
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
