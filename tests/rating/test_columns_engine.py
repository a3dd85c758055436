"""Whole calls priced by columns equal the engine's own answer, call by call."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from rating.batch import epoch_us
from rating.numbers import Number, ServiceClass
from rating.pricing import CallFacts, Engine, PricedCall
from rating.pricing.column_rows import units
from rating.pricing.columns import CLASSES, NONE, CallColumns, PricedColumns, price_calls
from tests.cast import Cast

NOON = datetime(2026, 10, 5, 12, tzinfo=UTC)


def columns_of(calls: list[CallFacts]) -> CallColumns:
    customers = sorted({call.customer for call in calls})
    carriers = sorted({call.trunk for call in calls if call.trunk})
    return CallColumns(
        customers=customers,
        customer=np.array([customers.index(call.customer) for call in calls], np.int32),
        number=np.array([call.number.e164.encode() for call in calls], np.bytes_),
        is_e164=np.array([call.number.is_e164 for call in calls], np.bool_),
        service_class=np.array([CLASSES.index(call.number.service_class) for call in calls], np.int8),
        abroad=np.array([call.abroad for call in calls], np.bool_),
        answered_us=np.array([epoch_us(call.answered_at) for call in calls], np.int64),
        duration_s=np.array([call.duration_s for call in calls], np.int64),
        carriers=carriers,
        trunk=np.array([carriers.index(call.trunk) if call.trunk else NONE for call in calls], np.int32),
    )


def told(priced: PricedColumns, row: int) -> object:
    """One row of the columns in the words of the engine."""
    if row in priced.unpriced:
        assert not priced.charged[row]
        assert all(tier.found[row] == NONE for tier in priced.tiers)
        return priced.unpriced[row]
    tiers = [
        (
            priced.links[tier.link[row]],
            priced.founds[tier.found[row]],
            priced.lists[tier.price_list[row]],
            priced.purses[tier.purse[row]],
            [int(column[row]) for column in (tier.amount, tier.sale, tier.tax, tier.billed_s)],
        )
        for tier in priced.tiers
        if tier.link[row] != NONE
    ]
    cost = None
    if priced.cost_carrier[row] != NONE:
        known = priced.cost_found[row] != NONE
        found = priced.founds[priced.cost_found[row]] if known else None
        cost = (priced.carriers[priced.cost_carrier[row]], found, int(priced.cost[row]) if known else None)
    chosen = None if priced.chosen[row] == NONE else priced.carriers[priced.chosen[row]]
    return tiers, cost, chosen, bool(priced.charged[row])


def by_engine(engine: Engine, call: CallFacts) -> object:
    """The engine's answer in the same words."""
    priced = engine.price(call)
    if not isinstance(priced, PricedCall):
        return priced
    tiers = [
        (
            tier.link,
            tier.found,
            tier.list_id,
            tier.purse,
            [units(tier.amount), units(tier.sale), units(tier.tax), tier.charge.billed_s],
        )
        for tier in priced.tiers
    ]
    cost = None
    if priced.cost is not None:
        amount = priced.cost.amount
        cost = (priced.cost.carrier, priced.cost.found, None if amount is None else units(amount))
    return tiers, cost, priced.carrier, priced.charged


@pytest.mark.django_db
def test_calls_of_the_cast_cost_the_same_by_columns(cast: Cast) -> None:
    engine = Engine()
    atlas = engine.directory.carriers["atlas"].pk
    calls = [
        CallFacts(cast.party(who).pk, Number(to, kind), kind is ServiceClass.INTERNATIONAL, NOON, seconds, trunk)
        for who in ("alice", "bob", "carol", "dave", "erin", "mallory")
        for to, kind in (("447700900123", ServiceClass.INTERNATIONAL), ("4940123456", ServiceClass.LONG_DISTANCE))
        for seconds in (1, 61, 3600)
        for trunk in (None, atlas)
    ]
    calls.append(calls[0]._replace(number=Number("999999", ServiceClass.PREMIUM)))
    calls.append(calls[0]._replace(number=Number("118", ServiceClass.PREMIUM, is_e164=False)))
    calls.append(calls[0]._replace(answered_at=NOON - timedelta(days=40_000)))
    calls.append(calls[0]._replace(customer=atlas))
    priced = price_calls(engine, columns_of(calls))
    for row, call in enumerate(calls):
        assert told(priced, row) == by_engine(engine, call), f"{row}: {call}"
    assert sorted(why.code for why in priced.unpriced.values())[-2:] == ["not_placed", "short_number"]
    assert sum(priced.charged) >= 36
