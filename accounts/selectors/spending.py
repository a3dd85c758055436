"""What a buyer spent and paid in, month by month, as its own pages show it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db.models import QuerySet, Sum

from accounts.models import Transfer, TransferKind, Wallet
from tiers.viewer import Viewer

CHARGES = (
    TransferKind.USAGE,
    TransferKind.USAGE_TAX,
    TransferKind.TAX,
    TransferKind.CHARGE,
    TransferKind.CHARGE_TAX,
    TransferKind.ROUNDING,
)
CAME_IN = (TransferKind.PAYMENT, TransferKind.ALLOCATION)
WENT_OUT = (TransferKind.REFUND, TransferKind.WITHDRAWAL)


@dataclass(frozen=True, slots=True)
class MonthSpent:
    """Charges of a billing month, tax in them, less what was taken back."""

    month: date
    amount: Decimal


def spent_by_month(viewer: Viewer, wallet: Wallet, since: date) -> list[MonthSpent]:
    """Charges of a customer's wallet by the month they are billed in, months with charges only."""
    rows = Transfer.visible.for_viewer(viewer).filter(kind__in=CHARGES, for_month__gte=since)
    out = _by_month(rows.filter(payer=wallet.pk))
    back = _by_month(rows.filter(payee=wallet.pk))
    return [
        MonthSpent(month, out.get(month, Decimal(0)) - back.get(month, Decimal(0))) for month in sorted({*out, *back})
    ]


def paid_in(viewer: Viewer, wallet: Wallet, since: datetime) -> Decimal:
    """What came into a wallet from outside its calls since a moment, less what was taken back."""
    rows = Transfer.visible.for_viewer(viewer).filter(created_at__gte=since)
    return _sum(rows.filter(payee=wallet.pk, kind__in=CAME_IN)) - _sum(rows.filter(payer=wallet.pk, kind__in=WENT_OUT))


def _by_month(rows: QuerySet[Transfer]) -> dict[date, Decimal]:
    found = rows.order_by().values_list("for_month").annotate(sum=Sum("amount"))
    return {month: amount for month, amount in found if month is not None}


def _sum(rows: QuerySet[Transfer]) -> Decimal:
    return rows.order_by().aggregate(sum=Sum("amount"))["sum"] or Decimal(0)
