"""Offers: what Alice's own destinations cost with each carrier, in calls as she makes them; the cheapest is marked."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from rating.selectors.offers import OfferLine, compared
from rating.selectors.tariffs import Tariff
from rating.services.imports import import_file
from rating.services.lists import set_own_rate
from tests.billing.test_api import Program
from tests.cast import ACTOR
from tests.rating.calls_help import Call, write

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.django_db


def lines(cast: Cast) -> tuple[list[str], list[OfferLine]]:
    tariff = Tariff(cast.viewer("alice"), cast.alice)
    offers = tariff.offers()
    return [offer.code for offer in offers], compared(cast.viewer("alice"), tariff, offers)


def call(cast: Cast, folder: Path, *calls: Call) -> None:
    cast.fund("harbour", 100)
    cast.fund("alice", 50)
    import_file(write(folder / "calls.csv", calls), cast.source(), actor=ACTOR)


def test_who_called_nobody_sees_usual_destinations(cast: Cast) -> None:
    codes, found = lines(cast)
    assert codes == ["atlas", "boreal"]
    assert len(found) >= 4
    assert {line.calls for line in found} == {0}
    assert {line.usual_s for line in found} == {180}


def test_its_own_destinations_of_ninety_days_most_called_first(cast: Cast, tmp_path: Path) -> None:
    now = timezone.now()
    lately, long_ago = now - timedelta(days=80), now - timedelta(days=100)
    call(
        cast,
        tmp_path,
        Call("a", to="85225550123", seconds=100, at=lately),
        Call("b", to="85225550123", seconds=200, at=lately),
        Call("c", to="8613800138000", seconds=60, at=lately),
        Call("d", to="33142278186", seconds=60, at=long_ago),
        Call("e", to="4930123456", seconds=60, at=lately),
    )
    _codes, found = lines(cast)
    assert [(line.destination, line.calls, line.usual_s) for line in found] == [("Hong Kong", 2, 150), ("China", 1, 60)]


def test_the_cheapest_is_that_of_a_usual_call_not_of_a_minute(cast: Cast, tmp_path: Path) -> None:
    """Boreal asks a little less a minute, but counts by the minute: for calls of ten seconds Atlas is cheaper."""
    lately = timezone.now() - timedelta(days=3)
    call(cast, tmp_path, Call("a", to="85225550123", seconds=10, at=lately))
    since = timezone.now() - timedelta(days=1)
    set_own_rate(cast.price_list("harbour-atlas"), "852", Decimal("0.06"), actor=ACTOR, effective_from=since)
    set_own_rate(
        cast.price_list("harbour-boreal"), "852", Decimal("0.05"), actor=ACTOR, effective_from=since, step_s=60
    )
    _codes, (line,) = lines(cast)
    atlas, boreal = line.cells
    assert (atlas.price, atlas.cost, atlas.least) == (Decimal("0.06"), Decimal("0.0100"), True)
    assert (boreal.price, boreal.cost, boreal.least) == (Decimal("0.05"), Decimal("0.0500"), False)


def test_by_api_with_prices_as_text(cast: Cast) -> None:
    answer = Program(cast, "alice").get("carriers/offers/").json()
    assert [one["code"] for one in answer] == ["atlas", "boreal"]
    assert [one["chosen"] for one in answer] == [True, False]
    hong_kong = next(one for one in answer[0]["prices"] if one["destination"] == "Hong Kong")
    assert (hong_kong["currency"], hong_kong["cheapest"]) == ("EUR", True)
    assert Decimal(hong_kong["price"]) > 0
    assert Program(cast, "mallory").get("carriers/offers/", party="alice").status_code == 404


def test_more_calls_ask_the_database_no_more(cast: Cast, tmp_path: Path) -> None:
    lately = timezone.now() - timedelta(days=3)

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            lines(cast)
        return len(queries)

    call(cast, tmp_path, Call("first", to="85225550123", at=lately))
    lines(cast)  # prices are compiled at first use
    few = asked()
    call(cast, tmp_path, *(Call(f"c{i}", to="85225550123", at=lately + timedelta(minutes=i)) for i in range(9)))
    lines(cast)
    assert asked() <= few
