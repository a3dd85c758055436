"""Many lines, each cut by points of its own into segments: where on its line does each point lie?

Lines are prices over time, terms over the seconds of a call, bands over a day. Most points lie in the last segment of
their line (today's prices), so that is tried first; the others are searched for all at once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rating.batch.digits import Ints
from rating.batch.growing import Growing
from rating.batch.times import FOR_EVER, NO_TIME


class Timelines:
    """Segments are numbered through all lines: a line with k cuts has k + 1 of them, one after the other."""

    __slots__ = ("_ends", "_first", "_last", "_starts")

    def __init__(self) -> None:
        self._starts = Growing(NO_TIME)
        self._ends = Growing(FOR_EVER)
        self._first = Growing(0)
        self._last = Growing(0)

    def add(self, cuts: Sequence[int]) -> int:
        """A new line, cut at these points (rising): its number."""
        self._first.extend([self._starts.count])
        self._last.extend([self._starts.count + len(cuts)])
        self._starts.extend([NO_TIME, *cuts])
        self._ends.extend([*cuts, FOR_EVER])
        return self._first.count - 1

    def segments_of(self, line: int) -> range:
        """The numbers of its segments."""
        return range(int(self._first.view[line]), int(self._last.view[line]) + 1)

    @property
    def starts(self) -> Ints:
        """Where each segment begins; NO_TIME for the first of a line."""
        return self._starts.view

    @property
    def ends(self) -> Ints:
        """Where each segment ends (exclusive); FOR_EVER for the last of a line."""
        return self._ends.view

    def find(self, lines: Ints, points: Ints) -> Ints:
        """The segment in which each point lies on its line; a cut belongs to what follows it."""
        found = self._last.view.take(lines)
        starts = self.starts
        early = np.flatnonzero(points < starts.take(found))
        if len(early):
            low, high, points = self._first.view.take(lines[early]), found[early], points[early]
            while (high - low > 1).any():
                middle = (low + high) >> 1
                begun = starts.take(middle) <= points
                low, high = np.where(begun, middle, low), np.where(begun, high, middle)
            found[early] = low
        return found
