"""The watch over wallets and standing: who crossed its warning balance, who has nothing left, who was blocked.

What is left here is the balance and the credit, without what live calls hold: a hold comes and goes with each call and
would cross the line and come back with every one of them. It is set aside, not spent; the mail says how much it is.

One statement reads the wallets, none of them is locked. An alarm ends when the wallet is filled to the warning balance
(or above what it was, where nothing was left), and can then come again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone

from accounts.figures import plain
from accounts.models import AlertEvent, AlertKind
from accounts.services.alert_rules import Applied, rules_for
from accounts.services.alerts import raise_alarm, watch
from tiers.models import Party

FRESH = timedelta(days=1)
"""Who was blocked longer ago than this is not told of it for the first time now."""

# A wallet's line: its own, else that of the seller's rule for this buyer, else that of the rule for all buyers.
WALLETS = """
    SELECT w.account_id, a.owner_id, w.seller_id, a.currency, w.billing, w.credit_limit, w.held,
        w.posted - w.owed_below + w.credit_limit AS remains,
        COALESCE(w.warn_below, CASE WHEN one.id IS NOT NULL THEN CASE WHEN one.enabled THEN one.threshold END
            WHEN every.enabled THEN every.threshold END) AS below
    FROM accounts_wallet w JOIN accounts_account a ON a.id = w.account_id
    LEFT JOIN accounts_alertrule one ON one.owner_id = w.seller_id AND one.party_id = a.owner_id
        AND one.kind = 'low' AND one.currency = a.currency
    LEFT JOIN accounts_alertrule every ON every.owner_id = w.seller_id AND every.party_id IS NULL
        AND every.kind = 'low' AND every.currency = a.currency
    WHERE w.version > 0
"""
STANDING = """EXISTS (SELECT 1 FROM accounts_alertevent e
    WHERE e.wallet_id = wallets.account_id AND e.kind = '{kind}' AND e.ended_at IS NULL)"""
COLUMNS = "account_id, owner_id, seller_id, currency, billing, credit_limit, held, remains, below"
CROSSED = {
    AlertKind.EMPTY: f"SELECT {COLUMNS} FROM ({WALLETS}) wallets WHERE remains <= 0 AND NOT "
    + STANDING.format(kind="empty"),
    AlertKind.LOW: f"SELECT {COLUMNS} FROM ({WALLETS}) wallets WHERE remains < below AND NOT "
    + STANDING.format(kind="low"),
}
REFILLED = f"""
    UPDATE accounts_alertevent e SET ended_at = %(now)s FROM ({WALLETS}) wallets
    WHERE e.wallet_id = wallets.account_id AND e.ended_at IS NULL AND (
        (e.kind = 'low' AND (wallets.below IS NULL OR wallets.remains >= wallets.below))
        OR (e.kind = 'empty' AND wallets.remains > GREATEST(0, (e.figures->>'left')::numeric)))
"""
UNBLOCKED = """
    UPDATE accounts_alertevent e SET ended_at = %(now)s FROM tiers_party p
    WHERE e.party_id = p.id AND e.kind = 'blocked' AND e.ended_at IS NULL AND p.status <> 'blocked'
"""
BLOCKED = """
    SELECT p.id FROM tiers_party p WHERE p.status = 'blocked'
    AND NOT EXISTS (SELECT 1 FROM accounts_alertevent e
        WHERE e.party_id = p.id AND e.kind = 'blocked' AND e.ended_at IS NULL)
    AND EXISTS (SELECT 1 FROM tiers_partyevent c
        WHERE c.pgh_obj_id = p.id AND c.status = 'blocked' AND c.pgh_created_at > %(since)s)
"""


@dataclass(frozen=True, slots=True)
class WalletFound:
    """A wallet that crossed its line: amounts in its currency, `remains` without what live calls hold."""

    account: UUID
    owner: UUID
    seller: UUID
    currency: str
    billing: str
    credit_limit: Decimal
    held: Decimal
    remains: Decimal
    below: Decimal | None

    def figures(self) -> dict[str, Any]:
        """What the mail says, exact, as text."""
        return {
            "currency": self.currency,
            "billing": self.billing,
            "left": plain(self.remains),
            "held": plain(self.held),
            "credit": plain(self.credit_limit),
            "below": None if self.below is None else plain(self.below),
        }


def watch_balances(now: datetime | None = None) -> int:
    """End what is over and raise what is new; how many alarms were raised. Any number may run it at once."""
    moment = now or timezone.now()
    with watch("balances", moment) as mark:
        if mark is None:
            return 0
        with connection.cursor() as cursor:
            cursor.execute(REFILLED, {"now": moment})
            cursor.execute(UNBLOCKED, {"now": moment})
        raised = _wallets(AlertKind.EMPTY, moment) + _wallets(AlertKind.LOW, moment) + _blocked(moment)
        mark.upto = moment
    return raised


def nothing_left(owners: list[UUID], now: datetime) -> int:
    """Calls of these were refused for want of funds: their wallets have too little for a call, if not quite nothing."""
    query = f"SELECT {COLUMNS} FROM ({WALLETS}) wallets WHERE owner_id = ANY(%s) AND NOT " + STANDING.format(
        kind="empty"
    )
    return _raise(AlertKind.EMPTY, _found(query, [owners]), now)


def _wallets(kind: AlertKind, now: datetime) -> int:
    return _raise(kind, _found(CROSSED[kind], []), now)


def _found(query: str, arguments: list[Any]) -> list[WalletFound]:
    with connection.cursor() as cursor:
        cursor.execute(query, arguments)
        return [WalletFound(*row) for row in cursor.fetchall()]


def _raise(kind: AlertKind, found: list[WalletFound], now: datetime) -> int:
    owners = {party.pk: party for party in Party.objects.filter(pk__in={one.owner for one in found})}
    rules = rules_for(owners.values(), [kind])
    empty = _empty_now([one.account for one in found]) if kind == AlertKind.LOW else set()
    raised = 0
    for one in found:
        applied = seller_rule(rules[one.owner])
        if applied is None or applied.owner.pk != one.seller:  # a wallet left behind with a seller of before
            continue
        silent = one.account in empty  # the mail that nothing is left says it all
        made = raise_alarm(applied, owners[one.owner], one.figures(), now=now, wallet=one.account, silent=silent)
        raised += made is not None
    return raised


def seller_rule(applied: list[Applied]) -> Applied | None:
    """Of the rules for a lasting condition the direct seller's: one alarm, whoever else is named in it."""
    return next((one for one in applied if one.direct), None)


def _empty_now(wallets: list[UUID]) -> set[UUID]:
    rows = AlertEvent.objects.filter(wallet__in=wallets, kind=AlertKind.EMPTY, ended_at__isnull=True)
    return set(rows.values_list("wallet_id", flat=True))


def _blocked(now: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(BLOCKED, {"since": now - FRESH})
        keys = [row[0] for row in cursor.fetchall()]
    parties = list(Party.objects.filter(pk__in=keys))
    rules = rules_for(parties, [AlertKind.BLOCKED])
    raised = 0
    for party in parties:
        applied = seller_rule(rules[party.pk])
        raised += applied is not None and raise_alarm(applied, party, {}, now=now) is not None
    return raised
