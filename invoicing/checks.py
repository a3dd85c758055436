"""The proof of the papers: every figure of every bill follows again from transfers, lines and terms.

Each law is one query, and so of one moment; it returns the invoice (number, or id of a draft), currency, what was
expected and what was found. The arithmetic is that of `services/amounts.py`, written a second time on purpose.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from accounts.books import Violation, violations_of
from invoicing import charge_checks, credit_checks
from invoicing.models import Invoice
from invoicing.services.amounts import currency_decimals

# What the wallet paid (less what it got back) by the transfers of each bill, by kind; `d` are the currency's decimals.
# Quotients are taken to 30 places, so that rounding them once is as good as rounding the exact figure.
SUMS = """
    SELECT i.*, COALESCE(i.number, i.id::text) AS name, (%(decimals)s::jsonb ->> i.currency)::int AS d,
        100 + i.tax_rate + 0.000000000000000000000000000000 AS with_tax,
        COALESCE(s.charged, 0) AS charged, COALESCE(s.taxed, 0) AS taxed, COALESCE(s.rounded, 0) AS rounded,
        COALESCE(s.moved, 0) AS moved
    FROM invoicing_invoice i LEFT JOIN (
        SELECT b.invoice_id,
            sum(l.paid) FILTER (WHERE l.kind IN ('usage', 'charge')) AS charged,
            sum(l.paid) FILTER (WHERE l.kind IN ('usage_tax', 'charge_tax')) AS taxed,
            sum(l.paid) FILTER (WHERE l.kind = 'rounding') AS rounded,
            sum(l.paid) AS moved
        FROM invoicing_billedtransfer b JOIN invoicing_invoice j ON j.id = b.invoice_id
        JOIN LATERAL (
            SELECT t.kind,
                CASE j.wallet_id WHEN t.payer_id THEN t.amount WHEN t.payee_id THEN -t.amount ELSE 0 END AS paid
            FROM accounts_transfer t WHERE t.id = b.transfer_id) l ON true
        GROUP BY b.invoice_id) s ON s.invoice_id = i.id
    WHERE i.kind <> 'credit_note'
"""
LINES = """
    SELECT i.id, COALESCE(i.number, i.id::text) AS name, i.currency, i.net, i.calls,
        COALESCE(sum(l.net), 0) AS sum_net, COALESCE(sum(l.calls), 0) AS sum_calls
    FROM invoicing_invoice i LEFT JOIN invoicing_invoiceline l ON l.invoice_id = i.id GROUP BY i.id
"""
EXPECTED = f"""
    SELECT x.*,
        CASE WHEN kind = 'statement' OR NOT prices_include_tax THEN charged
            ELSE round((charged + taxed) * 100 / with_tax, 6) END AS want_net,
        CASE WHEN kind = 'statement' THEN LEAST(round(taxed, d), total)
            WHEN prices_include_tax THEN round((charged + taxed) * tax_rate / with_tax, d)
            ELSE round(charged * tax_rate / 100, d) END AS want_tax,
        CASE WHEN kind = 'statement' OR prices_include_tax THEN round(charged + taxed, d)
            ELSE round(charged + charged * tax_rate / 100, d) END AS want_total
    FROM ({SUMS}) x
"""
ISSUED_ORDER = """
    SELECT COALESCE(number, id::text) AS name, currency, opening_balance,
        COALESCE(lag(closing_balance) OVER (PARTITION BY wallet_id ORDER BY issued_at, sequence), 0) AS before
    FROM invoicing_invoice WHERE number IS NOT NULL AND kind <> 'credit_note'
"""

LAWS: dict[str, str] = {
    "invoice_lines": f"SELECT name, currency, sum_net, net FROM ({LINES}) x WHERE sum_net <> net",
    "invoice_calls": f"SELECT name, currency, sum_calls, calls FROM ({LINES}) x WHERE sum_calls <> calls",
    "invoice_net": f"SELECT name, currency, want_net, net FROM ({EXPECTED}) x WHERE want_net <> net",
    "invoice_tax": f"SELECT name, currency, want_tax, tax FROM ({EXPECTED}) x WHERE want_tax <> tax",
    # A prepaid wallet that has not even the fraction left is rounded down.
    "invoice_total": f"""
        SELECT name, currency, want_total, total FROM ({EXPECTED}) x
        WHERE want_total <> total AND NOT (kind = 'statement' AND total = trunc(charged + taxed, d))""",
    "invoice_ledger": f"""
        SELECT name, currency, total, moved FROM ({SUMS}) x WHERE number IS NOT NULL AND moved <> total""",
    "invoice_rounding": f"""
        SELECT name, currency, rounding, rounded FROM ({SUMS}) x WHERE number IS NOT NULL AND rounded <> rounding""",
    "invoice_tax_account": """
        SELECT i.number, i.currency, i.tax, COALESCE(sum(CASE WHEN q.kind = 'tax' THEN t.amount ELSE -t.amount END), 0)
        FROM invoicing_invoice i LEFT JOIN (
            accounts_transfer t
            JOIN accounts_account p ON p.id = t.payer_id JOIN accounts_account q ON q.id = t.payee_id
            LEFT JOIN invoicing_billedtransfer b ON b.transfer_id = t.id
        ) ON (b.invoice_id = i.id OR t.cause = i.id) AND (p.kind = 'tax' OR q.kind = 'tax')
        WHERE i.number IS NOT NULL AND i.kind <> 'credit_note' GROUP BY i.id
        HAVING i.tax <> COALESCE(sum(CASE WHEN q.kind = 'tax' THEN t.amount ELSE -t.amount END), 0)""",
    "invoice_closing": """
        SELECT number, currency, opening_balance + payments + adjustments - total, closing_balance
        FROM invoicing_invoice WHERE number IS NOT NULL AND kind <> 'credit_note'
            AND opening_balance + payments + adjustments - total <> closing_balance""",
    "invoice_opening": f"""
        SELECT name, currency, before, opening_balance FROM ({ISSUED_ORDER}) x WHERE before <> opening_balance""",
    "invoice_due": """
        SELECT COALESCE(number, id::text), currency, CASE kind WHEN 'invoice' THEN '0 to ' || total ELSE '0' END, due
        FROM invoicing_invoice WHERE due < 0 OR due > total OR (kind <> 'invoice' AND due <> 0)""",
    "invoice_wallet": """
        SELECT COALESCE(i.number, i.id::text), i.currency, 'a transfer between ' || i.wallet_id || ' and its seller',
            t.payer_id || ' to ' || t.payee_id
        FROM invoicing_billedtransfer b JOIN invoicing_invoice i ON i.id = b.invoice_id
        JOIN accounts_wallet w ON w.account_id = i.wallet_id JOIN accounts_account a ON a.id = w.account_id
        JOIN accounts_transfer t ON t.id = b.transfer_id
        JOIN accounts_account p ON p.id = t.payer_id JOIN accounts_account q ON q.id = t.payee_id
        WHERE i.currency <> t.currency OR i.currency <> a.currency OR a.owner_id <> i.buyer_id
            OR w.seller_id <> i.seller_id
            OR NOT ((t.payer_id = i.wallet_id AND q.owner_id = i.seller_id)
                OR (t.payee_id = i.wallet_id AND p.owner_id = i.seller_id))""",
    "invoice_billed_once": """
        SELECT b.transfer_id, t.currency, '1', count(*) FROM invoicing_billedtransfer b
        LEFT JOIN accounts_transfer t ON t.id = b.transfer_id GROUP BY b.transfer_id, t.currency
        HAVING count(*) > 1 OR t.currency IS NULL""",
    "invoice_numbers": """
        SELECT COALESCE(i.series, s.code), NULL, '1 to ' || COALESCE(s.last_number, 0),
            COALESCE(i.lowest, 0) || ' to ' || COALESCE(i.highest, 0) || ', ' || COALESCE(i.numbers, 0) || ' numbers, '
                || COALESCE(i.invoices, 0) || ' invoices'
        FROM (SELECT seller_id, series, min(sequence) AS lowest, max(sequence) AS highest,
                count(DISTINCT sequence) AS numbers, count(*) AS invoices
            FROM invoicing_invoice WHERE number IS NOT NULL GROUP BY seller_id, series) i
        FULL JOIN invoicing_invoiceseries s ON s.issuer_id = i.seller_id AND s.code = i.series
        WHERE (i.lowest, i.highest, i.numbers, i.invoices)
            IS DISTINCT FROM (1, s.last_number, s.last_number::bigint, s.last_number::bigint)""",
    "invoice_number_text": """
        SELECT number, currency, wanted, number FROM (
            SELECT number, currency, series || repeat('0', 5 - length(sequence::text)) || sequence AS wanted
            FROM invoicing_invoice WHERE number IS NOT NULL) x WHERE number IS DISTINCT FROM wanted""",
    "invoice_paper": """
        SELECT number, currency, concat_ws(' ', number, net, tax, total, currency),
            concat_ws(' ', context->>'number', context->>'net', context->>'tax', context->>'total',
                context->>'currency')
        FROM invoicing_invoice WHERE number IS NOT NULL AND (number, net, tax, total, currency)
            IS DISTINCT FROM (context->>'number', (context->>'net')::numeric, (context->>'tax')::numeric,
                (context->>'total')::numeric, context->>'currency')""",
}


def violations() -> Iterator[Violation]:
    """Every figure of a bill that does not follow from what it rests on."""
    currencies = Invoice.objects.values_list("currency", flat=True).distinct()
    decimals = json.dumps({currency: currency_decimals(currency) for currency in currencies})
    for law, query in LAWS.items():
        params: Any = {"decimals": decimals}
        yield from violations_of(law, query, params)
    yield from charge_checks.violations()
    yield from credit_checks.violations()
