"""`./bench import`: a file of calls by one Celery worker, from the bytes to the posted ledger, and by two.

The yardstick is what PostgreSQL needs to take the very rows that the import wrote, and nothing else: COPY, sorted by
primary key, into empty copies of the same tables, with the same partitions and indexes. A second yardstick is the usual
way, call by call through the ORM.
"""

from __future__ import annotations

import csv
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import connection

from billing.bench import Measurement, benchmark
from billing.bench.copying import copy_seconds
from billing.bench.naive import naive_rate
from billing.bench.worker import Worker, wait_for, workers
from billing.bench.world import ACTOR, calls, stage
from rating.models import ImportStatus, Source, UsageImport
from rating.services.imports import counts, refused
from rating.services.receiving import receive
from rating.tasks import work_import

CALLS = 1_000_000
WARM_CALLS = 50_000
GOAL_OF_COPY, GOAL_OF_NAIVE, GOAL_OF_ONE, MOST_MB = 0.6, 200.0, 1.0, 1536
WRITTEN = "rating_usagerecord, rating_ratedcall, rating_recordkey, rating_rateterms, rating_fact"
HEADER = "call_id,account,from,to,started_at,answered_at,seconds,disposition,carrier,src_ip,src_port,user_agent"


@dataclass(frozen=True)
class Took:
    """What an import took. `load` is the machine's while it ran."""

    seconds: float
    warming_s: float
    peak_mb: float
    load: float


@benchmark("import")
def usage(count: int | None) -> Iterator[Measurement]:
    """Four figures: against COPY, against the ORM, the worker's peak of memory, and two workers against one."""
    count = count or CALLS
    with tempfile.TemporaryDirectory(prefix="tollgate-bench-") as name:
        folder = Path(name)
        path = folder / "calls.csv"
        write_csv(path, count, "call")
        one = timed(folder, path, count, worker_count=1)
        text_s, binary_s = copy_seconds(folder)
        naive = naive_rate(path)
        two = timed(folder, path, count, worker_count=2)
    rate, size = count / one.seconds, f"{count:,} calls"
    note = f"{size} against bare COPY of the same rows as text (in binary: {count / binary_s:,.0f}); {_note(one)}"
    yield Measurement("import", rate, "calls/s", count / text_s, GOAL_OF_COPY, note)
    yield Measurement("import-naive", rate, "calls/s", naive, GOAL_OF_NAIVE, "against a loop of ORM calls over 300")
    note = f"peak of the worker over {size}, against what it may take"
    yield Measurement("import-memory", one.peak_mb, "MB", MOST_MB, 1.0, note, at_most=True)
    note = f"{size} by two workers at once, against one; {_note(two)}"
    yield Measurement("import-two-workers", count / two.seconds, "calls/s", rate, GOAL_OF_ONE, note)


def _note(took: Took) -> str:
    return f"warmed by {WARM_CALLS:,} other calls in {took.warming_s:.1f} s, load {took.load:.1f}"


def write_csv(path: Path, count: int, prefix: str) -> None:
    """The calls as a switch would write them, in order of time; `prefix` begins their ids."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER.split(","))
        for call in calls(count, stage()):
            times = (call.started_at.isoformat(" "), call.answered_at.isoformat(" "))
            rest = (call.duration_s, "ANSWERED", "atlas", "10.1.2.3", 5060, "Yealink T54W")
            name = call.id.replace("call", prefix)
            writer.writerow((name, call.customer, "+85223456789", call.number, *times, *rest))


def timed(folder: Path, path: Path, count: int, worker_count: int) -> Took:
    """Import the file into tables that hold no calls, by workers that have their price lists in memory.

    On the clock: the file is received, planned, worked and closed. Rate terms are stored anew each time.
    """
    with workers(worker_count, folder / "celery.log") as crew:
        started = time.perf_counter()
        for worker in crew:
            _warm(folder, worker)
        warming_s = time.perf_counter() - started
        _empty()
        started = time.perf_counter()
        done = _import(path)
        seconds = time.perf_counter() - started
        took = Took(seconds, warming_s, max(worker.peak_mb() for worker in crew), os.getloadavg()[0])
    if counts(done)["rated"] != count:
        raise AssertionError(f"{counts(done)} of {count} calls")
    return took


def _warm(folder: Path, worker: Worker) -> None:
    path = folder / f"{worker.name}.csv"
    write_csv(path, WARM_CALLS, worker.name)
    _import(path, queue=worker.name)


def _import(path: Path, queue: str = "tollgate") -> UsageImport:
    """As an upload does it: stored, and a worker nudged."""
    source = Source.objects.select_related("owner").get(code="switch")
    with path.open("rb") as file:
        stored = receive(source, iter(lambda: file.read(1 << 20), b""), path.name, actor=ACTOR)
    work_import.apply_async((str(stored.pk),), queue=queue)
    wait_for(lambda: _ended(stored))
    (Path(settings.MEDIA_ROOT) / stored.path).unlink()
    if stored.status != ImportStatus.DONE:
        raise refused(stored)
    return stored


def _ended(stored: UsageImport) -> bool:
    stored.refresh_from_db()
    return stored.status in (ImportStatus.DONE, ImportStatus.FAILED)


def _empty() -> None:
    """No calls, keys, terms and facts; the transfers of earlier runs stay."""
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {WRITTEN}")
