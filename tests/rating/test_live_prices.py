"""Prices change while calls come in: nobody waits for them to be compiled, and nobody goes by old ones for long."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event
from typing import TYPE_CHECKING, Any

import pytest
from django.db import OperationalError, connections

from rating.live import asking, guard, standing
from rating.live.standing import standing_engine
from rating.models import ListTerms
from rating.numbers import DialPlan
from rating.pricing import Engine
from rating.pricing.current import current_engine
from rating.services.identify import CustomerIndex
from tiers.ids import uuid7

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.django_db(transaction=True)
TOGETHER = 20


@pytest.fixture(autouse=True)
def nothing_stands(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As in a process that has just started; it looks often, for the test's sake."""
    monkeypatch.setattr(standing, "LOOK_EVERY_S", 0.05)
    standing.forget()
    yield
    standing.forget()


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Event:
    """Compiling lasts until this is set."""
    go_on, real = Event(), Engine.make_ready

    def make_ready(self: Engine, like: Engine | None = None) -> None:
        assert go_on.wait(30)
        real(self, like)

    monkeypatch.setattr(Engine, "make_ready", make_ready)
    return go_on


def wait_for(what: Any) -> None:
    until = time.monotonic() + 20
    while not what():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_a_switch_that_is_gone_holds_up_nobody(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    source, plan = cast.source(), DialPlan("HK")
    spoke = (Engine(), CustomerIndex(source, plan))
    monkeypatch.setattr(asking, "_indexes", {uuid7(): spoke, source.pk: spoke})
    engine = standing_engine()
    assert [kept for kept, _index in asking._indexes.values()] == [engine]


def test_twenty_first_calls_wait_for_one_compilation(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    made, gate, real = [], Barrier(TOGETHER), Engine.make_ready

    def make_ready(self: Engine, like: Engine | None = None) -> None:
        made.append(self)
        real(self, like)

    monkeypatch.setattr(Engine, "make_ready", make_ready)

    def call(_number: int) -> Engine:
        try:
            gate.wait(timeout=30)
            return standing_engine()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(TOGETHER) as callers:
        found = set(map(id, callers.map(call, range(TOGETHER))))
    assert found == {id(made[0])}
    assert len(made) == 1


def test_calls_go_by_the_old_prices_while_new_ones_are_compiled(cast: Cast, slow: Event) -> None:
    slow.set()
    old = standing_engine()
    slow.clear()
    ListTerms.objects.filter(price_list__brand__code="northstar").update(markup=3)
    until = time.monotonic() + 0.5
    while time.monotonic() < until:
        asked = time.monotonic()
        assert standing_engine() is old
        assert time.monotonic() - asked < 0.05
        time.sleep(0.01)
    slow.set()
    wait_for(lambda: standing_engine() is not old)
    assert standing_engine() is current_engine(), "what pages and imports go by"


def test_a_price_is_honoured_after_the_bound_at_the_latest(
    cast: Cast, slow: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow.set()
    old = standing_engine()
    slow.clear()
    ListTerms.objects.filter(price_list__brand__code="northstar").update(markup=3)
    monkeypatch.setattr(standing, "STALE_S", 0.3)
    time.sleep(0.4)
    with ThreadPoolExecutor(1) as callers:
        waiting = callers.submit(standing_engine)
        time.sleep(0.2)
        assert not waiting.done(), "older than the bound: not by this price"
        slow.set()
        assert waiting.result(timeout=20) is not old


def test_without_prices_nobody_waits_for_a_database_that_is_down(
    cast: Cast, slow: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "_down", True)
    asked = time.monotonic()
    with pytest.raises(OperationalError):
        standing_engine()
    assert time.monotonic() - asked < 1
    slow.set()
