"""What an export is about: whose books, in which currency, over which days of which zone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from accounts.models import Account, Wallet
from tiers.errors import Invalid, NotFound
from tiers.ids import uuid7
from tiers.models import Party

MOST_DAYS = 800
SLACK = timedelta(days=1)
"""A transfer's id is made shortly before it is written: by so much an id may differ from `created_at`."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The books of one seller in one currency from `first` to `last`, whole days in `zone`."""

    seller: Party
    currency: str
    first: date
    last: date
    zone: str

    @property
    def start(self) -> datetime:
        return _midnight(self.first, self.zone)

    @property
    def end(self) -> datetime:
        """Exclusive."""
        return _midnight(self.last + timedelta(days=1), self.zone)

    def params(self) -> dict[str, Any]:
        """For SQL. The bounds of ids only help to find the rows; the moments decide."""
        return {
            "seller": self.seller.pk,
            "currency": self.currency,
            "start": self.start,
            "end": self.end,
            "zone": self.zone,
            "from_id": _floor(self.start - SLACK),
            "to_id": _floor(self.end + SLACK),
        }


def _midnight(day: date, zone: str) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def _floor(moment: datetime) -> UUID:
    """The least id of a moment."""
    return UUID(int=uuid7(moment).int >> 80 << 80)


def currencies_of(seller: Party) -> list[str]:
    """In which the seller keeps a book or sells to a wallet."""
    own: Iterable[str] = Account.objects.filter(owner=seller).exclude(kind="wallet").values_list("currency", flat=True)
    sold = Wallet.objects.filter(seller=seller).values_list("account__currency", flat=True)
    return sorted({*own, *sold})


def asked_of(seller: Party, currency: str, first: date, last: date, zone: str) -> Asked:
    """Raises Invalid for days of no use, NotFound for a currency in which there are no books."""
    if last < first or (last - first).days >= MOST_DAYS or not 2000 <= first.year <= last.year <= 2200:
        raise Invalid("period", _("The days run from an earlier one to a later, two years at most."), where="until")
    if currency not in currencies_of(seller):
        raise NotFound("no_books", _("There are no books in %s.") % currency, where="currency")
    return Asked(seller, currency, first, last, zone)
