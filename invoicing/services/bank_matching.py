"""From an entry on the bank account to a payment: found by the invoice's number, or by a person; and undone again.

The entry's row is locked first and its wallet second, always; the transfer's key names the entry and how often it was
booked. So two workers, two clicks or the same file twice make one payment.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import TransferKind
from accounts.services import funds as ledger_funds
from accounts.services.accounts import wallet_of
from accounts.services.ledger import Draft, lock_wallets, post
from accounts.services.transactions import in_transaction
from invoicing.models import BankEntry, EntryStatus, Invoice, InvoiceKind, InvoiceSeries, PaymentMatch
from invoicing.services.payments import LIVING, settle_wallet
from tiers.errors import Conflict, Invalid, TollgateError
from tiers.models import Party
from tiers.viewer import Actor

BETWEEN = r"[\s\-_./:]*"


def invoices_named(seller: Party, text: str) -> list[Invoice]:
    """The seller's issued invoices whose numbers stand in the text, in its order; spaces and dashes do not matter.

    A number counts with all its digits and nothing of the same sort before or after, so that a date or a part of a
    longer number is never taken for one.
    """
    found: dict[tuple[str, int], int] = {}
    for code in InvoiceSeries.objects.filter(issuer=seller).values_list("code", flat=True):
        letters = [re.escape(c) for c in code.upper() if c.isalnum()]
        before = r"(?<!\d)" if code[:1].isdigit() else r"(?<![A-Z])"
        pattern = before + BETWEEN.join([*letters, r"(\d{5}|[1-9]\d{5,8})(?!\d)"])
        for hit in re.finditer(pattern, text.upper()):
            found.setdefault((code, int(hit[1])), hit.start())
    in_order = sorted(found, key=lambda number: found[number])
    rows = Invoice.objects.filter(seller=seller, kind=InvoiceKind.INVOICE, status__in=LIVING)
    known = {
        (one.series, one.sequence): one
        for one in rows.filter(
            series__in={code for code, _at in found}, sequence__in={at for _code, at in found}
        ).select_related("buyer")
    }
    return [known[number] for number in in_order if number in known]


def match(entry_id: UUID, *, actor: Actor) -> bool:
    """Book the entry if its text names invoices of one buyer in its currency; whether it is booked now."""
    entry = BankEntry.objects.select_related("seller").get(pk=entry_id)
    if entry.status != EntryStatus.WAITING or entry.decided_at is not None or entry.reversal:
        return False
    named = invoices_named(entry.seller, entry.text)
    if len({one.wallet_id for one in named}) != 1 or named[0].currency != entry.currency:
        return False
    try:
        book(entry.pk, named[0].buyer, named, actor=actor, by_itself=True)
    except TollgateError:
        return False
    return True


def book(
    entry_id: UUID, buyer: Party, invoices: Sequence[Invoice], *, actor: Actor, by_itself: bool = False
) -> BankEntry:
    """Record the entry as the buyer's payment, for these invoices in their order; what is over stays as credit.

    Raises Conflict("decided") where it is booked already or is nothing that can be, NotFound and Invalid for a buyer
    or invoice that does not fit.
    """

    def work() -> BankEntry:
        entry = _locked(entry_id)
        if entry.status not in (EntryStatus.WAITING, EntryStatus.ASIDE) or (by_itself and entry.decided_at):
            raise Conflict("decided", _("This entry is decided already."))
        if entry.reversal:
            raise Conflict("reversal", _("This takes an earlier payment back; it cannot be booked as a payment."))
        wallet = wallet_of(buyer, entry.currency)
        if any(one.wallet_id != wallet.pk or one.seller_id != entry.seller_id for one in invoices):
            raise Invalid("invoice", _("The invoice is not this customer's in this currency."), where="invoice")
        key = f"bank:{entry.pk}:{entry.attempt + 1}"
        move = ledger_funds.Move(entry.amount, entry.currency, key, actor)
        transfer = ledger_funds.record_payment(
            entry.seller, buyer, move, received_on=entry.value_date, method="bank", reference=entry.text[:100]
        )
        shares = _shares(entry.amount, [one.pk for one in invoices])
        PaymentMatch.objects.bulk_create(
            PaymentMatch(transfer=transfer, invoice_id=invoice, amount=amount) for invoice, amount in shares
        )
        settle_wallet(wallet.pk)
        entry.attempt += 1
        return _decide(entry, EntryStatus.BOOKED, actor, transfer_id=transfer.pk)

    return in_transaction(work)


def undo(entry_id: UUID, *, actor: Actor, reason: str) -> BankEntry:
    """Take a booking back by a transfer that names it; the entry waits again, for a person. Raises Conflict."""
    why = _said(reason)

    def work() -> BankEntry:
        entry = _locked(entry_id)
        paid = entry.transfer
        if entry.status != EntryStatus.BOOKED or paid is None:
            raise Conflict("not_booked", _("This entry is not booked."))
        lock_wallets([paid.payee_id])
        correction = Draft(
            payer=paid.payee_id,
            payee=paid.payer_id,
            amount=paid.amount,
            currency=paid.currency,
            kind=TransferKind.PAYMENT,
            key=f"payment-undo:{paid.pk}",
            reason=why,
            reverses=paid.pk,
        )
        post([correction], actor=actor)
        PaymentMatch.objects.filter(transfer=paid).delete()
        settle_wallet(paid.payee_id)
        return _decide(entry, EntryStatus.WAITING, actor, reason=why)

    return in_transaction(work)


def set_aside(entry_id: UUID, *, actor: Actor, reason: str) -> BankEntry:
    """This is no customer's payment, and why. It may be booked later all the same."""
    why = _said(reason)

    def work() -> BankEntry:
        entry = _locked(entry_id)
        if entry.status != EntryStatus.WAITING:
            raise Conflict("decided", _("This entry is decided already."))
        return _decide(entry, EntryStatus.ASIDE, actor, reason=why)

    return in_transaction(work)


def _locked(entry_id: UUID) -> BankEntry:
    rows = BankEntry.objects.select_related("seller", "transfer").select_for_update(of=("self",))
    entry: BankEntry = rows.get(pk=entry_id)
    return entry


def _said(reason: str) -> str:
    if not reason.strip():
        raise Invalid("reason", _("Say why."), where="reason")
    return reason.strip()[:200]


def _decide(
    entry: BankEntry, status: str, actor: Actor, *, transfer_id: UUID | None = None, reason: str = ""
) -> BankEntry:
    entry.status, entry.transfer_id, entry.reason = status, transfer_id, reason
    entry.decided_by, entry.decided_at = actor.label[:254], timezone.now()
    entry.save(update_fields=["status", "transfer", "reason", "attempt", "decided_by", "decided_at"])
    return entry


def _shares(amount: Decimal, invoices: Iterable[UUID]) -> list[tuple[UUID, Decimal]]:
    """What of the amount each invoice takes: as much as is open, in this order. The wallet is locked by now."""
    rest, shares = amount, []
    wanted = list(dict.fromkeys(invoices))
    due = dict(Invoice.objects.filter(pk__in=wanted).values_list("pk", "due"))
    for invoice in wanted:
        taken = min(rest, due[invoice])
        if taken > 0:
            shares.append((invoice, taken))
            rest -= taken
    return shares
