"""Alice's way through her portal: what she has, what a call cost and why, what a number would cost, her invoice."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import expect

from invoicing.services import documents
from rating.models import CarrierChoice, RatedCall
from tests.billing.world import World
from tests.browser.conftest import Visit

pytestmark = pytest.mark.browser


def test_on_the_phone_she_sees_what_she_has_and_how_long_it_lasts(world: World, visit: Visit) -> None:
    page = visit("alice", phone=True)
    main = page.locator("main")
    expect(main).to_contain_text("Available")
    expect(main).to_contain_text("minutes to")
    expect(main).to_contain_text("Calls stop at 0.")
    expect(page.locator("canvas").first).to_be_visible()
    page.click(".tg-bar >> text=Invoices")
    expect(page.locator("main")).to_contain_text("Invoices")
    page.click(".tg-bar >> text=More")
    page.click(".tg-bar-more >> text=Account")
    expect(page.locator("h1")).to_have_text("Account")


def test_she_narrows_her_calls_and_exports_exactly_those(world: World, visit: Visit) -> None:
    page = visit("alice")
    page.click("nav >> text=Calls")
    page.click("text=Narrow")
    page.select_option("[name=period]", "all")
    page.fill("[name=to]", "China")
    page.click("button:has-text('Show')")
    expect(page.locator(".tg-sentence")).to_contain_text("to China")
    with page.expect_download() as download:
        page.click("text=Export CSV")
    lines = Path(download.value.path()).read_text(encoding="utf-8").splitlines()
    mine = RatedCall.objects.filter(buyer=world.cast.party("alice"), destination="China")
    assert len(lines) - 1 == mine.count() > 0
    page.locator("tbody .tg-open").first.click()
    expect(page.locator("main")).to_contain_text("How it came about")
    expect(page.locator("main")).not_to_contain_text("mark-up")


def test_she_looks_a_price_up_and_chooses_a_carrier(world: World, visit: Visit) -> None:
    page = visit("alice")
    page.click("nav >> text=Prices")
    page.fill("[name=to]", "+852 2555 0123")
    page.click("form:has([name=to]) button:has-text('Show')")
    expect(page.locator(".tg-answer")).to_contain_text("EUR a minute")
    page.click("main >> text='Choose'")
    expect(page.locator("main")).to_contain_text("From now on calls abroad cost its prices.")
    page.click("form.tg-sheet button:has-text('Choose')")
    expect(page.locator("main")).to_contain_text("Calls abroad go by Boreal Transit from now on.")
    assert CarrierChoice.objects.get(party=world.cast.party("alice")).carrier.code == "boreal"


def test_she_downloads_her_invoice(world: World, visit: Visit) -> None:
    documents.render(world.bill_to("alice"))
    page = visit("alice")
    page.click("nav >> text=Invoices")
    page.locator("tbody .tg-open").first.click()
    with page.expect_download() as download:
        page.click("text=Download PDF")
    assert Path(download.value.path()).read_bytes().startswith(b"%PDF")


def test_she_sets_a_warning_balance_and_a_wrong_one_is_told_at_the_field(world: World, visit: Visit) -> None:
    page = visit("alice")
    page.click("nav >> text=Account")
    page.locator("section", has_text="Warning balance").locator("text=Change").click()
    page.fill("[name=warn_below]", "1.2345678")
    page.click("button:has-text('Save')")
    expect(page.locator(".tg-error")).to_be_visible()
    page.fill("[name=warn_below]", "15")
    page.click("button:has-text('Save')")
    expect(page.locator("main")).to_contain_text("15.00")
    assert world.cast.wallet("alice").warn_below == Decimal(15)
