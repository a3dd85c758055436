"""What a call costs: rules 1 to 4 in order, and nothing else."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from rating.kernel.numbers import MAX_DURATION_S, whole_duration
from rating.kernel.plan import Plan, pieces, plan_of
from rating.kernel.rate import Rate
from rating.kernel.rounding import as_amount, rounded_units


class Charge(NamedTuple):
    """The price of one call.

    amount: rounded, with exactly the rate's decimals. billed_s: the sum of the increments laid, in seconds.
    charged: False where rule 1 says that nothing is charged at all.
    """

    amount: Decimal
    billed_s: int
    charged: bool


def price(rate: Rate, duration_s: int | Decimal, answered_at: datetime | None = None) -> Charge:
    """Price a call that lasted `duration_s` seconds from its answer (0: it was not answered).

    `answered_at` carries its offset from UTC and is needed only where the rate has bands.
    Raises RateError for a negative or endless duration, and for a missing or naive time that is needed.
    """
    plan = plan_of(rate)
    if type(duration_s) is int and 0 <= duration_s <= MAX_DURATION_S:
        whole_s = duration_s
    else:
        whole_s = whole_duration(duration_s)
    if whole_s <= rate.grace_s:
        return Charge(plan.zero, 0, False)
    if whole_s <= rate.free_s:
        billed_s, points = 0, plan.connect
    else:
        billed_s, points = _laid(rate, plan, whole_s, answered_at)
        points = max(points + plan.connect, plan.least)
    units = rounded_units(points, plan.scale, rate.decimals, rate.rounding)
    return Charge(as_amount(units, rate.decimals), billed_s, True)


def _laid(rate: Rate, plan: Plan, duration_s: int, answered_at: datetime | None) -> tuple[int, int]:
    """(billed seconds, points) of the increments; a single division where one price holds throughout."""
    terms = plan.flat
    if terms is not None:
        rest_s = duration_s - rate.free_s
        first_s = rate.step_s if rate.first_s is None else rate.first_s
        billed_s = first_s if rest_s <= first_s else first_s - (first_s - rest_s) // rate.step_s * rate.step_s
        return billed_s, billed_s * terms.units
    billed_s = points = 0
    for piece in pieces(rate, plan, duration_s, answered_at):
        billed_s += piece.length_s * piece.increments
        points += piece.points
    return billed_s, points
