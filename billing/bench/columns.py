"""The columns' part of `./bench rating`: the same calls as numbers, customers, times and durations side by side.

What a reader of files hands over is columns already, so making them of the bench's calls is not on the clock, nor is
turning amounts back for the comparison. Numbers lose their `+` or `00` as with the yardstick; the dial plan's
other rules are not worked out by columns.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from billing.bench.world import ALWAYS, FIRST_CALL, TIERS, Call
from rating.batch import AMOUNT_PLACES, Book, Dated, epoch_us, price_columns
from rating.pricing import Engine
from rating.pricing.lists import ListBook

CHUNK = 50_000
PLUS, ZERO = ord("+"), ord("0")
Ints = NDArray[np.int64]


class Columns(NamedTuple):
    """Calls as the pipeline's columns, each of shape (n,)."""

    numbers: NDArray[np.bytes_]
    customers: Ints
    answered_us: Ints
    duration_s: Ints


class ColumnPricing:
    """Three tiers' lists compiled into one book; every customer has its own column of tables."""

    def __init__(self) -> None:
        engine = Engine()
        codes = sorted(code for code in engine.directory.by_code if code.startswith("customer-"))
        self._customers = {code: at for at, code in enumerate(codes)}
        self._lists: dict[int, int] = {}
        self._books: list[ListBook] = []
        tables = [list(self._tables_of(engine, code)) for code in codes]
        self._tables_by_customer = np.array(tables, dtype=np.int64).T
        self._book = Book.compile(_rows(book) for book in self._books)

    def timed(self, batch: list[Call]) -> tuple[float, list[tuple[Decimal, ...]]]:
        """CPU seconds of this process, and what came out."""
        chunks = [self._columns(batch[at : at + CHUNK]) for at in range(0, len(batch), CHUNK)]
        started = time.process_time()
        amounts = [self._price(chunk) for chunk in chunks]
        seconds = time.process_time() - started
        scaled = np.concatenate(amounts, axis=1).T.tolist()
        return seconds, [tuple(Decimal(one).scaleb(-AMOUNT_PLACES) for one in tiers) for tiers in scaled]

    def _price(self, calls: Columns) -> Ints:
        """Amounts in units of 10**-6, shape (tiers, n)."""
        tables = self._tables_by_customer[:, calls.customers]
        ids = self._book.find(e164(calls.numbers), calls.answered_us, tables)
        tiers = [price_columns(self._book.rates, tier, calls.duration_s, calls.answered_us) for tier in ids]
        return np.stack([tier.amounts for tier in tiers])

    def _columns(self, calls: list[Call]) -> Columns:
        return Columns(
            np.array([call.number for call in calls], dtype=np.bytes_),
            np.array([self._customers[call.customer] for call in calls]),
            np.array([epoch_us(call.answered_at) for call in calls]),
            np.array([call.duration_s for call in calls]),
        )

    def _tables_of(self, engine: Engine, code: str) -> Iterator[int]:
        """The customer's list at each tier, from its own seller up, as a table of the book."""
        links = engine.directory.chain(engine.directory.by_code[code].id, FIRST_CALL)
        assert len(links) == len(TIERS)
        for link in links:
            [book] = [book for group in engine.shelf.groups(link.brand, link.buyer, None) for book in group.books]
            if id(book) not in self._lists:
                self._lists[id(book)] = len(self._books)
                self._books.append(book)
            yield self._lists[id(book)]


def _rows(book: ListBook) -> Iterator[Dated]:
    """The list as it stands while the calls last: nothing in the bench's world changes within them."""
    for prefix in book.prefixes:
        found = book.at(prefix, FIRST_CALL)
        if found is not None:
            yield Dated(prefix, found.kernel, ALWAYS, blocked=found.row.blocked)


def e164(dialled: NDArray[np.bytes_]) -> NDArray[Any]:
    """Digits without the `+` or `00` before them."""
    width = dialled.dtype.itemsize
    cells = dialled.view(np.uint8).reshape(len(dialled), width)
    digits = cells.copy()
    plus = cells[:, 0] == PLUS
    zeros = (cells[:, 0] == ZERO) & (cells[:, 1] == ZERO)
    for rows, length in ((plus, 1), (zeros, 2)):
        digits[rows, : width - length] = cells[rows, length:]
        digits[rows, width - length :] = 0
    return digits.view(dialled.dtype).reshape(-1)
