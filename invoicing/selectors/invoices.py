"""Invoices as a viewer may see them: lists, one with its parts, and how far a month's run is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from invoicing.models import Document, Invoice, InvoiceLine, InvoiceStatus, MailStatus, OutboxMail
from tiers.errors import NotFound
from tiers.models import Party
from tiers.viewer import Viewer

UNISSUED = (InvoiceStatus.DRAFT, InvoiceStatus.APPROVED)


def visible_invoices(viewer: Viewer | None) -> QuerySet[Invoice]:
    """Newest first. A draft is the seller's own business: a buyer sees what was issued, a seller its drafts too."""
    rows = Invoice.visible.for_viewer(viewer)
    if viewer is not None:
        rows = rows.exclude(
            Q(status__in=UNISSUED) & ~Q(seller__path__startswith=viewer.path),
        )
    return rows.select_related("seller", "buyer", "brand").defer("context").order_by("-id")


def sold_by(viewer: Viewer) -> QuerySet[Invoice]:
    """What the viewer's own party bills to its buyers."""
    return visible_invoices(viewer).filter(seller=viewer.party)


def bought_by(viewer: Viewer) -> QuerySet[Invoice]:
    """What the viewer's own party is billed."""
    return visible_invoices(viewer).filter(buyer=viewer.party)


def one_invoice(viewer: Viewer | None, key: UUID) -> Invoice:
    """Raises NotFound for what is not there or not the viewer's."""
    found = visible_invoices(viewer).filter(pk=key).first()
    if found is None:
        raise NotFound("invoice", "There is no such invoice here.")
    return found


def lines_of(invoice: Invoice) -> QuerySet[InvoiceLine]:
    return InvoiceLine.objects.filter(invoice=invoice).order_by("position")


def documents_of(viewer: Viewer | None, invoice: Invoice) -> QuerySet[Document]:
    return Document.visible.for_viewer(viewer).filter(invoice=invoice).order_by("kind")


def mails_of(viewer: Viewer | None, invoice: Invoice) -> QuerySet[OutboxMail]:
    """Only for sellers: a mail belongs to who sends it."""
    return OutboxMail.visible.for_viewer(viewer).filter(invoice=invoice).order_by("id")


@dataclass(frozen=True, slots=True)
class RunProgress:
    """How many invoices of a month there are, and how far they are."""

    invoices: int
    drafts: int
    approved: int
    issued: int
    rendered: int
    mailed: int
    failed_mails: int


def run_progress(seller: Party, month: date) -> RunProgress:
    """Counted from the rows, so it is true whoever works on them. One query."""
    documents = Document.objects.filter(invoice=OuterRef("pk"))
    mails = OutboxMail.objects.filter(invoice=OuterRef("pk"))
    rows = Invoice.objects.filter(seller=seller, month=month.replace(day=1)).annotate(
        has_documents=Exists(documents), failed=Exists(mails.filter(status=MailStatus.FAILED))
    )
    counts = rows.aggregate(
        invoices=Count("pk"),
        drafts=Count("pk", filter=Q(status=InvoiceStatus.DRAFT)),
        approved=Count("pk", filter=Q(status=InvoiceStatus.APPROVED)),
        issued=Count("pk", filter=Q(number__isnull=False)),
        rendered=Count("pk", filter=Q(has_documents=True)),
        mailed=Count("pk", filter=Q(sent_at__isnull=False)),
        failed_mails=Count("pk", filter=Q(failed=True)),
    )
    return RunProgress(**counts)
