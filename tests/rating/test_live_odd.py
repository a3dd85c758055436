"""Odd questions at the door, and odd people: no wallet, no list, moved meanwhile, sold through five tiers."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client

from accounts.services.accounts import open_wallet
from billing.setup import load
from rating.live.ending import ended, find, going_on, started
from rating.live.limits import set_limits
from rating.live.switches import create_switch_key
from rating.models import LiveCall, LiveStatus, PriceList, RatedCall, SourceIdentity
from rating.pricing.current import current_engine
from rating.services.lists import set_own_rate
from tests.cast import ACTOR
from tests.rating.live_help import MOBILE, a_switch, ask, assert_clean, backdate, held, talk
from tiers.models import Party
from tiers.services.parties import move_party

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.django_db


def rich(cast: Cast) -> None:
    for code, amount in (("harbour", 500), ("pier", 200), ("bob", 100), ("alice", 100), ("erin", 100)):
        cast.fund(code, amount)


@pytest.mark.parametrize("seconds", [0, -5, None])
def test_no_seconds_asked_for_are_as_many_as_may_be(cast: Cast, seconds: int | None) -> None:
    rich(cast)
    assert ask(a_switch(cast), "odd", requested_s=seconds).max_seconds == 3600


@pytest.mark.parametrize(("seconds", "granted"), [("90", 90), ("0", 3600), ("-1", 3600), ("999999999999", 3600)])
def test_figures_may_come_as_text(cast: Cast, client: Client, seconds: str, granted: int) -> None:
    rich(cast)
    _row, key = create_switch_key(cast.source("switch"), "front", [], actor=ACTOR)
    said = {"account": "ACC-alice", "to": MOBILE, "call_id": "text", "requested_s": seconds, "src_port": "5060"}
    answer = client.post("/api/v1/calls/authorize", said, headers={"Authorization": f"Bearer {key}"})
    assert (answer.status_code, answer.json()["max_seconds"]) == (200, granted)


def test_without_a_wallet_in_the_lists_currency_there_is_no_call_and_it_is_not_the_callers_business(cast: Cast) -> None:
    rich(cast)
    switch = a_switch(cast)
    for price_list in PriceList.objects.filter(brand__code="northstar", active=True):
        price_list.currency = "GBP"
        price_list.save(update_fields=["currency"])
    answer = ask(switch, "erin", account="ACC-erin")
    assert (answer.allow, answer.sip_code, answer.code) == (False, 503, "no_wallet")


def test_a_list_that_is_not_active_sells_no_calls(cast: Cast) -> None:
    rich(cast)
    switch = a_switch(cast)
    PriceList.objects.filter(brand__code="harbour").update(active=False)
    answer = ask(switch, "alice")
    assert (answer.allow, answer.sip_code, answer.code) == (False, 503, "no_price")
    assert LiveCall.objects.get().blame == cast.harbour.pk
    assert ask(switch, "erin", account="ACC-erin").allow


def test_a_code_that_a_list_closed_is_told_as_closed_to_everybody(cast: Cast) -> None:
    rich(cast)
    for price_list in PriceList.objects.filter(brand__code="harbour", active=True):
        set_own_rate(price_list, "447", Decimal(1), actor=ACTOR, blocked=True)
    answer = ask(a_switch(cast), "closed")
    assert (answer.allow, answer.sip_code, answer.code) == (False, 403, "closed")


def test_a_customer_that_moves_during_a_call_pays_it_where_it_began(cast: Cast) -> None:
    rich(cast)
    switch = a_switch(cast, interims=True)
    old = cast.wallet("alice")
    ask(switch, "moving")
    started(switch, find(switch, "moving"))
    move_party(cast.alice, cast.pier, cast.brand("pier"), actor=ACTOR)
    new = open_wallet(cast.alice, cast.pier, "EUR")
    backdate(find(switch, "moving"), 280)
    assert going_on(switch, find(switch, "moving"), 280).max_seconds == 580
    backdate(find(switch, "moving"), 70)
    assert ended(find(switch, "moving"), 350).status == LiveStatus.ENDED
    sold = {row.seller.code: row.sale for row in RatedCall.objects.all()}
    assert set(sold) == {"harbour", "northstar"}
    old.refresh_from_db()
    new.refresh_from_db()
    assert (old.held, new.posted) == (0, 0)
    assert old.posted < 100
    assert ask(switch, "after").code == "funds", "from now on by its new seller, where it has nothing yet"
    assert_clean()


def test_a_carrier_with_places_for_one_call_takes_one(cast: Cast) -> None:
    rich(cast)
    switch = a_switch(cast)
    first = ask(switch, "one")
    set_limits(cast.carrier(first.carrier or ""), 1, None, actor=ACTOR)
    answer = ask(switch, "two")
    assert (answer.allow, answer.sip_code, answer.code) == (False, 503, "concurrent")
    talk(switch, "one", 5)
    assert ask(switch, "three").allow


def test_calls_inside_the_house_cost_nothing_and_go_on_as_long_as_they_are_told_of(cast: Cast) -> None:
    switch = a_switch(cast, interims=True)
    answer = ask(switch, "inside", to="204")
    assert (answer.allow, answer.max_seconds, answer.carrier) == (True, 300, None)
    started(switch, find(switch, "inside"))
    backdate(find(switch, "inside"), 290)
    assert going_on(switch, find(switch, "inside"), 290).max_seconds == 590
    call = talk(switch, "inside", 10)
    assert (call.status, RatedCall.objects.count()) == (LiveStatus.ENDED, 0)


def test_what_a_caller_is_known_by_is_known_at_once(cast: Cast) -> None:
    rich(cast)
    switch = a_switch(cast)
    assert ask(switch, "before", account="desk-7", engine=current_engine()).code == "unknown"
    SourceIdentity.objects.create(party=cast.alice, kind="account", value="desk-7")
    assert ask(switch, "after", account="desk-7", engine=current_engine()).allow


def tower() -> dict[str, Any]:
    """Four dealers under each other and a customer of the last, each selling dearer than it buys."""
    parties: list[dict[str, Any]] = []
    lists: list[dict[str, Any]] = []
    seller = "northstar"
    for name in ("tier-a", "tier-b", "tier-c", "tier-d"):
        brand = {"code": name, "name": name.title(), "currency": "USD", "prices": {"tax_rate": "10"}}
        brand["paper"] = {"series": name[-1].upper() * 3}
        parties.append(
            {"code": name, "name": name.title(), "kind": "dealer", "seller": seller, "brand": seller, "brands": [brand]}
        )
        rate = {"prefix": "44", "destination": "United Kingdom", "price": f"0.{len(lists) + 3}"}
        lists.append({"code": f"{name}-list", "name": "All", "brand": name, "rates": [rate]})
        seller = name
    parties.append({"code": "lowest", "name": "Lowest", "kind": "customer", "seller": seller, "brand": seller})
    return {"parties": parties, "price_lists": lists}


def test_a_call_through_five_tiers_is_set_aside_and_charged_at_each(cast: Cast) -> None:
    load(tower(), actor=ACTOR)
    chain = ["tier-a", "tier-b", "tier-c", "tier-d", "lowest"]
    for code in chain:
        cast.fund(code, 1000)
    switch = a_switch(cast)
    assert ask(switch, "deep", account="lowest", requested_s=600).max_seconds == 600
    for code in chain:
        assert held(cast.wallet(code)) > 0
    talk(switch, "deep", 125)
    rows = {row.buyer.code: row for row in RatedCall.objects.all()}
    assert set(rows) == set(chain)
    for code in chain:
        wallet = cast.wallet(code)
        assert (wallet.posted, wallet.held) == (Decimal(1000) - rows[code].sale - rows[code].tax, 0)
    Party.objects.filter(code="tier-b").update(status="blocked")
    assert ask(switch, "blocked in the middle", account="lowest").sip_code == 503
    assert_clean()
