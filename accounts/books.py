"""Books without a running balance, and the proof that everything stored follows from the transfers.

Revenue, cost, tax, cash and carriers are on the hot path of every call, so they keep no balance row to queue at. Their
balance is a snapshot plus what came after it; the cut is a version that no writer still holds (accounts_cut_books).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from accounts.figures import plain
from accounts.models import Account, AccountKind, Transfer


@dataclass(frozen=True, slots=True)
class Violation:
    """A stored figure that the rows do not bear out. `account` says which account, call or invoice, for people."""

    law: str
    account: str
    currency: str | None
    expected: str
    found: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


BALANCES = """
    SELECT a.id, COALESCE(s.posted, 0) + COALESCE((
        SELECT sum(t.amount) FROM accounts_transfer t
        WHERE t.payee_id = a.id AND t.book_version > COALESCE(s.upto_version, 0)), 0)
        - COALESCE((
        SELECT sum(t.amount) FROM accounts_transfer t
        WHERE t.payer_id = a.id AND t.book_version > COALESCE(s.upto_version, 0)), 0)
    FROM accounts_account a LEFT JOIN accounts_booksnapshot s ON s.account_id = a.id
    WHERE a.id = ANY(%s)
"""


def balances(accounts: list[UUID]) -> dict[UUID, Decimal]:
    """What these book accounts hold now: received minus paid."""
    with connection.cursor() as cursor:
        cursor.execute(BALANCES, [accounts])
        return dict(cursor.fetchall())


def snapshot_books() -> int:
    """Cut a version and store what each book account held up to it; how many accounts were written."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '5s'")
        cursor.execute("SELECT accounts_cut_books()")
        (cut,) = cursor.fetchone()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(SNAPSHOT, {"cut": cut})
        return int(cursor.rowcount)


MOVED = """
    SELECT account, sum(amount) AS posted FROM (
        SELECT payee_id AS account, amount, book_version FROM accounts_transfer
        UNION ALL SELECT payer_id, -amount, book_version FROM accounts_transfer) legs
"""
SNAPSHOT = """
    INSERT INTO accounts_booksnapshot (account_id, upto_version, posted, taken_at)
    SELECT a.id, %(cut)s, COALESCE(s.posted, 0) + sum(l.amount), now()
    FROM accounts_account a
    LEFT JOIN accounts_booksnapshot s ON s.account_id = a.id
    JOIN LATERAL (
        SELECT t.amount FROM accounts_transfer t WHERE t.payee_id = a.id
            AND t.book_version > COALESCE(s.upto_version, 0) AND t.book_version <= %(cut)s
        UNION ALL SELECT -t.amount FROM accounts_transfer t WHERE t.payer_id = a.id
            AND t.book_version > COALESCE(s.upto_version, 0) AND t.book_version <= %(cut)s) l ON true
    WHERE a.kind <> 'wallet' AND COALESCE(s.upto_version, 0) < %(cut)s
    GROUP BY a.id, s.posted
    ON CONFLICT (account_id) DO UPDATE
        SET upto_version = EXCLUDED.upto_version, posted = EXCLUDED.posted, taken_at = EXCLUDED.taken_at
        WHERE accounts_booksnapshot.upto_version < EXCLUDED.upto_version
"""

# Each law is one query that returns what breaks it: account, currency, expected, found.
LAWS: dict[str, str] = {
    "wallet_balance": f"""
        SELECT w.account_id, a.currency, COALESCE(m.posted, 0), w.posted
        FROM accounts_wallet w JOIN accounts_account a ON a.id = w.account_id
        LEFT JOIN ({MOVED} GROUP BY account) m ON m.account = w.account_id
        WHERE w.posted <> COALESCE(m.posted, 0)""",
    "wallet_held": """
        SELECT w.account_id, a.currency, COALESCE(h.held, 0), w.held
        FROM accounts_wallet w JOIN accounts_account a ON a.id = w.account_id
        LEFT JOIN (SELECT account_id, sum(amount) AS held FROM accounts_hold
            WHERE status = 'open' GROUP BY account_id) h ON h.account_id = w.account_id
        WHERE w.held <> COALESCE(h.held, 0)""",
    "wallet_owed_below": """
        SELECT w.account_id, a.currency, COALESCE(b.owed, 0), w.owed_below
        FROM accounts_wallet w JOIN accounts_account a ON a.id = w.account_id
        LEFT JOIN (SELECT seller_wallet_id, sum(GREATEST(0, -posted)) AS owed FROM accounts_wallet
            WHERE seller_wallet_id IS NOT NULL GROUP BY seller_wallet_id) b ON b.seller_wallet_id = w.account_id
        WHERE w.owed_below <> COALESCE(b.owed, 0)""",
    "wallet_terms": """
        SELECT w.account_id, a.currency, 'prepaid without credit', w.billing || ' ' || w.credit_limit
        FROM accounts_wallet w JOIN accounts_account a ON a.id = w.account_id
        WHERE (w.billing = 'prepaid' AND w.credit_limit <> 0) OR a.kind <> 'wallet'
            OR (w.funding = 'distribution' AND (w.billing <> 'prepaid' OR w.seller_wallet_id IS NULL))""",
    "wallet_without_terms": """
        SELECT a.id, a.currency, 'a wallet', 'none' FROM accounts_account a
        WHERE a.kind = 'wallet' AND NOT EXISTS (SELECT 1 FROM accounts_wallet w WHERE w.account_id = a.id)""",
    "transfer_currency": """
        SELECT t.id, t.currency, p.currency || '/' || q.currency, t.currency
        FROM accounts_transfer t
        JOIN accounts_account p ON p.id = t.payer_id JOIN accounts_account q ON q.id = t.payee_id
        WHERE t.currency <> p.currency OR t.currency <> q.currency""",
    "transfer_amount": """
        SELECT id, currency, 'more than 0', amount FROM accounts_transfer WHERE amount <= 0 OR payer_id = payee_id""",
    "transfer_counter_account": """
        SELECT t.id, t.currency, 'the other side of its wallet', p.kind || ' to ' || q.kind
        FROM accounts_transfer t
        JOIN accounts_account p ON p.id = t.payer_id LEFT JOIN accounts_wallet pw ON pw.account_id = p.id
        JOIN accounts_account q ON q.id = t.payee_id LEFT JOIN accounts_wallet qw ON qw.account_id = q.id
        WHERE NOT COALESCE(CASE
            WHEN p.kind <> 'wallet' AND q.kind <> 'wallet' THEN p.owner_id = q.owner_id
            WHEN p.kind = 'wallet' AND q.kind <> 'wallet' THEN pw.seller_id = q.owner_id
                AND (pw.funding = 'wholesale' OR q.kind IN ('tax', 'rounding'))
            WHEN p.kind <> 'wallet' AND q.kind = 'wallet' THEN qw.seller_id = p.owner_id
                AND (qw.funding = 'wholesale' OR p.kind IN ('tax', 'rounding'))
            ELSE pw.seller_wallet_id = q.id OR qw.seller_wallet_id = p.id END, false)""",
    "transfer_correction": """
        SELECT t.id, t.currency, 'the accounts and kind of ' || o.id, p.kind || ' to ' || q.kind
        FROM accounts_transfer t JOIN accounts_transfer o ON o.id = t.reverses_id
        JOIN accounts_account p ON p.id = t.payer_id JOIN accounts_account q ON q.id = t.payee_id
        WHERE o.reverses_id IS NOT NULL OR o.kind <> t.kind
            OR NOT ((t.payer_id = o.payee_id AND t.payee_id = o.payer_id)
                OR (t.payer_id = o.payer_id AND t.payee_id = o.payee_id))""",
    "transfer_corrected": """
        SELECT o.id, o.currency, '0 or more after its corrections',
            o.amount + sum(CASE WHEN t.payer_id = o.payer_id THEN t.amount ELSE -t.amount END)
        FROM accounts_transfer o JOIN accounts_transfer t ON t.reverses_id = o.id GROUP BY o.id
        HAVING o.amount + sum(CASE WHEN t.payer_id = o.payer_id THEN t.amount ELSE -t.amount END) < 0""",
    "book_snapshot": f"""
        SELECT s.account_id, a.currency, COALESCE(m.posted, 0), s.posted
        FROM accounts_booksnapshot s JOIN accounts_account a ON a.id = s.account_id
        LEFT JOIN LATERAL ({MOVED} WHERE account = s.account_id AND book_version <= s.upto_version GROUP BY account) m
            ON true
        WHERE s.posted <> COALESCE(m.posted, 0)""",
}


def violations() -> Iterator[Violation]:
    """Every stored figure of this app that its rows do not bear out."""
    for law, query in LAWS.items():
        yield from violations_of(law, query)


def violations_of(law: str, query: str, params: list[Any] | None = None) -> Iterator[Violation]:
    """Run one law: each row (account, currency, expected, found) that its query returns breaks it."""
    with connection.cursor() as cursor:
        cursor.execute(query, params)
        for account, currency, expected, found in cursor.fetchall():
            yield Violation(law, str(account), currency, _figure(expected), _figure(found))


def counts() -> dict[str, int]:
    return {"accounts": Account.objects.count(), "transfers": Transfer.objects.count()}


def book_balances(owner_id: UUID) -> list[tuple[Account, Decimal]]:
    """A seller's book, by currency and kind, carriers included."""
    accounts = list(
        Account.objects.filter(owner_id=owner_id).exclude(kind=AccountKind.WALLET).order_by("currency", "kind", "label")
    )
    held = balances([account.pk for account in accounts])
    return [(account, held.get(account.pk, Decimal(0))) for account in accounts]


def _figure(value: Any) -> str:
    return plain(value, 2) if isinstance(value, Decimal) else str(value)
