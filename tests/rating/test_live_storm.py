"""While calls storm in, somebody pays, credit is changed, a dealer is blocked: nobody sinks, nobody slips in."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from threading import Event, Thread
from typing import TYPE_CHECKING

import pytest
from django.db import connections

from accounts.models import Hold, Transfer, Wallet
from accounts.services.funds import set_credit
from rating.live.asking import Decision
from rating.live.ending import ended, failed, find, going_on, started
from rating.live.limits import set_limits
from rating.live.switches import Switch
from rating.models import CallLimit, LiveCall
from rating.pricing import Engine
from tests.cast import ACTOR
from tests.rating.live_help import a_switch, ask, assert_clean, backdate
from tiers.models import Status
from tiers.services.parties import set_status

if TYPE_CHECKING:
    from tests.cast import Cast

PROOF = os.environ.get("TOLLGATE_PROOF") == "1"
ROUNDS = int(os.environ.get("TOLLGATE_ROUNDS", "100" if PROOF else "2"))
CALLERS, CALLS_EACH, PLACES = 16, 4, 12
WHO = ("alice", "carol", "dave", "erin")
pytestmark = [pytest.mark.django_db(transaction=True), *([pytest.mark.proof] if PROOF else [])]


@dataclass
class Storm:
    """What callers heard: (who, answer, asked from, answered at, by the monotonic clock)."""

    switch: Switch
    name: str
    heard: list[tuple[str, Decision, float, float]] = field(default_factory=list)

    def call(self, caller: int) -> None:
        """Calls one after the other, with every kind of end; some are left open."""
        chance, engine = random.Random(f"{self.name}-{caller}"), Engine()
        try:
            for number in range(CALLS_EACH):
                who, name = WHO[caller % len(WHO)], f"{self.name}-{caller}-{number}"
                asked = time.monotonic()
                answer = ask(self.switch, name, account=f"ACC-{who}", engine=engine)
                self.heard.append((who, answer, asked, time.monotonic()))
                if answer.allow:
                    self._talk(name, chance)
        finally:
            connections.close_all()

    def _talk(self, name: str, chance: random.Random) -> None:
        call = find(self.switch, name)
        how = chance.random()
        if how < 0.2:
            failed(call)
            return
        started(self.switch, call)
        backdate(call, lasted_s := chance.choice([3, 61, 250]))
        if how < 0.5:
            going_on(self.switch, find(self.switch, name), lasted_s)
        if how < 0.9:
            ended(find(self.switch, name), lasted_s)


@contextmanager
def watched() -> Iterator[list[str]]:
    """Whichever wallet is seen below its limit, meanwhile."""
    stop, seen = Event(), list[str]()

    def watch() -> None:
        try:
            while not stop.wait(0.01):
                seen.extend(str(one.pk) for one in Wallet.objects.all() if one.available < 0)
        finally:
            connections.close_all()

    thread = Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join()


def storm(switch: Switch, name: str, meanwhile: Callable[[], None]) -> Storm:
    made = Storm(switch, name)
    with watched() as sunk, ThreadPoolExecutor(CALLERS) as callers:
        running = [callers.submit(made.call, number) for number in range(CALLERS)]
        meanwhile()
        for one in running:
            one.result()
    assert sunk == []
    return made


def all_end(switch: Switch) -> None:
    """Hang up what still goes on: then nothing is held, and every place is free."""
    for call in LiveCall.objects.filter(status__in=["allowed", "talking"]):
        ended(call, 1)
    assert not Hold.objects.filter(status="open").exists()
    assert set(CallLimit.objects.values_list("active", flat=True)) == {0}
    charged = Transfer.objects.filter(kind="usage").values_list("cause", "payer")
    assert len(charged) == len(set(charged)), "a call was charged twice at a tier"
    assert_clean()


def funded(cast: Cast) -> Switch:
    for code, amount in (("harbour", "3"), ("alice", "1"), ("summit", "8"), ("carol", "4"), ("erin", "0.5")):
        cast.fund(code, amount)
    for code in ("dave", "meadow"):
        set_credit(cast.wallet(code).pk, billing="postpaid", credit_limit=Decimal(2))
    set_limits(cast.northstar, PLACES, None, actor=ACTOR)
    return a_switch(cast, interims=True)


def test_funds_come_in_the_middle_of_a_storm(cast: Cast) -> None:
    switch = funded(cast)

    def pay() -> None:
        for _ in range(4):
            for code in ("alice", "harbour", "summit", "erin"):
                cast.fund(code, "0.2")

    for turn in range(ROUNDS):
        made = storm(switch, f"s{turn}", pay)
        codes = {answer.code for _who, answer, _from, _to in made.heard}
        assert codes <= {"", "funds", "concurrent"}
        all_end(switch)


def test_credit_rises_and_falls_in_the_middle_of_a_storm(cast: Cast) -> None:
    """It falls to no less than what is owed and held: so no wallet may ever be seen below."""
    switch = funded(cast)

    def change() -> None:
        for more in (1, 3, 5):
            for code in ("dave", "meadow"):
                wallet = cast.wallet(code)
                set_credit(wallet.pk, billing="postpaid", credit_limit=wallet.credit_limit + more)

    for turn in range(ROUNDS):
        storm(switch, f"s{turn}", change)
        all_end(switch)
        for code in ("dave", "meadow"):
            wallet = cast.wallet(code)
            set_credit(wallet.pk, billing="postpaid", credit_limit=max(Decimal(1), -wallet.posted + 1))


@pytest.mark.parametrize("whose", ["alice", "harbour"])
def test_a_block_in_the_middle_of_a_storm_lets_nobody_in(cast: Cast, whose: str) -> None:
    switch = funded(cast)
    party = cast.party(whose)

    for turn in range(ROUNDS):
        times: list[float] = []

        def block(times: list[float] = times) -> None:
            time.sleep(0.1)
            set_status(party, Status.BLOCKED, actor=ACTOR)
            times.append(time.monotonic())
            time.sleep(0.3)
            times.append(time.monotonic())
            set_status(party, Status.ACTIVE, actor=ACTOR)

        made = storm(switch, f"s{turn}", block)
        begin, end = times
        inside = [
            answer for who, answer, asked, told in made.heard if who == "alice" and begin <= asked and told <= end
        ]
        assert not any(answer.allow for answer in inside)
        all_end(switch)
