"""Is a price below its cost? Two rates compared as calls meet them, exactly.

A sale price and a cost may count time differently: by the second or by the minute, with a connection charge, with steps
or peak hours. Comparing the two prices a minute would miss what is lost on short calls, and comparing one call would
miss what is lost at night. So a sale is below its cost where one of these is:

- the price a minute, at every second at which a step of either begins, at every time at which a band of either begins
  or ends (the answer then), and now;
- what a call of 60 seconds and one of 180 seconds come to, at the same times, rounded as each list rounds.

The sale counts without its tax. The cost is taken into the sale's currency at the exchange rate of the moment.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from rating.kernel import Rate, price
from rating.kernel.terms import Band, Step
from rating.pricing.lists import Found

CALLS_S = (60, 180)
HUNDRED = Decimal(100)
UNIT = 6000
"""Prices times 6,000 make one second cost a hundred times the price of a minute: eight places in six decimals."""


@dataclass(frozen=True, slots=True)
class Loss:
    """The widest gap: amounts a minute in the sale's currency. `call_s`: of a call so long; 0: of the price a minute,
    at `from_s` seconds after an answer at `answered_at`."""

    sale: Decimal
    cost: Decimal
    call_s: int
    from_s: int
    answered_at: datetime

    @property
    def gap(self) -> Decimal:
        return self.cost - self.sale


WEEK = timedelta(days=8)
"""Within which every band of a week begins and ends."""


def widest_loss(
    sale: Found,
    cost: Found,
    exchange: Decimal,
    at: datetime,
    tax_percent: Decimal = Decimal(0),
    ahead: timedelta = WEEK,
) -> Loss | None:
    """Where the sale falls furthest below the cost; None: nowhere. `tax_percent`: the tax inside the sale's prices.

    `ahead`: bands that begin later than that are not looked at.
    """
    keep = HUNDRED / (HUNDRED + tax_percent) if tax_percent else Decimal(1)
    if _plainly_above(sale, cost, exchange, keep):
        return None
    rounded = _rounded(sale, cost, exchange)
    found = [one for one in _compared(sale, cost, exchange, at, keep, at + ahead) if one.gap > 0]
    return max(found, key=lambda one: one.gap - (rounded if one.call_s else 0), default=None)


def _rounded(sale: Found, cost: Found, exchange: Decimal) -> Decimal:
    """What rounding alone may make of two amounts: a call is named only where it shows more than its price a minute."""
    return Decimal(1).scaleb(-sale.measure.decimals) + Decimal(1).scaleb(-cost.measure.decimals) * exchange


def _plainly_above(sale: Found, cost: Found, exchange: Decimal, keep: Decimal) -> bool:
    """The usual case, decided without pricing a call: nothing varies, both count alike, and all is above the cost."""
    one, other = sale.row, cost.row
    if one.steps or one.bands or other.steps or other.bands:
        return False
    counted = [(row.first_s or row.step_s, row.step_s, row.grace_s, row.free_s) for row in (one, other)]
    if counted[0] != counted[1]:
        return False
    return (
        one.price * keep - other.price * exchange >= _rounded(sale, cost, exchange)
        and one.connect_fee * keep >= other.connect_fee * exchange
        and one.min_charge * keep >= other.min_charge * exchange
    )


def _compared(
    sale: Found, cost: Found, exchange: Decimal, at: datetime, keep: Decimal, until: datetime
) -> Iterator[Loss]:
    sold, paid = sale.kernel, cost.kernel
    if not (sold.steps or sold.bands or paid.steps or paid.bands):
        yield Loss(sold.price * keep, paid.price * exchange, 0, 0, at)
        yield from _calls(sold, paid, exchange, at, keep)
        return
    sold_unit, paid_unit = _by_second(sold), _by_second(paid)
    elapsed = sorted({0, *_step_starts(sold), *_step_starts(paid)})
    edges = (moment for rate in (sold, paid) for moment in _band_edges(rate, at) if moment <= until)
    for moment in sorted({at, *edges}):
        for from_s in elapsed:
            sale_minute = _minute(sold_unit, from_s, moment) * keep
            yield Loss(sale_minute, _minute(paid_unit, from_s, moment) * exchange, 0, from_s, moment)
        yield from _calls(sold, paid, exchange, moment, keep)


def _calls(sold: Rate, paid: Rate, exchange: Decimal, moment: datetime, keep: Decimal) -> Iterator[Loss]:
    for length_s in CALLS_S:
        minutes = Decimal(length_s) / 60
        sale_call = price(sold, length_s, moment).amount * keep / minutes
        yield Loss(sale_call, price(paid, length_s, moment).amount * exchange / minutes, length_s, 0, moment)


def _minute(unit: Rate, from_s: int, moment: datetime) -> Decimal:
    """The price a minute of the second that begins there."""
    return (price(unit, from_s + 1, moment).amount - price(unit, from_s, moment).amount) / HUNDRED


def _by_second(rate: Rate) -> Rate:
    """The same prices, counted by the second, without anything else, so much larger that no digit is rounded away."""
    return Rate(
        price=rate.price * UNIT,
        step_s=1,
        decimals=6,
        time_zone=rate.time_zone,
        band_rule=rate.band_rule,
        steps=_scaled(rate.steps),
        bands=tuple(
            Band(
                band.days,
                band.holiday,
                band.from_minute,
                band.to_minute,
                None if band.price is None else band.price * UNIT,
                _scaled(band.steps),
            )
            for band in rate.bands
        ),
        holidays=rate.holidays,
    )


def _scaled(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    return tuple(Step(step.from_s, step.price * UNIT) for step in steps)


def _step_starts(rate: Rate) -> Iterator[int]:
    for steps in (rate.steps, *(band.steps for band in rate.bands)):
        yield from (step.from_s for step in steps)


def _band_edges(rate: Rate, at: datetime) -> Iterator[datetime]:
    """The next time that each band begins, and ends, within the week after `at`."""
    if not rate.bands:
        return
    zone = ZoneInfo(rate.time_zone)
    midnight = at.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    for band in rate.bands:
        for ahead in range(8):
            day = midnight + timedelta(days=ahead)
            if day.isoweekday() not in band.days and not (band.holiday and day.date() in rate.holidays):
                continue
            for minute in (band.from_minute, band.head_end, 1440 + band.tail_end):
                yield (day + timedelta(minutes=minute)).astimezone(at.tzinfo)
            break
