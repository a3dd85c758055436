"""A price that is never too low: what to set aside for a call before anybody knows when it will be answered.

Outside bands a rate costs the same whenever the call is answered. Within them the second of the answer counts; a rate
that costs at least as much for every answer in a window is then enough, and simpler.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import ROUND_UP, Decimal
from typing import NamedTuple

from rating.kernel.plan import plan_of
from rating.kernel.rate import Rate
from rating.kernel.week import utc_second

PLACES = Decimal("0.00000001")


class Dearest(NamedTuple):
    """`rate` has no bands. `exact`: it costs just what the asked one does, for every answer in the window."""

    rate: Rate
    exact: bool


def dearest(rate: Rate, longest_s: int, answer_from: datetime, answer_until: datetime) -> Dearest:
    """A rate without bands that costs no less for any call of at most `longest_s` answered in the window.

    Where one band (or none) holds throughout, it is that band's price, exactly. Else every increment is reckoned at
    the highest price that may meet it, and the last one at the longest step.
    """
    week = plan_of(rate).week
    if week is None:
        return Dearest(rate, True)
    begin, end = utc_second(answer_from), utc_second(answer_until)
    if rate.band_rule != "at_start":
        end += longest_s
    met = {week.band_at(begin)[0]}
    at = week.band_at(begin)[1]
    while at <= end:
        band, at = week.band_at(at)
        met.add(band)
    if len(met) == 1:
        return Dearest(_alone(rate, met.pop()), True)
    return Dearest(_highest(rate, met), False)


def _alone(rate: Rate, band: int) -> Rate:
    """The rate as it is while one band holds (-1: outside all)."""
    if band < 0:
        return replace(rate, bands=(), holidays=frozenset())
    held = rate.bands[band]
    price = rate.price if held.price is None else held.price
    return replace(rate, price=price, steps=held.steps, bands=(), holidays=frozenset())


def _highest(rate: Rate, bands: set[int]) -> Rate:
    alone = [_alone(rate, band) for band in bands]
    steps = [step for one in alone for step in one.steps]
    price = max([one.price for one in alone] + [step.price for step in steps])
    longest_step_s = max([rate.step_s] + [step.step_s for step in steps if step.step_s])
    more = (price * (longest_step_s - 1) / 60).quantize(PLACES, ROUND_UP)
    return replace(
        rate,
        price=price,
        connect_fee=rate.connect_fee + more,
        first_s=max(rate.first_s or 0, longest_step_s),
        step_s=1,
        steps=(),
        bands=(),
        holidays=frozenset(),
        rounding="up",
    )
