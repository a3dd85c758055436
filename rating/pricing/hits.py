"""Which rates price a call, remembered by cells: the same for all calls that must have the same answer.

A bundle is what is asked for one call at once: the lists of each tier, or a carrier's table. For each stretch of
numbers and each interval between the moments at which the bundle may change, the lists themselves are asked once, with
the first such call; all others take the answer from the cell.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

import numpy as np

from rating.batch.cells import UNKNOWN, Cells
from rating.batch.digits import Ints
from rating.batch.growing import Growing
from rating.batch.intervals import Stretches
from rating.batch.scaled import RateColumns
from rating.batch.timelines import Timelines
from rating.batch.times import epoch_us, moment_of
from rating.kernel import Rate as KernelRate
from rating.numbers import ServiceClass
from rating.numbers.columns import CLASSES, NONE
from rating.pricing.column_types import CallColumns, Registry
from rating.pricing.flats import Terms
from rating.pricing.lists import Found
from rating.pricing.shelf import Groups, find_in, in_table
from rating.pricing.tables import TableBook

_STRETCH_BITS: Final = 32
_STRETCHES: Final = (1 << _STRETCH_BITS) - 1
UNPRICEABLE: Final = KernelRate(Decimal(0))
"""Stands where a rate cannot be made; calls that hit it are odd."""

Answer = tuple[Found | None, UUID | None]
Hit = tuple[tuple[int, int], ...]
"""For each tier the places of a rate and of its list."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """The lists of each tier, from the customer up; or one carrier's table."""

    tiers: tuple[Groups, ...] = ()
    table: TableBook | None = None

    @property
    def key(self) -> object:
        return tuple(tuple(map(id, groups)) for groups in self.tiers), id(self.table)

    @property
    def by_class(self) -> bool:
        return any(group.by_class for groups in self.tiers for group in groups)

    def prefixes(self) -> Iterator[object]:
        """The sets of prefixes on which the answer depends."""
        yield from (group.prefixes for groups in self.tiers for group in groups)
        if self.table is not None:
            yield self.table.prefixes

    def turns(self) -> list[datetime]:
        """All moments, in order, at which the answer may change."""
        found = {moment for groups in self.tiers for group in groups for moment in group.moments}
        return sorted(found.union(self.table.moments if self.table else ()))

    def ask(self, number: str, moment: datetime, kind: ServiceClass) -> Iterator[Answer]:
        """The rate of each tier, and the list it stands in."""
        for groups in self.tiers:
            hit = find_in(groups, number, moment, kind)
            yield (None, None) if hit is None else (hit.found, hit.list_id)
        if self.table is not None:
            yield in_table(self.table, number, moment), None


class Tier:
    """What one position of the chain has at each hit: places of the rate and of its list, NONE where there is none."""

    def __init__(self, count: int) -> None:
        self.founds, self.lists = Growing(NONE), Growing(NONE)
        self.extend([(NONE, NONE)] * count)

    def extend(self, hits: Sequence[tuple[int, int]]) -> None:
        """Append what further hits have here."""
        self.founds.extend([found for found, _list in hits])
        self.lists.extend([price_list for _found, price_list in hits])


class Hits:
    """Cells that point to hits: for each tier a rate and its list. All rates found so far stand in `rates` too."""

    def __init__(self) -> None:
        self.founds = Registry[Found]()
        self.lists = Registry[UUID]()
        self.rates = RateColumns(kernel_of=lambda place: self.founds.things[place].kernel)
        self.currencies = Registry[str]()
        self.currency_of = Growing(self.currencies.place(""))
        """By rate; that of no rate is a currency that nobody has."""
        self.closed = Growing(False, np.bool_)
        """Rates that are blocked, or that cannot be made."""
        self.tiers: list[Tier] = []
        self.odd = Growing(False, np.bool_)
        """Hits in which a tier has no rate, or a closed one."""
        self._new_hits: list[Hit] = []
        self._terms = Terms()
        self._known: dict[Hit, int] = {}
        self._bundles: list[Bundle] = []
        self._places: dict[object, int] = {}
        self._line_of, self._classed = Growing(0), Growing(0)
        self._lines = Timelines()
        self._bundle_of_segment: list[int] = []
        self._cut_by: dict[int, object] = {}
        self._stretches = Stretches()
        self._cells = Cells()

    @property
    def nbytes(self) -> int:
        return self._cells.nbytes

    def bundle(self, bundle: Bundle) -> int:
        """The number of a bundle, and room for its lines; all bundles of a chunk come before its first question."""
        key = bundle.key
        place = self._places.get(key)
        if place is None:
            place = self._places[key] = len(self._bundles)
            self._bundles.append(bundle)
            turns = [epoch_us(moment) for moment in bundle.turns()]
            lines = [self._lines.add(turns) for _ in (CLASSES if bundle.by_class else CLASSES[:1])]
            self._bundle_of_segment += [place] * (len(turns) + 1) * len(lines)
            self._line_of.extend([lines[0]])
            self._classed.extend([bundle.by_class])
            self._cut(bundle)
        return place

    def _cut(self, bundle: Bundle) -> None:
        """Numbers that this bundle tells apart lie in stretches of their own from now on."""
        new = {id(one): one for one in bundle.prefixes() if id(one) not in self._cut_by}
        self._cut_by |= new
        before = self._stretches.cuts
        for prefixes in new.values():
            assert hasattr(prefixes, "__iter__")
            self._stretches.cut(prefixes)
        if len(self._stretches.cuts) > len(before):
            self._move(before)

    def _move(self, before: Ints) -> None:
        """Stretches have new numbers: what was known of one holds where it began."""
        keys, values = self._cells.items()
        stretches = np.searchsorted(self._stretches.cuts, before[keys & _STRETCHES])
        self._cells = Cells()
        self._cells.add((keys >> _STRETCH_BITS << _STRETCH_BITS) | stretches, values)

    def stretches(self, keys: Ints) -> Ints:
        """The stretch of each number, by its key; negative for what is no number."""
        return self._stretches.find(keys)

    def find(self, bundles: Ints, stretches: Ints, calls: CallColumns, rows: Ints | None = None) -> Ints:
        """The hits of calls (all, or these rows of the chunk) in these bundles; both columns as long as the rows."""
        answered_us = calls.answered_us if rows is None else calls.answered_us[rows]
        lines = self._line_of.view.take(bundles)
        if self._classed.view.any():
            classes = calls.service_class if rows is None else calls.service_class[rows]
            lines += self._classed.view.take(bundles) * classes
        cells = (self._lines.find(lines, answered_us) << _STRETCH_BITS) | stretches
        found = self._cells.find(cells)
        missing = np.flatnonzero(found == UNKNOWN)
        if len(missing):
            self._fill(cells[missing], missing if rows is None else rows[missing], calls)
            found[missing] = self._cells.find(cells[missing])
        return found

    def _fill(self, cells: Ints, rows: Ints, calls: CallColumns) -> None:
        unknown, first = np.unique(cells, return_index=True)
        asked = rows[first]
        questions = zip(
            (unknown >> _STRETCH_BITS).tolist(),
            calls.number[asked].tolist(),
            calls.answered_us[asked].tolist(),
            calls.service_class[asked].tolist(),
            strict=True,
        )
        hits = [self._ask(*question) for question in questions]
        self._lay()
        self._cells.add(unknown, np.array(hits, np.int64))

    def _ask(self, segment: int, number: bytes, answered_us: int, kind: int) -> int:
        moment = moment_of(answered_us)
        assert moment is not None
        bundle = self._bundles[self._bundle_of_segment[segment]]
        key = tuple(self._places_of(*answer) for answer in bundle.ask(number.decode(), moment, CLASSES[kind]))
        hit = self._known.get(key)
        if hit is None:
            hit = self._known[key] = len(self._known)
            self._new_hits.append(key)
        return hit

    def places_of(self, found: Found, price_list: UUID | None) -> tuple[int, int]:
        """Where a rate and its list stand; entered where they are new."""
        places = self._places_of(found, price_list)
        self._lay()
        return places

    def _places_of(self, found: Found | None, price_list: UUID | None) -> tuple[int, int]:
        if found is None:
            return NONE, NONE
        listed = NONE if price_list is None else self.lists.place(price_list)
        return self.founds.place(found, id(found)), listed

    def _lay(self) -> None:
        """Rates and hits that are new become columns, all at once."""
        founds = self.founds.things[len(self.rates) :]
        priceable = [self._terms.rate_of(found) for found in founds]
        self.rates.extend(UNPRICEABLE if rate is None else rate for rate in priceable)
        self.closed.extend([rate is None for rate in priceable])
        self.currency_of.extend([self.currencies.place(found.measure.currency) for found in founds])
        hits, self._new_hits = self._new_hits, []
        while len(self.tiers) < max(map(len, hits), default=0):
            self.tiers.append(Tier(self.odd.count))
        for at, tier in enumerate(self.tiers):
            tier.extend([hit[at] if at < len(hit) else (NONE, NONE) for hit in hits])
        closed = self.closed.view
        self.odd.extend([any(found == NONE or closed[found] for found, _list in hit) for hit in hits])
