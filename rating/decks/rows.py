"""The second pass: a record becomes the terms of its codes, or a reason why not.

A record goes in whole or not at all: one code that cannot be read, or that stands elsewhere at another
price from the same date, takes its line with it.
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

K = TypeVar("K")
T = TypeVar("T")


class Known(Generic[K, T]):
    """Remembers what cells read as: a deck repeats its dates, increments and prices many thousand times."""

    def __init__(self, read: Callable[[K], T]) -> None:
        self._read = read
        self._known: dict[K, T | BadCell] = {}

    def __call__(self, cell: K) -> T:
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
    """What a record says beside codes, name and price; `notes` are texts for the tally."""

    connect_fee: Decimal
    increment: Increment
    grace_s: int
    free_s: int
    min_charge: Decimal
    effective: Effective
    closed: bool
    blocked: bool
    notes: tuple[str, ...]


@dataclass
class Tally:
    """What deserves a warning: how often it happened and on which line first."""

    counts: dict[str, tuple[int, int]] = field(default_factory=dict)

    def note(self, text: str, line: int) -> None:
        """Count one more case of `text`; in it `{n}` stands for the count, `{line}` for the first line."""
        count, first = self.counts.get(text, (0, line))
        self.counts[text] = (count + 1, first)

    def warnings(self) -> list[str]:
        """The texts with their counts, in the order in which they came up."""
        return [text.format(n=count, line=line) for text, (count, line) in self.counts.items()]


NO_INCREMENT = "{n} lines give no increment and are charged by the second, 1/1 (line {line} first)."
HAS_END = "{n} lines have an end date, which is not taken over (line {line} first)."
NAME_ROLES = (h.COUNTRY, h.NAME, h.NETWORK)
PART_ROLES = (h.CODE, h.COUNTRY_CODE, h.PRICE_FIRST, *NAME_ROLES)


class RowReader:
    """Reads records of one layout under settled choices, in `currency` (None for any).

    Everything but codes, name and price repeats from line to line, and is read once for each combination of cells.
    """

    def __init__(
        self,
        layout: Layout,
        price_column: int,
        *,
        codes: CodeReader,
        dates: DateReader,
        prices: PriceReader,
        join_country: bool,
        fixed: Effective | None,
    ) -> None:
        self.currency = prices.currency
        self.prices = prices
        self._codes, self._dates, self._fixed = codes, dates, fixed
        self._width = len(layout.header)
        roles = layout.roles
        self._code, self._price_column = roles[h.CODE], price_column
        self._country = roles[h.COUNTRY_CODE] if join_country else None
        self._first_price = roles.get(h.PRICE_FIRST)
        self._names = [roles[role] for role in NAME_ROLES if role in roles]
        shared = [role for role in roles if role not in PART_ROLES]
        self._shared = {role: place for place, role in enumerate(shared)}
        self._shared_columns = [roles[role] for role in shared]
        self._price = Known(prices.read)
        self._name = Known(_destination)
        self._terms = Known(self._read_terms)

    def read(self, record: Record) -> tuple[list[str], str, Decimal | None, Terms]:
        """The codes of a record, their name, price and terms. Raises BadCell with the reason."""
        cells = record.cells
        if record.error:
            raise BadCell(record.error)
        if len(cells) > self._width and any(cell.strip() for cell in cells[self._width :]):
            raise BadCell("the line has more cells than the header: a comma in a number or name needs quotes")
        if len(cells) < self._width:
            cells = cells + [""] * (self._width - len(cells))
        country = ""
        if self._country is not None and not (country := cells[self._country]).strip():
            raise BadCell("no country code")
        prefixes = self._codes.read(cells[self._code], country)
        price_cell = cells[self._price_column]
        word = "" if price_cell[:1].isdigit() else price_cell
        terms = self._terms((word, *[cells[column] for column in self._shared_columns]))
        name = self._name(tuple([cells[column] for column in self._names]))
        return prefixes, name, self._price_of(cells, is_optional=terms.closed or terms.blocked), terms

    def _price_of(self, cells: list[str], *, is_optional: bool) -> Decimal | None:
        try:
            price = self._price(cells[self._price_column])
            first = cells[self._first_price].strip() if self._first_price is not None else ""
            if first and self._price(first) != price:
                raise BadCell(f"the first interval costs {first}, the following {price.normalize():f}")
        except BadCell:
            if is_optional:
                return None
            raise
        return price

    def _read_terms(self, cells: tuple[str, ...]) -> Terms:
        """The terms in the shared cells; the first is the price cell where it may hold a word."""
        word, values = cells[0], cells[1:]

        def cell(role: str) -> str:
            place = self._shared.get(role)
            return values[place] if place is not None else ""

        closed, blocked = _state(word, cell)
        self._check_currency(cell(h.CURRENCY))
        increment = self._increment(cell)
        notes = self._end_notes(cell(h.ENDS).strip())
        if increment.is_assumed and not closed and any(role in self._shared for role in (h.BILLING, h.FIRST, h.STEP)):
            notes = (*notes, NO_INCREMENT)
        return Terms(
            connect_fee=self._amount(cell(h.CONNECT_FEE)),
            increment=increment,
            grace_s=_seconds(cell(h.GRACE)),
            free_s=_seconds(cell(h.FREE)),
            min_charge=self._amount(cell(h.MIN_CHARGE)),
            effective=self._fixed or self._dates.read(cell(h.EFFECTIVE)),
            closed=closed,
            blocked=blocked,
            notes=notes,
        )

    def _amount(self, cell: str) -> Decimal:
        return self._price(cell) if cell.strip() not in ("", "-") else ZERO

    def _increment(self, cell: Callable[[str], str]) -> Increment:
        if h.STEP in self._shared:
            return read_increments(cell(h.FIRST), cell(h.STEP))
        if h.FIRST in self._shared:
            return read_increments(cell(h.FIRST), cell(h.BILLING))
        return read_increments(cell(h.BILLING), "")

    def _end_notes(self, ends: str) -> tuple[str, ...]:
        if not ends:
            return ()
        end = self._dates.read(ends)
        if end.begins is None:
            raise BadCell(f"the price ended on {ends}")
        return (HAS_END,)

    def _check_currency(self, cell: str) -> None:
        code = cell.strip().upper()
        if len(code) != 3 or not code.isalpha():
            return
        self.currency = self.currency or code
        if code != self.currency:
            raise BadCell(f"the price is in {code}, not in {self.currency}")


class Collector:
    """Gathers rows so that a code has one price from one date."""

    def __init__(self, tally: Tally) -> None:
        self.rows: list[DeckRow] = []
        self._stated: list[datetime] = []
        self._places: dict[tuple[str, datetime | None], int] = {}
        self._tally = tally

    def add(self, line: int, prefixes: list[str], name: str, price: Decimal | None, terms: Terms) -> None:
        """Take a record's codes, all or (by BadCell) none. Of two prices that have begun, the later holds."""
        begins, stated = terms.effective
        alike = (name, price, *_numbers(terms), begins, terms.closed, terms.blocked)
        places = [self._places.get((prefix, begins)) for prefix in prefixes]
        for prefix, place in zip(prefixes, places, strict=True):
            if place is not None and self._stated[place] == stated and self.rows[place][3:] != alike[1:]:
                other = self.rows[place].line
                raise BadCell(f"the code {prefix} stands on line {other} with other terms from the same date")
        for note in terms.notes:
            self._tally.note(note, line)
        for prefix in prefixes:
            row = DeckRow(line, prefix, *alike)
            place = self._places.setdefault((prefix, begins), len(self.rows))
            if place == len(self.rows):
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


def _numbers(terms: Terms) -> tuple[Decimal, int, int, int, int, Decimal]:
    """The terms that DeckRow holds between the price and the date."""
    increment = terms.increment
    return terms.connect_fee, increment.first_s, increment.step_s, terms.grace_s, terms.free_s, terms.min_charge


def _destination(cells: tuple[str, ...]) -> str:
    """The names of country, destination and network in one, without saying anything twice."""
    name = ""
    for cell in cells:
        printable = "".join(letter if letter.isprintable() else " " for letter in cell)
        part = _SPACES.sub(" ", printable).strip()
        if name.lower() in part.lower():
            name = part
        elif part.lower() not in name.lower():
            name = f"{name} - {part}"
    return name[:MAX_NAME_LETTERS]


def _state(price_word: str, cell: Callable[[str], str]) -> tuple[bool, bool]:
    """Whether a record closes its codes, and whether it bars them."""
    status = cell(h.STATUS)
    words = status if any(letter.isdigit() for letter in price_word) else f"{status} {price_word}"
    comment = cell(h.COMMENT)
    closed = _flag(cell(h.DISCONTINUED)) or _is_closed(words)
    closed = closed or (len(comment.split()) == 1 and _is_closed(comment))
    return closed, _flag(cell(h.FORBIDDEN)) or bool(_BLOCKED.search(words.lower()))


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
