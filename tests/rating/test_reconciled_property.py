"""In whatever order a call's end, the reaper and its file come, and however often: the kernel's charge, once."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rating.kernel import price
from rating.live.ending import ended, find, started
from rating.live.reaping import reap
from rating.live.terms import from_json
from rating.models import LiveCall, RatedCall
from rating.pricing.engine import split_tax
from rating.selectors.corrections import as_now
from tests.cast import load_cast
from tests.rating.live_help import a_switch, ask, assert_clean, backdate, held
from tests.rating.reconciled_help import balances, by_file, cdr, fund

if TYPE_CHECKING:
    from tests.cast import Cast

PROOF = os.environ.get("TOLLGATE_PROOF") == "1"
ALLOWED_S = 120
EVENTS = ("end", "reap", "file", "again", "late file")


def expected(call: LiveCall, seconds: int) -> dict[Any, tuple[Decimal, Decimal]]:
    """(sale, tax) by seller, as the kernel has it by the frozen terms; nothing where the call costs nothing."""
    if not seconds:
        return {}
    assert call.answered_at is not None
    terms = from_json(call.tiers, call.cost, call.carrier_id)
    made = {}
    for tier in terms.tiers:
        amount = price(tier.at(call.answered_at).rate, seconds, call.answered_at).amount
        made[tier.seller] = split_tax(amount, tier.tax, tier.prepaid)
    return made


def told(cast: Cast, folder: Path, event: str, call_id: str, who: str, real_s: int) -> None:
    if event == "end":
        ended(LiveCall.objects.get(call_id=call_id), real_s)
    elif event == "reap":
        reap()
    else:
        by_file(cast, folder, cdr(call_id, real_s, account=who), name=f"{event}.csv")


@pytest.mark.django_db
def test_any_order_of_events_gives_one_charge(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    any_order(tmp_path)


@settings(
    max_examples=400 if PROOF else 30,
    deadline=None,
    derandomize=not PROOF,
    suppress_health_check=list(HealthCheck),
)
@given(
    who=st.sampled_from(["alice", "bob", "carol", "dave"]),
    real_s=st.sampled_from([0, 1, 45, 119, 120, 121, 400]),
    answered=st.booleans(),
    interims=st.booleans(),
    events=st.lists(st.sampled_from(EVENTS), min_size=1, max_size=4),
)
def any_order(tmp_path: Path, who: str, real_s: int, answered: bool, interims: bool, events: list[str]) -> None:
    with transaction.atomic():
        cast = fund(load_cast())
        before = balances(cast)
        switch = a_switch(cast, interims=interims)
        ask(switch, "c", account=f"ACC-{who}", requested_s=ALLOWED_S)
        call = find(switch, "c")
        if answered and real_s:
            started(switch, call)
        backdate(call, 3600)
        for event in events:
            told(cast, tmp_path, event, "c", who, real_s)
        call.refresh_from_db()
        truth = set(events) - {"reap"}
        heard = call.answered_at is not None
        seconds = min(real_s, ALLOWED_S) if truth else ALLOWED_S if heard else 0
        calls = as_now(RatedCall.objects.filter(record_id=call.record_id))
        kept = {one.seller_id: one for one in calls if one.correction is None or not one.correction.withdrawn}
        assert {seller: (one.sale, one.tax) for seller, one in kept.items()} == expected(call, seconds)
        assert {one.duration_s for one in kept.values()} <= {seconds}
        if not seconds:
            assert balances(cast) == before
        assert held(cast.wallet(who)) == 0
        assert_clean()
        transaction.set_rollback(True)
