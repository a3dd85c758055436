"""Invoices as a viewer may see them: issued by it or below, received by it; a draft only by those who make it."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from django.db.models import Case, Count, F, Q, QuerySet, Sum, When
from django.utils.translation import gettext as _

from invoicing.models import Document, Invoice, InvoiceKind, InvoiceStatus, MailStatus, OutboxMail
from tiers.errors import NotFound
from tiers.models import Party
from tiers.viewer import Viewer

UNISSUED = (InvoiceStatus.DRAFT, InvoiceStatus.APPROVED)


def invoices(viewer: Viewer) -> QuerySet[Invoice]:
    """All of the viewer's part of the tree; drafts of a seller above are never shown to its buyer."""
    rows = Invoice.visible.for_viewer(viewer).filter(Q(seller__path__startswith=viewer.path) | ~Q(status__in=UNISSUED))
    found: QuerySet[Invoice] = rows.select_related("buyer", "seller", "brand", "corrects").defer(
        "context", "brand__logo", "corrects__context"
    )
    return found


def made_by(viewer: Viewer, seller: Party | None = None) -> QuerySet[Invoice]:
    """What a seller (the viewer's party unless said) bills."""
    return invoices(viewer).filter(seller=seller or viewer.party)


def received_by(viewer: Viewer, buyer: Party | None = None) -> QuerySet[Invoice]:
    """What a buyer (the viewer's party unless said) was sent: issued ones only."""
    return invoices(viewer).filter(buyer=buyer or viewer.party, number__isnull=False)


def invoice_by_id(viewer: Viewer, key: UUID) -> Invoice:
    """Raises NotFound for what is not the viewer's to see."""
    found = invoices(viewer).filter(pk=key).first()
    if found is None:
        raise NotFound("no_invoice", _("There is no such invoice here."))
    return found


def sums(rows: QuerySet[Invoice]) -> list[tuple[str, int, Decimal, Decimal]]:
    """The foot of a table: (currency, how many, total, due); what credit notes gave back is taken off."""
    back = Case(When(kind=InvoiceKind.CREDIT_NOTE, then=-F("total")), default=F("total"))
    found = rows.order_by().values_list("currency").annotate(count=Count("id"), total=Sum(back), due=Sum("due"))
    return list(found.order_by("currency"))


def credit_notes(viewer: Viewer, invoice: Invoice) -> QuerySet[Invoice]:
    """What was credited of an invoice, the newest first."""
    return invoices(viewer).filter(corrects=invoice).order_by("-issued_at")


def corrected_by(viewer: Viewer, note: Invoice) -> Invoice | None:
    """The invoice that a credit note corrects."""
    return invoices(viewer).filter(pk=note.corrects_id).first() if note.corrects_id else None


def credited(viewer: Viewer, invoice: Invoice) -> Decimal:
    """What its credit notes gave back, with tax."""
    total: Decimal | None = credit_notes(viewer, invoice).aggregate(total=Sum("total"))["total"]
    return total or Decimal(0)


def documents_of(viewer: Viewer, invoice: Invoice) -> dict[str, Document]:
    rows = Document.visible.for_viewer(viewer).filter(invoice=invoice)
    return {row.kind: row for row in rows}


def outbox(viewer: Viewer) -> QuerySet[OutboxMail]:
    """Mails of bills and how they fare, newest first by id."""
    found: QuerySet[OutboxMail] = OutboxMail.visible.for_viewer(viewer).select_related("seller", "invoice__buyer")
    return found.defer("text", "html", "invoice__context")


def mails_of(viewer: Viewer, invoice: Invoice) -> QuerySet[OutboxMail]:
    return outbox(viewer).filter(invoice=invoice).order_by("-id")


def mail_by_id(viewer: Viewer, key: UUID) -> OutboxMail:
    found = outbox(viewer).filter(pk=key).first()
    if found is None:
        raise NotFound("no_mail", _("There is no such mail here."))
    return found


def mails_in_trouble(viewer: Viewer) -> int:
    """How many mails were given up."""
    return outbox(viewer).filter(status=MailStatus.FAILED).count()
