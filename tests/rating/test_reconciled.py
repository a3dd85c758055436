"""A call that was charged live comes again by the file of its switch: it is recognised, and charged once."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from accounts.models import Transfer
from rating.live.ending import ended, find, started
from rating.live.reaping import reap
from rating.models import LiveStatus, Quarantined, RatedCall, Reconciled, RecordKey, UsageRecord
from rating.selectors.corrections import as_now
from rating.selectors.usage import progress_of
from rating.services.imports import import_file
from tests.cast import ACTOR
from tests.rating.calls_help import Call, write
from tests.rating.live_help import a_switch, ask, assert_clean, backdate, held, talk
from tests.rating.reconciled_help import allowed, balances, by_file, cdr, fund

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def funded(cast: Cast, settings: Any, tmp_path: Path) -> Cast:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    return fund(cast)


def test_a_call_that_ended_is_not_charged_again_by_its_file(funded: Cast, tmp_path: Path) -> None:
    switch = a_switch(funded)
    ask(switch, "c1", requested_s=300)
    call = talk(switch, "c1", 95)
    paid = balances(funded)

    assert by_file(funded, tmp_path, cdr("c1", 95), Call("other", "alice")) == {"read": 2, "reconciled": 1, "rated": 1}

    other = RatedCall.objects.filter(buyer=funded.alice).exclude(record_id=call.record_id).get()
    assert funded.wallet("alice").posted == paid["alice"] - other.sale - other.tax
    told = Reconciled.objects.get()
    assert (told.live_call, told.line, told.duration_s, told.live_s, told.done, told.odd) == (
        call,
        2,
        95,
        95,
        "same",
        False,
    )
    assert call.record_id in RecordKey.objects.values_list("record_id", flat=True)
    assert_clean()


def test_the_same_file_twice_gives_duplicates_and_changes_nothing(funded: Cast, tmp_path: Path) -> None:
    allowed(funded, "c1")
    by_file(funded, tmp_path, cdr("c1", 60))
    paid = balances(funded)
    assert by_file(funded, tmp_path, cdr("c1", 60), Call("new", seconds=0), name="again.csv") == {
        "read": 2,
        "duplicate": 1,
        "free": 1,
    }
    assert by_file(funded, tmp_path, cdr("c1", 75), name="other.csv") == {"read": 1, "quarantined": 1}
    assert Quarantined.objects.get().code == "conflict"
    assert balances(funded) == paid
    assert_clean()


def test_a_file_ends_a_call_whose_end_was_lost(funded: Cast, tmp_path: Path) -> None:
    call = allowed(funded, "c1")
    assert held(funded.wallet("alice")) > 0

    assert by_file(funded, tmp_path, cdr("c1", 60)) == {"read": 1, "reconciled": 1}

    call.refresh_from_db()
    assert (call.status, call.duration_s, call.overrun_s) == (LiveStatus.ENDED, 60, 0)
    assert call.answered_at == call.asked_at + timedelta(seconds=5)
    assert held(funded.wallet("alice")) == held(funded.wallet("harbour")) == 0
    assert {(row.buyer.code, row.duration_s) for row in RatedCall.objects.all()} == {("alice", 60), ("harbour", 60)}
    assert Reconciled.objects.get().done == "ended"
    paid = balances(funded)
    assert ended(call, 60).duration_s == 60
    assert reap() == 0
    assert balances(funded) == paid
    assert_clean()


def test_a_file_says_that_nobody_answered(funded: Cast, tmp_path: Path) -> None:
    call = allowed(funded, "c1")
    assert by_file(funded, tmp_path, cdr("c1", 0)) == {"read": 1, "reconciled": 1}
    call.refresh_from_db()
    assert call.status == LiveStatus.FAILED
    assert held(funded.wallet("alice")) == 0
    assert not Transfer.objects.filter(kind="usage").exists()
    assert_clean()


@pytest.mark.parametrize("who", ["alice", "bob", "carol", "dave"])
def test_what_the_reaper_took_too_much_flows_back_at_every_tier(funded: Cast, tmp_path: Path, who: str) -> None:
    before = balances(funded)
    twin = allowed(funded, "twin", who)
    started(a_switch(funded), twin)
    backdate(twin, 600)
    ended(find(a_switch(funded), "twin"), 50)
    for_fifty = {code: amount - before[code] for code, amount in balances(funded).items()}
    middle = balances(funded)
    call = allowed(funded, "lost", who)
    started(a_switch(funded), call)
    backdate(call, 3600)
    assert reap() == 1
    call.refresh_from_db()
    assert (call.status, call.duration_s) == (LiveStatus.REAPED, 300)

    assert by_file(funded, tmp_path, cdr("lost", 50, account=who)) == {"read": 1, "reconciled": 1}

    call.refresh_from_db()
    assert (call.status, call.duration_s, call.overrun_s) == (LiveStatus.ENDED, 50, 0)
    assert {code: amount - middle[code] for code, amount in balances(funded).items()} == for_fifty
    told = Reconciled.objects.get()
    assert (told.done, told.live_s, told.odd) == ("corrected", 300, True)
    back = Transfer.objects.filter(reverses__isnull=False)
    assert back.exists()
    assert all((one.payer_id, one.payee_id) == (one.reverses.payee_id, one.reverses.payer_id) for one in back)
    assert_clean()

    ended(call, 51)
    by_file(funded, tmp_path, cdr("lost", 50, account=who), name="again.csv")
    assert {code: amount - middle[code] for code, amount in balances(funded).items()} == for_fifty
    assert_clean()


def test_an_end_that_comes_after_the_reaper_corrects_him_once(funded: Cast, tmp_path: Path) -> None:
    call = allowed(funded, "late")
    started(a_switch(funded), call)
    backdate(call, 3600)
    reap()
    call = ended(find(a_switch(funded), "late"), 50)
    assert (call.status, call.duration_s) == (LiveStatus.ENDED, 50)
    left = funded.wallet("alice").posted
    assert ended(call, 20).duration_s == 50
    assert by_file(funded, tmp_path, cdr("late", 51)) == {"read": 1, "reconciled": 1}
    assert funded.wallet("alice").posted == left
    assert [(one.usage_import is None, one.done) for one in Reconciled.objects.order_by("id")] == [
        (True, "corrected"),
        (False, "same"),
    ]
    assert_clean()


def test_a_reaped_call_that_nobody_answered_costs_nothing_after_all(funded: Cast, tmp_path: Path) -> None:
    before = balances(funded)
    call = allowed(funded, "rang", age_s=3600)
    reap()
    assert balances(funded) != before
    by_file(funded, tmp_path, cdr("rang", 0))
    call.refresh_from_db()
    assert (call.status, call.duration_s) == (LiveStatus.FAILED, 0)
    assert balances(funded) == before
    assert_clean()

    legs = Call("rang", "alice", "447700900123", 40, call.asked_at, carrier="boreal")
    assert by_file(funded, tmp_path, legs, name="late.csv") == {"read": 1, "quarantined": 1}, (
        "the same leg, other figures"
    )


def test_a_call_closed_as_unanswered_is_charged_when_its_file_says_that_it_was_answered(
    funded: Cast, tmp_path: Path
) -> None:
    before = balances(funded)
    call = allowed(funded, "deaf", age_s=3600, interims=True)
    reap()
    call.refresh_from_db()
    assert (call.status, call.duration_s) == (LiveStatus.FAILED, 0)
    assert balances(funded) == before
    by_file(funded, tmp_path, cdr("deaf", 400))
    call.refresh_from_db()
    assert (call.status, call.duration_s, call.overrun_s) == (LiveStatus.ENDED, 300, 100)
    assert {row.duration_s for row in RatedCall.objects.all()} == {300}
    assert Reconciled.objects.get().done == "charged"
    assert_clean()


def test_an_ended_call_keeps_its_charge_when_its_file_says_otherwise(funded: Cast, tmp_path: Path) -> None:
    switch = a_switch(funded)
    for name in ("shorter", "longer", "beyond"):
        ask(switch, name, requested_s=120)
        talk(switch, name, 95)
        backdate(find(switch, name), 600)
    paid = balances(funded)
    calls = [cdr("shorter", 60), cdr("longer", 110), cdr("beyond", 150)]
    assert by_file(funded, tmp_path, *calls) == {"read": 3, "reconciled": 3}
    assert balances(funded) == paid
    found = {one.live_call.call_id: one for one in Reconciled.objects.select_related("live_call")}
    assert {name: (one.done, one.odd) for name, one in found.items()} == {
        "shorter": ("noted", True),
        "longer": ("noted", True),
        "beyond": ("overrun", True),
    }
    assert "60 s" in found["shorter"].live_call.oddity
    beyond = found["beyond"].live_call
    assert (beyond.duration_s, beyond.overrun_s) == (95, 55)
    moved = Transfer.objects.get(reverses__isnull=False)
    assert moved.kind == "carrier_cost"
    assert_clean()


def test_a_refused_call_that_was_let_through_all_the_same_is_rated(cast: Cast, tmp_path: Path) -> None:
    cast.fund("harbour", 100)
    switch = a_switch(cast)
    assert not ask(switch, "poor", requested_s=300).allow
    assert by_file(cast, tmp_path, cdr("poor", 60)) == {"read": 1, "rated": 1}
    assert not Reconciled.objects.exists()
    assert_clean()


def test_several_legs_of_a_call_are_all_the_live_calls(funded: Cast, tmp_path: Path) -> None:
    call = allowed(funded, "forked")
    path = tmp_path / "legs.csv"
    rows = write(tmp_path / "one.csv", [cdr("forked", 0), cdr("forked", 60), cdr("forked", 10)]).read_text()
    head, *lines = rows.splitlines()
    path.write_text("\n".join([f"{head},leg", *(f"{line},{number}" for number, line in enumerate(lines))]) + "\n")
    made = import_file(path, funded.source(), actor=ACTOR)
    assert progress_of([made])[made.pk].counts["reconciled"] == 3
    call.refresh_from_db()
    assert call.duration_s == 60
    assert UsageRecord.objects.count() == 1
    assert [one.done for one in Reconciled.objects.order_by("line")] == ["same", "ended", "same"]
    assert_clean()


def test_a_file_told_of_a_leg_while_the_call_went_on(funded: Cast, tmp_path: Path) -> None:
    for name in ("ends", "told"):
        allowed(funded, name)
    assert by_file(funded, tmp_path, cdr("ends", 30), cdr("told", 30)) == {"read": 2, "reconciled": 2}
    call = ended(find(a_switch(funded), "ends"), 200)
    assert call.duration_s == 200
    assert ended(call, 250).duration_s == 200
    leg = write(tmp_path / "one.csv", [cdr("told", 200)]).read_text().splitlines()
    (tmp_path / "leg.csv").write_text(f"{leg[0]},leg\n{leg[1]},2\n")
    import_file(tmp_path / "leg.csv", funded.source(), actor=ACTOR)
    assert find(a_switch(funded), "told").duration_s == 200
    sales = {row.sale for row in as_now(RatedCall.objects.filter(buyer=funded.alice))}
    assert len(sales) == 1, "both cost what 200 seconds cost"
    assert_clean()


def test_a_leg_that_nobody_answered_does_not_end_a_call_that_is_going_on(funded: Cast, tmp_path: Path) -> None:
    call = allowed(funded, "forked")
    started(a_switch(funded), call)
    by_file(funded, tmp_path, cdr("forked", 0))
    call.refresh_from_db()
    assert call.status == LiveStatus.TALKING
    assert held(funded.wallet("alice")) > 0
    assert Reconciled.objects.get().done == "noted"
    assert_clean()
