"""Holds: money of a wallet set aside until something ends. Placed, then settled or released, once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import IntegrityError, connection
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Hold, HoldStatus, Transfer
from accounts.services.ledger import Draft, check_amount, lock_wallets, post, refusal
from tiers.errors import Conflict
from tiers.viewer import Actor


def place(account: UUID, amount: Decimal, *, key: str, reason: str = "", expires_at: datetime | None = None) -> Hold:
    """Set `amount` aside. The same key again returns the hold that stands. Raises Conflict("funds")."""
    assert connection.in_atomic_block
    check_amount(amount)
    lock_wallets([account])
    standing = Hold.objects.filter(key=key).first()
    if standing is not None:
        if (standing.account_id, standing.amount) != (account, amount):
            raise Conflict("key_reused", _("This hold was already placed with another amount."))
        return standing
    try:
        return Hold.objects.create(account_id=account, amount=amount, key=key, reason=reason, expires_at=expires_at)
    except IntegrityError as error:
        raise refusal(error) from error


def release(hold_id: UUID) -> bool:
    """Give back what is held; False if it was closed already."""
    return _close(hold_id, HoldStatus.RELEASED)


def settle(hold_id: UUID, drafts: Sequence[Draft], *, actor: Actor) -> list[Transfer]:
    """Charge what was really used and free the hold, in one go. A hold already closed charges nothing again."""
    assert connection.in_atomic_block
    hold = Hold.objects.get(pk=hold_id)
    lock_wallets([hold.account_id, *(account for draft in drafts for account in (draft.payer, draft.payee))])
    if not _close(hold_id, HoldStatus.SETTLED):
        return list(Transfer.objects.filter(key__in=[draft.key for draft in drafts]))
    return post(drafts, actor=actor)


def release_expired(now: datetime | None = None) -> int:
    """Release holds whose time is over; how many."""
    moment = now or timezone.now()
    expired = Hold.objects.filter(status=HoldStatus.OPEN, expires_at__lte=moment).values_list("pk", flat=True)
    return sum(release(pk) for pk in list(expired[:1000]))


def _close(hold_id: UUID, status: str) -> bool:
    account = Hold.objects.values_list("account_id", flat=True).get(pk=hold_id)
    lock_wallets([account])
    open_hold = Hold.objects.filter(pk=hold_id, status=HoldStatus.OPEN)
    return open_hold.update(status=status, closed_at=timezone.now()) == 1
