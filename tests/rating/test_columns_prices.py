"""Prices by columns equal the kernel's: on random rates with every feature, and in the corners of 64 bits.

TOLLGATE_PROOF=1: a million pairs of a rate and a call, from a fresh seed that is printed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from random import Random, SystemRandom
from typing import Any, NamedTuple

import numpy as np
import pytest

from rating.batch import NO_TIME, Priced, RateColumns, epoch_us, price_columns, prices
from rating.kernel import Band, Rate, RateError, Step, price
from tests.rating.test_kernel_oracle import Maker

PROOF = os.environ.get("TOLLGATE_PROOF") == "1"
pytestmark = [pytest.mark.proof] if PROOF else []
PAIRS = 1_000_000 if PROOF else 20_000
BATCH = 20_000
CALLS_A_RATE = 10
LARGEST = 2**63 - 1
NO_RATE = -1
NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)

EXTREME_PRICES = [Decimal("999999999999999"), Decimal("1E-30"), Decimal("92233720368.547758"), Decimal("1E-17")]
EXTREME_PRICES += [Decimal("0.000000000001"), Decimal("123456789.123456789123456789")]


class Call(NamedTuple):
    rate_id: int
    duration_s: int
    answered_at: datetime | None


def some_rate(random: Random, maker: Maker) -> Rate:
    """Half of them flat, which is the columns' own work; some with figures that 64 bits do not hold."""
    rate = maker.rate()
    if random.randrange(2):
        rate = replace(rate, steps=(), bands=())
    if random.randrange(12) == 0:
        field = random.choice(["price", "connect_fee", "min_charge"])
        rate = replaced(rate, field, random.choice(EXTREME_PRICES))
    if random.randrange(40) == 0:
        rate = replaced(rate, random.choice(["first_s", "step_s"]), random.randrange(10**8, 10**9))
    return rate


def replaced(rate: Rate, field: str, value: Any) -> Rate:
    return replace(rate, **{field: value})


def some_duration(random: Random, maker: Maker, rate: Rate) -> int:
    if random.randrange(60) == 0:
        return random.choice([-1, 10**12, 10**12 + 1, random.randrange(10**12)]) if not rate.bands else -1
    first_s = rate.first_s or rate.step_s
    edge = random.choice([rate.grace_s, rate.free_s, rate.free_s + first_s, rate.free_s + first_s + rate.step_s, 0])
    return edge + random.choice([-1, 0, 0, 1]) if random.randrange(3) == 0 else random.randrange(maker.longest_s)


def drawn(seed: int) -> tuple[list[Rate], list[Call]]:
    """One batch: its rates, and its calls in any order."""
    random = Random(seed)
    rates: list[Rate] = []
    calls: list[Call] = []
    for rate_id in range(BATCH // CALLS_A_RATE):
        maker = Maker(random.getrandbits(64), random.choice([300, 20_000, 100_000]))
        rates.append(some_rate(random, maker))
        for _ in range(CALLS_A_RATE):
            answered_at = None if random.randrange(50) == 0 else maker.answer(rates[-1])
            calls.append(Call(rate_id, some_duration(random, maker, rates[-1]), answered_at))
    random.shuffle(calls)
    return rates, calls


def by_columns(rates: list[Rate], calls: list[Call]) -> Priced:
    times = [NO_TIME if call.answered_at is None else epoch_us(call.answered_at) for call in calls]
    columns = ([call.rate_id for call in calls], [call.duration_s for call in calls], times)
    return price_columns(RateColumns(rates), *(np.array(column, dtype=np.int64) for column in columns))


def told(priced: Priced) -> Iterator[object]:
    """Each row as the kernel would say it, or why it has no price."""
    columns = (priced.amounts.tolist(), priced.billed_s.tolist(), priced.charged.tolist())
    for row, (amount, billed_s, charged) in enumerate(zip(*columns, strict=True)):
        refused = priced.refused.get(row)
        if refused is None:
            yield Decimal(amount).scaleb(-6), billed_s, charged
        else:
            assert (amount, billed_s, charged) == (0, 0, False)
            yield type(refused), str(refused) if isinstance(refused, RateError) else ""


def by_kernel(rate: Rate, call: Call) -> object:
    try:
        charge = price(rate, call.duration_s, call.answered_at)
    except RateError as error:
        return RateError, str(error)
    if charge.amount * 10**6 > LARGEST:
        return OverflowError, ""
    return charge.amount, charge.billed_s, charge.charged


def test_columns_equal_the_kernel(capsys: pytest.CaptureFixture[str]) -> None:
    seed = SystemRandom().getrandbits(48) if PROOF else 3
    with capsys.disabled():
        if PROOF:
            print(f"\n{PAIRS:,} pairs of a rate and a call, seed {seed}")
    for batch in range(PAIRS // BATCH):
        rates, calls = drawn(seed + batch)
        for call, found in zip(calls, told(by_columns(rates, calls)), strict=True):
            expected = by_kernel(rates[call.rate_id], call)
            assert found == expected, f"seed {seed + batch}: {rates[call.rate_id]}, {call}"


def test_the_drawn_pairs_hold_every_feature() -> None:
    """What the test above is worth: each rule decides some of its calls, many of them in the columns themselves."""
    rates, calls = drawn(3)
    used = [rates[call.rate_id] for call in calls]
    flat = [(rate, call) for rate, call in zip(used, calls, strict=True) if not rate.steps and not rate.bands]
    assert len(flat) > len(calls) // 3
    assert {(rate.decimals, rate.rounding) for rate, _ in flat} == {
        (places, mode) for places in range(7) for mode in ("half_up", "half_even", "up", "down")
    }
    assert sum(0 < call.duration_s <= rate.grace_s for rate, call in flat) > 100
    assert sum(rate.grace_s < call.duration_s <= rate.free_s for rate, call in flat) > 100
    assert sum(rate.band_rule == "at_start" and bool(rate.bands) for rate in used) > 100
    assert sum(bool(rate.steps) and not rate.bands for rate in used) > 100
    within = [(rate, call) for rate, call in flat if 0 < call.duration_s <= 10**12]
    assert sum(price(rate, call.duration_s).amount == rate.min_charge > 0 for rate, call in within) > 50


def flat_rates() -> list[Rate]:
    """What price lists are made of: up to 8 places, common increments."""
    return [
        Rate(Decimal("0.0123"), first_s=60, step_s=6),
        Rate(Decimal("12.34567891"), connect_fee=Decimal("0.01"), decimals=6, rounding="half_even"),
        Rate(Decimal("0.5"), min_charge=Decimal("0.3"), grace_s=3, free_s=10, decimals=2, rounding="up"),
        Rate(Decimal("30000"), step_s=60, decimals=0, rounding="down"),
    ]


def refuse(*_: object) -> None:
    raise AssertionError("the kernel was asked")


def test_flat_rates_never_ask_the_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    """A million calls are quick only if the plain ones stay in the columns."""

    monkeypatch.setattr(prices, "price", refuse)
    rates = flat_rates()
    calls = [Call(rate_id, duration_s, None) for rate_id in range(len(rates)) for duration_s in (0, 3, 10, 75, 86_400)]
    priced = by_columns(rates, calls)
    assert not priced.refused
    assert list(told(priced)) == [by_kernel(rates[call.rate_id], call) for call in calls]


def timed_rates() -> list[Rate]:
    """Steps, bands across midnight with steps of their own, and the band of the answer."""
    night = Band(frozenset(range(1, 8)), True, 1200, 480, Decimal("0.01"))
    noon = Band(frozenset({1, 2}), False, 600, 840, None, (Step(30, Decimal("0.3"), 7),))
    return [
        Rate(Decimal("0.1"), steps=(Step(60, Decimal("0.05")), Step(600, Decimal("0.02"), 60))),
        Rate(Decimal("0.1"), first_s=60, step_s=6, bands=(night, noon), time_zone="Europe/Berlin"),
        Rate(Decimal("0.1"), bands=(night, noon), band_rule="at_start", holidays=frozenset({NOON.date()})),
    ]


def test_neither_steps_nor_bands_ask_the_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even a call over the change of the clocks, or one of four days."""
    rates = timed_rates()
    moments = [NOON.replace(hour=hour, minute=59, second=50) for hour in (6, 9, 10, 18, 22)]
    moments += [datetime(2026, 3, 29, 0, 59, tzinfo=UTC), datetime(2026, 10, 25, 0, 30, 0, 250_000, tzinfo=UTC)]
    seconds = (1, 59, 61, 3_600, 350_000)
    calls = [Call(at, s, moment) for at in range(len(rates)) for moment in moments for s in seconds]
    expected = [by_kernel(rates[call.rate_id], call) for call in calls]
    monkeypatch.setattr(prices, "price", refuse)
    assert list(told(by_columns(rates, calls))) == expected


def test_equal_calls_ask_the_kernel_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def counted(rate: Rate, duration_s: int, answered_at: datetime | None) -> object:
        asked.append((duration_s, answered_at))
        return price(rate, duration_s, answered_at)

    monkeypatch.setattr(prices, "price", counted)
    rates = [replace(rate, connect_fee=Decimal("1E-30")) for rate in timed_rates()[:2]]
    later = NOON.replace(microsecond=250_000)
    calls = [Call(0, 90, NOON), Call(0, 90, later.replace(hour=23)), Call(1, 90, NOON), Call(1, 90, later)]
    calls.append(Call(1, 90, NOON.replace(hour=23)))
    priced = by_columns(rates, calls)
    assert len(asked) == 3, "steps do not look at the clock, bands not at a part of a second"
    assert list(told(priced)) == [by_kernel(rates[call.rate_id], call) for call in calls]


def test_a_call_without_a_rate_is_nothing() -> None:
    priced = by_columns(flat_rates(), [Call(NO_RATE, 75, NOON), Call(0, 75, NOON), Call(NO_RATE, -1, None)])
    assert priced.charged.tolist() == [False, True, False]
    assert priced.amounts.tolist() == [0, 16_000, 0]
    assert not priced.refused
    assert len(by_columns([], [Call(NO_RATE, 75, NOON)]).amounts) == 1
    assert len(by_columns(flat_rates(), []).amounts) == 0


def test_what_no_column_can_hold_is_refused_and_the_rest_goes_on() -> None:
    """10**15 a minute for a year: the kernel says what it costs, the ledger has no room for it."""
    rates = [Rate(Decimal("999999999999999")), Rate(Decimal("0.1"))]
    priced = by_columns(rates, [Call(0, 10**8, NOON), Call(1, 60, NOON), Call(1, -5, NOON), Call(1, 10**12 + 1, NOON)])
    assert {row: type(why) for row, why in priced.refused.items()} == {0: OverflowError, 2: RateError, 3: RateError}
    assert priced.amounts.tolist() == [0, 100_000, 0, 0]


@pytest.mark.parametrize("rounding", ["half_up", "half_even", "up", "down"])
@pytest.mark.parametrize("decimals", range(7))
def test_the_edge_of_64_bits(rounding: str, decimals: int) -> None:
    """Prices on both sides of where the columns hand over to the kernel."""
    near = [LARGEST // 4 // 60, LARGEST // 10**6, LARGEST // 60 // 10 ** (6 - decimals), 10**14]
    amounts = [Decimal(one + by).scaleb(-places) for one in near for by in (-1, 0, 1) for places in (4, 6, 9, 18)]
    rates = [
        Rate(one, connect_fee=Decimal("0.5"), step_s=59, decimals=decimals, rounding=rounding)
        for one in amounts
        if one < 10**15
    ]
    calls = [Call(at, duration_s, None) for at in range(len(rates)) for duration_s in (1, 60, 61, 3600, 10**7)]
    assert list(told(by_columns(rates, calls))) == [by_kernel(rates[call.rate_id], call) for call in calls]
