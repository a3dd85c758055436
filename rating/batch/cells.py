"""A map from integers to integers that answers a whole column at once: open addressing over two arrays.

A dense matrix of (who, where) would be quick too, but most of it is never asked for; this one holds what was.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from rating.batch.digits import Ints

UNKNOWN: Final = -1
_SPREAD: Final = np.uint64(0x9E3779B97F4A7C15)
_LEAST_BITS: Final = 10


class Cells:
    """Keys and values are not negative; a value fits into 32 bits."""

    __slots__ = ("_bits", "_keys", "_values", "count")

    def __init__(self) -> None:
        self._make(_LEAST_BITS)

    def _make(self, bits: int) -> None:
        self._bits = np.uint64(64 - bits)
        self._keys = np.full(1 << bits, UNKNOWN, dtype=np.int64)
        self._values = np.full(1 << bits, UNKNOWN, dtype=np.int32)
        self.count = 0

    @property
    def nbytes(self) -> int:
        return self._keys.nbytes + self._values.nbytes

    def items(self) -> tuple[Ints, Ints]:
        """All keys, and their values."""
        filled = np.flatnonzero(self._keys != UNKNOWN)
        return self._keys[filled], self._values[filled].astype(np.int64)

    def find(self, keys: Ints) -> Ints:
        """The values of these keys, UNKNOWN where there is none."""
        slots = self._slots(keys)
        there = self._keys.take(slots)
        found = self._values.take(slots).astype(np.int64)
        rows = np.flatnonzero(there != keys)
        rows = rows[there[rows] != UNKNOWN]
        slots = slots[rows]
        while len(rows):
            slots = self._next(slots)
            there = self._keys.take(slots)
            found[rows] = self._values.take(slots)
            on = (there != keys[rows]) & (there != UNKNOWN)
            rows, slots = rows[on], slots[on]
        return found

    def add(self, keys: Ints, values: Ints) -> None:
        """Add keys that are not there yet, each once."""
        if 2 * (self.count + len(keys)) > len(self._keys):
            self._grow(self.count + len(keys))
        slots, rows = self._slots(keys), np.arange(len(keys))
        while len(rows):
            free = self._keys.take(slots) == UNKNOWN
            self._keys[slots[free]] = keys[rows[free]]
            won = self._keys.take(slots) == keys[rows]
            self._values[slots[won]] = values[rows[won]]
            rows, slots = rows[~won], self._next(slots[~won])
        self.count += len(keys)

    def _grow(self, count: int) -> None:
        keys, values = self.items()
        self._make(max(_LEAST_BITS, (4 * count).bit_length()))
        self.add(keys, values)

    def _slots(self, keys: Ints) -> Ints:
        return ((keys.view(np.uint64) * _SPREAD) >> self._bits).view(np.int64)

    def _next(self, slots: Ints) -> Ints:
        return (slots + 1) & (len(self._keys) - 1)
