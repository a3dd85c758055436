"""From draft to paper: approval, and issuing with a number.

Issuing is one short transaction: the invoice is locked and its figures made final, what wallet and paper still differ
by is posted, everything printed is frozen, and last of all the number is taken. What fails leaves no trace and no gap.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import AccountKind, Transfer, TransferKind, Wallet
from accounts.services.accounts import book
from accounts.services.ledger import Draft, lock_wallets, post
from accounts.services.transactions import in_transaction
from invoicing.models import BilledTransfer, Invoice, InvoiceKind, InvoiceStatus
from invoicing.services import amounts, gathering
from invoicing.services.balances import funds_of
from invoicing.services.drafts import asked_of, put_funds, put_sums
from invoicing.services.freezing import freeze, read_material
from invoicing.services.gathering import Gathered
from invoicing.services.numbering import next_number
from invoicing.services.payments import settle_wallet
from invoicing.services.periods import month_in, today_in
from invoicing.services.terms import Terms, terms_of
from tiers.errors import Conflict
from tiers.viewer import Actor


def approve(invoice: Invoice, *, actor: Actor) -> Invoice:
    """Say that a draft may go out. Again, or when it went out already, nothing changes."""

    def work() -> Invoice:
        fresh = _locked(invoice.pk)
        if fresh.status == InvoiceStatus.DRAFT:
            fresh.status = InvoiceStatus.APPROVED
            fresh.approved_by, fresh.approved_at = actor.label[:254], timezone.now()
            fresh.save(update_fields=["status", "approved_by", "approved_at"])
        return fresh

    return in_transaction(work)


def approve_many(invoices: Iterable[Invoice], *, actor: Actor) -> list[Invoice]:
    return [approve(invoice, actor=actor) for invoice in invoices]


def issue(invoice: Invoice, *, actor: Actor) -> Invoice:
    """Give it a number and freeze it; an issued one is returned as it is.

    Raises Conflict("not_approved") for a draft where the brand wants an approval.
    """

    def work() -> Invoice:
        fresh = _locked(invoice.pk)
        if fresh.is_issued:
            return fresh
        terms = terms_of(fresh.brand)
        _require_approved(fresh, terms)
        return _issue(fresh, terms, actor)

    return in_transaction(work)


def _locked(key: UUID) -> Invoice:
    related = ("seller", "buyer", "brand", "wallet__account")
    rows = Invoice.objects.select_for_update(of=("self",)).select_related(*related)
    found: Invoice = rows.get(pk=key)
    return found


def _require_approved(invoice: Invoice, terms: Terms) -> None:
    if invoice.status == InvoiceStatus.DRAFT and terms.paper.approval_required:
        raise Conflict(
            "not_approved",
            _("The draft for %(buyer)s is not approved yet.") % {"buyer": invoice.buyer.name},
            where=str(invoice.pk),
            hint=_("Approve it first; %(brand)s wants that for each.") % {"brand": terms.brand.name},
        )


def _issue(invoice: Invoice, terms: Terms, actor: Actor) -> Invoice:
    gathered = gathering.billed_on(invoice.pk, invoice.wallet_id, invoice.seller_id)
    material = read_material(invoice, gathered.charges, terms.brand)
    wallet = lock_wallets([invoice.wallet_id])[invoice.wallet_id]
    sums = _final_sums(invoice, gathered, wallet)
    put_sums(invoice, sums)
    _post(invoice, sums, actor)
    period = month_in(invoice.month, terms.brand.time_zone)
    put_funds(invoice, funds_of(asked_of(invoice.kind == InvoiceKind.STATEMENT, wallet.pk, period, terms)))
    invoice.issue_date = today_in(terms.brand.time_zone)
    if invoice.kind == InvoiceKind.INVOICE:
        invoice.due_date = invoice.issue_date + timedelta(days=terms.paper.due_days)
    number = next_number(invoice.seller_id, terms.paper.series, invoice.issue_date)
    invoice.number, invoice.series, invoice.sequence = number.text, number.series, number.sequence
    invoice.context = freeze(invoice, terms, material).to_json()
    invoice.status, invoice.issued_at = InvoiceStatus.ISSUED, timezone.now()
    invoice.save()
    settle_wallet(wallet.pk)
    invoice.refresh_from_db(fields=["status", "due", "paid_at"])
    return invoice


def _final_sums(invoice: Invoice, gathered: Gathered, wallet: Wallet) -> amounts.Sums:
    """As drafted, on the draft's own tax terms; a prepaid wallet's last fraction decides how it is rounded."""
    decimals = amounts.currency_decimals(invoice.currency)
    if invoice.kind == InvoiceKind.STATEMENT:
        return amounts.prepaid(gathered.charged, gathered.tax_charged, decimals, available=wallet.available)
    return amounts.postpaid(
        gathered.charged,
        invoice.tax_rate,
        decimals,
        inclusive=invoice.prices_include_tax,
        taxed=gathered.tax_charged,
    )


def _post(invoice: Invoice, sums: amounts.Sums, actor: Actor) -> None:
    """What makes the wallet's charges come to the paper's total, and the tax account hold the paper's tax."""
    made = post(list(_drafts(invoice, sums)), actor=actor, cause=invoice.pk)
    mine = [transfer for transfer in made if invoice.wallet_id in (transfer.payer_id, transfer.payee_id)]
    BilledTransfer.objects.bulk_create([BilledTransfer(transfer=transfer, invoice=invoice) for transfer in mine])


def _drafts(invoice: Invoice, sums: amounts.Sums) -> Iterator[Draft]:
    def account(kind: str) -> UUID:
        return book(invoice.seller, kind, invoice.currency).pk

    wallet = invoice.wallet_id
    if sums.tax_due:
        yield _draft(invoice, "tax", TransferKind.TAX, (wallet, account(AccountKind.TAX)), sums.tax_due)
    if sums.tax_moved and invoice.kind == InvoiceKind.INVOICE:
        pair = (account(AccountKind.REVENUE), account(AccountKind.TAX))
        yield _draft(invoice, "tax-moved", TransferKind.TAX, pair, sums.tax_moved)
    elif sums.tax_moved:
        pair = (account(AccountKind.ROUNDING), account(AccountKind.TAX))
        yield _draft(invoice, "tax-rounding", TransferKind.ROUNDING, pair, sums.tax_moved)
    if sums.rounding:
        pair = (wallet, account(AccountKind.ROUNDING))
        yield _draft(invoice, "rounding", TransferKind.ROUNDING, pair, sums.rounding)


def _draft(invoice: Invoice, what: str, kind: str, pair: tuple[UUID, UUID], amount: Decimal) -> Draft:
    """From the first of the pair to the second; a negative amount goes the other way."""
    payer, payee = pair if amount > 0 else pair[::-1]
    return Draft(
        payer=payer,
        payee=payee,
        amount=abs(amount),
        currency=invoice.currency,
        kind=kind,
        key=f"invoice:{invoice.pk}:{what}",
        for_month=invoice.month,
    )


def posted_at_issue(invoice: Invoice) -> list[Transfer]:
    """The transfers that issuing made, by their kind."""
    return list(Transfer.objects.filter(cause=invoice.pk).order_by("key"))
