"""Any order of asking, talking, ending, reaping, funding, limiting and blocking, against a model of a few lines.

The model knows what the wallets hold, which calls go on and what a second costs at each tier; after every step it and
the database must say the same.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from accounts.models import Hold
from rating.kernel import price
from rating.live import reference
from rating.live.asking import Ask, authorize
from rating.live.ending import ended, failed, find, going_on, started
from rating.live.limits import set_limits
from rating.live.needs import curves, curves_answered
from rating.live.reaping import reap
from rating.live.terms import CallTerms, from_json
from rating.models import LiveCall, LiveStatus
from rating.pricing import Engine
from rating.pricing.engine import split_tax
from tests.cast import ACTOR, Cast, load_cast
from tests.rating.live_help import MOBILE, a_switch, backdate
from tiers.models import Party, Status

CHAINS = {
    "alice": ("alice", "harbour", "northstar"),
    "carol": ("carol", "summit", "northstar"),
    "erin": ("erin", "northstar"),
}
PAID_BY = {"summit": "carol"}
"""Distribution: whose charge arrives in this wallet."""
SLICE_S = 300
SECONDS = st.sampled_from([1, 2, 7, 30, 61, 120, 299, 300, 301])
PROOF = os.environ.get("TOLLGATE_PROOF") == "1"


@dataclass
class Modelled:
    """A call as the model sees it."""

    who: str
    upto_s: int
    held: dict[str, Decimal]
    answered: bool = False
    age_s: int = 0
    over: bool = False


@dataclass
class Model:
    posted: dict[str, Decimal] = field(default_factory=dict)
    blocked: set[str] = field(default_factory=set)
    most: dict[str, int] = field(default_factory=dict)
    calls: dict[str, Modelled] = field(default_factory=dict)

    def held(self, code: str) -> Decimal:
        open_calls = (call for call in self.calls.values() if not call.over)
        return sum((call.held.get(code, Decimal(0)) for call in open_calls), Decimal(0))

    def available(self, code: str) -> Decimal:
        return self.posted[code] - self.held(code)

    def going_on(self, code: str) -> int:
        return sum(1 for call in self.calls.values() if not call.over and code in CHAINS[call.who])


class LiveCalls(RuleBasedStateMachine):
    """Rules are what people and switches do."""

    cast: Cast
    world: Any

    @initialize()
    def begin(self) -> None:
        self.world = transaction.atomic()
        self.world.__enter__()
        self.cast = load_cast()
        self.switch = a_switch(self.cast, interims=True)
        self.engine = Engine()
        self.model = Model(dict.fromkeys(("alice", "harbour", "carol", "summit", "erin"), Decimal(0)))
        self.numbers = 0
        for code in ("harbour", "summit", "alice", "carol", "erin"):
            self._fund(code, Decimal(2))

    def teardown(self) -> None:
        if hasattr(self, "world"):
            transaction.set_rollback(True)
            self.world.__exit__(None, None, None)

    def _fund(self, code: str, amount: Decimal) -> None:
        self.cast.fund(code, amount)
        self.model.posted[code] += amount
        if code == "carol":
            self.model.posted["summit"] -= amount

    @rule(code=st.sampled_from(["harbour", "alice", "erin", "summit"]), amount=st.sampled_from(["0.01", "0.3", "5"]))
    def top_up(self, code: str, amount: str) -> None:
        self._fund(code, Decimal(amount))

    @rule(code=st.sampled_from(["alice", "harbour", "summit", "northstar"]), on=st.sampled_from([True, False, False]))
    def block(self, code: str, on: bool) -> None:
        Party.objects.filter(code=code).update(status=Status.BLOCKED if on else Status.ACTIVE)
        (self.model.blocked.add if on else self.model.blocked.discard)(code)

    @rule(code=st.sampled_from(["alice", "harbour", "carol", "northstar"]), most=st.integers(0, 6))
    def limit(self, code: str, most: int) -> None:
        set_limits(self.cast.party(code), most, None, actor=ACTOR)
        self.model.most[code] = most

    @rule(asks=st.lists(st.tuples(st.sampled_from(sorted(CHAINS)), SECONDS, st.booleans()), min_size=1, max_size=4))
    def callers_ask(self, asks: list[tuple[str, int, bool]]) -> None:
        for who, requested_s, answered in asks:
            self._ask(who, requested_s, answered)

    def _ask(self, who: str, requested_s: int, answered: bool) -> None:
        self.numbers += 1
        call_id = f"call-{self.numbers}"
        ask = Ask(call_id=call_id, to=MOBILE, account=f"ACC-{who}", requested_s=requested_s)
        answer = authorize(self.switch, ask, self.engine)
        terms = self._terms(call_id, who)
        chain, buyers = CHAINS[who], CHAINS[who][:-1]
        longest_s = min(requested_s, SLICE_S)
        call = LiveCall.objects.get(call_id=call_id)
        needed = curves(terms.tiers, longest_s, call.asked_at)
        expected = reference.decide(
            [code not in self.model.blocked for code in chain],
            [self._limit(code) for code in chain],
            [int(self.model.available(code) * 1_000_000) for code in buyers],
            needed,
            longest_s,
        )
        assert (answer.allow, answer.max_seconds) == (expected.allow, expected.max_seconds)
        assert (call.code, call.status == LiveStatus.ALLOWED) == (expected.code, expected.allow)
        if expected.allow:
            held = {code: _need(curve, expected.max_seconds) for code, curve in zip(buyers, needed, strict=True)}
            self.model.calls[call_id] = Modelled(who, expected.max_seconds, held)
            if answered:
                self._answer(call_id)

    def _limit(self, code: str) -> reference.Limit | None:
        if code not in self.model.most:
            return None
        return reference.Limit(self.model.most[code], None, self.model.going_on(code), 0)

    def _terms(self, call_id: str, who: str) -> CallTerms:
        """Those of a call that was let in; a refused one kept none, so they are frozen anew."""
        from rating.live.terms import freeze
        from rating.pricing import CallFacts

        call = LiveCall.objects.get(call_id=call_id)
        if call.tiers:
            return from_json(call.tiers, call.cost, call.carrier_id)
        number = self.switch.plan.normalise(MOBILE)
        facts = CallFacts(self.cast.party(who).pk, number, True, call.asked_at, 1)  # type: ignore[arg-type]
        frozen = freeze(self.engine, facts)
        assert isinstance(frozen, CallTerms)
        return frozen

    def _open(self, pick: int, *, answered: bool | None = None) -> str | None:
        names = [
            name
            for name, call in self.model.calls.items()
            if not call.over and (answered is None or call.answered == answered)
        ]
        return names[pick % len(names)] if names else None

    def _answer(self, name: str) -> None:
        started(self.switch, find(self.switch, name))
        self.model.calls[name].answered = True

    @rule(pick=st.integers(0, 5))
    def answer(self, pick: int) -> None:
        name = self._open(pick, answered=False)
        if name:
            self._answer(name)

    @rule(seconds=SECONDS)
    def time_passes(self, seconds: int) -> None:
        for name, call in self.model.calls.items():
            if call.answered and not call.over:
                backdate(find(self.switch, name), seconds)
                call.age_s += seconds

    @rule(pick=st.integers(0, 5))
    def interim(self, pick: int) -> None:
        name = self._open(pick, answered=True)
        if not name:
            return
        modelled, call = self.model.calls[name], find(self.switch, name)
        wanted_s = modelled.age_s + SLICE_S
        standing = going_on(self.switch, call, modelled.age_s)
        if wanted_s > modelled.upto_s and not self.model.blocked & set(CHAINS[modelled.who]):
            terms = from_json(call.tiers, call.cost, call.carrier_id)
            assert call.answered_at is not None
            needed = curves_answered(terms.tiers, wanted_s, call.answered_at)
            buyers = CHAINS[modelled.who][:-1]
            free = [
                int((self.model.available(code) + modelled.held.get(code, Decimal(0))) * 1_000_000) for code in buyers
            ]
            granted = reference.decide([True], [None], free, needed, wanted_s).max_seconds
            if granted > modelled.upto_s:
                modelled.upto_s = granted
                for code, curve in zip(buyers, needed, strict=True):
                    modelled.held[code] = max(modelled.held[code], _need(curve, granted))
        assert standing.max_seconds == modelled.upto_s

    @rule(picks=st.lists(st.integers(0, 5), min_size=1, max_size=3), more_s=st.integers(0, 3))
    def end(self, picks: list[int], more_s: int) -> None:
        for pick in picks:
            name = self._open(pick, answered=True)
            if name is None:
                return
            modelled = self.model.calls[name]
            ended(find(self.switch, name), modelled.age_s + more_s)
            self._charge(name, min(modelled.age_s + more_s, modelled.upto_s))

    @rule(pick=st.integers(0, 5))
    def nobody_answers(self, pick: int) -> None:
        name = self._open(pick, answered=False)
        if name:
            failed(find(self.switch, name))
            self.model.calls[name].over = True

    @precondition(lambda self: hasattr(self, "model"))
    @rule()
    def reaper(self) -> None:
        from django.utils import timezone

        reap(timezone.now() + timedelta(days=2))
        for name, call in self.model.calls.items():
            if call.over:
                continue
            if call.answered:
                self._charge(name, call.upto_s)
            call.over = True

    def _charge(self, name: str, seconds: int) -> None:
        modelled, call = self.model.calls[name], LiveCall.objects.get(call_id=name)
        modelled.over = True
        if not seconds:
            return
        terms = from_json(call.tiers, call.cost, call.carrier_id)
        assert call.answered_at is not None
        for code, tier in zip(CHAINS[modelled.who][:-1], terms.tiers, strict=True):
            amount = price(tier.at(call.answered_at).rate, seconds, call.answered_at).amount
            sale, tax = split_tax(amount, tier.tax, tier.prepaid)
            self.model.posted[code] -= sale + tax
            for seller, buyer in PAID_BY.items():
                if buyer == code:
                    self.model.posted[seller] += sale

    @invariant()
    def the_database_says_the_same(self) -> None:
        if not hasattr(self, "model"):
            return
        for code, posted in self.model.posted.items():
            wallet = self.cast.wallet(code)
            assert (wallet.posted, wallet.held) == (posted, self.model.held(code)), code
            assert wallet.available >= 0, f"{code} is below its limit"
        open_holds = {hold.key.split(":")[1] for hold in Hold.objects.filter(status="open")}
        going_on = {str(call.pk) for call in LiveCall.objects.filter(status__in=["allowed", "talking"])}
        assert open_holds <= going_on


def _need(curve: Any, seconds: int) -> Decimal:
    at = next(place for place, upto in enumerate(curve.seconds) if upto >= seconds)
    return Decimal(curve.micros[at]).scaleb(-6)


@pytest.mark.django_db
def test_any_order_of_events_leaves_what_the_model_says() -> None:
    run_state_machine_as_test(
        LiveCalls,
        settings=settings(
            max_examples=10_000 if PROOF else 200,
            stateful_step_count=16,
            deadline=None,
            derandomize=not PROOF,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
