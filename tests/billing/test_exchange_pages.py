"""Exchange rates on the operator's pages and by API: a preview first, then the import; a dealer only reads."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from rating.models import ExchangeRate
from rating.services import exchange_fetch
from rating.services.exchange_files import import_rates
from tests.billing.test_api import Program
from tests.cast import ACTOR
from tests.rating.ecb_help import daily_csv, daily_xml
from tiers.errors import Invalid

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.django_db
FRIDAY = date(2026, 11, 20)
RATES = {"USD": "1.0852", "HKD": "8.4512"}
UPLOAD = "/operator/prices/exchange/file/"


def upload(browser: Client, content: bytes, name: str = "eurofxref.csv") -> str:
    """The address of the preview."""
    answer = browser.post(UPLOAD, {"file": SimpleUploadedFile(name, content)})
    assert answer.status_code == 302
    return str(answer["Location"])


def test_the_operator_sees_what_changes_before_it_says_yes(cast: Cast) -> None:
    browser = cast.client("northstar")
    preview = upload(browser, daily_csv(FRIDAY, RATES))
    page = browser.get(preview).content.decode()
    assert "Nothing is written yet" in page
    assert "8.4512" in page
    assert not ExchangeRate.objects.filter(base="EUR").exists()
    done = browser.post(preview, follow=True)
    assert "2 rates added" in done.content.decode()
    assert ExchangeRate.objects.filter(base="EUR", origin="file").count() == 2
    assert browser.get(preview).status_code == 404
    history = browser.get("/operator/prices/exchange/EUR/HKD/").content.decode()
    assert "8.4512" in history


def test_the_same_file_again_offers_nothing_to_import(cast: Cast) -> None:
    import_rates(daily_csv(FRIDAY, RATES), actor=ACTOR)
    browser = cast.client("northstar")
    page = browser.get(upload(browser, daily_xml(FRIDAY, RATES), "eurofxref-daily.xml")).content.decode()
    assert "there is nothing to import" in page
    assert ">Import</button>" not in page


def test_a_file_that_is_none_says_so(cast: Cast) -> None:
    browser = cast.client("northstar")
    page = browser.get(upload(browser, b"prefix,price\n44,1\n")).content.decode()
    assert "This is not a file of exchange rates." in page


def test_another_session_does_not_know_the_upload(cast: Cast) -> None:
    preview = upload(cast.client("northstar"), daily_csv(FRIDAY, RATES))
    assert cast.client("northstar").get(preview).status_code == 404
    assert cast.client("harbour").post(UPLOAD).status_code == 404


def test_by_api_the_operator_writes_and_everybody_reads(cast: Cast) -> None:
    operator, dealer = Program(cast, "northstar"), Program(cast, "harbour")
    sent = operator.client.post(
        "/api/v1/exchange-rates/import/", {"file": SimpleUploadedFile("a.xml", daily_xml(FRIDAY, RATES))}
    )
    assert (sent.status_code, sent.json()["added"]) == (200, 2)
    said = dealer.get("exchange-rates/holds/", base="USD", quote="HKD", at="2026-11-20T12:00:00Z").json()
    assert (said["rate"], said["through"], said["since"]) == ("7.78768891", "EUR", "2026-11-20T00:00:00Z")
    listed = dealer.get("exchange-rates/", base="EUR").json()["results"]
    assert {row["quote"]: row["rate"] for row in listed} == {"USD": "1.08520000", "HKD": "8.45120000"}
    refused = dealer.post("exchange-rates/", {"base": "EUR", "quote": "CHF", "rate": "0.93"})
    assert refused.status_code == 403
    typed = operator.post("exchange-rates/", {"base": "EUR", "quote": "CHF", "rate": "0.93"})
    assert typed.status_code == 201
    assert dealer.get("exchange-rates/holds/", base="EUR", quote="ISK").status_code == 404


class Answer:
    def __init__(self, content: bytes) -> None:
        self.content = content

    def __enter__(self) -> Answer:
        return self

    def __exit__(self, *args: object) -> None:
        return None

    def read(self, most: int) -> bytes:
        return self.content[:most]


def test_the_bank_is_asked_at_its_own_address_alone(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def answering(content: bytes) -> Any:
        def opened(request: Any, timeout: int) -> Answer:
            asked.append(request.full_url)
            return Answer(content)

        return opened

    monkeypatch.setattr(exchange_fetch, "urlopen", answering(daily_xml(FRIDAY, RATES)))
    first, second = exchange_fetch.fetch_rates(), exchange_fetch.fetch_rates()
    assert first is not None
    assert second is not None
    assert (first.added, second.added, second.unchanged) == (2, 0, 2)
    assert set(asked) == {"https://www.ecb.europa.eu/stats/eurofxref/eurofxref-daily.xml"}
    monkeypatch.setattr(exchange_fetch, "urlopen", answering(b"<html>moved</html>"))
    with pytest.raises(Invalid):
        exchange_fetch.fetch_rates()

    def down(request: Any, timeout: int) -> Answer:
        raise TimeoutError

    monkeypatch.setattr(exchange_fetch, "urlopen", down)
    assert exchange_fetch.fetch_rates() is None
