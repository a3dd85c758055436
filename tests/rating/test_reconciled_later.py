"""Live calls that were set right, rated again and billed: seconds, prices and papers follow each other."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from invoicing.models import Invoice
from invoicing.services.drafts import run
from rating.live.ending import ended, find, started
from rating.live.reaping import reap
from rating.live.spending import set_spend_limit, spending_of
from rating.models import LiveCall, RatedCall, RatedCorrection, RerateRun, UsageImport
from rating.selectors.corrections import as_now, histories
from rating.services.fact_rebuild import rebuild_facts
from tests.cast import ACTOR
from tests.rating.live_help import a_switch, ask, assert_clean, backdate, talk
from tests.rating.reconciled_help import allowed, by_file, cdr, fund
from tests.rating.rerating_help import correct_rate, rerate, sales

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def funded(cast: Cast, settings: Any, tmp_path: Path) -> Cast:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    return fund(cast)


def rated_again(cast: Cast) -> RerateRun:
    now = timezone.now()
    return rerate(cast, start=now - timedelta(days=2), end=now + timedelta(days=1))


def reaped(cast: Cast, call_id: str, who: str = "alice") -> LiveCall:
    """Answered, and closed by us an hour later, charged for the 300 seconds that it was allowed."""
    call = allowed(cast, call_id, who)
    started(a_switch(cast), call)
    backdate(call, 3600)
    assert reap() == 1
    call.refresh_from_db()
    return call


def test_a_corrected_call_is_rated_again_for_what_it_lasted(funded: Cast, tmp_path: Path) -> None:
    twin = allowed(funded, "twin")
    started(a_switch(funded), twin)
    backdate(twin, 600)
    ended(find(a_switch(funded), "twin"), 50)
    reaped(funded, "lost")
    by_file(funded, tmp_path, cdr("lost", 50))
    first, second = sales(funded, "alice")
    assert first == second
    correct_rate(funded, "0.06", prefix="447")
    assert rated_again(funded).counts["up"] == 2
    again, too = sales(funded, "alice")
    assert again == too > first
    assert rated_again(funded).counts == {"looked": 2, "unchanged": 2}
    assert_clean()


def test_a_call_that_was_rated_again_is_set_right_by_its_new_price(funded: Cast, tmp_path: Path) -> None:
    reaped(funded, "lost")
    correct_rate(funded, "0.06", prefix="447")
    rated_again(funded)
    dearer = sales(funded, "alice")[0]
    ended(find(a_switch(funded), "lost"), 50)
    [now] = sales(funded, "alice")
    assert 0 < now < dearer
    assert [one.number for one in RatedCorrection.objects.filter(buyer=funded.alice).order_by("number")] == [1, 2]
    assert rated_again(funded).counts["unchanged"] == 1
    assert_clean()


def test_a_re_rating_charges_nobody_for_the_seconds_beyond(funded: Cast) -> None:
    switch = a_switch(funded)
    ask(switch, "over", requested_s=60)
    call = talk(switch, "over", 200)
    assert (call.duration_s, call.overrun_s) == (60, 140)
    assert rated_again(funded).counts["unchanged"] == 1
    correct_rate(funded, "0.06", prefix="447")
    rated_again(funded)
    assert {one.duration_s for one in as_now(RatedCall.objects.all())} == {60}
    top = RatedCorrection.objects.get(seller=funded.northstar)
    assert top.cost == Decimal("0.2"), "the carrier is paid for all 200 seconds"
    assert_clean()


def test_who_reads_a_call_sees_why_it_costs_less(funded: Cast, tmp_path: Path) -> None:
    reaped(funded, "lost")
    by_file(funded, tmp_path, cdr("lost", 50))
    viewer = funded.viewer("alice")
    call = RatedCall.objects.get(buyer=funded.alice)
    [step] = histories(viewer, [call])[call.pk]
    assert step.before > step.after
    assert "really lasted" in step.why
    assert as_now([call])[0].duration_s == 50
    assert by_file(funded, tmp_path, cdr("lost", 50), name="again.csv") == {"read": 1, "duplicate": 1}
    rebuild_facts(call.started_at.date().replace(day=1))
    assert_clean()


def test_what_flows_back_may_be_spent_again_that_day(funded: Cast, tmp_path: Path) -> None:
    wallet = funded.wallet("alice")
    set_spend_limit(wallet, Decimal(5), actor=ACTOR)
    call = reaped(funded, "lost")
    spent = spending_of(wallet, at=call.asked_at).spent
    assert spent == Decimal(20) - funded.wallet("alice").posted
    by_file(funded, tmp_path, cdr("lost", 50))
    assert 0 < spending_of(wallet, at=call.asked_at).spent == Decimal(20) - funded.wallet("alice").posted < spent
    assert_clean()


def test_a_customer_pays_on_paper_what_a_reaped_call_really_lasted(funded: Cast, tmp_path: Path) -> None:
    call = reaped(funded, "lost", "dave")
    by_file(funded, tmp_path, cdr("lost", 50, account="dave"))
    assert call.answered_at is not None
    run(funded.meadow, call.answered_at.date().replace(day=1), actor=ACTOR, early=True)
    bill = Invoice.objects.get(buyer=funded.dave)
    rated = as_now(RatedCall.objects.filter(buyer=funded.dave))
    assert bill.net == sum(one.sale for one in rated)
    assert_clean()


def test_the_operator_sees_on_the_imports_page_which_calls_lasted_otherwise(funded: Cast, tmp_path: Path) -> None:
    switch = a_switch(funded)
    for name in ("same", "shorter"):
        ask(switch, name, requested_s=120)
        talk(switch, name, 95)
    assert by_file(funded, tmp_path, cdr("same", 95), cdr("shorter", 60))["reconciled"] == 2
    made = UsageImport.objects.get()
    browser = funded.client("northstar")
    page = browser.get(f"/operator/usage/imports/{made.pk}/").content.decode()
    assert "Live calls, charged already" in page
    assert "shorter" in page
    assert "Charge kept" in page
    assert ">same<" not in page
    assert "shorter" in browser.get(f"/operator/usage/imports/{made.pk}/live/").content.decode()
    call = find(switch, "shorter")
    assert "Its file says" in browser.get(f"/operator/live/{call.pk}/").content.decode()
