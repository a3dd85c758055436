"""Parts of a period's price, by the day, that always add up to the whole.

The price up to a day is rounded once, and a part is the difference of two such figures. So however a period is cut,
its parts come to its price to the last digit, and each is within one smallest unit of its exact share.
"""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_UP, Decimal, localcontext

from invoicing.charges.periods import Period

MOST_PLACES = 6


def places_of(amount: Decimal, currency_decimals: int) -> int:
    """To how many decimals parts are rounded: the currency's, or those that the amount itself has. At most six."""
    own = -int(amount.normalize().as_tuple().exponent)
    return min(MOST_PLACES, max(currency_decimals, own))


def up_to(amount: Decimal, period: Period, day: date, places: int) -> Decimal:
    """What of the period's amount falls before this day, half up; all of it from the period's end on."""
    days = min(max((day - period.start).days, 0), period.days)
    with localcontext() as context:
        context.prec = 60
        share = amount * days / period.days
        return share.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


def part(amount: Decimal, period: Period, start: date, end: date, places: int) -> Decimal:
    """What of the period's amount falls on the days from `start` to before `end`."""
    return up_to(amount, period, end, places) - up_to(amount, period, start, places)
