"""What an accountant takes away: a journal that balances, accounts that close at the ledger's figures, tax proven."""

from __future__ import annotations

import csv
import io
import json
import random
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone
from openpyxl import load_workbook

from accounts.books import book_balances
from accounts.models import Account, Transfer, TransferKind, Wallet
from accounts.services.accounts import book
from invoicing.books.asked import Asked, asked_of, currencies_of
from invoicing.books.files import Export, book_file, lines_of, write_xlsx
from invoicing.books.journal import Balance, balances, bookings, summed, trial_balance
from invoicing.books.register import papers
from invoicing.books.tax import Source, tax_lines
from invoicing.models import Invoice
from invoicing.services.chart import set_code
from invoicing.services.crediting import credit
from invoicing.services.issuing import approve, issue
from tests.cast import ACTOR, Cast
from tests.invoicing.month import load_calls, pay, run_october
from tiers.errors import Invalid, NotFound
from tiers.ids import uuid7
from tiers.models import Party

SELLERS = ("northstar", "harbour", "pier", "summit", "meadow", "outsider")


@pytest.fixture
def month(cast: Cast, tmp_path: Path, settings: Any) -> Cast:
    """A month of calls at every tier, bills issued, a payment, funds by distribution."""
    settings.MEDIA_ROOT = str(tmp_path / "files")
    cast.fund("harbour", 900)
    cast.fund("summit", 500)
    for name in ("alice", "bob", "carol"):
        cast.fund(name, 100)
    load_calls(cast, tmp_path, ["alice", "bob", "carol", "dave"])
    for seller in ("harbour", "pier", "meadow", "summit"):
        for draft in run_october(cast, seller).invoices:
            issue(approve(draft, actor=ACTOR), actor=ACTOR)
    pay(cast, "dave", Decimal("1.50"), "dave-paid")
    return cast


def now_asked(seller: Party, currency: str, days: int = 1) -> Asked:
    today = timezone.now().date()
    return asked_of(seller, currency, today - timedelta(days=days), today + timedelta(days=1), "UTC")


def every_book(cast: Cast) -> list[Asked]:
    return [now_asked(cast.party(code), currency) for code in SELLERS for currency in currencies_of(cast.party(code))]


def check_books(asked: Asked) -> list[Balance]:
    """Every law of an export at once; the balances, to look further."""
    rows, made = balances(asked), list(bookings(asked))
    assert sum(row.opening for row in rows) == 0, "each opening has its other side"
    assert sum(row.debit for row in rows) == sum(row.credit for row in rows)
    moved: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    pairs: dict[tuple[Any, ...], Decimal] = defaultdict(Decimal)
    for one in made:
        assert one.amount > 0
        moved[one.debit.position, one.debit.party_code] -= one.amount
        moved[one.credit.position, one.credit.party_code] += one.amount
        pairs[one.day, one.debit.code, one.credit.code, one.kind] += one.amount
    told = {(row.entry.position, row.entry.party_code): row.credit - row.debit for row in rows}
    assert {key: value for key, value in moved.items() if value} == {key: value for key, value in told.items() if value}
    sums: dict[tuple[Any, ...], Decimal] = defaultdict(Decimal)
    for line in summed(asked):
        sums[line.day, line.debit.code, line.credit.code, line.kind] += line.amount
    assert sums == pairs, "the short journal is the long one, added up"
    return rows


def ledger_of(asked: Asked) -> dict[tuple[str, str], Decimal]:
    """What the ledger itself says that the accounts of a seller hold now."""
    held = {}
    for account, amount in book_balances(asked.seller.pk):
        if account.currency == asked.currency:
            held[account.kind, account.label] = amount
    for wallet in Wallet.objects.filter(seller=asked.seller, account__currency=asked.currency):
        position = "deposits" if wallet.is_prepaid else "receivables"
        held[position, wallet.account.owner.code] = wallet.posted
    return {key: amount for key, amount in held.items() if amount}


def test_every_sellers_books_balance_and_close_at_the_ledgers_figures(month: Cast) -> None:
    seen = set()
    for asked in every_book(month):
        rows = check_books(asked)
        closing = {
            (row.entry.position, row.entry.party_code): row.closing
            for row in rows
            if row.closing and row.entry.position not in ("own_funds", "passed_on")
        }
        assert closing == ledger_of(asked), asked
        seen |= {row.entry.position for row in rows}
    expected = {"deposits", "receivables", "revenue", "tax", "cost", "carrier", "adjustments", "cash"}
    assert expected | {"own_funds", "passed_on"} <= seen


def test_a_call_is_a_debit_of_the_customer_and_a_credit_of_revenue_with_the_bill_it_is_on(month: Cast) -> None:
    bill = Invoice.objects.get(buyer=month.dave)
    made = [one for one in bookings(now_asked(month.meadow, bill.currency)) if one.kind == TransferKind.USAGE]
    assert made
    assert {(one.debit.code, one.debit.party_code, one.credit.code) for one in made} == {("1100", "dave", "4000")}
    assert {one.document for one in made} == {bill.number}


def test_a_dealers_journal_says_nothing_of_its_sellers_books(month: Cast) -> None:
    """Harbour's and Summit's hold their own accounts and the wallets they sell to; who sells to them is not there."""
    for code in ("harbour", "summit"):
        for currency in currencies_of(month.party(code)):
            text = "".join(map(str, lines_of(now_asked(month.party(code), currency), Export.JOURNAL)))
            assert "northstar" not in text
            assert "Northstar" not in text
            assert "atlas" not in text


def test_the_accountants_own_codes_stand_in_the_export(month: Cast) -> None:
    harbour = month.harbour
    set_code(harbour, "deposits", "1700", actor=ACTOR)
    set_code(harbour, "deposits", "1701-A", of="alice", actor=ACTOR)
    set_code(harbour, "revenue", "8400", actor=ACTOR)
    codes = {one.entry.party_code: one.entry.code for one in balances(now_asked(harbour, "EUR"))}
    assert (codes["alice"], codes["pier"]) == ("1701-A", "1700")
    assert "8400" in {row.entry.code for row in trial_balance(balances(now_asked(harbour, "EUR")))}
    check_books(now_asked(harbour, "EUR"))
    assert set_code(harbour, "revenue", "", actor=ACTOR) is None
    assert "4000" in {row.entry.code for row in trial_balance(balances(now_asked(harbour, "EUR")))}


@pytest.mark.parametrize("code", ["=1+1", "a b", "-5", "1" * 21])
def test_a_code_that_a_spreadsheet_would_run_is_refused(cast: Cast, code: str) -> None:
    with pytest.raises(Invalid):
        set_code(cast.harbour, "revenue", code, actor=ACTOR)


def test_a_code_is_for_an_own_customer_only(cast: Cast) -> None:
    with pytest.raises(NotFound):
        set_code(cast.harbour, "deposits", "1701", of="mallory", actor=ACTOR)
    with pytest.raises(Invalid):
        set_code(cast.harbour, "tax", "1701", of="alice", actor=ACTOR)


def test_the_days_are_the_brands(cast: Cast) -> None:
    """A transfer at 23:30 in London is of the next day in Hamburg."""
    payer, payee = book(cast.harbour, "cash", "EUR"), cast.wallet("alice").account
    at = datetime(2026, 6, 30, 22, 30, tzinfo=UTC)
    move(payer, payee, Decimal(5), at)
    july = asked_of(cast.harbour, "EUR", date(2026, 7, 1), date(2026, 7, 31), "Europe/Berlin")
    june = asked_of(cast.harbour, "EUR", date(2026, 6, 1), date(2026, 6, 30), "Europe/Berlin")
    assert [one.day for one in bookings(july)] == [date(2026, 7, 1)]
    assert list(bookings(june)) == []
    assert {row.day for row in summed(july, "month")} == {date(2026, 7, 1)}
    with pytest.raises(Invalid):
        asked_of(cast.harbour, "EUR", date(2026, 7, 2), date(2026, 7, 1), "UTC")
    with pytest.raises(NotFound):
        asked_of(cast.harbour, "XAF", date(2026, 7, 1), date(2026, 7, 1), "UTC")


def move(payer: Account, payee: Account, amount: Decimal, at: datetime, kind: str = "payment") -> None:
    Transfer.objects.create(
        id=uuid7(at), payer=payer, payee=payee, amount=amount, currency=payer.currency, kind=kind,
        key=str(uuid7()), cause=uuid7(), actor="test", created_at=at,
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_whatever_moved_is_exported_balanced(cast: Cast, seed: int) -> None:
    """Random moves of every sort over five days: each period's opening is the one before's closing, to the last."""
    rng = random.Random(seed)
    for _move in range(60):
        random_move(cast, rng)
    for code in SELLERS:
        seller = cast.party(code)
        for currency in currencies_of(seller):
            first, second, all_five = (
                asked_of(seller, currency, date(2026, 5, a), date(2026, 5, b), "Europe/Berlin")
                for a, b in ((1, 2), (3, 5), (1, 5))
            )
            one, two, whole = (
                {(row.entry.position, row.entry.party_code): row for row in check_books(asked)}
                for asked in (first, second, all_five)
            )
            zero = Decimal(0)
            assert {key: row.opening for key, row in two.items() if row.opening} == {
                key: row.closing for key, row in one.items() if row.closing
            }
            for key, row in whole.items():
                parts = [part.get(key) for part in (one, two)]
                assert row.debit == sum((part.debit for part in parts if part), zero)
                assert row.credit == sum((part.credit for part in parts if part), zero)
            own = {k: r.closing for k, r in whole.items() if r.closing and k[0] not in ("own_funds", "passed_on")}
            assert own == ledger_of(all_five)


def random_move(cast: Cast, rng: random.Random) -> None:
    at = datetime(2026, 5, 1, tzinfo=UTC) + timedelta(seconds=rng.randrange(5 * 86400 - 7300))
    amount = Decimal(rng.randrange(1, 9_999_999)).scaleb(-6)
    wallet = rng.choice(list(Wallet.objects.select_related("account", "seller").order_by("account__owner__code")))
    kind = rng.choice(["usage", "payment", "charge", "credit", "rounding", "usage_tax"])
    side = {"rounding": "rounding", "usage_tax": "tax"}.get(kind) or rng.choice(["cash", "revenue", "adjustments"])
    other = book(wallet.seller, side, wallet.account.currency)
    if wallet.seller_wallet is not None and side not in ("rounding", "tax"):
        other = wallet.seller_wallet.account
    payer, payee = rng.choice([(wallet.account, other), (other, wallet.account)])
    move(payer, payee, amount, at, kind)
    if rng.random() < 0.2:
        within = [book(wallet.seller, name, wallet.account.currency) for name in ("revenue", "tax")]
        rng.shuffle(within)
        move(within[0], within[1], amount, at, "tax")


def test_the_register_holds_each_paper_once_and_adds_up(month: Cast) -> None:
    for seller in ("harbour", "meadow", "pier"):
        issued = Invoice.objects.filter(seller=month.party(seller), number__isnull=False)
        for currency in set(issued.values_list("currency", flat=True)):
            rows = list(papers(now_asked(month.party(seller), currency)))
            wanted = list(issued.filter(currency=currency).order_by("sequence"))
            assert [row.number for row in rows] == [one.number for one in wanted]
            for row, one in zip(rows, wanted, strict=True):
                assert (row.gross, row.tax, row.open) == (one.total, one.tax, one.due)
                assert row.net + row.tax == row.gross == row.paid + row.open
    dave = next(row for row in papers(now_asked(month.meadow, "GBP")) if row.buyer_code == "dave")
    assert dave.paid == Decimal("1.50")


def test_the_tax_report_comes_to_what_the_tax_account_moved(month: Cast) -> None:
    sources = set()
    for asked in every_book(month):
        lines = tax_lines(asked)
        assert lines[-1].source == Source.LEDGER
        assert sum(line.tax for line in lines[:-1]) == lines[-1].tax
        assert Source.OTHER not in {line.source for line in lines}, asked
        sources |= {line.source for line in lines if line.tax}
    assert {Source.INVOICES, Source.PREPAID, Source.LEDGER} <= sources


def test_a_credit_note_is_a_line_below_zero_in_register_and_tax(month: Cast) -> None:
    for code, seller in (("dave", month.meadow), ("alice", month.harbour)):
        bill = Invoice.objects.get(buyer=month.party(code))
        note = credit(bill, None, reason="wrong price", actor=ACTOR, key=f"back-{code}")
        asked = now_asked(seller, bill.currency)
        row = next(one for one in papers(asked) if one.number == note.number)
        assert (row.gross, row.tax, row.corrects) == (-bill.total, -bill.tax, bill.number)
        lines = {line.source: line.tax for line in tax_lines(asked)}
        assert Source.OTHER not in lines
        assert lines[Source.CREDIT_NOTES] == -note.tax
        assert {one.document for one in bookings(asked) if one.kind == TransferKind.CREDIT} == {note.number}
        check_books(asked)


def test_tax_that_no_paper_explains_has_a_line_of_its_own(month: Cast) -> None:
    payer, payee = book(month.harbour, "revenue", "EUR"), book(month.harbour, "tax", "EUR")
    move(payer, payee, Decimal("0.07"), timezone.now(), "tax")
    lines = {line.source: line.tax for line in tax_lines(now_asked(month.harbour, "EUR"))}
    assert lines[Source.OTHER] == Decimal("0.07")


@pytest.mark.parametrize("export", list(Export))
def test_both_files_say_the_same(month: Cast, export: Export) -> None:
    asked = now_asked(month.harbour, "EUR")
    text, name = book_file(asked, export, "csv")
    assert name.startswith(f"harbour-{export}-EUR-")
    table = list(csv.reader(io.TextIOWrapper(text, encoding="utf-8")))
    sheet = load_workbook(book_file(asked, export, "xlsx")[0]).worksheets[0]
    assert len(table) == sheet.max_row > 1
    for column in ("debit", "credit", "tax"):
        if column in table[0]:
            at = table[0].index(column)
            in_text = sum((Decimal(row[at]) for row in table[1:] if row[at]), Decimal(0))
            in_cells = sum((Decimal(str(row[at].value)) for row in list(sheet.rows)[1:] if row[at].value), Decimal(0))
            assert round(in_cells, 6) == in_text


def test_a_name_that_is_a_formula_stays_a_text(cast: Cast) -> None:
    Party.objects.filter(code="alice").update(name='=HYPERLINK("http://evil.example")')
    cast.fund("alice", 5)
    asked = now_asked(cast.harbour, "EUR")
    text = book_file(asked, "journal", "csv")[0].read().decode()
    assert ",=HYPERLINK" not in text
    assert "'=HYPERLINK" in text
    sheet = load_workbook(book_file(asked, "journal", "xlsx")[0]).worksheets[0]
    cells = [cell for row in sheet.rows for cell in row if str(cell.value).startswith("=HYPERLINK")]
    assert {cell.data_type for cell in cells} <= {"s"}


def test_a_journal_longer_than_a_sheet_goes_on_in_the_next() -> None:
    held = io.BytesIO()
    write_xlsx(((at, "row") for at in range(25)), held, sheet_rows=10)
    book_read = load_workbook(held)
    assert [sheet.max_row for sheet in book_read] == [10, 10, 5]


def test_by_the_command(month: Cast, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    today = timezone.now().date()
    days = ["--from", str(today - timedelta(days=1)), "--to", str(today + timedelta(days=1))]
    out = tmp_path / "books.csv"
    call_command("export_books", "--brand", "harbour", *days, "--kind", "balances", "--out", str(out), "--json")
    told = json.loads(capsys.readouterr().out)
    assert told["file"] == str(out)
    assert out.read_text().startswith("account,account_name")
    with pytest.raises(SystemExit) as ended:
        call_command("export_books", "--brand", "nobody", *days, "--json")
    assert ended.value.code == 1
