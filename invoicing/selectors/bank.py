"""What the bank told, as its seller may see it, and who a payment that names no invoice may be from."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from invoicing.models import BankEntry, BankFile, Invoice, InvoiceKind, PaymentMatch
from invoicing.selectors import invoices
from tiers.errors import NotFound
from tiers.viewer import Viewer

MOST_SUGGESTED = 8
SHORTEST_WORD = 4


def entries(viewer: Viewer) -> QuerySet[BankEntry]:
    """On the accounts of the viewer's own party; another's bank account is its own affair."""
    rows = BankEntry.visible.for_viewer(viewer).filter(seller=viewer.party)
    found: QuerySet[BankEntry] = rows.select_related("file", "transfer__payee__owner")
    return found


def entry_by_id(viewer: Viewer, key: UUID) -> BankEntry:
    found = entries(viewer).filter(pk=key).first()
    if found is None:
        raise NotFound("no_entry", _("There is no such bank entry here."))
    return found


def files(viewer: Viewer) -> QuerySet[BankFile]:
    found: QuerySet[BankFile] = BankFile.visible.for_viewer(viewer).filter(seller=viewer.party)
    return found


def open_invoices(viewer: Viewer) -> QuerySet[Invoice]:
    """What the viewer's party issued and is not paid in full."""
    return invoices.made_by(viewer).filter(kind=InvoiceKind.INVOICE, number__isnull=False, due__gt=0)


def suggestions(viewer: Viewer, entry: BankEntry) -> list[Invoice]:
    """Open invoices of just this amount, or of a buyer whose name the payer's name shares a word with."""
    words = [word for word in entry.payer.replace(",", " ").split() if len(word) >= SHORTEST_WORD][:6]
    like = Q(due=entry.amount) | Q(total=entry.amount)
    for word in words:
        like |= Q(buyer__name__icontains=word)
    rows = open_invoices(viewer).filter(like, currency=entry.currency).order_by("due_date", "id")
    found = list(rows[: MOST_SUGGESTED * 4])
    found.sort(key=lambda one: entry.amount not in (one.due, one.total))
    return found[:MOST_SUGGESTED]


def matches_of(entry: BankEntry) -> QuerySet[PaymentMatch]:
    """Which invoices the entry paid; the entry was read for its viewer."""
    rows: QuerySet[PaymentMatch] = PaymentMatch.objects.filter(transfer=entry.transfer_id).select_related("invoice")
    return rows
