"""The kernel against the rules followed literally: an oracle that lays one increment after the other.

The oracle shares nothing with the kernel but the values that describe a rate. TOLLGATE_PROOF=1: long runs.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_05UP, ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_UP, Context, Decimal
from fractions import Fraction
from math import ceil
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rating.kernel import Band, Rate, RateError, Step, explain, longest, price
from rating.kernel.plan import pieces, plan_of

PROOF = os.environ.get("TOLLGATE_PROOF") == "1"
pytestmark = [pytest.mark.proof] if PROOF else []
profile = settings(
    max_examples=8000 if PROOF else 600,
    derandomize=not PROOF,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
MODES = {"half_up": ROUND_HALF_UP, "half_even": ROUND_HALF_EVEN, "up": ROUND_UP, "down": ROUND_DOWN}


# The oracle


def band_in_force(rate: Rate, instant: datetime) -> Band | None:
    """The band whose stretch, begun today or yesterday by the wall clock, holds the instant."""
    local = instant.astimezone(ZoneInfo(rate.time_zone)).replace(tzinfo=None, fold=0)
    found = [band for band in rate.bands if any(holds(rate, band, local, back) for back in (0, 1))]
    assert len(found) < 2
    return found[0] if found else None


def holds(rate: Rate, band: Band, local: datetime, days_back: int) -> bool:
    day = local.date() - timedelta(days=days_back)
    if not (band.holiday if day in rate.holidays else day.isoweekday() in band.days):
        return False
    midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - a wall clock
    end_minute = band.to_minute if band.to_minute > band.from_minute else band.to_minute + 1440
    return midnight + timedelta(minutes=band.from_minute) <= local < midnight + timedelta(minutes=end_minute)


def in_force(rate: Rate, band: Band | None, elapsed_s: int) -> tuple[Decimal, int]:
    """(price per minute, increment length) for an increment that begins now."""
    base, steps = rate.price, rate.steps
    if band is not None:
        base, steps = (rate.price if band.price is None else band.price), band.steps
    reached = [step for step in steps if step.from_s <= elapsed_s]
    if not reached:
        return base, rate.step_s
    last = max(reached, key=lambda step: step.from_s)
    return last.price, last.step_s or rate.step_s


def oracle(rate: Rate, duration_s: Decimal, answered_at: datetime) -> tuple[Decimal, int]:
    whole_s = ceil(duration_s)
    if whole_s == 0 or whole_s <= rate.grace_s:
        return rounded(Fraction(0), rate), 0
    total, covered, billed = Fraction(rate.connect_fee), rate.free_s, 0
    while covered < whole_s:
        moment = 0 if rate.band_rule == "at_start" else covered
        band = band_in_force(rate, answered_at + timedelta(seconds=moment))
        per_minute, length = in_force(rate, band, covered)
        if billed == 0 and rate.first_s is not None:
            length = rate.first_s
        total += Fraction(per_minute) / 60 * length
        covered, billed = covered + length, billed + length
    if billed:
        total = max(total, Fraction(rate.min_charge))
    return rounded(total, rate), billed


def rounded(total: Fraction, rate: Rate) -> Decimal:
    """Division that remembers a rest (05UP), then one rounding: exact at every tie."""
    sticky = Context(prec=90, rounding=ROUND_05UP)
    quotient = sticky.divide(Decimal(total.numerator), Decimal(total.denominator))
    return quotient.quantize(Decimal(1).scaleb(-rate.decimals), rounding=MODES[rate.rounding], context=sticky)


# Rates and calls: drawn evenly from a seed, so that calls over midnight, clock changes and ties are common


PRICES = [Decimal(text) for text in ("0", "0.01", "0.25", "0.50", "1.50", "3", "0.15", "0.3333", "7.12345678")]
HOURS = [0, 120, 150, 180, 480, 720, 1140, 1320]
"""Few, so that bands touch."""
DAYS = [frozenset(range(1, 8)), frozenset(range(1, 6)), frozenset({6, 7}), frozenset({4}), frozenset[int]()]
CALENDAR = [date(2026, 3, 27) + timedelta(days=n) for n in range(4)]
CALENDAR += [date(2026, 10, 22) + timedelta(days=n) for n in range(6)] + [date(2026, 12, 31), date(2027, 1, 1)]
CALENDAR += [date(2026, 10, 4), date(2026, 11, 1), date(2011, 12, 29), date(2011, 12, 31)]
ZONES = ["UTC", "Europe/Berlin", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"]


class Maker:
    """Makes rates and calls of up to `longest_s` seconds whose naive pricing stays below some hundred increments."""

    def __init__(self, seed: int, longest_s: int) -> None:
        self.random = Random(seed)
        self.longest_s = longest_s

    def one_in(self, n: int) -> bool:
        return self.random.randrange(n) == 0

    def price(self) -> Decimal:
        return self.random.choice([*PRICES, Decimal(self.random.randrange(10**9)).scaleb(-8)])

    def length(self) -> int:
        least = max(self.longest_s // 150, 1)
        return max(self.random.choice([1, 6, 30, 60, self.random.randrange(1, self.longest_s // 4)]), least)

    def steps(self, count: int) -> tuple[Step, ...]:
        starts = self.random.sample(range(self.longest_s), count)
        if starts and self.one_in(3):
            starts[0] = 0
        own = [None if self.one_in(2) else self.length() for _ in starts]
        return tuple(Step(start, self.price(), step_s) for start, step_s in zip(set(starts), own, strict=False))

    def minute(self) -> int:
        return self.random.randrange(1440) if self.one_in(4) else self.random.choice(HOURS)

    def band(self) -> Band:
        days, holiday = self.random.choice(DAYS), self.one_in(2)
        steps = self.steps(2) if self.one_in(3) else ()
        cost = None if steps and self.one_in(2) else self.price()
        to_minute = 1440 if self.one_in(5) else self.minute()
        return Band(days, holiday or not days, self.minute(), to_minute, cost, steps)

    def bands(self, rest: dict[str, Any]) -> tuple[Band, ...]:
        """Up to four bands that do not overlap, of many tried."""
        kept: tuple[Band, ...] = ()
        for _ in range(self.random.choice([0, 2, 6, 12])):
            with suppress(RateError):
                kept = Rate(**rest, bands=(*kept, self.band())).bands[:4]
        return kept

    def rate(self) -> Rate:
        few = self.longest_s // 4
        rest: dict[str, Any] = {
            "price": self.price(),
            "connect_fee": self.price() if self.one_in(2) else Decimal(0),
            "first_s": self.length() if self.one_in(2) else None,
            "step_s": self.length(),
            "grace_s": self.random.randrange(few) if self.one_in(4) else 0,
            "free_s": self.random.randrange(few) if self.one_in(2) else 0,
            "min_charge": self.price() if self.one_in(3) else Decimal(0),
            "decimals": self.random.choice([0, 0, 1, 1, 2, 3, 4, 5, 6]),
            "rounding": self.random.choice(sorted(MODES)),
            "time_zone": self.random.choice(ZONES),
            "band_rule": "at_start" if self.one_in(3) else "split",
            "steps": self.steps(self.random.randrange(4)),
            "holidays": frozenset(self.random.sample(CALENDAR, self.random.randrange(4))),
        }
        return Rate(**rest, bands=self.bands(rest))

    def answer(self, rate: Rate) -> datetime:
        """Often so that a band's edge falls into the call, on a day on which something happens."""
        edges = [minute % 1440 for band in rate.bands for minute in (band.from_minute, band.to_minute)]
        hour, minute = divmod(self.random.choice(edges or HOURS), 60)
        day = self.random.choice(CALENDAR)
        local = datetime(day.year, day.month, day.day, hour, minute, tzinfo=ZoneInfo(rate.time_zone))
        early = timedelta(seconds=self.random.randrange(self.longest_s) if self.one_in(2) else 0)
        return local.astimezone(UTC) - early + timedelta(microseconds=self.random.choice([0, 0, 1, 999_999]))


def rates(longest_s: int) -> st.SearchStrategy[tuple[Rate, datetime]]:
    """A rate, and an answer that suits it."""

    def made(seed: int) -> tuple[Rate, datetime]:
        maker = Maker(seed, longest_s)
        rate = maker.rate()
        return rate, maker.answer(rate)

    return seeds.map(made)


def calls() -> st.SearchStrategy[tuple[Rate, Decimal, datetime]]:
    """A rate, a duration and an answer."""

    def made(seed: int) -> tuple[Rate, Decimal, datetime]:
        random = Random(seed)
        maker = Maker(seed, random.choice([300, 20_000, 100_000, 250_000]))
        rate = maker.rate()
        edge = random.choice([rate.grace_s, rate.free_s, rate.free_s + (rate.first_s or rate.step_s), 0])
        duration_s = Decimal(random.randrange(maker.longest_s) if random.randrange(5) else edge)
        return rate, duration_s + Decimal(random.choice(["0", "0", "1", "0.25"])), maker.answer(rate)

    return seeds.map(made)


seeds = st.integers(0, 2**64 - 1)
prices = seeds.map(lambda seed: Maker(seed, 300).price())


# The laws


@profile
@given(calls())
def test_the_kernel_prices_as_the_rules_say(call: tuple[Rate, Decimal, datetime]) -> None:
    rate, duration_s, answered_at = call
    charge = price(rate, duration_s, answered_at)
    amount, billed_s = oracle(rate, duration_s, answered_at)
    assert (str(charge.amount), charge.billed_s) == (str(amount), billed_s)
    assert charge.charged == (ceil(duration_s) > rate.grace_s)


@profile
@given(rates(240), st.integers(1, 240), st.data())
def test_the_longest_call_is_that_of_brute_force(
    made: tuple[Rate, datetime], limit_s: int, data: st.DataObject
) -> None:
    rate, answered_at = made
    amounts = [price(rate, s, answered_at).amount for s in range(limit_s + 1)]
    assert amounts == sorted(amounts), "the amount never falls as the call goes on"
    ulp = Decimal(1).scaleb(-rate.decimals)
    near = st.sampled_from(amounts).flatmap(lambda a: st.sampled_from([a, a - ulp, a + ulp / 2, a - ulp / 3]))
    funds = data.draw(near | prices)
    expected = max((s for s, amount in enumerate(amounts) if amount <= funds), default=0)
    assert longest(rate, funds, answered_at, limit_s) == expected


@profile
@given(rates(250_000), st.integers(1, 250_000), prices, st.integers(0, 4))
def test_the_longest_call_is_affordable_and_a_second_more_is_not(
    made: tuple[Rate, datetime], limit_s: int, funds: Decimal, digits: int
) -> None:
    rate, answered_at = made
    funds *= 10**digits
    found = longest(rate, funds, answered_at, limit_s)
    assert 0 <= found <= limit_s
    assert price(rate, found, answered_at).amount <= funds
    if found < limit_s:
        assert price(rate, found + 1, answered_at).amount > funds


@profile
@given(calls())
def test_an_explanation_adds_up(call: tuple[Rate, Decimal, datetime]) -> None:
    rate, duration_s, answered_at = call
    charge = price(rate, duration_s, answered_at)
    lines = explain(rate, duration_s, answered_at)
    assert lines[-1].value == format(charge.amount, "f")
    told = {line.rule: line.value for line in lines}
    if charge.billed_s:
        assert told["increments"] == f"{charge.billed_s} s"
        laid = [fraction(line.value) for line in lines if line.rule == "piece"]
        assert sum(laid) + Fraction(rate.connect_fee) == fraction(told["sum"])


def fraction(value: str) -> Fraction:
    return Fraction(value.partition("(")[2].rstrip(")")) if "(" in value else Fraction(value)


@profile
@given(rates(20_000))
def test_a_rate_survives_its_wire_form(made: tuple[Rate, datetime]) -> None:
    rate, _ = made
    wire = json.loads(json.dumps(rate.to_json()), parse_float=Decimal)
    assert Rate.from_json(wire) == rate


@profile
@given(seeds)
def test_bands_are_refused_exactly_where_two_would_hold_at_once(seed: int) -> None:
    """Watched at every start of a band, over a plain week, around each holiday, and on one far from the others."""
    maker = Maker(seed, 300)
    wanted = [maker.band() for _ in range(maker.random.choice([2, 2, 3]))]
    holidays = frozenset(maker.random.sample(CALENDAR, maker.random.randrange(3)))
    try:
        Rate(Decimal(1), bands=tuple(wanted), holidays=holidays)
        refused = False
    except RateError:
        refused = True
    far = date(2030, 6, 5)
    calendar = Rate(Decimal(1), holidays=holidays | {far})
    near = {day + timedelta(days=n) for day in holidays for n in (-1, 0, 1)}
    week = {date(2026, 6, 1) + timedelta(days=n) for n in range(8)}
    clash = any(clashes(calendar, wanted, day, (0, 1)) for day in near | week)
    clash = clash or clashes(calendar, wanted, far, (0,))
    assert refused == clash


def clashes(calendar: Rate, wanted: list[Band], day: date, days_back: tuple[int, ...]) -> bool:
    midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - a wall clock
    starts = [midnight + timedelta(minutes=band.from_minute) for band in wanted]
    found = [[b for b in wanted for back in days_back if holds(calendar, b, start, back)] for start in starts]
    return any(len(at_once) > 1 for at_once in found)


@pytest.mark.parametrize("step_s", [1, 60])
def test_a_week_takes_one_step_for_each_stretch_of_price(step_s: int) -> None:
    """Two changes and a midnight a day: some twenty stretches, however many increments."""
    band = Band(frozenset(range(1, 8)), True, 480, 1140, Decimal(1))
    rate = Rate(Decimal(2), step_s=step_s, bands=(band,), time_zone="Europe/Berlin")
    start = datetime.fromisoformat("2026-10-20T12:00:00+00:00")
    assert sum(1 for _ in pieces(rate, plan_of(rate), 7 * 86_400, start)) < 30
