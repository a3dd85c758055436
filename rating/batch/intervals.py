"""The prefixes of all tables cut into disjoint stretches of keys, and which prefix holds there in each table.

Prefixes nest or are disjoint, so their ends cut the line of keys into at most twice as many stretches as there are
prefixes. Where a number lies is then one binary search, good for all tables at once.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from rating.batch.digits import SPANS, WIDTH, Ints

NO_PLACE: Final = -1
Places = NDArray[np.int32]


class Intervals:
    """`longest[table, stretch]`: the longest prefix there ("place", an index into the arrays given) or NO_PLACE.

    `parent[place]`: the next shorter prefix of the same table that covers it, or NO_PLACE.
    """

    def __init__(self, keys: Ints, lengths: Ints, tables: Ints, table_count: int) -> None:
        """`keys`, `lengths` (digits) and `tables` of all places, each (table, prefix) once."""
        ends = keys + np.array(SPANS, dtype=np.int64)[lengths]
        self._cuts = np.unique(np.concatenate([keys, ends]))
        self._first = np.searchsorted(self._cuts, keys)
        self._after = np.searchsorted(self._cuts, ends)
        self.longest: Places = np.full((table_count, len(self._cuts) + 1), NO_PLACE, dtype=np.int32)
        self.parent: Places = np.full(len(keys), NO_PLACE, dtype=np.int32)
        for length in range(WIDTH + 1):
            places = np.flatnonzero(lengths == length)
            if len(places):
                self._lay(places, tables[places])

    def _lay(self, places: Ints, tables: Ints) -> None:
        """Prefixes of one length, over the shorter ones laid before; they do not touch each other."""
        first, after = self._first[places] + 1, self._after[places] + 1
        self.parent[places] = self.longest[tables, first]
        widths = after - first
        begun = np.cumsum(widths) - widths
        stretches = np.arange(widths.sum()) + np.repeat(first - begun, widths)
        self.longest[np.repeat(tables, widths), stretches] = np.repeat(places, widths)

    def stretch_of(self, keys: Ints) -> Ints:
        """The stretch that each key lies in: the one binary search, in order, so that neighbours share its path."""
        order = np.argsort(keys)
        stretches = np.empty(len(keys), dtype=np.int64)
        stretches[order] = np.searchsorted(self._cuts, keys[order], side="right")
        return stretches
