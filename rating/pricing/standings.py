"""Who sold to each customer, and by which lists, as columns: one standing for each interval in which nothing changed.

Filled from `Directory` and `Shelf` themselves, once for each customer and interval; a customer's calls find theirs by
the moment of their answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import numpy as np

from rating.batch.digits import Ints
from rating.batch.growing import Growing
from rating.batch.timelines import Timelines
from rating.batch.times import epoch_us
from rating.numbers.columns import NONE
from rating.pricing.column_types import Registry
from rating.pricing.directory import BEGINNING, Link, Purse
from rating.pricing.engine import Engine
from rating.pricing.hits import Bundle, Hits
from rating.pricing.taxes import NO_TAX, share_of

NOT_ASKED = -2
FIRST_WIDTH = 8


class Standings:
    """Each has links, a chosen carrier, and the bundle of lists for calls at home and abroad."""

    def __init__(self, engine: Engine, hits: Hits) -> None:
        self._engine, self._hits = engine, hits
        self.links, self.purses, self.carriers = Registry[Link](), Registry[Purse](), Registry[UUID]()
        self.tiers: list[Growing] = []
        """For each position of the chain the link of each standing, NONE where it has no such tier."""
        self.chosen = Growing(NONE)
        self.bundles = Growing([NONE, NONE])
        """At home and abroad; NONE where nobody sold."""
        self.shares = Growing(NO_TAX)
        """By link."""
        self.prepaid = Growing(False, np.bool_)
        """By purse."""
        self.costs = Growing(NONE)
        """By carrier: the bundle of its cost table, NONE without a table, NOT_ASKED for a carrier nobody knows."""
        self._lines = Timelines()
        self._of_segment = Growing(NONE)
        self._line_of: dict[UUID, int] = {}
        self._known: dict[tuple[tuple[int, ...], UUID | None], int] = {}
        self._purse_of = np.full((0, FIRST_WIDTH), NOT_ASKED, np.int64)
        """By link and currency; the last row is that of no link."""

    def lines_of(self, customers: Sequence[UUID]) -> Ints:
        """The line of each customer, made where it is new."""
        return np.array([self._line_of.get(one) or self._add(one) for one in customers], dtype=np.int64) - 1

    def find(self, lines: Ints, answered_us: Ints) -> Ints:
        """The standing of each call; NONE where nobody sold to the customer then."""
        return self._of_segment.view.take(self._lines.find(lines, answered_us))

    def places_of(self, carriers: Sequence[UUID]) -> Ints:
        """Where these carriers stand in `carriers`, with NONE for index -1."""
        return np.array([*map(self.carrier, carriers), NONE], dtype=np.int64)

    def _add(self, customer: UUID) -> int:
        """One more than the number of its line."""
        turns = self._engine.directory.turns(customer)
        self._of_segment.extend([self._standing(customer, moment) for moment in [BEGINNING, *turns]])
        self._line_of[customer] = line = self._lines.add([epoch_us(moment) for moment in turns]) + 1
        return line

    def _standing(self, customer: UUID, moment: datetime) -> int:
        links = self._engine.chain(customer, moment)
        if not links:
            return NONE
        chosen = self._engine.directory.choice(customer, links, moment)
        places = tuple(map(self.link, links))
        known = self._known.get((places, chosen))
        if known is None:
            known = self._known[places, chosen] = self.chosen.count
            while len(self.tiers) < len(links):
                self.tiers.append(Growing(NONE))
                self.tiers[-1].extend([NONE] * known)
            for at, tier in enumerate(self.tiers):
                tier.extend([places[at] if at < len(places) else NONE])
            self.chosen.extend([NONE if chosen is None else self.carrier(chosen)])
            self.bundles.extend([[self._bundle(links, None), self._bundle(links, chosen)]])
        return known

    def _bundle(self, links: Sequence[Link], carrier: UUID | None) -> int:
        groups = self._engine.shelf.groups
        return self._hits.bundle(Bundle(tuple(groups(link.brand, link.buyer, carrier) for link in links)))

    def link(self, link: Link) -> int:
        """Where it stands; entered where it is new."""
        place = self.links.place(link)
        if place == self.shares.count:
            self.shares.extend([share_of(self._engine.directory.taxes.get(link.brand))])
        return place

    def carrier(self, carrier: UUID) -> int:
        """Where it stands; entered where it is new."""
        place = self.carriers.place(carrier)
        if place == self.costs.count:
            known = self._engine.directory.carriers_by_id.get(carrier)
            table = known.cost_table if known else None
            bundle = NONE if table is None else self._hits.bundle(Bundle(table=self._engine.shelf.table(table.pk)))
            self.costs.extend([bundle if known else NOT_ASKED])
        return place

    def purses_of(self, links: Ints, currencies: Ints) -> Ints:
        """The purse in which each link is paid in a currency of `hits.currencies`; NONE where there is none."""
        self._widen(len(self._hits.currencies.things))
        width = self._purse_of.shape[1]
        cells = links * width + currencies
        found: Ints = self._purse_of.reshape(-1).take(cells)
        if (found == NOT_ASKED).any():
            for cell in np.unique(cells[found == NOT_ASKED]).tolist():
                link, currency = divmod(cell, width)
                self._purse_of[link, currency] = self._purse(link, currency)
            found = self._purse_of.reshape(-1).take(cells)
        return found

    def _widen(self, currencies: int) -> None:
        links, width = self._purse_of.shape
        if links <= len(self.links.things) or width < currencies:
            purses = np.full((2 * len(self.links.things) + 1, max(width, 2 * currencies)), NOT_ASKED, np.int64)
            purses[: max(links - 1, 0), :width] = self._purse_of[:-1]
            purses[-1] = NONE
            self._purse_of = purses

    def _purse(self, link: int, currency: int) -> int:
        sale = self.links.things[link]
        purse = self._engine.directory.purse(sale.buyer, sale.seller, self._hits.currencies.things[currency])
        return NONE if purse is None else self.purse(purse)

    def purse(self, purse: Purse) -> int:
        """Where it stands; entered where it is new."""
        place = self.purses.place(purse, purse.id)
        if place == self.prepaid.count:
            self.prepaid.extend([purse.prepaid])
        return place
