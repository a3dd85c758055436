"""Money on the bank account becomes payments: once, for the invoices that the payer named, and undone when wrong."""

from __future__ import annotations

import threading
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from accounts.models import Transfer, TransferKind
from billing.books import violations
from invoicing.bank.camt import camt_entries
from invoicing.bank.table import csv_entries
from invoicing.models import BankEntry, EntryStatus, Invoice, InvoiceStatus, PaymentMatch
from invoicing.services.bank_files import Imported, import_bank
from invoicing.services.bank_matching import book, invoices_named, set_aside, undo
from tests.cast import ACTOR, Cast
from tests.invoicing.bank import camt, entry, line, table, two_bills
from tests.invoicing.month import pay
from tiers.errors import Conflict, Invalid, NotFound


@pytest.fixture(autouse=True)
def files_of_this_test(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "files")


def bring(cast: Cast, content: bytes) -> Imported:
    return import_bank(cast.party("meadow"), "november.csv", content, actor=ACTOR)


def again(*bills: Invoice) -> list[Decimal]:
    for bill in bills:
        bill.refresh_from_db()
    return [bill.due for bill in bills]


def payments() -> int:
    return int(Transfer.objects.filter(kind=TransferKind.PAYMENT, reverses=None).count())


def test_a_payment_that_names_its_invoice_pays_that_one_and_not_the_oldest(cast: Cast, tmp_path: Path) -> None:
    september, october = two_bills(cast, tmp_path)
    done = bring(cast, table(line(october.total, f"Your invoice {october.number}", "B1")))
    assert (done.fresh, done.booked, done.waiting) == (1, 1, 0)
    assert again(september, october) == [september.total, 0]
    assert october.status == InvoiceStatus.PAID
    transfer = Transfer.objects.get(kind=TransferKind.PAYMENT)
    assert transfer.details["received_on"] == "2026-11-20", "the bank's value date"
    assert transfer.amount == october.total
    pay(cast, "dave", Decimal("0.01"), "by-hand")
    assert again(september, october) == [september.total - Decimal("0.01"), 0], "what names none pays the oldest open"
    assert list(violations()) == []


def test_the_same_file_twice_and_one_that_overlaps_book_nothing_twice(cast: Cast, tmp_path: Path) -> None:
    september, october = two_bills(cast, tmp_path)
    first, second = line(september.total, f"{september.number}"), line(october.total, f"{october.number}")
    bring(cast, table(first))
    done = bring(cast, table(first))
    assert (done.fresh, done.known, done.booked) == (0, 1, 0)
    done = bring(cast, table(first, second))
    assert (done.fresh, done.known, done.booked) == (1, 1, 1)
    assert payments() == 2
    assert again(september, october) == [0, 0]
    assert cast.wallet("dave").posted == 0


def test_two_payments_alike_in_one_file_are_two(cast: Cast, tmp_path: Path) -> None:
    september, _october = two_bills(cast, tmp_path)
    half = line("1.00", f"{september.number}")
    assert bring(cast, table(half, half)).booked == 2
    assert bring(cast, table(half, half)).fresh == 0
    assert payments() == 2
    assert again(september) == [september.total - 2]


@pytest.mark.django_db(transaction=True)
def test_two_uploads_at_once_make_one_payment(cast: Cast, tmp_path: Path) -> None:
    september, october = two_bills(cast, tmp_path)
    content = table(line(september.total, f"{september.number}"), line(october.total, f"{october.number}"))
    found: list[Imported] = []

    def upload() -> None:
        try:
            found.append(bring(cast, content))
        finally:
            connection.close()

    threads = [threading.Thread(target=upload) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(one.fresh for one in found) == 2
    assert sum(one.booked for one in found) == 2
    assert payments() == 2
    assert again(september, october) == [0, 0]


def test_one_payment_for_two_invoices_and_what_is_over_stays_as_credit(cast: Cast, tmp_path: Path) -> None:
    september, october = two_bills(cast, tmp_path)
    both = september.total + october.total
    bring(cast, table(line(both + 5, f"{october.number} and {september.number}")))
    assert again(september, october) == [0, 0]
    assert [one.invoice_id for one in PaymentMatch.objects.all()] == [october.pk, september.pk]
    assert cast.wallet("dave").posted == 5
    assert list(violations()) == []


def test_a_part_payment_leaves_the_rest_open(cast: Cast, tmp_path: Path) -> None:
    september, october = two_bills(cast, tmp_path)
    bring(cast, table(line("0.50", f"part of {october.number}")))
    assert again(september, october) == [september.total, october.total - Decimal("0.50")]
    assert october.status != InvoiceStatus.PAID


def test_numbers_are_found_as_people_write_them(cast: Cast, tmp_path: Path) -> None:
    september, october = two_bills(cast, tmp_path)
    seller, number = cast.party("meadow"), str(october.number)
    bare = "".join(c for c in number if c.isalnum())
    for text in (number, number.lower(), bare, " ".join(bare[:-5]) + " " + bare[-5:], f"inv.{number}/thanks"):
        assert invoices_named(seller, text) == [october], text
    for text in ("", "2026-11-20", number + "7", f"X{number}" if number[0].isalpha() else f"9{number}", number[:-1]):
        assert invoices_named(seller, text) == [], text
    assert invoices_named(seller, f"{october.number}, {september.number}, {october.number}") == [october, september]
    assert invoices_named(cast.party("outsider"), number) == [], "another seller's numbers are not ours"


def test_what_does_not_fit_waits_for_a_person(cast: Cast, tmp_path: Path) -> None:
    september, october = two_bills(cast, tmp_path)
    content = table(
        line(september.total, f"{september.number}", "1", currency="EUR"),
        line(october.total, "November, thank you", "2"),
        line("-12.00", f"fee {september.number}", "3"),
    )
    done = bring(cast, content)
    assert (done.booked, done.waiting, done.debits) == (0, 2, 1)
    assert payments() == 0
    row = BankEntry.objects.get(bank_reference="2")
    book(row.pk, cast.party("dave"), [october], actor=ACTOR)
    assert again(september, october) == [september.total, 0]
    with pytest.raises(Conflict):
        book(row.pk, cast.party("dave"), [october], actor=ACTOR)
    with pytest.raises(NotFound):
        book(BankEntry.objects.get(bank_reference="1").pk, cast.party("alice"), [], actor=ACTOR)
    with pytest.raises(Conflict):
        book(BankEntry.objects.get(bank_reference="3").pk, cast.party("dave"), [], actor=ACTOR)
    euros = BankEntry.objects.get(bank_reference="1")
    with pytest.raises(Invalid):
        set_aside(euros.pk, actor=ACTOR, reason=" ")
    assert set_aside(euros.pk, actor=ACTOR, reason="a loan").status == EntryStatus.ASIDE
    assert payments() == 1


def test_a_wrong_match_is_undone_by_a_transfer_that_names_it(cast: Cast, tmp_path: Path) -> None:
    september, october = two_bills(cast, tmp_path)
    content = table(line(september.total, f"{september.number}"))
    owed = cast.wallet("dave").posted
    bring(cast, content)
    row = BankEntry.objects.get()
    first = row.transfer_id
    assert undo(row.pk, actor=ACTOR, reason="meant for October").status == EntryStatus.WAITING
    assert Transfer.objects.get(reverses=first).reason == "meant for October"
    assert cast.wallet("dave").posted == owed
    assert again(september, october) == [september.total, october.total]
    with pytest.raises(Conflict):
        undo(row.pk, actor=ACTOR, reason="again")
    assert bring(cast, content).booked == 0, "a person took it back: the same file does not book it again"
    book(row.pk, cast.party("dave"), [october], actor=ACTOR)
    rest = max(Decimal(0), october.total - september.total)
    assert again(september, october) == [october.total - rest, rest], "what is left of the two is owed"
    assert payments() == 2
    assert list(violations()) == []


def test_camt_of_every_version_says_the_same(cast: Cast, tmp_path: Path) -> None:
    september, _october = two_bills(cast, tmp_path)
    number = str(september.number)
    old = camt(entry("7.00", number))
    later = camt(
        entry("7.00", number, status="<Sts><Cd>BOOK</Cd></Sts>", payer="<Dbtr><Pty><Nm>Dave Ltd</Nm></Pty></Dbtr>"),
        version="13",
    )
    assert bring(cast, old).booked == 1
    assert bring(cast, later).fresh == 0, "told again in another version, worded otherwise: the bank's reference tells"
    row = BankEntry.objects.get()
    assert (row.account, row.amount, row.currency, row.payer) == (
        "GB33BUKB20201555555555",
        7,
        "GBP",
        "Dave Hosting Ltd",
    )


def test_of_a_statement_only_booked_credits_count_and_a_reversal_waits(cast: Cast, tmp_path: Path) -> None:
    september, _october = two_bills(cast, tmp_path)
    number = str(september.number)
    content = camt(
        entry("7.00", number, "A", status="<Sts>PDNG</Sts>"),
        entry("8.00", number, "B", side="DBIT"),
        entry("9.00", number, "C", side="DBIT", more="<RvslInd>true</RvslInd>"),
        entry("1.00", number, "D"),
    )
    done = bring(cast, content)
    assert (done.fresh, done.booked, done.waiting, done.debits) == (3, 1, 1, 1)
    back = BankEntry.objects.get(bank_reference="C")
    assert back.reversal
    with pytest.raises(Conflict):
        book(back.pk, cast.party("dave"), [], actor=ACTOR)


def test_a_batch_is_its_payments_where_they_add_up() -> None:
    def part(amount: str, said: str) -> str:
        return (
            f'<TxDtls><Refs><TxId>{said}</TxId></Refs><Amt Ccy="GBP">{amount}</Amt>'
            f"<RmtInf><Ustrd>{said}</Ustrd></RmtInf></TxDtls>"
        )

    def batch(total: str) -> list[tuple[Decimal, str]]:
        text = (
            f'<Ntry><Amt Ccy="GBP">{total}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts><ValDt><Dt>2026-11-20</Dt>'
            f"</ValDt><NtryDtls>{part('1.50', 'one')}{part('2.25', 'two')}</NtryDtls></Ntry>"
        )
        return [(one.amount, one.text) for one in camt_entries(camt(text))]

    assert batch("3.75") == [(Decimal("1.50"), "one"), (Decimal("2.25"), "two")]
    assert batch("3.80") == [(Decimal("3.80"), "one two")], "what does not add up stays one entry"


def test_a_dangerous_or_foreign_file_is_refused(cast: Cast) -> None:
    bomb = b'<!DOCTYPE a [<!ENTITY b "c"><!ENTITY d SYSTEM "file:///etc/passwd">]><a>&b;&d;</a>'
    for content in (bomb, b"<a/>", b"<a>", b"", b"one;two\n1;2\n", b"<?xml version='1.0' encoding='nonsense'?><a/>"):
        with pytest.raises(Invalid):
            bring(cast, content)
    assert BankEntry.objects.count() == 0


@pytest.mark.parametrize(
    ("text", "amount"),
    [("1.234,56", "1234.56"), ("1,234.56", "1234.56"), ("12,5", "12.5"), ("1 234,50", "1234.50"), ("0.125", "0.125")],
)
def test_amounts_are_read_exactly(text: str, amount: str) -> None:
    (read,) = csv_entries(f"date;amount;currency\n2026-11-20;{text};EUR\n".encode())
    assert read.amount == Decimal(amount)


@pytest.mark.parametrize("text", ["1,234", "1.234", "12,34,5", "ten", "", "NaN", "1e5"])
def test_an_amount_that_is_not_clear_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        list(csv_entries(f"date;amount;currency\n2026-11-20;{text};EUR\n".encode()))


def test_the_command_takes_a_mapping(cast: Cast, tmp_path: Path) -> None:
    september, _october = two_bills(cast, tmp_path)
    path = tmp_path / "bank.csv"
    path.write_text(f'Tag,Summe,Zweck\n2026-11-20,"2,50",{september.number}\n', encoding="cp1252")
    brand = cast.brand("meadow").code
    maps = ["--map", "date=Tag", "--map", "amount=Summe", "--map", "reference=Zweck"]
    out = StringIO()
    call_command("import_bank", str(path), "--brand", brand, "--currency", "GBP", *maps, stdout=out)
    call_command("import_bank", str(path), "--brand", brand, "--currency", "GBP", *maps, stdout=out)
    assert "1 new entries, 0 known before: 1 booked" in out.getvalue()
    assert "0 new entries, 1 known before: 0 booked" in out.getvalue()
    assert again(september) == [september.total - Decimal("2.50")]
