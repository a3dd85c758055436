"""The old Excel format (BIFF8 in a compound file), as little of it as a deck needs: no library here writes it."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from datetime import date

SECTOR = 512
FREE, END, FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD

Cell = str | float | date


def xls(rows: Sequence[Sequence[Cell]], *, sheet: str = "Rates") -> bytes:
    """A workbook of one sheet."""
    return _compound(_workbook(rows, sheet))


def _record(kind: int, data: bytes) -> bytes:
    return struct.pack("<HH", kind, len(data)) + data


def _begin(kind: int) -> bytes:
    return _record(0x0809, struct.pack("<HHHHII", 0x0600, kind, 0, 1997, 0, 6))


def _workbook(rows: Sequence[Sequence[Cell]], sheet: str) -> bytes:
    formats = b"".join(_record(0x00E0, struct.pack("<HHH14x", 0, form, 0)) for form in (0, 14))
    name = struct.pack("<BB", len(sheet), 0) + sheet.encode("latin-1")
    end = _record(0x000A, b"")
    before = _begin(0x0005) + formats
    offset = len(before) + 4 + 6 + len(name) + len(end)
    globals_ = before + _record(0x0085, struct.pack("<IBB", offset, 0, 0) + name) + end
    width = max(map(len, rows))
    cells = b"".join(_cell(y, x, value) for y, row in enumerate(rows) for x, value in enumerate(row))
    return globals_ + _begin(0x0010) + _record(0x0200, struct.pack("<IIHHH", 0, len(rows), 0, width, 0)) + cells + end


def _cell(row: int, column: int, value: Cell) -> bytes:
    if isinstance(value, str):
        text = struct.pack("<HHHHB", row, column, 0, len(value), 0) + value.encode("latin-1")
        return _record(0x0204, text) if value else b""
    if isinstance(value, date):
        return _record(0x0203, struct.pack("<HHHd", row, column, 1, (value - date(1899, 12, 30)).days))
    return _record(0x0203, struct.pack("<HHHd", row, column, 0, value))


def _compound(stream: bytes) -> bytes:
    size = max(len(stream), 4096)
    count = -(-size // SECTOR)
    stream = stream.ljust(count * SECTOR, b"\x00")
    assert count + 2 <= SECTOR // 4
    chain = [FAT, END, *range(3, count + 2), END]
    table = struct.pack(f"<{SECTOR // 4}I", *chain, *[FREE] * (SECTOR // 4 - len(chain)))
    header = struct.pack(
        "<8s16xHHHHH6xIIIIIIIII", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 0x3E, 3, 0xFFFE, 9, 6, 0, 1, 1, 0, 4096, END, 0,
        END, 0,
    )  # fmt: skip
    header += struct.pack("<109I", 0, *[FREE] * 108)
    directory = _entry("Root Entry", 5, 1, END, 0) + _entry("Workbook", 2, FREE, 2, size)
    return header + table + directory.ljust(SECTOR, b"\x00") + stream


def _entry(name: str, kind: int, below: int, start: int, size: int) -> bytes:
    text = (name + "\x00").encode("utf-16-le")
    return text.ljust(64, b"\x00") + struct.pack(
        "<HBBIII16xI16xIQ", len(text), kind, 1, FREE, FREE, below, 0, start, size
    )
