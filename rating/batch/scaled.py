"""Rates as columns of 64-bit integers, with the bound up to which their arithmetic cannot overflow.

A rate is plain where one price holds throughout; one with steps or bands is walked (`walks`). One with figures too
large or too fine for 64 bits is kept as it is: its calls are the kernel's.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rating.batch.digits import Ints
from rating.batch.growing import Growing
from rating.batch.walks import Walks
from rating.kernel import Rate
from rating.kernel.numbers import MAX_DURATION_S, POWERS, places, scaled
from rating.kernel.plan import Plan

AMOUNT_PLACES: Final = 6
"""Amounts in columns are whole units of 10**-6, whatever the rate's decimals: what the ledger holds."""
LARGEST: Final = int(np.iinfo(np.int64).max)
MAX_POINTS: Final = LARGEST // 4
"""Leaves room for twice the points and the divisor, with which a half is recognised."""
NONE_S: Final = -1
ANY_S: Final = LARGEST
NO_WALK: Final = -1


class Shape(NamedTuple):
    """What many rates share. `points / divisor` is the amount in units of 10**-decimals, `grain` of these columns.

    Rounded: (2 x points + addend) / (2 x divisor), cut off; with `even` a half goes to the even neighbour.
    own_first_s: the first increment where it has a length of its own, else 0.
    """

    first_s: int
    step_s: int
    grace_s: int
    free_s: int
    twice: int
    addend: int
    even: int
    grain: int
    own_first_s: int


class ScaledRate(NamedTuple):
    """One rate in integers: the place of its shape, the price for a second, fee and minimum in points.

    most_s: billed seconds up to which nothing overflows (NONE_S: the kernel's). walk: its number in Walks.
    """

    shape: int
    units: int
    connect: int
    least: int
    most_s: int
    walk: int


NO_SHAPE: Final = Shape(1, 1, LARGEST, 0, 2, 0, 0, 1, 0)
NO_RATE_AT_ALL: Final = ScaledRate(-1, 0, 0, 0, ANY_S, NO_WALK)


class RateColumns:
    """Rates by id (their position), as columns; `kernel` keeps the rates. Id -1 is no rate, never charged."""

    def __init__(self, rates: Iterable[Rate] = ()) -> None:
        self.kernel: list[Rate] = []
        self.walks = Walks()
        self._rates = [Growing(empty) for empty in NO_RATE_AT_ALL]
        self._shapes = [Growing(empty) for empty in NO_SHAPE]
        self._places: dict[Shape, int] = {}
        self.any_walk = self.any_even = False
        self.extend(rates)

    def extend(self, rates: Iterable[Rate]) -> None:
        """Append rates; those that are there keep their ids."""
        added = list(rates)
        self.kernel += added
        for column, values in zip(self._rates, zip(*map(self._scaled, added), strict=True), strict=False):
            column.extend(values)

    def shape(self, field: str) -> NDArray[Any]:
        """A field of Shape by the place of the shape; index -1 is that of no rate."""
        return self._shapes[Shape._fields.index(field)].padded

    def rate(self, field: str) -> NDArray[Any]:
        """A field of ScaledRate by id; index -1 is that of no rate."""
        return self._rates[ScaledRate._fields.index(field)].padded

    def __len__(self) -> int:
        return len(self.kernel)

    def _place(self, rate: Rate, divisor: int) -> int:
        first_s = rate.step_s if rate.first_s is None else rate.first_s
        addends = {"half_up": divisor, "half_even": divisor, "up": 2 * divisor - 2, "down": 0}
        even, grain = int(rate.rounding == "half_even"), POWERS[AMOUNT_PLACES - rate.decimals]
        lengths = (first_s, rate.step_s, rate.grace_s, rate.free_s)
        shape = Shape(*lengths, 2 * divisor, addends[rate.rounding], even, grain, rate.first_s or 0)
        if shape not in self._places:
            self._places[shape] = len(self._places)
            for column, value in zip(self._shapes, shape, strict=True):
                column.extend([value])
            self.any_even |= bool(even)
        return self._places[shape]

    def _scaled(self, rate: Rate) -> ScaledRate:
        """The integers behind one rate, as the kernel's plan has them, in no fewer places than its decimals."""
        plan = Plan(rate) if rate.steps or rate.bands else None
        scale = max(places(rate.price), places(rate.connect_fee), places(rate.min_charge), rate.decimals)
        if plan is not None:
            scale = max(scale, plan.scale)
        connect, least = scaled(rate.connect_fee, scale) * 60, scaled(rate.min_charge, scale) * 60
        units, divisor = dearest(rate, plan, scale), 60 * POWERS[scale - rate.decimals]
        grain = POWERS[AMOUNT_PLACES - rate.decimals]
        most = min(MAX_POINTS, LARGEST // grain * divisor - 1)
        if max(units, connect, least, divisor) > most:
            return ScaledRate(self._place(rate, 1), 0, 0, 0, NONE_S, NO_WALK)
        most_s = min((most - connect) // units, ANY_S) if units else ANY_S
        walk = NO_WALK
        if plan is not None:
            walk, self.any_walk = self.walks.add(rate, plan, scale), True
        return ScaledRate(self._place(rate, divisor), units, connect, least, most_s, walk)


def dearest(rate: Rate, plan: Plan | None, scale: int) -> int:
    """The highest price for a second that may hold in a call, in points."""
    if plan is None:
        return scaled(rate.price, scale)
    return max(row.units for ladder in plan.ladders for row in ladder.rows) * POWERS[scale - plan.scale]


def rounded(points: Ints, twice: Ints, addend: Ints, even: Ints | None) -> Ints:
    """Points in whole units, rounded once; `even` where some go from a half to the even neighbour."""
    doubled = 2 * points + addend
    whole = doubled // twice
    if even is not None:
        whole -= (even & whole & 1) * (doubled == whole * twice)
    return whole


def within(duration_s: Ints) -> NDArray[np.bool_]:
    """Whether the kernel takes these durations at all."""
    return (duration_s >= 0) & (duration_s <= MAX_DURATION_S)
