"""Whether invoices are paid: the oldest first, from all that the wallet received.

Nothing is stored but what is open on each invoice, and that follows from the wallet: what the buyer owes on issued
bills lies on the newest of them. So a payment, its reversal or a credit moves every invoice to where it belongs.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from django.db.models import Sum
from django.utils import timezone

from accounts.models import Billing, Transfer
from accounts.services import funds as ledger_funds
from accounts.services.ledger import lock_wallets
from accounts.services.transactions import in_transaction
from invoicing.models import Invoice, InvoiceKind, InvoiceStatus
from invoicing.services.balances import Asked, funds_of
from invoicing.services.periods import today_in
from tiers.models import Party

LIVING = (InvoiceStatus.ISSUED, InvoiceStatus.SENT, InvoiceStatus.OVERDUE, InvoiceStatus.PAID)


def record_payment(
    seller: Party, buyer: Party, move: ledger_funds.Move, *, received_on: date, method: str = "", reference: str = ""
) -> Transfer:
    """A payment that reached the seller, and what it pays: ledger and invoices move in one transaction."""

    def work() -> Transfer:
        transfer = ledger_funds.record_payment(
            seller, buyer, move, received_on=received_on, method=method, reference=reference
        )
        settle_wallet(transfer.payee_id)
        return transfer

    return in_transaction(work)


def settle_wallet(wallet_id: UUID) -> list[Invoice]:
    """Bring `due` and status of the wallet's invoices to what it shows now; those that changed.

    A payment covers the oldest first; what is owed therefore lies on the newest.
    """

    def work() -> list[Invoice]:
        lock_wallets([wallet_id])
        owed = funds_of(Asked(wallet_id)).owed
        invoices = Invoice.objects.select_for_update().filter(
            wallet=wallet_id, kind=InvoiceKind.INVOICE, status__in=LIVING
        )
        credited = credited_of(wallet_id)
        changed = []
        for invoice in invoices.order_by("-issued_at", "-sequence"):
            open_now = max(Decimal(0), min(invoice.total - credited.get(invoice.pk, Decimal(0)), owed))
            owed -= open_now
            if _settle(invoice, open_now):
                changed.append(invoice)
        return changed

    return in_transaction(work)


def credited_of(wallet_id: UUID) -> dict[UUID, Decimal]:
    """By invoice of a wallet: what its credit notes gave back; so much of it is not asked for any more."""
    notes = Invoice.objects.filter(wallet=wallet_id, kind=InvoiceKind.CREDIT_NOTE, number__isnull=False)
    return dict(notes.values_list("corrects").annotate(Sum("total")).order_by())


def _settle(invoice: Invoice, open_now: Decimal) -> bool:
    paid = open_now == 0
    if invoice.due == open_now and paid == (invoice.status == InvoiceStatus.PAID):
        return False
    invoice.due = open_now
    if paid:
        invoice.status, invoice.paid_at = InvoiceStatus.PAID, invoice.paid_at or timezone.now()
    elif invoice.status == InvoiceStatus.PAID:
        invoice.status = InvoiceStatus.SENT if invoice.sent_at else InvoiceStatus.ISSUED
        invoice.paid_at = None
    invoice.save(update_fields=["due", "status", "paid_at"])
    return True


def settle_all() -> int:
    """Settle every postpaid wallet with an open invoice; how many changed. Beat asks, in case one was missed."""
    open_wallets = (
        Invoice.objects.filter(kind=InvoiceKind.INVOICE, due__gt=0, status__in=LIVING)
        .filter(wallet__billing=Billing.POSTPAID)
        .values_list("wallet", flat=True)
        .distinct()
    )
    return sum(len(settle_wallet(wallet)) for wallet in open_wallets)


def mark_overdue() -> int:
    """Mark what is past its date and still open, by the brand's calendar; how many were marked."""
    settle_all()
    marked = 0
    late = Invoice.objects.filter(
        kind=InvoiceKind.INVOICE,
        status__in=[InvoiceStatus.ISSUED, InvoiceStatus.SENT],
        due__gt=0,
        due_date__lt=timezone.now().date() + timedelta(days=1),
    ).select_related("brand")
    for invoice in late:
        if invoice.due_date is not None and invoice.due_date < today_in(invoice.brand.time_zone):
            still = Invoice.objects.filter(pk=invoice.pk, due__gt=0).exclude(status=InvoiceStatus.PAID)
            marked += still.update(status=InvoiceStatus.OVERDUE)
    return marked
