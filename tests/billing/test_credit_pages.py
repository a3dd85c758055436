"""Crediting a bill in the portals and by API: finance sees what it comes to, confirms once, the customer finds it."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from billing.books import violations
from invoicing.models import Invoice, InvoiceStatus, OutboxMail
from invoicing.services.issuing import approve, issue
from tests.billing.dealer_help import called_in_october
from tests.cast import ACTOR, Cast
from tests.invoicing.month import bill_of, run_october
from tiers.ids import uuid7

WHY = "Line was down for a week"


@pytest.fixture
def bill(cast: Cast, tmp_path: Path, settings: Any) -> Invoice:
    """Alice's October, issued by Harbour."""
    called_in_october(cast, tmp_path, settings)
    run_october(cast, "harbour")
    return issue(approve(bill_of(cast, "alice"), actor=ACTOR), actor=ACTOR)


def asked(**more: str) -> dict[str, str]:
    return {"what": "all", "reason": WHY, "key": str(uuid7()), **more}


def text_of(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200, url
    return answer.content.decode().replace("\xa0", " ")


def test_finance_credits_a_line_and_alice_finds_it(bill: Invoice, cast: Cast) -> None:
    client, url = cast.client("finance.harbour"), f"/dealer/invoices/{bill.pk}/credit/"
    assert url in text_of(client, f"/dealer/invoices/{bill.pk}/")
    line = bill.lines.all()[0]
    form = asked(what="lines", send="on", **{f"line_{line.pk}": "0.50"})
    shown = client.post(url, form)
    assert shown.status_code == 200
    assert not Invoice.objects.filter(corrects=bill).exists(), "only shown so far"
    seen = re.search(r'name="seen" value="([^"]+)"', shown.content.decode())
    assert seen is not None
    for _click in range(2):
        made = client.post(url, {**form, "seen": seen[1], "confirm": "1"})
        note = Invoice.objects.get(corrects=bill)
        assert made.headers["Location"] == f"/dealer/invoices/{note.pk}/"
    assert note.total == Decimal(seen[1])
    assert OutboxMail.objects.filter(invoice=note).count() == 1
    assert str(note.number) in text_of(client, f"/dealer/invoices/{bill.pk}/")
    assert str(bill.number) in text_of(client, f"/dealer/invoices/{note.pk}/")
    alice = cast.client("alice")
    assert f"Credit note {note.number}" in text_of(alice, "/customer/invoices/")
    page = text_of(alice, f"/customer/invoices/{note.pk}/")
    assert WHY in page
    assert str(bill.number) in page
    assert list(violations()) == []


def test_the_sum_that_was_seen_is_the_sum_that_is_credited(bill: Invoice, cast: Cast) -> None:
    """The amounts were changed after they were shown: the new sum is shown first."""
    client, url = cast.client("harbour"), f"/dealer/invoices/{bill.pk}/credit/"
    answer = client.post(url, asked(confirm="1", seen="0.01"))
    assert answer.status_code == 200
    seen = re.search(r'name="seen" value="([^"]+)"', answer.content.decode())
    assert seen is not None
    assert Decimal(seen[1]) == bill.total
    assert not Invoice.objects.filter(corrects=bill).exists()


def test_what_cannot_be_credited_is_said(bill: Invoice, cast: Cast) -> None:
    client, url = cast.client("harbour"), f"/dealer/invoices/{bill.pk}/credit/"
    line = bill.lines.all()[0]
    for form in (
        asked(what="lines"),
        asked(what="lines", **{f"line_{line.pk}": "9999"}),
        asked(what="lines", **{f"line_{line.pk}": "-1"}),
        asked(reason=""),
    ):
        assert client.post(url, {**form, "confirm": "1", "seen": "1"}).status_code == 422
    client.post(url, asked(confirm="1", seen=str(bill.total)))
    assert Invoice.objects.get(pk=bill.pk).status == InvoiceStatus.CREDITED
    assert client.post(url, asked(confirm="1", seen=str(bill.total))).status_code == 422
    note = Invoice.objects.get(corrects=bill)
    assert client.get(f"/dealer/invoices/{note.pk}/credit/").status_code == 404


def test_only_its_seller_and_who_may_bill(bill: Invoice, cast: Cast) -> None:
    url = f"/dealer/invoices/{bill.pk}/credit/"
    for name in ("support.harbour", "reader.harbour"):
        assert cast.client(name).get(url).status_code == 403
        assert cast.client(name).post(url, asked(confirm="1", seen=str(bill.total))).status_code == 403
    for name in ("outsider", "pier", "alice"):
        assert cast.client(name).post(url, asked(confirm="1", seen=str(bill.total))).status_code == 404
    assert cast.client("northstar").get(f"/operator/invoices/{bill.pk}/credit/").status_code == 404
    assert not Invoice.objects.filter(corrects=bill).exists()


def send(client: Client, bill: Invoice, body: dict[str, Any], key: str) -> Any:
    url = f"/api/v1/invoices/{bill.pk}/credit/"
    return client.post(url, json.dumps(body), content_type="application/json", headers={"Idempotency-Key": key})


def test_by_api(bill: Invoice, cast: Cast) -> None:
    client = cast.client("finance.harbour")
    body = {"reason": WHY, "lines": [{"position": 1, "amount": "0.50"}]}
    one, two = send(client, bill, body, "k1"), send(client, bill, body, "k1")
    assert one.status_code == two.status_code == 201, one.content
    assert one.json()["id"] == two.json()["id"]
    assert (one.json()["kind"], one.json()["corrects"]) == ("credit_note", bill.number)
    assert send(client, bill, {"reason": WHY, "lines": [{"position": 99}]}, "k2").status_code == 400
    rest = send(client, bill, {"reason": WHY}, "k3").json()
    assert Decimal(one.json()["total"]) + Decimal(rest["total"]) == bill.total
    assert send(client, bill, {"reason": WHY}, "k4").status_code == 409
    assert send(cast.client("alice"), bill, {"reason": WHY}, "k5").status_code == 403
    assert send(cast.client("outsider"), bill, {"reason": WHY}, "k6").status_code == 404
