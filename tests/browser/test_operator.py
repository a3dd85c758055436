"""Northstar's day at the desk: funds down, a deck and calls in, the month on paper, acting for a dealer."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import expect

from billing.portals.operator import usage as usage_pages
from invoicing.models import Invoice, InvoiceStatus
from rating.models import Rate
from rating.services.imports import work
from tests.billing.world import World
from tests.browser.conftest import Visit
from tests.invoicing.month import HEADER, call_lines

pytestmark = pytest.mark.browser


def test_funds_are_allocated_with_both_sides_in_view(world: World, visit: Visit) -> None:
    page = visit("northstar")
    before = world.cast.wallet("summit").available
    page.click("nav >> text=Money")
    page.click("main >> text=Wallets")
    page.click("main >> text=Carol Trading")
    page.click("text=Allocate funds")
    page.locator("#id_amount").press_sequentially("125.5")
    expect(page.locator(".tg-sides tbody tr").last).to_contain_text(f"{before - Decimal('125.5'):,.2f}")
    carol = world.cast.wallet("carol").available
    page.click("main button[type=submit]")
    expect(page.locator(".tg-note-success")).to_contain_text("Carol Trading now has")
    assert world.cast.wallet("carol").available == carol + Decimal("125.5")


def test_a_deck_is_looked_at_then_imported(world: World, visit: Visit, tmp_path: Path) -> None:
    deck = tmp_path / "atlas.csv"
    deck.write_text("Prefix,Destination,Rate\n852,Hong Kong,0.0300\n81,Japan,0.0210\n")
    page = visit("northstar")
    page.click("nav >> text=Prices")
    page.click("main >> text=Atlas A-Z")
    page.click("main >> text=Import a deck")
    page.set_input_files("[name=file]", str(deck))
    page.click("text=Read the deck")
    expect(page.locator("main")).to_contain_text("Nothing is written yet")
    expect(page.locator("main")).to_contain_text("+100%")
    page.click("main button:has-text('Import')")
    expect(page.locator(".tg-note-success")).to_contain_text("1 prefixes added, 1 changed")
    assert Rate.objects.filter(table__code="atlas", prefix="81").exists()


def test_a_file_of_calls_goes_in_under_a_progress_bar(
    world: World, visit: Visit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(usage_pages, "work_import", type("Quiet", (), {"delay": staticmethod(asked.append)}))
    calls = tmp_path / "new.csv"
    calls.write_text("\n".join([HEADER, *call_lines(["erin"], 5, tag="new")]) + "\n")
    page = visit("northstar")
    page.click("text=Import usage")
    page.select_option("[name=source]", label="Northstar switch")
    page.set_input_files("[name=file]", str(calls))
    page.click("main button[type=submit]")
    expect(page.locator("progress")).to_be_visible()
    work(asked[0])  # type: ignore[arg-type]
    expect(page.locator("progress")).to_have_count(0)
    expect(page.locator(".tg-answer")).to_have_text("5")


def test_drafts_are_ticked_approved_and_sent(world: World, visit: Visit) -> None:
    page = visit("northstar")
    page.click("nav >> text=Invoices")
    page.click("text=Narrow")
    page.select_option("[name=status]", "draft")
    page.click("button:has-text('Show')")
    page.check("[data-tick-all]")
    page.click("button:has-text('Issue and send')")
    expect(page.locator(".tg-note-error").first).to_contain_text("is not approved yet")
    page.check("[data-tick-all]")
    page.click("button:text-is('Approve')")
    drafts = Invoice.objects.filter(seller=world.cast.northstar, status=InvoiceStatus.DRAFT)
    expect(page.locator("main")).to_contain_text("No invoices like that")
    assert not drafts.exists()


def test_acting_for_a_dealer_is_plain_to_see_and_ends_with_stop(world: World, visit: Visit) -> None:
    page = visit("northstar")
    page.goto("/operator/parties/harbour/")
    page.click("text=Act for it")
    expect(page.locator(".tg-acting")).to_contain_text("acts for Harbour Voice")
    expect(page.locator("nav.tg-nav")).to_contain_text("Customers")
    page.click(".tg-acting >> text=Stop")
    expect(page.locator(".tg-acting")).to_have_count(0)
    expect(page.locator("nav.tg-nav")).to_contain_text("Parties")


def test_the_theme_and_the_search_key_work_under_the_strict_policy(world: World, visit: Visit) -> None:
    page = visit("northstar")
    first = page.locator("html").get_attribute("data-bs-theme")
    page.click("[data-theme-toggle]")
    assert page.locator("html").get_attribute("data-bs-theme") != first
    page.reload()
    assert page.locator("html").get_attribute("data-bs-theme") != first
    page.keyboard.press("/")
    page.keyboard.type("alice")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("Found for")
    expect(page.locator("main")).to_contain_text("Alice's Hotel")
