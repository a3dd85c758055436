"""`./bench import`: a file of calls by one worker, from the bytes to the posted ledger.

The yardstick is what PostgreSQL needs to take the very rows that the import wrote, and nothing else: COPY, sorted by
primary key, into empty copies of the same tables, with the same partitions and indexes. A second yardstick is the usual
way, call by call through the ORM.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from billing.bench import Measurement, benchmark
from billing.bench.naive import naive_rate
from billing.bench.world import calls, stage

CALLS = 100_000
ROUNDS = 3
GOAL_OF_COPY, GOAL_OF_NAIVE, MOST_MB = 0.6, 200.0, 1536
TABLES = {"rating_usagerecord": "id", "rating_ratedcall": "id", "rating_recordkey": "source_id, key"}
"""What an import writes by the row, and the primary keys."""
HEADER = "call_id,account,from,to,started_at,answered_at,seconds,disposition,carrier,src_ip,src_port,user_agent"


@benchmark("import")
def usage(count: int | None) -> Iterator[Measurement]:
    """Three figures of one import: against COPY, against the ORM, and the worker's peak of memory."""
    count = count or CALLS
    with tempfile.TemporaryDirectory(prefix="tollgate-bench-") as folder:
        path = Path(folder) / "calls.csv"
        write_csv(path, count)
        took = import_by_worker(path)
        if took["rated"] != count:
            raise AssertionError(f"{took['rated']} of {count} calls were rated")
        copied_s = copy_seconds(Path(folder))
        naive = naive_rate(path)
    rate, size = count / took["seconds"], f"{count:,} calls"
    note = f"{size} against bare COPY of the same rows; the worker's own processor time: {took['cpu_seconds']:.1f} s"
    yield Measurement("import", rate, "calls/s", count / copied_s, GOAL_OF_COPY, note)
    yield Measurement("import-naive", rate, "calls/s", naive, GOAL_OF_NAIVE, "against a loop of ORM calls over 300")
    note = f"peak of the worker over {size}, against what it may take"
    yield Measurement("import-memory", took["peak_mb"], "MB", MOST_MB, 1.0, note, at_most=True)


def write_csv(path: Path, count: int) -> None:
    """The calls as a switch would write them, in order of time."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER.split(","))
        for call in calls(count, stage()):
            times = (call.started_at.isoformat(" "), call.answered_at.isoformat(" "))
            rest = (call.duration_s, "ANSWERED", "atlas", "10.1.2.3", 5060, "Yealink T54W")
            writer.writerow((call.id, call.customer, "+85223456789", call.number, *times, *rest))


def import_by_worker(path: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "billing.bench.worker", str(path), "switch"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    took: dict[str, Any] = json.loads(done.stdout)
    (Path(settings.MEDIA_ROOT) / took["stored"]).unlink()
    return took


def copy_seconds(folder: Path) -> float:
    """The median of three times that the rows of all tables are COPYed, each time into new and empty tables."""
    for table, key in TABLES.items():
        with (folder / table).open("wb") as file, connection.cursor() as cursor:
            cursor.copy_expert(f"COPY (SELECT * FROM {table} ORDER BY {key}) TO STDOUT", file)
    return median(_copy_once(folder) for _round in range(ROUNDS))


def _copy_once(folder: Path) -> float:
    for table in TABLES:
        _make_copy(table)
    started = time.perf_counter()
    with transaction.atomic(), connection.cursor() as cursor:
        for table in TABLES:
            with (folder / table).open("rb") as file:
                cursor.copy_expert(f"COPY bench_{table} FROM STDIN", file)
    took = time.perf_counter() - started
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"DROP TABLE bench_{table}")
    return took


def _make_copy(table: str) -> None:
    """An empty table `bench_<table>` with the same columns, checks, indexes and partitions."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relid::regclass::text, pg_get_expr(relpartbound, oid) FROM pg_partition_tree(%s)"
            " JOIN pg_class ON oid = relid WHERE isleaf AND relispartition",
            [table],
        )
        parts = cursor.fetchall()
        by = " PARTITION BY RANGE (id)" if parts else ""
        cursor.execute(f"CREATE TABLE bench_{table} (LIKE {table} INCLUDING ALL){by}")
        for part, bounds in parts:
            cursor.execute(f"CREATE TABLE bench_{part} PARTITION OF bench_{table} {bounds}")
