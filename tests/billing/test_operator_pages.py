"""The operator's ways through its portal, as a person goes them: each ends in what a service wrote, seen on a page."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import Transfer, TransferKind
from billing.formatting import money_text
from invoicing.models import Invoice, InvoiceStatus, OutboxMail
from rating.models import Rate, UsageImport
from rating.services.imports import work
from rating.tasks import work_import
from tests.billing.world import World
from tests.cast import Cast
from tests.invoicing.month import HEADER, call_lines
from tiers.models import ApiKey, Brand, Member, Party

ROW_KEY = re.compile(r'name="key" value="([^"]+)"')


def text_of(browser: Client, url: str) -> str:
    answer = browser.get(url)
    assert answer.status_code == 200, url
    return answer.content.decode()


def allocate_url(cast: Cast, code: str, deed: str = "allocate") -> str:
    return f"/operator/money/wallets/{cast.wallet(code).pk}/{deed}/"


def test_a_customer_is_created_with_its_wallet(cast: Cast) -> None:
    browser = cast.client("northstar")
    data = {
        "kind": "customer", "brand": str(cast.brand("northstar").pk), "name": "Grand Hotel", "code": "grand",
        "billing": "postpaid", "credit_limit": "250", "email": "bills@grand.example", "funding": "wholesale",
    }  # fmt: skip
    answer = browser.post("/operator/parties/new/", data)
    assert answer.status_code == 302
    assert cast.wallet("grand").credit_limit == 250
    assert "Grand Hotel" in text_of(browser, "/operator/parties/")
    again = browser.post("/operator/parties/new/", data)
    assert again.status_code == 422
    assert "is in use" in again.content.decode()


def test_a_buyer_that_cannot_be_is_refused_and_nothing_is_written(cast: Cast) -> None:
    browser = cast.client("northstar")
    data = {
        "kind": "customer", "brand": str(cast.brand("northstar").pk), "name": "X", "code": "xx",
        "billing": "prepaid", "credit_limit": "250", "funding": "wholesale",
    }  # fmt: skip
    answer = browser.post("/operator/parties/new/", data)
    assert answer.status_code == 422
    assert "A prepaid wallet has no credit limit" in answer.content.decode()
    assert not Party.objects.filter(code="xx").exists()


def test_the_same_click_allocates_once(cast: Cast) -> None:
    browser = cast.client("northstar")
    url = allocate_url(cast, "harbour")
    found = ROW_KEY.search(text_of(browser, url))
    assert found is not None
    for _click in range(2):
        assert browser.post(url, {"amount": "50", "reason": "start", "key": found.group(1)}).status_code == 302
    assert cast.wallet("harbour").available == 50
    assert browser.post(url, {"amount": "50", "key": str(uuid4())}).status_code == 302
    assert cast.wallet("harbour").available == 100
    transfer = Transfer.objects.filter(kind=TransferKind.ALLOCATION).latest("id")
    assert transfer.actor == "northstar@cast.example"


def test_funds_go_through_every_tier_to_a_customer_of_a_dealer(cast: Cast) -> None:
    browser = cast.client("northstar")
    assert browser.post(allocate_url(cast, "bob"), {"amount": "20", "key": str(uuid4())}).status_code == 302
    assert Transfer.objects.filter(kind=TransferKind.ALLOCATION).count() == 3
    assert cast.wallet("bob").available == 20


@pytest.mark.parametrize(
    ("amount", "words"),
    [("-5", "more than zero"), ("0", "more than zero"), ("1.1234567", "decimal places"), ("x", "number")],
)
def test_an_amount_that_is_none_is_refused_at_the_field(cast: Cast, amount: str, words: str) -> None:
    answer = cast.client("northstar").post(allocate_url(cast, "harbour"), {"amount": amount, "key": str(uuid4())})
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not Transfer.objects.exists()


def test_a_withdrawal_beyond_what_is_there_is_refused_in_words(cast: Cast) -> None:
    cast.fund("harbour", 30)
    answer = cast.client("northstar").post(
        allocate_url(cast, "harbour", "withdraw"), {"amount": "31", "key": str(uuid4())}
    )
    assert answer.status_code == 422
    assert "At most 30 can be withdrawn" in answer.content.decode()
    assert cast.wallet("harbour").available == 30


def test_a_payment_is_between_neighbours_only(cast: Cast) -> None:
    browser = cast.client("northstar")
    data = {"amount": "75.50", "received_on": "2026-11-02", "method": "bank", "key": str(uuid4())}
    assert browser.post(allocate_url(cast, "harbour", "payment"), data).status_code == 302
    assert cast.wallet("harbour").available == Decimal("75.50")
    assert browser.get(allocate_url(cast, "alice", "payment")).status_code == 404


def test_the_preview_shows_both_sides_of_a_distribution(cast: Cast) -> None:
    cast.fund("summit", 100)
    url = f"/operator/money/wallets/{cast.wallet('carol').pk}/preview/?purpose=allocate&amount=40"
    page = text_of(cast.client("northstar"), url)
    assert "40.00" in page
    assert "60.00" in page


def test_a_reader_looks_and_changes_nothing(cast: Cast) -> None:
    browser = cast.client("reader.harbour")
    assert browser.post(allocate_url(cast, "alice"), {"amount": "1", "key": str(uuid4())}).status_code == 404
    member = cast.member("northstar")
    Member.objects.filter(pk=member.pk).update(role="reader")
    answer = cast.client("northstar").post(allocate_url(cast, "harbour"), {"amount": "1", "key": str(uuid4())})
    assert answer.status_code == 403
    assert "cannot move money" in answer.content.decode()


DECK = "Prefix,Destination,Rate\n852,Hong Kong,0.0300\n81,Japan,0.0210\n44,United Kingdom,oops\n"


def token_in(page: str) -> str:
    found = re.search(r'name="token" value="(\w+)"', page)
    assert found
    return found[1]


def upload(name: str, content: str) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content.encode(), content_type="text/csv")


def test_a_deck_is_looked_at_before_it_is_written(cast: Cast) -> None:
    browser = cast.client("northstar")
    answer = browser.post("/operator/prices/tables/atlas/deck/", {"file": upload("deck.csv", DECK)})
    deck_url = answer.headers["Location"]
    page = text_of(browser, deck_url)
    assert "Nothing is written yet" in page
    assert "+100%" in page
    assert "oops" in page
    assert not Rate.objects.filter(prefix="81").exists()
    assert cast.client("outsider").get(deck_url).status_code == 404
    assert browser.post(deck_url, {"import": "1", "token": "made up"}).status_code == 302
    assert not Rate.objects.filter(prefix="81").exists()
    assert browser.post(deck_url, {"import": "1", "token": token_in(page)}).status_code == 302
    assert "Open Atlas" in text_of(browser, deck_url)
    assert Rate.objects.filter(table__code="atlas", prefix="81").count() == 1
    assert "Japan" in text_of(browser, "/operator/prices/tables/atlas/?q=81")


def test_a_deck_with_two_readings_asks(cast: Cast) -> None:
    browser = cast.client("northstar")
    content = "Prefix,Destination,Rate,Effective Date\n81,Japan,0.0210,03/04/2027\n82,Korea,0.0200,05/06/2027\n"
    deck_url = browser.post("/operator/prices/tables/atlas/deck/", {"file": upload("deck.csv", content)}).headers[
        "Location"
    ]
    page = text_of(browser, deck_url)
    options = re.findall(r'name="answer-(\w+)" value="([^"]+)"', page)
    assert options, "no question was asked"
    assert browser.post(deck_url, {f"answer-{options[0][0]}": options[0][1]}).status_code == 302
    assert "Nothing is written yet" in text_of(browser, deck_url)


def test_a_file_that_is_no_deck_is_refused_in_words(cast: Cast) -> None:
    browser = cast.client("northstar")
    file = SimpleUploadedFile("deck.csv", b"%PDF-1.7 not a deck at all")
    deck_url = browser.post("/operator/prices/tables/atlas/deck/", {"file": file}).headers["Location"]
    assert 'role="alert"' in text_of(browser, deck_url)
    empty = browser.post("/operator/prices/tables/atlas/deck/", {"file": SimpleUploadedFile("deck.csv", b"")})
    assert empty.status_code == 422


def test_usage_goes_in_by_upload_and_its_counts_add_up(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: object
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(work_import, "delay", asked.append)
    cast.fund("harbour", 100)
    cast.fund("alice", 50)
    browser = cast.client("northstar")
    file = upload("calls.csv", "\n".join([HEADER, *call_lines(["alice"], 3)]) + "\n")
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        answer = browser.post("/operator/usage/new/", {"source": str(cast.source().pk), "file": file})
    made = UsageImport.objects.get()
    assert asked == [str(made.pk)]
    assert "every 2s" in text_of(browser, answer.headers["Location"])
    work(made.pk)
    assert browser.get(f"{answer.headers['Location']}progress/").headers["HX-Refresh"] == "true"
    assert "every 2s" not in text_of(browser, answer.headers["Location"])


def test_calls_show_sale_and_cost_and_each_call_its_reasons(world: World) -> None:
    browser = world.cast.client("northstar")
    call = world.call("northstar")
    page = text_of(browser, f"/operator/calls/?party={call.customer.code}")
    assert money_text(call.sale, call.currency, 4).split("\xa0")[0] in page
    reasons = text_of(browser, f"/operator/calls/{call.pk}/")
    assert "Exact sum before rounding" in reasons
    assert "costs" in reasons
    assert "no price" in text_of(browser, "/operator/calls/unrated/").lower()


def test_a_filter_reads_as_a_sentence_and_nonsense_is_dropped(world: World) -> None:
    browser = world.cast.client("northstar")
    page = text_of(browser, "/operator/calls/?party=alice&over=0.01")
    assert "of alice" in page
    assert "over 0.01" in page
    assert browser.get("/operator/calls/?party=nobody").status_code == 404
    for query in ("month=nonsense", "over=much", "after=x", "service=x", "month=2026-99"):
        assert browser.get(f"/operator/calls/?{query}").status_code == 200, query


def test_a_month_is_run_approved_issued_and_sent(world: World) -> None:
    browser = world.cast.client("northstar")
    drafts = Invoice.objects.filter(seller=world.cast.northstar, number__isnull=True)
    keys = [str(key) for key in drafts.values_list("pk", flat=True)]
    assert keys
    mails = OutboxMail.objects.count()
    for deed in ("approve", "issue", "send"):
        assert browser.post("/operator/invoices/", {"deed": deed, "invoice": keys}).status_code == 302
    issued = Invoice.objects.filter(pk__in=keys)
    assert all(invoice.number for invoice in issued)
    assert OutboxMail.objects.count() == mails + len(keys)
    paper = browser.get(f"/operator/invoices/{keys[0]}/paper/csv/")
    assert paper.status_code == 200
    assert "attachment" in paper.headers["Content-Disposition"]
    assert browser.post(f"/operator/invoices/{keys[0]}/discard/").status_code == 302
    assert Invoice.objects.filter(pk=keys[0]).exists()


def test_another_sellers_draft_is_looked_at_but_not_touched(world: World) -> None:
    draft = world.bill("harbour", issued=False)
    browser = world.cast.client("northstar")
    assert browser.get(f"/operator/invoices/{draft.pk}/").status_code == 200
    assert browser.post(f"/operator/invoices/{draft.pk}/approve/").status_code == 404
    browser.post("/operator/invoices/", {"deed": "approve", "invoice": [str(draft.pk)]})
    draft.refresh_from_db()
    assert draft.status == InvoiceStatus.DRAFT


def test_a_key_is_shown_once(cast: Cast) -> None:
    browser = cast.client("northstar")
    answer = browser.post("/operator/settings/keys/new/", {"name": "CRM", "role": "reader", "expires_at": ""})
    key = ApiKey.objects.get(name="CRM")
    assert f"{key.prefix}." in answer.content.decode()
    assert answer.headers["Cache-Control"] == "no-store"
    assert f"{key.prefix}." not in text_of(browser, "/operator/settings/keys/")
    assert browser.post(f"/operator/settings/keys/{key.prefix}/revoke/").status_code == 302
    key.refresh_from_db()
    assert key.revoked


def test_a_brand_is_made_with_its_terms(cast: Cast) -> None:
    browser = cast.client("northstar")
    data = {
        "name": "Polar", "code": "polar", "currency": "eur", "accent": "#aa0000", "time_zone": "Europe/Oslo",
        "sender": "billing@polar.example", "series": "PO", "due_days": "21", "tax_rate": "25", "tax_name": "MVA",
        "language": "en", "paper": "A4", "calls_group": "day",
    }  # fmt: skip
    assert browser.post("/operator/settings/brands/new/", data).status_code == 302
    brand = Brand.objects.get(code="polar")
    assert (brand.currency, brand.paper_terms.due_days, brand.price_terms.tax_rate) == ("EUR", 21, 25)
    bad = browser.post("/operator/settings/brands/polar/", data | {"accent": "red", "series": "lower case"})
    assert bad.status_code == 422
    brand.refresh_from_db()
    assert brand.accent == "#aa0000"


def test_the_trail_says_who_changed_what(cast: Cast) -> None:
    browser = cast.client("northstar")
    browser.post("/operator/parties/harbour/edit/", {"name": "Harbour Voice AG", "language": "en"})
    page = text_of(browser, "/operator/settings/trail/")
    assert "Harbour Voice AG" in page
    assert "northstar@cast.example" in page


def test_what_is_searched_for_is_found(world: World) -> None:
    browser = world.cast.client("northstar")
    assert "Harbour Voice" in text_of(browser, "/operator/search/?q=harb")
    assert "+852 2555 0123" in text_of(browser, "/operator/search/?q=%2B852+2555")
    assert "Nothing found" in text_of(browser, "/operator/search/?q=zzzz")


def test_a_call_can_be_tried_and_every_number_in_its_price_is_shown(cast: Cast) -> None:
    page = text_of(cast.client("northstar"), "/operator/prices/try/?customer=alice&to=%2B85225550123&seconds=90")
    assert "Alice&#x27;s Hotel pays Harbour Voice" in page
    assert "Rounded once to 4 decimals" in page
    refused = text_of(cast.client("northstar"), "/operator/prices/try/?customer=alice&to=x&seconds=90")
    assert "tg-error" in refused


def test_a_dealer_is_blocked_only_after_a_question(cast: Cast) -> None:
    browser = cast.client("northstar")
    url = "/operator/parties/harbour/status/blocked/"
    assert "Block Harbour Voice?" in text_of(browser, url)
    assert cast.harbour.status == "active"
    assert browser.post(url).status_code == 302
    assert cast.harbour.status == "blocked"


def test_uploads_leave_no_file_behind_once_imported(cast: Cast, tmp_path: Path, settings: object) -> None:
    settings.MEDIA_ROOT = str(tmp_path)  # type: ignore[attr-defined]
    browser = cast.client("northstar")
    answer = browser.post("/operator/prices/tables/atlas/deck/", {"file": upload("deck.csv", DECK)})
    assert len(list((tmp_path / "decks").iterdir())) == 1
    page = text_of(browser, answer.headers["Location"])
    browser.post(answer.headers["Location"], {"import": "1", "token": token_in(page)})
    assert list((tmp_path / "decks").iterdir()) == []
