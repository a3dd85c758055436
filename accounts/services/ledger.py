"""The one door to the ledger.

Every writer of money comes through `post`: it locks the wallets it touches in one statement and in key order, as late
as its caller lets it, and the key of each transfer makes a repeat harmless. The database's triggers judge last.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.figures import plain
from accounts.models import Transfer, Wallet
from accounts.services.transactions import law_broken
from tiers.errors import Conflict, Invalid
from tiers.ids import uuid7
from tiers.viewer import Actor

PLACES = Decimal("0.000001")
LARGEST = Decimal("99999999999999.999999")


@dataclass(frozen=True, slots=True)
class Draft:
    """A transfer to be made. `key` names it for ever: the same key again is the same transfer."""

    payer: UUID
    payee: UUID
    amount: Decimal
    currency: str
    kind: str
    key: str
    reason: str = ""
    for_month: date | None = None
    reverses: UUID | None = None
    details: dict[str, Any] = field(default_factory=dict)
    id: UUID | None = None


def post(drafts: Sequence[Draft], *, actor: Actor, cause: UUID | None = None) -> list[Transfer]:
    """Make these transfers, in this order, all or none; returns them (those that stood already included).

    Call inside a transaction (`in_transaction`). Raises Invalid for an amount that is not positive or has more than
    six decimals, Conflict("key_reused") where a key stands for something else, Conflict("funds") where an
    allocation, withdrawal or refund would leave less than nothing available.
    """
    assert connection.in_atomic_block, "post() needs an open transaction"
    for draft in drafts:
        _check_amount(draft)
    lock_wallets(account for draft in drafts for account in (draft.payer, draft.payee))
    keys = [draft.key for draft in drafts]
    if len(set(keys)) != len(keys):
        raise ValueError("two transfers of one posting share a key")
    standing = _standing(keys)
    fresh = [draft for draft in drafts if draft.key not in standing]
    if fresh:
        _insert(fresh, actor, cause or uuid7())
        standing = _standing(keys)
    for draft in drafts:
        _check_same(draft, standing[draft.key])
    return [standing[key] for key in keys]


def lock_wallets(accounts: Iterable[UUID]) -> dict[UUID, Wallet]:
    """Lock the wallets among these accounts, in key order, in one statement; read them as they now are."""
    rows = Wallet.objects.select_for_update(no_key=True).filter(pk__in=set(accounts)).order_by("pk")
    return {wallet.pk: wallet for wallet in rows}


def check_amount(amount: Decimal, where: str = "amount") -> Decimal:
    """An amount of money as people enter it: positive, finite, at most six decimals. Raises Invalid."""
    if not amount.is_finite() or amount <= 0:
        raise Invalid("amount", _("An amount must be more than zero."), where=where)
    if amount > LARGEST:
        raise Invalid("amount", _("This amount is larger than the ledger can hold."), where=where)
    if amount != amount.quantize(PLACES):
        raise Invalid("amount", _("An amount has at most six decimals."), where=where)
    return amount.quantize(PLACES)


def _check_amount(draft: Draft) -> None:
    check_amount(draft.amount)


def _standing(keys: Sequence[str]) -> dict[str, Transfer]:
    return {transfer.key: transfer for transfer in Transfer.objects.filter(key__in=keys)}


def _check_same(draft: Draft, transfer: Transfer) -> None:
    asked = (draft.payer, draft.payee, draft.amount, draft.currency, draft.kind)
    stands = (transfer.payer_id, transfer.payee_id, transfer.amount, transfer.currency, transfer.kind)
    if asked != stands:
        raise Conflict(
            "key_reused",
            _("This was already done with other figures: %(amount)s %(currency)s.")
            % {"amount": plain(transfer.amount), "currency": transfer.currency},
            hint=_("Start again from a fresh form, or send another idempotency key."),
        )


COLUMNS = (
    "id, payer_id, payee_id, amount, currency, kind, key, cause, actor_id, actor, reason, details, for_month,"
    " reverses_id, book_version, created_at"
)


def _insert(drafts: Sequence[Draft], actor: Actor, cause: UUID) -> None:
    now = timezone.now()
    rows = [
        (
            str(draft.id or uuid7()),
            str(draft.payer),
            str(draft.payee),
            draft.amount,
            draft.currency,
            draft.kind,
            draft.key,
            str(cause),
            str(actor.member_id) if actor.member_id else None,
            actor.label[:254],
            draft.reason[:500],
            json.dumps(draft.details),
            draft.for_month,
            str(draft.reverses) if draft.reverses else None,
            0,
            now,
        )
        for draft in drafts
    ]
    # One statement: its row triggers run in the order of the rows, so funds come in before they go on.
    one = "(" + ", ".join(["%s"] * len(rows[0])) + ")"
    values = ", ".join([one] * len(rows))
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO accounts_transfer ({COLUMNS}) VALUES {values} ON CONFLICT (key) DO NOTHING",
                [value for row in rows for value in row],
            )
    except IntegrityError as error:
        raise refusal(error) from error


def refusal(error: IntegrityError) -> Exception:
    """What a law of the database means in words; the error itself where it names none."""
    law = law_broken(error)
    if law == "law_funds":
        return Conflict(
            "funds", _("There is not enough available for this."), hint=_("See the wallet's available funds.")
        )
    if law == "law_currency":
        return Invalid("currency", _("The currencies of the two accounts differ."), where="currency")
    if law == "law_counter_account":
        return Invalid("counter_account", _("Money cannot move between these two accounts."), where="account")
    return error
