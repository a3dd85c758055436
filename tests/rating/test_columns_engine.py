"""Whole calls priced by columns equal the engine's own answer, call by call."""

from __future__ import annotations

import os
from collections import Counter
from datetime import UTC, datetime, timedelta
from random import SystemRandom

import numpy as np
import pytest
from django.db import transaction

from rating.batch import epoch_us
from rating.numbers import Number, ServiceClass
from rating.pricing import CallFacts, Engine, PricedCall, Unpriced, columns
from rating.pricing.column_rows import units
from rating.pricing.columns import CLASSES, NONE, CallColumns, PricedColumns, price_calls
from tests.cast import Cast
from tests.rating.random_world import World

PROOF = os.environ.get("TOLLGATE_PROOF") == "1"
pytestmark = [pytest.mark.proof] if PROOF else []
CALLS, CHUNK = (10_000, 2_000) if PROOF else (1_500, 500)
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


def worded(priced: PricedCall | Unpriced) -> object:
    """The engine's answer in the same words."""
    if isinstance(priced, Unpriced):
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
        assert told(priced, row) == worded(engine.price(call)), f"{row}: {call}"
    assert sorted(why.code for why in priced.unpriced.values())[-2:] == ["not_placed", "short_number"]
    assert sum(priced.charged) >= 36


@pytest.mark.django_db
def test_books_that_grow_too_large_are_dropped_and_filled_again(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """So memory stays bounded where exchange rates make new prices every day."""
    monkeypatch.setattr(columns, "MAX_FOUNDS", 3)
    engine = Engine()
    number = Number("447700900123", ServiceClass.INTERNATIONAL)
    calls = [CallFacts(cast.party(who).pk, number, True, NOON, 61) for who in ("alice", "bob", "carol", "dave", "erin")]
    books = []
    for _ in range(3):
        priced = price_calls(engine, columns_of(calls))
        books.append(priced.founds)
        assert len(priced.founds) > 3
        for row, call in enumerate(calls):
            assert told(priced, row) == worded(engine.price(call))
    assert books[0] is not books[1]


# Random worlds


class Worth:
    """What a run is worth: how many of its calls each reason and each kind of tier decided."""

    def __init__(self) -> None:
        self.reasons: Counter[str] = Counter()
        self.chains: Counter[int] = Counter()
        self.figures: Counter[str] = Counter()

    def add(self, priced: PricedCall | Unpriced) -> None:
        if isinstance(priced, Unpriced):
            self.reasons[priced.code] += 1
            return
        self.chains[len(priced.tiers)] += 1
        self.figures["not charged"] += not priced.charged
        self.figures["no cost known"] += priced.cost is not None and priced.cost.amount is None
        self.figures["cost"] += priced.cost is not None and bool(priced.cost.amount)
        for tier in priced.tiers:
            self.figures["tax beside"] += bool(tier.tax) and tier.sale == tier.amount
            self.figures["tax within"] += bool(tier.tax) and tier.sale < tier.amount
            self.figures["postpaid"] += not tier.purse.prepaid
            self.figures["derived"] += dict(tier.found.origin)["kind"] == "derived"
            self.figures["own"] += dict(tier.found.origin)["kind"] == "own"
            self.figures["bands"] += bool(tier.found.row.bands)
            self.figures["steps"] += bool(tier.found.row.steps)

    def check(self) -> None:
        assert set(self.reasons) == {"not_placed", "short_number", "no_price", "blocked", "no_wallet", "beyond"}
        assert len(self.chains) > 2
        assert len(self.figures) == 10
        assert min(self.figures.values()) > 20, self.figures


def compare(seed: int, worth: Worth) -> None:
    """One world, made and thrown away; its calls priced in chunks, as a file is."""
    with transaction.atomic():
        world, engine = World(seed), Engine()
        for _ in range(0, CALLS, CHUNK):
            chunk = world.calls(CHUNK)
            priced = price_calls(engine, columns_of(chunk))
            for row, call in enumerate(chunk):
                expected = engine.price(call)
                worth.add(expected)
                assert told(priced, row) == worded(expected), f"seed {seed}: {call}"
        transaction.set_rollback(True)


@pytest.mark.django_db
def test_calls_of_random_worlds_cost_the_same_by_columns(capsys: pytest.CaptureFixture[str]) -> None:
    seeds = [SystemRandom().getrandbits(48) for _ in range(40)] if PROOF else [101, 104, 108, 111]
    worth = Worth()
    for seed in seeds:
        if PROOF:
            with capsys.disabled():
                print(f"\n{CALLS:,} calls of a random world, seed {seed}")
        compare(seed, worth)
    worth.check()
