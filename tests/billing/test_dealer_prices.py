"""Prices in the dealer's portal: what it shows that it earns is what is then charged."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from rating.models import ListTerms, PriceList
from tests.billing.dealer_help import called_in_october, page, quoted
from tests.cast import Cast


@pytest.fixture
def october(cast: Cast, tmp_path: Path, settings: Any) -> Cast:
    return called_in_october(cast, tmp_path, settings)


def test_a_mark_up_shows_what_it_earns_and_then_charges_so(october: Cast) -> None:
    harbour = october.client("harbour")
    text = page(harbour, "prices/lists/harbour-atlas/markup/effect/", percent="100", addon="0")
    assert "you earn" in text
    before = quoted(october, "8613800138000")
    assert f"{before['buy'] * 2:.4f}"[:5] in text
    answer = harbour.post("/dealer/prices/lists/harbour-atlas/markup/", {"percent": "100", "addon": "0"})
    assert answer.status_code == 302
    after = quoted(october, "8613800138000")
    assert after["sale"] == before["buy"] * 2
    assert ListTerms.objects.filter(price_list__code="harbour-atlas").count() == 2, "the old terms stay for old calls"
    loss = page(harbour, "prices/lists/harbour-atlas/markup/effect/", percent="-50", addon="0")
    assert "you lose" in loss
    for typed in ("", "abc", "1e99", "NaN"):
        page(harbour, "prices/lists/harbour-atlas/markup/effect/", percent=typed, addon=typed)


def test_an_own_price_holds_from_its_date_and_can_be_ended(october: Cast) -> None:
    harbour = october.client("harbour")
    before = quoted(october, "8613800138000")
    answer = harbour.post("/dealer/prices/lists/harbour-atlas/rate/", {"digits": "86", "price": "0.5"}, follow=True)
    assert "You earn" in answer.content.decode()
    assert quoted(october, "8613800138000")["sale"] == Decimal("0.5")
    text = page(harbour, "prices/lists/harbour-atlas/")
    assert "China" in text
    assert "0.5000" in text
    assert harbour.post("/dealer/prices/lists/harbour-atlas/rate/86/end/").status_code == 302
    assert quoted(october, "8613800138000") == before
    refused = harbour.post("/dealer/prices/lists/harbour-atlas/rate/", {"digits": "86", "price": "-1"})
    assert refused.status_code == 422


def test_a_list_is_copied_for_one_customer_and_leaves_the_others_alone(october: Cast) -> None:
    harbour = october.client("harbour")
    alice = str(october.party("alice").pk)
    harbour.post("/dealer/prices/lists/harbour-atlas/rate/", {"digits": "44", "price": "0.9"})
    answer = harbour.post(
        "/dealer/prices/lists/harbour-atlas/copy/", {"buyer": alice, "name": "For Alice", "code": "alice-atlas"}
    )
    assert answer.headers["Location"] == "/dealer/prices/lists/alice-atlas/"
    before = quoted(october, "8613800138000")
    harbour.post("/dealer/prices/lists/alice-atlas/markup/", {"percent": "10", "addon": "0"})
    copied = PriceList.objects.get(code="alice-atlas")
    assert copied.buyer == october.party("alice")
    assert copied.own_table is not None
    assert copied.own_table.rates.get(prefix="44").price == Decimal("0.9")
    assert quoted(october, "8613800138000")["sale"] == before["buy"] * Decimal("1.1")
    pier = PriceList.objects.get(code="harbour-atlas")
    terms = ListTerms.objects.filter(price_list=pier).latest("valid_from")
    assert terms.markup == Decimal("0.5")
    mallory = str(october.party("mallory").pk)
    stolen = {"buyer": mallory, "name": "x", "code": "stolen"}
    assert harbour.post("/dealer/prices/lists/harbour-atlas/copy/", stolen).status_code == 422


def test_a_new_list_stands_on_what_the_dealer_buys_by(cast: Cast) -> None:
    harbour = cast.client("harbour")
    PriceList.objects.filter(code="harbour-boreal").update(active=False)
    text = page(harbour, "prices/new/")
    assert "Northstar Europe by Boreal" in text
    made = {"name": "Premium", "code": "premium", "brand_code": "harbour", "base_code": "northstar-eu-boreal"}
    answer = harbour.post("/dealer/prices/new/", {**made, "percent": "30"})
    assert answer.headers["Location"] == "/dealer/prices/lists/premium/"
    made_list = PriceList.objects.get(code="premium")
    assert made_list.carrier is not None
    assert made_list.carrier.code == "boreal"
    taken = harbour.post("/dealer/prices/new/", {**made, "code": "premium-2", "percent": "30"})
    assert taken.status_code == 422


def test_trying_a_number_shows_the_dealers_sale_and_cost_alone(october: Cast) -> None:
    figures = quoted(october, "85225550123")
    text = page(october.client("harbour"), "prices/try/", customer="alice", to="+852 2555 0123", seconds="60")
    assert f"{figures['sale']:.4f}" in text
    assert f"{figures['buy']:.4f}" in text
    assert "mark-up 0.25" not in text
    deep = page(october.client("pier"), "prices/try/", customer="bob", to="+85225550123", seconds="60")
    assert "Northstar" not in deep
    missing = page(october.client("harbour"), "prices/try/", customer="alice", to="+81312345678", seconds="60")
    assert "Harbour Voice has no price" in missing
    strange = page(october.client("harbour"), "prices/try/", customer="mallory", to="+85225550123", seconds="60")
    assert "You sell it for" not in strange


def test_a_sub_dealers_list_is_its_own_business(october: Cast) -> None:
    harbour = october.client("harbour")
    for part in ("", "markup/", "rate/", "copy/", "markup/effect/?percent=3"):
        assert harbour.get(f"/dealer/prices/lists/pier-atlas/{part}").status_code == 404, part
    assert harbour.post("/dealer/prices/lists/pier-atlas/markup/", {"percent": "1", "addon": "0"}).status_code == 404
    assert "Pier by Atlas" not in page(harbour, "prices/")
