"""What a report adds up: rows, sums, other currencies, an earlier time; and who may ask what."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from rating.selectors.facts import Question, table
from rating.selectors.figures import By, Order
from rating.services import facts
from tests.cast import Cast
from tests.rating.test_facts import NINE, frame

pytestmark = pytest.mark.django_db
BERLIN = ZoneInfo("Europe/Berlin")
DAY = timedelta(days=1)


def ask(cast: Cast, who: str = "harbour", **more: Any) -> Question:
    """The week from the fifth of October, beside the week before."""
    start = datetime(2026, 10, 5, tzinfo=BERLIN)
    ordinary: dict[str, Any] = {"before": (start - 7 * DAY, start), "zone": BERLIN, "currency": "EUR"}
    return Question(cast.viewer(who), start, start + 7 * DAY, **ordinary | more)


@pytest.fixture(params=["loose", "folded"], autouse=True)
def folded(request: pytest.FixtureRequest) -> bool:
    """A report says the same before and after."""
    return bool(request.param == "folded")


@pytest.fixture
def sold(cast: Cast, folded: bool) -> Callable[..., None]:
    def write(*rows: dict[str, Any]) -> None:
        nothing = {"tax": 0, "cost": 0, "cost_currency": "EUR"}
        facts.write_facts(frame(cast, *(nothing | row for row in rows)))
        if folded:
            facts.fold()

    return write


Sold = Callable[..., None]


def test_rows_are_ranked_and_the_total_holds_those_beyond_the_most(cast: Cast, sold: Sold) -> None:
    sold(*({"destination": f"D{at}", "sale": at * 1_000_000, "attempts": 4} for at in range(1, 6)))
    found = table(ask(cast), By.DESTINATION, most=2)
    assert [(line.key, line.now.sale) for line in found.lines] == [
        ("D5", {"EUR": Decimal(5)}),
        ("D4", {"EUR": Decimal(4)}),
    ]
    assert (found.count, found.more, found.total.sale_in, found.total.attempts) == (5, 3, Decimal(15), 20)
    assert found.total.asr == Decimal("0.25")


def test_a_cost_in_another_currency_is_converted_by_the_rate_of_its_day(cast: Cast, sold: Sold) -> None:
    from rating.models import ExchangeRate

    ExchangeRate.objects.filter(base__in=["EUR", "USD"], quote__in=["EUR", "USD"]).delete()
    for day, rate in ((1, "0.5"), (7, "0.8")):
        ExchangeRate.objects.create(
            base="USD", quote="EUR", rate=Decimal(rate), valid_from=datetime(2026, 10, day, tzinfo=UTC)
        )
    rows = [{"hour": NINE + at * DAY, "sale": 3_000_000, "cost": 2_000_000, "cost_currency": "USD"} for at in range(4)]
    sold(*rows, {"cost": 7_000_000, "cost_currency": "XAU", "sale": 0})
    found = table(ask(cast), By.DAY, Order.NAME)
    assert [(line.key[-2:], line.now.cost_in) for line in found.lines] == [
        *(("05", Decimal(1)), ("06", Decimal(1)), ("07", Decimal(1)), ("08", Decimal("1.6"))),
    ]
    assert found.total.cost == {"USD": Decimal(8), "XAU": Decimal(7)}
    assert (found.total.cost_in, found.total.margin_in) == (Decimal("4.6"), Decimal("7.4"))
    assert found.total.no_rate == {"XAU"}


def test_the_time_before_stands_beside_and_says_what_moved(cast: Cast, sold: Sold) -> None:
    week = timedelta(days=7)
    sold(
        {"destination": "France", "sale": 5_000_000},
        {"destination": "France", "sale": 4_000_000, "hour": NINE - week},
        {"destination": "Fiji", "sale": 9_000_000, "hour": NINE - week},
        {"destination": "Gone", "sale": 9_000_000, "hour": NINE - 2 * week},
        {"destination": "China", "sale": 3_000_000},
    )
    found = table(ask(cast), By.DESTINATION, movers=2)
    assert [line.key for line in found.lines] == ["France", "China"]
    assert [(line.key, line.change) for line in found.movers] == [("Fiji", Decimal(-9)), ("China", Decimal(3))]
    assert (found.total.sale_in, found.total_before.sale_in) == (Decimal(8), Decimal(13))


def test_days_and_hours_are_those_of_the_zone(cast: Cast, sold: Sold) -> None:
    late = datetime(2026, 10, 5, 22, tzinfo=UTC)
    sold({"hour": late}, {"hour": late - timedelta(hours=1)})
    assert [line.key for line in table(ask(cast), By.DAY, Order.NAME).lines] == ["2026-10-05", "2026-10-06"]
    assert [line.key for line in table(ask(cast), By.HOUR, Order.NAME).lines] == ["0", "23"]


def test_a_seller_sees_its_own_sales_and_those_below_and_nobody_elses(cast: Cast, sold: Sold) -> None:
    pier = {"seller": str(cast.pier.pk), "buyer": str(cast.bob.pk)}
    top = {"seller": str(cast.northstar.pk), "buyer": str(cast.harbour.pk)}
    sold({"sale": 1_000_000}, pier | {"sale": 2_000_000}, top | {"sale": 4_000_000})
    seen = {who: table(ask(cast, who), By.BUYER).total.sale for who in ("northstar", "harbour", "pier", "outsider")}
    assert seen == {"northstar": {"EUR": 4}, "harbour": {"EUR": 1}, "pier": {"EUR": 2}, "outsider": {}}
    assert table(ask(cast, seller=cast.pier), By.BUYER).total.sale == {"EUR": 2}
    assert table(ask(cast, "pier", seller=cast.harbour), By.BUYER).total.sale == {}
    assert len(table(ask(cast, every_seller=True), By.SELLER).lines) == 2
    assert len(table(ask(cast, "northstar", every_seller=True), By.SELLER).lines) == 3


def test_a_buyer_sees_what_it_bought_and_never_what_it_cost(cast: Cast, sold: Sold) -> None:
    sold({"sale": 5_000_000, "cost": 3_000_000, "cost_currency": "USD"})
    assert table(ask(cast, "alice"), By.DAY).total.sale == {}
    bought = table(ask(cast, "alice", bought=True), By.DESTINATION).total
    assert (bought.sale, bought.cost, bought.cost_in) == ({"EUR": 5}, {}, 0)
    assert table(ask(cast, "bob", bought=True), By.DESTINATION).total.sale == {}


def test_calls_whose_carrier_has_no_cost_yet_are_counted(cast: Cast, sold: Sold) -> None:
    sold({"cost_currency": None, "charged": 3}, {"cost_currency": None, "charged": 2, "carrier": None}, {})
    assert table(ask(cast), By.CARRIER).total.uncosted == 3
