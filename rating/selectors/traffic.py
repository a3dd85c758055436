"""Where calls go: the destinations called most, and how many calls there were. Facts count, not two months of calls."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet, Sum
from django.utils import timezone

from rating.models import RatedCall
from rating.selectors.calls import began_between, bought_calls
from rating.selectors.facts import Question, facts_of, rows_of
from rating.selectors.figures import By
from rating.selectors.foot import foot
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
    """The destinations that a buyer called most of late; without `buyer`, those that the viewer's party sold."""
    now = timezone.now()
    asked = _question(viewer, now - within, now + timedelta(days=1), buyer)
    rows = facts_of(asked).filter(rows_of(asked, By.DESTINATION, asked.start, asked.end)).exclude(destination="")
    found = (
        rows.order_by()
        .values("destination")
        .annotate(calls=Sum("charged"), seconds=Sum("duration_s"))
        .filter(calls__gt=0)
        .order_by("-calls", "destination")[:most]
    )
    counted = {row["destination"]: row for row in found}
    whose = Q(seller=viewer.party) if buyer is None else Q(buyer=buyer)
    numbers = _newest_numbers(RatedCall.visible.for_viewer(viewer).filter(whose), list(counted), asked)
    return [
        Favourite(name, numbers[name], int(row["calls"]), int(row["seconds"]))
        for name, row in counted.items()
        if name in numbers
    ]


def _newest_numbers(rows: QuerySet[RatedCall], destinations: list[str], asked: Question) -> dict[str, str]:
    """The number of the newest call to each of a few destinations: each is found among the last calls, so at once."""
    if not destinations:
        return {}
    calls = rows.filter(began_between(asked.start, asked.end)).values_list("destination", "number")
    newest = [calls.filter(destination=name).order_by("-id")[:1] for name in destinations]
    return dict(newest[0].union(*newest[1:], all=True) if len(newest) > 1 else newest[0])


def count_between(viewer: Viewer, start: datetime, end: datetime) -> int:
    """How many calls the viewer's party was charged for."""
    rows = bought_calls(viewer).filter(began_between(start, end))
    return sum(one.calls for one in foot(rows, _question(viewer, start, end, viewer.party)).sums)


def _question(viewer: Viewer, start: datetime, end: datetime, buyer: Party | None) -> Question:
    bought = buyer is not None and buyer.pk == viewer.party.pk
    return Question(
        viewer=viewer,
        start=start,
        end=end,
        zone=ZoneInfo("UTC"),
        currency="",
        bought=bought,
        buyer=None if bought else buyer,
        every_seller=buyer is not None and not bought,
    )
