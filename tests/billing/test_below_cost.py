"""Below cost on the portals: a warning list before a price is saved, refusal where the brand says so, a page of all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rating.models import ListTerms, Rate
from rating.services.lists import set_price_terms
from tests.cast import ACTOR

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.django_db
RATE = "/dealer/prices/lists/harbour-atlas/rate/"
MARKUP = "/dealer/prices/lists/harbour-atlas/markup/"
TERMS = "/operator/prices/lists/northstar-atlas/terms/"


def test_a_dealer_is_asked_before_it_sells_below_cost(cast: Cast) -> None:
    browser = cast.client("harbour")
    price = {"digits": "852", "price": "0.001"}
    asked = browser.post(RATE, price)
    page = asked.content.decode()
    assert asked.status_code == 422
    assert "sold below cost" in page
    assert "Hong Kong" in page
    assert 'name="accept_loss"' in page
    assert not Rate.objects.filter(table__owner=cast.harbour, prefix="852").exists()
    assert browser.post(RATE, {**price, "accept_loss": "1"}).status_code == 302
    shown = browser.get("/dealer/prices/below-cost/").content.decode()
    assert "+852" in shown
    assert "Atlas Carrier Services" in shown


def test_a_mark_up_below_nothing_lists_what_it_loses(cast: Cast) -> None:
    browser = cast.client("harbour")
    page = browser.post(MARKUP, {"percent": "-30", "addon": "0"})
    assert page.status_code == 422
    assert page.content.decode().count('<b class="tg-why">−') == 12
    assert browser.post(TERMS, {"markup": "1"}).status_code == 404, "another portal"
    operator = cast.client("northstar")
    assert operator.post(TERMS, {"markup": "-5", "addon": "0"}).status_code == 422
    assert operator.post(TERMS, {"markup": "5", "addon": "0"}).status_code == 302


def test_a_brand_that_refuses_offers_no_way_round(cast: Cast) -> None:
    set_price_terms(cast.brand("harbour"), actor=ACTOR, below_cost="refuse")
    page = cast.client("harbour").post(MARKUP, {"percent": "-30", "addon": "0", "accept_loss": "1"})
    assert page.status_code == 422
    assert "The brand refuses this." in page.content.decode()
    assert 'name="accept_loss"' not in page.content.decode()
    assert not ListTerms.objects.filter(price_list__code="harbour-atlas", markup__lt=0).exists()


def test_where_all_is_well_the_page_says_so(cast: Cast) -> None:
    assert "Nothing is sold below cost" in cast.client("harbour").get("/dealer/prices/below-cost/").content.decode()
