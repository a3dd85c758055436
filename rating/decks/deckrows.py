"""The rows of a deck, kept by columns: 285,000 prefixes share some thousand names, prices and terms."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import accumulate
from typing import Any, Generic, NamedTuple, TypeVar, overload

import polars as pl

from rating.decks.increments import Increment
from rating.decks.values import DeckRow, RejectedLine

OUTLIER_FACTOR = 100
LINE, PREFIX, NAME, PRICE, TERMS = "line", "prefix", "name", "price", "terms"
NUMBERS = (NAME, PRICE, TERMS)
SCHEMA: dict[str, type[pl.DataType]] = {LINE: pl.Int64, PREFIX: pl.String} | dict.fromkeys(NUMBERS, pl.Int32)
T = TypeVar("T")
Entry = tuple[int, str, int, int, int]


class Effective(NamedTuple):
    """`begins`: the UTC instant, None for as soon as possible. `stated`: what the file said, past or not."""

    begins: datetime | None
    stated: datetime


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


class Numbered(Generic[T]):
    """Different values, each by its number."""

    def __init__(self) -> None:
        self.values: list[T] = []
        self._places: dict[T, int] = {}

    def of(self, value: T) -> int:
        """The number of a value, new or known."""
        place = self._places.setdefault(value, len(self.values))
        if place == len(self.values):
            self.values.append(value)
        return place


class Outliers(NamedTuple):
    """Lines whose price is far above the middle one of the file, and that price."""

    lines: list[int]
    middle: Decimal


class DeckRows(Sequence[DeckRow]):
    """Reads like a list of DeckRow. `frame` has line, prefix and the numbers of name, price and terms."""

    def __init__(
        self, frame: pl.DataFrame, names: Sequence[str], prices: Sequence[Decimal | None], terms: Sequence[Terms]
    ) -> None:
        self.frame, self.names, self.prices, self.terms = frame, names, prices, terms

    def __len__(self) -> int:
        return len(self.frame)

    @overload
    def __getitem__(self, place: int) -> DeckRow: ...
    @overload
    def __getitem__(self, place: slice) -> DeckRows: ...
    def __getitem__(self, place: int | slice) -> DeckRow | DeckRows:
        if isinstance(place, slice):
            return DeckRows(self.frame[place], self.names, self.prices, self.terms)
        return self.row(self.frame.row(place))

    def __iter__(self) -> Iterator[DeckRow]:
        return map(self.row, self.frame.iter_rows())

    def row(self, entry: Entry) -> DeckRow:
        """An entry of the frame with its values."""
        line, prefix, name, price, number = entry
        terms = self.terms[number]
        return DeckRow(line, prefix, self.names[name], self.prices[price], *_terms_fields(terms, None))

    def on_lines(self, lines: set[int]) -> DeckRows:
        """Only the rows of these lines."""
        some = self.frame.filter(pl.col(LINE).is_in(sorted(lines)))
        return DeckRows(some, self.names, self.prices, self.terms)

    def csv(self, begins: datetime) -> pl.Series:
        """Lines of CSV: prefix, then the fields of DeckRow from the destination on; `begins` where no date is given."""
        terms = pl.Series([_csv(_terms_fields(one, begins)) for one in self.terms], dtype=pl.String)
        names = pl.Series([_csv([one]) for one in self.names], dtype=pl.String)
        prices = pl.Series(["" if one is None else str(one) for one in self.prices], dtype=pl.String)
        frame = self.frame
        parts = [frame[PREFIX], names.gather(frame[NAME]), prices.gather(frame[PRICE]), terms.gather(frame[TERMS])]
        return pl.select(pl.concat_str(parts, separator=",")).to_series()

    @property
    def leading_zeros(self) -> int:
        """How many prefixes begin as no number in international form does."""
        return int(self.frame[PREFIX].str.starts_with("0").sum())

    def outliers(self) -> Outliers | None:
        """Lines that cost over a hundred times the middle price; None: there is none."""
        sizes = dict(self.frame.group_by(PRICE).len().iter_rows())
        priced = sorted((price, sizes[place]) for place, price in enumerate(self.prices) if price and place in sizes)
        if not priced:
            return None
        middle = _middle(priced)
        limit = middle * OUTLIER_FACTOR
        dear = [place for place, price in enumerate(self.prices) if price and price > limit]
        lines = self.frame.filter(pl.col(PRICE).is_in(dear))[LINE].unique(maintain_order=True)
        return Outliers(lines.to_list(), middle) if len(lines) else None


@dataclass(frozen=True)
class Deck:
    """A deck as read: `read` counts data lines (accepted and rejected), `rows` are prefixes."""

    rows: DeckRows
    rejected: list[RejectedLine]
    warnings: list[str]
    read: int
    currency: str | None = None
    columns: dict[str, str] = field(default_factory=dict)


def _terms_fields(terms: Terms, begins: datetime | None) -> tuple[Any, ...]:
    """The fields of DeckRow after the price."""
    first_s, step_s, _is_assumed = terms.increment
    since = terms.effective.begins or begins
    return (
        terms.connect_fee, first_s, step_s, terms.grace_s, terms.free_s, terms.min_charge, since,
        terms.closed, terms.blocked,
    )  # fmt: skip


def _csv(fields: Sequence[Any]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(fields)
    return line.getvalue()


def _middle(priced: list[tuple[Decimal, int]]) -> Decimal:
    """The upper middle of values in order, each so many times."""
    sizes = accumulate(size for _price, size in priced)
    half = sum(size for _price, size in priced) // 2
    return next(price for (price, _size), upto in zip(priced, sizes, strict=True) if upto > half)
