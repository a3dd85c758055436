"""The journal: every transfer of a seller's books as a debit and a credit of the same amount.

Who pays is debited, who receives is credited: of a wallet the seller owes, of revenue and of tax the credit is what
came, of cash and cost the debit. In the seller's books are its own accounts and the wallets it sells to; what it buys
itself is in its seller's invoices, not here. By distribution a transfer may have another wallet on its other side: the
seller's own (`own_funds`), or that of a buyer's buyer (`passed_on`). Rows come from a cursor on the server, so a month
of millions takes no more memory than a quiet one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection

from accounts.models import TransferKind
from invoicing.books.asked import Asked
from invoicing.books.chart import Chart, Entry, position_of
from invoicing.models import Position

AT_A_TIME = 5000
MINE = """
    SELECT a.id, a.kind, a.label, p.code AS party_code, p.name AS party, w.billing, w.posted
    FROM accounts_account a JOIN tiers_party p ON p.id = a.owner_id
    LEFT JOIN accounts_wallet w ON w.account_id = a.id
    WHERE a.currency = %(currency)s
        AND (w.seller_id = %(seller)s OR (a.owner_id = %(seller)s AND a.kind <> 'wallet'))
"""
TOUCHING = """
    t.currency = %(currency)s AND t.id >= %(from_id)s AND t.id < %(to_id)s
    AND t.created_at >= %(start)s AND t.created_at < %(end)s
    AND (t.payer_id IN (SELECT id FROM mine) OR t.payee_id IN (SELECT id FROM mine))
"""
LINES = f"""
    WITH mine AS MATERIALIZED ({MINE})
    SELECT t.id, t.created_at, t.payer_id, t.payee_id, t.kind, t.amount, t.reason, t.reverses_id IS NOT NULL,
        COALESCE(i.number, j.number, '')
    FROM accounts_transfer t
    LEFT JOIN invoicing_billedtransfer b ON b.transfer_id = t.id
    LEFT JOIN invoicing_invoice i ON i.id = b.invoice_id AND i.seller_id = %(seller)s
    LEFT JOIN invoicing_invoice j ON j.id = t.cause AND j.seller_id = %(seller)s
    WHERE {TOUCHING} ORDER BY t.created_at, t.id
"""
SUMS = f"""
    WITH mine AS MATERIALIZED ({MINE})
    SELECT date_trunc(%(by)s, t.created_at AT TIME ZONE %(zone)s)::date AS day, t.payer_id, t.payee_id, t.kind,
        sum(t.amount), count(*)
    FROM accounts_transfer t WHERE {TOUCHING} GROUP BY 1, 2, 3, 4 ORDER BY 1
"""


@dataclass(frozen=True, slots=True)
class Booking:
    """A transfer in the books. `amount` is above 0; `kind` is a TransferKind; `document` the bill it is on."""

    transfer: UUID
    at: datetime
    day: date
    debit: Entry
    credit: Entry
    kind: str
    amount: Decimal
    document: str
    reason: str
    correction: bool

    @property
    def words(self) -> str:
        return str(TransferKind(self.kind).label)


@dataclass(frozen=True, slots=True)
class Summed:
    """All transfers of a day (or month, by its first) and kind between two codes of the chart."""

    day: date
    debit: Entry
    credit: Entry
    kind: str
    amount: Decimal
    transfers: int

    @property
    def words(self) -> str:
        return str(TransferKind(self.kind).label)


class Accounts:
    """Each account of a seller's books as its chart names it; the wallets across, by what they are to the seller."""

    def __init__(self, asked: Asked) -> None:
        self.chart = Chart(asked.seller)
        self.known: dict[UUID, Entry] = {}
        with connection.cursor() as cursor:
            cursor.execute(MINE, asked.params())
            for key, kind, label, party_code, party, billing, _posted in cursor.fetchall():
                self.known[key] = self._entry(kind, label, (party_code, party), prepaid=billing == "prepaid")
            cursor.execute(OWN_WALLETS, asked.params())
            self.own = {key for (key,) in cursor.fetchall()}
        self.across = {
            Position.OWN_FUNDS: self.chart.entry(Position.OWN_FUNDS),
            Position.PASSED_ON: self.chart.entry(Position.PASSED_ON),
        }

    def _entry(self, kind: str, label: str, party: tuple[str, str], *, prepaid: bool) -> Entry:
        position = position_of(kind, prepaid=prepaid)
        if kind == "carrier":
            return self.chart.entry(position, label, label)
        return self.chart.entry(position, *party) if kind == "wallet" else self.chart.entry(position)

    def entry(self, key: UUID) -> Entry:
        """A wallet that was opened after these were read is a buyer's buyer's or, at worst, shown as such."""
        return self.known.get(key) or self.across[Position.OWN_FUNDS if key in self.own else Position.PASSED_ON]


OWN_WALLETS = """
    SELECT id FROM accounts_account WHERE owner_id = %(seller)s AND kind = 'wallet' AND currency = %(currency)s
"""


def bookings(asked: Asked) -> Iterator[Booking]:
    """The transfers of the period in the order in which they were made."""
    accounts, zone = Accounts(asked), ZoneInfo(asked.zone)
    for key, at, payer, payee, kind, amount, reason, correction, document in _stream(LINES, asked.params()):
        debit, credit, day = accounts.entry(payer), accounts.entry(payee), at.astimezone(zone).date()
        yield Booking(key, at, day, debit, credit, kind, amount, document, reason, correction)


def summed(asked: Asked, by: str = "day") -> Iterator[Summed]:
    """The same, added up by day or month, pair of codes and kind; the order is that of days, then of codes."""
    accounts = Accounts(asked)
    held: dict[tuple[str, ...], list[Any]] = {}
    today: date | None = None
    for day, payer, payee, kind, amount, count in _stream(SUMS, asked.params() | {"by": by}):
        if day != today:
            yield from _flush(held, today)
            held, today = {}, day
        debit, credit = accounts.entry(payer), accounts.entry(payee)
        key = (debit.code, credit.code, debit.position, credit.position, kind)
        row = held.setdefault(key, [debit, credit, kind, Decimal(0), 0])
        row[3] += amount
        row[4] += count
    yield from _flush(held, today)


def _flush(held: dict[tuple[str, ...], list[Any]], day: date | None) -> Iterator[Summed]:
    for key in sorted(held):
        assert day is not None
        debit, credit, kind, amount, count = held[key]
        yield Summed(day, _alone(debit), _alone(credit), kind, amount, count)


def _alone(entry: Entry) -> Entry:
    """The account without whose it is: a sum is of all of them."""
    return Entry(entry.position, entry.code, entry.name)


def _stream(query: str, params: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    with connection.chunked_cursor() as cursor:
        cursor.execute(query, params)
        while rows := cursor.fetchmany(AT_A_TIME):
            yield from rows


@dataclass(frozen=True, slots=True)
class Balance:
    """An account over the period: `opening` and `closing` are credits less debits before and after it."""

    entry: Entry
    opening: Decimal
    debit: Decimal
    credit: Decimal

    @property
    def closing(self) -> Decimal:
        return self.opening + self.credit - self.debit


BALANCES = f"""
    WITH mine AS MATERIALIZED ({MINE}),
    moved AS MATERIALIZED (
        SELECT t.payer_id, t.payee_id, t.amount, t.created_at < %(end)s AS inside FROM accounts_transfer t
        WHERE t.currency = %(currency)s AND t.id >= %(from_id)s AND t.created_at >= %(start)s
            AND (t.payer_id IN (SELECT id FROM mine) OR t.payee_id IN (SELECT id FROM mine))),
    legs AS (
        SELECT account, sum(change) AS since, COALESCE(sum(-change) FILTER (WHERE inside AND change < 0), 0) AS debit,
            COALESCE(sum(change) FILTER (WHERE inside AND change > 0), 0) AS credit
        FROM (SELECT payee_id AS account, amount AS change, inside FROM moved
            UNION ALL SELECT payer_id, -amount, inside FROM moved) l GROUP BY account)
    SELECT COALESCE(m.id, l.account), m.id IS NOT NULL,
        COALESCE(m.posted, s.posted, 0) + CASE WHEN m.kind = 'wallet' OR m.id IS NULL THEN 0 ELSE
            COALESCE((SELECT sum(t.amount) FROM accounts_transfer t
                WHERE t.payee_id = m.id AND t.book_version > COALESCE(s.upto_version, 0)), 0)
            - COALESCE((SELECT sum(t.amount) FROM accounts_transfer t
                WHERE t.payer_id = m.id AND t.book_version > COALESCE(s.upto_version, 0)), 0) END
            - COALESCE(l.since, 0),
        COALESCE(l.debit, 0), COALESCE(l.credit, 0)
    FROM mine m LEFT JOIN accounts_booksnapshot s ON s.account_id = m.id
    FULL JOIN legs l ON l.account = m.id
"""
# What wallets funded by distribution had moved from and to the wallet above them before the period.
ACROSS = """
    SELECT c.seller_id = %(seller)s,
        COALESCE(sum(CASE WHEN t.payee_id = c.account_id THEN t.amount ELSE -t.amount END), 0)
    FROM accounts_wallet c JOIN accounts_account a ON a.id = c.account_id AND a.currency = %(currency)s
    JOIN accounts_wallet up ON up.account_id = c.seller_wallet_id
    JOIN LATERAL (
        SELECT payer_id, payee_id, amount FROM accounts_transfer
            WHERE payer_id = c.account_id AND payee_id = up.account_id AND created_at < %(start)s
        UNION ALL SELECT payer_id, payee_id, amount FROM accounts_transfer
            WHERE payee_id = c.account_id AND payer_id = up.account_id AND created_at < %(start)s) t ON true
    WHERE c.seller_id = %(seller)s OR up.seller_id = %(seller)s GROUP BY 1
"""


def balances(asked: Asked) -> list[Balance]:
    """Every account that has or moved money, by code; all openings and all movements each add up to zero."""
    accounts = Accounts(asked)
    found = []
    across: dict[str, list[Decimal]] = defaultdict(lambda: [Decimal(0)] * 3)
    with connection.cursor() as cursor:
        cursor.execute(BALANCES, asked.params())
        for key, mine, opening, debit, credit in cursor.fetchall():
            if mine:
                found.append(Balance(accounts.entry(key), opening, debit, credit))
            else:
                held = across[accounts.entry(key).position]
                across[accounts.entry(key).position] = [held[0], held[1] + debit, held[2] + credit]
        cursor.execute(ACROSS, asked.params())
        for own, moved in cursor.fetchall():
            position = Position.OWN_FUNDS if own else Position.PASSED_ON
            across[position] = [-moved if own else moved, *across[position][1:]]
    found += [Balance(accounts.across[Position(position)], *held) for position, held in across.items()]
    shown = [row for row in found if row.opening or row.debit or row.credit]
    return sorted(shown, key=lambda row: (row.entry.code, row.entry.position, row.entry.party_code))


def trial_balance(rows: list[Balance]) -> list[Balance]:
    """The balances added up by code and kind of account: one line for all prepaid customers of a code."""
    sums: dict[tuple[str, str], Balance] = {}
    for row in rows:
        key = (row.entry.code, row.entry.position)
        held = sums.get(key) or Balance(_alone(row.entry), Decimal(0), Decimal(0), Decimal(0))
        opening, debit, credit = held.opening + row.opening, held.debit + row.debit, held.credit + row.credit
        sums[key] = Balance(held.entry, opening, debit, credit)
    return [sums[key] for key in sorted(sums)]
