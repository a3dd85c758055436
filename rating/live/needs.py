"""What each wallet must set aside so that a call may last so many seconds.

A wholesale or postpaid buyer sets aside its own price, with the tax that a prepaid wallet pays. A distribution seller's
wallet is paid by its buyer's and pays its own seller, both at the end: it sets aside the most by which its own price
may exceed what comes in, at any second of the call. Amounts are millionths (int64), one for each second from 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from rating.batch import RateColumns, price_columns
from rating.kernel import Rate
from rating.kernel.dearest import dearest
from rating.live.memory import Memory
from rating.live.terms import ANSWERED_WITHIN, Priced, TierTerms
from rating.pricing.directory import Tax
from rating.pricing.engine import split_tax

Ints = NDArray[np.int64]
MICROS: Final = 1_000_000
CURVE_POINTS: Final = 120
EXACT_POINTS: Final = 40
KEPT: Final = 20_000


class Curve(NamedTuple):
    """For a call of up to `seconds[i]` the wallet needs `micros[i]`; both rise; the last is the longest asked for."""

    wallet: UUID
    seconds: list[int]
    micros: list[int]


class Course(NamedTuple):
    """An amount by second from 1 on. `exact`: it is the price, not merely never below it."""

    amounts: Ints
    exact: bool


def curves(tiers: Sequence[TierTerms], longest_s: int, asked_at: datetime) -> list[Curve]:
    """One for each tier's wallet, for an answer within ANSWERED_WITHIN of `asked_at`."""
    return _curves(tiers, longest_s, asked_at, asked_at + ANSWERED_WITHIN)


def curves_answered(tiers: Sequence[TierTerms], longest_s: int, answered_at: datetime) -> list[Curve]:
    """The same for a call whose answer is known."""
    held = [tier._replace(rates=(tier.at(answered_at),)) for tier in tiers]
    return _curves(held, longest_s, answered_at, answered_at)


def takings(tiers: Sequence[TierTerms], longest_s: int, begin: datetime, end: datetime) -> list[Curve]:
    """What each tier's charge takes from its wallet, whatever comes in, for an answer from `begin` to `end`."""
    if begin == end:
        tiers = [tier._replace(rates=(tier.at(begin),)) for tier in tiers]
    return [
        _curve(tier.wallet, _gross(_course(tier.rates, longest_s, begin, end).amounts, tier.tax, tier.prepaid))
        for tier in tiers
    ]


def _curves(tiers: Sequence[TierTerms], longest_s: int, begin: datetime, end: datetime) -> list[Curve]:
    made, below = [], None
    for position, tier in enumerate(tiers):
        course = _course(tier.rates, longest_s, begin, end)
        gross = _gross(course.amounts, tier.tax, tier.prepaid)
        need = gross
        if position and below is not None and tiers[position - 1].counter == tier.wallet:
            need = np.maximum(np.maximum.accumulate(gross - below), 0)
        net = _net(course.amounts, tier.tax, tier.prepaid)
        below = net if course.exact else np.zeros(longest_s, np.int64)
        made.append(_curve(tier.wallet, need))
    return made


_courses: Memory[tuple[int, int], Course] = Memory(KEPT)


def _course(rates: Sequence[Priced], longest_s: int, begin: datetime, end: datetime) -> Course:
    """The dearest of the rates that an answer may meet, second by second."""
    parts = [_priced(one, longest_s, begin, end) for one in rates]
    if len(parts) == 1:
        return parts[0]
    return Course(np.maximum.reduce([part.amounts for part in parts]), False)


def _priced(one: Priced, longest_s: int, begin: datetime, end: datetime) -> Course:
    if not one.rate.bands:
        key = (one.terms_id, longest_s)
        return _courses.ask(key, lambda: Course(amounts(one.rate, longest_s, begin), True))
    if begin == end:
        return Course(amounts(one.rate, longest_s, begin), True)
    plain, exact = dearest(one.rate, longest_s, begin, end)
    return Course(amounts(plain, longest_s, begin), exact)


def amounts(rate: Rate, longest_s: int, answered_at: datetime) -> Ints:
    """The price of 1, 2 ... longest_s seconds, in millionths."""
    seconds = np.arange(1, longest_s + 1, dtype=np.int64)
    at_us = np.full(longest_s, int(answered_at.timestamp()) * MICROS, np.int64)
    priced = price_columns(RateColumns([rate]), np.zeros(longest_s, np.int64), seconds, at_us)
    for row, error in priced.refused.items():
        raise OverflowError(f"{row + 1} s: {error}")
    return priced.amounts


def _split(micros: Ints, tax: Tax | None, prepaid: bool) -> tuple[Ints, Ints]:
    """(sale, tax) of each amount, as they are posted: each different amount once."""
    if tax is None or not prepaid or not tax.rate:
        return micros, np.zeros(len(micros), np.int64)
    different, where = np.unique(micros, return_inverse=True)
    parts = [split_tax(Decimal(int(one)).scaleb(-6), tax, True) for one in different]
    sales = np.array([int(sale * MICROS) for sale, _tax in parts], np.int64)
    taxes = np.array([int(part * MICROS) for _sale, part in parts], np.int64)
    return sales[where], taxes[where]


def _gross(micros: Ints, tax: Tax | None, prepaid: bool) -> Ints:
    sale, part = _split(micros, tax, prepaid)
    return sale + part


def _net(micros: Ints, tax: Tax | None, prepaid: bool) -> Ints:
    return _split(micros, tax, prepaid)[0]


def _curve(wallet: UUID, need: Ints) -> Curve:
    """The seconds after which the need rises, thinned where they are many: early ones all, later ones fewer."""
    rising = np.maximum.accumulate(need)
    ends = np.append(np.flatnonzero(rising[1:] != rising[:-1]), len(rising) - 1)
    if len(ends) > CURVE_POINTS:
        later = np.geomspace(EXACT_POINTS, len(ends) - 1, CURVE_POINTS - EXACT_POINTS).astype(np.int64)
        ends = ends[np.unique(np.concatenate([np.arange(EXACT_POINTS), later]))]
    return Curve(wallet, (ends + 1).tolist(), rising[ends].tolist())
