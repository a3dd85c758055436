"""Single calls priced by the engine itself and entered into the columns: what no column can hold.

Whatever is not plain enough for columns comes here, so that columns never differ from `Engine.price`.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Protocol
from uuid import UUID

from rating.batch.times import moment_of
from rating.kernel.numbers import scaled
from rating.numbers import Number
from rating.pricing.column_types import CLASSES, NONE, CallColumns, PricedColumns, TierColumns
from rating.pricing.directory import Link, Purse
from rating.pricing.engine import CallFacts, CarrierCost, Engine, PricedCall, TierPrice
from rating.pricing.lists import Found

PLACES = 6


class Places(Protocol):
    """Where things stand in the sequences of the columns; entered where they are new."""

    def link(self, link: Link) -> int: ...
    def found(self, found: Found, price_list: UUID | None) -> tuple[int, int]: ...
    def purse(self, purse: Purse) -> int: ...
    def carrier(self, carrier: UUID) -> int: ...


def facts_of(calls: CallColumns, row: int) -> CallFacts:
    """One row of the columns as the engine wants it."""
    trunk, answered_at = int(calls.trunk[row]), moment_of(int(calls.answered_us[row]))
    assert answered_at is not None
    digits = calls.number[row].decode()
    return CallFacts(
        customer=calls.customers[calls.customer[row]],
        number=Number(digits, CLASSES[calls.service_class[row]], bool(calls.is_e164[row])),
        abroad=bool(calls.abroad[row]),
        answered_at=answered_at,
        duration_s=int(calls.duration_s[row]),
        trunk=None if trunk == NONE else calls.carriers[trunk],
    )


def price_rows(engine: Engine, calls: CallColumns, rows: Iterable[int], into: PricedColumns, seen: Places) -> None:
    """Price these rows one by one."""
    for row in rows:
        priced = engine.price(facts_of(calls, row))
        if isinstance(priced, PricedCall):
            _enter(priced, row, into, seen)
        else:
            into.unpriced[row] = priced


def _enter(priced: PricedCall, row: int, into: PricedColumns, seen: Places) -> None:
    assert isinstance(into.tiers, list)
    while len(into.tiers) < len(priced.tiers):
        into.tiers.append(TierColumns.nothing(len(into.charged)))
    for columns, tier in zip(into.tiers, priced.tiers, strict=False):
        _enter_tier(tier, row, columns, seen)
    into.charged[row] = priced.charged
    if priced.carrier is not None:
        into.chosen[row] = seen.carrier(priced.carrier)
    if priced.cost is not None:
        _enter_cost(priced.cost, row, into, seen)


def _enter_tier(tier: TierPrice, row: int, columns: TierColumns, seen: Places) -> None:
    columns.link[row], columns.purse[row] = seen.link(tier.link), seen.purse(tier.purse)
    columns.found[row], columns.price_list[row] = seen.found(tier.found, tier.list_id)
    columns.amount[row], columns.billed_s[row] = units(tier.amount), tier.charge.billed_s
    columns.sale[row], columns.tax[row] = units(tier.sale), units(tier.tax)


def _enter_cost(cost: CarrierCost, row: int, into: PricedColumns, seen: Places) -> None:
    into.cost_carrier[row] = seen.carrier(cost.carrier)
    if cost.found is not None and cost.amount is not None:
        into.cost_found[row], _no_list = seen.found(cost.found, None)
        into.cost[row] = units(cost.amount)


def units(amount: Decimal) -> int:
    """An amount of at most six decimals in whole units of 10**-6."""
    return scaled(amount, PLACES)
