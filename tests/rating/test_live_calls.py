"""A call that a switch asks for: money is set aside at every tier, what was used is charged, the rest is free again."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from accounts.models import Transfer
from rating.live.ending import ended, failed, find, going_on, started
from rating.live.reaping import reap
from rating.models import LiveCall, LiveStatus, RatedCall, UsageRecord
from rating.pricing import CallFacts, Engine
from tests.rating.live_help import MOBILE, a_switch, ask, assert_clean, backdate, held, talk
from tiers.models import Party, Status

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.django_db


def test_a_call_sets_money_aside_at_every_tier_and_is_charged_for_what_it_used(cast: Cast) -> None:
    cast.fund("harbour", 100)
    cast.fund("alice", 20)
    switch = a_switch(cast)
    answer = ask(switch, "call-1", requested_s=600)
    assert (answer.allow, answer.max_seconds) == (True, 600)
    assert held(cast.wallet("alice")) > held(cast.wallet("harbour")) > 0

    call = talk(switch, "call-1", 95)

    assert (call.status, call.duration_s, call.overrun_s) == (LiveStatus.ENDED, 95, 0)
    assert held(cast.wallet("alice")) == held(cast.wallet("harbour")) == 0
    sales = {row.buyer.code: row for row in RatedCall.objects.all()}
    assert set(sales) == {"alice", "harbour"}
    alice = cast.wallet("alice")
    assert alice.posted == Decimal(20) - sales["alice"].sale - sales["alice"].tax
    assert cast.wallet("harbour").posted == Decimal(100) - sales["harbour"].sale - sales["harbour"].tax
    record = UsageRecord.objects.get()
    assert (record.src_ip, record.src_port, record.user_agent) == ("198.51.100.7", 5062, "Yealink T54W")
    assert_clean()


def test_the_same_question_hears_the_same_answer_and_holds_once(cast: Cast) -> None:
    cast.fund("harbour", 100)
    cast.fund("alice", 20)
    switch = a_switch(cast)
    first = ask(switch, "again", requested_s=300)
    kept = held(cast.wallet("alice"))
    second = ask(switch, "again", requested_s=900)
    assert (first.allow, first.max_seconds, first.call) == (second.allow, second.max_seconds, second.call)
    assert held(cast.wallet("alice")) == kept
    assert LiveCall.objects.count() == 1


def test_a_call_that_is_over_or_another_under_its_id_is_no_leave_to_talk(cast: Cast) -> None:
    cast.fund("harbour", 100)
    cast.fund("alice", 20)
    switch = a_switch(cast)
    first = ask(switch, "reused", requested_s=60)
    other = ask(switch, "reused", to="+44900123456")
    assert first.allow
    assert (other.allow, other.sip_code, other.code) == (False, 403, "other_call")
    assert ask(switch, "reused").allow, "the call itself is as it was"
    ended(find(switch, "reused"), 0)
    replayed = ask(switch, "reused")
    assert (replayed.allow, replayed.max_seconds, replayed.sip_code, replayed.code) == (False, 0, 403, "over")
    assert held(cast.wallet("alice")) == 0


def test_without_funds_there_is_no_call_and_nothing_is_held(cast: Cast) -> None:
    cast.fund("harbour", 100)
    answer = ask(a_switch(cast), "poor")
    assert (answer.allow, answer.sip_code, answer.code) == (False, 402, "funds")
    assert held(cast.wallet("harbour")) == 0
    assert LiveCall.objects.get().status == LiveStatus.REFUSED


def test_a_caller_whose_dealer_is_empty_hears_that_the_service_is_not_available(cast: Cast) -> None:
    cast.fund("alice", 20)
    answer = ask(a_switch(cast), "dealer-empty")
    assert (answer.allow, answer.sip_code) == (False, 503)
    assert answer.code == "funds", "the switch is the operator's, who may know"
    dealers_own = a_switch(cast, source="pbx")
    Party.objects.filter(code="northstar").update(status=Status.BLOCKED)
    assert ask(dealers_own, "above", to="+" + MOBILE).code == "unavailable"


def test_few_funds_give_few_seconds_and_the_call_never_costs_more(cast: Cast) -> None:
    cast.fund("harbour", 100)
    cast.fund("alice", "0.05")
    switch = a_switch(cast)
    answer = ask(switch, "short")
    assert 0 < answer.max_seconds < 3600
    call = talk(switch, "short", answer.max_seconds + 40)
    assert (call.duration_s, call.overrun_s) == (answer.max_seconds, 40)
    assert 0 <= cast.wallet("alice").posted < Decimal("0.05")


@pytest.mark.parametrize("who", ["alice", "harbour", "northstar"])
def test_a_blocked_tier_stops_the_call(cast: Cast, who: str) -> None:
    cast.fund("harbour", 100)
    cast.fund("alice", 20)
    Party.objects.filter(code=who).update(status=Status.BLOCKED)
    answer = ask(a_switch(cast), f"blocked-{who}")
    assert (answer.allow, answer.sip_code) == (False, 403 if who == "alice" else 503)


def test_nobody_answers_and_everything_is_free_again(cast: Cast) -> None:
    cast.fund("harbour", 100)
    cast.fund("alice", 20)
    switch = a_switch(cast)
    ask(switch, "ringing")
    failed(find(switch, "ringing"))
    assert held(cast.wallet("alice")) == 0
    assert not Transfer.objects.filter(kind="usage").exists()
    assert failed(find(switch, "ringing")).status == LiveStatus.FAILED


def test_interims_extend_the_call_slice_by_slice(cast: Cast) -> None:
    cast.fund("harbour", 100)
    cast.fund("alice", 20)
    switch = a_switch(cast, interims=True)
    assert ask(switch, "long").max_seconds == 300
    call = find(switch, "long")
    started(switch, call)
    backdate(call, 250)
    before = held(cast.wallet("alice"))
    assert going_on(switch, find(switch, "long"), 250).max_seconds == 550
    assert held(cast.wallet("alice")) > before
    assert going_on(switch, find(switch, "long"), 1_795_288_593).max_seconds == 550, "an absurd figure is not believed"
    backdate(call, 250)
    call = ended(find(switch, "long"), 500)
    assert (call.duration_s, call.overrun_s, call.oddity) == (500, 0, "")


def test_an_end_that_came_twice_charges_once(cast: Cast) -> None:
    cast.fund("harbour", 100)
    cast.fund("alice", 20)
    switch = a_switch(cast)
    ask(switch, "twice")
    talk(switch, "twice", 60)
    left = cast.wallet("alice").posted
    ended(find(switch, "twice"), 600)
    assert cast.wallet("alice").posted == left
    assert UsageRecord.objects.count() == 1


def test_an_end_that_never_comes_is_made_by_the_reaper_for_all_that_was_allowed(cast: Cast) -> None:
    cast.fund("harbour", 100)
    cast.fund("alice", 20)
    switch = a_switch(cast)
    answer = ask(switch, "lost", requested_s=120)
    call = find(switch, "lost")
    started(switch, call)
    assert reap() == 0
    backdate(call, 3600)
    assert reap() == 1
    call.refresh_from_db()
    assert (call.status, call.duration_s) == (LiveStatus.REAPED, answer.max_seconds)
    assert held(cast.wallet("alice")) == 0
    assert reap() == 0


def test_a_call_that_was_never_answered_is_reaped_for_nothing_where_the_switch_tells_of_answers(cast: Cast) -> None:
    cast.fund("harbour", 100)
    cast.fund("alice", 20)
    switch = a_switch(cast, interims=True)
    ask(switch, "never")
    assert reap(timezone.now() + timedelta(hours=2)) == 1
    assert find(switch, "never").status == LiveStatus.FAILED
    assert cast.wallet("alice").posted == 20


def test_a_live_call_costs_what_the_same_call_costs_by_file(cast: Cast) -> None:
    for code, amount in (("harbour", 100), ("pier", 50), ("bob", 20), ("summit", 500), ("carol", 100), ("erin", 10)):
        cast.fund(code, amount)
    switch = a_switch(cast)
    for who in ("bob", "carol", "erin", "dave"):
        assert ask(switch, who, account=f"ACC-{who}").allow
        call = talk(switch, who, 77)
        assert call.answered_at is not None
        engine = Engine()
        number = switch.plan.normalise(MOBILE)
        facts = CallFacts(cast.party(who).pk, number, True, call.answered_at, 77)  # type: ignore[arg-type]
        priced = engine.price(facts)
        rows = {row.seller_id: row for row in RatedCall.objects.filter(record_id=call.record_id)}
        assert {tier.link.seller: (tier.sale, tier.tax) for tier in priced.tiers} == {  # type: ignore[union-attr]
            seller: (row.sale, row.tax) for seller, row in rows.items()
        }
    assert_clean()


def test_a_distribution_dealer_that_gave_all_its_funds_away_still_serves_its_customers(cast: Cast) -> None:
    cast.fund("summit", 100)
    cast.fund("carol", 100)
    assert cast.wallet("summit").available == 0
    switch = a_switch(cast)
    assert ask(switch, "c1", account="ACC-carol").allow
    talk(switch, "c1", 300)
    assert cast.wallet("summit").available > 0, "the margin stays with the seller"


def test_a_stranger_is_not_known_at_a_dealers_own_switch(cast: Cast) -> None:
    answer = ask(a_switch(cast, source="pbx"), "stranger", account="ACC-mallory")
    assert (answer.allow, answer.sip_code, answer.code) == (False, 404, "unknown")
