"""How long a call may last for a given amount: rule 8, the inverse of `price`."""

from __future__ import annotations

from datetime import datetime
from decimal import ROUND_FLOOR, Decimal, localcontext

from rating.kernel.errors import RateError
from rating.kernel.numbers import MAX_DURATION_S
from rating.kernel.plan import Plan, pieces, plan_of
from rating.kernel.rate import Rate
from rating.kernel.rounding import largest_points, rounded_units


def longest(rate: Rate, funds: Decimal, answered_at: datetime | None, limit_s: int) -> int:
    """The greatest whole duration d, 0 <= d <= limit_s, with price(rate, d, answered_at).amount <= funds.

    The amount never falls as a call goes on (nothing, then the connect fee, then at least the minimum, then a
    sum of prices that are not negative, rounded by a rising function): what is shorter is affordable too.
    Grace makes even an empty wallet good for `grace_s` seconds; below zero the answer is 0.
    Costs one step for each stretch of equal price, whatever the number of increments or seconds.
    Raises RateError as `price` does, and for funds that are not a finite Decimal.
    """
    if type(limit_s) is not int or limit_s > MAX_DURATION_S:
        raise RateError("limit_s", f"must be a whole number of at most {MAX_DURATION_S} seconds")
    plan = plan_of(rate)
    units = _units(funds, rate.decimals)
    if units < 0 or limit_s <= 0:
        return 0
    if _rounded(rate, plan, plan.connect) > units:
        return min(rate.grace_s, limit_s)
    reached_s = max(rate.grace_s, rate.free_s)
    if reached_s < limit_s and _rounded(rate, plan, plan.least) <= units:
        most = largest_points(units, plan.scale, rate.decimals, rate.rounding)
        reached_s = max(reached_s, _walk(rate, plan, most - plan.connect, answered_at, limit_s))
    return min(reached_s, limit_s)


def _walk(rate: Rate, plan: Plan, points: int, answered_at: datetime | None, limit_s: int) -> int:
    """The second up to which increments are covered when at most `points` are spent on them."""
    reached_s = rate.free_s
    for piece in pieces(rate, plan, limit_s, answered_at):
        if piece.points > points:
            return reached_s + points // (piece.length_s * piece.terms.units) * piece.length_s
        points -= piece.points
        reached_s += piece.length_s * piece.increments
    return reached_s


def _rounded(rate: Rate, plan: Plan, points: int) -> int:
    return rounded_units(points, plan.scale, rate.decimals, rate.rounding)


def _units(funds: object, decimals: int) -> int:
    """Funds in whole units of the rate's last decimal, the rest cut off: no amount can fall between."""
    if not isinstance(funds, Decimal) or not funds.is_finite() or funds.adjusted() > 30:
        raise RateError("funds", "must be a finite Decimal")
    with localcontext() as context:
        context.prec = 60
        return int(funds.scaleb(decimals).to_integral_value(rounding=ROUND_FLOOR))
