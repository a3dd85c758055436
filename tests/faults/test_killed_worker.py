"""Workers are killed outright in the middle of a file, parents too; the import goes on by itself, and charges once.

Real parts: Celery's workers and beat as processes, the broker, PostgreSQL. Behind `./test faults`.
"""

from __future__ import annotations

import random
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection

from accounts.models import Transfer
from accounts.services.accounts import wallet_of
from billing.books import violations
from rating.models import ChunkStatus, ImportStatus, UsageChunk, UsageImport, UsageRecord
from rating.services import imports
from rating.services.imports import counts, plan
from rating.services.receiving import receive
from rating.tasks import work_import
from tests.cast import ACTOR
from tests.faults.celery import WORKER, beat, celery, kill, wait_until
from tests.rating.calls_help import many, write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cast import Cast

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]
CALLS, MANY_CALLS = 60_000, 300_000
LINES_PER_CHUNK = 2_000
PATIENCE_S = 300
MOST_S = 1.0


@pytest.fixture(autouse=True)
def files(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    return tmp_path


def received(
    cast: Cast, folder: Path, monkeypatch: pytest.MonkeyPatch, calls: int, name: str = "calls.csv"
) -> UsageImport:
    """The file stored and cut into many small chunks, so that a kill finds some done and some not."""
    monkeypatch.setattr(imports, "LINES_PER_CHUNK", LINES_PER_CHUNK)
    file = write(folder / "calls.csv", many(calls))
    return plan(receive(cast.source(), [file.read_bytes()], name, actor=ACTOR).pk)


def is_over(usage_import: UsageImport) -> bool:
    usage_import.refresh_from_db()
    return usage_import.status != ImportStatus.WORKING


def test_a_killed_workers_import_goes_on_by_itself_and_charges_once(
    cast: Cast, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = received(cast, files, monkeypatch, CALLS)
    done = UsageChunk.objects.filter(usage_import=made, status=ChunkStatus.DONE)
    with celery(WORKER, files) as first:
        work_import.delay(str(made.pk))
        wait_until(done.exists, PATIENCE_S)
        kill(first)
    at_the_kill = done.count()
    assert at_the_kill < UsageChunk.objects.filter(usage_import=made).count()

    with celery(WORKER, files), celery(beat(files), files):
        took = wait_until(lambda: is_over(made), PATIENCE_S)
    assert made.status == ImportStatus.DONE, made.error
    first_counts, paid = counts(made), wallet_of(cast.alice).posted
    assert (first_counts["read"], first_counts["duplicate"]) == (CALLS, 0)
    print(f"killed after {at_the_kill} parts; went on and was done {took:.0f} s later")

    again = received(cast, files, monkeypatch, CALLS, "the same, renamed.csv")
    with celery(WORKER, files):
        work_import.delay(str(again.pk))
        wait_until(lambda: is_over(again), PATIENCE_S)
    assert counts(again)["duplicate"] == CALLS
    assert wallet_of(cast.alice).posted == paid
    assert list(violations()) == []


def test_two_workers_import_while_a_third_is_killed_and_allocations_do_not_wait(
    cast: Cast, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every few seconds the third dies at work. Meanwhile funds go to the dealer and on to its customer."""
    made = received(cast, files, monkeypatch, MANY_CALLS)
    with celery(WORKER, files), celery(WORKER, files), celery(beat(files), files), allocations(cast) as times:
        for _worker in range(2):
            work_import.delay(str(made.pk))
        kills = 0
        while not is_over(made):
            kills += killed_at_work(made, files)
    assert made.status == ImportStatus.DONE, made.error
    found = counts(made)
    assert found["read"] == MANY_CALLS == found["rated"] + found["free"]
    assert UsageRecord.objects.count() == MANY_CALLS
    assert list(violations()) == []
    again = UsageChunk.objects.filter(usage_import=made, attempts__gt=1).count()
    print(f"{kills} workers killed, {again} of {MANY_CALLS // LINES_PER_CHUNK} parts begun anew")
    print(f"{len(times)} allocations, the slowest in {max(times):.3f} s")
    assert kills
    assert again, "no kill met a part in the making"
    assert Transfer.objects.filter(kind="allocation").count() == len(times)
    assert max(times) < MOST_S


def killed_at_work(usage_import: UsageImport, folder: Path) -> int:
    """Start one more worker, let it work for a moment, kill it; 1, or 0 where the import was over before."""
    began = datetime.now(UTC)
    with celery(WORKER, folder) as third:
        work_import.delay(str(usage_import.pk))
        wait_until(lambda: is_over(usage_import) or connected_since(began), PATIENCE_S)
        if is_over(usage_import):
            return 0
        time.sleep(random.uniform(0.3, 3))
        kill(third)
    return 1


def connected_since(moment: datetime) -> bool:
    """Whether some process has come to this database since."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND backend_start > %s)",
            [moment],
        )
        return bool(cursor.fetchone()[0])


@contextmanager
def allocations(cast: Cast) -> Iterator[list[float]]:
    """Inside, funds are given again and again; how long each took, in seconds."""
    times: list[float] = []
    stop = threading.Event()

    def give() -> None:
        try:
            while not stop.wait(0.1):
                for code in ("harbour", "alice"):
                    started = time.monotonic()
                    cast.fund(code, 1)
                    times.append(time.monotonic() - started)
        finally:
            connection.close()

    thread = threading.Thread(target=give)
    thread.start()
    try:
        yield times
    finally:
        stop.set()
        thread.join()
