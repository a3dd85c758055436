"""Credit notes: a mistake on an issued bill is given back on a paper that names it, once, and never beyond the bill."""

from __future__ import annotations

import threading
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.books import balances
from accounts.models import AccountKind
from accounts.services.accounts import book
from billing.books import violations
from invoicing.models import Invoice, InvoiceKind, InvoiceStatus, OutboxMail
from invoicing.services import documents, mailing
from invoicing.services.crediting import credit, left_of, preview
from invoicing.services.drafts import run
from invoicing.services.issuing import approve, issue
from invoicing.services.paper_terms import set_paper_terms
from tests.cast import ACTOR, Cast
from tests.invoicing.month import NOVEMBER, OCTOBER, bill_of, load_calls, pay
from tiers.errors import Conflict, Invalid

WRONG = "Wrong price for France in October"


@pytest.fixture(autouse=True)
def files_of_this_test(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "files")


@pytest.fixture
def october(cast: Cast, tmp_path: Path) -> Cast:
    for code, amount in (("summit", 5000), ("alice", 100), ("bob", 100), ("carol", 500)):
        cast.fund(code, amount)
    load_calls(cast, tmp_path, ["alice", "carol", "dave"], 25)
    return cast


def issued(cast: Cast, seller: str, buyer: str, month: Any = OCTOBER) -> Invoice:
    run(cast.party(seller), month, actor=ACTOR, early=True)
    return issue(approve(bill_of(cast, buyer, month), actor=ACTOR), actor=ACTOR)


def again(invoice: Invoice) -> Invoice:
    return Invoice.objects.get(pk=invoice.pk)


def back(invoice: Invoice, lines: Any = None, key: str = "one") -> Invoice:
    return credit(invoice, lines, reason=WRONG, actor=ACTOR, key=key)


def test_an_unpaid_bill_given_back_leaves_nothing(october: Cast) -> None:
    bill = issued(october, "meadow", "dave")
    note = back(bill)
    assert (note.kind, note.status) == (InvoiceKind.CREDIT_NOTE, InvoiceStatus.ISSUED)
    assert (note.net, note.tax, note.total) == (bill.net, bill.tax, bill.total)
    assert note.corrects_id == bill.pk
    assert note.number == f"MH{note.issue_date:%Y}-00002", "the next of the issuer's series"
    assert october.wallet("dave").posted == 0
    assert (again(bill).status, again(bill).due) == (InvoiceStatus.CREDITED, 0)
    tax = book(bill.seller, AccountKind.TAX, bill.currency).pk
    assert balances([tax])[tax] == 0, "the tax office gets nothing of it"
    assert list(violations()) == []


def test_a_paid_bill_given_back_leaves_the_money_with_the_buyer(october: Cast) -> None:
    bill = issued(october, "meadow", "dave")
    pay(october, "dave", bill.total, "p1")
    note = back(bill)
    assert october.wallet("dave").posted == note.total == bill.total
    assert again(bill).status == InvoiceStatus.CREDITED
    assert list(violations()) == []


def test_a_line_given_back_lowers_what_is_due(october: Cast) -> None:
    bill = issued(october, "meadow", "dave")
    line = bill.lines.all()[0]
    note = back(bill, {line.pk: Decimal("0.50")})
    assert [(one.label, one.net, one.calls) for one in note.lines.all()] == [(line.label, Decimal("0.5"), 0)]
    assert note.total > note.net or not bill.tax_rate
    assert again(bill).due == bill.total - note.total
    assert again(bill).status == InvoiceStatus.ISSUED
    rest = back(bill, None, "two")
    assert (note.total + rest.total, note.tax + rest.tax) == (bill.total, bill.tax)
    assert again(bill).status == InvoiceStatus.CREDITED
    assert october.wallet("dave").posted == 0
    assert list(violations()) == []


def test_a_bill_part_credited_is_paid_by_the_rest(october: Cast) -> None:
    bill = issued(october, "meadow", "dave")
    note = back(bill, {bill.lines.all()[0].pk: Decimal("0.30")})
    pay(october, "dave", bill.total - note.total, "rest")
    assert again(bill).status == InvoiceStatus.PAID
    assert october.wallet("dave").posted == 0


def test_what_is_still_owed_lies_on_the_other_bill(october: Cast, tmp_path: Path) -> None:
    """The newest is given back while the one before is open: that one stays open, whole."""
    first = issued(october, "meadow", "dave")
    load_calls(october, tmp_path, ["dave"], 9, day=NOVEMBER, tag="n")
    second = issued(october, "meadow", "dave", NOVEMBER)
    back(second)
    assert again(first).due == first.total
    assert again(second).due == 0
    assert october.wallet("dave").posted == -first.total
    assert list(violations()) == []


def test_the_next_bill_counts_the_credit(october: Cast, tmp_path: Path) -> None:
    first = issued(october, "meadow", "dave")
    pay(october, "dave", first.total, "p")
    note = back(first)
    load_calls(october, tmp_path, ["dave"], 9, day=NOVEMBER, tag="n")
    second = issued(october, "meadow", "dave", NOVEMBER)
    assert second.adjustments == note.total
    assert second.closing_balance == october.wallet("dave").posted
    assert second.due == max(Decimal(0), second.total - note.total)
    assert list(violations()) == []


@pytest.mark.parametrize(("seller", "buyer"), [("harbour", "alice"), ("summit", "carol")])
def test_a_prepaid_statement_given_back_is_balance_again(october: Cast, seller: str, buyer: str) -> None:
    bill = issued(october, seller, buyer)
    before, above = october.wallet(buyer).posted, october.wallet(seller).posted
    note = back(bill)
    assert october.wallet(buyer).posted == before + bill.total
    given = note.net if seller == "summit" else Decimal(0)
    assert october.wallet(seller).posted == above - given, "a distribution seller gives it out of its own wallet"
    assert (again(bill).status, again(bill).due) == (InvoiceStatus.CREDITED, 0)
    assert list(violations()) == []


def test_the_same_click_twice_makes_one(october: Cast) -> None:
    bill = issued(october, "meadow", "dave")
    line = bill.lines.all()[0].pk
    one, two = back(bill, {line: Decimal("0.2")}), back(bill, {line: Decimal("0.2")})
    assert one.pk == two.pk
    assert Invoice.objects.filter(corrects=bill).count() == 1
    with pytest.raises(Conflict, match="otherwise"):
        credit(bill, None, reason="another", actor=ACTOR, key="one")


def test_never_more_than_was_billed(october: Cast) -> None:
    bill = issued(october, "meadow", "dave")
    line = bill.lines.all()[0]
    for lines in ({line.pk: line.net + 1}, {line.pk: Decimal(-1)}, {0: None}, {}, {line.pk: Decimal("0.0000001")}):
        with pytest.raises(Invalid):
            back(bill, lines)
    with pytest.raises(Invalid, match="buyer reads it"):
        credit(bill, None, reason=" ", actor=ACTOR, key="k")
    back(bill)
    with pytest.raises(Conflict, match="in full already"):
        back(bill, None, "again")
    with pytest.raises(Conflict, match="not credited"):
        back(Invoice.objects.get(corrects=bill), None, "of a note")
    assert Invoice.objects.filter(kind=InvoiceKind.CREDIT_NOTE).count() == 1


def test_a_draft_is_thrown_away_instead(october: Cast) -> None:
    run(october.meadow, OCTOBER, actor=ACTOR)
    with pytest.raises(Conflict, match="draft"):
        back(bill_of(october, "dave"))


def test_the_note_has_its_own_series_and_names_the_bill(october: Cast) -> None:
    bill = issued(october, "meadow", "dave")
    with pytest.raises(Invalid):
        set_paper_terms(bill.brand, actor=ACTOR, credit_series="no good")
    set_paper_terms(bill.brand, actor=ACTOR, credit_series="MC")
    line = bill.lines.all()[0].pk
    numbers = [back(bill, {line: Decimal("0.1")}, str(i)).number for i in range(3)]
    year = f"{bill.issue_date:%Y}"
    assert numbers == [f"MC{year}-0000{i}" for i in (1, 2, 3)]
    context = Invoice.objects.filter(corrects=bill).latest("id").context
    assert context is not None
    assert (context["original_number"], context["original_date"]) == (bill.number, str(bill.issue_date))
    assert context["notes"] == [f"Reason: {WRONG}"]
    assert list(violations()) == []


def test_a_note_is_paper(october: Cast) -> None:
    note = back(issued(october, "meadow", "dave"))
    for change in ("total = 1", "reason = 'x'", "corrects_id = NULL"):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"UPDATE invoicing_invoice SET {change} WHERE id = %s", [note.pk])


def test_its_papers_and_its_mail(october: Cast) -> None:
    bill = issued(october, "meadow", "dave")
    note = back(bill, {bill.lines.all()[0].pk: None})
    made = {one.kind: documents.path_of(one) for one in documents.render(note)}
    assert made["pdf"].read_bytes()[:5] == b"%PDF-"
    rows = made["csv"].read_text().splitlines()
    assert rows[0].startswith("credit_note,date,invoice,")
    assert rows[-1].endswith(f",total,,-{note.total:.2f},{note.currency}")
    assert all(f",{bill.number}," in row for row in rows[1:])
    mailing.send(note)
    mailing.send(note)
    (mail,) = OutboxMail.objects.filter(invoice=note)
    assert "Credit note" in mail.subject
    assert str(bill.number) in mail.subject
    assert "each call" not in mail.text


@pytest.mark.django_db(transaction=True)
def test_two_at_once_give_back_once(october: Cast) -> None:
    """Two clicks with one key, and two people with keys of their own, each over all of the bill."""
    bill = issued(october, "meadow", "dave")
    keys = ["same", "same", "mine", "yours"]
    start, made, refused = threading.Barrier(len(keys)), [], []

    def work(key: str) -> None:
        start.wait()
        try:
            made.append(back(bill, None, key).pk)
        except Conflict as error:
            refused.append(error.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(key,)) for key in keys]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 1
    assert set(refused) == {"credited"}
    assert len(made) + len(refused) == len(keys)
    assert october.wallet("dave").posted == 0
    assert list(violations()) == []


def test_a_preview_is_what_is_made(october: Cast) -> None:
    bill = issued(october, "meadow", "dave")
    line = bill.lines.all()[0]
    seen = preview(bill, {line.pk: Decimal("0.37")})
    assert left_of(bill)[0].left == line.net, "looking changes nothing"
    note = back(bill, {line.pk: Decimal("0.37")})
    assert (note.net, note.tax, note.total) == (seen.part.net, seen.part.tax, seen.part.total)
    assert left_of(bill)[0].left == line.net - Decimal("0.37")
