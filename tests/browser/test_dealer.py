"""Harbour's day, on the phone and at the desk: a new customer, funds, prices that show what they earn, its bills."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from invoicing.models import InvoiceStatus
from rating.models import CarrierChoice, ListTerms
from tests.billing.world import World
from tests.browser.conftest import Visit

pytestmark = pytest.mark.browser


def test_on_the_phone_a_customer_is_created_and_given_funds(world: World, visit: Visit) -> None:
    page = visit("harbour", phone=True)
    expect(page.locator("main")).to_contain_text("Available with Northstar Telecom")
    page.click(".tg-bar >> text=Customers")
    page.click("main >> text=New customer")
    page.fill("[name=name]", "Corner Café")
    page.fill("[name=code]", "corner")
    page.click("button:has-text('Create')")
    expect(page.locator("h1")).to_contain_text("Corner Café")
    page.click("main >> text=Allocate funds")
    page.fill("[name=amount]", "25.50")
    expect(page.locator("[aria-live=polite]")).to_contain_text("25.50")
    page.click("button:has-text('Allocate')")
    expect(page.locator("[role=status]").first).to_contain_text("now has 25.50")
    assert world.cast.wallet("corner").posted == Decimal("25.50")
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0


def test_the_mark_up_says_what_it_earns_while_it_is_typed(world: World, visit: Visit) -> None:
    page = visit("harbour")
    page.click("nav >> text=Prices")
    page.click("main >> text=Harbour Voice by Atlas")
    page.click("main >> text=Change the mark-up")
    said = page.locator("[aria-live=polite]")
    expect(said).to_contain_text("At this mark-up you earn")
    before = said.inner_text()
    page.fill("[name=percent]", "120")
    expect(said).not_to_have_text(before)
    page.fill("[name=percent]", "-60")
    expect(said).to_contain_text("you lose")
    page.fill("[name=percent]", "80")
    page.click("button:has-text('Save')")
    expect(page.locator("main")).to_contain_text("80%")
    begun = ListTerms.objects.filter(price_list__code="harbour-atlas", valid_from__lte=timezone.now())
    newest = begun.latest("valid_from")
    assert newest.markup == Decimal("0.8")


def test_a_call_is_found_and_explained(world: World, visit: Visit) -> None:
    page = visit("harbour")
    page.click("nav >> text=Calls")
    page.click("text=Narrow")
    page.select_option("[name=buyer]", "alice")
    page.fill("[name=to]", "Hong Kong")
    page.click("button:has-text('Show')")
    expect(page.locator(".tg-sentence")).to_contain_text("of Alice's Hotel")
    expect(page.locator(".tg-sentence")).to_contain_text("to Hong Kong")
    page.locator("tbody .tg-open").first.click()
    expect(page.locator("main")).to_contain_text("How the sale came about")
    expect(page.locator("main")).to_contain_text("How your cost came about")
    expect(page.locator("main")).to_contain_text("192.0.2.7")


def test_a_draft_is_approved_issued_and_sent(world: World, visit: Visit) -> None:
    page = visit("harbour")
    draft = world.bill("harbour", issued=False)
    page.click("main >> text=Drafts to approve")
    page.locator(f"a[href*='{draft.pk}']").click()
    for verb in ("Approve", "Issue", "Send"):
        page.click(f".tg-actions >> text='{verb}'")
        page.click(f"form.tg-sheet button:has-text('{verb}')")
    expect(page.locator("main")).to_contain_text("Waiting to be sent")
    draft.refresh_from_db()
    assert draft.number is not None
    assert draft.status == InvoiceStatus.ISSUED
    with page.expect_download() as download:
        page.click(".tg-actions >> text=PDF")
    assert download.value.suggested_filename.endswith(".pdf")


def test_acting_for_a_customer_is_seen_and_stopped(world: World, visit: Visit) -> None:
    page = visit("harbour")
    page.goto("/dealer/customers/alice/")
    page.click("text=Act for it")
    expect(page.locator(".tg-acting")).to_contain_text("acts for")
    expect(page).to_have_url("/customer/")
    page.click("nav >> text=Prices")
    page.click("main >> text=Choose")
    page.click("form.tg-sheet button:has-text('Choose')")
    expect(page.locator("main")).to_contain_text("Boreal Transit")
    page.click(".tg-acting >> text=Stop")
    expect(page).to_have_url("/dealer/")
    choice = CarrierChoice.objects.get(party=world.cast.party("alice"))
    assert (choice.carrier.code, choice.actor) == ("boreal", "harbour@cast.example")
