"""The proof of credit notes: none gives back more than was billed, and wallet, tax account and paper say the same.

Each law is one query; it returns the number of the note or bill, currency, what was expected and what was found. The
arithmetic is that of `services/credit_sums.py`, written a second time on purpose.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from accounts.books import Violation, violations_of
from invoicing.models import Invoice
from invoicing.services.amounts import currency_decimals

NOTES = "SELECT * FROM invoicing_invoice WHERE kind = 'credit_note'"
GIVEN = f"""
    SELECT b.*, COALESCE(c.net, 0) AS given_net, COALESCE(c.tax, 0) AS given_tax, COALESCE(c.total, 0) AS given_total
    FROM invoicing_invoice b LEFT JOIN (
        SELECT corrects_id, sum(net) AS net, sum(tax) AS tax, sum(total) AS total FROM ({NOTES}) n GROUP BY 1
    ) c ON c.corrects_id = b.id
    WHERE b.kind <> 'credit_note' AND b.number IS NOT NULL
"""
# With each note what all notes of its bill gave back up to it; `exact` is the tax on that, unrounded to 30 places.
RUNNING = f"""
    SELECT n.number, n.currency, b.net AS whole_net, b.tax AS whole_tax, b.total AS whole_total,
        (%(decimals)s::jsonb ->> n.currency)::int AS d, sum(n.net) OVER w AS net, sum(n.tax) OVER w AS tax,
        sum(n.total) OVER w AS total,
        b.tax_exact * sum(n.net) OVER w / (b.net + 0.000000000000000000000000000000) AS exact
    FROM ({NOTES}) n JOIN invoicing_invoice b ON b.id = n.corrects_id AND b.net <> 0
    WINDOW w AS (PARTITION BY n.corrects_id ORDER BY n.issued_at, n.id)
"""
# What the wallet got by the transfers of each note, and what of it came out of the seller's tax account.
MOVED = f"""
    SELECT n.number, n.currency, n.total, n.tax, n.rounding,
        COALESCE(sum(x.got), 0) AS got, COALESCE(sum(x.got) FILTER (WHERE x.other = 'tax'), 0) AS got_tax,
        COALESCE(sum(x.got) FILTER (WHERE x.other = 'rounding'), 0) AS got_rounding,
        COALESCE(bool_and(x.kind = 'credit' AND x.cause = n.id), true) AS known
    FROM ({NOTES}) n LEFT JOIN invoicing_billedtransfer b ON b.invoice_id = n.id
    LEFT JOIN LATERAL (
        SELECT t.kind, t.cause, o.kind AS other,
            CASE n.wallet_id WHEN t.payee_id THEN t.amount WHEN t.payer_id THEN -t.amount ELSE 0 END AS got
        FROM accounts_transfer t JOIN accounts_account o
            ON o.id = CASE n.wallet_id WHEN t.payee_id THEN t.payer_id ELSE t.payee_id END
        WHERE t.id = b.transfer_id) x ON true
    GROUP BY n.id, n.number, n.currency, n.total, n.tax, n.rounding
"""

LAWS: dict[str, str] = {
    "credit_bill": f"""
        SELECT COALESCE(n.number, n.id::text), n.currency, 'a bill of the same seller, buyer, wallet and currency',
            COALESCE(b.number, 'none') FROM ({NOTES}) n LEFT JOIN invoicing_invoice b ON b.id = n.corrects_id
        WHERE b.id IS NULL OR b.number IS NULL OR b.kind = 'credit_note' OR n.number IS NULL
            OR (n.seller_id, n.buyer_id, n.wallet_id, n.currency)
                <> (b.seller_id, b.buyer_id, b.wallet_id, b.currency)""",
    "credit_names": f"""
        SELECT n.number, n.currency, b.number || ' ' || b.issue_date,
            concat_ws(' ', n.context->>'original_number', n.context->>'original_date')
        FROM ({NOTES}) n JOIN invoicing_invoice b ON b.id = n.corrects_id
        WHERE (n.context->>'original_number', n.context->>'original_date')
            IS DISTINCT FROM (b.number::text, b.issue_date::text)""",
    "credit_most": f"""
        SELECT number, currency, 'at most ' || concat_ws(' ', net, tax, total),
            concat_ws(' ', given_net, given_tax, given_total) FROM ({GIVEN}) b
        WHERE given_net > net OR given_tax > tax OR given_total > total""",
    "credit_line": """
        SELECT i.number, i.currency, 'at most ' || l.net || ' of line ' || l.position, sum(c.net)::text
        FROM invoicing_invoiceline c JOIN invoicing_invoiceline l ON l.id = c.corrects_id
        JOIN invoicing_invoice i ON i.id = l.invoice_id GROUP BY i.id, l.id
        HAVING abs(sum(c.net)) > abs(l.net) OR sign(sum(c.net)) <> sign(l.net)""",
    "credit_line_bill": f"""
        SELECT n.number, n.currency, 'a line of the bill that it corrects', COALESCE(l.label, 'none')
        FROM ({NOTES}) n JOIN invoicing_invoiceline c ON c.invoice_id = n.id
        LEFT JOIN invoicing_invoiceline l ON l.id = c.corrects_id
        WHERE l.invoice_id IS DISTINCT FROM n.corrects_id""",
    "credit_tax": f"""
        SELECT number, currency, want, tax FROM (
            SELECT r.*, CASE WHEN net = whole_net THEN whole_tax ELSE LEAST(round(exact, d), whole_tax) END AS want
            FROM ({RUNNING}) r) x WHERE want <> tax""",
    "credit_total": f"""
        SELECT number, currency, want, total FROM (
            SELECT r.*, CASE WHEN net = whole_net THEN whole_total
                ELSE LEAST(round(net + exact, d), whole_total) END AS want
            FROM ({RUNNING}) r) x WHERE want <> total""",
    "credit_ledger": f"""
        SELECT number, currency, concat_ws(' ', total, tax, rounding), concat_ws(' ', got, got_tax, got_rounding)
        FROM ({MOVED}) m WHERE (got, got_tax, got_rounding) <> (total, tax, rounding) OR NOT known""",
    "credit_known": """
        SELECT t.id, t.currency, 'a credit note that it posted', t.key FROM accounts_transfer t
        WHERE t.key LIKE 'credit-note:%%' AND NOT EXISTS (
            SELECT 1 FROM invoicing_billedtransfer b JOIN invoicing_invoice n ON n.id = b.invoice_id
            WHERE b.transfer_id = t.id AND n.kind = 'credit_note' AND t.cause = n.id)""",
    "credit_status": f"""
        SELECT number, currency, CASE WHEN given_net = net AND net <> 0 THEN 'credited' ELSE 'not credited' END, status
        FROM ({GIVEN}) b WHERE (given_net = net AND net <> 0) <> (status = 'credited')""",
    "credit_due": f"""
        SELECT number, currency, 'at most ' || (total - given_total), due::text FROM ({GIVEN}) b
        WHERE due > total - given_total""",
}


def violations() -> Iterator[Violation]:
    """Every credit note that its bill or the ledger does not bear out."""
    currencies = Invoice.objects.values_list("currency", flat=True).distinct()
    params = json.dumps({currency: currency_decimals(currency) for currency in currencies})
    for law, query in LAWS.items():
        yield from violations_of(law, query, {"decimals": params})  # type: ignore[arg-type]
