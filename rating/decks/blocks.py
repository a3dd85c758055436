"""A deck by columns, some ten thousand lines at a time, so that 285,000 of them take a second and not five.

Only lines in which nothing can be odd come as columns: a price, no more cells than the header, not the header again.
All others come as records, for the same reading that a file of ten lines gets.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import polars as pl

from rating.decks import headers as h
from rating.decks.layout import Layout
from rating.decks.source import Batch, Record, Source

BLOCK_LINES = 50_000
KEPT_BLOCKS = 8
LINE, TEXT, MORE = "line", "text", "more"
_SOMETHING = "[0-9A-Za-z]"


class Block(NamedTuple):
    """`plain` has columns `line`, `text` and one for each column of the header, by its number; `odd` is the rest."""

    plain: pl.DataFrame
    odd: list[Record]


def name_of(column: int) -> str:
    """The name of a header's column in `Block.plain`."""
    return str(column)


class Blocks:
    """The file below its header, read twice: cut anew each time, but for a file that can be kept."""

    def __init__(self, source: Source, layout: Layout, price_column: int) -> None:
        self._source, self._layout, self._price_column = source, layout, price_column
        self._kept: list[Block] | None = None

    def __iter__(self) -> Iterator[Block]:
        if self._kept is not None:
            yield from self._kept
            return
        kept: list[Block] = []
        is_small = True
        for block in self._cut():
            is_small = is_small and len(kept) < KEPT_BLOCKS
            kept = [*kept, block] if is_small else []
            yield block
        self._kept = kept if is_small else None

    def _cut(self) -> Iterator[Block]:
        layout, width = self._layout, len(self._layout.header)
        for batch in self._source.batches(layout.delimiter, BLOCK_LINES, unwrap=layout.unwrap):
            cut = _of_records(batch.records, width)
            odd = [one for one in batch.records if cut is None or not _fits(one, width)]
            frame = _of_lines(batch, layout.delimiter, width)
            frame = frame if cut is None else frame.vstack(cut)
            is_plain = _plain(layout, self._price_column)
            records = {one.line: one for one in batch.records}
            for line, text in frame.filter(~is_plain).select(LINE, TEXT).iter_rows():
                odd.append(records.get(line) or Record(line, text, text.split(layout.delimiter), ""))
            plain = frame.filter(is_plain & (pl.col(LINE) > layout.header_line))
            yield Block(plain.drop(MORE).sort(LINE), sorted(one for one in odd if one.line > layout.header_line))


def _fits(record: Record, width: int) -> bool:
    return not record.error and len(record.cells) <= width


def _of_lines(batch: Batch, delimiter: str, width: int) -> pl.DataFrame:
    """Lines without quotes; `more` holds what stands beyond the header's last column."""
    names = [name_of(column) for column in range(width)]
    texts = pl.Series(TEXT, batch.lines, dtype=pl.String)
    cells = texts.str.splitn(delimiter, width + 1).struct.unnest()
    cells.columns = [*names, MORE]
    cells = cells.with_columns(pl.col(names).fill_null(""))
    return cells.select(pl.Series(LINE, batch.numbers, dtype=pl.Int64), texts, *cells.columns)


def _of_records(records: list[Record], width: int) -> pl.DataFrame | None:
    """Records that fit the header, if there are; None where they hold letters that no column can (half a pair)."""
    schema: dict[str, type[pl.DataType]] = {LINE: pl.Int64, TEXT: pl.String}
    schema |= {name_of(column): pl.String for column in range(width)} | {MORE: pl.String}
    blank = [""] * width
    rows = [(one.line, one.text, *one.cells, *blank[len(one.cells) :], None) for one in records if _fits(one, width)]
    try:
        return pl.DataFrame(rows, schema=schema, orient="row")
    except UnicodeEncodeError:
        return None


def _plain(layout: Layout, price_column: int) -> pl.Expr:
    """What is surely a line of data."""
    code = layout.roles[h.CODE]
    return (
        pl.col(name_of(price_column)).str.contains(_SOMETHING)
        & pl.col(MORE).is_null()
        & ~pl.col(name_of(code)).str.contains(layout.header[code].strip(), literal=True)
    )
