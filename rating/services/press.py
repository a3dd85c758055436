"""Writes one chunk while the next is being prepared.

The server takes rows in a process of its own, and the thread that hands them over needs this process but little. So
the two halves of the work run side by side, and two chunks are in memory at most.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import TypeVar

from django.db import connection

from rating.services.chunk_work import Ready
from rating.services.leases import Keeper, Lease, LeaseLost, give_back

T = TypeVar("T")
Write = Callable[[], dict[str, int]]
"""Writes a chunk; its counts."""
log = logging.getLogger(__name__)


class Press:
    """Takes chunks that are ready, one at a time, in a thread with a connection of its own."""

    def __init__(self, keeper: Keeper) -> None:
        self.written = 0
        self._keeper = keeper
        self._thread: ThreadPoolExecutor | None = None
        self._writing: Future[None] | None = None

    def __enter__(self) -> Press:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._wait()
        if self._thread is not None:
            self._thread.submit(_hang_up).result()
            self._thread.shutdown()

    def put(self, ready: Ready, *, last: bool) -> None:
        """Have it written; returns when the one before is done. The last one, or within a transaction: right here."""
        if last or connection.in_atomic_block:
            self.write_here(ready.lease, ready.write)
            return
        self._wait()
        self._thread = self._thread or ThreadPoolExecutor(1, "press")
        self._writing = self._thread.submit(self._write, ready.lease, ready.write)

    def write_here(self, lease: Lease, write: Write) -> None:
        """Write in the calling thread, when the one before is done."""
        self._wait()
        self._write(lease, write)

    def _wait(self) -> None:
        if self._writing is not None:
            self._writing.result()
            self._writing = None

    def _write(self, lease: Lease, write: Write) -> None:
        def work() -> dict[str, int]:
            lease.renew()
            self._keeper.let_go(lease)  # From here on the transaction's lock keeps others away.
            return write()

        if guarded(lease, work) is not None:
            self.written += 1


def guarded(lease: Lease, work: Callable[[], T]) -> T | None:
    """What `work` gives; None where the chunk was taken over, or given back with the reason why it failed."""
    try:
        return work()
    except LeaseLost:
        log.warning("chunk %s was taken over by somebody else", lease.chunk.pk)
    except Exception as error:
        log.exception("chunk %s could not be worked", lease.chunk.pk)
        give_back(lease, f"{type(error).__name__}: {error}")
    return None


def _hang_up() -> None:
    """Closes the calling thread's own connection."""
    connection.close()
