"""What the door asks besides funds: closed destinations, spend by the day, sales below cost, and odd questions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from rating.live.ending import failed, find, going_on, started
from rating.live.limits import set_limits
from rating.live.spending import set_spend_limit, spending_of
from rating.models import BarKind, LiveCall, LiveStatus, PriceList, RatedCall
from rating.pricing.current import current_engine
from rating.services.bars import Barred, add_bar, bars_of, lift_bar, set_bars
from rating.services.imports import import_file
from rating.services.lists import set_own_rate, set_price_terms
from tests.cast import ACTOR
from tests.rating.calls_help import Call, write
from tests.rating.live_help import MOBILE, a_switch, ask, assert_clean, backdate, held, talk
from tiers.errors import Invalid, NotFound

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.django_db


def rich(cast: Cast) -> None:
    for code, amount in (("harbour", 500), ("pier", 200), ("bob", 100), ("alice", 100), ("erin", 100)):
        cast.fund(code, amount)
    cast.fund("summit", 500)
    cast.fund("carol", 300)


# -- closed destinations -------------------------------------------------------------------------------------------
def test_a_customer_closes_calls_abroad_to_itself_but_for_one_country(cast: Cast) -> None:
    rich(cast)
    switch = a_switch(cast)
    alice = cast.alice
    abroad = [Barred(BarKind.INTERNATIONAL), Barred(BarKind.PREFIX, "+44 7", open=True)]
    set_bars(alice, abroad, by=alice, actor=ACTOR)
    assert ask(switch, "uk mobile").allow
    answer = ask(switch, "germany", to="493012345678")
    assert (answer.allow, answer.sip_code, answer.code) == (False, 403, "barred")
    assert LiveCall.objects.get(call_id="germany").blame == alice.pk
    assert ask(switch, "home", to="12125550100").allow, "calls at home are no calls abroad"
    set_bars(alice, [], by=alice, actor=ACTOR)
    assert ask(switch, "germany again", to="493012345678").allow


@pytest.mark.parametrize(
    ("kind", "closed", "open_"),
    [
        (BarKind.PREMIUM, ["19005550100", "449098790000"], [MOBILE, "12125550100"]),
        (BarKind.MOBILE, ["447911123456"], ["442079460000", "12125550100"]),
        (BarKind.SATELLITE, ["881612345678", "870773123456"], [MOBILE]),
        (BarKind.INTERNATIONAL, [MOBILE, "449098790000"], ["12125550100", "19005550100"]),
    ],
)
def test_kinds_of_calls_are_told_apart(cast: Cast, kind: str, closed: list[str], open_: list[str]) -> None:
    rich(cast)
    switch = a_switch(cast)
    add_bar(cast.alice, Barred(kind), by=cast.harbour, actor=ACTOR)
    assert {ask(switch, f"to {to}", to=to).code for to in closed} == {"barred"}
    assert "barred" not in {ask(switch, f"to {to}", to=to).code for to in open_}


def test_what_a_seller_closes_its_buyers_cannot_open(cast: Cast) -> None:
    rich(cast)
    switch = a_switch(cast)
    bar = add_bar(cast.harbour, Barred(BarKind.PREFIX, "44"), by=cast.northstar, actor=ACTOR)
    set_bars(cast.alice, [Barred(BarKind.PREFIX, "447", open=True)], by=cast.alice, actor=ACTOR)
    for who in ("alice", "bob"):
        answer = ask(switch, who, account=f"ACC-{who}")
        assert (answer.sip_code, answer.code) == (403, "barred"), "all below the dealer"
    assert ask(switch, "erin", account="ACC-erin").allow
    with pytest.raises(NotFound):
        lift_bar(bar.pk, by=cast.harbour, actor=ACTOR)
    with pytest.raises(NotFound):
        add_bar(cast.erin, Barred(BarKind.MOBILE), by=cast.harbour, actor=ACTOR)
    assert [one.prefix for one in bars_of(cast.harbour, cast.viewer("harbour"))] == ["44"]
    assert bars_of(cast.harbour, cast.viewer("outsider")) == []
    lift_bar(bar.pk, by=cast.northstar, actor=ACTOR)
    assert ask(switch, "alice later").allow


@pytest.mark.parametrize("barred", [Barred("moon"), Barred(BarKind.PREFIX, "12a"), Barred(BarKind.MOBILE, open=True)])
def test_what_cannot_be_closed_is_said(cast: Cast, barred: Barred) -> None:
    with pytest.raises(Invalid):
        add_bar(cast.alice, barred, by=cast.harbour, actor=ACTOR)


def test_a_closed_destination_is_known_from_the_next_call_on(cast: Cast) -> None:
    engine = current_engine()
    add_bar(cast.alice, Barred(BarKind.MOBILE), by=cast.harbour, actor=ACTOR)
    assert current_engine() is not engine


def test_emergency_calls_pass_whatever_is_closed_blocked_or_unknown(cast: Cast) -> None:
    switch = a_switch(cast)
    add_bar(cast.alice, Barred(BarKind.PREFIX, "9"), by=cast.northstar, actor=ACTOR)
    set_limits(cast.alice, 0, None, actor=ACTOR)
    for account in ("ACC-alice", "nobody"):
        assert ask(switch, f"help {account}", account=account, to="911").allow


# -- spend by the day ----------------------------------------------------------------------------------------------
def test_a_day_takes_no_more_than_its_limit(cast: Cast) -> None:
    rich(cast)
    switch = a_switch(cast)
    wallet = cast.wallet("alice")
    set_spend_limit(wallet, Decimal("0.30"), actor=ACTOR)
    first = ask(switch, "first")
    assert 0 < first.max_seconds < 3600
    assert spending_of(wallet).held == held(wallet) > 0
    second = ask(switch, "second")
    if not second.allow:
        assert (second.sip_code, second.code) == (402, "spend")
    for name, answer in (("first", first), ("second", second)):
        if answer.allow:
            talk(switch, name, answer.max_seconds)
    day = spending_of(wallet)
    charged = sum(row.sale + row.tax for row in RatedCall.objects.filter(buyer=cast.alice))
    assert (day.spent, day.held) == (charged, 0)
    assert day.spent <= Decimal("0.30")
    assert ask(switch, "third").code == "spend"
    set_spend_limit(wallet, Decimal("5"), actor=ACTOR)
    assert ask(switch, "fourth").allow
    set_spend_limit(wallet, None, actor=ACTOR)
    assert ask(switch, "fifth").max_seconds == 3600
    assert_clean()


def test_a_call_that_nobody_answers_takes_nothing_from_the_day(cast: Cast) -> None:
    rich(cast)
    switch = a_switch(cast)
    wallet = cast.wallet("alice")
    set_spend_limit(wallet, Decimal("0.30"), actor=ACTOR)
    ask(switch, "ringing")
    failed(find(switch, "ringing"))
    assert (spending_of(wallet).spent, spending_of(wallet).held) == (0, 0)


def test_a_call_grows_only_as_far_as_the_day_allows(cast: Cast) -> None:
    rich(cast)
    switch = a_switch(cast, interims=True)
    wallet = cast.wallet("alice")
    assert ask(switch, "long").max_seconds == 300
    five_minutes = held(wallet)
    set_spend_limit(wallet, five_minutes * 2, actor=ACTOR)
    assert spending_of(wallet).held == five_minutes, "the call that goes on is counted"
    started(switch, find(switch, "long"))
    backdate(find(switch, "long"), 290)
    assert going_on(switch, find(switch, "long"), 290).max_seconds == 590
    assert spending_of(wallet).held == held(wallet)
    backdate(find(switch, "long"), 290)
    last = going_on(switch, find(switch, "long"), 580).max_seconds
    assert 590 <= last <= 610
    assert spending_of(wallet).held <= five_minutes * 2


def test_a_new_limit_knows_what_the_day_took_so_far(cast: Cast) -> None:
    rich(cast)
    switch = a_switch(cast)
    ask(switch, "before")
    talk(switch, "before", 120)
    set_spend_limit(cast.wallet("alice"), Decimal("9"), actor=ACTOR)
    row = RatedCall.objects.get(buyer=cast.alice)
    assert spending_of(cast.wallet("alice")).spent == row.sale + row.tax > 0
    ask(switch, "carol", account="ACC-carol")
    talk(switch, "carol", 120)
    set_spend_limit(cast.wallet("summit"), Decimal("90"), actor=ACTOR)
    paid = RatedCall.objects.get(buyer=cast.summit)
    assert spending_of(cast.wallet("summit")).spent == paid.sale + paid.tax > 0, "what came in is no spend"


def test_calls_that_come_by_file_only_take_nothing_from_a_day(cast: Cast, settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    set_spend_limit(cast.wallet("alice"), Decimal("0.3"), actor=ACTOR)
    at = timezone.now() - timedelta(minutes=5)
    import_file(write(tmp_path / "pbx.csv", [Call("filed", at=at)]), cast.source("switch"), actor=ACTOR)
    assert RatedCall.objects.filter(buyer=cast.alice).exists()
    assert spending_of(cast.wallet("alice")).spent == 0
    set_spend_limit(cast.wallet("alice"), None, actor=ACTOR)
    set_spend_limit(cast.wallet("alice"), Decimal("0.3"), actor=ACTOR)
    assert spending_of(cast.wallet("alice")).spent == 0


def test_a_dealers_day_is_hidden_from_its_customers(cast: Cast) -> None:
    rich(cast)
    set_spend_limit(cast.wallet("harbour"), Decimal("0"), actor=ACTOR)
    answer = ask(a_switch(cast), "mine")
    assert (answer.sip_code, answer.code) == (503, "spend"), "the switch is the operator's, who may know"
    theirs = ask(a_switch(cast, source="pbx"), "theirs", to="+" + MOBILE)
    assert theirs.code == "spend", "the dealer's own switch"
    set_spend_limit(cast.wallet("alice"), Decimal("0"), actor=ACTOR)
    assert ask(a_switch(cast), "both").sip_code == 402, "the nearest to the caller is blamed"


def test_a_dealer_in_distribution_spends_what_it_pays_not_what_it_lacks(cast: Cast) -> None:
    rich(cast)
    switch = a_switch(cast)
    wallet = cast.wallet("summit")
    set_spend_limit(wallet, Decimal("50"), actor=ACTOR)
    assert ask(switch, "carol", account="ACC-carol", requested_s=300).allow
    assert held(wallet) == 0, "its customer pays more than it pays itself"
    assert spending_of(wallet).held > 0
    talk(switch, "carol", 300)
    row = RatedCall.objects.get(buyer=cast.summit)
    assert spending_of(wallet).spent == row.sale + row.tax


def test_a_day_begins_at_midnight_of_the_sellers_brand(cast: Cast) -> None:
    rich(cast)
    switch = a_switch(cast)
    wallet = cast.wallet("alice")
    set_spend_limit(wallet, Decimal("3"), actor=ACTOR)
    zone = current_engine().directory.zones[cast.brand("harbour").pk]
    midnight = datetime.now(zone).replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)
    ask(switch, "late", now=midnight - timedelta(seconds=1))
    ask(switch, "early", now=midnight)
    days = {call.call_id: call.spends[0]["day"] for call in LiveCall.objects.all()}
    assert days["late"] < days["early"]
    assert spending_of(wallet, at=midnight).held > 0


@pytest.mark.parametrize("amount", ["-1", "NaN", "0.0000001", "1e20"])
def test_a_limit_is_an_amount(cast: Cast, amount: str) -> None:
    with pytest.raises(Invalid):
        set_spend_limit(cast.wallet("alice"), Decimal(amount), actor=ACTOR)


# -- sales below cost ----------------------------------------------------------------------------------------------
def below(cast: Cast, brand: str, price: str) -> None:
    """The brand's lists sell mobiles in Britain at this price, from an hour ago."""
    for price_list in PriceList.objects.filter(brand__code=brand, active=True):
        since = timezone.now() - timedelta(hours=1)
        set_own_rate(price_list, "447", Decimal(price), actor=ACTOR, effective_from=since, accept_loss=True)


def test_a_sale_below_cost_is_marked_or_refused_as_the_brand_says(cast: Cast) -> None:
    rich(cast)
    switch = a_switch(cast)
    assert ask(switch, "before").allow
    assert LiveCall.objects.get(call_id="before").below_cost == []
    below(cast, "harbour", "0.0001")
    assert ask(switch, "warned").allow
    assert LiveCall.objects.get(call_id="warned").below_cost == [cast.harbour.pk]
    set_price_terms(cast.brand("harbour"), actor=ACTOR, below_cost="refuse")
    answer = ask(switch, "refused")
    assert (answer.allow, answer.sip_code, answer.code) == (False, 503, "below_cost")
    assert LiveCall.objects.get(call_id="refused").blame == cast.harbour.pk
    assert ask(switch, "other", account="ACC-erin").allow, "the operator's own prices are above its cost"


def test_a_dealer_in_distribution_with_nothing_left_serves_its_customers_while_it_earns(cast: Cast) -> None:
    """Where it sells below cost for the first seconds, only what it still has decides for how long; never below 0."""
    cast.fund("summit", 100)
    cast.fund("carol", 100)
    switch = a_switch(cast)
    assert cast.wallet("summit").available == 0
    assert ask(switch, "earning", account="ACC-carol").allow
    talk(switch, "earning", 300)
    left = cast.wallet("summit").available
    assert left > 0, "the margin stays with the seller"
    for price_list in PriceList.objects.filter(brand__code="summit", active=True):
        since = timezone.now() - timedelta(hours=1)
        steps = [{"from_s": 0, "price": "0"}, {"from_s": 30, "price": "9"}]
        set_own_rate(price_list, "447", Decimal(9), actor=ACTOR, effective_from=since, accept_loss=True, steps=steps)
    answer = ask(switch, "free at first", account="ACC-carol")
    assert answer.allow
    assert LiveCall.objects.get(call_id="free at first").below_cost == [cast.summit.pk]
    need = held(cast.wallet("summit"))
    assert 0 < need <= left, "the price of the seconds that it gives away"
    call = talk(switch, "free at first", min(29, answer.max_seconds))
    assert call.status == LiveStatus.ENDED
    assert 0 <= cast.wallet("summit").available < left, "its own seller was paid for seconds that brought nothing"
    assert_clean()
