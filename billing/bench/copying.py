"""The yardstick of `./bench import`: bare COPY of the rows that an import wrote."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median

from django.db import connection, transaction

ROUNDS = 3
TABLES = {"rating_usagerecord": "id", "rating_ratedcall": "id", "rating_recordkey": "source_id, key"}
"""What an import writes by the row, and the primary keys."""
BLOCK_BYTES = 1 << 20


def copy_seconds(folder: Path) -> tuple[float, float]:
    """Medians of three times that the rows of all tables are COPYed, as text and in binary, into new tables each time.

    Sorted by primary key, in one transaction, with the same checks, indexes and partitions.
    """
    return _copied(folder, "text"), _copied(folder, "binary")


def _copied(folder: Path, form: str) -> float:
    for table, key in TABLES.items():
        with (folder / table).open("wb") as file, connection.cursor() as cursor:
            cursor.copy_expert(f"COPY (SELECT * FROM {table} ORDER BY {key}) TO STDOUT (FORMAT {form})", file)
    seconds = median(_copy_once(folder, form) for _round in range(ROUNDS))
    for table in TABLES:
        (folder / table).unlink()
    return seconds


def _copy_once(folder: Path, form: str) -> float:
    for table in TABLES:
        _make_copy(table)
    started = time.perf_counter()
    with transaction.atomic(), connection.cursor() as cursor:
        for table in TABLES:
            with (folder / table).open("rb") as file:
                cursor.copy_expert(f"COPY bench_{table} FROM STDIN (FORMAT {form})", file, size=BLOCK_BYTES)
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
