"""The run: a draft for each wallet of a seller, made from what was charged and is on no bill yet.

So a second run adds nothing. Two runs at once queue at one lock per seller, and a transfer's row among the billed is
unique, so even a run that found another way in could not bill it twice. Wallets are taken in batches, each its own
transaction: a run that dies goes on where it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import islice
from uuid import UUID

from django.db import connection

from accounts.models import Wallet
from accounts.services.transactions import in_transaction
from invoicing.models import BilledTransfer, Invoice, InvoiceKind, InvoiceLine, InvoiceStatus
from invoicing.services import allowances, amounts, charging, gathering
from invoicing.services.balances import FOR_EVER, Asked, Funds, funds
from invoicing.services.gathering import Gathered
from invoicing.services.labels import language_of
from invoicing.services.lines import lines_of
from invoicing.services.periods import Month, month_in, require_over
from invoicing.services.terms import Terms, terms_of_buyers
from tiers.models import Party
from tiers.viewer import Actor

BATCH = 200
RUN_LOCK = 7204010  # first key of the advisory lock; the second is the seller's


@dataclass(frozen=True, slots=True)
class RunResult:
    """`created` new drafts; `skipped` wallets got none: nothing to bill, or it went onto the draft that stands.

    `invoices` are all of the seller's for the month, whatever run made them, by customer.
    """

    created: int
    skipped: int
    invoices: list[Invoice]


@dataclass(frozen=True, slots=True)
class Job:
    """A wallet to be billed, with all that is needed to do so."""

    wallet: Wallet
    terms: Terms
    period: Month
    gathered: Gathered


def run(seller: Party, month: date, *, actor: Actor, early: bool = False) -> RunResult:
    """Draft the bills of a month, with what earlier months left unbilled; first post what is due beside calls.

    Raises Conflict("period_running").
    """
    month = month.replace(day=1)
    if not early:
        require_over(seller, month)
    charging.post_due(seller=seller, actor=actor)
    allowances.settle(seller, month, actor=actor)
    created = looked_at = 0
    for wallets in batches(seller):
        looked_at += len(wallets)
        created += _draft_batch(seller, wallets, month, actor)
    return RunResult(created, looked_at - created, invoices_of(seller, month))


def invoices_of(seller: Party, month: date) -> list[Invoice]:
    rows = Invoice.objects.filter(seller=seller, month=month).exclude(kind=InvoiceKind.CREDIT_NOTE)
    rows = rows.select_related("buyer", "seller", "brand", "wallet")
    return list(rows.order_by("buyer__code", "id"))


def batches(seller: Party) -> Iterator[list[UUID]]:
    """The wallets that the seller sold, a batch at a time."""
    keys = iter(list(Wallet.objects.filter(seller=seller).order_by("pk").values_list("pk", flat=True)))
    while batch := list(islice(keys, BATCH)):
        yield batch


def _draft_batch(seller: Party, wallets: Sequence[UUID], month: date, actor: Actor) -> int:
    def work() -> int:
        lock_run(seller)
        gathered = gathering.unbilled(wallets, month, seller.pk)
        if not gathered:
            return 0
        jobs = list(_jobs(seller, gathered, month))
        return sum(_bill(job, money, actor) for job, money in zip(jobs, _funds(jobs), strict=True))

    return in_transaction(work, lock_timeout_ms=60_000)


def lock_run(seller: Party) -> None:
    """Wait until no other run of this seller is under way; kept to the end of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [RUN_LOCK, str(seller.pk)])


def _jobs(seller: Party, gathered: dict[UUID, Gathered], month: date) -> Iterator[Job]:
    rows = Wallet.objects.select_related("account__owner", "seller").filter(pk__in=gathered)
    wallets = list(rows.order_by("account__owner__code"))
    terms = terms_of_buyers(seller, wallets, month_in(month, "UTC").end)
    for wallet in wallets:
        mine = terms[wallet.pk]
        yield Job(wallet, mine, month_in(month, mine.brand.time_zone), gathered[wallet.pk])


def _funds(jobs: list[Job]) -> list[Funds]:
    known = funds([asked_of(job.wallet.is_prepaid, job.wallet.pk, job.period, job.terms) for job in jobs])
    return [known[job.wallet.pk] for job in jobs]


def asked_of(prepaid: bool, wallet: UUID, period: Month, terms: Terms) -> Asked:
    """Statements count money up to the period's last day, invoices all there is."""
    return Asked(wallet, period.last if prepaid else FOR_EVER, terms.brand.time_zone)


def _bill(job: Job, money: Funds, actor: Actor) -> int:
    """Write or extend the draft; 1 if it is new. What comes to nothing, or less, waits for a later month."""
    standing = Invoice.objects.select_for_update().filter(
        wallet=job.wallet, month=job.period.first, status__in=[InvoiceStatus.DRAFT, InvoiceStatus.APPROVED]
    )
    invoice = standing.first()
    if invoice is not None and invoice.status == InvoiceStatus.APPROVED:
        return 0
    gathered = job.gathered if invoice is None else _together(invoice, job)
    sums = sums_of(job, gathered)
    if sums.total <= 0:
        return 0
    new = invoice is None
    invoice = invoice or _new_invoice(job, actor)
    _fill(invoice, job, gathered, sums, money)
    invoice.save()
    _write_parts(invoice, job, gathered)
    return int(new)


def _together(invoice: Invoice, job: Job) -> Gathered:
    """What stands on the draft and what came since, gathered as one."""
    stands = gathering.billed_on(invoice.pk, job.wallet.pk, job.wallet.seller_id)
    return gathering.together(job.wallet.pk, [*stands.charges, *job.gathered.charges], job.wallet.seller_id)


def sums_of(job: Job, gathered: Gathered) -> amounts.Sums:
    decimals = amounts.currency_decimals(job.wallet.account.currency)
    if job.wallet.is_prepaid:
        return amounts.prepaid(gathered.charged, gathered.tax_charged, decimals)
    price = job.terms.price
    return amounts.postpaid(
        gathered.charged, price.tax_rate, decimals, inclusive=price.prices_include_tax, taxed=gathered.tax_charged
    )


def _new_invoice(job: Job, actor: Actor) -> Invoice:
    return Invoice(
        seller=job.wallet.seller,
        buyer=job.wallet.account.owner,
        wallet=job.wallet,
        currency=job.wallet.account.currency,
        month=job.period.first,
        created_by=actor.label[:254],
    )


def _fill(invoice: Invoice, job: Job, gathered: Gathered, sums: amounts.Sums, money: Funds) -> None:
    invoice.kind = InvoiceKind.STATEMENT if job.wallet.is_prepaid else InvoiceKind.INVOICE
    invoice.brand = job.terms.brand
    invoice.period_start, invoice.period_end = job.period.start, job.period.end
    invoice.calls = sum(one.calls for one in gathered.classes)
    invoice.duration_s = sum(one.billed_s for one in gathered.classes)
    price = job.terms.price
    invoice.tax_name, invoice.tax_rate = price.tax_name, price.tax_rate
    # Prepaid charges hold no tax, whatever the brand's prices do: it was charged beside them.
    invoice.prices_include_tax = price.prices_include_tax and not job.wallet.is_prepaid
    put_sums(invoice, sums)
    put_funds(invoice, money)


def put_sums(invoice: Invoice, sums: amounts.Sums) -> None:
    invoice.net, invoice.tax_exact, invoice.tax = sums.net, sums.tax_exact, sums.tax
    invoice.total, invoice.rounding = sums.total, sums.rounding


def put_funds(invoice: Invoice, money: Funds) -> None:
    """Balances around the total as it now stands; a statement has nothing due."""
    invoice.opening_balance, invoice.payments = money.opening, money.payments
    invoice.adjustments, invoice.closing_balance = money.adjustments, money.closing(invoice.total)
    owed = invoice.kind == InvoiceKind.INVOICE
    invoice.due = amounts.amount_due(invoice.total, invoice.closing_balance) if owed else Decimal(0)


def _write_parts(invoice: Invoice, job: Job, gathered: Gathered) -> None:
    language = language_of(invoice.buyer.language)
    lines = lines_of(gathered, invoice.net, inclusive=invoice.prices_include_tax, language=language)
    InvoiceLine.objects.filter(invoice=invoice).delete()
    for line in lines:
        line.invoice = invoice
    InvoiceLine.objects.bulk_create(lines)
    BilledTransfer.objects.bulk_create(
        [BilledTransfer(transfer_id=charge.transfer, invoice=invoice) for charge in job.gathered.charges]
    )


def discard(invoice: Invoice) -> None:
    """Throw a draft away: what it billed is unbilled again. Issued ones stay for ever."""

    def work() -> None:
        Invoice.objects.select_for_update().get(pk=invoice.pk).delete()

    in_transaction(work)
