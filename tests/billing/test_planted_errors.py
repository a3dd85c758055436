"""check_books against books that were tampered with, as the database's owner, with the laws switched off.

Each case changes one thing in a month that was rated, billed and paid; the check must name it.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import call_command
from django.db import connection

from accounts import books
from accounts.services import holds
from accounts.services.accounts import wallet_of
from billing.books import violations
from invoicing.models import Invoice
from invoicing.services.crediting import credit
from invoicing.services.drafts import run
from invoicing.services.issuing import approve, issue
from rating.pricing.tables import TableCache
from rating.services import facts
from rating.services.facts import COLUMNS
from rating.services.imports import import_file
from tests.cast import ACTOR
from tests.rating.calls_help import many, write
from tests.rating.rerating_help import correct_rate, rerate

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.django_db

CALL = "(SELECT id FROM rating_ratedcall WHERE sale > 0 ORDER BY id LIMIT 1)"
CHARGE = "(SELECT id FROM accounts_transfer WHERE kind = 'usage' ORDER BY id LIMIT 1)"
OWNED = "(SELECT id FROM accounts_account WHERE kind = 'wallet' AND owner_id ="
DAVE = f"{OWNED} (SELECT id FROM tiers_party WHERE code = 'dave'))"
ALICE = DAVE.replace("dave", "alice")
ISSUED = "(SELECT id FROM invoicing_invoice WHERE number IS NOT NULL ORDER BY id LIMIT 1)"

CORRECTED = "(SELECT id FROM rating_ratedcorrection WHERE sale > sale_before ORDER BY id LIMIT 1)"
CORRECTING = f"(SELECT transfer_id FROM rating_ratedcorrection WHERE id = {CORRECTED})"

NOTE = "kind = 'credit_note'"
BACK = f"(SELECT corrects_id FROM invoicing_invoice WHERE {NOTE})"
CREDITED = f"id = {BACK}"

PLANTED: dict[str, tuple[str, str]] = {
    "a balance": ("wallet_balance", f"UPDATE accounts_wallet SET posted = posted + 0.01 WHERE account_id = {ALICE}"),
    "what is held": ("wallet_held", f"UPDATE accounts_wallet SET held = held + 1 WHERE account_id = {ALICE}"),
    "a debt below": (
        "wallet_owed_below",
        "UPDATE accounts_wallet SET owed_below = owed_below + 1 WHERE account_id = (SELECT seller_wallet_id"
        " FROM accounts_wallet WHERE seller_wallet_id IS NOT NULL LIMIT 1)",
    ),
    "a hold that is gone": ("wallet_held", "DELETE FROM accounts_hold WHERE status = 'open'"),
    "a charge's amount": (
        "usage_transfer",
        f"UPDATE accounts_transfer SET amount = amount + 0.000001 WHERE id = {CHARGE}",
    ),
    "a foreign currency": ("transfer_currency", f"UPDATE accounts_transfer SET currency = 'JPY' WHERE id = {CHARGE}"),
    "a transfer of the wrong wallet": (
        "transfer_counter_account",
        f"UPDATE accounts_transfer SET payer_id = {DAVE} WHERE id = (SELECT id FROM accounts_transfer"
        f" WHERE kind = 'usage' AND payer_id = {ALICE} LIMIT 1)",
    ),
    "a transfer that is gone": ("wallet_balance", "DELETE FROM accounts_transfer WHERE kind = 'allocation'"),
    "a price": ("call_price", f"UPDATE rating_ratedcall SET sale = sale + 0.0001 WHERE id = {CALL}"),
    "a tier that was not charged": (
        "call_tier_missing",
        "DELETE FROM rating_ratedcall WHERE id = (SELECT c.id FROM rating_ratedcall c JOIN tiers_party p"
        " ON p.id = c.buyer_id WHERE p.code = 'harbour' LIMIT 1)",
    ),
    "a call that was not charged": (
        "record_status",
        "DELETE FROM rating_ratedcall WHERE id = (SELECT c.id FROM rating_ratedcall c JOIN tiers_party p"
        " ON p.id = c.buyer_id WHERE p.code = 'alice' LIMIT 1)",
    ),
    "a call under another's charge": (
        "call_wallet",
        "UPDATE rating_ratedcall SET transfer_id = (SELECT id FROM accounts_transfer WHERE kind = 'usage'"
        f" AND payer_id = {DAVE} LIMIT 1) WHERE id = (SELECT c.id FROM rating_ratedcall c JOIN tiers_party p"
        " ON p.id = c.buyer_id WHERE p.code = 'alice' AND c.sale > 0 LIMIT 1)",
    ),
    "the terms of a price": (
        "call_price",
        "UPDATE rating_rateterms SET body = jsonb_set(body, '{rate,price}', '\"9.99\"') WHERE id ="
        f" (SELECT terms_id FROM rating_ratedcall WHERE id = {CALL})",
    ),
    "a dealer's cost": (
        "call_cost",
        "UPDATE rating_ratedcall SET cost = cost + 1 WHERE id = (SELECT c.id FROM rating_ratedcall c JOIN tiers_party p"
        " ON p.id = c.buyer_id WHERE p.code = 'alice' AND c.cost > 0 LIMIT 1)",
    ),
    "the carrier's due": (
        "carrier_transfer",
        "UPDATE accounts_transfer SET amount = amount + 1 WHERE kind = 'carrier_cost'",
    ),
    "the tax on calls": (
        "usage_tax_transfer",
        "UPDATE accounts_transfer SET amount = amount + 1 WHERE id = (SELECT id FROM accounts_transfer"
        " WHERE kind = 'usage_tax' LIMIT 1)",
    ),
    "a record that is gone": (
        "import_records",
        "DELETE FROM rating_usagerecord WHERE id = (SELECT id FROM rating_usagerecord LIMIT 1)",
    ),
    "a half that is gone": ("halves_waiting", "UPDATE rating_usagechunk SET waiting = 1, read = read + 1"),
    "the price of a correction": (
        "call_price",
        f"UPDATE rating_ratedcorrection SET sale = sale + 0.0001 WHERE id = {CORRECTED}",
    ),
    "what stood before a correction": (
        "correction_before",
        f"UPDATE rating_ratedcorrection SET sale_before = sale_before - 0.000001 WHERE id = {CORRECTED}",
    ),
    "a correction of another's call": (
        "correction_before",
        "UPDATE rating_ratedcorrection SET rated_call_id = (SELECT id FROM rating_ratedcall ORDER BY id DESC LIMIT 1),"
        f" number = 9 WHERE id = {CORRECTED}",
    ),
    "a correction that is gone": ("usage_transfer", f"DELETE FROM rating_ratedcorrection WHERE id = {CORRECTED}"),
    "a correcting transfer's amount": (
        "usage_transfer",
        f"UPDATE accounts_transfer SET amount = amount + 0.000001 WHERE id = {CORRECTING}",
    ),
    "a correction that went the wrong way": (
        "correction_transfer",
        f"UPDATE accounts_transfer SET payer_id = payee_id, payee_id = payer_id WHERE id = {CORRECTING}",
    ),
    "the original of a correction": (
        "correction_original",
        "UPDATE accounts_transfer t SET reverses_id = NULL WHERE t.id = " + CORRECTING,
    ),
    "a correction of another kind of transfer": (
        "transfer_correction",
        "UPDATE accounts_transfer SET reverses_id = (SELECT id FROM accounts_transfer WHERE kind = 'usage_tax'"
        f" AND reverses_id IS NULL LIMIT 1) WHERE id = {CORRECTING}",
    ),
    "more taken back than was charged": (
        "transfer_corrected",
        "UPDATE accounts_transfer SET payer_id = payee_id, payee_id = payer_id, amount = amount + 1000"
        f" WHERE id = {CORRECTING}",
    ),
    "a dealer's cost after a correction": (
        "call_cost",
        "UPDATE rating_ratedcorrection SET cost = cost + 1 WHERE id = (SELECT k.id FROM rating_ratedcorrection k"
        " JOIN tiers_party s ON s.id = k.seller_id WHERE s.kind <> 'operator' AND k.cost > 0 LIMIT 1)",
    ),
    "a count": ("chunk_counts", "UPDATE rating_usagechunk SET rated = rated + 1"),
    "a fact's sale": (
        "facts",
        "UPDATE rating_fact SET sale_micro = sale_micro + 1 WHERE id = (SELECT min(id) FROM rating_fact"
        " WHERE grain = 'hour')",
    ),
    "a fact counted twice": (
        "facts",
        f"INSERT INTO rating_fact ({COLUMNS}) SELECT {COLUMNS} FROM rating_fact WHERE charged > 0 AND grain = 'hour'"
        " ORDER BY id LIMIT 1",
    ),
    "a fact that is gone": (
        "facts",
        "DELETE FROM rating_fact WHERE id = (SELECT min(id) FROM rating_fact WHERE charged > 0 AND grain = 'hour')",
    ),
    "calls answered that nobody made": (
        "fact_counts",
        "UPDATE rating_fact SET answered = answered + 1000000 WHERE id = (SELECT min(id) FROM rating_fact"
        " WHERE grain = 'hour')",
    ),
    "a fact by the day": (
        "fact_grains",
        "UPDATE rating_fact SET duration_s = duration_s + 60 WHERE id = (SELECT min(id) FROM rating_fact"
        " WHERE grain = 'day')",
    ),
    "a snapshot": ("book_snapshot", "UPDATE accounts_booksnapshot SET posted = posted + 1"),
    "an invoice's total": ("invoice_", f"UPDATE invoicing_invoice SET total = total + 0.01 WHERE id = {ISSUED}"),
    "an invoice's net": ("invoice_", f"UPDATE invoicing_invoice SET net = net + 0.01 WHERE id = {ISSUED}"),
    "an invoice's number": (
        "invoice_number",
        f"UPDATE invoicing_invoice SET sequence = sequence + 7 WHERE id = {ISSUED}",
    ),
    "an invoice's line": (
        "invoice_",
        f"UPDATE invoicing_invoiceline SET net = net + 1 WHERE id = (SELECT id FROM invoicing_invoiceline"
        f" WHERE invoice_id = {ISSUED} LIMIT 1)",
    ),
    "a charge on another's bill": (
        "invoice_",
        f"UPDATE invoicing_billedtransfer SET invoice_id = {ISSUED} WHERE transfer_id = (SELECT transfer_id"
        f" FROM invoicing_billedtransfer WHERE invoice_id <> {ISSUED} LIMIT 1)",
    ),
    "more given back than was billed": ("credit_most", f"UPDATE invoicing_invoice SET net = 0.01 WHERE {CREDITED}"),
    "a credit note's tax": ("credit_tax", f"UPDATE invoicing_invoice SET tax = tax + 0.01 WHERE {NOTE}"),
    "a credit note's total": ("credit_total", f"UPDATE invoicing_invoice SET total = total + 0.01 WHERE {NOTE}"),
    "a credit note of nothing": ("credit_bill", f"UPDATE invoicing_invoice SET corrects_id = NULL WHERE {NOTE}"),
    "what a credit note names": (
        "credit_names",
        "UPDATE invoicing_invoice SET context = jsonb_set(context, '{original_number}', '\"X1\"') WHERE " + NOTE,
    ),
    "a credited line": (
        "credit_line",
        "UPDATE invoicing_invoiceline SET net = net * 3 WHERE corrects_id IS NOT NULL",
    ),
    "a credited line of another bill": (
        "credit_line_bill",
        "UPDATE invoicing_invoiceline SET corrects_id = (SELECT id FROM invoicing_invoiceline"
        f" WHERE invoice_id <> {BACK} AND corrects_id IS NULL LIMIT 1) WHERE corrects_id IS NOT NULL",
    ),
    "what a wallet got back": (
        "credit_ledger",
        "UPDATE accounts_transfer SET amount = amount + 0.01 WHERE kind = 'credit'",
    ),
    "a credit that no note posted": (
        "credit_known",
        f"DELETE FROM invoicing_billedtransfer WHERE invoice_id = (SELECT id FROM invoicing_invoice WHERE {NOTE})",
    ),
    "a bill that is called credited": (
        "credit_status",
        f"UPDATE invoicing_invoice SET status = 'credited' WHERE {CREDITED}",
    ),
    "what is due though it was given back": (
        "credit_due",
        f"UPDATE invoicing_invoice SET due = total WHERE {CREDITED}",
    ),
}

GUARDED = (
    "accounts_transfer",
    "accounts_wallet",
    "accounts_hold",
    "rating_ratedcall",
    "rating_ratedcorrection",
    "invoicing_invoice",
    "invoicing_invoiceline",
    "invoicing_billedtransfer",
)


@contextmanager
def laws_off() -> Iterator[Any]:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in GUARDED:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        yield cursor
        for table in GUARDED:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


@pytest.fixture
def month(cast: Cast, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Cast:
    """October: calls of four customers, holds, snapshots, bills of every seller, half a line of one given back, and a
    week rated again."""
    monkeypatch.setattr("rating.pricing.shelf.CACHE", TableCache())
    settings.MEDIA_ROOT = str(tmp_path / "media")
    cast.fund("summit", "500")
    for code in ("alice", "bob", "carol", "erin"):
        cast.fund(code, "100")
    calls = [call for code in ("alice", "bob", "carol", "dave") for call in many(30, code, code)]
    import_file(write(tmp_path / "october.csv", calls), cast.source(), actor=ACTOR)
    holds.place(wallet_of(cast.alice).pk, Decimal(3), key="order")
    books.snapshot_books()
    facts.fold()
    for code in ("harbour", "pier", "summit", "meadow"):
        for invoice in run(cast.party(code), date(2026, 10, 1), actor=ACTOR).invoices:
            issue(approve(invoice, actor=ACTOR), actor=ACTOR)
    bill = Invoice.objects.get(buyer=cast.dave)
    line = bill.lines.all()[0]
    credit(bill, {line.pk: line.net / 2}, reason="a week without a line", actor=ACTOR, key="dave")
    correct_rate(cast, "0.05", prefix="447")
    rerate(cast)
    return cast


def test_an_honest_month_has_nothing_to_show(month: Cast) -> None:
    out = io.StringIO()
    call_command("check_books", "--json", stdout=out)
    assert json.loads(out.getvalue())["violations"] == []


@pytest.mark.parametrize("what", PLANTED)
def test_what_was_tampered_with_is_named(month: Cast, what: str) -> None:
    law, statement = PLANTED[what]
    with laws_off() as cursor:
        cursor.execute(statement)
        assert cursor.rowcount, "the case changed nothing"
    found = {violation.law for violation in violations()}
    assert any(name.startswith(law) for name in found), found


def test_the_command_says_so_and_fails(month: Cast) -> None:
    with laws_off() as cursor:
        cursor.execute(PLANTED["a balance"][1])
    out = io.StringIO()
    with pytest.raises(SystemExit) as exit_code:
        call_command("check_books", "--json", stdout=out)
    said = json.loads(out.getvalue())
    assert (exit_code.value.code, said["ok"]) == (1, False)
    assert said["violations"][0] == {
        "law": "wallet_balance",
        "account": str(wallet_of(month.alice).pk),
        "currency": "EUR",
        "expected": said["violations"][0]["expected"],
        "found": said["violations"][0]["found"],
    }
