"""What buyers owe a seller, by how long it is due: not yet, 1 to 30 days, 31 to 60, 61 to 90, more.

Each figure is the sum of what is open on issued invoices, so the table adds up to them by its making. A bill without
a date to pay by is not late.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Q, QuerySet, Sum

from invoicing.models import Invoice
from invoicing.selectors.bank import open_invoices
from tiers.models import Party
from tiers.viewer import Viewer

BANDS = ((None, 0), (1, 30), (31, 60), (61, 90), (91, None))
"""Days past the date to pay by, first and last."""
NAMES = ("current", "days_1_30", "days_31_60", "days_61_90", "days_over_90")


@dataclass(frozen=True, slots=True)
class Aged:
    """Open amounts of one buyer in one currency, one for each band; `code` and `name` are "" for all buyers."""

    code: str
    name: str
    currency: str
    amounts: tuple[Decimal, ...]

    @property
    def total(self) -> Decimal:
        return sum(self.amounts, Decimal(0))

    @property
    def bands(self) -> dict[str, Decimal]:
        return dict(zip(NAMES, self.amounts, strict=True))

    @property
    def late(self) -> Decimal:
        return sum(self.amounts[1:], Decimal(0))


def debtors(viewer: Viewer) -> QuerySet[Party]:
    """The buyers that owe the viewer's party something."""
    found: QuerySet[Party] = Party.visible.for_viewer(viewer).filter(pk__in=open_invoices(viewer).values("buyer"))
    return found


def aged(viewer: Viewer, today: date, buyers: Iterable[Party] | None = None) -> list[Aged]:
    """By buyer's code and currency; of these buyers, or of all."""
    rows = open_invoices(viewer)
    if buyers is not None:
        rows = rows.filter(buyer__in=list(buyers))
    found = _summed(rows, today, "buyer__code", "buyer__name", "currency")
    return [Aged(*one) for one in found]


def sums(viewer: Viewer, today: date) -> list[Aged]:
    """Of all buyers, one row for each currency."""
    return [Aged("", "", *one) for one in _summed(open_invoices(viewer), today, "currency")]


def _summed(rows: QuerySet[Invoice], today: date, *by: str) -> list[tuple[Any, ...]]:
    bands = {name: Sum("due", filter=_late(today, *band)) for name, band in zip(NAMES, BANDS, strict=True)}
    found = rows.order_by().values_list(*by).annotate(**bands).order_by(*by)
    plain = len(by)
    return [(*one[:plain], tuple(amount or Decimal(0) for amount in one[plain:])) for one in found]


def _late(today: date, first: int | None, last: int | None) -> Q:
    asked = Q()
    if first is None:
        return Q(due_date__isnull=True) | Q(due_date__gte=today)
    asked &= Q(due_date__lte=today - timedelta(days=first))
    if last is not None:
        asked &= Q(due_date__gte=today - timedelta(days=last))
    return asked
