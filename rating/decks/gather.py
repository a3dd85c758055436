"""The second pass over a deck: blocks of columns and odd records into rows, so that a code has one price from one date.

What the lines of a block have in common is read once for each different cell. A line whose code stands nowhere
else from the same date goes in as it is; only lines that meet are set against each other, in order, one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal

import polars as pl

from rating.decks.blocks import LINE, TEXT, Block, name_of
from rating.decks.deckrows import NAME, NUMBERS, PREFIX, PRICE, SCHEMA, TERMS, DeckRows, Entry, Numbered, Terms
from rating.decks.layout import Layout
from rating.decks.meeting import Collector
from rating.decks.rows import MAX_ROWS, RowReader, Tally
from rating.decks.source import Record
from rating.decks.survey import carries_data
from rating.decks.values import BadCell, DeckRefused, RejectedLine

Numbering = Callable[[tuple[str, ...]], int]
MAX_TEXT_LETTERS = 1000
BEGINS, CODE, BESIDE, WORD = "begins", "code", "beside", "word"
_PLAIN_CODE = "^[0-9]{1,15}$"
_SKIPPED = "{n} lines with nothing but a sentence were taken for notes (line {line} first)."


class Gatherer:
    """Takes blocks, gives rows."""

    def __init__(self, reader: RowReader, layout: Layout, price_column: int, tally: Tally) -> None:
        self.rejected: list[RejectedLine] = []
        self.read = 0
        self._reader, self._layout, self._price_column, self._tally = reader, layout, price_column, tally
        self._names, self._prices = Numbered[str](), Numbered[Decimal | None]()
        self._terms, self._errors = Numbered[Terms](), Numbered[str]()
        self._no_price = self._prices.of(None)
        self._frames: list[pl.DataFrame] = []
        self._size = 0

    def take(self, block: Block) -> None:
        """Raises DeckRefused where the deck holds more codes than can be."""
        if self._reader.depends_on_order:
            self._take_odd(sorted([*map(_record, block.plain.iter_rows()), *block.odd]))
        else:
            self._take_plain(block.plain)
            self._take_odd(block.odd)
        if self._size > MAX_ROWS:
            raise DeckRefused("too_large", f"The deck has more than {MAX_ROWS} codes.")

    def rows(self, texts_of: Callable[[set[int]], dict[int, str]]) -> DeckRows:
        """All that was taken, each code once from one date. `texts_of` finds lines again, by their numbers."""
        frame = pl.concat([pl.DataFrame(schema=SCHEMA), *self._frames]).sort(LINE, maintain_order=True)
        known = (self._names.values, self._prices.values, self._terms.values)
        met = self._lines_that_meet(frame)
        alone = frame.join(met, on=LINE, how="anti", maintain_order="left")
        self._note(alone)
        if len(met):
            collector = Collector(self._tally, DeckRows(frame, *known))
            collector.add_all(frame.join(met, on=LINE, how="semi", maintain_order="left"))
            texts = texts_of({line for line, _reason in collector.refused})
            for line, reason in collector.refused:
                self._reject(line, texts[line], reason)
            alone = alone.vstack(_frame(collector.rows)).sort(LINE, maintain_order=True)
        self.rejected.sort()
        return DeckRows(alone, *known)

    def _take_plain(self, plain: pl.DataFrame) -> None:
        """Numbers of values below zero stand for the reason why there is none."""
        self.read += len(plain)
        reader = self._reader
        word = pl.col(name_of(reader.price_column))
        plain = plain.with_columns(pl.when(word.str.contains("^[0-9]")).then(pl.lit("")).otherwise(word).alias(WORD))
        columns = reader.columns
        names, prices, terms = (list(map(name_of, some)) for some in (columns.names, columns.prices, columns.terms))
        plain = self._numbered(plain, NAME, names, lambda cells: self._names.of(reader.name_of(cells)))
        plain = self._numbered(plain, PRICE, prices, lambda cells: self._prices.of(reader.price_of(cells)))
        plain = self._numbered(plain, TERMS, [WORD, *terms], lambda cells: self._terms.of(reader.terms_of(cells)))
        code, country = columns.code, columns.country
        is_plain = pl.col(CODE).str.contains(_PLAIN_CODE) & pl.lit(country is None)
        beside = pl.lit("") if country is None else pl.col(name_of(country))
        plain = plain.select(LINE, TEXT, pl.col(name_of(code)).alias(CODE), beside.alias(BESIDE), *NUMBERS)
        plain = self._without_optional_prices(plain)
        bare, lists = plain.filter(is_plain), plain.filter(~is_plain)
        self._add(bare.filter(_is_good()).select(LINE, pl.col(CODE).alias(PREFIX), *NUMBERS))
        for row in bare.filter(~_is_good()).iter_rows():
            self._reject_values(row)
        self._take_lists(lists)

    def _take_lists(self, lists: pl.DataFrame) -> None:
        """Lines whose code cell holds more than plain digits, or only the part after the country."""
        found = []
        for row in lists.iter_rows():
            line, text, code, beside, *numbers = row
            try:
                prefixes = self._reader.codes_of(code, beside)
            except BadCell as error:
                self._reject(line, text, str(error))
                continue
            if min(numbers) < 0:
                self._reject_values(row)
            else:
                found.append((line, prefixes, *numbers))
        schema = SCHEMA | {PREFIX: pl.List(pl.String)}
        self._add(pl.DataFrame(found, schema=schema, orient="row").explode(PREFIX))

    def _take_odd(self, records: Iterable[Record]) -> None:
        entries: list[Entry] = []
        for record in records:
            if not carries_data(record, self._layout, self._price_column, self._skip):
                continue
            self.read += 1
            try:
                prefixes, name, price, terms = self._reader.read(record)
            except BadCell as error:
                self._reject(record.line, record.text, str(error))
                continue
            numbers = self._names.of(name), self._prices.of(price), self._terms.of(terms)
            entries += [(record.line, prefix, *numbers) for prefix in prefixes]
        self._add(_frame(entries))

    def _numbered(self, plain: pl.DataFrame, role: str, columns: list[str], number: Numbering) -> pl.DataFrame:
        """The frame with the number of what some columns say, in a column of that role."""
        if not columns:
            return plain.with_columns(pl.lit(number(())).cast(pl.Int32).alias(role))
        different = plain.select(columns).unique(maintain_order=True)
        numbers = [self._or_error(number, cells) for cells in different.iter_rows()]
        different = different.with_columns(pl.Series(role, numbers, dtype=pl.Int32))
        return plain.join(different, on=columns, how="left", maintain_order="left")

    def _or_error(self, number: Numbering, cells: tuple[str, ...]) -> int:
        try:
            return number(cells)
        except BadCell as error:
            return -1 - self._errors.of(str(error))

    def _without_optional_prices(self, plain: pl.DataFrame) -> pl.DataFrame:
        """Who closes or bars a code need not price it."""
        optional = [place for place, terms in enumerate(self._terms.values) if terms.closed or terms.blocked]
        is_free = pl.col(TERMS).is_in(optional) & (pl.col(PRICE) < 0)
        return plain.with_columns(
            pl.when(is_free).then(pl.lit(self._no_price, dtype=pl.Int32)).otherwise(pl.col(PRICE)).alias(PRICE)
        )

    def _lines_that_meet(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Lines with a code that stands once more, in the same or another line, from the same date."""
        if frame[PREFIX].n_unique() == len(frame):
            return frame.head(0).select(LINE)
        dates = Numbered[object]()
        begins = [dates.of(terms.effective.begins) for terms in self._terms.values]
        dated = frame.with_columns(pl.col(TERMS).replace_strict(list(range(len(begins))), begins).alias(BEGINS))
        return dated.filter(pl.struct(PREFIX, BEGINS).is_duplicated()).select(LINE).unique()

    def _note(self, frame: pl.DataFrame) -> None:
        """The notes of lines that go in as they are."""
        noted = [place for place, terms in enumerate(self._terms.values) if terms.notes]
        lines = frame.filter(pl.col(TERMS).is_in(noted)).unique(LINE)
        for place, count, first in lines.group_by(TERMS).agg(pl.len(), pl.col(LINE).min()).iter_rows():
            for note in self._terms.values[place].notes:
                self._tally.note(note, first, count)

    def _add(self, frame: pl.DataFrame) -> None:
        if len(frame):
            self._frames.append(frame)
            self._size += len(frame)

    def _skip(self, record: Record) -> None:
        self._tally.note(_SKIPPED, record.line)

    def _reject_values(self, row: tuple[int, str, str, str, int, int, int]) -> None:
        """A line of which the terms, or else the price, cannot be read."""
        line, text, _code, _beside, _name, price, terms = row
        self._reject(line, text, self._errors.values[-1 - (terms if terms < 0 else price)])

    def _reject(self, line: int, text: str, reason: str) -> None:
        self.rejected.append(RejectedLine(line, text[:MAX_TEXT_LETTERS], reason))


def _is_good() -> pl.Expr:
    return (pl.col(PRICE) >= 0) & (pl.col(TERMS) >= 0)


def _frame(entries: list[Entry]) -> pl.DataFrame:
    return pl.DataFrame(entries, schema=SCHEMA, orient="row")


def _record(row: tuple[object, ...]) -> Record:
    line, text, *cells = row
    return Record(int(str(line)), str(text), [*map(str, cells)], "")
