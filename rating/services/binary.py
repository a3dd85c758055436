"""Rows as PostgreSQL takes them with least work: COPY's binary format, laid out by columns.

The server parses no text then: of what it needs to take a call's rows, a third is saved. A row is a run of bytes of
fixed-width values, made by NumPy for all rows at once, then its texts; texts that many rows share are made once.
"""

from __future__ import annotations

import io
import ipaddress
import os
import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any
from uuid import UUID

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from rating.batch.times import NO_TIME

Flags = NDArray[np.bool_]
HEADER = b"PGCOPY\n\xff\r\n\0" + struct.pack("!ii", 0, 0)
TRAILER = struct.pack("!h", -1)
NULL = struct.pack("!i", -1)
PG_EPOCH_US = 946_684_800_000_000
"""PostgreSQL counts microseconds from 2000."""
BLOCK_BYTES = 4 << 20
"""Handed over at a time: each block costs a turn at the interpreter, which the preparing thread keeps busy."""
_AMOUNT = np.dtype([("head", "V8"), ("digits", ">i2", (6,))])
_AMOUNT_HEAD = struct.pack("!hhHh", 6, 3, 0, 6)
_INET = {4: (2, 32), 6: (3, 128)}


@dataclass(frozen=True, slots=True)
class Column:
    """Fixed-width values as they are sent, shape (n,); `present` is False where a value is NULL."""

    values: NDArray[Any]
    present: Flags | None = None

    def take(self, rows: NDArray[Any]) -> Column:
        return Column(self.values[rows], None if self.present is None else self.present[rows])

    def spread(self, rows: NDArray[Any], count: int) -> Column:
        """These values at these rows of `count`; NULL at the others."""
        values, present = np.zeros(count, dtype=self.values.dtype), np.zeros(count, dtype=np.bool_)
        values[rows] = self.values
        present[rows] = True if self.present is None else self.present
        return Column(values, present)


@dataclass(frozen=True, slots=True)
class Texts:
    """For each row the bytes of `fields` variable fields, each led by its length."""

    pieces: Sequence[bytes]
    fields: int = 1


def int4(values: NDArray[Any], present: Flags | None = None) -> Column:
    return Column(values.astype(">i4"), present)


def int8(values: NDArray[Any], present: Flags | None = None) -> Column:
    return Column(values.astype(">i8"), present)


def moments(us: NDArray[np.int64]) -> Column:
    """timestamptz of microseconds since 1970; NO_TIME is NULL."""
    present = us != NO_TIME
    values = np.where(present, us - PG_EPOCH_US, 0).astype(">i8")
    return Column(values, None if present.all() else present)


def amounts(units: NDArray[np.int64], present: Flags | None = None) -> Column:
    """numeric(20, 6) of whole units of 10**-6, at least 0: four digits of base 10,000 before the point, two behind."""
    made = np.zeros(len(units), dtype=_AMOUNT)
    made["head"] = np.void(_AMOUNT_HEAD)
    whole, parts = np.divmod(units, 1_000_000)
    digits = made["digits"]
    digits[:, 5] = parts % 100 * 100
    digits[:, 4] = parts // 100
    for place in (3, 2, 1, 0):
        whole, digits[:, place] = np.divmod(whole, 10_000)
    return Column(made, present)


def uuid_table(ids: Iterable[UUID]) -> NDArray[np.void]:
    """Uuids as values of 16 bytes, to be picked from by index. Never empty, so that any pick succeeds."""
    return np.frombuffer(b"".join([one.bytes for one in ids]) or bytes(16), dtype="V16")


def repeated(one: UUID, count: int) -> NDArray[np.void]:
    """The same uuid in every row."""
    return np.full(count, np.void(one.bytes))


def digests(values: Sequence[bytes]) -> NDArray[np.void]:
    """Values of 16 bytes each, shape (n,)."""
    return np.frombuffer(b"".join(values), dtype="V16")


def new_ids(at_us: NDArray[np.int64]) -> NDArray[np.void]:
    """A new uuid7 for each moment (microseconds since 1970), as `tiers.ids.uuid7` makes them one by one."""
    chance = np.frombuffer(os.urandom(16 * len(at_us)), dtype=np.uint64).reshape(-1, 2)
    made = np.empty((len(at_us), 2), dtype=">u8")
    millis = (at_us // 1000).astype(np.uint64)
    made[:, 0] = (millis << np.uint64(16)) | np.uint64(0x7000) | (chance[:, 0] & np.uint64(0xFFF))
    made[:, 1] = np.uint64(1 << 63) | (chance[:, 1] & np.uint64((1 << 62) - 1))
    return made.view("V16").reshape(-1)


def order_of(ids: NDArray[np.void]) -> NDArray[np.intp]:
    """The rows in the order of values of 16 bytes."""
    words = np.ascontiguousarray(ids).view(">u8").reshape(-1, 2)
    return np.lexsort((words[:, 1], words[:, 0]))


def text_piece(text: str) -> bytes:
    body = text.replace("\0", "").encode()
    return struct.pack("!i", len(body)) + body


def inet_piece(address: str | None) -> bytes:
    if not address:
        return NULL
    parsed = ipaddress.ip_address(address)
    family, bits = _INET[parsed.version]
    body = bytes((family, bits, 0, len(parsed.packed))) + parsed.packed
    return struct.pack("!i", len(body)) + body


class _Memo(dict[Any, bytes]):
    def __init__(self, make: Callable[[Any], bytes]) -> None:
        self._make = make

    def __missing__(self, value: Any) -> bytes:
        made = self[value] = self._make(value)
        return made


def texts(values: Iterable[Any], make: Callable[[Any], bytes] = text_piece) -> Texts:
    """A column of text (or of what `make` turns into bytes); equal values are made once."""
    return Texts(list(map(_Memo(make).__getitem__, values)))


def pack(columns: Sequence[Column], variable: Sequence[Texts]) -> bytes:
    """All rows, ready for COPY: the fixed-width columns in their order, then the variable ones."""
    fields = len(columns) + sum(one.fields for one in variable)
    rows = _fixed(columns, fields)
    body = chain.from_iterable(zip(rows, *(one.pieces for one in variable), strict=True))
    return b"".join(chain((HEADER,), body, (TRAILER,)))


def _fixed(columns: Sequence[Column], fields: int) -> Sequence[bytes]:
    """Each row's number of fields and fixed-width values. Rows with NULLs at the same places are made together."""
    count = len(columns[0].values)
    gaps = [column.present for column in columns if column.present is not None]
    pattern = np.zeros(count, dtype=np.int64)
    for at, present in enumerate(gaps):
        pattern |= (~present).astype(np.int64) << at
    kinds = np.unique(pattern)
    if len(kinds) == 1:
        return _alike(columns, fields)
    rows = np.empty(count, dtype=object)
    for kind in kinds:
        where = np.flatnonzero(pattern == kind)
        rows[where] = _alike([column.take(where) for column in columns], fields)
    return rows.tolist()


def _alike(columns: Sequence[Column], fields: int) -> list[bytes]:
    """Rows whose NULLs stand at the same places."""
    count = len(columns[0].values)
    if not count:
        return []
    given = [column.present is None or bool(column.present[0]) for column in columns]
    layout: list[tuple[str, Any]] = [("fields", ">i2")]
    for at, column in enumerate(columns):
        layout.append((f"size{at}", ">i4"))
        if given[at]:
            layout.append((f"value{at}", column.values.dtype))
    made = np.empty(count, dtype=np.dtype(layout))
    made["fields"] = fields
    for at, column in enumerate(columns):
        made[f"size{at}"] = column.values.dtype.itemsize if given[at] else -1
        if given[at]:
            made[f"value{at}"] = column.values
    width, whole = made.dtype.itemsize, made.tobytes()
    return [whole[start : start + width] for start in range(0, len(whole), width)]


def copy_binary(table: str, names: str, rows: bytes) -> None:
    """Rows from `pack` into a table, by this thread's connection. Raises Django's own database errors."""
    if not rows:
        return
    with connection.wrap_database_errors, connection.cursor() as cursor:
        cursor.copy_expert(f"COPY {table} ({names}) FROM STDIN (FORMAT binary)", io.BytesIO(rows), size=BLOCK_BYTES)
