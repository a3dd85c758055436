"""Charged calls priced once more, by columns like any other, and handed out one by one.

What is compared is one call at a time, with its history; what costs time, the pricing, is done for all of a slice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from rating.kernel import price
from rating.models import UsageRecord
from rating.numbers.columns import NONE
from rating.pricing import Engine
from rating.pricing.columns import PricedColumns
from rating.pricing.directory import Link, Purse
from rating.pricing.lists import Found
from rating.services.sorting import CLASS_NAMES, UNRATED, Sorted
from rating.services.unrated import sorted_again


class Tier(NamedTuple):
    """What one seller charges its buyer by today's rates. `amount` is the list's price; `sale` and `tax` its parts."""

    link: Link
    purse: Purse
    list_id: UUID
    found: Found
    amount: Decimal
    sale: Decimal
    tax: Decimal
    billed_s: int


@dataclass(frozen=True, slots=True)
class Again:
    """A kept record as it would be priced today; `tiers` from the customer up, empty where it would not be charged.

    `why` says then why not. `carrier` is the one chosen; `cost_carrier` carried it, at `cost` by `cost_found` (both
    None where the carrier has no price), also for the seconds that nobody else is charged for.
    """

    record: UsageRecord
    number: str
    service_class: str
    tiers: Sequence[Tier]
    carrier: UUID | None = None
    cost_carrier: UUID | None = None
    cost_found: Found | None = None
    cost: Decimal | None = None
    unrated: bool = False
    why: str = ""


def priced_again(engine: Engine, records: Iterable[UsageRecord]) -> Iterator[Again]:
    """These records by today's rates, by source."""
    kept = list(records)
    by_id = {record.pk: record for record in kept}
    for made in sorted_again(engine, kept):
        ids = [by_id[UUID(bytes=key.tobytes())] for key in made.ids]
        places = {row: at for at, row in enumerate(made.priced_rows.tolist())}
        table = _Table(made.priced)
        for row, record in enumerate(ids):
            yield _again(made, table, row, places.get(row), record)


def _again(made: Sorted, table: _Table, row: int, place: int | None, record: UsageRecord) -> Again:
    number, name = made.number[row], CLASS_NAMES[int(made.service_class[row])]
    if place is None or place in made.priced.unpriced:
        unrated = int(made.status[row]) == UNRATED
        return Again(record, number, name, (), unrated=unrated, why=made.reasons.get(row, ""))
    chosen, carrier, found, cost = table.carriers(place)
    if found is not None and record.overrun_s:
        cost = price(found.kernel, record.duration_s, record.answered_at or record.started_at).amount
    return Again(record, number, name, table.tiers(place), chosen, carrier, found, cost)


class _Table:
    """Priced columns as plain lists, which are read cell by cell many times faster."""

    def __init__(self, priced: PricedColumns) -> None:
        self._priced = priced
        self._tiers: list[list[list[Any]]] = [
            [
                column.tolist()
                for column in (
                    tier.link,
                    tier.purse,
                    tier.price_list,
                    tier.found,
                    tier.amount,
                    tier.sale,
                    tier.tax,
                    tier.billed_s,
                )
            ]
            for tier in priced.tiers
        ]
        self._chosen, self._carrier = priced.chosen.tolist(), priced.cost_carrier.tolist()
        self._cost_found, self._cost = priced.cost_found.tolist(), priced.cost.tolist()

    def tiers(self, row: int) -> list[Tier]:
        return [self._tier([column[row] for column in tier]) for tier in self._tiers if tier[0][row] != NONE]

    def _tier(self, cells: list[int]) -> Tier:
        link, purse, price_list, found, amount, sale, tax, billed_s = cells
        priced = self._priced
        return Tier(
            priced.links[link],
            priced.purses[purse],
            priced.lists[price_list],
            priced.founds[found],
            _money(amount),
            _money(sale),
            _money(tax),
            billed_s,
        )

    def carriers(self, row: int) -> tuple[UUID | None, UUID | None, Found | None, Decimal | None]:
        """The carrier chosen, the one that carried it, its rate, and what it costs."""
        priced, chosen, carrier, found = self._priced, self._chosen[row], self._carrier[row], self._cost_found[row]
        return (
            None if chosen == NONE else priced.carriers[chosen],
            None if carrier == NONE else priced.carriers[carrier],
            None if found == NONE else priced.founds[found],
            None if found == NONE else _money(self._cost[row]),
        )


def _money(units: int) -> Decimal:
    return Decimal(units).scaleb(-6)
