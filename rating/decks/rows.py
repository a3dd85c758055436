"""The reading of one record: it becomes the terms of its codes, or a reason why not.

A record goes in whole or not at all: one code that cannot be read, or that stands elsewhere at another
price from the same date, takes its line with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Generic, NamedTuple, TypeVar

from rating.decks import headers as h
from rating.decks.codes import CodeReader
from rating.decks.dates import DateReader
from rating.decks.deckrows import Effective, Terms
from rating.decks.increments import Increment, read_increments
from rating.decks.layout import Layout
from rating.decks.prices import PriceReader
from rating.decks.source import Record
from rating.decks.values import BadCell

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


class Columns(NamedTuple):
    """Which columns say what: the codes, the country before them (None: nothing), and the cells read together."""

    code: int
    country: int | None
    names: list[int]
    prices: list[int]
    terms: list[int]


@dataclass
class Tally:
    """What deserves a warning: how often it happened and on which line first."""

    counts: dict[str, tuple[int, int]] = field(default_factory=dict)

    def note(self, text: str, line: int, cases: int = 1) -> None:
        """Count more cases of `text`; in it `{n}` stands for the count, `{line}` for the first line."""
        count, first = self.counts.get(text, (0, line))
        self.counts[text] = (count + cases, min(first, line))

    def warnings(self) -> list[str]:
        """The texts with their counts, in order of their first lines."""
        found = sorted(self.counts.items(), key=lambda one: (one[1][1], one[0]))
        return [text.format(n=count, line=line) for text, (count, line) in found]


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
        self.price_column = price_column
        first = [roles[h.PRICE_FIRST]] if h.PRICE_FIRST in roles else []
        shared = [role for role in roles if role not in PART_ROLES]
        self._shared = {role: place for place, role in enumerate(shared)}
        self.columns = Columns(
            roles[h.CODE],
            roles[h.COUNTRY_CODE] if join_country else None,
            names=[roles[role] for role in NAME_ROLES if role in roles],
            prices=[price_column, *first],
            terms=[roles[role] for role in shared],
        )
        self.depends_on_order = self.currency is None and h.CURRENCY in roles
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

        def of(columns: list[int]) -> tuple[str, ...]:
            return tuple([cells[column] for column in columns])

        columns = self.columns
        country = "" if columns.country is None else cells[columns.country]
        price_cell = cells[self.price_column]
        word = "" if price_cell[:1].isdigit() else price_cell
        prefixes = _tried(self.codes_of, cells[columns.code], country)
        terms = _tried(self.terms_of, (word, *of(columns.terms)))
        price = _tried(self.price_of, of(columns.prices))
        if isinstance(prefixes, BadCell):
            raise prefixes
        if isinstance(terms, BadCell):
            raise terms
        if isinstance(price, BadCell) and not (terms.closed or terms.blocked):
            raise price
        return prefixes, self.name_of(of(columns.names)), None if isinstance(price, BadCell) else price, terms

    def codes_of(self, cell: str, country: str) -> list[str]:
        """The codes of a cell, after the country's where they are joined. Raises BadCell."""
        if self.columns.country is not None and not country.strip():
            raise BadCell("no country code")
        return self._codes.read(cell, country)

    def name_of(self, cells: tuple[str, ...]) -> str:
        """The name in the columns of names."""
        return self._name(cells)

    def price_of(self, cells: tuple[str, ...]) -> Decimal:
        """The price in its column, which the first interval's, if there is one, must repeat. Raises BadCell."""
        price = self._price(cells[0])
        first = cells[1].strip() if len(cells) > 1 else ""
        if first and self._price(first) != price:
            raise BadCell(f"the first interval costs {first}, the following {price.normalize():f}")
        return price

    def terms_of(self, cells: tuple[str, ...]) -> Terms:
        """The terms in the price cell, where that may hold a word, and the columns of terms. Raises BadCell."""
        return self._terms(cells)

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


def _tried(read: Callable[..., T], *cells: Any) -> T | BadCell:
    """What is read, or why it cannot be: every cell of a line is looked at, whatever else is wrong with the line."""
    try:
        return read(*cells)
    except BadCell as error:
        return error


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
