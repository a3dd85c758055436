"""What a cell of the very file would become under each answer, so that a question answers itself."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from rating.decks.codes import CodeReader
from rating.decks.dates import DateReader
from rating.decks.prices import PriceReader
from rating.decks.values import BadCell, Question

LONG_AGO = datetime(1990, 1, 1, tzinfo=UTC)
NAMED_CODES = 3


def example(question: Question, option: str) -> str:
    """A cell and what it would be read as, or nothing where that cannot be told by one cell."""
    read = {"hyphen": _codes, "date_order": _date, "decimal_mark": _by_mark, "price_unit": _in_unit}.get(question.key)
    if read is None:
        return ""
    for cell in question.samples:
        try:
            return f"{cell} = {read(cell, option)}"
        except BadCell:
            continue
    return ""


def _codes(cell: str, option: str) -> str:
    codes = CodeReader(option).read(cell)
    if len(codes) <= NAMED_CODES:
        return ", ".join(codes)
    return f"{codes[0]}, {codes[1]} ... {codes[-1]} ({len(codes)})"


def _date(cell: str, option: str) -> str:
    return f"{DateReader(option, ZoneInfo('UTC'), LONG_AGO).read(cell).stated:%d %B %Y}"


def _by_mark(cell: str, option: str) -> str:
    return _plain(PriceReader(option).read(cell))


def _in_unit(cell: str, option: str) -> str:
    return _plain(PriceReader(unit=option).read(cell))


def _plain(price: Decimal) -> str:
    return f"{price.normalize():f}"
