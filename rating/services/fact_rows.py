"""From priced calls to facts: one row a call for each seller in its chain, charged or free."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import polars as pl

from rating.models import RecordStatus
from rating.pricing import Engine, PricedCall
from rating.services.facts import COUNTS, KEY, MONEY, write_facts
from rating.services.sorting import Sorted
from tiers.models import Brand, Kind

MEASURES = (*COUNTS, *MONEY)
SCHEMA: dict[str, Any] = {
    **dict.fromkeys(KEY, pl.Utf8),
    "hour": pl.Datetime("us", "UTC"),
    **dict.fromkeys(MEASURES, pl.Int64),
}
FactKey = tuple[datetime, str, str, str | None, str, str, str, str | None]


class FactRows:
    """Collects the calls of a batch, rated and free, and writes their facts in the open transaction."""

    def __init__(self, engine: Engine) -> None:
        self._directory = engine.directory
        self._sums: dict[FactKey, list[int]] = defaultdict(lambda: [0] * len(MEASURES))
        self._currencies: dict[UUID, str] = {}

    def add(self, record: Sorted, priced: PricedCall) -> None:
        """A call with a price at every tier: charged where the record is rated, else only tried or free."""
        charged = record.status == RecordStatus.RATED
        for position, tier in enumerate(priced.tiers):
            above = priced.tiers[position + 1] if position + 1 < len(priced.tiers) else None
            cost_found = above.found if above else (priced.cost.found if priced.cost else None)
            cost = above.sale if above else (priced.cost.amount if priced.cost else None)
            carrier = record.trunk or priced.carrier if above is None else priced.carrier
            key = (
                _hour(record),
                str(tier.link.seller),
                str(tier.link.buyer),
                str(carrier) if carrier else None,
                str(record.service_class),
                tier.found.row.destination,
                tier.found.measure.currency,
                cost_found.measure.currency if cost_found is not None else None,
            )
            amounts = (tier.sale, tier.tax, cost or Decimal(0))
            self._count(key, record, (tier.charge.billed_s, *map(_micro, amounts)) if charged else None)

    def add_free(self, record: Sorted) -> None:
        """A call that was not charged: nobody answered, an emergency, or within the grace of its price.

        Counted at every tier, with the destination it would have had where there is one.
        """
        if record.untaken is not None:
            self.add(record, record.untaken)
            return
        row = record.row
        links = self._directory.chain(record.customer, row.answered_at or row.started_at)
        if not links or self._directory.people[links[-1].seller].kind != Kind.OPERATOR:
            return
        for link in links:
            trunk = str(record.trunk) if link is links[-1] and record.trunk else None
            seller, buyer, currency = str(link.seller), str(link.buyer), self._currency(link.brand)
            self._count((_hour(record), seller, buyer, trunk, str(record.service_class), "", currency, None), record)

    def write(self) -> None:
        if self._sums:
            rows = [(*key, *sums) for key, sums in self._sums.items()]
            write_facts(pl.DataFrame(rows, schema=SCHEMA, orient="row"))

    def _count(self, key: FactKey, record: Sorted, charge: tuple[int, ...] | None = None) -> None:
        """`charge`: billed seconds, sale, tax, cost in millionths."""
        sums = self._sums[key]
        sums[0] += 1
        sums[1] += bool(record.row.answered and record.row.duration_s)
        if charge is not None:
            for at, value in enumerate((1, record.row.duration_s, *charge), start=2):
                sums[at] += value

    def _currency(self, brand: UUID) -> str:
        if not self._currencies:
            self._currencies = dict(Brand.objects.values_list("pk", "currency"))
        return self._currencies[brand]


def _hour(record: Sorted) -> datetime:
    return record.row.started_at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _micro(amount: Decimal) -> int:
    return int(amount.scaleb(6))
