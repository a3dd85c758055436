"""The kernel against the rules followed literally: an oracle that lays one increment after the other.

The oracle shares nothing with the kernel but the values that describe a rate. TOLLGATE_PROOF=1: long runs.
"""

from __future__ import annotations

import json
import os
from datetime import date, datetime, timedelta
from decimal import ROUND_05UP, ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_UP, Context, Decimal
from fractions import Fraction
from math import ceil
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rating.kernel import Band, Rate, RateError, Step, explain, longest, price
from rating.kernel.plan import pieces, plan_of

PROOF = os.environ.get("TOLLGATE_PROOF") == "1"
profile = settings(
    max_examples=6000 if PROOF else 300,
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


# Rates and calls


prices = st.one_of(
    st.just(Decimal(0)),
    st.decimals(min_value=0, max_value=9, places=2),
    st.decimals(min_value=0, max_value=2, places=8),
    st.integers(0, 400).map(lambda n: Decimal(n) * Decimal("0.15")),
)
minutes = st.one_of(st.integers(0, 95).map(lambda n: n * 15), st.sampled_from([120, 150, 180]), st.integers(0, 1439))
days = st.frozensets(st.integers(1, 7), max_size=7)
CALENDAR = [date(2026, 3, 28) + timedelta(days=n) for n in range(4)]
CALENDAR += [date(2026, 10, 22) + timedelta(days=n) for n in range(6)] + [
    date(2026, 12, 31),
    date(2027, 1, 1),
]
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia"]
BASES = [
    "2026-03-29T00:00",
    "2026-10-25T00:00",
    "2026-10-04T00:00",
    "2026-11-01T05:00",
    "2026-12-31T12:00",
    "2011-12-30T10:00",
]


@st.composite
def step_lists(draw: st.DrawFn, longest_s: int, least: int = 0) -> tuple[Step, ...]:
    starts = draw(st.lists(st.integers(0, longest_s), min_size=least, max_size=3, unique=True))
    lengths = st.none() | st.integers(max(longest_s // 150, 1), max(longest_s // 10, 2))
    return tuple(Step(start, draw(prices), draw(lengths)) for start in starts)


@st.composite
def bands(draw: st.DrawFn, longest_s: int) -> Band:
    on, holiday = draw(days), draw(st.booleans())
    begin, end = draw(minutes), draw(st.just(1440) | minutes)
    if draw(st.booleans()):
        return Band(on or frozenset({3}), holiday, begin, end, draw(prices))
    steps = draw(step_lists(longest_s, 1))
    return Band(on, holiday or not on, begin, end, draw(st.none() | prices), steps)


@st.composite
def rates(draw: st.DrawFn, longest_s: int) -> Rate:
    """Rates whose naive pricing of `longest_s` stays below some hundred increments."""
    length = st.integers(max(longest_s // 150, 1), max(longest_s // 4, 90))
    wanted = draw(st.lists(bands(longest_s), min_size=1, max_size=4) | st.just([]))
    common = {
        "price": draw(prices),
        "connect_fee": draw(st.just(Decimal(0)) | prices),
        "first_s": draw(st.none() | length),
        "step_s": draw(length),
        "grace_s": draw(st.just(0) | st.integers(0, longest_s // 8)),
        "free_s": draw(st.just(0) | st.integers(0, longest_s // 3)),
        "min_charge": draw(st.just(Decimal(0)) | prices),
        "decimals": draw(st.integers(0, 6)),
        "rounding": draw(st.sampled_from(sorted(MODES))),
        "time_zone": draw(st.sampled_from(ZONES)),
        "band_rule": draw(st.sampled_from(["split", "at_start"])),
        "steps": draw(step_lists(longest_s)),
        "holidays": draw(st.frozensets(st.sampled_from(CALENDAR), max_size=4)),
    }
    while True:
        try:
            return Rate(**common, bands=tuple(wanted))  # type: ignore[arg-type]
        except RateError:  # bands that overlap; without any the rate is sound
            wanted.pop()


answers = st.builds(
    lambda base, seconds, micro: (
        datetime.fromisoformat(base + "+00:00") + timedelta(seconds=seconds, microseconds=micro)
    ),
    st.sampled_from(BASES),
    st.integers(-100_000, 100_000) | st.integers(-60, 60).map(lambda n: n * 900),
    st.sampled_from([0, 0, 1, 500_000, 999_999]),
)


@st.composite
def calls(draw: st.DrawFn) -> tuple[Rate, Decimal, datetime]:
    longest_s = draw(st.sampled_from([300, 300, 20_000, 250_000]))
    duration_s = Decimal(draw(st.integers(0, longest_s))) - draw(st.sampled_from([Decimal(0), Decimal("0.25")]))
    return draw(rates(longest_s)), max(duration_s, Decimal(0)), draw(answers)


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
@given(rates(240), answers, st.integers(1, 240), st.data())
def test_the_longest_call_is_that_of_brute_force(
    rate: Rate, answered_at: datetime, limit_s: int, data: st.DataObject
) -> None:
    amounts = [price(rate, s, answered_at).amount for s in range(limit_s + 1)]
    assert amounts == sorted(amounts), "the amount never falls as the call goes on"
    ulp = Decimal(1).scaleb(-rate.decimals)
    near = st.sampled_from(amounts).flatmap(lambda a: st.sampled_from([a, a - ulp, a + ulp / 2, a - ulp / 3]))
    funds = data.draw(near | prices)
    expected = max((s for s, amount in enumerate(amounts) if amount <= funds), default=0)
    assert longest(rate, funds, answered_at, limit_s) == expected


@profile
@given(rates(250_000), answers, st.integers(1, 250_000), prices, st.integers(0, 4))
def test_the_longest_call_is_affordable_and_a_second_more_is_not(
    rate: Rate, answered_at: datetime, limit_s: int, funds: Decimal, digits: int
) -> None:
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
def test_a_rate_survives_its_wire_form(rate: Rate) -> None:
    wire = json.loads(json.dumps(rate.to_json()), parse_float=Decimal)
    assert Rate.from_json(wire) == rate


@profile
@given(
    st.lists(bands(300), min_size=2, max_size=3),
    st.frozensets(st.sampled_from(CALENDAR), max_size=3),
)
def test_bands_are_refused_exactly_where_two_would_hold_at_once(wanted: list[Band], holidays: frozenset[date]) -> None:
    """Watched at every start of a band, over a plain week, around each holiday, and on one far from the others."""
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
