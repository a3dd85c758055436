"""A call on the page of live calls: it appears, its clock ticks, its cost grows and it is gone, without a reload."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from rating.live.ending import ended, find, started
from rating.models import LiveCall
from tests.billing.world import World
from tests.browser.conftest import Visit
from tests.rating.live_help import a_switch, ask, backdate

pytestmark = pytest.mark.browser


def test_a_call_appears_ticks_and_is_gone_without_a_reload(world: World, visit: Visit) -> None:
    page = visit("alice", phone=True)
    page.goto("/customer/calls/live/")
    expect(page.locator("main")).to_contain_text("No call goes on")
    page.evaluate("window.same = true")
    switch = a_switch(world.cast, interims=True)
    ask(switch, "seen", requested_s=600)
    row = page.locator("#live-now tbody tr")
    expect(row).to_contain_text("Ringing")
    started(switch, find(switch, "seen"))
    expect(row).to_contain_text("Talking")
    clock = row.locator("[data-tick-up]")
    before = clock.inner_text()
    expect(clock).not_to_have_text(before)
    assert re.fullmatch(r"\d+:\d\d", clock.inner_text())
    cost = row.locator("td.num:visible").last.inner_text()
    backdate(find(switch, "seen"), 120)
    expect(clock).to_have_text(re.compile(r"2:\d\d"))
    assert row.locator("td.num:visible").last.inner_text() != cost
    ended(find(switch, "seen"), 121)
    expect(page.locator("main")).to_contain_text("No call goes on")
    assert page.evaluate("window.same") is True, "the page was not loaded anew"


def test_the_page_of_a_call_says_by_itself_that_it_is_over(world: World, visit: Visit) -> None:
    page = visit("harbour")
    key = world.live_call()
    page.goto(f"/dealer/live/{key}/")
    expect(page.locator("h1")).to_contain_text("Talking")
    before = page.locator("#live-now [data-tick-up]").inner_text()
    expect(page.locator("#live-now [data-tick-up]")).not_to_have_text(before)
    ended(LiveCall.objects.get(pk=key), 3)
    expect(page.locator("h1")).to_contain_text("Ended")
    expect(page.locator("main")).to_contain_text("As charged to")
