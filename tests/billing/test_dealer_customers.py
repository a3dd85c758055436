"""Harbour takes on customers, knows their calls, bills them and keeps its brand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from billing.books import violations
from invoicing.models import Invoice, InvoiceStatus, OutboxMail
from rating.models import CarrierChoice
from tests.billing.dealer_help import called_in_october, page
from tests.cast import ACTOR, Cast
from tests.invoicing.month import OCTOBER, bill_of
from tiers.models import Status


@pytest.fixture
def october(cast: Cast, tmp_path: Path, settings: Any) -> Cast:
    return called_in_october(cast, tmp_path, settings)


def new_customer(**changes: str) -> dict[str, str]:
    fields = {"kind": "customer", "brand": "", "name": "Corner Café", "code": "corner", "billing": "prepaid"}
    return {**fields, "language": "en", "funding": "wholesale", **changes}


def test_a_customer_is_created_with_five_fields_and_can_be_charged(cast: Cast) -> None:
    harbour = cast.client("harbour")
    answer = harbour.post("/dealer/customers/new/", new_customer(brand=str(cast.brand("harbour").pk)))
    assert answer.headers["Location"] == "/dealer/customers/corner/"
    wallet = cast.wallet("corner")
    assert (wallet.seller, wallet.account.currency, wallet.billing) == (cast.party("harbour"), "EUR", "prepaid")
    assert "Corner Café" in page(harbour, "customers/?q=corner")
    again = harbour.post("/dealer/customers/new/", new_customer(brand=str(cast.brand("harbour").pk)))
    assert again.status_code == 422
    assert "in use" in again.content.decode()
    stolen = new_customer(brand=str(cast.brand("meadow").pk), code="other")
    assert harbour.post("/dealer/customers/new/", stolen).status_code == 422, "a brand of somebody else"


def test_identities_members_and_the_carrier_of_a_customer(cast: Cast, mailoutbox: list[Any]) -> None:
    harbour = cast.client("harbour")
    harbour.post("/dealer/customers/alice/identities/", {"kind": "caller", "value": "+49 40 5550 123"})
    assert "49405550123" in page(harbour, "customers/alice/")
    refused = harbour.post("/dealer/customers/alice/identities/", {"kind": "ip", "value": "300.1.1.1"})
    assert refused.status_code == 422
    identity = cast.party("alice").identities.get(value="49405550123")
    assert harbour.post(f"/dealer/customers/bob/identities/{identity.pk}/remove/").status_code == 404
    assert harbour.post(f"/dealer/customers/alice/identities/{identity.pk}/remove/").status_code == 302
    assert not cast.party("alice").identities.filter(value="49405550123").exists()
    harbour.post("/dealer/customers/alice/invite/", {"email": "desk@alice.example", "role": "reader"})
    assert "desk@alice.example" in page(harbour, "customers/alice/")
    assert harbour.post("/dealer/customers/alice/carrier/boreal/").status_code == 302
    assert CarrierChoice.objects.get(party=cast.party("alice")).carrier.code == "boreal"


def test_blocking_asks_first_and_acting_for_a_customer_is_one_click(cast: Cast) -> None:
    harbour = cast.client("harbour")
    assert "New calls of it and of all below it are refused." in page(harbour, "customers/alice/status/blocked/")
    assert cast.party("alice").status == Status.ACTIVE
    harbour.post("/dealer/customers/alice/status/blocked/")
    assert cast.party("alice").status == Status.BLOCKED
    assert harbour.post("/dealer/customers/alice/status/gone/").status_code == 404
    harbour.post("/act/", {"party": str(cast.party("alice").pk)})
    text = harbour.get("/customer/").content.decode()
    assert "acts for" in text
    assert "account is blocked" in text


def test_a_month_from_run_to_outbox(october: Cast) -> None:
    harbour = october.client("harbour")
    assert harbour.post("/dealer/invoices/run/", {"month": f"{OCTOBER:%Y-%m}"}).status_code == 302
    bill = bill_of(october, "alice")
    assert bill.status == InvoiceStatus.DRAFT
    page(harbour, f"invoices/{bill.pk}/")
    refused = harbour.post(f"/dealer/invoices/{bill.pk}/issue/", follow=True)
    assert "not approved yet" in refused.content.decode()
    for step in ("approve", "issue", "send"):
        assert harbour.get(f"/dealer/invoices/{bill.pk}/{step}/").status_code == 200
        assert harbour.post(f"/dealer/invoices/{bill.pk}/{step}/").status_code == 302
    bill.refresh_from_db()
    assert bill.number is not None
    assert OutboxMail.objects.get(invoice=bill).to == ["bills@alice.example"]
    assert harbour.get(f"/dealer/invoices/{bill.pk}/csv/").status_code == 200
    assert bill.number in page(harbour, f"search/?q={bill.number}")
    stays = harbour.post(f"/dealer/invoices/{bill.pk}/discard/", follow=True)
    assert "issued and stays" in stays.content.decode()
    for stranger in ("outsider", "pier"):
        assert october.client(stranger).get(f"/dealer/invoices/{bill.pk}/").status_code == 404
        assert october.client(stranger).get(f"/dealer/invoices/{bill.pk}/csv/").status_code == 404
    harbour.post("/dealer/invoices/run/", {"month": f"{OCTOBER:%Y-%m}"})
    assert Invoice.objects.filter(seller=october.party("harbour")).count() == 2, "Alice and Pier, once each"
    assert list(violations()) == []


def test_a_draft_of_the_seller_is_not_among_the_received(october: Cast) -> None:
    from invoicing.services.drafts import run
    from invoicing.services.issuing import approve, issue

    run(october.northstar, OCTOBER, actor=ACTOR)
    bill = bill_of(october, "harbour")
    harbour = october.client("harbour")
    assert harbour.get(f"/dealer/invoices/received/{bill.pk}/").status_code == 404
    issued = issue(approve(bill, actor=ACTOR), actor=ACTOR)
    assert issued.number is not None
    assert issued.number in page(harbour, "invoices/received/")
    page(harbour, f"invoices/received/{bill.pk}/")
    assert harbour.post(f"/dealer/invoices/{bill.pk}/approve/").status_code == 404


PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 100


def brand_fields(client: Client, code: str) -> dict[str, Any]:
    form = client.get(f"/dealer/brand/{code}/edit/").context["form"]
    return {name: value for name in form.fields if (value := form[name].value()) not in (None, False)}


def test_the_brand_is_changed_and_its_logo_is_bounded(cast: Cast) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    harbour = cast.client("harbour")
    fields = brand_fields(harbour, "harbour") | {"name": "Harbour Voice & Co", "due_days": "21", "accent": "#123456"}
    answer = harbour.post("/dealer/brand/harbour/edit/", fields | {"logo": SimpleUploadedFile("logo.png", PNG)})
    assert answer.status_code == 302, answer.context["form"].errors
    brand = cast.brand("harbour")
    assert (brand.name, brand.accent, bytes(brand.logo or b"")) == ("Harbour Voice & Co", "#123456", PNG)
    assert brand.paper_terms.due_days == 21
    for name, data in (("logo.png", b"GIF89a"), ("big.png", PNG + b"0" * 300_000)):
        refused = harbour.post("/dealer/brand/harbour/edit/", fields | {"logo": SimpleUploadedFile(name, data)})
        assert refused.status_code == 422
        assert "PNG of at most 300 kB" in refused.content.decode()
    assert bytes(cast.brand("harbour").logo or b"") == PNG
    changed = harbour.post("/dealer/brand/harbour/edit/", fields | {"currency": "USD"})
    assert changed.status_code == 422, "wallets are in it"
