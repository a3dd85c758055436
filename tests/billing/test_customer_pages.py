"""The end user's portal: what Alice sees of her own money and calls, and that nobody else's ever shows."""

from __future__ import annotations

import csv
import io
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from billing.formatting import money_text
from invoicing.services import documents
from invoicing.services.drafts import run
from invoicing.services.issuing import approve, issue
from rating.models import CarrierChoice, RatedCall
from tests.cast import ACTOR, Cast
from tests.invoicing.month import OCTOBER, bill_of, load_calls

PLACES = ("", "calls/?period=all", "prices/", "invoices/", "account/", "account/members/")


@pytest.fixture
def october(cast: Cast, tmp_path: Path, settings: Any) -> Cast:
    """Alice and Bob called through October; Harbour billed Alice."""
    settings.MEDIA_ROOT = str(tmp_path / "files")
    for code, amount in (("harbour", 500), ("pier", 100), ("alice", 100), ("bob", 100)):
        cast.fund(code, amount)
    load_calls(cast, tmp_path, ["alice", "bob"])
    run(cast.party("harbour"), OCTOBER, actor=ACTOR)
    bill = issue(approve(bill_of(cast, "alice"), actor=ACTOR), actor=ACTOR)
    documents.render(bill)
    return cast


def page(client: Client, path: str, **data: Any) -> str:
    answer = client.get(f"/customer/{path}", data)
    assert answer.status_code == 200, path
    return answer.content.decode()


def test_home_says_what_there_is_and_what_it_means(october: Cast) -> None:
    wallet = october.wallet("alice")
    text = page(october.client("alice"), "")
    assert "Available" in text
    assert str(money_text(wallet.available, "EUR")).split("\xa0")[0] in text
    assert "Calls stop at 0." in text
    assert "minutes to " in text


def test_an_empty_wallet_is_told_in_words_and_a_low_one_too(cast: Cast) -> None:
    alice = cast.client("alice")
    assert "Nothing is left, so new calls are refused." in page(alice, "")
    cast.fund("alice", 5)
    alice.post("/customer/account/warning/", {"warn_below": "20"})
    assert "below your warning balance of 20.00\xa0EUR" in page(alice, "")


def test_minutes_left_are_those_the_call_control_would_give(october: Cast) -> None:
    """What home promises is affordable to the second, and one increment more is not."""
    from rating.selectors.tariffs import Tariff

    viewer = october.viewer("alice")
    tariff = Tariff(viewer, october.party("alice"))
    found = tariff.of_digits("8613800138000")
    assert found is not None
    seconds = tariff.seconds_for(found, Decimal("1.00"))
    per_second = found.row.price * Decimal("1.19") / 60
    assert per_second * seconds <= Decimal("1.0001")
    assert per_second * (seconds + 2) > Decimal("1.00")


def test_a_call_shows_its_cost_and_never_the_sellers(october: Cast) -> None:
    alice = october.client("alice")
    call = RatedCall.objects.filter(buyer=october.party("alice")).first()
    assert call is not None
    assert call.cost is not None
    text = page(alice, f"calls/{call.pk}/")
    assert "192.0.2.7" in text
    assert "pbx/1.0" in text
    for secret in ("mark-up", "margin", "Northstar", "exchange rate", f"{call.cost.normalize():f}"):
        assert secret.lower() not in text.lower(), secret


def test_anothers_call_invoice_and_pages_are_not_there(october: Cast) -> None:
    alice, bob = october.client("alice"), october.client("bob")
    call = RatedCall.objects.filter(buyer=october.party("alice")).first()
    resold = RatedCall.objects.filter(buyer=october.party("harbour")).first()
    assert call is not None
    assert resold is not None
    bill = bill_of(october, "alice")
    assert bob.get(f"/customer/calls/{call.pk}/").status_code == 404
    assert alice.get(f"/customer/calls/{resold.pk}/").status_code == 404
    for path in ("", "pdf/", "csv/", "docx/"):
        assert bob.get(f"/customer/invoices/{bill.pk}/{path}").status_code == 404
        assert alice.get(f"/customer/invoices/{bill.pk}/{path}").status_code == 200
    assert alice.get(f"/customer/invoices/{bill.pk}/exe/").status_code == 404
    member = october.member("bob")
    assert alice.get(f"/customer/account/members/{member.pk}/").status_code == 404
    for path in PLACES:
        assert Client().get(f"/customer/{path}").headers["Location"].startswith("/auth/login/")
        assert october.client("harbour").get(f"/customer/{path}").status_code == 404


def test_the_export_holds_exactly_what_is_filtered(october: Cast) -> None:
    alice = october.client("alice")
    mine = RatedCall.objects.filter(buyer=october.party("alice"))
    for query, expected in (
        ({"period": "all"}, mine),
        ({"since": "2026-10-01", "until": "2026-10-31", "to": "+44 20"}, mine.filter(number__startswith="4420")),
        ({"period": "all", "to": "China"}, mine.filter(destination="China")),
        ({"period": "all", "over": "0.05"}, mine.filter(sale__gt="0.05")),
        ({}, mine.none()),
    ):
        answer = alice.get("/customer/calls/export.csv", query)
        rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))  # type: ignore[attr-defined]
        assert sum((Decimal(row["cost"]) for row in rows), Decimal(0)) == sum((c.sale for c in expected), Decimal(0))
        assert len(rows) == expected.count()
        assert all("cost_currency" not in row and "margin" not in row for row in rows)


def test_filters_read_as_a_sentence_and_the_foot_sums_them(october: Cast) -> None:
    text = page(october.client("alice"), "calls/", period="all", to="Hong Kong", over="0.01")
    assert "to Hong Kong" in text
    assert "over 0.01" in text
    found = RatedCall.objects.filter(buyer=october.party("alice"), destination="Hong Kong", sale__gt="0.01")
    total = sum((call.sale for call in found), Decimal(0))
    assert f"{total:.2f}" in text


@pytest.mark.parametrize(
    "query", [{"over": "abc"}, {"since": "tomorrow"}, {"after": "x"}, {"period": "never"}, {"to": "\0"}]
)
def test_a_filter_that_cannot_be_read_is_no_error(october: Cast, query: dict[str, str]) -> None:
    page(october.client("alice"), "calls/", **query)


def test_a_price_looked_up_is_the_price_charged(october: Cast) -> None:
    call = RatedCall.objects.filter(buyer=october.party("alice"), destination="Hong Kong").first()
    assert call is not None
    price = Decimal(call.terms.body["rate"]["price"])
    alice = october.client("alice")
    for asked in ("hong kong", "852", "+852 2555 0123", "0085225550123"):
        assert f"{price:.4f}" in page(alice, "prices/", to=asked), asked
    assert "No destination is called" in page(alice, "prices/", to="Atlantis")
    assert "Northstar" not in page(alice, "prices/", to="a")


def test_choosing_a_carrier_counts_from_now_on_and_stays_written(october: Cast) -> None:
    alice = october.client("alice")
    assert "Boreal Transit" in page(alice, "prices/")
    assert "From now on" in page(alice, "prices/carrier/boreal/")
    assert alice.post("/customer/prices/carrier/boreal/").headers["Location"] == "/customer/prices/"
    choice = CarrierChoice.objects.get(party=october.party("alice"))
    assert (choice.carrier.code, choice.valid_to) == ("boreal", None)
    assert "alice@cast.example" in page(alice, "prices/")
    assert alice.post("/customer/prices/carrier/nobody/").status_code == 404


def test_the_invoice_page_agrees_with_the_bill(october: Cast) -> None:
    bill = bill_of(october, "alice")
    text = page(october.client("alice"), f"invoices/{bill.pk}/")
    assert bill.number is not None
    assert bill.number in text
    assert f"{bill.total:.2f}" in text
    pdf = october.client("alice").get(f"/customer/invoices/{bill.pk}/pdf/")
    assert b"".join(pdf.streaming_content).startswith(b"%PDF")  # type: ignore[attr-defined]


def test_details_and_warning_balance_are_saved_or_refused_at_the_field(cast: Cast) -> None:
    alice = cast.client("alice")
    assert alice.post("/customer/account/warning/", {"warn_below": "12.50"}).status_code == 302
    assert cast.wallet("alice").warn_below == Decimal("12.50")
    assert alice.post("/customer/account/warning/", {"warn_below": "a lot"}).status_code == 422
    assert alice.post("/customer/account/warning/", {"warn_below": ""}).status_code == 302
    assert cast.wallet("alice").warn_below is None
    answer = alice.post("/customer/account/details/", {"name": "Alice Inn", "email": "new@alice.example"})
    assert answer.status_code == 302
    assert cast.party("alice").name == "Alice Inn"


def test_members_are_invited_and_the_last_owner_stays(cast: Cast, mailoutbox: list[Any]) -> None:
    alice = cast.client("alice")
    answer = alice.post("/customer/account/members/invite/", {"email": "desk@alice.example", "role": "reader"})
    assert answer.status_code == 302
    assert "desk@alice.example" in page(alice, "account/members/")
    owner = cast.member("alice")
    answer = alice.post(f"/customer/account/members/{owner.pk}/switch/", follow=True)
    assert "last owner" in answer.content.decode()
    answer = alice.post("/customer/account/keys/new/", {"name": "hotel system", "role": "reader"}, follow=True)
    assert "Copy it now" in answer.content.decode()
    assert "hotel system" in answer.content.decode()


@pytest.mark.parametrize("path", PLACES)
def test_a_page_asks_the_database_as_often_for_many_rows_as_for_few(
    cast: Cast, tmp_path: Path, path: str, django_assert_max_num_queries: Any
) -> None:
    for code in ("harbour", "alice"):
        cast.fund(code, 500)
    alice = cast.client("alice")
    load_calls(cast, tmp_path, ["alice"], calls=5)
    page(alice, path)
    few = count_queries(alice, path)
    load_calls(cast, tmp_path, ["alice"], calls=60, day=date(2026, 11, 1), tag="more")
    assert count_queries(alice, path) == few


def count_queries(client: Client, path: str) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as caught:
        page(client, path)
    return len(caught)
