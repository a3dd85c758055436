"""What calls cost, by columns: the kernel's rules 1 to 4 on many calls at once.

Flat rates are one division, those with steps or bands are walked, both in 64-bit integers. What is left - figures
beyond 64 bits, durations that are refused, walks without end - is asked of the kernel, once for all calls that cannot
differ.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rating.batch.digits import Ints
from rating.batch.scaled import AMOUNT_PLACES, LARGEST, NO_WALK, RateColumns, rounded, within
from rating.batch.times import NO_TIME, SECOND_US, moment_of
from rating.kernel import RateError, price
from rating.kernel.numbers import scaled

Answer = tuple[int, int, bool] | Exception
"""Amount in units of 10**-AMOUNT_PLACES, billed seconds, charged; or why there is none."""


@dataclass(frozen=True, slots=True)
class Priced:
    """The prices of calls, each column of shape (n,).

    amounts: whole units of 10**-6, rounded to the rate's decimals. billed_s: the sum of the increments laid.
    charged: as in the kernel. refused: what has no amount, by row, with the kernel's RateError, or an OverflowError
    where the amount is beyond the ledger's largest; such rows, and those without a rate, are 0 and not charged.
    """

    amounts: Ints
    billed_s: Ints
    charged: NDArray[np.bool_]
    refused: dict[int, Exception]


def price_columns(rates: RateColumns, rate_ids: Ints, duration_s: Ints, answered_us: Ints) -> Priced:
    """Price calls of `duration_s` whole seconds by the rates of these ids (-1: no rate), each of shape (n,).

    `answered_us`: microseconds since 1970, or NO_TIME; only rates with bands look at it.
    """
    shape = rates.rate("shape").take(rate_ids)
    charged = duration_s > rates.shape("grace_s").take(shape)
    rest_s = duration_s - rates.shape("free_s").take(shape)
    first_s, step_s = rates.shape("first_s").take(shape), rates.shape("step_s").take(shape)
    beyond_s = np.maximum(rest_s - first_s, 0)
    billed_s = first_s + (beyond_s + step_s - 1) // step_s * step_s
    billed_s *= charged & (rest_s > 0)
    safe = within(duration_s)
    points = billed_s * rates.rate("units").take(rate_ids)
    if rates.any_walk:
        _walk(rates, (rate_ids, duration_s, answered_us), charged, (billed_s, points, safe))
    safe &= billed_s <= rates.rate("most_s").take(rate_ids)
    points += rates.rate("connect").take(rate_ids)
    np.maximum(points, rates.rate("least").take(rate_ids), out=points, where=billed_s > 0)
    even = rates.shape("even").take(shape) if rates.any_even else None
    amounts = rounded(points, rates.shape("twice").take(shape), rates.shape("addend").take(shape), even)
    amounts *= rates.shape("grain").take(shape)
    amounts *= charged
    priced = Priced(amounts, billed_s, charged, {})
    if not safe.all():
        rest = ~safe & (rate_ids >= 0)
        for column in (amounts, billed_s, charged):
            column[~safe] = 0
        _price_rest(rates, np.flatnonzero(rest), (rate_ids, duration_s, answered_us), priced)
    return priced


def _walk(
    rates: RateColumns,
    calls: tuple[Ints, Ints, Ints],
    charged: NDArray[np.bool_],
    into: tuple[Ints, Ints, NDArray[np.bool_]],
) -> None:
    """Put what steps and bands lay in the place of what a flat rate would have laid."""
    rate_ids, duration_s, answered_us = calls
    billed_s, points, safe = into
    walks = rates.rate("walk").take(rate_ids)
    rows = np.flatnonzero((walks != NO_WALK) & charged & safe)
    if not len(rows):
        return
    shape = rates.rate("shape").take(rate_ids[rows])
    free_s, first_s = rates.shape("free_s").take(shape), rates.shape("own_first_s").take(shape)
    laid = rates.walks.lay(walks[rows], free_s, first_s, duration_s[rows], answered_us[rows])
    billed_s[rows], points[rows] = laid.billed_s, laid.points
    safe[rows] = laid.done


def _price_rest(rates: RateColumns, rows: Ints, calls: tuple[Ints, Ints, Ints], priced: Priced) -> None:
    """Ask the kernel, once for each rate, duration and, where it counts, second of the answer."""
    known: dict[tuple[int, int, int], Answer] = {}
    columns = (column[rows].tolist() for column in calls)
    for row, rate_id, duration_s, answered_us in zip(rows.tolist(), *columns, strict=True):
        timed = bool(rates.kernel(rate_id).bands) and answered_us != NO_TIME
        key = (rate_id, duration_s, answered_us // SECOND_US if timed else NO_TIME)
        if key not in known:
            known[key] = _by_kernel(rates, *key)
        answer = known[key]
        if isinstance(answer, Exception):
            priced.refused[row] = answer
        else:
            priced.amounts[row], priced.billed_s[row], priced.charged[row] = answer


def _by_kernel(rates: RateColumns, rate_id: int, duration_s: int, answered_s: int) -> Answer:
    """The kernel's own answer; `answered_s` in whole seconds, which is as fine as it looks."""
    try:
        moment = moment_of(NO_TIME if answered_s == NO_TIME else answered_s * SECOND_US)
        charge = price(rates.kernel(rate_id), duration_s, moment)
    except RateError as error:
        return error
    amount = scaled(charge.amount, AMOUNT_PLACES)
    if amount > LARGEST:
        return OverflowError(f"{charge.amount} is more than a column of amounts can hold")
    return amount, charge.billed_s, charge.charged
