"""The tax of a period: from what was invoiced, from what prepaid customers paid as they went, and the proof of both.

Two times of tax: a postpaid customer's is due with the invoice, a prepaid one's with each charge. The last line is
what the tax account of the ledger moved in the period; where papers and ledger differ, the difference is a line too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from django.db import connection
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.figures import plain
from invoicing.books.asked import Asked


class Source(StrEnum):
    """Where a line of the report comes from."""

    INVOICES = "invoices"
    CREDIT_NOTES = "credit_notes"
    PREPAID = "prepaid"
    ALREADY = "already"
    ROUNDED = "rounded"
    OTHER = "difference"
    LEDGER = "ledger"


WORDS: dict[Source, str | Promise] = {
    Source.INVOICES: _("Invoices issued"),
    Source.CREDIT_NOTES: _("Credit notes issued"),
    Source.PREPAID: _("Prepaid, taxed at use"),
    Source.ALREADY: _("On these invoices, but taxed at use before"),
    Source.ROUNDED: _("Rounded to cents on statements"),
    Source.OTHER: _("Not explained by papers or charges"),
    Source.LEDGER: _("Moved on the tax account"),
}
EXPLAINING = (Source.INVOICES, Source.CREDIT_NOTES, Source.PREPAID, Source.ALREADY, Source.ROUNDED)


@dataclass(frozen=True, slots=True)
class TaxLine:
    """`rate` in percent and `net` are None where the line has none. Tax that was taken is above zero."""

    source: Source
    brand: str
    tax_name: str
    rate: Decimal | None
    net: Decimal | None
    tax: Decimal

    @property
    def words(self) -> str:
        return str(WORDS[self.source])

    @property
    def rate_text(self) -> str:
        return "" if self.rate is None else f"{plain(self.rate)}%"


INVOICED = """
    SELECT i.kind, b.name, i.tax_name, i.tax_rate, sum(i.total - i.tax), sum(i.tax)
    FROM invoicing_invoice i JOIN tiers_brand b ON b.id = i.brand_id
    WHERE i.seller_id = %(seller)s AND i.currency = %(currency)s AND i.number IS NOT NULL AND i.kind <> 'statement'
        AND i.issued_at >= %(start)s AND i.issued_at < %(end)s
    GROUP BY 1, 2, 3, 4 ORDER BY 1 DESC, 2, 4, 3
"""
# Charges and their tax of the wallets that the seller sells to; who is prepaid, and its brand's tax, as they are now.
CHARGED = """
    WITH sold AS MATERIALIZED (
        SELECT w.account_id, w.billing, placed.brand_id FROM accounts_wallet w
        JOIN accounts_account a ON a.id = w.account_id AND a.currency = %(currency)s
        LEFT JOIN LATERAL (SELECT m.brand_id FROM tiers_placement m
            WHERE m.party_id = a.owner_id AND m.seller_id = %(seller)s ORDER BY m.valid_from DESC LIMIT 1) placed
            ON true
        WHERE w.seller_id = %(seller)s),
    moved AS (
        SELECT s.brand_id, t.kind IN ('usage_tax', 'charge_tax') AS is_tax, s.billing,
            CASE WHEN t.payer_id = s.account_id THEN t.amount ELSE -t.amount END AS amount
        FROM accounts_transfer t JOIN sold s ON s.account_id IN (t.payer_id, t.payee_id)
        JOIN accounts_account x ON x.id = CASE WHEN t.payer_id = s.account_id THEN t.payee_id ELSE t.payer_id END
        WHERE t.currency = %(currency)s AND t.kind IN ('usage', 'charge', 'usage_tax', 'charge_tax')
            AND t.id >= %(from_id)s AND t.id < %(to_id)s AND t.created_at >= %(start)s AND t.created_at < %(end)s
            AND x.owner_id = %(seller)s)
    SELECT COALESCE(b.name, ''), COALESCE(p.tax_name, ''), COALESCE(p.tax_rate, 0),
        COALESCE(sum(m.amount) FILTER (WHERE NOT is_tax AND m.billing = 'prepaid'), 0),
        COALESCE(sum(m.amount) FILTER (WHERE is_tax), 0)
    FROM moved m LEFT JOIN tiers_brand b ON b.id = m.brand_id LEFT JOIN rating_priceterms p ON p.brand_id = b.id
    WHERE is_tax OR m.billing = 'prepaid' GROUP BY 1, 2, 3 ORDER BY 1
"""
ALREADY = """
    SELECT COALESCE(sum(CASE WHEN t.payer_id = i.wallet_id THEN t.amount ELSE -t.amount END), 0)
    FROM invoicing_invoice i JOIN invoicing_billedtransfer b ON b.invoice_id = i.id
    JOIN accounts_transfer t ON t.id = b.transfer_id AND t.kind IN ('usage_tax', 'charge_tax')
    WHERE i.seller_id = %(seller)s AND i.currency = %(currency)s AND i.number IS NOT NULL AND i.kind = 'invoice'
        AND i.issued_at >= %(start)s AND i.issued_at < %(end)s
"""
ON_TAX = """
    SELECT COALESCE(sum(amount), 0), COALESCE(sum(amount) FILTER (WHERE kind = 'rounding'), 0) FROM (
        SELECT t.amount * s.sign AS amount, t.kind
        FROM accounts_account a CROSS JOIN (VALUES (1), (-1)) AS s (sign)
        JOIN accounts_transfer t ON a.id = CASE WHEN s.sign = 1 THEN t.payee_id ELSE t.payer_id END
        WHERE a.owner_id = %(seller)s AND a.kind = 'tax' AND a.currency = %(currency)s
            AND t.id >= %(from_id)s AND t.id < %(to_id)s AND t.created_at >= %(start)s AND t.created_at < %(end)s) l
"""


def tax_lines(asked: Asked) -> list[TaxLine]:
    """The report; its last line is the ledger's, and all before it add up to that."""
    lines = list(_lines(asked))
    with connection.cursor() as cursor:
        cursor.execute(ALREADY, asked.params())
        (already,) = cursor.fetchone()
        cursor.execute(ON_TAX, asked.params())
        ledger, rounded = cursor.fetchone()
    lines += [_alone(Source.ALREADY, -already)] if already else []
    lines += [_alone(Source.ROUNDED, rounded)] if rounded else []
    difference = ledger - sum((line.tax for line in lines), Decimal(0))
    lines += [_alone(Source.OTHER, difference)] if difference else []
    return [*lines, _alone(Source.LEDGER, ledger)]


def _lines(asked: Asked) -> Iterator[TaxLine]:
    with connection.cursor() as cursor:
        cursor.execute(INVOICED, asked.params())
        for kind, brand, name, rate, net, tax in cursor.fetchall():
            if kind == "invoice":
                yield TaxLine(Source.INVOICES, brand, name, rate, net, tax)
            else:
                yield TaxLine(Source.CREDIT_NOTES, brand, name, rate, -net, -tax)
        cursor.execute(CHARGED, asked.params())
        for brand, name, rate, net, tax in cursor.fetchall():
            yield TaxLine(Source.PREPAID, brand, name, rate, net, tax)


def _alone(source: Source, tax: Decimal) -> TaxLine:
    return TaxLine(source, "", "", None, None, tax)
