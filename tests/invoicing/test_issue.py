"""From draft to paper: numbers without gaps, wallet and paper equal to the cent, everything printed frozen."""

from __future__ import annotations

import csv
import threading
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Q, Sum
from django.utils import timezone

from accounts.books import balances
from accounts.models import AccountKind, Transfer, Wallet
from accounts.services.accounts import book
from accounts.services.funds import set_credit
from billing.books import violations
from invoicing.models import BilledTransfer, Document, Invoice, InvoiceKind, InvoiceSeries, InvoiceStatus
from invoicing.render.paper import build_paper
from invoicing.services import documents, files, mailing
from invoicing.services.drafts import run
from invoicing.services.issuing import approve, approve_many, issue
from invoicing.services.payments import mark_overdue
from tests.cast import ACTOR, Cast
from tests.invoicing.month import NOVEMBER, bill_of, load_calls, pay, run_october, sold_to
from tiers.errors import Conflict

CENT = Decimal("0.01")


@pytest.fixture(autouse=True)
def files_of_this_test(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "files")


@pytest.fixture
def october(cast: Cast, tmp_path: Path) -> Cast:
    for code, amount in (("summit", 5000), ("alice", 100), ("bob", 100), ("carol", 500)):
        cast.fund(code, amount)
    load_calls(cast, tmp_path, ["alice", "bob", "carol", "dave"], 25)
    return cast


def issued(cast: Cast, seller: str, buyer: str) -> Invoice:
    run_october(cast, seller)
    return issue(approve(bill_of(cast, buyer), actor=ACTOR), actor=ACTOR)


def charged_to(invoice: Invoice) -> Decimal:
    """What the wallet paid for the invoice, by the ledger alone."""
    rows = Transfer.objects.filter(billed__invoice=invoice)
    paid = rows.aggregate(
        paid=Sum("amount", filter=Q(payer=invoice.wallet_id)), got=Sum("amount", filter=Q(payee=invoice.wallet_id))
    )
    return (paid["paid"] or Decimal(0)) - (paid["got"] or Decimal(0))


def test_a_postpaid_invoice_is_numbered_and_due(october: Cast) -> None:
    invoice = issued(october, "meadow", "dave")
    year = invoice.issue_date.year if invoice.issue_date else 0
    assert invoice.number == f"MH{year}-00001"
    assert (invoice.status, invoice.kind) == (InvoiceStatus.ISSUED, InvoiceKind.INVOICE)
    assert invoice.due == invoice.total == charged_to(invoice)
    assert october.wallet("dave").posted == -invoice.total, "to the cent"
    assert invoice.due_date is not None
    assert invoice.issue_date is not None
    assert (invoice.due_date - invoice.issue_date).days == 30
    assert list(violations()) == []


@pytest.mark.parametrize(("seller", "buyer"), [("harbour", "alice"), ("pier", "bob"), ("summit", "carol")])
def test_a_prepaid_wallet_moves_by_the_papers_total(october: Cast, seller: str, buyer: str) -> None:
    before = october.wallet(buyer).posted
    statement = issued(october, seller, buyer)
    assert statement.kind == InvoiceKind.STATEMENT
    assert statement.due == 0
    assert statement.due_date is None
    assert charged_to(statement) == statement.total
    assert october.wallet(buyer).posted == before - statement.rounding
    assert abs(statement.rounding) <= CENT / 2
    assert (october.wallet(buyer).posted * 100) % 1 == 0, "no fraction of a cent is left"
    assert list(violations()) == []


def test_tax_account_and_papers_agree(october: Cast) -> None:
    taxes = {}
    for seller, buyer in (("harbour", "alice"), ("pier", "bob"), ("meadow", "dave")):
        invoice = issued(october, seller, buyer)
        others = Invoice.objects.filter(seller=invoice.seller, number__isnull=True)
        for other in approve_many(others, actor=ACTOR):
            issue(other, actor=ACTOR)
        account = book(invoice.seller, AccountKind.TAX, invoice.currency).pk
        taxes[seller] = (
            balances([account])[account],
            Invoice.objects.filter(seller=invoice.seller).aggregate(Sum("tax"))["tax__sum"],
        )
    assert all(held == printed for held, printed in taxes.values()), taxes
    assert taxes["harbour"][0] > 0


def test_prices_with_tax_postpaid(cast: Cast, tmp_path: Path) -> None:
    """Bob buys at prices with 21 % inside; on account, his invoice takes the tax out of them, once."""
    set_credit(cast.wallet("bob").pk, billing="postpaid", credit_limit=Decimal(100))
    cast.fund("alice", 10)
    load_calls(cast, tmp_path, ["bob"], 25)
    invoice = issued(cast, "pier", "bob")
    gross = sold_to(cast, "bob")
    assert invoice.total == gross.quantize(CENT, "ROUND_HALF_UP")
    assert invoice.tax == (gross * 21 / 121).quantize(CENT, "ROUND_HALF_UP")
    assert cast.wallet("bob").posted == -invoice.total
    assert invoice.context is not None
    assert invoice.context["prices_include_tax"] is True
    assert sum((line.net for line in invoice.lines.all()), Decimal(0)) == invoice.net
    tax = book(cast.pier, AccountKind.TAX, "EUR").pk
    assert balances([tax])[tax] == invoice.tax
    assert list(violations()) == []


def test_a_wallet_with_nothing_left_is_rounded_down(cast: Cast, tmp_path: Path) -> None:
    cast.fund("alice", 100)
    load_calls(cast, tmp_path, ["alice"], 25)
    run_october(cast, "harbour")
    draft = bill_of(cast, "alice")
    spent = Decimal(100) - cast.wallet("alice").posted
    assert draft.total > spent, "the month is chosen so that rounding goes up"
    cast_withdraw(cast, "alice", Decimal(100) - spent)
    assert cast.wallet("alice").posted == 0
    statement = issue(approve(draft, actor=ACTOR), actor=ACTOR)
    assert statement.total < spent
    assert 0 <= cast.wallet("alice").posted < CENT
    assert list(violations()) == []


def cast_withdraw(cast: Cast, code: str, amount: Decimal) -> None:
    from accounts.services.funds import Move, refund

    wallet = cast.wallet(code)
    refund(wallet.seller, cast.party(code), Move(amount, wallet.account.currency, "all of it", ACTOR, "closing"))


def test_a_draft_needs_its_approval(october: Cast) -> None:
    run_october(october, "meadow")
    draft = bill_of(october, "dave")
    with pytest.raises(Conflict) as refused:
        issue(draft, actor=ACTOR)
    assert refused.value.code == "not_approved"
    assert InvoiceSeries.objects.count() == 0
    october.brand("meadow").paper_terms.__class__.objects.filter(brand__code="meadow").update(approval_required=False)
    assert issue(draft, actor=ACTOR).number is not None


def test_twice_the_click(october: Cast) -> None:
    first = issued(october, "meadow", "dave")
    again = issue(first, actor=ACTOR)
    assert again.number == first.number
    assert InvoiceSeries.objects.get().last_number == 1
    assert [document.pk for document in documents.render(first)] == [
        document.pk for document in documents.render(again)
    ]


def test_a_failed_issue_leaves_no_gap(october: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    run_october(october, "harbour")
    drafts = approve_many(Invoice.objects.filter(seller=october.harbour), actor=ACTOR)
    from invoicing.services import issuing

    def broken(*_args: Any) -> None:
        raise RuntimeError("power cut")

    with monkeypatch.context() as patch:
        patch.setattr(issuing, "freeze", broken)
        with pytest.raises(RuntimeError), transaction.atomic():
            issue(drafts[0], actor=ACTOR)
    assert Transfer.objects.filter(cause=drafts[0].pk).count() == 0
    numbers = [issue(draft, actor=ACTOR).sequence for draft in drafts]
    assert numbers == [1, 2]


def test_what_is_issued_cannot_be_changed(october: Cast) -> None:
    invoice = issued(october, "meadow", "dave")
    with pytest.raises(IntegrityError), transaction.atomic():
        Invoice.objects.filter(pk=invoice.pk).update(total=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        BilledTransfer.objects.filter(invoice=invoice).delete()


def test_the_paper_stays_as_it_was_sent(october: Cast) -> None:
    invoice = issued(october, "meadow", "dave")
    october.brand("meadow").__class__.objects.filter(code="meadow").update(name="Meadow and Sons", accent="#000000")
    context = documents.context_of(Invoice.objects.get(pk=invoice.pk))
    assert context.seller.name == "Meadow Hosting"
    assert (context.net, context.tax, context.total) == (invoice.net, invoice.tax, invoice.total)
    assert len(context.lines) <= 8
    assert sum(row.net for row in context.details) == invoice.net
    assert {row.carrier for row in context.details} == {"Atlas Carrier Services", ""}
    assert context.history[-1].total == invoice.total


@pytest.mark.parametrize(("seller", "buyer"), [("meadow", "dave"), ("harbour", "alice"), ("pier", "bob")])
def test_csv_ledger_and_paper_agree(october: Cast, seller: str, buyer: str) -> None:
    invoice = issued(october, seller, buyer)
    stored = {document.kind: document for document in documents.render(invoice)}
    with documents.path_of(stored["csv"]).open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert sum(Decimal(row["amount"]) for row in rows) == invoice.net == sold_to(october, buyer)
    assert len(rows) == invoice.calls == 25
    assert rows[0]["call_id"].startswith(f"a-{buyer}-")
    assert rows[0]["callee"].startswith("+")
    assert [row["started_at"] for row in rows] == sorted(row["started_at"] for row in rows)


def test_documents_are_made_once_and_the_same_again(october: Cast) -> None:
    invoice = issued(october, "harbour", "alice")
    first = {document.kind: document.digest for document in documents.render(invoice)}
    assert sorted(first) == ["csv", "docx", "pdf"]
    names = list(Document.objects.values_list("filename", flat=True))
    assert f"Harbour-statement-{invoice.number}.pdf" in names
    for document in Document.objects.all():
        (files.root() / document.path).unlink()
    again = {document.kind: document.digest for document in documents.render(Invoice.objects.get(pk=invoice.pk))}
    assert again == first
    assert documents.without_documents() == []


def test_after_all_is_paid_the_wallet_is_exactly_zero(october: Cast, tmp_path: Path) -> None:
    first = issued(october, "meadow", "dave")
    load_calls(october, tmp_path, ["dave"], 7, day=NOVEMBER, tag="nov")
    run(october.meadow, NOVEMBER, actor=ACTOR, early=True)
    second = issue(approve(bill_of(october, "dave", NOVEMBER), actor=ACTOR), actor=ACTOR)
    assert (second.opening_balance, second.closing_balance) == (-first.total, -first.total - second.total)
    assert second.due == second.total, "what is open on the first is due there"
    pay(october, "dave", first.total + Decimal("0.01"), "p1")
    first.refresh_from_db()
    second.refresh_from_db()
    assert first.status == InvoiceStatus.PAID
    assert first.due == 0
    assert second.due == second.total - Decimal("0.01")
    pay(october, "dave", second.due, "p2")
    second.refresh_from_db()
    assert second.status == InvoiceStatus.PAID
    assert october.wallet("dave").posted == 0
    assert list(violations()) == []


def test_a_credit_is_used_before_anything_is_due(october: Cast) -> None:
    pay(october, "dave", Decimal("0.05"), "ahead")
    invoice = issued(october, "meadow", "dave")
    assert invoice.payments == Decimal("0.05")
    assert invoice.due == invoice.total - Decimal("0.05")


def test_charges_not_billed_yet_are_not_asked_for(october: Cast, tmp_path: Path) -> None:
    run_october(october, "meadow")
    load_calls(october, tmp_path, ["dave"], 7, day=NOVEMBER, tag="nov")
    invoice = issued(october, "meadow", "dave")
    assert invoice.due == invoice.total
    assert october.wallet("dave").posted < -invoice.total


def test_overdue_and_then_paid(october: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    invoice = issued(october, "meadow", "dave")
    assert mark_overdue() == 0
    assert invoice.due_date is not None
    later = timezone.now() + timedelta(days=31)
    monkeypatch.setattr(timezone, "now", lambda: later)
    assert (mark_overdue(), mark_overdue()) == (1, 0)
    pay(october, "dave", invoice.total, "late")
    invoice.refresh_from_db()
    assert invoice.status == InvoiceStatus.PAID
    assert invoice.due == 0


@pytest.mark.django_db(transaction=True)
def test_issuers_at_once_leave_no_gap(october: Cast) -> None:
    """All of a seller's bills at once from eight threads, each of them twice."""
    run_october(october, "harbour")
    run_october(october, "northstar")
    drafts = approve_many(Invoice.objects.all(), actor=ACTOR)
    start = threading.Barrier(2 * len(drafts))
    errors: list[Exception] = []

    def work(invoice: Invoice) -> None:
        try:
            start.wait()
            issue(invoice, actor=ACTOR)
        except Exception as error:  # noqa: BLE001 - told by the main thread
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(draft,)) for draft in [*drafts, *drafts]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert Invoice.objects.filter(number__isnull=True).count() == 0
    assert Invoice.objects.values("series", "sequence").distinct().count() == len(drafts)
    assert list(violations()) == []
    assert (
        Wallet.objects.filter(posted__lt=0, billing="prepaid", account__owner__code__in=["alice", "bob"]).count() == 0
    )


def test_earlier_invoices_stand_apart_on_the_paper(october: Cast, tmp_path: Path) -> None:
    """The column adds up: before, this one's total, less what is due on earlier papers, is what is due here."""
    first = issued(october, "meadow", "dave")
    load_calls(october, tmp_path, ["dave"], 7, day=NOVEMBER, tag="nov")
    run(october.meadow, NOVEMBER, actor=ACTOR, early=True)
    second = issue(approve(bill_of(october, "dave", NOVEMBER), actor=ACTOR), actor=ACTOR)
    context = documents.context_of(second)
    rows = {row.label: row.amount for row in build_paper(context).rows}
    assert rows["Balance from before"].startswith(f"{first.total:.2f}")
    assert rows["Open on earlier invoices"].startswith(f"\N{MINUS SIGN}{first.total:.2f}")
    assert rows["Amount due"].startswith(f"{second.total:.2f}")
    assert [bar.total for bar in context.history] == [first.total, second.total]
    assert context.notes[0].startswith("Earlier invoices of")


def test_a_statement_counts_money_of_its_period_and_the_next_the_rest(
    cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_calls(cast, tmp_path, ["alice"], 5)
    cast.fund("alice", 30)
    pay(cast, "alice", Decimal(20), "first", received_on=date(2026, 10, 1))
    first = issued(cast, "harbour", "alice")
    assert first.opening_balance == 0
    assert first.payments == 50, "the first paper counts what is there, though the 30 came after October"
    assert first.closing_balance == 50 - first.total == cast.wallet("alice").posted
    load_calls(cast, tmp_path, ["alice"], 5, tag="late")
    three_days_on = timezone.now() + timedelta(days=3)
    monkeypatch.setattr(timezone, "now", lambda: three_days_on)
    cast.fund("alice", 7)
    pay(cast, "alice", Decimal(3), "back in October", received_on=date(2026, 10, 30))
    second = issued(cast, "harbour", "alice")
    assert second.opening_balance == first.closing_balance
    assert second.payments == 3, "the 7 came after October"
    load_calls(cast, tmp_path, ["alice"], 5, day=NOVEMBER, tag="nov")
    run(cast.harbour, NOVEMBER, actor=ACTOR, early=True)
    third = issue(approve(bill_of(cast, "alice", NOVEMBER), actor=ACTOR), actor=ACTOR)
    assert third.opening_balance == second.closing_balance
    assert third.payments == 7
    assert third.closing_balance == cast.wallet("alice").posted
    assert list(violations()) == []


@pytest.mark.django_db(transaction=True)
def test_the_webs_role_may_do_all_of_it(october: Cast) -> None:
    """A click runs, approves, issues, queues and records a payment as `tollgate_web`, which owns nothing."""
    with connection.cursor() as cursor:
        cursor.execute("SET ROLE tollgate_web")
    try:
        invoice = issued(october, "meadow", "dave")
        mailing.send(invoice)
        documents.render(invoice)
        pay(october, "dave", invoice.due, "by hand")
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET ROLE")
    invoice.refresh_from_db()
    assert invoice.status == InvoiceStatus.PAID
