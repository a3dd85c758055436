"""Accounting in the portals and by the API: a seller's own books, for who may move money, and for nobody else."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from invoicing.models import ChartCode
from tests.cast import Cast


def days() -> dict[str, str]:
    today = timezone.now().date()
    return {"since": str(today - timedelta(days=1)), "until": str(today + timedelta(days=1))}


@pytest.fixture
def funded(cast: Cast) -> Cast:
    cast.fund("harbour", 900)
    cast.fund("alice", 100)
    cast.fund("mallory", 10)
    return cast


def body(answer: Any) -> str:
    return b"".join(answer.streaming_content).decode() if answer.streaming else answer.content.decode()


def test_harbours_bookkeeper_sees_the_balances_and_takes_the_journal_away(funded: Cast) -> None:
    client = funded.client("finance.harbour")
    page = client.get(reverse("dealer:books"), days())
    assert page.status_code == 200
    assert "100.00" in page.content.decode()
    assert "900.00" not in page.content.decode(), "what Harbour was given stands in its seller's books"
    answer = client.get(reverse("dealer:books_file", args=["journal", "csv"]), days())
    rows = list(csv.DictReader(io.StringIO(body(answer))))
    assert [(row["account"], row["debit"], row["credit"]) for row in rows] == [
        ("4800", "100.000000", ""),
        ("2100", "", "100.000000"),
    ]
    assert 'attachment; filename="harbour-journal-EUR' in answer.headers["Content-Disposition"]


def test_who_only_reads_or_supports_sees_no_books(funded: Cast) -> None:
    for name in ("reader.harbour", "support.harbour"):
        client = funded.client(name)
        for page in ("books", "books_chart", "books_code"):
            assert client.get(reverse(f"dealer:{page}")).status_code == 403, page
        assert client.get(reverse("dealer:books_file", args=["tax", "csv"])).status_code == 403
        assert client.get("/api/v1/books/", days()).status_code == 403
        assert client.get("/api/v1/books/journal/csv/", days()).status_code == 403
        assert "Accounting" not in client.get(reverse("dealer:home")).content.decode()


def test_each_seller_gets_its_own_books_alone(funded: Cast) -> None:
    for name, other in (("outsider", "alice"), ("harbour", "mallory")):
        client = funded.client(name)
        text = body(client.get("/api/v1/books/journal/csv/", days()))
        assert other not in text
        assert text.count("\n") > 1
    assert funded.client("outsider").get("/api/v1/books/", days() | {"brand": "harbour"}).status_code == 404
    assert funded.client("alice").get("/api/v1/books/", days()).status_code == 404, "a customer sells nothing"
    assert funded.client("harbour").get(reverse("dealer:books"), {"brand": "quarry"}).status_code == 404
    assert funded.client("harbour").get(reverse("dealer:books"), {"currency": "XAF"}).status_code == 404


def test_days_of_no_use_are_said_not_an_error(funded: Cast) -> None:
    client = funded.client("harbour")
    for since, until in (("2026-11-02", "2026-11-01"), ("yesterday", ""), ("1900-01-01", "2200-01-01")):
        page = client.get(reverse("dealer:books"), {"since": since, "until": until})
        assert page.status_code == 200
        assert "tg-why" in page.content.decode()
        assert client.get("/api/v1/books/", {"since": since, "until": until}).status_code == 400


def test_codes_are_mapped_on_a_page_and_by_the_api(funded: Cast) -> None:
    client = funded.client("harbour")
    form = {"position": "deposits", "code": "1701", "of": "alice"}
    assert client.post(reverse("dealer:books_code"), form).status_code == 302
    assert "1701" in client.get(reverse("dealer:books_chart")).content.decode()
    refused = client.post(reverse("dealer:books_code"), form | {"of": "mallory"})
    assert refused.status_code == 422
    assert client.post(reverse("dealer:books_code"), form | {"code": "=1"}).status_code == 422
    put = client.put("/api/v1/books/chart/", {"position": "tax", "code": "1776"}, content_type="application/json")
    assert {(one["position"], one["of"], one["code"]) for one in put.json()} == {
        ("tax", "", "1776"),
        ("deposits", "alice", "1701"),
    }
    rows = client.get("/api/v1/books/", days()).json()
    assert ("1701", "alice", "100") in {(row["account"], row["party"], row["closing"].split(".")[0]) for row in rows}
    assert ChartCode.objects.count() == 2
    assert funded.client("outsider").get("/api/v1/books/chart/").json() == []
