"""Carriers side by side: the operator by what they cost it, Harbour by what it pays and asks; cheapest first, dated."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from rating.pricing import Engine
from rating.selectors import prices
from rating.selectors.compare import CompareRow, compared, cost_sides, sale_sides
from rating.services.rates import RateEntry, set_rates
from tests.cast import ACTOR

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.django_db


def costs(cast: Cast, text: str = "", after: str = "", size: int = 50, days: int = 0) -> list[CompareRow]:
    engine, at = Engine(), timezone.now() + timedelta(days=days)
    sides = cost_sides(engine, prices.carriers(cast.viewer("northstar")), at)
    return compared(sides, engine, at, "USD", text=text, after=after, size=size)[0]


def test_cheapest_first_and_differing_increments_are_told(cast: Cast) -> None:
    """Boreal is a quarter dearer and counts in steps of six seconds; only in China it became cheaper."""
    past = timezone.now() - timedelta(days=1)
    set_rates(cast.table("boreal"), [RateEntry("86", Decimal("0.0100"), past, destination="China")], actor=ACTOR)
    rows = {row.prefix: row for row in costs(cast)}
    hong_kong, china = rows["852"], rows["86"]
    assert [(cell.carrier, cell.price) for cell in hong_kong.cells] == [
        ("Atlas Carrier Services", Decimal("0.0150")),
        ("Boreal Transit", Decimal("0.01875")),
    ]
    assert not hong_kong.counted_alike
    assert [cell.carrier for cell in china.cells] == ["Boreal Transit", "Atlas Carrier Services"]
    assert china.counted_alike


def test_a_code_that_one_of_them_lacks_is_met_by_its_shorter_one(cast: Cast) -> None:
    past = timezone.now() - timedelta(days=1)
    set_rates(
        cast.table("boreal"), [RateEntry("85298", Decimal("0.09"), past, destination="Hong Kong mobile")], actor=ACTOR
    )
    row = next(row for row in costs(cast, "8529"))
    assert (row.prefix, row.destination) == ("85298", "Hong Kong mobile")
    assert {cell.carrier: cell.found.row.prefix for cell in row.cells} == {
        "Atlas Carrier Services": "852",
        "Boreal Transit": "85298",
    }


def test_as_on_a_later_day(cast: Cast) -> None:
    later = timezone.now() + timedelta(days=10)
    set_rates(cast.table("atlas"), [RateEntry("852", Decimal("0.0500"), later, destination="Hong Kong")], actor=ACTOR)
    assert costs(cast, "852")[0].cells[0].carrier == "Atlas Carrier Services"
    assert costs(cast, "852", days=11)[0].cells[0].carrier == "Boreal Transit"


def test_by_name_and_page_by_page_with_as_many_questions(cast: Cast) -> None:
    assert {row.destination for row in costs(cast, "kingdom")} == {"United Kingdom", "United Kingdom mobile"}
    seen = [row.prefix for row in (*costs(cast, size=5), *costs(cast, after="44", size=50))]
    assert seen == sorted(seen)
    engine, at = Engine(), timezone.now()
    sides = cost_sides(engine, prices.carriers(cast.viewer("northstar")), at)
    compared(sides, engine, at, "USD", size=1)
    with CaptureQueriesContext(connection) as queries:
        compared(sides, engine, at, "USD", size=50)
    assert len(queries) == 0, "prices are in memory"


def test_a_dealer_sees_what_it_asks_and_pays_and_never_a_carriers_cost(cast: Cast) -> None:
    engine, at = Engine(), timezone.now()
    sides = sale_sides(engine, cast.brand("harbour").pk, None, at)
    (row,) = compared(sides, engine, at, "EUR", text="852")[0]
    assert [cell.price for cell in row.cells] == [Decimal("0.02531250"), Decimal("0.03164063")]
    browser = cast.client("harbour")
    paid = browser.get("/dealer/prices/compare/?q=852").content.decode()
    assert "0.016875" in paid, "0.0150 x 1.25 at 0.90"
    assert "0.0150<" not in paid
    assert cast.client("harbour").get("/operator/prices/compare/").status_code == 404
    other = browser.get("/dealer/prices/compare/?q=852&what=northstar-eu").content.decode()
    assert "0.016875" in other, "somebody else's brand is no choice: what it pays is shown"


def test_the_same_as_csv_in_a_currency_of_choice(cast: Cast) -> None:
    answer = cast.client("northstar").get("/operator/prices/compare/carriers.csv?q=852&in=HKD")
    (row,) = csv.DictReader(io.StringIO(answer.getvalue().decode()))
    assert (row["Prefix"], row["Cheapest Carrier"]) == ("852", "Atlas Carrier Services")
    assert Decimal(row["Cheapest HKD"]) == Decimal("0.1170")
    assert Decimal(row["Boreal Transit HKD"]) == Decimal("0.14625")
    assert row["Boreal Transit Next Interval"] == "6"
