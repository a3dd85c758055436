"""A rate made ready for arithmetic, and the one walk over a call that all questions share.

All amounts become integers: prices, fees and minimum in units of 10**-scale, products of price and seconds in
sixtieths of that (`points`). So nothing is rounded before the end, whatever the caller's decimal context.
The walk never visits single increments: within a stretch of one price and one length it counts them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from rating.kernel.errors import RateError
from rating.kernel.numbers import places, scaled
from rating.kernel.rate import Rate
from rating.kernel.terms import Step
from rating.kernel.week import LAST_S, Week, utc_second
from rating.kernel.zone import clock_named

MAX_PIECES = 100_000
"""Stretches of one call. Decades through daily bands fit; more is refused rather than waited for."""


class Terms(NamedTuple):
    """What an increment that begins here costs: price per minute (in units, and as written) and length."""

    units: int
    price: Decimal
    step_s: int
    from_s: int
    band: int
    step: int


class Piece(NamedTuple):
    """Equal increments of `length_s`, the first beginning `start_s` after the answer."""

    start_s: int
    length_s: int
    increments: int
    terms: Terms

    @property
    def points(self) -> int:
        """What they cost, in plan points."""
        return self.length_s * self.increments * self.terms.units


class Ladder:
    """The terms outside all bands, or in one band, by elapsed seconds."""

    __slots__ = ("rows", "starts")

    def __init__(self, rows: list[Terms]) -> None:
        self.rows = rows
        self.starts = [row.from_s for row in rows]

    def at(self, elapsed_s: int) -> tuple[Terms, int | None]:
        """The terms at this second after the answer, and the second at which the next ones start."""
        i = bisect_right(self.starts, elapsed_s)
        return self.rows[i - 1], self.starts[i] if i < len(self.starts) else None


class Plan:
    """The integers behind one rate."""

    __slots__ = ("connect", "flat", "ladders", "least", "scale", "week", "zero")

    def __init__(self, rate: Rate) -> None:
        prices = [step.price for step in rate.steps] + [rate.price, rate.connect_fee, rate.min_charge]
        for band in rate.bands:
            prices += [step.price for step in band.steps] + ([] if band.price is None else [band.price])
        self.scale = max(places(price) for price in prices)
        self.connect = scaled(rate.connect_fee, self.scale) * 60
        self.least = scaled(rate.min_charge, self.scale) * 60
        self.zero = Decimal((0, (0,), -rate.decimals))
        self.ladders = [self._ladder(rate, -1, rate.price, rate.steps)]
        for i, band in enumerate(rate.bands):
            before = rate.price if band.price is None else band.price
            self.ladders.append(self._ladder(rate, i, before, band.steps))
        self.week = Week(rate.bands, rate.holidays, clock_named(rate.time_zone)) if rate.bands else None
        self.flat = None if rate.bands or rate.steps else self.ladders[0].rows[0]

    def _ladder(self, rate: Rate, band: int, price: Decimal, steps: tuple[Step, ...]) -> Ladder:
        rows = [Terms(scaled(price, self.scale), price, rate.step_s, 0, band, -1)]
        for i, step in enumerate(steps):
            units = scaled(step.price, self.scale)
            row = Terms(units, step.price, step.step_s or rate.step_s, step.from_s, band, i)
            rows = [row] if row.from_s == 0 else [*rows, row]
        return Ladder(rows)


def plan_of(rate: Rate) -> Plan:
    """The plan of a rate, made at first use and kept with it."""
    plan = rate._plan
    if not isinstance(plan, Plan):
        plan = Plan(rate)
        object.__setattr__(rate, "_plan", plan)
    return plan


def pieces(rate: Rate, plan: Plan, duration_s: int, answered_at: datetime | None) -> Iterator[Piece]:
    """Lay increments from `free_s` on until they cover the duration (rules 2 and 3), grouped.

    Raises RateError where bands need a time that is not given, and for calls beyond the calendar.
    """
    at = rate.free_s
    if at >= duration_s:
        return
    clock = _Clock(rate, plan, answered_at)
    terms, until = clock.at(at)
    if rate.first_s is not None:
        yield Piece(at, rate.first_s, 1, terms)
        at += rate.first_s
    while at < duration_s:
        if until is not None and until <= at:
            terms, until = clock.at(at)
        end = duration_s if until is None or until > duration_s else until
        count = -((at - end) // terms.step_s)
        yield Piece(at, terms.step_s, count, terms)
        at += terms.step_s * count


class _Clock:
    """Turns seconds since the answer into the terms in force, and the second until which they surely hold."""

    __slots__ = ("_answer", "_fixed", "_left", "_plan", "_week")

    def __init__(self, rate: Rate, plan: Plan, answered_at: datetime | None) -> None:
        self._plan = plan
        self._week = plan.week
        self._fixed = plan.ladders[0]
        self._left = MAX_PIECES
        if plan.week is None:
            return
        if answered_at is None:
            raise RateError("answered_at", "is needed: the price depends on the time of day")
        self._answer = utc_second(answered_at)
        if rate.band_rule == "at_start":
            self._fixed = plan.ladders[plan.week.band_at(self._answer)[0] + 1]
            self._week = None

    def at(self, elapsed_s: int) -> tuple[Terms, int | None]:
        if self._week is None:
            return self._fixed.at(elapsed_s)
        self._left -= 1
        instant = self._answer + elapsed_s
        if not self._left or instant >= LAST_S:
            raise RateError("duration_s", "is too long for prices by time of day")
        band, changes_at = self._week.band_at(instant)
        terms, until = self._plan.ladders[band + 1].at(elapsed_s)
        changes_s = changes_at - self._answer
        return terms, changes_s if until is None or changes_s < until else until
