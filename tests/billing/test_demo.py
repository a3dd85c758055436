"""The demo: told the same each time, through the services people use, once; its books are clean."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import phonenumbers
import pytest
from django.core.management import call_command

from accounts.models import Transfer, Wallet
from accounts.services.accounts import wallet_of
from billing.books import violations
from billing.demo import loading
from billing.demo.calls import Place, month_of_calls, telephone, until
from billing.demo.customers import CUSTOMERS
from billing.demo.deck import DeckRow, write_csv
from billing.demo.files import write_asterisk, write_generic
from billing.demo.loading import Scale, load_demo
from billing.demo.story import LOGINS, OWNER_OF, PASSWORD
from invoicing.models import Invoice, InvoiceKind
from rating.models import CarrierChoice, Quarantined, RatedCall, UsageImport, UsageRecord
from rating.numbers.countries import CALLING_CODES
from tiers.models import Brand, Member, Party, Status

OCTOBER = date(2026, 10, 1)
PRICE = Decimal("0.0120")
NOW = datetime(2026, 11, 21, 10, 30, tzinfo=UTC)
BERLIN = Place("Europe/Berlin", "DE")
ALSTER = next(customer for customer in CUSTOMERS if customer.code == "alster-hotel")


# -- the calls ----------------------------------------------------------------------------------------------------
def test_the_same_month_is_told_the_same_way_and_another_differently() -> None:
    told = month_of_calls(ALSTER, OCTOBER, BERLIN)
    assert told == month_of_calls(ALSTER, OCTOBER, BERLIN)
    assert len(told) == ALSTER.calls
    assert {call.call_id for call in told}.isdisjoint(
        call.call_id for call in month_of_calls(ALSTER, date(2026, 11, 1), BERLIN)
    )


def test_a_month_of_calls_looks_like_a_month_of_calls() -> None:
    told = month_of_calls(ALSTER, OCTOBER, BERLIN)
    zone = ZoneInfo("Europe/Berlin")
    assert all(call.started_at.astimezone(zone).month == 10 for call in told)
    unanswered = sum(not call.seconds for call in told) / len(told)
    assert 0.2 < unanswered < 0.3
    night = sum(call.started_at.astimezone(zone).hour in (2, 3, 4) for call in told)
    evening = sum(call.started_at.astimezone(zone).hour in (18, 19, 20) for call in told)
    assert night * 5 < evening
    assert all(call.answered_at is None or call.answered_at > call.started_at for call in told)
    assert max(call.seconds for call in told) <= 5400
    abroad = [call for call in told if call.carrier and not call.callee.startswith("49")]
    assert len(abroad) > len(told) / 4


def test_after_the_change_calls_go_by_the_other_carrier() -> None:
    moved_at = datetime(2026, 10, 15, 12, tzinfo=UTC)
    told = month_of_calls(ALSTER, OCTOBER, BERLIN, moved_at=moved_at)
    after = [call.carrier for call in told if call.started_at >= moved_at and not call.callee.startswith("49")]
    assert after.count("boreal") > 20 * after.count("atlas")


def test_only_what_has_ended_is_reported() -> None:
    told = month_of_calls(ALSTER, OCTOBER, BERLIN)
    middle = told[len(told) // 2].started_at
    shown = list(until(told, middle))
    assert 0.4 < len(shown) / len(told) < 0.51
    assert all(call.answered_at is None or call.answered_at < middle for call in shown)


def test_everybody_has_telephones_of_their_own_that_could_exist() -> None:
    numbers = [telephone(customer, extension) for customer in CUSTOMERS for extension in range(8)]
    assert len(set(numbers)) == len(numbers)
    assert all(phonenumbers.is_possible_number(phonenumbers.parse(f"+{number}")) for number in numbers)


def test_a_file_has_a_few_broken_lines_and_is_the_same_each_time(tmp_path: Path) -> None:
    calls = month_of_calls(ALSTER, OCTOBER, BERLIN)[:400]
    zone = ZoneInfo("Europe/Berlin")
    one, two = tmp_path / "a" / "x.csv", tmp_path / "b" / "x.csv"
    for path in (one, two):
        path.parent.mkdir()
        assert write_generic(path, calls, zone, "DE", plain=False) == 411
    assert one.read_bytes() == two.read_bytes()
    assert write_asterisk(tmp_path / "Master.csv", calls, zone, "DE") == 400
    with (tmp_path / "Master.csv").open() as file:
        assert {len(row) for row in csv.reader(file)} == {18}


# -- the load -----------------------------------------------------------------------------------------------------
@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path) -> list[str]:
    """Decks of a line for each country, nothing printed or mailed; what was said to the person."""

    def short_decks(folder: Path, effective: date) -> None:
        for code in ("atlas", "boreal"):
            rows = [DeckRow(f"Country {prefix}", prefix, PRICE, effective, "1/1") for prefix in sorted(CALLING_CODES)]
            write_csv(folder / f"{code}.csv", rows)

    settings.DEMO = True
    settings.MEDIA_ROOT = str(tmp_path)
    monkeypatch.setattr(loading, "write_decks", short_decks)
    monkeypatch.setattr("invoicing.services.runs.documents.render", lambda _invoice: [])
    monkeypatch.setattr("invoicing.services.runs._mail", lambda _invoices, _outcome: None)
    return []


@pytest.mark.django_db(transaction=True)
def test_the_story_is_told_once_even_if_cut_off_and_its_books_are_clean(
    small: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _cut_off(small, monkeypatch)
    told = load_demo(small.append, scale=Scale(0.02, workers=1), now=NOW)
    assert told["parties"] == 6 + len(CUSTOMERS)
    assert any("Importing" in line for line in small)
    _people()
    _calls()
    _money()
    assert list(violations()) == []

    transfers, imports = Transfer.objects.count(), UsageImport.objects.count()
    assert load_demo(small.append, scale=Scale(0.02, workers=1), now=NOW) == told
    assert (Transfer.objects.count(), UsageImport.objects.count()) == (transfers, imports)


def _cut_off(small: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_args: object, **_kwargs: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as cut:
        cut.setattr(loading, "pay_invoices", stop)
        with pytest.raises(KeyboardInterrupt):
            load_demo(small.append, scale=Scale(0.02, workers=1), now=NOW)
    assert not loading.is_loaded()


def _people() -> None:
    for login in LOGINS:
        member = Member.objects.get(email=login.email)
        assert member.check_password(PASSWORD)
        assert member.party.kind == login.portal
    assert set(OWNER_OF) == set(Party.objects.exclude(kind="customer").values_list("code", flat=True))
    assert {brand.currency for brand in Brand.objects.exclude(owner__kind="operator")} >= {"EUR", "HKD", "GBP"}
    assert all(bytes(brand.logo or b"").startswith(b"\x89PNG") for brand in Brand.objects.all())
    assert Party.objects.get(code="pension-anker").status == Status.BLOCKED
    assert CarrierChoice.objects.filter(valid_to__isnull=False).count() == 5


def _calls() -> None:
    records = UsageRecord.objects.count()
    assert records > 1000
    assert Quarantined.objects.exists()
    assert UsageRecord.objects.filter(status="rated").count() > records * 0.6
    unrated = UsageRecord.objects.filter(status="unrated").count()
    assert unrated < records * 0.05, "only what nobody sells is unrated"
    assert UsageRecord.objects.filter(src_ip__isnull=False, src_port__isnull=False).exists()
    bob = RatedCall.objects.filter(customer__code="maas-hotel").values_list("seller__code", flat=True)
    assert set(bob) == {"pier", "harbour", "northstar"}, "one call, three sellers"


def _money() -> None:
    low = [
        wallet.account.owner.code for wallet in Wallet.objects.select_related("account__owner") if wallet.available <= 0
    ]
    assert low == []
    assert wallet_of(Party.objects.get(code="marina-shop")).available < 5
    invoices = Invoice.objects.filter(month=OCTOBER)
    assert invoices.filter(kind=InvoiceKind.INVOICE).exists()
    assert invoices.filter(kind=InvoiceKind.STATEMENT).exists()
    assert not invoices.filter(number=None).exists()
    assert not Invoice.objects.exclude(month=OCTOBER).exists()
    hops = Transfer.objects.filter(reason__startswith="Goodwill").values_list("amount", flat=True)
    assert list(hops) == [Decimal(50)] * 3, "from the operator through two dealers"


# -- where it may not be loaded -----------------------------------------------------------------------------------
def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as left:
        call_command("demo", *arguments)
    assert left.value.code == 1
    return capsys.readouterr().err


@pytest.mark.django_db
def test_known_passwords_stay_out_of_other_databases(settings: Any, capsys: pytest.CaptureFixture[str]) -> None:
    settings.DEMO = False
    assert "--demo" in refused(capsys)
    assert not Party.objects.exists()


def test_a_database_with_somebodys_tree_is_left_alone(
    cast: object, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.DEMO = False
    before = Party.objects.count()
    assert "not empty" in refused(capsys, "--demo")
    settings.DEMO = True
    Brand.objects.filter(code="northstar").update(code="another")
    assert "an operator already" in refused(capsys)
    assert Party.objects.count() == before
