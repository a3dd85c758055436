"""A bill's balances: what stood before it, what came in and went out since, what stands after it.

Opening is what all earlier bills of the wallet left, so bills follow each other without a gap. A statement counts
money up to its period's end; an invoice counts all until it is issued, since it asks for what is unpaid *now*. Money
that an earlier paper did not count yet, because it was entered late, is counted by the next: each sum is everything so
far, less what earlier papers showed. A payment counts by the day it was received. What bears no such day counts by its
entry, and on a wallet's first paper until that is made: who starts with last month's calls enters balances today.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone

from accounts.models import TransferKind

# Between a wallet and its seller these are charges: they stand on bills, not among money moved.
CHARGE_KINDS = (
    TransferKind.USAGE.value,
    TransferKind.USAGE_TAX.value,
    TransferKind.CHARGE.value,
    TransferKind.CHARGE_TAX.value,
    TransferKind.TAX.value,
    TransferKind.ROUNDING.value,
)
FUND_KINDS = (TransferKind.PAYMENT.value, TransferKind.ALLOCATION.value)
FOR_EVER = date(9999, 12, 31)


@dataclass(frozen=True, slots=True)
class Funds:
    """Of one wallet, as in the wallet: positive is the buyer's. `unissued` charges are on no issued bill."""

    opening: Decimal
    payments: Decimal
    adjustments: Decimal
    posted: Decimal
    unissued: Decimal

    def closing(self, total: Decimal) -> Decimal:
        return self.opening + self.payments + self.adjustments - total

    @property
    def owed(self) -> Decimal:
        """What the buyer owes on issued bills now: charges that are not billed yet do not count."""
        return max(Decimal(0), -(self.posted + self.unissued))


_FUNDS = """
WITH asked AS (
    SELECT w.account_id AS wallet, w.seller_id, w.posted, a.last_day, a.time_zone,
        GREATEST(a.last_day, (
            SELECT COALESCE(
                GREATEST(min(i.issue_date), max(i.issue_date) FILTER (WHERE i.kind = 'invoice')),
                (%(now)s AT TIME ZONE a.time_zone)::date)
            FROM invoicing_invoice i WHERE i.wallet_id = a.wallet AND i.number IS NOT NULL)) AS money_until
    FROM unnest(%(wallets)s::uuid[], %(last_days)s::date[], %(zones)s::text[]) AS a(wallet, last_day, time_zone)
    JOIN accounts_wallet w ON w.account_id = a.wallet
), legs AS (
    SELECT a.wallet, t.id, t.kind, t.amount AS delta, t.payer_id AS other, t.for_month, t.details, t.created_at
    FROM asked a JOIN accounts_transfer t ON t.payee_id = a.wallet
    UNION ALL
    SELECT a.wallet, t.id, t.kind, -t.amount, t.payee_id, t.for_month, t.details, t.created_at
    FROM asked a JOIN accounts_transfer t ON t.payer_id = a.wallet
), sorted AS (
    SELECT l.wallet, l.id, l.delta,
        o.owner_id = a.seller_id AND l.kind = ANY(%(charge_kinds)s) AS charge,
        o.owner_id = a.seller_id AND l.kind = ANY(%(fund_kinds)s) AND l.delta > 0 AS payment,
        CASE WHEN l.for_month IS NOT NULL THEN l.for_month <= a.last_day
            ELSE COALESCE(
                (l.details->>'received_on')::date <= a.last_day,
                (l.created_at AT TIME ZONE a.time_zone)::date <= a.money_until)
        END AS counted
    FROM legs l JOIN asked a ON a.wallet = l.wallet JOIN accounts_account o ON o.id = l.other
), sums AS (
    SELECT s.wallet,
        COALESCE(sum(s.delta) FILTER (WHERE s.payment AND s.counted), 0) AS payments,
        COALESCE(sum(s.delta) FILTER (WHERE NOT s.charge AND NOT s.payment AND s.counted), 0) AS adjustments,
        COALESCE(-sum(s.delta) FILTER (WHERE s.charge AND i.number IS NULL), 0) AS unissued
    FROM sorted s
    LEFT JOIN invoicing_billedtransfer b ON b.transfer_id = s.id
    LEFT JOIN invoicing_invoice i ON i.id = b.invoice_id AND i.number IS NOT NULL
    GROUP BY s.wallet
), before AS (
    SELECT i.wallet_id AS wallet, sum(i.payments) AS payments, sum(i.adjustments) AS adjustments,
        sum(i.total) AS total
    FROM invoicing_invoice i JOIN asked a ON a.wallet = i.wallet_id
    WHERE i.number IS NOT NULL AND i.kind IN ('invoice', 'statement') GROUP BY i.wallet_id
)
SELECT a.wallet,
    COALESCE(b.payments + b.adjustments - b.total, 0),
    COALESCE(s.payments, 0) - COALESCE(b.payments, 0),
    COALESCE(s.adjustments, 0) - COALESCE(b.adjustments, 0),
    a.posted, COALESCE(s.unissued, 0)
FROM asked a LEFT JOIN sums s ON s.wallet = a.wallet LEFT JOIN before b ON b.wallet = a.wallet
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose balances are wanted, and up to which day of which zone money counts."""

    wallet: UUID
    last_day: date = FOR_EVER
    time_zone: str = "UTC"


def funds(asked: list[Asked]) -> dict[UUID, Funds]:
    """By wallet, in one statement and so of one moment."""
    values: dict[str, Any] = {
        "wallets": [one.wallet for one in asked],
        "last_days": [one.last_day for one in asked],
        "zones": [one.time_zone for one in asked],
        "now": timezone.now(),
        "charge_kinds": list(CHARGE_KINDS),
        "fund_kinds": list(FUND_KINDS),
    }
    with connection.cursor() as cursor:
        cursor.execute(_FUNDS, values)
        return {wallet: Funds(*sums) for wallet, *sums in cursor.fetchall()}


def funds_of(asked: Asked) -> Funds:
    return funds([asked])[asked.wallet]
