"""Any order of asking, talking, ending, reaping, funding, limiting, blocking and of new prices, against a model.

After every step the model (`live_model`) and the database must say the same of every wallet and limit, and each answer
must be the one that the model gives. No live call takes a wallet below its limit.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from accounts.services.funds import allocate, record_payment, set_credit, withdraw
from rating.live.asking import Ask, Decision, authorize
from rating.live.ending import ended, failed, find, going_on, started
from rating.live.limits import set_limits
from rating.live.needs import Curve
from rating.live.reaping import reap
from rating.live.spending import set_spend_limit
from rating.live.terms import ANSWERED_WITHIN
from rating.models import LiveCall, LiveStatus
from tests.cast import ACTOR
from tests.rating.live_help import MOBILE
from tests.rating.live_model import CHAINS, FUNDED_BY, WALLETS, Modelled
from tests.rating.live_world import World, make_world, undone
from tiers.errors import Conflict
from tiers.models import Party, Status
from tiers.services.parties import set_status

PROOF = os.environ.get("TOLLGATE_PROOF") == "1"
SEQUENCES = int(os.environ.get("TOLLGATE_SEQUENCES", "10000" if PROOF else "200"))
SHARE = 500
"""So many sequences in one test: parts can run beside each other, and progress is seen."""
SEED = int(os.environ.get("TOLLGATE_SEED", "0"))
SLICE_S = 300
SIP = {"funds": 402, "spend": 402, "blocked": 403, "concurrent": 486, "rate": 503}
SECONDS = st.sampled_from([1, 2, 7, 30, 61, 120, 299, 300, 301])
AMOUNTS = st.sampled_from(["0.01", "0.3", "2", "5"]).map(Decimal)
PREPAID = [code for code in WALLETS if code not in ("dave", "meadow")]
CUSTOMERS = st.sampled_from(sorted(CHAINS))
PICKS = st.integers(0, 5)
ASKS = st.lists(st.tuples(CUSTOMERS, SECONDS, st.booleans()), min_size=1, max_size=4)
pytestmark = [pytest.mark.django_db, *([pytest.mark.proof] if PROOF else [])]


def where(goes_on: bool = True, answered: bool | None = None) -> Callable[[Any], Any]:
    """A rule for when there is such a call; else its step would be wasted."""
    return precondition(
        lambda self: (
            hasattr(self, "model")
            and bool(self.model.open(0, answered=answered) if goes_on else self.model.calls or self.model.refused)
        )
    )


class LiveCalls(RuleBasedStateMachine):
    """Rules are what people and switches do."""

    world: World
    day: int

    @initialize(asks=ASKS)
    def begin(self, asks: list[tuple[str, int, bool]]) -> None:
        self.undone = undone()
        self.undone.__enter__()
        self.model = self.world.model()
        self.world.limit_days([])
        self.day = 0
        self.days: dict[str, int] = {}
        self.callers_ask(asks)

    def teardown(self) -> None:
        if hasattr(self, "undone"):
            self.undone.__exit__(None, None, None)

    # -- people -------------------------------------------------------------------------------------------------------
    @rule(how=st.sampled_from(["allocate", "withdraw", "pay"]), code=st.sampled_from(PREPAID), amount=AMOUNTS)
    def money_moves(self, how: str, code: str, amount: Decimal) -> None:
        wallet, party, move = self.world.wallets[code], self.world.parties[code], self.world.move(code, amount)
        if how == "pay" and code not in FUNDED_BY:
            record_payment(wallet.seller, party, move, received_on=date(2026, 11, 2))
            self.model.pay(code, amount)
            return
        try:
            done = bool((withdraw if how == "withdraw" else allocate)(wallet.seller, party, move))
        except Conflict:
            done = False
        assert done == (self.model.withdraw if how == "withdraw" else self.model.allocate)(code, amount)

    @rule(code=st.sampled_from(["dave", "meadow"]), limit=st.sampled_from(["0", "0.4", "3", "50"]).map(Decimal))
    def give_credit(self, code: str, limit: Decimal) -> None:
        set_credit(self.world.wallets[code].pk, billing="postpaid", credit_limit=limit)
        self.model.credit[code] = limit
        self.model.floor[code] = min(Decimal(0), self.model.available(code))

    @rule(code=st.sampled_from([*WALLETS, "northstar"]), on=st.sampled_from([True, False, False]))
    def block(self, code: str, on: bool) -> None:
        status = Status.BLOCKED if on else Status.ACTIVE
        if code == "northstar":
            Party.objects.filter(code=code).update(status=status)
        else:
            set_status(self.world.parties[code], status, actor=ACTOR)
        (self.model.blocked.add if on else self.model.blocked.discard)(code)

    @rule(
        code=st.sampled_from(["alice", "harbour", "carol", "summit", "northstar", "atlas", "boreal"]),
        most=st.sampled_from([None, 0, 1, 1, 2, 4]),
        per_second=st.sampled_from([None, None, None, 0, 1000]),
    )
    def limit(self, code: str, most: int | None, per_second: int | None) -> None:
        set_limits(self.world.limited(code), most, per_second, actor=ACTOR)
        self.model.limits[code] = (most, per_second)

    @rule(
        code=st.sampled_from(["alice", "harbour", "carol", "summit", "meadow"]),
        per_day=st.sampled_from([None, "0", "0.05", "0.4", "3", "3"]),
    )
    def spend_limit(self, code: str, per_day: str | None) -> None:
        limit = None if per_day is None else Decimal(per_day)
        set_spend_limit(self.world.wallets[code], limit, actor=ACTOR)
        self.model.limit_day(code, limit)
        self.world.limit_days(self.world.wallets[one].pk for one in self.model.per_day)

    @rule(day=st.integers(0, 2))
    def prices_change(self, day: int) -> None:
        self.day = day

    # -- switches -----------------------------------------------------------------------------------------------------
    @rule(asks=ASKS)
    def callers_ask(self, asks: list[tuple[str, int, bool]]) -> None:
        for who, requested_s, answered in asks:
            self._ask(who, requested_s, answered)

    def _ask(self, who: str, requested_s: int, answered: bool) -> None:
        name = f"call-{len(self.days)}"
        self.days[name] = self.day
        longest_s = min(requested_s, SLICE_S)
        terms, needed = self.world.terms[self.day][who], self.world.needed(self.day, who, longest_s)
        taken = self.world.taken(self.day, who, longest_s)
        carrier = self.world.carriers[terms.carrier].code if terms.carrier else None
        call = Modelled(who, terms, carrier, 0, {})
        expected = self.model.decide(call, needed, taken, longest_s)
        answer = self._authorize(name, who, requested_s)
        assert (answer.allow, answer.max_seconds, answer.code) == (expected.allow, expected.max_seconds, expected.code)
        if not expected.allow:
            own = expected.tier == 0
            assert answer.sip_code == (SIP[expected.code] if own else 503)
            self.model.refused[name] = (who, answer.sip_code)
            return
        assert (answer.sip_code, answer.carrier) == (200, carrier)
        self.model.begin(name, call, needed, taken, expected.max_seconds)
        if answered:
            self._answer(name)

    def _authorize(self, name: str, who: str, requested_s: int | None = None) -> Decision:
        ask = Ask(call_id=name, to=MOBILE, account=f"ACC-{who}", requested_s=requested_s)
        return authorize(self.world.switch, ask, self.world.engines[self.day])

    @where(goes_on=False)
    @rule(pick=PICKS)
    def asked_again(self, pick: int) -> None:
        """Whatever happened meanwhile: the same answer, and nothing set aside twice."""
        name = self.model.open(pick)
        if name:
            call = self.model.calls[name]
            answer = self._authorize(name, call.who)
            assert (answer.allow, answer.max_seconds) == (True, call.upto_s)
        for refused, (who, sip_code) in list(self.model.refused.items())[-1:]:
            answer = self._authorize(refused, who)
            assert (answer.allow, answer.sip_code) == (False, sip_code)

    def _answer(self, name: str) -> None:
        call = self.model.calls[name]
        standing = started(self.world.switch, find(self.world.switch, name))
        if call.age_s > ANSWERED_WITHIN.total_seconds():
            self.model.extend(call, *self._needed(name, call.upto_s), call.upto_s, anew=True)
        call.answered, call.age_s = True, 0
        assert standing.max_seconds == call.upto_s

    def _needed(self, name: str, upto_s: int) -> tuple[list[Curve], list[Curve]]:
        """(what wallets need, what days take)."""
        day, who = self.days[name], self.model.calls[name].who
        return self.world.needed(day, who, upto_s, answered=True), self.world.taken(day, who, upto_s)

    @where(answered=False)
    @rule(pick=PICKS)
    def answer(self, pick: int) -> None:
        name = self.model.open(pick, answered=False)
        if name:
            self._answer(name)

    @where()
    @rule(seconds=SECONDS)
    def time_passes(self, seconds: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE rating_livecall SET asked_at = asked_at - x.t, answered_at = answered_at - x.t,"
                " expires_at = expires_at - x.t FROM (SELECT make_interval(secs => %s) AS t) x"
                " WHERE status IN ('allowed', 'talking')",
                [seconds],
            )
        for call in self.model.calls.values():
            call.age_s += seconds

    @where(answered=True)
    @rule(pick=PICKS, after_s=SECONDS)
    def interim(self, pick: int, after_s: int) -> None:
        self.time_passes(after_s)
        name = self.model.open(pick, answered=True)
        if not name:
            return
        call = self.model.calls[name]
        standing = going_on(self.world.switch, find(self.world.switch, name), call.age_s)
        wanted_s = call.age_s + SLICE_S
        if wanted_s > call.upto_s:
            self.model.extend(call, *self._needed(name, wanted_s), wanted_s)
        assert standing.max_seconds == call.upto_s

    @where()
    @rule(picks=st.lists(PICKS, min_size=1, max_size=3), after_s=SECONDS, more_s=st.sampled_from([0, 1, 3, 10**8]))
    def end(self, picks: list[int], after_s: int, more_s: int) -> None:
        """Also of calls whose answer was never told, and after times that the clock contradicts."""
        self.time_passes(after_s)
        for pick in picks:
            name = self.model.open(pick)
            if name is None:
                return
            call = self.model.calls[name]
            row = ended(find(self.world.switch, name), call.age_s + more_s)
            lasted_s = row.duration_s + row.overrun_s
            assert 0 <= lasted_s - call.age_s <= 60 if more_s > 3 else lasted_s == call.age_s + more_s
            assert bool(row.oddity) == (more_s > 3)
            self.model.end(call, lasted_s, row.answered_at)

    @where(answered=False)
    @rule(pick=PICKS)
    def nobody_answers(self, pick: int) -> None:
        name = self.model.open(pick, answered=False)
        if name:
            failed(find(self.world.switch, name))
            self.model.calls[name].over = True

    @where(goes_on=False)
    @rule(pick=PICKS)
    def told_again(self, pick: int) -> None:
        """Double events of a call whose end was told change nothing. (A late end of a reaped one corrects it.)"""
        name = self.model.any(pick)
        if not name or not self.model.calls[name].over:
            return
        assert not self._authorize(name, self.model.calls[name].who).allow
        if self.model.calls[name].reaped:
            return
        call = find(self.world.switch, name)
        before = (call.status, call.duration_s, call.max_seconds)
        ended(call, 299)
        failed(call)
        started(self.world.switch, call)
        going_on(self.world.switch, call, 299)
        call = find(self.world.switch, name)
        assert (call.status, call.duration_s, call.max_seconds) == before

    @where()
    @rule(comes=st.sampled_from([False, False, False, True]))
    def reaper(self, comes: bool) -> None:
        if not comes:
            return
        reap(timezone.now() + timedelta(days=2))
        closed = {call.call_id: call for call in LiveCall.objects.filter(call_id__in=list(self.model.calls))}
        for name, call in self.model.calls.items():
            if not call.over:
                call.reaped = True
                assert closed[name].status == (LiveStatus.REAPED if call.answered else LiveStatus.FAILED)
                self.model.end(call, call.upto_s if call.answered else 0, closed[name].answered_at)

    @invariant()
    def the_database_says_the_same(self) -> None:
        if hasattr(self, "model"):
            assert self.world.differences(self.model) == []
            assert self.model.no_wallet_sank() is None


@pytest.mark.parametrize("part", range(max(1, SEQUENCES // SHARE)))
def test_any_order_of_events_leaves_what_the_model_says(part: int) -> None:
    LiveCalls.world = make_world()
    run_state_machine_as_test(
        seed(SEED + part)(LiveCalls) if PROOF else LiveCalls,
        settings=settings(
            max_examples=min(SEQUENCES, SHARE),
            stateful_step_count=16,
            deadline=None,
            derandomize=not PROOF,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
            database=None,
        ),
    )
