"""What a bill says of charges beside calls: which product, which days, how many at what price."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from invoicing.models import Charge


@dataclass(frozen=True, slots=True, order=True)
class ChargeFacts:
    """Charges that are alike in all of this stand on one line. `ends_on` is the first day after."""

    kind: str
    label: str
    unit: str
    starts_on: date
    ends_on: date
    unit_price: Decimal
    given_back: bool
    quantity: int


def facts_of(transfers: Collection[UUID]) -> dict[UUID, ChargeFacts]:
    """By transfer; those without a row of their own are left out."""
    if not transfers:
        return {}
    rows = Charge.objects.filter(transfer__in=transfers).order_by()
    fields = ("kind", "label", "unit", "starts_on", "ends_on", "unit_price", "gives_back_id", "quantity")
    found = {}
    for transfer, kind, label, unit, start, end, price, back, quantity in rows.values_list("transfer_id", *fields):
        found[transfer] = ChargeFacts(kind, label, unit, start, end, price, back is not None, quantity)
    return found
