"""The kernel's arithmetic over columns: a million numbers and calls at a time, for imports and re-rating.

No Django, no clock, no database. Whatever is not plain enough for columns goes to the kernel, row by row; the result
equals the kernel's to the last digit either way, and a property test says so.

    book = Book.compile([[Dated("4420", rate, since), ...], ...])     one list of rows for each table
    ids = book.find(numbers, answered_us, tables)                     one binary search for each number
    priced = price_columns(book.rates, ids, duration_s, answered_us)

Modules: `digits` makes a number one integer, `intervals` cuts the prefixes of all tables into stretches of such
integers, `book` adds the dates; `scaled` is a rate in integers, `prices` the columns of amounts.
"""

from __future__ import annotations

from rating.batch.book import NO_RATE, Book, Dated
from rating.batch.prices import Priced, price_columns
from rating.batch.scaled import AMOUNT_PLACES, RateColumns
from rating.batch.times import NO_TIME, epoch_us

__all__ = [
    "AMOUNT_PLACES",
    "NO_RATE",
    "NO_TIME",
    "Book",
    "Dated",
    "Priced",
    "RateColumns",
    "epoch_us",
    "price_columns",
]
