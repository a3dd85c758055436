"""Rate tables compiled for columns: from numbers and instants to rates, by the longest prefix in force.

Equal to looking each prefix up from the longest to the shortest: of a prefix's dated rows the one that began last
decides; where it has lapsed, or none has begun, the next shorter prefix is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rating.batch.digits import NOT_A_NUMBER, Ints, keys_of
from rating.batch.intervals import NO_PLACE, Intervals, Places
from rating.batch.scaled import RateColumns
from rating.batch.times import FOR_EVER, epoch_us
from rating.kernel import Rate

NO_RATE: Final = -1


@dataclass(frozen=True, slots=True)
class Dated:
    """One row of a rate table: a rate of `prefix` (digits) from a moment on, up to another (exclusive) or for ever."""

    prefix: str
    rate: Rate
    effective_from: datetime
    effective_to: datetime | None = None
    blocked: bool = False


class Book:
    """Several rate tables at one version, never changed: a new version is compiled beside it and takes its place.

    A rate's id is its row's position, counted through all tables in the order given to `compile`. `rates`, `blocked`
    and `prefix_digits` (the length of the prefix) go by id.
    """

    def __init__(self, rows: Sequence[Dated], tables: Ints, table_count: int) -> None:
        self.rates = RateColumns([row.rate for row in rows])
        self.blocked: NDArray[np.bool_] = np.array([row.blocked for row in rows], dtype=bool)
        self.prefix_digits: Ints = np.array([len(row.prefix) for row in rows], dtype=np.int64)
        keys = _prefix_keys(rows)
        begins = np.array([epoch_us(row.effective_from) for row in rows], dtype=np.int64)
        kept = np.flatnonzero(keys != NOT_A_NUMBER)
        self._ids = kept[np.lexsort((begins[kept], keys[kept], tables[kept]))]
        self._from = begins[self._ids]
        self._to = np.array([_end_us(rows[at]) for at in self._ids.tolist()], dtype=np.int64)
        self._lay(keys[self._ids], tables[self._ids], table_count)

    @classmethod
    def compile(cls, tables: Iterable[Iterable[Dated]]) -> Book:
        """Compile tables of dated rows; a table's number is its position. Raises ValueError for a bad prefix.

        Rows of one prefix that begin at the same instant: the later one given decides.
        """
        listed = [list(rows) for rows in tables]
        numbers = np.repeat(np.arange(len(listed), dtype=np.int64), [len(rows) for rows in listed])
        return cls([row for rows in listed for row in rows], numbers, len(listed))

    def _lay(self, keys: Ints, tables: Ints, table_count: int) -> None:
        """Rows sorted by table, prefix and beginning become places: the rows of one prefix of one table."""
        new = np.ones(len(keys), dtype=bool)
        new[1:] = (keys[1:] != keys[:-1]) | (tables[1:] != tables[:-1])
        self._first = np.flatnonzero(new)
        self._several = np.diff(self._first, append=len(keys)) > 1
        self._moments = np.unique(self._from)
        place_of_row = np.cumsum(new) - 1
        self._order = place_of_row * len(self._moments) + np.searchsorted(self._moments, self._from)
        lengths = self.prefix_digits[self._ids[self._first]]
        self._intervals = Intervals(keys[self._first], lengths, tables[self._first], table_count)

    def find(self, numbers: NDArray[Any], at_us: Ints, tables: Ints | int) -> Ints:
        """The ids of the rates in force at `at_us` (since 1970), NO_RATE where there is none.

        `numbers` holds digits only (bytes or text, shape (n,)); `tables` is one table, one for each number, or a
        column of shape (k, 1) for k tiers at once; the answer has the shape that `tables` and (n,) make together.
        """
        stretches = self._intervals.stretch_of(keys_of(numbers))
        places = self._intervals.longest[tables, stretches]
        moments = np.broadcast_to(at_us, places.shape).reshape(-1)
        asked = places.reshape(-1)
        found = np.full(len(asked), NO_RATE, dtype=np.int64)
        rows = np.flatnonzero(asked != NO_PLACE)
        asked = asked[rows]
        while len(rows):
            ids = self._in_force(asked, moments[rows])
            found[rows] = ids
            missed = np.flatnonzero(ids == NO_RATE)
            rows, asked = rows[missed], self._intervals.parent[asked[missed]]
            again = asked != NO_PLACE
            rows, asked = rows[again], asked[again]
        return found.reshape(places.shape)

    def _in_force(self, places: Places, at_us: Ints) -> Ints:
        """The row of each place that began last, if it has not lapsed."""
        first = self._first[places]
        position = first
        several = np.flatnonzero(self._several[places])
        if len(several):
            begun = np.searchsorted(self._moments, at_us[several], side="right")
            wanted = places[several].astype(np.int64) * len(self._moments) + begun
            position = first.copy()
            position[several] = np.searchsorted(self._order, wanted, side="left") - 1
        ids = self._ids[position]
        ids[(position < first) | (self._from[position] > at_us) | (at_us >= self._to[position])] = NO_RATE
        return ids


def _prefix_keys(rows: Sequence[Dated]) -> Ints:
    """NOT_A_NUMBER for a prefix longer than any number can be: nothing matches it."""
    for row in rows:
        if not (row.prefix.isascii() and row.prefix.isdigit()):
            raise ValueError(f"A prefix is made of digits: {row.prefix!r}")
    return keys_of(np.array([row.prefix for row in rows], dtype=np.str_))


def _end_us(row: Dated) -> int:
    return FOR_EVER if row.effective_to is None else epoch_us(row.effective_to)
