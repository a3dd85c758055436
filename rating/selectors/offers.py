"""What a customer's own destinations cost with each carrier that it may choose: a minute, and a call as it makes them.

A price a minute alone misleads where one carrier counts by the second and another by the minute, so the cheapest is
found by a call of the customer's own usual length, priced as it would be charged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from rating.kernel import price
from rating.selectors import traffic
from rating.selectors.tariffs import SAMPLES, Offer, Tariff
from tiers.viewer import Viewer

LOOK_BACK = timedelta(days=90)
USUAL_S = 180
"""How long a call is taken to last where nobody has called yet."""
MOST_LINES = 6
MOST_LOOKED_AT = 24


@dataclass(frozen=True, slots=True)
class OfferCell:
    """One carrier's price. `price` a minute and `cost` of a usual call, both None where it cannot be called."""

    price: Decimal | None
    cost: Decimal | None
    first_s: int | None
    step_s: int
    least: bool = False


@dataclass(frozen=True, slots=True)
class OfferLine:
    """One destination, `calls` of which were made lately, and a cell for each offer, in their order."""

    destination: str
    calls: int
    usual_s: int
    currency: str
    decimals: int
    cells: tuple[OfferCell, ...]


def compared(viewer: Viewer, tariff: Tariff, offers: Sequence[Offer]) -> list[OfferLine]:
    """Its favourite destinations abroad of the last 90 days; some usual ones where it made no such calls."""
    known = traffic.favourites(viewer, buyer=tariff.buyer, most=MOST_LOOKED_AT, within=LOOK_BACK)
    abroad = [one for one in known if tariff.lies_abroad(one.number)]
    wanted = [(one.number, one.calls, max(1, one.duration_s // one.calls)) for one in abroad]
    wanted = wanted or [(number, 0, USUAL_S) for number in SAMPLES if tariff.lies_abroad(number)]
    lines: dict[str, OfferLine] = {}
    for number, calls, usual_s in wanted:
        line = _line(tariff, offers, number, calls, usual_s)
        if line is not None and len(lines) < MOST_LINES:
            lines.setdefault(line.destination, line)
    return list(lines.values())


def _line(tariff: Tariff, offers: Sequence[Offer], number: str, calls: int, usual_s: int) -> OfferLine | None:
    found = [tariff.by_list(number, offer.id) for offer in offers]
    named = next((one for one in found if one is not None), None)
    if named is None:
        return None
    open_to = [one if one is not None and not one.row.blocked else None for one in found]
    costs = [price(one.kernel, usual_s, tariff.at).amount if one is not None else None for one in open_to]
    least = min((cost for cost in costs if cost is not None), default=None)
    cells = tuple(
        OfferCell(one.row.price, cost, one.row.first_s, one.row.step_s, cost == least)
        if one is not None
        else OfferCell(None, None, None, 1)
        for one, cost in zip(open_to, costs, strict=True)
    )
    measure = named.measure
    return OfferLine(named.row.destination or number, calls, usual_s, measure.currency, measure.decimals, cells)
