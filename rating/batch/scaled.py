"""Rates as columns of 64-bit integers, with the bound up to which their arithmetic cannot overflow.

A rate is plain where one price holds throughout; one with steps or bands is walked (`walks`). One with figures too
large or too fine for 64 bits is kept as it is: its calls are the kernel's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, Final, NamedTuple, cast

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
COMMON_PLACES: Final = 8
"""Of prices as they are stored: rates of one scale share their shapes."""
HALVES: Final = ("half_up", "half_even")


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


class Flat(NamedTuple):
    """A rate without steps and bands, as far as columns need it: fields as in the kernel's Rate, and as valid."""

    price: Decimal
    connect_fee: Decimal
    min_charge: Decimal
    first_s: int | None
    step_s: int
    grace_s: int
    free_s: int
    decimals: int
    rounding: str


NO_SHAPE: Final = Shape(1, 1, LARGEST, 0, 2, 0, 0, 1, 0)
NO_RATE_AT_ALL: Final = ScaledRate(-1, 0, 0, 0, ANY_S, NO_WALK)


class RateColumns:
    """Rates by id (their position), as columns. Id -1 is no rate, never charged.

    A rate is given as the kernel has it, or Flat where `kernel_of` can make the kernel's of its id when it is needed.
    """

    def __init__(self, rates: Iterable[Rate] = (), kernel_of: Callable[[int], Rate] | None = None) -> None:
        self._kernel: list[Rate | None] = []
        self._kernel_of = kernel_of
        self.walks = Walks()
        self._rates = [Growing(empty) for empty in NO_RATE_AT_ALL]
        self._shapes = [Growing(empty) for empty in NO_SHAPE]
        self._places: dict[Shape, int] = {}
        self.any_walk = self.any_even = False
        self.extend(rates)

    def extend(self, rates: Iterable[Rate | Flat]) -> None:
        """Append rates; those that are there keep their ids."""
        added = list(rates)
        scaled_rates = [self._scaled(rate) for rate in added]
        self._kernel += [None if isinstance(rate, Flat) else rate for rate in added]
        for column, values in zip(self._rates, zip(*scaled_rates, strict=True), strict=False):
            column.extend(values)

    def kernel(self, rate_id: int) -> Rate:
        """The kernel's rate of this id."""
        rate = self._kernel[rate_id]
        if rate is None:
            assert self._kernel_of is not None
            rate = self._kernel_of(rate_id)
        return rate

    def shape(self, field: str) -> NDArray[Any]:
        """A field of Shape by the place of the shape; index -1 is that of no rate."""
        return self._shapes[Shape._fields.index(field)].padded

    def rate(self, field: str) -> NDArray[Any]:
        """A field of ScaledRate by id; index -1 is that of no rate."""
        return self._rates[ScaledRate._fields.index(field)].padded

    def __len__(self) -> int:
        return len(self._kernel)

    def _place(self, rate: Rate | Flat, divisor: int) -> int:
        first_s = rate.step_s if rate.first_s is None else rate.first_s
        addend = divisor if rate.rounding in HALVES else 2 * divisor - 2 if rate.rounding == "up" else 0
        even, grain = rate.rounding == "half_even", POWERS[AMOUNT_PLACES - rate.decimals]
        lengths = (first_s, rate.step_s, rate.grace_s, rate.free_s)
        shape = Shape(*lengths, 2 * divisor, addend, even, grain, rate.first_s or 0)
        place = self._places.get(shape)
        if place is None:
            place = self._places[shape] = len(self._places)
            for column, value in zip(self._shapes, shape, strict=True):
                column.extend([value])
            self.any_even |= even
        return place

    def _scaled(self, rate: Rate | Flat) -> ScaledRate:
        """The integers behind one rate: in COMMON_PLACES where that goes, else in as few places as will do."""
        if isinstance(rate, Flat):
            prices = tuple(
                int(price.scaleb(COMMON_PLACES)) for price in (rate.price, rate.connect_fee, rate.min_charge)
            )
            found = self._at(rate, prices, COMMON_PLACES)
            return found or self._exactly(rate, None, _needed(rate))
        plan = Plan(rate) if rate.steps or rate.bands else None
        needed = max(_needed(rate), plan.scale if plan else 0)
        found = self._exactly(rate, plan, max(needed, COMMON_PLACES))
        return found if found.most_s != NONE_S or needed >= COMMON_PLACES else self._exactly(rate, plan, needed)

    def _exactly(self, rate: Rate | Flat, plan: Plan | None, scale: int) -> ScaledRate:
        """In units of 10**-scale; NONE_S where these are too large."""
        units, connect, least = (scaled(price, scale) for price in (rate.price, rate.connect_fee, rate.min_charge))
        if plan is not None:
            units = max(row.units for ladder in plan.ladders for row in ladder.rows) * POWERS[scale - plan.scale]
        found = self._at(rate, (units, connect, least), scale)
        if found is None:
            return ScaledRate(self._place(rate, 1), 0, 0, 0, NONE_S, NO_WALK)
        if plan is None:
            return found
        self.any_walk = True
        return found._replace(walk=self.walks.add(cast(Rate, rate), plan, scale))

    def _at(self, rate: Rate | Flat, prices: tuple[int, ...], scale: int) -> ScaledRate | None:
        """With the dearest second, fee and minimum in units of 10**-scale; None where they could overflow."""
        units, connect, least = prices[0], prices[1] * 60, prices[2] * 60
        divisor, grain = 60 * POWERS[scale - rate.decimals], POWERS[AMOUNT_PLACES - rate.decimals]
        most = min(MAX_POINTS, LARGEST // grain * divisor - 1)
        if max(units, connect, least, divisor) > most:
            return None
        most_s = min((most - connect) // units, ANY_S) if units else ANY_S
        return ScaledRate(self._place(rate, divisor), units, connect, least, most_s, NO_WALK)


def _needed(rate: Rate | Flat) -> int:
    """The fewest places that hold its price, fee and minimum, and its amounts."""
    return max(places(rate.price), places(rate.connect_fee), places(rate.min_charge), rate.decimals)


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
