"""The register of what a seller issued: one line a paper, in the order of issue. Credit notes count below zero."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models.fields.json import KeyTextTransform, KeyTransform

from invoicing.books.asked import Asked
from invoicing.models import Invoice, InvoiceKind

AT_A_TIME = 2000
FIELDS = (
    "kind", "number", "issue_date", "due_date", "month", "buyer__code", "buyer__name", "tax_printed", "tax_name",
    "tax_rate", "tax", "total", "due", "status", "currency", "corrects__number",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Paper:
    """An issued paper. `net` + `tax` = `gross`, `paid` + `open` = `gross` but for
    credit notes, which nobody pays; a statement was paid as it went."""

    kind: str
    number: str
    issued: date
    due: date | None
    month: date
    buyer_code: str
    buyer: str
    tax_id: str
    tax_name: str
    tax_rate: Decimal
    tax: Decimal
    gross: Decimal
    open: Decimal
    status: str
    currency: str
    corrects: str

    @property
    def net(self) -> Decimal:
        return self.gross - self.tax

    @property
    def paid(self) -> Decimal:
        return self.gross - self.open if self.kind != InvoiceKind.CREDIT_NOTE else Decimal(0)


def papers(asked: Asked) -> Iterator[Paper]:
    """What was issued on the days of the period, by day and number. The tax number is the one printed."""
    printed = KeyTextTransform("tax_id", KeyTransform("buyer", "context"))
    rows = Invoice.objects.filter(
        seller=asked.seller,
        currency=asked.currency,
        number__isnull=False,
        issue_date__gte=asked.first,
        issue_date__lte=asked.last,
    )
    ordered = rows.annotate(tax_printed=printed).order_by("issue_date", "series", "sequence")
    for row in ordered.values_list(*FIELDS).iterator(chunk_size=AT_A_TIME):
        yield _paper(row)


def _paper(row: tuple[Any, ...]) -> Paper:
    given = dict(zip(FIELDS, row, strict=True))
    sign = -1 if given["kind"] == InvoiceKind.CREDIT_NOTE else 1
    return Paper(
        kind=given["kind"],
        number=given["number"],
        issued=given["issue_date"],
        due=given["due_date"],
        month=given["month"],
        buyer_code=given["buyer__code"],
        buyer=given["buyer__name"],
        tax_id=given["tax_printed"] or "",
        tax_name=given["tax_name"],
        tax_rate=given["tax_rate"],
        tax=sign * given["tax"],
        gross=sign * given["total"],
        open=given["due"],
        status=given["status"],
        currency=given["currency"],
        corrects=given["corrects__number"] or "",
    )
