"""`./bench rating`: calls priced at three tiers, from the number as dialled to three exact amounts, on one core.

The yardstick is written plainly and knows nothing of our engine: a dict for each length of prefix, and Decimal. The
engine, the columns and the yardstick price the same calls, in turns, and must agree on every amount. Measured in CPU
time, so that neighbours do not count.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from decimal import ROUND_HALF_UP, Decimal
from functools import partial
from itertools import islice
from statistics import median
from typing import NamedTuple
from uuid import UUID

from billing.bench import Measurement, benchmark
from billing.bench.columns import ColumnPricing
from billing.bench.world import TIERS, Call, DeckRate, Markup, calls, stage
from rating.models import Source
from rating.numbers import DialPlan, Number
from rating.pricing import CallFacts, Engine, PricedCall

CALLS = 51_000
ROUNDS = 3
GOAL = 12.0
EIGHT_PLACES, FOUR_PLACES = Decimal("0.00000001"), Decimal("0.0001")

Amounts = tuple[Decimal, ...]
"""What the customer, the sub-dealer and the dealer pay for one call."""
Pricing = Callable[[list[Call]], list[Amounts]]
Timed = Callable[[list[Call]], tuple[float, list[Amounts]]]
"""Processor seconds, and what came out."""


@benchmark("rating")
def rating(count: int | None) -> Iterator[Measurement]:
    """Medians of three rounds; each round prices other calls, so that no cache has seen its numbers."""
    rates = stage()
    made = calls(count or CALLS, rates)
    plain = plain_pricing(rates)
    ours: dict[str, Timed] = {"rating": partial(timed, engine_pricing()), "rating-columns": ColumnPricing().timed}
    speeds: dict[str, list[float]] = {name: [] for name in ("plain", *ours)}
    while batch := list(islice(made, (count or CALLS) // ROUNDS)):
        plain_s, expected = timed(plain, batch)
        speeds["plain"].append(len(batch) / plain_s)
        for name, price in ours.items():
            our_s, amounts = price(batch)
            if amounts != expected:
                raise AssertionError(f"{name} and the plain kernel differ")
            speeds[name].append(len(batch) / our_s)
    work = f"{len(TIERS)} tiers, {len(rates):,} prefixes, against pure Decimal with a dict for each prefix length"
    notes = {"rating": f"call by call: {work}", "rating-columns": f"by columns, not in the import yet: {work}"}
    for name, note in notes.items():
        yield Measurement(name, median(speeds[name]), "calls/s", median(speeds["plain"]), GOAL, note)


def timed(price: Pricing, batch: list[Call]) -> tuple[float, list[Amounts]]:
    """CPU seconds of this process, and what came out."""
    started = time.process_time()
    amounts = price(batch)
    return time.process_time() - started, amounts


def engine_pricing() -> Pricing:
    """Ours, warm: lists compiled, tables read."""
    engine = Engine()
    plan = DialPlan.from_json(Source.objects.get(code="switch").dial_plan)
    customers = {code: person.id for code, person in engine.directory.by_code.items()}

    def price(batch: list[Call]) -> list[Amounts]:
        return [_by_engine(engine, plan, customers[call.customer], call) for call in batch]

    return price


def _by_engine(engine: Engine, plan: DialPlan, customer: UUID, call: Call) -> Amounts:
    number = plan.normalise(call.number)
    assert isinstance(number, Number)
    priced = engine.price(CallFacts(customer, number, True, call.answered_at, call.duration_s))
    assert isinstance(priced, PricedCall)
    return tuple(tier.amount for tier in priced.tiers)


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
