"""Sixty-four callers at once, and funds or places for ten: ten get through, each time, at every tier."""

from __future__ import annotations

import os
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from threading import Barrier
from typing import TYPE_CHECKING

import pytest
from django.db import connections
from django.utils import timezone

from accounts.services.funds import Move, set_credit, withdraw
from rating.live.asking import Decision
from rating.live.ending import failed, find
from rating.live.limits import set_limits
from rating.live.spending import set_spend_limit, spending_of
from rating.live.switches import Switch
from rating.models import CallLimit, LiveCall
from rating.pricing import Engine
from rating.services.lists import set_own_rate
from tests.cast import ACTOR
from tests.rating.live_help import MOBILE, a_switch, ask, assert_clean, held

if TYPE_CHECKING:
    from tests.cast import Cast

CALLERS = 64
PLACES = 10
REQUESTED_S = 120
PROOF = os.environ.get("TOLLGATE_PROOF") == "1"
ROUNDS = int(os.environ.get("TOLLGATE_ROUNDS", "100" if PROOF else "5"))
pytestmark = [pytest.mark.django_db(transaction=True), *([pytest.mark.proof] if PROOF else [])]


def rush(switch: Switch, who: str, name: str) -> list[Decision]:
    """All callers ask at the same moment, each by a connection of its own."""
    engine, gate = Engine(), Barrier(CALLERS)

    def one(number: int) -> Decision:
        try:
            gate.wait(timeout=60)
            return ask(switch, f"{name}-{number}", account=f"ACC-{who}", engine=engine, requested_s=REQUESTED_S)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(CALLERS) as callers:
        return list(callers.map(one, range(CALLERS)))


def one_call_needs(cast: Cast, switch: Switch, who: str, wallet: str) -> Decimal:
    """What a single call holds at a wallet: asked with more money than enough, then let go."""
    assert ask(switch, f"probe-{wallet}", account=f"ACC-{who}", requested_s=REQUESTED_S).max_seconds == REQUESTED_S
    need = held(cast.wallet(wallet))
    failed(find(switch, f"probe-{wallet}"))
    return need


def leave(cast: Cast, code: str, amount: Decimal) -> None:
    """Take from the wallet, upwards, what is more than this amount; or give it this much credit."""
    wallet = cast.wallet(code)
    if wallet.credit_limit:
        set_credit(wallet.pk, billing="postpaid", credit_limit=amount)
        return
    surplus = wallet.available - amount
    if surplus > 0:
        move = Move(surplus, wallet.account.currency, f"leave-{code}-{next(cast.numbers)}", ACTOR)
        withdraw(wallet.seller, cast.party(code), move)


def everybody_has_funds(cast: Cast) -> None:
    for code, amount in (
        ("harbour", 900),
        ("pier", 500),
        ("bob", 100),
        ("alice", 100),
        ("erin", 100),
        ("summit", 2000),
    ):
        cast.fund(code, amount)
    cast.fund("carol", 300)
    since = timezone.now() - timedelta(hours=1)
    for code in ("summit-atlas", "summit-boreal"):
        set_own_rate(cast.price_list(code), MOBILE, Decimal("0.2"), actor=ACTOR, effective_from=since)


@pytest.mark.parametrize(
    ("who", "short"),
    [
        ("alice", "alice"),
        ("alice", "harbour"),
        ("bob", "pier"),
        ("erin", "erin"),
        ("carol", "carol"),
        ("carol", "summit"),
        ("dave", "dave"),
        ("dave", "meadow"),
    ],
)
def test_funds_for_ten_calls_let_exactly_ten_through(cast: Cast, who: str, short: str) -> None:
    """The customer's, a dealer's, and what a dealer has with the operator; of a seller at a loss; on credit."""
    everybody_has_funds(cast)
    switch = a_switch(cast)
    need = one_call_needs(cast, switch, who, short)
    assert need > 0
    leave(cast, short, PLACES * need)
    for turn in range(ROUNDS):
        answers = rush(switch, who, f"r{turn}")
        said = Counter((answer.allow, answer.code) for answer in answers)
        assert said == {(True, ""): PLACES, (False, "funds"): CALLERS - PLACES}
        assert {answer.max_seconds for answer in answers if answer.allow} == {REQUESTED_S}
        assert cast.wallet(short).available == 0
        for call in LiveCall.objects.filter(call_id__startswith=f"r{turn}-", status="allowed"):
            failed(call)
    assert_clean()


@pytest.mark.parametrize("whose", ["alice", "harbour", "northstar", "boreal"])
def test_places_for_ten_calls_let_exactly_ten_through(cast: Cast, whose: str) -> None:
    cast.fund("harbour", 900)
    cast.fund("alice", 500)
    switch = a_switch(cast)
    ask(switch, "first", requested_s=REQUESTED_S)
    carrier = LiveCall.objects.get(call_id="first").carrier
    assert carrier is not None
    set_limits(carrier if whose == "boreal" else cast.party(whose), PLACES, None, actor=ACTOR)
    assert CallLimit.objects.get().active == 1, "the call that goes on is counted"
    failed(find(switch, "first"))
    for turn in range(ROUNDS):
        answers = rush(switch, "alice", f"r{turn}")
        assert Counter(answer.allow for answer in answers) == {True: PLACES, False: CALLERS - PLACES}
        for call in LiveCall.objects.filter(call_id__startswith=f"r{turn}-", status="allowed"):
            failed(call)
        assert CallLimit.objects.get().active == 0
    assert_clean()


@pytest.mark.parametrize("whose", ["alice", "northstar"])
def test_no_more_calls_begin_in_a_second_than_may(cast: Cast, whose: str) -> None:
    cast.fund("harbour", 9000)
    cast.fund("alice", 5000)
    switch = a_switch(cast)
    set_limits(cast.party(whose), None, PLACES, actor=ACTOR)
    for turn in range(ROUNDS):
        time.sleep(1 - time.time() % 1)
        before = int(time.time())
        answers = rush(switch, "alice", f"r{turn}")
        seconds = int(time.time()) - before + 1
        said = Counter((answer.allow, answer.code) for answer in answers)
        assert PLACES <= said[True, ""] <= PLACES * seconds
        assert said[True, ""] + said[False, "rate"] == CALLERS
        assert CallLimit.objects.get().active == LiveCall.objects.filter(status="allowed").count()


@pytest.mark.parametrize(("who", "limited"), [("alice", "alice"), ("bob", "harbour")])
def test_a_day_with_room_for_ten_calls_lets_exactly_ten_through(cast: Cast, who: str, limited: str) -> None:
    everybody_has_funds(cast)
    switch = a_switch(cast)
    wallet = cast.wallet(limited)
    need = one_call_needs(cast, switch, who, limited)
    set_spend_limit(wallet, PLACES * need, actor=ACTOR)
    for turn in range(max(1, ROUNDS // 5)):
        answers = rush(switch, who, f"r{turn}")
        assert Counter((answer.allow, answer.code) for answer in answers) == {
            (True, ""): PLACES,
            (False, "spend"): CALLERS - PLACES,
        }
        assert spending_of(wallet).left == 0
        for call in LiveCall.objects.filter(call_id__startswith=f"r{turn}-", status="allowed"):
            failed(call)
        assert spending_of(wallet).held == 0
    assert_clean()


def test_one_call_asked_for_by_sixty_four_at_once_is_one_call(cast: Cast) -> None:
    cast.fund("harbour", 900)
    cast.fund("alice", 500)
    switch, engine, gate = a_switch(cast), Engine(), Barrier(CALLERS)

    def one(_number: int) -> Decision:
        try:
            gate.wait(timeout=60)
            return ask(switch, "the-same", engine=engine)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(CALLERS) as callers:
        answers = list(callers.map(one, range(CALLERS)))
    assert len({(answer.allow, answer.max_seconds, answer.call) for answer in answers}) == 1
    assert LiveCall.objects.count() == 1
