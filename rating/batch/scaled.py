"""Rates as columns of 64-bit integers, with the bound up to which their arithmetic cannot overflow.

A rate is plain where one price holds throughout. One with steps or bands, or with figures too large or too fine for 64
bits, is kept as it is: its calls are the kernel's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rating.batch.digits import Ints
from rating.kernel import Rate
from rating.kernel.numbers import MAX_DURATION_S, POWERS, places, scaled
from rating.kernel.rate import ROUNDINGS

AMOUNT_PLACES: Final = 6
"""Amounts in columns are whole units of 10**-6, whatever the rate's decimals: what the ledger holds."""
LARGEST: Final = int(np.iinfo(np.int64).max)
MAX_POINTS: Final = LARGEST // 4
"""Leaves room for twice the rest, with which a half is recognised."""
NONE_S: Final = -1
ANY_S: Final = LARGEST


class ScaledRate(NamedTuple):
    """One rate in integers. `points / divisor` is the amount in units of 10**-decimals, and `grain` of these columns.

    units: the price for a second, in points. most_s: billed seconds up to which nothing overflows (NONE_S: not plain).
    """

    units: int
    connect: int
    least: int
    divisor: int
    grain: int
    first_s: int
    step_s: int
    grace_s: int
    free_s: int
    mode: int
    most_s: int


def scaled_rate(rate: Rate) -> ScaledRate:
    """The integers behind one rate, as the kernel's plan has them, in no fewer places than its decimals."""
    first_s = rate.step_s if rate.first_s is None else rate.first_s
    lengths = (first_s, rate.step_s, rate.grace_s, rate.free_s, ROUNDINGS.index(rate.rounding))
    grain = POWERS[AMOUNT_PLACES - rate.decimals]
    kernels_own = ScaledRate(0, 0, 0, 1, grain, *lengths, NONE_S)
    if rate.steps or rate.bands:
        return kernels_own
    scale = max(places(rate.price), places(rate.connect_fee), places(rate.min_charge), rate.decimals)
    units, connect, least = (scaled(price, scale) for price in (rate.price, rate.connect_fee, rate.min_charge))
    connect, least, divisor = connect * 60, least * 60, 60 * POWERS[scale - rate.decimals]
    most = min(MAX_POINTS, LARGEST // grain * divisor - 1)
    if max(units, connect, least, divisor) > most:
        return kernels_own
    most_s = min((most - connect) // units, ANY_S) if units else ANY_S
    return ScaledRate(units, connect, least, divisor, grain, *lengths, most_s)


class RateColumns:
    """Rates by id (their position), as columns; `kernel` keeps the rates themselves."""

    def __init__(self, rates: Sequence[Rate]) -> None:
        self.kernel = tuple(rates)
        made = np.array([scaled_rate(rate) for rate in rates], dtype=np.int64)
        columns = np.ascontiguousarray(made.reshape(len(rates), len(ScaledRate._fields)).T)
        self._columns = dict(zip(ScaledRate._fields, columns, strict=True))

    def __getitem__(self, field: str) -> Ints:
        """The column of one field of ScaledRate."""
        return self._columns[field]

    def __len__(self) -> int:
        return len(self.kernel)


def rounded(points: Ints, divisor: Ints, mode: Ints) -> Ints:
    """points / divisor rounded once, each in its own mode (an index into the kernel's ROUNDINGS)."""
    whole = points // divisor
    rest = points - whole * divisor
    half_up, half_even, up, _down = (mode == at for at in range(len(ROUNDINGS)))
    twice = 2 * rest
    ties_up: NDArray[np.bool_] = half_up | (half_even & (whole & 1 == 1))
    nearer = (twice > divisor) & (half_up | half_even)
    return whole + (nearer | ((twice == divisor) & ties_up) | (up & (rest > 0)))


def within(duration_s: Ints) -> NDArray[np.bool_]:
    """Whether the kernel takes these durations at all."""
    return (duration_s >= 0) & (duration_s <= MAX_DURATION_S)
