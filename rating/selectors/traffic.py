"""Where calls go: the destinations called most, and how many calls there were. Ids bound the months."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Max, QuerySet, Sum
from django.utils import timezone

from rating.models import RatedCall
from rating.selectors.calls import began_between
from tiers.models import Party
from tiers.viewer import Viewer

LOOK_BACK = timedelta(days=62)


@dataclass(frozen=True, slots=True)
class Favourite:
    """A destination, one number in it, and how often it was called."""

    destination: str
    number: str
    calls: int
    duration_s: int


def favourites(
    viewer: Viewer, *, buyer: Party | None = None, most: int = 5, within: timedelta = LOOK_BACK
) -> list[Favourite]:
    """The destinations that a buyer called most in two months; without `buyer`, those that the viewer's party sold."""
    now = timezone.now()
    rows = RatedCall.visible.for_viewer(viewer).filter(began_between(now - within, now + timedelta(days=1)))
    mine = rows.filter(seller=viewer.party) if buyer is None else rows.filter(buyer=buyer)
    return _most(mine, most)


def _most(rows: QuerySet[RatedCall], most: int) -> list[Favourite]:
    found = (
        rows.order_by()
        .values("destination")
        .annotate(calls=Count("id"), one=Max("number"), seconds=Sum("duration_s"))
        .order_by("-calls", "destination")[:most]
    )
    return [Favourite(row["destination"], row["one"], row["calls"], int(row["seconds"] or 0)) for row in found]


def count_between(rows: QuerySet[RatedCall], start: datetime, end: datetime) -> int:
    return rows.filter(began_between(start, end)).order_by().count()
