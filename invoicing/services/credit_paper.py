"""Freezing a credit note: as a bill is frozen, and beside it the number and date of what it corrects, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from django.utils import translation
from django.utils.translation import gettext as _

from invoicing.models import Invoice, InvoiceLine
from invoicing.render.context import CREDIT, InvoiceContext, PaymentBlock, SummaryLine
from invoicing.services import files
from invoicing.services.freezing import Material, freeze
from invoicing.services.terms import Terms


def freeze_note(note: Invoice, bill: Invoice, lines: Sequence[InvoiceLine], terms: Terms) -> InvoiceContext:
    """The context of a credit note that has its number and date."""
    shown = tuple(SummaryLine(label=line.label, net=line.net, kind=CREDIT, carrier=line.carrier) for line in lines)
    logo = files.keep_logo(bytes(terms.brand.logo or b""))
    frozen = freeze(note, terms, Material(details=(), months={}, lines=shown, logo=logo))
    with translation.override(frozen.language):
        why = _("Reason: %(reason)s") % {"reason": note.reason}
    return replace(
        frozen,
        original_number=bill.number or "",
        original_date=bill.issue_date,
        notes=(why,),
        history=(),
        payment=PaymentBlock(),
    )
