"""The books of paper: each of these corruptions, made by the database's owner with the triggers off, is found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from invoicing.checks import LAWS, violations
from invoicing.models import Invoice
from invoicing.services.issuing import approve, issue
from tests.cast import ACTOR, Cast
from tests.invoicing.month import load_calls, run_october


@pytest.fixture
def issued(cast: Cast, tmp_path: Path, settings: Any) -> Cast:
    """Two bills by Harbour (to Alice and Pier), one by Pier, one by Meadow."""
    settings.MEDIA_ROOT = str(tmp_path / "files")
    cast.fund("alice", 100)
    cast.fund("bob", 100)
    load_calls(cast, tmp_path, ["alice", "bob", "dave"])
    for seller in ("harbour", "pier", "meadow"):
        for draft in run_october(cast, seller).invoices:
            issue(approve(draft, actor=ACTOR), actor=ACTOR)
    assert list(violations()) == []
    return cast


TABLES = ("invoicing_invoice", "invoicing_invoiceline", "invoicing_billedtransfer", "accounts_transfer")


def corrupt(law: str) -> None:
    """As the owner may: the laws' triggers off until the test's transaction is rolled back."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(CORRUPTIONS[law])


DAVES = "(SELECT i.id FROM invoicing_invoice i JOIN tiers_party p ON p.id = i.buyer_id WHERE p.code = 'dave')"
ALICES = DAVES.replace("'dave'", "'alice'")
BOBS = DAVES.replace("'dave'", "'bob'")
OF_KIND = (
    "SELECT t.id FROM accounts_transfer t JOIN invoicing_billedtransfer b ON b.transfer_id = t.id AND b.invoice_id"
)

CORRUPTIONS = {
    "invoice_lines": f"UPDATE invoicing_invoiceline SET net = net + 0.01 WHERE invoice_id = {DAVES} AND position = 1",
    "invoice_calls": f"UPDATE invoicing_invoice SET calls = calls + 1 WHERE id = {DAVES}",
    "invoice_net": f"UPDATE invoicing_invoice SET net = net + 0.000001 WHERE id = {BOBS}",
    "invoice_tax": f"UPDATE invoicing_invoice SET tax = tax + 0.01 WHERE id = {DAVES}",
    "invoice_total": f"UPDATE invoicing_invoice SET total = total + 0.01 WHERE id = {DAVES}",
    "invoice_ledger": f"DELETE FROM invoicing_billedtransfer WHERE invoice_id = {DAVES}",
    "invoice_rounding": f"UPDATE invoicing_invoice SET rounding = rounding + 0.001 WHERE id = {DAVES}",
    "invoice_tax_account": f"""UPDATE accounts_transfer SET amount = amount + 0.01
        WHERE id IN ({OF_KIND} = {DAVES} AND t.kind = 'tax')""",
    "invoice_closing": f"UPDATE invoicing_invoice SET payments = payments + 1 WHERE id = {ALICES}",
    "invoice_opening": f"UPDATE invoicing_invoice SET opening_balance = 5 WHERE id = {ALICES}",
    "invoice_due": f"UPDATE invoicing_invoice SET due = 1 WHERE id = {ALICES}",
    "invoice_wallet": f"""UPDATE invoicing_billedtransfer SET invoice_id = {DAVES}
        WHERE transfer_id IN ({OF_KIND} = {BOBS} AND t.kind = 'usage')""",
    "invoice_billed_once": f"""
        ALTER TABLE invoicing_billedtransfer DROP CONSTRAINT invoicing_billedtransfer_pkey CASCADE;
        INSERT INTO invoicing_billedtransfer (transfer_id, invoice_id)
        SELECT transfer_id, {BOBS} FROM invoicing_billedtransfer WHERE invoice_id = {DAVES}""",
    "invoice_numbers": f"""UPDATE invoicing_invoice SET sequence = 7, number = series || '00007',
        context = context || jsonb_build_object('number', series || '00007') WHERE id = {ALICES}""",
    "invoice_number_text": f"""UPDATE invoicing_invoice SET number = 'X1',
        context = context || jsonb_build_object('number', 'X1') WHERE id = {ALICES}""",
    "invoice_paper": f'UPDATE invoicing_invoice SET context = context || \'{{"total": "1.00"}}\' WHERE id = {BOBS}',
}


def test_every_law_has_its_corruption() -> None:
    assert set(CORRUPTIONS) == set(LAWS)


def test_each_corruption_is_found(issued: Cast) -> None:
    missed = []
    for law in CORRUPTIONS:
        savepoint = transaction.savepoint()
        corrupt(law)
        if law not in {violation.law for violation in violations()}:
            missed.append(law)
        transaction.savepoint_rollback(savepoint)
    assert missed == []
    assert list(violations()) == []


def test_the_command_says_so_and_fails(issued: Cast, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("check_books", "--json")
    assert json.loads(capsys.readouterr().out)["ok"] is True
    corrupt("invoice_total")
    with pytest.raises(SystemExit) as ended:
        call_command("check_books", "--json")
    assert ended.value.code == 1
    told = json.loads(capsys.readouterr().out)
    number = Invoice.objects.get(buyer=issued.dave).number
    assert ("invoice_total", number) in {(one["law"], one["account"]) for one in told["violations"]}
