"""Rate tables compiled for lookup: prefix to dated rows, in memory, one copy per version of the table.

An earlier version is read from what is remembered, for lists that follow their base by publication.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterable, Set
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from threading import Lock
from typing import Any
from uuid import UUID

from rating.models import Rate, RateTable
from rating.pricing.memory import gone_prefixes, past_moments, rates_as_known

KEPT_TABLES = 64


@dataclass(frozen=True, slots=True)
class RateRow:
    """One dated rate of a prefix. Prices are per minute in the table's currency; `steps`, `bands` in wire form."""

    prefix: str
    destination: str
    price: Decimal
    connect_fee: Decimal
    first_s: int | None
    step_s: int
    grace_s: int
    free_s: int
    min_charge: Decimal
    steps: Any
    bands: Any
    blocked: bool
    effective_from: datetime
    effective_to: datetime | None


@dataclass(frozen=True, slots=True)
class Measure:
    """How amounts of a table or list are worked out (the model's PricedIn)."""

    code: str
    currency: str
    decimals: int
    rounding: str
    time_zone: str
    band_rule: str
    holidays: tuple[str, ...]

    @classmethod
    def of(cls, row: Any) -> Measure:
        return cls(
            row.code, row.currency, row.decimals, row.rounding, row.time_zone, row.band_rule, tuple(row.holidays)
        )


class TableBook:
    """A rate table as it stands at one version."""

    def __init__(self, table: RateTable, rows: dict[str, list[RateRow]], version: int | None = None) -> None:
        self.id: UUID = table.pk
        self.version = table.version if version is None else version
        self.measure = Measure.of(table)
        self._rows = rows
        self._starts = {prefix: [row.effective_from for row in dated] for prefix, dated in rows.items()}
        self.prefixes: Set[str] = rows.keys()
        self.longest = max(map(len, rows), default=0)
        self.made: dict[int, object] = {}  # what was made of a row, by the row's identity: the rows live as long

    @cached_property
    def moments(self) -> frozenset[datetime]:
        """All instants at which some prefix of it gets, changes or loses its row."""
        begun = {row.effective_from for rows in self._rows.values() for row in rows}
        return frozenset(begun | {row.effective_to for rows in self._rows.values() for row in rows if row.effective_to})

    def changing(self, moment: datetime) -> set[str]:
        """The prefixes whose rate begins or ends just then."""
        return {
            prefix
            for prefix, dated in self._rows.items()
            for row in dated
            if moment in (row.effective_from, row.effective_to)
        }

    @cached_property
    def prefixes_ever(self) -> Set[str]:
        """With those that an earlier version had."""
        gone = gone_prefixes(self.id)
        return self.prefixes | gone if gone else self.prefixes

    @cached_property
    def moments_ever(self) -> frozenset[datetime]:
        """With those of earlier versions."""
        return self.moments | past_moments(self.id)

    def at(self, prefix: str, moment: datetime) -> RateRow | None:
        """The row of exactly this prefix that is in force at `moment`, or None."""
        starts = self._starts.get(prefix)
        if starts is None:
            return None
        position = bisect_right(starts, moment)
        if not position:
            return None
        row = self._rows[prefix][position - 1]
        return row if row.effective_to is None or row.effective_to > moment else None


def load(table: RateTable) -> TableBook:
    """Read a table's rates; some 300,000 in a few seconds.

    The book carries the version that was read, which may be later than the one that `table` was read at: rates of a
    change that is rolled back must not stay under a version that holds again.
    """
    fields = list(RateRow.__slots__)
    stored = Rate.objects.filter(table=table).order_by("effective_from").values_list(*fields)
    version = _version(table)
    while True:
        rows = _by_prefix(stored.iterator(chunk_size=20_000))
        before, version = version, _version(table)
        if before == version:
            return TableBook(table, rows, version)


def _version(table: RateTable) -> int:
    version: int = RateTable.objects.values_list("version", flat=True).get(pk=table.pk)
    return version


def load_known(table: RateTable, known: datetime, version: int) -> TableBook:
    """A table as it stood at an instant, when it had this version."""
    return TableBook(table, _by_prefix(rates_as_known(table, known)), version)


def _by_prefix(stored: Iterable[tuple[Any, ...]]) -> dict[str, list[RateRow]]:
    rows: dict[str, list[RateRow]] = {}
    for values in stored:
        rows.setdefault(values[0], []).append(RateRow(*values))
    return rows


class TableCache:
    """The books a process has read, newest used last; a table that changed is read again."""

    def __init__(self, keep: int = KEPT_TABLES) -> None:
        self._books: OrderedDict[UUID, TableBook] = OrderedDict()
        self._earlier: OrderedDict[tuple[UUID, int], TableBook] = OrderedDict()
        self._keep = keep
        self._lock = Lock()

    def get(self, table: RateTable) -> TableBook:
        """`table` must carry its present version."""
        with self._lock:
            book = self._books.get(table.pk)
            if book is not None and book.version == table.version:
                self._books.move_to_end(table.pk)
                return book
        book = load(table)
        with self._lock:
            self._books[table.pk] = book
            while len(self._books) > self._keep:
                self._books.popitem(last=False)
        return book

    def get_known(self, table: RateTable, known: datetime, version: int) -> TableBook:
        """The table as it stood at an instant, when it had this version."""
        if version == table.version:
            return self.get(table)
        key = (table.pk, version)
        with self._lock:
            if key in self._earlier:
                self._earlier.move_to_end(key)
                return self._earlier[key]
        book = load_known(table, known, version)
        with self._lock:
            self._earlier[key] = book
            while len(self._earlier) > self._keep:
                self._earlier.popitem(last=False)
        return book


CACHE = TableCache()
