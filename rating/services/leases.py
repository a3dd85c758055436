"""Who works a chunk: the row says, not the broker.

A worker takes a chunk for a minute; while it works, a thread of its own prolongs what it holds. A worker that died lets
go by itself; one that comes back too late finds its lease taken, and its transaction fails.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from threading import Event, Thread
from uuid import UUID

from django.db import DatabaseError, connection, transaction
from django.db.models import Q
from django.utils import timezone

from rating.models import ChunkStatus, ImportStatus, UsageChunk
from tiers.ids import uuid7

LEASE_S = 60
RENEW_AFTER_S = 15
MAX_ATTEMPTS = 5
log = logging.getLogger(__name__)


class LeaseLost(Exception):
    """Somebody else has the chunk now. Nothing of ours was written."""


@dataclass(slots=True, eq=False)
class Lease:
    """A claim on one chunk."""

    chunk: UsageChunk
    token: UUID
    lost: bool = False

    def renew(self) -> None:
        """Prolong. Raises LeaseLost."""
        mine = UsageChunk.objects.filter(pk=self.chunk.pk, lease=self.token, status=ChunkStatus.CLAIMED)
        if not mine.update(claimed_until=timezone.now() + timedelta(seconds=LEASE_S)):
            self.lost = True
            raise LeaseLost

    def check(self) -> None:
        """Between two steps: is it still worth going on? Raises LeaseLost."""
        if self.lost:
            raise LeaseLost

    def keep(self) -> UsageChunk:
        """Inside the transaction that writes: lock the row, so that nobody can take it before commit."""
        assert connection.in_atomic_block
        chunk = (
            UsageChunk.objects.select_for_update(no_key=True)
            .filter(pk=self.chunk.pk, lease=self.token, status=ChunkStatus.CLAIMED)
            .first()
        )
        if chunk is None:
            raise LeaseLost
        return chunk


def claim(usage_import: UUID) -> Lease | None:
    """Take the next chunk of an import that is free or whose lease has lapsed; None if there is none now.

    Those that failed before come last; one that failed too often is closed with its reason.
    """
    with transaction.atomic():
        while (chunk := _next(usage_import)) is not None:
            if chunk.attempts < MAX_ATTEMPTS:
                return _take(chunk)
            chunk.status, chunk.lease = ChunkStatus.FAILED, None
            chunk.error = chunk.error or "Its worker died each time."
            chunk.save(update_fields=["status", "lease", "error"])
    return None


def _free() -> Q:
    return Q(status=ChunkStatus.WAITING) | Q(status=ChunkStatus.CLAIMED, claimed_until__lt=timezone.now())


def _next(usage_import: UUID) -> UsageChunk | None:
    chunks = UsageChunk.objects.select_for_update(skip_locked=True, of=("self",)).filter(
        _free(), usage_import=usage_import, usage_import__status=ImportStatus.WORKING
    )
    return chunks.order_by("attempts", "index").first()


def _take(chunk: UsageChunk) -> Lease:
    chunk.status, chunk.lease = ChunkStatus.CLAIMED, uuid7()
    chunk.claimed_until = timezone.now() + timedelta(seconds=LEASE_S)
    chunk.attempts += 1
    chunk.save(update_fields=["status", "lease", "claimed_until", "attempts"])
    return Lease(chunk, chunk.lease)


def give_back(lease: Lease, error: str) -> None:
    """After a failure: free the chunk for another try, and remember why it failed."""
    mine = UsageChunk.objects.filter(pk=lease.chunk.pk, lease=lease.token, status=ChunkStatus.CLAIMED)
    mine.update(status=ChunkStatus.WAITING, lease=None, claimed_until=None, error=error[:2000])


def waiting(usage_import: UUID) -> int:
    """How many of an import's chunks nobody has yet."""
    return UsageChunk.objects.filter(usage_import=usage_import, status=ChunkStatus.WAITING).count()


def lapsed_imports() -> list[UUID]:
    """Imports with a chunk that nobody works: waiting, or claimed by somebody whose lease has lapsed."""
    chunks = UsageChunk.objects.filter(_free(), usage_import__status=ImportStatus.WORKING)
    return list(chunks.values_list("usage_import", flat=True).distinct())


class Keeper:
    """Prolongs the leases that a worker holds, from a thread of its own, however long a step may take."""

    def __init__(self) -> None:
        self._held: set[Lease] = set()
        self._stop = Event()
        self._thread = Thread(target=self._run, name="leases", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def claim(self, usage_import: UUID) -> Lease | None:
        """As `claim`, kept until `let_go`."""
        lease = claim(usage_import)
        if lease is not None:
            self._held.add(lease)
        return lease

    def let_go(self, lease: Lease) -> None:
        self._held.discard(lease)

    def _run(self) -> None:
        while not self._stop.wait(RENEW_AFTER_S):
            for lease in list(self._held):
                self._renew(lease)
        connection.close()

    def _renew(self, lease: Lease) -> None:
        try:
            lease.renew()
        except LeaseLost:
            self.let_go(lease)
        except DatabaseError:
            log.warning("the lease on chunk %s could not be prolonged", lease.chunk.index, exc_info=True)


@contextmanager
def keeper() -> Iterator[Keeper]:
    """Leases are kept inside the block. (Within somebody's transaction no thread could see them: it is short.)"""
    kept = Keeper()
    if not connection.in_atomic_block:
        kept.start()
    try:
        yield kept
    finally:
        kept.stop()
