"""`./bench rating`: calls priced at three tiers, from the number as dialled to three exact amounts, on one core.

The yardstick is written plainly and knows nothing of our engine: a dict for each length of prefix, and Decimal. It
prices a sample of the same calls, in turns with the columns, and must agree on every amount. Measured in CPU time, so
that neighbours do not count.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from decimal import ROUND_HALF_UP, Decimal
from itertools import islice
from statistics import median
from typing import NamedTuple

from billing.bench import Measurement, benchmark
from billing.bench.columns import ColumnPricing
from billing.bench.kernel import engine_pricing
from billing.bench.world import TIERS, Call, DeckRate, Markup, calls, stage

CALLS = 1_000_000
CHUNK = 50_000
SAMPLE = 5_000
GOAL = 12.0
EIGHT_PLACES, FOUR_PLACES = Decimal("0.00000001"), Decimal("0.0001")

Amounts = tuple[Decimal, ...]
"""What the customer, the sub-dealer and the dealer pay for one call."""
Pricing = Callable[[list[Call]], list[Amounts]]


@benchmark("rating")
def rating(count: int | None) -> Iterator[Measurement]:
    """Chunk by chunk, columns and yardstick in turns; medians of the second half, when the books are warm."""
    rates = stage()
    total = count or CALLS
    made = calls(total, rates)
    plain, ours, one_by_one = plain_pricing(rates), ColumnPricing(), engine_pricing()
    speeds: list[tuple[float, float]] = []
    while chunk := list(islice(made, CHUNK)):
        our_s, amounts = ours.timed(chunk)
        sample = chunk[:: max(len(chunk) // SAMPLE, 1)]
        plain_s, expected = timed(plain, sample)
        if [amounts[at] for at in range(0, len(chunk), max(len(chunk) // SAMPLE, 1))] != expected:
            raise AssertionError("the columns and the plain kernel differ")
        speeds.append((len(chunk) / our_s, len(sample) / plain_s))
    warm = speeds[len(speeds) // 2 :]
    engine_s, _amounts = timed(one_by_one, sample)
    fast, slow = (median(side) for side in zip(*warm, strict=True))
    note = (
        f"{total:,} calls, {len(TIERS)} tiers, {len(rates):,} prefixes, against pure Decimal with a dict for each "
        f"prefix length; the first chunk, which fills the books, at {speeds[0][0]:,.0f}; call by call, explained, at "
        f"{len(sample) / engine_s:,.0f}"
    )
    yield Measurement("rating", fast, "calls/s", slow, GOAL, note)


def timed(price: Pricing, batch: list[Call]) -> tuple[float, list[Amounts]]:
    """CPU seconds of this process, and what came out."""
    started = time.process_time()
    amounts = price(batch)
    return time.process_time() - started, amounts


# -- the yardstick ---------------------------------------------------------------------------------------------------
class PlainRate(NamedTuple):
    price: Decimal
    connect_fee: Decimal
    first_s: int
    step_s: int


PlainTable = dict[int, dict[str, PlainRate]]
"""Length of the prefix, then the prefix."""


def plain_pricing(rates: list[DeckRate]) -> Pricing:
    """Each tier's table worked out beforehand, then a lookup and a sum for each call and tier."""
    tables: list[PlainTable] = []
    for tier in TIERS:
        rates = [_marked_up(rate, tier) for rate in rates]
        tables.insert(0, _by_length(rates))

    def price(batch: list[Call]) -> list[Amounts]:
        return [_plain_amounts(tables, call) for call in batch]

    return price


def _marked_up(rate: DeckRate, tier: Markup) -> DeckRate:
    factor = (1 + tier.markup) * tier.exchange_rate
    price = (rate.price * factor + tier.addon).quantize(EIGHT_PLACES, ROUND_HALF_UP)
    return rate._replace(price=price, connect_fee=(rate.connect_fee * factor).quantize(EIGHT_PLACES, ROUND_HALF_UP))


def _by_length(rates: list[DeckRate]) -> PlainTable:
    lengths = sorted({len(rate.prefix) for rate in rates}, reverse=True)
    table: PlainTable = {length: {} for length in lengths}
    for rate in rates:
        plain = PlainRate(rate.price, rate.connect_fee, rate.first_s or rate.step_s, rate.step_s)
        table[len(rate.prefix)][rate.prefix] = plain
    return table


def _plain_amounts(tables: list[PlainTable], call: Call) -> Amounts:
    dialled = call.number
    digits = dialled[1:] if dialled.startswith("+") else dialled.removeprefix("00")
    return tuple(_plain_amount(_plain_rate(table, digits), call.duration_s) for table in tables)


def _plain_rate(table: PlainTable, digits: str) -> PlainRate:
    for length, rates in table.items():
        rate = rates.get(digits[:length])
        if rate is not None:
            return rate
    raise LookupError(digits)


def _plain_amount(rate: PlainRate, duration_s: int) -> Decimal:
    billed_s = rate.first_s
    if duration_s > rate.first_s:
        billed_s += -(-(duration_s - rate.first_s) // rate.step_s) * rate.step_s
    amount = rate.price * billed_s / 60 + rate.connect_fee
    return amount.quantize(FOUR_PLACES, ROUND_HALF_UP)
