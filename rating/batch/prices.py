"""What calls cost, by columns: the kernel's rules 1 to 4 on many calls at once.

Flat rates are worked out here in 64-bit integers. Everything else - steps, bands, figures beyond 64 bits, durations
that are refused - is asked of the kernel, once for all calls that cannot differ.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rating.batch.digits import Ints
from rating.batch.scaled import AMOUNT_PLACES, LARGEST, RateColumns, rounded, within
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
    """Price calls of `duration_s` whole seconds by the rates of these ids (negative: no rate), each of shape (n,).

    `answered_us`: microseconds since 1970, or NO_TIME; only rates with bands look at it.
    """
    count = len(rate_ids)
    priced = Priced(np.zeros(count, np.int64), np.zeros(count, np.int64), np.zeros(count, np.bool_), {})
    plain = np.flatnonzero((rate_ids >= 0) & within(duration_s))
    safe = _price_flat(rates, rate_ids, duration_s, plain, priced)
    for_kernel = rate_ids >= 0
    for_kernel[plain[safe]] = False
    _price_rest(rates, np.flatnonzero(for_kernel), (rate_ids, duration_s, answered_us), priced)
    return priced


def _price_flat(rates: RateColumns, rate_ids: Ints, duration_s: Ints, rows: Ints, priced: Priced) -> NDArray[np.bool_]:
    """Fill in the prices of these rows; True for those that are right as they stand."""
    ids, whole_s = rate_ids[rows], duration_s[rows]
    first_s, step_s = rates["first_s"][ids], rates["step_s"][ids]
    charged = whole_s > rates["grace_s"][ids]
    rest_s = whole_s - rates["free_s"][ids]
    beyond_s = np.maximum(rest_s - first_s, 0)
    billed_s = (first_s + (beyond_s + step_s - 1) // step_s * step_s) * (charged & (rest_s > 0))
    safe = (billed_s <= rates["most_s"][ids]) | ~charged
    points = np.where(safe, billed_s, 0) * rates["units"][ids] + rates["connect"][ids]
    np.maximum(points, rates["least"][ids], out=points, where=billed_s > 0)
    amounts = rounded(points, rates["divisor"][ids], rates["mode"][ids]) * rates["grain"][ids]
    priced.amounts[rows] = np.where(safe & charged, amounts, 0)
    priced.billed_s[rows] = np.where(safe, billed_s, 0)
    priced.charged[rows] = safe & charged
    return safe


def _price_rest(rates: RateColumns, rows: Ints, calls: tuple[Ints, Ints, Ints], priced: Priced) -> None:
    """Ask the kernel, once for each rate, duration and, where it counts, second of the answer."""
    known: dict[tuple[int, int, int], Answer] = {}
    columns = (column[rows].tolist() for column in calls)
    for row, rate_id, duration_s, answered_us in zip(rows.tolist(), *columns, strict=True):
        timed = bool(rates.kernel[rate_id].bands) and answered_us != NO_TIME
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
        charge = price(rates.kernel[rate_id], duration_s, moment)
    except RateError as error:
        return error
    amount = scaled(charge.amount, AMOUNT_PLACES)
    if amount > LARGEST:
        return OverflowError(f"{charge.amount} is more than a column of amounts can hold")
    return amount, charge.billed_s, charge.charged
