"""What is to be billed: charges of a wallet that are on no invoice yet, and the calls behind them.

All questions are asked for many wallets at once, so that a run costs the same few queries for ten customers or for a
thousand. A charge is a transfer between a wallet and its own seller; what a distribution seller's wallet receives from
its buyers is of the same kind, but not a charge of that wallet.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection

from accounts.models import TransferKind
from invoicing.services.billed_calls import CALLS, CARRIER
from invoicing.services.charge_facts import ChargeFacts, facts_of
from invoicing.services.periods import next_month

NET_KINDS = (TransferKind.USAGE.value, TransferKind.CHARGE.value)
TAX_KINDS = (TransferKind.USAGE_TAX.value, TransferKind.CHARGE_TAX.value)
BILLED_KINDS = (*NET_KINDS, *TAX_KINDS)

# A call may start before the month that it is billed in (it is dated by its answer, in the brand's zone).
CALL_MARGIN = timedelta(days=2)
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Charge:
    """A transfer to be billed. `amount` is positive for what the wallet paid, negative for what it got back.

    `corrects` is the transfer that it corrects, `bill` the number of the bill on which that one stands ("": none yet).
    """

    transfer: UUID
    kind: str
    amount: Decimal
    month: date
    reason: str
    corrects: UUID | None = None
    bill: str = ""


@dataclass(frozen=True, slots=True)
class ClassSum:
    """Calls of one service class by one carrier ("": none): how many, billed seconds, and their sale as rated."""

    service_class: str
    carrier: str
    calls: int
    billed_s: int
    sale: Decimal


@dataclass(slots=True)
class Gathered:
    """All that one wallet's next bill would hold; `facts` say what charges beside calls are for, by transfer."""

    charges: list[Charge] = field(default_factory=list)
    classes: list[ClassSum] = field(default_factory=list)
    facts: dict[UUID, ChargeFacts] = field(default_factory=dict)

    @property
    def earlier(self) -> list[Charge]:
        """Corrections of calls that stand on other bills."""
        here = {charge.transfer for charge in self.charges}
        return [
            charge
            for charge in self.charges
            if charge.corrects is not None and charge.corrects not in here and charge.kind == TransferKind.USAGE
        ]

    @property
    def charged(self) -> Decimal:
        """Without tax that was charged beside."""
        return sum((c.amount for c in self.charges if c.kind in NET_KINDS), ZERO)

    @property
    def tax_charged(self) -> Decimal:
        return sum((c.amount for c in self.charges if c.kind in TAX_KINDS), ZERO)


# `by` says on which side of the transfer the wallet stands; the other side must be its seller's.
_LEGS = """
    SELECT w.account_id, t.id, t.kind, {sign}t.amount, COALESCE(t.for_month, t.created_at::date), t.reason,
        t.reverses_id, COALESCE(f.number, '')
    FROM accounts_wallet w
    JOIN accounts_transfer t ON t.{mine} = w.account_id
    JOIN accounts_account o ON o.id = t.{other} AND o.owner_id = w.seller_id
    LEFT JOIN invoicing_billedtransfer b ON b.transfer_id = t.id
    LEFT JOIN invoicing_billedtransfer e ON e.transfer_id = t.reverses_id
    LEFT JOIN invoicing_invoice f ON f.id = e.invoice_id
    WHERE w.account_id = ANY(%(wallets)s) AND t.kind = ANY(%(kinds)s) AND {wanted}
"""
_UNBILLED = "b.transfer_id IS NULL AND COALESCE(t.for_month, t.created_at::date) < %(before)s"
_OF_INVOICES = "b.invoice_id = ANY(%(invoices)s)"


def _legs(wanted: str) -> str:
    paid = _LEGS.format(sign="", mine="payer_id", other="payee_id", wanted=wanted)
    got = _LEGS.format(sign="-", mine="payee_id", other="payer_id", wanted=wanted)
    return f"{paid} UNION ALL {got} ORDER BY 5, 2"


def unbilled(wallets: Collection[UUID], month: date, seller: UUID) -> dict[UUID, Gathered]:
    """By wallet: what was charged for `month` or before and is on no invoice. Wallets without any are left out."""
    found = _charges(_legs(_UNBILLED), {"wallets": list(wallets), "before": next_month(month)})
    _add_calls(found, seller)
    _add_facts(found)
    return found


def billed_on(invoice: UUID, wallet: UUID, seller: UUID) -> Gathered:
    """What an invoice bills, gathered again."""
    found = _charges(_legs(_OF_INVOICES), {"wallets": [wallet], "invoices": [invoice]})
    _add_calls(found, seller)
    _add_facts(found)
    return found.get(wallet, Gathered())


def together(wallet: UUID, charges: Sequence[Charge], seller: UUID) -> Gathered:
    """These charges on one bill: the calls behind them, at the price that all of them together made of each."""
    found = {wallet: Gathered(list(charges))}
    _add_calls(found, seller)
    _add_facts(found)
    return found[wallet]


def _charges(sql: str, values: dict[str, Any]) -> dict[UUID, Gathered]:
    found: dict[UUID, Gathered] = defaultdict(Gathered)
    with connection.cursor() as cursor:
        cursor.execute(sql, {"kinds": list(BILLED_KINDS), **values})
        for wallet, *charge in cursor.fetchall():
            found[wallet].charges.append(Charge(*charge))
    return dict(found)


def _add_facts(found: dict[UUID, Gathered]) -> None:
    beside = {c.transfer: bag for bag in found.values() for c in bag.charges if c.kind == TransferKind.CHARGE}
    for transfer, facts in facts_of(beside).items():
        beside[transfer].facts[transfer] = facts


_CLASSES = f"""
    SELECT u.wallet, c.service_class, COALESCE(k.name, ''), count(*), COALESCE(sum(c.billed_s), 0),
        COALESCE(sum(c.sale), 0)
    FROM unnest(%(transfers)s::uuid[], %(wallets)s::uuid[]) AS u(transfer, wallet)
    JOIN {CALLS} c ON c.transfer_id = u.transfer
    JOIN rating_pricelist l ON l.id = c.price_list_id
    LEFT JOIN rating_carrier k ON k.id = {CARRIER}
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""


def _add_calls(found: dict[UUID, Gathered], seller: UUID) -> None:
    pairs = [(c.transfer, wallet) for wallet, bag in found.items() for c in bag.charges if c.kind in NET_KINDS]
    if not pairs:
        return
    since, until = call_bounds(c.month for bag in found.values() for c in bag.charges)
    values: dict[str, Any] = {
        "transfers": [transfer for transfer, _wallet in pairs],
        "wallets": [wallet for _transfer, wallet in pairs],
        "seller": seller,
        "since": since,
        "until": until,
    }
    with connection.cursor() as cursor:
        cursor.execute(_CLASSES, values)
        for wallet, *sums in cursor.fetchall():
            found[wallet].classes.append(ClassSum(*sums))


def call_bounds(months: Iterable[date]) -> tuple[date, date]:
    """Days between which the calls of these billing months can have started; keeps the other partitions shut."""
    known = sorted(months)
    return known[0].replace(day=1) - CALL_MARGIN, next_month(known[-1]) + CALL_MARGIN


@dataclass(frozen=True, slots=True)
class DestinationSum:
    """Calls over one carrier to one destination."""

    carrier: str
    destination: str
    calls: int
    duration_s: int
    sale: Decimal


_DESTINATIONS = f"""
    SELECT COALESCE(k.name, ''), c.destination, count(*), COALESCE(sum(c.duration_s), 0),
        COALESCE(sum(trim_scale(c.sale)), 0)
    FROM {CALLS} c
    JOIN rating_pricelist l ON l.id = c.price_list_id
    LEFT JOIN rating_carrier k ON k.id = {CARRIER}
    WHERE c.buyer_id = %(buyer)s
    GROUP BY 1, 2 ORDER BY 1, 2
"""


def destinations(charges: Sequence[Charge], seller: UUID, buyer: UUID) -> list[DestinationSum]:
    """The calls behind these charges, by carrier and destination."""
    if not charges:
        return []
    since, until = call_bounds(charge.month for charge in charges)
    values: dict[str, Any] = {
        "transfers": [charge.transfer for charge in charges if charge.kind in NET_KINDS],
        "seller": seller,
        "buyer": buyer,
        "since": since,
        "until": until,
    }
    with connection.cursor() as cursor:
        cursor.execute(_DESTINATIONS, values)
        return [DestinationSum(*row) for row in cursor.fetchall()]
