"""Every list in any currency: at a stated rate, on the pages, in the files and by API; what is charged stays."""

from __future__ import annotations

import csv
import io
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from openpyxl import load_workbook

from rating.services.exchange_files import import_rates
from tests.billing.test_api import Program
from tests.cast import ACTOR
from tests.rating.ecb_help import daily_csv

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.django_db
RATE = "1 EUR = 8.4512 HKD"


@pytest.fixture
def rated(cast: Cast) -> Cast:
    """The bank's rates of 20 November; Harbour's Atlas list charges 0.028125... EUR a minute to Hong Kong."""
    import_rates(daily_csv(date(2026, 11, 20), {"USD": "1.0852", "HKD": "8.4512"}), actor=ACTOR)
    return cast


@pytest.mark.parametrize(
    ("who", "path"),
    [
        ("alice", "/customer/prices/?to=Hong"),
        ("harbour", "/dealer/prices/buy/?to=Hong"),
        ("harbour", "/dealer/prices/lists/harbour-atlas/prices/?q=Hong"),
        ("northstar", "/operator/prices/lists/northstar-eu-atlas/prices/?q=852"),
    ],
)
def test_a_page_states_the_rate_and_shows_prices_at_it(rated: Cast, who: str, path: str) -> None:
    browser = rated.client(who)
    plain = browser.get(path).content.decode()
    shown = browser.get(f"{path}&in=HKD").content.decode()
    assert "Shown in HKD at 1 EUR = 8.4512 HKD of 20 Nov 2026. Charged in EUR." in shown
    assert RATE not in plain
    assert "EUR a minute" in plain
    assert "HKD a minute" in shown


def test_a_table_too_through_a_third_currency(rated: Cast) -> None:
    page = rated.client("northstar").get("/operator/prices/tables/atlas/?in=HKD&q=852").content.decode()
    assert "Shown in HKD at 1 USD = 7.78768891 HKD of 20 Nov 2026" in page
    assert "0.11681533" in page, "0.0150 x 7.78768891, to 8 places"


def test_a_currency_to_which_nothing_leads_says_so_and_shows_the_prices_as_they_are(rated: Cast) -> None:
    page = rated.client("alice").get("/customer/prices/?to=Hong&in=ISK").content.decode()
    assert "There is no exchange rate from EUR to ISK." in page
    assert "EUR a minute" in page
    nonsense = rated.client("alice").get("/customer/prices/?to=Hong&in=%3Cb%3E").content.decode()
    assert "is not a currency" in nonsense


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


def test_files_carry_the_rate_on_every_line(rated: Cast) -> None:
    browser, path = rated.client("harbour"), "/dealer/prices/lists/harbour-atlas/file/csv/"
    own = {row["Prefix"]: row for row in rows(browser.get(path).getvalue())}
    answer = browser.get(f"{path}?in=HKD")
    assert answer["Content-Disposition"] == 'attachment; filename="harbour-atlas-HKD.csv"'
    hong_kong = {row["Prefix"]: row for row in rows(answer.getvalue())}["852"]
    assert hong_kong["Exchange Rate"] == "1 EUR = 8.4512 HKD of 2026-11-20"
    exact = Decimal(own["852"]["Rate EUR"]) * Decimal("8.4512")
    assert Decimal(hong_kong["Rate HKD"]) == exact.quantize(Decimal("0.00000001"))
    book = load_workbook(io.BytesIO(browser.get(path.replace("csv", "xlsx") + "?in=HKD").getvalue()))
    sheet: Any = book.active
    assert [cell.value for cell in next(sheet.iter_rows())][-1] == "Exchange Rate"
    assert "Exchange Rate" not in own["852"]


def test_by_api(rated: Cast) -> None:
    dealer = Program(rated, "harbour")
    plain = dealer.get("price-lists/harbour-atlas/prices/", search="852").json()
    shown: dict[str, Any] = dealer.get("price-lists/harbour-atlas/prices/", search="852", **{"in": "HKD"}).json()
    assert (plain["currency"], plain["at_rate"]) == ("EUR", "")
    assert (shown["currency"], shown["at_rate"]) == ("HKD", "1 EUR = 8.4512 HKD of 2026-11-20")
    before, after = (Decimal(one["results"][0]["price"]) for one in (plain, shown))
    assert after == (before * Decimal("8.4512")).quantize(Decimal("0.00000001"))
    assert dealer.get("price-lists/harbour-atlas/prices/", **{"in": "ISK"}).status_code == 400
    table = Program(rated, "northstar").get("rate-tables/atlas/rates/", search="852", **{"in": "EUR"}).json()
    assert table["results"][0]["at_rate"] == "1 USD = 0.92148913 EUR of 2026-11-20"


def test_a_list_goes_page_by_page(rated: Cast) -> None:
    dealer, seen, after = Program(rated, "harbour"), [], ""
    for _page in range(9):
        answer = dealer.get("price-lists/harbour-atlas/prices/", after=after, page_size=3).json()
        seen += [row["prefix"] for row in answer["results"]]
        after = answer["next"]
        if not after:
            break
    assert seen == sorted(seen)
    assert len(seen) == len(set(seen)) == 12
