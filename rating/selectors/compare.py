"""Destinations side by side over carriers, cheapest first: what each costs the operator, or what a seller pays or asks.

A row is a code that any of them names. Each carrier's price for it is that of the longest code it has there, as a call
would find it. Tables are in memory; the database is asked for names only, so a page costs the same whatever the length.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from heapq import nsmallest
from uuid import UUID

from rating.models import Carrier, Rate
from rating.pricing import Engine
from rating.pricing.lists import Found
from rating.pricing.shelf import Groups, find_in, in_table
from rating.pricing.tables import TableBook
from rating.selectors.prices import in_force

PAGE_ROWS = 50
MOST_TRIES = 5000


@dataclass(frozen=True)
class Side:
    """One carrier: how its price for digits is found, which codes it names, and the tables that name destinations."""

    carrier: str
    find: Callable[[str], Found | None]
    prefixes: Collection[str]
    tables: frozenset[UUID]


@dataclass(frozen=True, slots=True)
class Cell:
    """One carrier's price a minute in the currency of the page; `found` is the rate in its own."""

    carrier: str
    price: Decimal
    found: Found

    @property
    def increments(self) -> tuple[int | None, int]:
        return self.found.row.first_s, self.found.row.step_s


@dataclass(frozen=True, slots=True)
class CompareRow:
    """A code with its prices, cheapest first. `counted_alike` is False where increments differ between them."""

    prefix: str
    destination: str
    cells: tuple[Cell, ...]

    @property
    def counted_alike(self) -> bool:
        return len({(first_s or step_s, step_s) for first_s, step_s in (cell.increments for cell in self.cells)}) < 2


def cost_sides(engine: Engine, carriers: Iterable[Carrier], at: datetime) -> list[Side]:
    """By the carriers' cost tables."""
    sides = []
    for one in carriers:
        if one.active and one.cost_table_id is not None:
            book = engine.shelf.table(one.cost_table_id)
            sides.append(Side(one.name, _by_table(book, at), book.prefixes, frozenset({one.cost_table_id})))
    return sides


def _by_table(book: TableBook, at: datetime) -> Callable[[str], Found | None]:
    return lambda digits: in_table(book, digits, at)


def _by_lists(groups: Groups, at: datetime) -> Callable[[str], Found | None]:
    def find(digits: str) -> Found | None:
        hit = find_in(groups, digits, at)
        return hit.found if hit else None

    return find


def sale_sides(engine: Engine, brand: UUID, buyer: UUID | None, at: datetime) -> list[Side]:
    """By the lists of a brand for each carrier, those of one buyer before them where it is named."""
    shelf, whom = engine.shelf, buyer or UUID(int=0)
    sides = []
    for one in sorted(engine.directory.carriers.values(), key=lambda carrier: carrier.name):
        if not (one.active and one.offered and shelf.carries(brand, whom, one.pk)):
            continue
        groups = shelf.groups(brand, whom, one.pk)[:1]
        prefixes = set[str]().union(*(group.prefixes for group in groups))
        tables = frozenset(shelf.tables_under(brand, whom, one.pk))
        sides.append(Side(one.name, _by_lists(groups, at), prefixes, tables))
    return sides


def compared(
    sides: Sequence[Side],
    engine: Engine,
    at: datetime,
    currency: str,
    *,
    text: str = "",
    after: str = "",
    size: int = PAGE_ROWS,
) -> tuple[list[CompareRow], str | None]:
    """Codes behind `after` that begin with `text`, or are called so: (a page, the key of the next one or None)."""
    rows: list[CompareRow] = []
    for prefix in _wanted(sides, at, text, after):
        row = _row(prefix, sides, engine, at, currency)
        if row is None:
            continue
        if len(rows) == size:
            return rows, rows[-1].prefix
        rows.append(row)
    return rows, None


def every_row(
    sides: Sequence[Side], engine: Engine, at: datetime, currency: str, text: str = ""
) -> Iterator[CompareRow]:
    """All of them, for a file."""
    after: str | None = ""
    while after is not None:
        rows, after = compared(sides, engine, at, currency, text=text, after=after, size=1000)
        yield from rows


def _wanted(sides: Sequence[Side], at: datetime, text: str, after: str) -> list[str]:
    digits = text.lstrip("+").replace(" ", "")
    if text and not digits.isdigit():
        tables = frozenset[UUID]().union(*(side.tables for side in sides))
        rows = Rate.objects.filter(in_force(at), table__in=tables, destination__icontains=text, prefix__gt=after)
        return list(rows.order_by("prefix").values_list("prefix", flat=True).distinct()[:MOST_TRIES])
    every = set[str]().union(*(side.prefixes for side in sides))
    return nsmallest(MOST_TRIES, (one for one in every if one > after and one.startswith(digits)))


def _row(prefix: str, sides: Sequence[Side], engine: Engine, at: datetime, currency: str) -> CompareRow | None:
    cells, names = [], []
    for side in sides:
        found = side.find(prefix)
        if found is None or found.row.blocked:
            continue
        rate = engine.shelf.exchange.rate(found.measure.currency, currency, at)
        if rate is not None:
            cells.append(Cell(side.carrier, (found.row.price * rate).quantize(Decimal("0.00000001")), found))
            names.append((-len(found.row.prefix), found.row.destination))
    if not cells:
        return None
    cells.sort(key=lambda cell: (cell.price, cell.carrier))
    return CompareRow(prefix, min(names)[1], tuple(cells))
