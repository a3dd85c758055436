"""Files, ends and the reaper at the same moment, and workers that die: each live call is charged once, or not yet."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from functools import partial
from pathlib import Path
from threading import Barrier
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connections

from rating.live.ending import ended
from rating.live.limits import set_limits
from rating.live.reaping import reap
from rating.models import CallLimit, ChunkStatus, LiveCall, RatedCall, Reconciled, UsageChunk, UsageImport
from rating.services import chunk_work
from rating.services.imports import import_file, work
from rating.services.posting import Batch
from tests.cast import ACTOR
from tests.rating.calls_help import Call, write
from tests.rating.live_help import a_switch, ask, assert_clean, backdate, held
from tests.rating.reconciled_help import allowed, balances, by_file, cdr, fund

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.django_db(transaction=True)
WHO = ("alice", "bob", "carol", "dave", "erin")
ROUNDS = 3


@pytest.fixture
def funded(cast: Cast, settings: Any, tmp_path: Path) -> Cast:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    cast.fund("erin", 50)
    return fund(cast)


def together(*works: Callable[[], object]) -> None:
    """Each in a thread, and so a session, of its own; what goes wrong there is raised here."""
    gate = Barrier(len(works))

    def one(work: Callable[[], object]) -> None:
        try:
            gate.wait(timeout=60)
            work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(works)) as pool:
        list(pool.map(one, works))


def end_all(names: list[str]) -> None:
    for name in names:
        ended(LiveCall.objects.get(call_id=name), 50)


def test_two_files_the_ends_and_the_reaper_at_once_charge_each_call_once(funded: Cast, tmp_path: Path) -> None:
    set_limits(funded.northstar, 1000, None, actor=ACTOR)
    for turn in range(ROUNDS):
        names = [f"r{turn}-{number}" for number in range(20)]
        for number, name in enumerate(names):
            allowed(funded, name, WHO[number % len(WHO)], age_s=3600)
        files = []
        for part in range(2):
            mixed = random.Random(part).sample(range(20), 20)
            calls = [cdr(names[at], 50, account=WHO[at % len(WHO)]) for at in mixed]
            calls += [Call(f"own-{turn}-{part}-{at}", WHO[at % len(WHO)]) for at in range(20)]
            files.append(write(tmp_path / f"{turn}-{part}.csv", calls))
        together(
            *(partial(import_file, path, funded.source(), actor=ACTOR) for path in files),
            partial(end_all, random.Random(9).sample(names, 20)),
            reap,
        )
        assert UsageChunk.objects.exclude(status=ChunkStatus.DONE).count() == 0
        calls_now = LiveCall.objects.filter(call_id__in=names)
        assert {(call.status, call.duration_s) for call in calls_now} == {("ended", 50)}
        assert {call.tellings.filter(usage_import__isnull=False).count() for call in calls_now} == {1}
        records = [call.record_id for call in calls_now]
        assert RatedCall.objects.filter(record_id__in=records, buyer__code__in=WHO).count() == 20
    assert CallLimit.objects.get().active == 0
    assert {held(funded.wallet(code)) for code in (*WHO, "harbour", "summit", "pier")} == {Decimal(0)}
    assert_clean()


def test_a_worker_that_dies_after_settling_leaves_nothing_half_done(
    funded: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its transaction is gone with it; whoever comes next does all of it."""
    call = allowed(funded, "lost")
    before, post = balances(funded), Batch.post

    def dies(*_: object) -> None:
        assert LiveCall.objects.get().status == "ended", "settled in this transaction"
        raise SystemExit

    monkeypatch.setattr(Batch, "post", dies)
    with pytest.raises(SystemExit):
        by_file(funded, tmp_path, cdr("lost", 60), Call("other"))
    call.refresh_from_db()
    assert (call.status, balances(funded)) == ("allowed", before)
    assert not Reconciled.objects.exists()

    monkeypatch.setattr(Batch, "post", post)
    UsageChunk.objects.update(claimed_until="2020-01-01T00:00:00Z")
    work(UsageImport.objects.get().pk)
    call.refresh_from_db()
    assert (call.status, call.duration_s, Reconciled.objects.get().done) == ("ended", 60, "ended")
    assert UsageChunk.objects.get().rated == 1
    assert_clean()


def test_an_end_that_comes_between_reading_and_writing_is_seen(
    funded: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = allowed(funded, "close")
    write_it = chunk_work.Ready.write

    def write_after_the_end(ready: Any) -> dict[str, int]:
        end_all(["close"])
        return write_it(ready)

    monkeypatch.setattr(chunk_work.Ready, "write", write_after_the_end)
    assert by_file(funded, tmp_path, cdr("close", 51)) == {"read": 1, "reconciled": 1}
    call.refresh_from_db()
    assert (call.status, call.duration_s) == ("ended", 50)
    told = Reconciled.objects.get()
    assert (told.done, told.live_s, told.odd) == ("same", 50, False)
    assert_clean()


def test_a_call_of_many_that_go_on_waits_for_no_import(funded: Cast, tmp_path: Path) -> None:
    """Door and import lock in one order: none of them finds a deadlock, and both get through."""
    set_limits(funded.northstar, 1000, None, actor=ACTOR)
    set_limits(funded.harbour, 1000, None, actor=ACTOR)
    switch = a_switch(funded)
    names = [f"open-{number}" for number in range(30)]
    for number, name in enumerate(names):
        allowed(funded, name, WHO[number % len(WHO)])
    path = write(tmp_path / "all.csv", [cdr(name, 50, account=WHO[at % len(WHO)]) for at, name in enumerate(names)])

    def talk_on(who: str) -> None:
        for number in range(8):
            ask(switch, f"{who}-{number}", account=f"ACC-{who}", requested_s=60)
            call = LiveCall.objects.get(call_id=f"{who}-{number}")
            backdate(call, 60)
            ended(call, 30)

    together(partial(import_file, path, funded.source(), actor=ACTOR), *(partial(talk_on, who) for who in WHO))
    assert set(LiveCall.objects.values_list("status", flat=True)) == {"ended"}
    assert Reconciled.objects.filter(done="ended").count() == 30
    assert UsageChunk.objects.get().attempts == 1
    assert_clean()
