"""The second pass: a record becomes the terms of its codes, or a reason why not.

A record goes in whole or not at all: one code that cannot be read, or that stands elsewhere at another price from the
same date, takes its line with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Generic, NamedTuple, TypeVar

from rating.decks import headers as h
from rating.decks.codes import CodeReader
from rating.decks.dates import DateReader, Effective
from rating.decks.increments import Increment, read_increments
from rating.decks.layout import Layout
from rating.decks.prices import PriceReader
from rating.decks.source import Record
from rating.decks.values import BadCell, DeckRow

MAX_ROWS = 3_000_000
MAX_NAME_LETTERS = 120
MAX_SECONDS = 86_400
ZERO = Decimal(0)

_CLOSED = re.compile(
    r"\b(?:closed?|closing|discontinued?|deleted?|deletion|removed?|removal|withdrawn|terminated|cancell?ed)\b"
)
_REOPENED = re.compile(r"\b(?:not|re ?open(?:ed)?|no longer closed)\b")
_BLOCKED = re.compile(r"\b(?:blocked|barred|forbidden|blacklisted)\b")
_SPACES = re.compile(r"\s+")
YES, NO = frozenset({"1", "yes", "y", "true", "x"}), frozenset({"", "0", "no", "n", "false", "-"})

T = TypeVar("T")


class Known(Generic[T]):
    """Remembers what a cell read as: a deck repeats its dates, increments and prices many thousand times."""

    def __init__(self, read: Callable[[str], T]) -> None:
        self._read = read
        self._known: dict[str, T | BadCell] = {}

    def __call__(self, cell: str) -> T:
        found = self._known.get(cell)
        if found is None:
            try:
                found = self._read(cell)
            except BadCell as error:
                found = error
            self._known[cell] = found
        if isinstance(found, BadCell):
            raise BadCell(str(found))
        return found


class Terms(NamedTuple):
    """What one record says of all its codes; `stated` is its date as written, past or not."""

    destination: str
    price: Decimal | None
    connect_fee: Decimal
    increment: Increment
    grace_s: int
    free_s: int
    min_charge: Decimal
    effective: Effective
    closed: bool
    blocked: bool


@dataclass
class Tally:
    """What deserves a warning: how often it happened and on which line first."""

    counts: dict[str, tuple[int, int]] = field(default_factory=dict)

    def note(self, text: str, line: int) -> None:
        """Count one more case of `text`, in which `{n}` stands for the count and `{line}` for the first line."""
        count, first = self.counts.get(text, (0, line))
        self.counts[text] = (count + 1, first)

    def warnings(self) -> list[str]:
        """The texts with their counts, in the order in which they came up."""
        return [text.format(n=count, line=line) for text, (count, line) in self.counts.items()]


@dataclass
class RowReader:
    """Reads records of one layout under settled choices; `currency` is what prices must be in, None for any."""

    layout: Layout
    price_column: int
    codes: CodeReader
    dates: DateReader
    prices: PriceReader
    join_country: bool
    fixed: Effective | None
    currency: str | None
    tally: Tally

    def __post_init__(self) -> None:
        self._price = Known(self.prices.read)
        self._date = Known(self.dates.read)
        self._name = Known(_name)
        self._closed = Known(_is_closed)
        self._increments = Known(lambda pair: read_increments(*pair.split("\0")))
        self._width = len(self.layout.header)

    def read(self, record: Record) -> tuple[list[str], Terms]:
        """The codes of a record and their terms. Raises BadCell with the reason."""
        cells = record.cells
        if record.error:
            raise BadCell(record.error)
        if len(cells) > self._width and any(cell.strip() for cell in cells[self._width :]):
            raise BadCell("the line has more cells than the header: a comma in a number or name needs quotes")
        if len(cells) < self._width:
            cells = cells + [""] * (self._width - len(cells))
        roles = self.layout.roles
        country = cells[roles[h.COUNTRY_CODE]] if self.join_country else ""
        if self.join_country and not country.strip():
            raise BadCell("no country code")
        prefixes = self.codes.read(cells[roles[h.CODE]], country)
        return prefixes, self._terms(cells, record.line)

    def _terms(self, cells: list[str], line: int) -> Terms:
        cell = self._cell
        roles = self.layout.roles
        closed, blocked = self._state(cells)
        self._check_currency(cell(cells, h.CURRENCY))
        increment = self._increment(cells, line) if not closed else self._increment_if_any(cells)
        return Terms(
            destination=self._destination(cells),
            price=self._price_of(cells, is_optional=closed or blocked),
            connect_fee=self._amount(cells, h.CONNECT_FEE) if h.CONNECT_FEE in roles else ZERO,
            increment=increment,
            grace_s=_seconds(cell(cells, h.GRACE)) if h.GRACE in roles else 0,
            free_s=_seconds(cell(cells, h.FREE)) if h.FREE in roles else 0,
            min_charge=self._amount(cells, h.MIN_CHARGE) if h.MIN_CHARGE in roles else ZERO,
            effective=self._effective(cells, line),
            closed=closed,
            blocked=blocked,
        )

    def _cell(self, cells: list[str], role: str) -> str:
        column = self.layout.roles.get(role)
        return cells[column] if column is not None else ""

    def _state(self, cells: list[str]) -> tuple[bool, bool]:
        """Whether the record closes its codes, and whether it bars them."""
        price = cells[self.price_column]
        status = self._cell(cells, h.STATUS)
        words = " ".join((status, price)) if not any(letter.isdigit() for letter in price) else status
        closed = _flag(self._cell(cells, h.DISCONTINUED)) or self._closed(words)
        comment = self._cell(cells, h.COMMENT)
        closed = closed or (bool(comment) and len(comment.split()) == 1 and self._closed(comment))
        blocked = _flag(self._cell(cells, h.FORBIDDEN)) or bool(_BLOCKED.search(words.lower()))
        return closed, blocked

    def _price_of(self, cells: list[str], *, is_optional: bool) -> Decimal | None:
        try:
            price = self._price(cells[self.price_column])
            first = self._cell(cells, h.PRICE_FIRST)
            if first.strip() and self._price(first) != price:
                raise BadCell(f"the first interval has the price {first.strip()} and the following {price.normalize():f}")
        except BadCell:
            if is_optional:
                return None
            raise
        return price

    def _amount(self, cells: list[str], role: str) -> Decimal:
        cell = self._cell(cells, role)
        return self._price(cell) if cell.strip() not in ("", "-") else ZERO

    def _increment(self, cells: list[str], line: int) -> Increment:
        increment = self._increment_if_any(cells)
        if increment.is_assumed and any(role in self.layout.roles for role in (h.BILLING, h.FIRST, h.STEP)):
            self.tally.note("{n} lines give no increment and are charged by the second, 1/1 (line {line} first).", line)
        return increment

    def _increment_if_any(self, cells: list[str]) -> Increment:
        first, step, billing = (self._cell(cells, role) for role in (h.FIRST, h.STEP, h.BILLING))
        if h.STEP in self.layout.roles:
            return self._increments(f"{first}\0{step}")
        if h.FIRST in self.layout.roles:
            return self._increments(f"{first}\0{billing}")
        return self._increments(f"{billing}\0")

    def _effective(self, cells: list[str], line: int) -> Effective:
        ends = self._cell(cells, h.ENDS).strip()
        if ends and (end := self._date(ends)).begins is None and end.stated < self.dates.now:
            raise BadCell(f"the price ended on {ends}")
        if ends:
            self.tally.note("{n} lines have an end date, which is not taken over (line {line} first).", line)
        return self.fixed or self._date(self._cell(cells, h.EFFECTIVE))

    def _check_currency(self, cell: str) -> None:
        code = cell.strip().upper()
        if len(code) != 3 or not code.isalpha():
            return
        self.currency = self.currency or code
        if code != self.currency:
            raise BadCell(f"the price is in {code}, not in {self.currency}")

    def _destination(self, cells: list[str]) -> str:
        """The names of country, network and destination in one, without saying anything twice."""
        name = ""
        for role in (h.COUNTRY, h.NAME, h.NETWORK):
            part = self._name(self._cell(cells, role))
            if name.lower() in part.lower():
                name = part
            elif part.lower() not in name.lower():
                name = f"{name} - {part}"
        return name[:MAX_NAME_LETTERS]


class Collector:
    """Gathers rows so that a code has one price from one date."""

    def __init__(self, tally: Tally) -> None:
        self.rows: list[DeckRow] = []
        self._stated: list[datetime] = []
        self._places: dict[tuple[str, datetime | None], int] = {}
        self._tally = tally

    def add(self, line: int, prefixes: list[str], terms: Terms) -> None:
        """Take a record's codes, all or (by BadCell) none. Of two prices that have begun, the later one holds."""
        begins, stated = terms.effective
        made = [_row(line, prefix, terms) for prefix in dict.fromkeys(prefixes)]
        places = [self._places.get((row.prefix, begins)) for row in made]
        for row, place in zip(made, places, strict=True):
            if place is not None and self._stated[place] == stated and not _same(row, self.rows[place]):
                other = self.rows[place].line
                raise BadCell(f"the code {row.prefix} stands on line {other} with other terms from the same date")
        if len(made) < len(prefixes):
            self._tally.note("{n} lines name a code twice (line {line} first).", line)
        for row, place in zip(made, places, strict=True):
            if place is None:
                self._places[row.prefix, begins] = len(self.rows)
                self.rows.append(row)
                self._stated.append(stated)
            else:
                self._repeat(row, place, stated)

    def _repeat(self, row: DeckRow, place: int, stated: datetime) -> None:
        if stated == self._stated[place]:
            self._tally.note("{n} codes stand twice with the same terms (line {line} first).", row.line)
            return
        self._tally.note("{n} codes have two prices that have begun; the later holds (line {line} first).", row.line)
        if stated > self._stated[place]:
            self.rows[place], self._stated[place] = row, stated


def _row(line: int, prefix: str, terms: Terms) -> DeckRow:
    return DeckRow(
        line, prefix, terms.destination, terms.price, terms.connect_fee, terms.increment.first_s,
        terms.increment.step_s, terms.grace_s, terms.free_s, terms.min_charge, terms.effective.begins,
        terms.closed, terms.blocked,
    )  # fmt: skip


def _same(one: DeckRow, other: DeckRow) -> bool:
    """The same terms; line and name do not matter."""
    return one[3:] == other[3:]


def _name(cell: str) -> str:
    return _SPACES.sub(" ", "".join(letter if letter.isprintable() else " " for letter in cell)).strip()


def _is_closed(words: str) -> bool:
    text = words.lower().replace("-", " ")
    return bool(_CLOSED.search(text)) and not _REOPENED.search(text)


def _flag(cell: str) -> bool:
    text = cell.strip().lower()
    if text in YES:
        return True
    if text not in NO:
        raise BadCell(f"{cell.strip()!r} is neither yes nor no")
    return False


def _seconds(cell: str) -> int:
    text = cell.strip()
    if not text or text == "-":
        return 0
    if not (text.isascii() and text.isdecimal()) or len(text) > 6 or int(text) > MAX_SECONDS:
        raise BadCell(f"{text[:40]!r} is not a number of seconds")
    return int(text)
