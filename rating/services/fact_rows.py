"""From sorted records to facts: a row a call for each seller in its chain, beside the rated calls or instead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

import numpy as np
import polars as pl
from numpy.typing import NDArray

from rating.batch.times import moment_of
from rating.numbers.columns import NONE
from rating.pricing import Engine
from rating.services.facts import COUNTS, KEY, MONEY
from rating.services.sales import Sales
from rating.services.sorting import CLASS_NAMES, FREE, RATED, Flags, Sorted
from rating.services.terms import Rates
from tiers.models import Brand, Kind

SCHEMA = {
    **dict.fromkeys(KEY, pl.String()),
    "hour": pl.Datetime("us", "UTC"),
    **dict.fromkeys((*COUNTS, *MONEY), pl.Int64()),
}
HOUR_US = 3600 * 1_000_000


class FactRows:
    """Makes the facts of calls, rated and free. An unrated call has none until it is rated."""

    def __init__(self, engine: Engine) -> None:
        self._directory = engine.directory
        self._currencies: dict[UUID, str] = {}

    def frame(self, sorted_: Sorted, kept: Flags, sales: Sales, rates: Rates) -> pl.DataFrame:
        """As `facts.write_facts` takes them. `sales` are those of the kept records that have a price."""
        priced = self._of_sales(sorted_, sales.take(np.flatnonzero(sorted_.counted[sales.row])), rates)
        return pl.concat([priced, self._without_price(sorted_, kept, sales)])

    def _of_sales(self, sorted_: Sorted, sales: Sales, rates: Rates) -> pl.DataFrame:
        """Calls with a price at every tier: charged, or only tried or free."""
        priced, keyed, row = sorted_.priced, sorted_.keyed, sales.row
        charged = (sorted_.status[row] == RATED).astype(np.int64)
        carriers = [*map(str, keyed.carriers), *map(str, priced.carriers), None]
        chosen = np.where(sales.chosen == NONE, NONE, sales.chosen + len(keyed.carriers))
        carrier = np.where(sales.trunk == NONE, chosen, sales.trunk)
        currency = np.where(sales.cost_found == NONE, NONE, rates.currency[sales.cost_found])
        columns = {
            "hour": _hours(sorted_)[row],
            "seller": _picked([str(link.seller) for link in priced.links], sales.link),
            "buyer": _picked([str(link.buyer) for link in priced.links], sales.link),
            "carrier": _picked(carriers, carrier),
            "service_class": _picked(CLASS_NAMES, sorted_.service_class[row]),
            "destination": _picked(rates.destination, sales.found),
            "currency": _picked(rates.currencies, rates.currency[sales.found]),
            "cost_currency": _picked([*rates.currencies, None], currency),
            "attempts": np.ones(len(row), dtype=np.int64),
            "answered": _answered(sorted_)[row],
            "charged": charged,
            "duration_s": keyed.column("duration_s")[row] * charged,
            "billed_s": sales.billed_s * charged,
            "sale": sales.sale * charged,
            "tax": sales.tax * charged,
            "cost": sales.cost * charged,
        }
        return _frame(columns)

    def _without_price(self, sorted_: Sorted, kept: Flags, sales: Sales) -> pl.DataFrame:
        """Calls that nobody charges and that have no price: emergencies, numbers nobody understands or prices.

        Counted at every tier, with no destination. They are few, so one by one.
        """
        others = kept & sorted_.counted & (sorted_.status == FREE)
        others[sales.row] = False
        at = np.flatnonzero(others)
        hours, answered, rows = _hours(sorted_), _answered(sorted_), list[tuple[object, ...]]()
        customer, trunk = sorted_.keyed.column("customer"), sorted_.keyed.column("trunk")
        for row in at.tolist():
            moment = moment_of(int(sorted_.answered_us[row]))
            assert moment is not None
            links = self._directory.chain(sorted_.keyed.customers[customer[row]], moment)
            if not links or self._directory.people[links[-1].seller].kind != Kind.OPERATOR:
                continue
            named = str(sorted_.keyed.carriers[trunk[row]]) if trunk[row] != NONE else None
            for link in links:
                key = (int(hours[row]), str(link.seller), str(link.buyer), named if link is links[-1] else None)
                what = (CLASS_NAMES[sorted_.service_class[row]], "", self._currency(link.brand), None)
                rows.append((*key, *what, 1, int(answered[row]), *[0] * 6))
        columns = dict(zip((*KEY, *COUNTS, *MONEY), zip(*rows, strict=True), strict=True)) if rows else {}
        return _frame(columns)

    def _currency(self, brand: UUID) -> str:
        if not self._currencies:
            self._currencies = dict(Brand.objects.values_list("pk", "currency"))
        return self._currencies[brand]


def _frame(columns: Mapping[str, Any]) -> pl.DataFrame:
    if not columns:
        return pl.DataFrame(schema=SCHEMA)
    hour = pl.Series(columns["hour"], dtype=pl.Int64).cast(SCHEMA["hour"])
    return pl.DataFrame({**columns, "hour": hour}, schema=SCHEMA)


def _picked(values: Iterable[str | None], places: NDArray[Any]) -> pl.Series:
    """Text by index; NONE picks the last."""
    series = pl.Series(list(values), dtype=pl.String)
    where = np.where(places == NONE, len(series) - 1, places)
    return series.gather(where) if len(series) else pl.Series([], dtype=pl.String)


def _hours(sorted_: Sorted) -> NDArray[np.int64]:
    return sorted_.keyed.column("started_us") // HOUR_US * HOUR_US


def _answered(sorted_: Sorted) -> NDArray[np.int64]:
    frame = sorted_.keyed.records.frame
    return (frame["answered"] & (frame["duration_s"] > 0)).to_numpy().astype(np.int64)
