"""Who works a chunk: the row says, not the broker.

A worker takes a chunk for a minute and renews while it computes. A worker that died lets go by itself; one that comes
back too late finds its lease taken, and its transaction fails.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from rating.models import ChunkStatus, ImportStatus, UsageChunk
from tiers.ids import uuid7

LEASE_S = 60
RENEW_AFTER_S = 15
MAX_ATTEMPTS = 5


class LeaseLost(Exception):
    """Somebody else has the chunk now. Nothing of ours was written."""


@dataclass(slots=True)
class Lease:
    """A claim on one chunk."""

    chunk: UsageChunk
    token: UUID
    renewed_at: float

    def renew(self, *, now: bool = False) -> None:
        """Prolong when it is time (or at once). Raises LeaseLost."""
        if not now and time.monotonic() - self.renewed_at < RENEW_AFTER_S:
            return
        mine = UsageChunk.objects.filter(pk=self.chunk.pk, lease=self.token, status=ChunkStatus.CLAIMED)
        if not mine.update(claimed_until=timezone.now() + timedelta(seconds=LEASE_S)):
            raise LeaseLost
        self.renewed_at = time.monotonic()

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
    """Take the next chunk of an import that is free or whose lease has lapsed; None if there is none now."""
    now = timezone.now()
    free = Q(status=ChunkStatus.WAITING) | Q(status=ChunkStatus.CLAIMED, claimed_until__lt=now)
    with transaction.atomic():
        chunk = (
            UsageChunk.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(free, usage_import=usage_import, usage_import__status=ImportStatus.WORKING)
            .order_by("index")
            .first()
        )
        if chunk is None:
            return None
        if chunk.attempts >= MAX_ATTEMPTS:
            chunk.status, chunk.lease = ChunkStatus.FAILED, None
            chunk.error = chunk.error or "Its worker died each time."
            chunk.save(update_fields=["status", "lease", "error"])
            return None
        chunk.status, chunk.lease = ChunkStatus.CLAIMED, uuid7()
        chunk.claimed_until = now + timedelta(seconds=LEASE_S)
        chunk.attempts += 1
        chunk.save(update_fields=["status", "lease", "claimed_until", "attempts"])
    return Lease(chunk, chunk.lease, time.monotonic())


def give_back(lease: Lease, error: str) -> None:
    """After a failure: free the chunk for another try, and remember why it failed."""
    mine = UsageChunk.objects.filter(pk=lease.chunk.pk, lease=lease.token, status=ChunkStatus.CLAIMED)
    mine.update(status=ChunkStatus.WAITING, lease=None, claimed_until=None, error=error[:2000])


def lapsed_imports() -> list[UUID]:
    """Imports with a chunk that nobody works: waiting, or claimed by somebody whose lease has lapsed."""
    free = Q(status=ChunkStatus.WAITING) | Q(status=ChunkStatus.CLAIMED, claimed_until__lt=timezone.now())
    chunks = UsageChunk.objects.filter(free, usage_import__status=ImportStatus.WORKING)
    return list(chunks.values_list("usage_import", flat=True).distinct())
