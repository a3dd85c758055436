"""A chunk of calls priced at every tier at once: what `Engine.price` says of each, as columns.

    priced = price_calls(engine, calls)

Who sold comes from `standings`, the rates from `hits`, the amounts from `rating.batch`. An odd call (nobody sold, no
price, no wallet, figures beyond 64 bits) is the engine's own, row by row, so its answer and its reasons are the
engine's too.
"""

from __future__ import annotations

from threading import Lock
from typing import Final

import numpy as np

from rating.batch import Priced, price_columns
from rating.batch.digits import NOT_A_NUMBER, Ints, keys_of
from rating.numbers import ServiceClass
from rating.pricing.column_rows import price_rows
from rating.pricing.column_types import CLASSES, NONE, CallColumns, Flags, Indexes, PricedColumns, TierColumns
from rating.pricing.engine import Engine
from rating.pricing.hits import Hits, Tier
from rating.pricing.standings import NOT_ASKED, Standings
from rating.pricing.taxes import split_taxes

__all__ = ["CLASSES", "NONE", "CallColumns", "PricedColumns", "TierColumns", "price_calls"]

MAX_FOUNDS: Final = 400_000
MAX_CELL_BYTES: Final = 256 * 2**20
_ON_NET: Final = CLASSES.index(ServiceClass.ON_NET)


class ColumnBook:
    """What an engine keeps for pricing by columns. It fills as calls come, and is dropped whole when too large."""

    def __init__(self, engine: Engine) -> None:
        self.hits = Hits()
        self.standings = Standings(engine, self.hits)
        self.links, self.founds, self.lists = self.standings.links, self.hits.founds, self.hits.lists
        self.purses, self.carriers = self.standings.purses, self.standings.carriers
        self.link, self.purse, self.carrier = self.standings.link, self.standings.purse, self.standings.carrier
        self.found = self.hits.places_of
        self.lock = Lock()

    @property
    def full(self) -> bool:
        return len(self.founds.things) > MAX_FOUNDS or self.hits.nbytes > MAX_CELL_BYTES


def price_calls(engine: Engine, calls: CallColumns) -> PricedColumns:
    """Price calls at every tier; equal to `Engine.price` call by call, to the last digit."""
    book = _book_of(engine)
    with book.lock:
        return _Chunk(book, calls).price(engine)


def _book_of(engine: Engine) -> ColumnBook:
    book = engine.columns
    if isinstance(book, ColumnBook) and not book.full:
        return book
    if book is not None:
        engine.shelf.forget()
    engine.columns = book = ColumnBook(engine)
    return book


class _Chunk:
    """One chunk on its way from calls to columns. Rows marked `odd` are left to the engine."""

    def __init__(self, book: ColumnBook, calls: CallColumns) -> None:
        self._book, self._calls, self._count = book, calls, len(calls)
        carriers, lines = book.standings.places_of(calls.carriers), book.standings.lines_of(calls.customers)
        self._trunk = carriers.take(calls.trunk)
        self._standing = book.standings.find(lines.take(calls.customer), calls.answered_us)
        self._keys = keys_of(calls.number)
        self._odd: Flags = (self._standing == NONE) | (self._keys == NOT_A_NUMBER) | ~calls.is_e164
        self._stretch = book.hits.stretches(self._keys)

    def price(self, engine: Engine) -> PricedColumns:
        """All columns."""
        charged = np.zeros(self._count, np.bool_)
        tiers = self._tiers(charged)
        chosen = np.where(self._calls.abroad, self._book.standings.chosen.padded.take(self._standing), NONE)
        carrier, cost_found, cost = self._cost(chosen)
        book = self._book
        priced = PricedColumns(
            tiers=tiers,
            links=book.links.things,
            founds=book.founds.things,
            lists=book.lists.things,
            purses=book.purses.things,
            carriers=book.carriers.things,
            chosen=_indexes(chosen),
            cost_carrier=_indexes(carrier),
            cost_found=_indexes(cost_found),
            cost=cost,
            charged=charged,
            unpriced={},
        )
        odd = np.flatnonzero(self._odd)
        if len(odd):
            _clear(priced, odd)
            price_rows(engine, self._calls, odd.tolist(), priced, book)
        return priced

    def _hits(self, bundles: Ints, rows: Ints) -> Ints:
        """The hits of these rows in the bundles given for all; NONE for the other rows."""
        if len(rows) == self._count:
            return self._book.hits.find(bundles, self._stretch, self._calls)
        found = np.full(self._count, NONE, np.int64)
        if len(rows):
            found[rows] = self._book.hits.find(bundles[rows], self._stretch[rows], self._calls, rows)
        return found

    def _tiers(self, charged: Flags) -> list[TierColumns]:
        hits, standings = self._book.hits, self._book.standings
        at = 2 * self._standing + self._calls.abroad
        found = self._hits(standings.bundles.padded.reshape(-1).take(at), np.flatnonzero(~self._odd))
        self._odd |= hits.odd.padded.take(found)
        positions = zip(standings.tiers, hits.tiers, strict=False)
        return [self._tier(links.padded.take(self._standing), tier, found, charged) for links, tier in positions]

    def _tier(self, links: Ints, tier: Tier, hit: Ints, charged: Flags) -> TierColumns:
        hits, standings = self._book.hits, self._book.standings
        founds = tier.founds.padded.take(hit)
        purses = standings.purses_of(links, hits.currency_of.padded.take(founds))
        self._odd |= (purses == NONE) & (founds != NONE)
        priced = self._amounts(founds)
        self._odd[list(priced.refused)] = True
        charged |= priced.charged
        prepaid = standings.prepaid.padded.take(purses)
        sale, tax = split_taxes(priced.amounts, prepaid, links, standings.shares.padded)
        lists = tier.lists.padded.take(hit)
        link, found, price_list, purse = map(_indexes, (links, founds, lists, purses))
        return TierColumns(link, found, price_list, purse, priced.amounts, sale, tax, priced.billed_s)

    def _amounts(self, founds: Ints) -> Priced:
        return price_columns(self._book.hits.rates, founds, self._calls.duration_s, self._calls.answered_us)

    def _cost(self, chosen: Ints) -> tuple[Ints, Ints, Ints]:
        """Who carried each call, the rate of its table and the cost; the trunk before the choice."""
        hits, standings = self._book.hits, self._book.standings
        carrier = np.where(self._trunk == NONE, chosen, self._trunk)
        carrier[self._calls.service_class == _ON_NET] = NONE
        bundles = standings.costs.padded.take(carrier)
        carrier[bundles == NOT_ASKED] = NONE
        rows = np.flatnonzero((bundles >= 0) & ~self._odd)
        if not len(rows):
            return carrier, np.full(self._count, NONE), np.zeros(self._count, np.int64)
        found = self._hits(bundles, rows)
        founds = hits.tiers[0].founds.padded.take(found)
        founds[hits.closed.padded.take(founds)] = NONE
        priced = self._amounts(founds)
        founds[list(priced.refused)] = NONE
        return carrier, founds, priced.amounts


def _indexes(column: Ints) -> Indexes:
    return column.astype(np.int32)


def _clear(priced: PricedColumns, rows: Ints) -> None:
    """Nothing in these rows."""
    for tier in priced.tiers:
        for index in (tier.link, tier.found, tier.price_list, tier.purse):
            index[rows] = NONE
        for figure in (tier.amount, tier.sale, tier.tax, tier.billed_s):
            figure[rows] = 0
    for index in (priced.chosen, priced.cost_carrier, priced.cost_found):
        index[rows] = NONE
    priced.cost[rows] = 0
    priced.charged[rows] = False
