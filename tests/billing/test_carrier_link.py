"""Harbour's own web site sends Alice to the choice of carriers: logged in for that page, once, for minutes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from rating.models import CarrierChoice, CarrierLink
from rating.services.lists import update_list
from tests.billing.test_api import Program
from tests.cast import ACTOR
from tiers.services.parties import set_status

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.django_db


def asked(cast: Cast, seller: str = "harbour", party: str = "alice", **more: Any) -> Any:
    return Program(cast, seller).post("carriers/link/", {"party": party, **more})


def path_of(answer: Any) -> str:
    url: str = answer.json()["url"]
    return url[url.index("/choose/") :]


def test_the_link_opens_the_page_and_the_choice_holds(cast: Cast) -> None:
    answer = asked(cast, back="https://shop.harbour.example/me")
    assert answer.status_code == 201
    browser = Client()
    page = browser.get(path_of(answer), follow=True)
    assert page.redirect_chain[-1][0] == "/choose/"
    text = page.content.decode()
    assert "Alice" in text
    assert "Boreal Transit" in text
    assert 'href="https://shop.harbour.example/me"' in text
    done = browser.post("/choose/", {"carrier": "boreal"}, follow=True)
    assert "Calls abroad go by Boreal Transit from now on." in done.content.decode()
    choice = CarrierChoice.objects.get(party=cast.alice, valid_to__isnull=True)
    assert (choice.carrier.code, choice.actor) == ("boreal", "alice, by a link of harbour")
    browser.post("/choose/", {"carrier": "atlas"})
    assert CarrierChoice.objects.filter(party=cast.alice).count() == 2


def test_it_works_once_and_leaves_a_trail(cast: Cast) -> None:
    path = path_of(asked(cast))
    assert Client().get(path).status_code == 302
    again = Client().get(path)
    assert again.status_code == 410
    assert "used already" in again.content.decode()
    link = CarrierLink.objects.get()
    assert (link.party, link.maker, link.used_from) == (cast.alice, cast.harbour, "127.0.0.1")
    assert link.used_at is not None
    assert path.split("/")[2].split(".")[0] not in str(link.digest), "the token itself is not kept"


def test_it_is_no_login(cast: Cast) -> None:
    browser = Client()
    browser.get(path_of(asked(cast)))
    for path in ("/customer/", "/customer/prices/", "/customer/calls/", "/dealer/"):
        assert browser.get(path).status_code == 302, path
    assert browser.post("/customer/prices/carrier/boreal/").status_code == 302
    assert browser.get("/api/v1/me/").status_code == 401


def test_who_is_logged_in_stays_who_he_is(cast: Cast) -> None:
    browser = cast.client("bob")
    assert browser.get(path_of(asked(cast)), follow=True).status_code == 200
    assert "Bob" in browser.get("/customer/").content.decode()
    browser.post("/choose/", {"carrier": "boreal"})
    assert not CarrierChoice.objects.filter(party=cast.bob).exists()
    assert CarrierChoice.objects.filter(party=cast.alice).exists()


def test_after_minutes_it_is_gone_and_the_page_closes(cast: Cast) -> None:
    path, kept = path_of(asked(cast)), path_of(asked(cast))
    now = timezone.now()
    with time_machine.travel(now + timedelta(minutes=6)):
        assert Client().get(path).status_code == 410
    browser = Client()
    assert browser.get(kept).status_code == 302
    with time_machine.travel(now + timedelta(minutes=30)):
        assert browser.get("/choose/").status_code == 410
        assert browser.post("/choose/", {"carrier": "boreal"}).status_code == 410
    assert not CarrierChoice.objects.exists()


def test_a_browser_that_looks_ahead_does_not_spend_it(cast: Cast) -> None:
    path = path_of(asked(cast))
    assert Client(headers={"sec-purpose": "prefetch;prerender"}).get(path).status_code == 503
    assert Client().head(path).status_code == 405
    assert Client().get(path).status_code == 302


@pytest.mark.parametrize("token", ["nonsense", "abc.def", "x" * 300], ids=["plain", "forged", "long"])
def test_a_forged_one_opens_nothing(cast: Cast, token: str) -> None:
    assert Client().get(f"/choose/{token}/").status_code == 410
    assert Client().get("/choose/").status_code == 410


def test_only_for_customers_of_ones_own(cast: Cast) -> None:
    assert asked(cast, "outsider", "alice").status_code == 404
    assert asked(cast, "harbour", "mallory").status_code == 404
    assert asked(cast, "alice", "alice").status_code == 404
    assert asked(cast, "harbour", "pier").status_code == 400
    assert asked(cast, "harbour", "alice", back="javascript:alert(1)").status_code == 400
    assert asked(cast, "harbour", "bob").status_code == 201, "a customer of its dealer is below it too"
    reader = Program(cast, "harbour", "reader").post("carriers/link/", {"party": "alice"})
    assert reader.status_code == 403
    set_status(cast.alice, "closed", actor=ACTOR)
    assert asked(cast, "harbour", "alice").status_code == 409


def test_nobody_chooses_a_carrier_by_which_its_seller_has_no_price(cast: Cast) -> None:
    """Harbour takes its Boreal list away: the API, the page and the link refuse the choice alike."""
    update_list(cast.price_list("harbour-boreal"), actor=ACTOR, active=False)
    browser = Client()
    browser.get(path_of(asked(cast)))
    assert "There is no such carrier to choose." in browser.post("/choose/", {"carrier": "boreal"}).content.decode()
    assert Program(cast, "alice").post("carriers/choose/", {"carrier": "boreal"}).status_code == 404
    assert cast.client("alice").post("/customer/prices/carrier/boreal/").status_code == 404
    assert not CarrierChoice.objects.exists()
