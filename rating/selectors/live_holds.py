"""What is set aside in wallets, for which call, and since when; and what should not be any more."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import Hold, HoldStatus, Wallet
from rating.models import LiveCall
from rating.selectors.live import asked_calls
from tiers.viewer import Viewer

PREFIX: Final = "live:"
"""A call's hold has the key `live:<call>:<wallet>`; since calls' ids rise with time, so do the keys."""


@dataclass(frozen=True, slots=True)
class HeldLine:
    """A hold and its call (None where the viewer may not see it). `stale`: it should have been freed by now."""

    hold: Hold
    call: LiveCall | None
    age_s: int
    stale: bool


def open_holds(viewer: Viewer, wallet: Wallet | None = None) -> QuerySet[Hold]:
    """Money set aside in the viewer's part of the tree, or in one wallet."""
    rows = Hold.visible.for_viewer(viewer).filter(status=HoldStatus.OPEN)
    found: QuerySet[Hold] = rows.select_related("account__owner", "account__wallet__seller")
    return found if wallet is None else found.filter(account=wallet.pk)


def holds_of(viewer: Viewer, call: LiveCall) -> list[Hold]:
    """What was set aside for one call, in wallets that the viewer may see, from the customer's up."""
    keys = [f"{PREFIX}{call.pk}:{wallet}" for wallet in call.wallets]
    rows = Hold.visible.for_viewer(viewer).filter(key__in=keys).select_related("account__owner", "account__wallet")
    return sorted(rows, key=lambda hold: -hold.account.owner.depth)


def held_lines(viewer: Viewer, holds: Iterable[Hold], now: datetime | None = None) -> list[HeldLine]:
    """Each with its call: one question for all."""
    moment = now or timezone.now()
    listed = list(holds)
    calls = asked_calls(viewer).in_bulk({key for hold in listed if (key := call_of(hold)) is not None})
    return [_line(hold, calls.get(call_of(hold) or hold.pk), moment) for hold in listed]


def call_of(hold: Hold) -> UUID | None:
    """The call that a hold is for."""
    if not hold.key.startswith(PREFIX):
        return None
    try:
        return UUID(hold.key.split(":")[1])
    except ValueError:
        return None


def _line(hold: Hold, call: LiveCall | None, now: datetime) -> HeldLine:
    over = call is not None and (not call.is_open or call.expires_at < now)
    expired = hold.expires_at is not None and hold.expires_at < now
    return HeldLine(hold, call, max(0, int((now - hold.created_at).total_seconds())), over or expired)
