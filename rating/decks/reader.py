"""The reading of one deck, from a file to rows, rejected lines, warnings, or questions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from rating.decks import headers as h
from rating.decks.blocks import Block, Blocks
from rating.decks.codes import CodeReader
from rating.decks.dates import DateReader
from rating.decks.deckrows import OUTLIER_FACTOR, Deck, DeckRows, Effective
from rating.decks.gather import Gatherer
from rating.decks.layout import Layout, choose_code, choose_price, find_layout
from rating.decks.opening import opened
from rating.decks.prices import DIVISORS, UNIT, PriceReader
from rating.decks.rows import RowReader, Tally
from rating.decks.source import Source
from rating.decks.survey import Choices, check_answers, settle, survey
from rating.decks.values import DeckQuestions, DeckRefused, Progress, Question, Remembered

OUTLIERS_NAMED = 5

_PREAMBLE_CURRENCY = re.compile(r"\b[A-Z]{3}\b", re.ASCII)


def read_deck(
    path: Path,
    *,
    now: datetime,
    time_zone: str = "UTC",
    answers: Mapping[str, str] | None = None,
    mapping: Mapping[str, str] | None = None,
    currency: str | None = None,
    effective: datetime | None = None,
    remembered: Remembered | None = None,
    progress: Progress | None = None,
    most_lines: int | None = None,
) -> Deck:
    """Read a carrier's deck: CSV, an Excel workbook, an open rate card in JSON, or one of these in gzip.

    `now` is the moment of import: a date up to it means "in force". Dates begin at midnight in
    `time_zone`. `answers` settle questions asked before; `mapping` names columns by role (see
    `find_layout`). With `currency`, prices in another one are not taken. `effective` replaces every date
    of the file. `remembered` settles what the file leaves open. `most_lines`: read no more than the first so many.

    Raises DeckRefused where the file is no deck, DeckQuestions where it can be read in more than one way.
    """
    given = dict(answers or {})
    check_answers(given)
    zone = _zone(time_zone)
    kept = remembered or Remembered({}, {})
    with opened(path, {**kept.answers, **given}, mapping, kept.mapping) as source:
        source.most_lines = most_lines
        layout = find_layout(source, mapping, kept.mapping)
        layout, price, questions = _arranged(layout, given, kept.answers, currency, has_dates=effective is None)
        blocks = Blocks(source, layout, price.column if price else layout.roles[h.CODE])
        seen = survey(blocks, layout, price.column if price else None)
        choices, open_questions = settle(seen, layout, price, given, kept.answers)
        questions += open_questions
        if questions or price is None:
            raise DeckQuestions(questions)
        if currency and price.currency and price.currency != currency:
            raise DeckRefused(
                "currency_mismatch",
                f"The column {price.header!r} is in {price.currency}, not in {currency}.",
                str(path),
            )
        reader = RowReader(
            layout,
            price.column,
            codes=CodeReader(choices.hyphen),
            dates=DateReader(choices.date_order, zone, now.astimezone(UTC)),
            prices=PriceReader(choices.mark, choices.unit, currency or price.currency),
            join_country=choices.join_country,
            fixed=_fixed(effective),
        )
        return _read(source, layout, _told(blocks, seen.lines, progress), price, choices, reader)


def _arranged(
    layout: Layout,
    answers: Mapping[str, str],
    kept: Mapping[str, str],
    currency: str | None,
    *,
    has_dates: bool,
) -> tuple[Layout, h.Price | None, list[Question]]:
    """The layout, the price column if it is known, and the questions so far."""
    if not has_dates:
        layout.roles.pop(h.EFFECTIVE, None)
    questions: list[Question] = []
    with_code = choose_code(layout, answers, kept)
    if isinstance(with_code, Question):
        questions.append(with_code)
    else:
        layout = with_code
    chosen = choose_price(layout, answers, currency, kept)
    price = None if isinstance(chosen, Question) else chosen
    if isinstance(chosen, Question):
        questions.append(chosen)
    return layout, price, questions


def _told(blocks: Iterable[Block], lines: int, progress: Progress | None) -> Iterator[Block]:
    """The blocks, with word of how far they are."""
    read = 0
    for block in blocks:
        yield block
        read += len(block.plain) + len(block.odd)
        if progress:
            progress(min(read, lines), lines)


def _read(
    source: Source, layout: Layout, blocks: Iterable[Block], price: h.Price, choices: Choices, reader: RowReader
) -> Deck:
    tally = Tally()
    gatherer = Gatherer(reader, layout, price.column, tally)
    for block in blocks:
        gatherer.take(block)
    rows = gatherer.rows(partial(_texts, source, layout))
    warnings = [
        *source.warnings,
        *_column_warnings(layout, price, choices, reader.currency),
        *tally.warnings(),
    ]
    if reader.prices.rounded:
        warnings.append(f"{reader.prices.rounded} different prices have more than 8 decimals and were rounded.")
    warnings += _row_warnings(rows)
    return Deck(rows, gatherer.rejected, warnings, gatherer.read, reader.currency, _columns(layout, price))


def _texts(source: Source, layout: Layout, lines: set[int]) -> dict[int, str]:
    """The texts of some lines, by their numbers."""
    records = source.records(layout.delimiter, unwrap=layout.unwrap)
    return {record.line: record.text for record in records if record.line in lines}


def _fixed(effective: datetime | None) -> Effective | None:
    """A date that a person gives holds as it stands, even in the past."""
    if effective is None:
        return None
    begins = effective.astimezone(UTC)
    return Effective(begins, begins)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise DeckRefused("bad_time_zone", f"There is no time zone {name!r}.", "time_zone") from error


def _columns(layout: Layout, price: h.Price) -> dict[str, str]:
    """Role to header, as the deck was understood."""
    columns = {role: layout.header[column].strip() for role, column in layout.roles.items()}
    return {**columns, h.PRICE: price.header}


def _column_warnings(layout: Layout, price: h.Price, choices: Choices, currency: str | None) -> list[str]:
    warnings = []
    if choices.unit != UNIT:
        warnings.append(f"Prices are divided by {DIVISORS[choices.unit]} (unit: {choices.unit}).")
    others = [other.header for other in layout.prices if other.column != price.column]
    if others:
        warnings.append(f"The price is taken from {price.header!r}; not used: {', '.join(others)}.")
    stated = [
        code for line in layout.preamble for code in _PREAMBLE_CURRENCY.findall(line) if code.lower() in h.CURRENCIES
    ]
    if currency and stated and currency not in stated:
        warnings.append(f"The lines above the table speak of {stated[0]}; the prices are taken as {currency}.")
    return warnings


def _row_warnings(rows: DeckRows) -> list[str]:
    warnings = []
    if not rows:
        warnings.append("No line of the file gave a code.")
    if leading := rows.leading_zeros:
        warnings.append(f"{leading} codes begin with 0, as no number in international form does.")
    if outliers := rows.outliers():
        lines = outliers.lines
        named = ", ".join(map(str, lines[:OUTLIERS_NAMED]))
        warnings.append(
            f"{len(lines)} lines cost over {OUTLIER_FACTOR} times the middle price (lines {named}): please check."
        )
    return warnings
