"""Whether invoices are paid: those that a payment named, then the oldest first, from all that the wallet received.

What is open on each invoice follows from the wallet and from what payments were matched to: the sum of what is open is
always what the buyer owes on issued bills. So a payment, its reversal or a credit moves every invoice to where it
belongs.
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
from invoicing.models import Invoice, InvoiceKind, InvoiceStatus, PaymentMatch
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

    What is matched to an invoice pays that one; the rest covers the oldest first.
    """

    def work() -> list[Invoice]:
        lock_wallets([wallet_id])
        owed = funds_of(Asked(wallet_id)).owed
        invoices = Invoice.objects.select_for_update().filter(
            wallet=wallet_id, kind=InvoiceKind.INVOICE, status__in=LIVING
        )
        credited = credited_of(wallet_id)
        newest_first = list(invoices.order_by("-issued_at", "-sequence"))
        asks = {one.pk: max(Decimal(0), one.total - credited.get(one.pk, Decimal(0))) for one in newest_first}
        matches = PaymentMatch.objects.filter(invoice__wallet=wallet_id).values_list("invoice")
        opens = open_amounts(asks, owed, dict(matches.annotate(paid=Sum("amount")).order_by()))
        return [one for one in newest_first if _settle(one, opens[one.pk])]

    return in_transaction(work)


def credited_of(wallet_id: UUID) -> dict[UUID, Decimal]:
    """By invoice of a wallet: what its credit notes gave back; so much of it is not asked for any more."""
    notes = Invoice.objects.filter(wallet=wallet_id, kind=InvoiceKind.CREDIT_NOTE, number__isnull=False)
    return dict(notes.values_list("corrects").annotate(Sum("total")).order_by())


def open_amounts(asks: dict[UUID, Decimal], owed: Decimal, matched: dict[UUID, Decimal]) -> dict[UUID, Decimal]:
    """What is open of what each asks for, the newest first in `asks`. The sum is `owed`, or all asked if that is less.

    What was matched pays its own; what else was paid takes from the oldest, and what else is owed lies on the newest.
    """
    zero = Decimal(0)
    opens = {one: max(zero, asked - matched.get(one, zero)) for one, asked in asks.items()}
    surplus = sum(opens.values(), zero) - owed
    for one in reversed(asks):
        taken = min(opens[one], max(zero, surplus))
        opens[one] -= taken
        surplus -= taken
    for one, asked in asks.items():
        back = min(asked - opens[one], max(zero, -surplus))
        opens[one] += back
        surplus += back
    return opens


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
