"""The seller's bank on its pages: a file is brought in, what waits is given to its customer; what is owed by age."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import Sum

from invoicing.models import BankEntry, EntryStatus, Invoice
from invoicing.selectors import ageing
from tests.billing.test_api import Program
from tests.cast import Cast
from tests.invoicing.bank import line, table, two_bills


@pytest.fixture(autouse=True)
def files_of_this_test(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "files")


def test_meadow_brings_in_its_statement_and_says_whose_the_rest_is(cast: Cast, tmp_path: Path) -> None:
    september, october = two_bills(cast, tmp_path)
    browser = cast.client("meadow")
    assert "No bank file yet" in browser.get("/dealer/invoices/bank/").content.decode()
    content = table(line(september.total, f"{september.number}", "1"), line(october.total, "thanks", "2"))
    for _twice in range(2):
        upload = {"file": SimpleUploadedFile("november.csv", content)}
        assert browser.post("/dealer/invoices/bank/upload/", upload).status_code == 302
    assert BankEntry.objects.count() == 2
    page = browser.get("/dealer/invoices/bank/?status=waiting").content.decode()
    assert "1 entry waits for you" in page
    url = f"/dealer/invoices/bank/{BankEntry.objects.get(bank_reference='2').pk}/"
    assert f"?numbers={october.number}" in browser.get(url).content.decode(), "just this amount is open on October"
    assert browser.post(url, {"buyer": "", "numbers": ""}).status_code == 422
    assert browser.post(url, {"buyer": "", "numbers": "MH2026-99999"}).status_code == 422
    assert browser.post(url, {"buyer": "", "numbers": october.number}).status_code == 302
    assert browser.post(url, {"buyer": "", "numbers": october.number}).status_code == 422, "it is booked already"
    assert "Paid by Dave Hosting" in browser.get(url).content.decode()
    assert cast.wallet("dave").posted == 0
    assert browser.post(f"{url}undo/", {"reason": ""}).status_code == 422
    assert browser.post(f"{url}undo/", {"reason": "not his"}).status_code == 302
    assert browser.post(f"{url}aside/", {"reason": "a gift"}).status_code == 302
    assert BankEntry.objects.get(bank_reference="2").status == EntryStatus.ASIDE
    assert cast.wallet("dave").posted == -october.total


def test_a_bad_file_is_refused_in_words_and_nothing_is_kept(cast: Cast) -> None:
    answer = cast.client("meadow").post(
        "/dealer/invoices/bank/upload/", {"file": SimpleUploadedFile("a.csv", b"date;amount\n2026-11-20;1,234\n")}
    )
    assert answer.status_code == 422
    assert "can be read in two ways" in answer.content.decode()
    assert BankEntry.objects.count() == 0


def test_the_bank_is_its_sellers_own_affair(cast: Cast, tmp_path: Path) -> None:
    two_bills(cast, tmp_path)
    upload = {"file": SimpleUploadedFile("november.csv", table(line("5.00", "thanks", "2")))}
    cast.client("meadow").post("/dealer/invoices/bank/upload/", upload)
    key = BankEntry.objects.get().pk
    for who, portal in (("outsider", "dealer"), ("harbour", "dealer"), ("northstar", "operator")):
        browser = cast.client(who)
        for deed in ("", "aside/", "undo/"):
            url = f"/{portal}/invoices/bank/{key}/{deed}"
            assert browser.get(url).status_code == 404, (who, deed)
            assert browser.post(url, {"reason": "mine", "buyer": "", "numbers": "x"}).status_code == 404, (who, deed)
    reader = cast.client("reader.harbour")
    upload = {"file": SimpleUploadedFile("november.csv", table(line("5.00", "thanks", "2")))}
    assert reader.post("/dealer/invoices/bank/upload/", upload).status_code == 403
    assert BankEntry.objects.count() == 1


def test_ageing_adds_up_to_the_open_invoices_on_any_day(cast: Cast, tmp_path: Path) -> None:
    september, october = two_bills(cast, tmp_path)
    viewer, due = cast.viewer("meadow"), september.due_date
    assert due is not None
    both = september.total + october.total
    for days, band in ((-1, 0), (0, 0), (1, 1), (30, 1), (31, 2), (60, 2), (61, 3), (90, 3), (91, 4), (2000, 4)):
        (row,) = ageing.aged(viewer, due + timedelta(days=days))
        assert (row.code, row.currency) == ("dave", "GBP")
        assert row.amounts == tuple(both if at == band else Decimal(0) for at in range(5)), days
        assert [one.amounts for one in ageing.sums(viewer, due + timedelta(days=days))] == [row.amounts]
    assert both == Invoice.objects.filter(seller=cast.meadow).aggregate(open=Sum("due"))["open"]
    assert ageing.aged(cast.viewer("outsider"), date(2027, 1, 1)) == []


def test_what_is_owed_is_given_as_a_file(cast: Cast, tmp_path: Path) -> None:
    september, october = two_bills(cast, tmp_path)
    browser = cast.client("meadow")
    assert "Dave Hosting" in browser.get("/dealer/invoices/ageing/").content.decode()
    text = browser.get("/dealer/invoices/ageing/file/csv/").content.decode()
    (row,) = csv.DictReader(io.StringIO(text))
    assert (row["customer"], Decimal(row["total"])) == ("dave", september.total + october.total)
    assert browser.get("/dealer/invoices/ageing/file/xlsx/").status_code == 200
    assert browser.get("/dealer/invoices/ageing/file/pdf/").status_code == 404


def test_a_program_brings_in_a_statement_and_decides_what_waits(cast: Cast, tmp_path: Path) -> None:
    september, october = two_bills(cast, tmp_path)
    meadow = Program(cast, "meadow")
    content = table(line(september.total, f"{september.number}", "1"), line("0.30", "thanks", "2"))
    for fresh in (2, 0):
        body = {"file": SimpleUploadedFile("november.csv", content)}
        answer = meadow.client.post("/api/v1/bank-entries/upload/", body)
        assert (answer.status_code, answer.json()["fresh"], answer.json()["waiting"]) == (201, fresh, 1)
    (waits,) = meadow.get("bank-entries/", status="waiting").json()["results"]
    one = f"bank-entries/{waits['id']}"
    assert meadow.post(f"{one}/book/", {}).status_code == 400
    assert meadow.post(f"{one}/book/", {"invoices": october.number}).json()["status"] == "booked"
    assert meadow.post(f"{one}/book/", {"invoices": october.number}).status_code == 409
    (owed,) = meadow.get("ageing/").json()
    assert (owed["customer"], Decimal(owed["total"])) == ("dave", october.total - Decimal("0.30"))
    assert meadow.post(f"{one}/undo/", {"reason": "not his"}).json()["status"] == "waiting"
    assert meadow.post(f"{one}/aside/", {"reason": "a gift"}).json()["status"] == "aside"
    assert Program(cast, "outsider").post(f"{one}/aside/", {"reason": "mine"}).status_code == 404
    reader = Program(cast, "meadow", "reader")
    assert reader.post(f"{one}/book/", {"customer": "dave"}).status_code == 403
