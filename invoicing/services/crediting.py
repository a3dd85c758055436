"""Credit notes: part or all of an issued bill given back, on a paper of its own that names the bill.

The bill itself is never touched, and its calls stay on it. The wallet is locked before the bill, as payments lock them;
so two who credit the same bill at once queue, and the second sees what is left. What the wallet gets back comes out of
the accounts that it paid into: the seller's revenue (a distribution seller's wallet), tax, rounding. So a fully
credited unpaid bill leaves exactly nothing open, a paid one leaves its money with the buyer, and a prepaid statement is
put back into the balance.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import AccountKind, TransferKind, Wallet
from accounts.services.accounts import counter_account
from accounts.services.ledger import PLACES, Draft, lock_wallets, post
from accounts.services.transactions import in_transaction
from invoicing.models import BilledTransfer, Invoice, InvoiceKind, InvoiceLine, InvoiceStatus
from invoicing.render.context import CREDIT
from invoicing.services import credit_paper
from invoicing.services.amounts import currency_decimals
from invoicing.services.credit_sums import Billed, Left, Part, asked_amount, next_part, rest_of
from invoicing.services.numbering import next_number
from invoicing.services.payments import settle_wallet
from invoicing.services.periods import today_in
from invoicing.services.terms import terms_of
from tiers.errors import Conflict, Invalid
from tiers.viewer import Actor

ZERO = Decimal(0)
LONGEST_REASON = 500

Lines = Mapping[int, Decimal | None]
"""By a line's id: how much of its net, or None for all that is left of it."""


@dataclass(frozen=True, slots=True)
class Credit:
    """A credit note before it is made: its sums, and by line of the bill what it gives back of it."""

    part: Part
    lines: dict[int, Decimal]
    completes: bool


def billed(invoice: Invoice) -> Billed:
    decimals = currency_decimals(invoice.currency)
    return Billed(invoice.net, invoice.tax_exact, invoice.tax, invoice.total, decimals)


def left_of(invoice: Invoice) -> list[Left]:
    """Each line of a bill in reading order, and what no credit note gave back of it yet."""
    given = InvoiceLine.objects.filter(corrects__invoice=invoice).values_list("corrects").annotate(Sum("net"))
    known: dict[int, Decimal] = dict(given)
    return [Left(line.pk, line.net, line.net - known.get(line.pk, ZERO)) for line in invoice.lines.all()]


def credited_net(invoice: Invoice) -> Decimal:
    """What all credit notes of a bill gave back, without tax, exact."""
    return sum((one.net - one.left for one in left_of(invoice)), ZERO)


def preview(invoice: Invoice, lines: Lines | None) -> Credit:
    """What crediting these lines (None: all that is left) would come to. Raises what `credit` raises."""
    _require_billed(invoice)
    bill, left = billed(invoice), left_of(invoice)
    before = sum((one.net - one.left for one in left), ZERO)
    if before == bill.net:
        raise Conflict("credited", _("%s is credited in full already.") % invoice.number, where=str(invoice.pk))
    asked = rest_of(left, bill.net - before) if lines is None else _asked(left, lines, bill.decimals)
    net = sum(asked.values(), ZERO)
    if before + net > bill.net:
        raise Invalid(
            "more_than_billed",
            _("That is more than was billed: other lines of this bill took something off."),
            where="lines",
            hint=_("Credit those lines too, or a smaller amount."),
        )
    part = next_part(bill, before, net) if net > 0 else Part(ZERO, ZERO, ZERO)
    if part.total <= 0:
        raise Invalid("nothing", _("This comes to nothing. Choose what is credited."), where="lines")
    return Credit(part, asked, before + net == bill.net)


def credit(invoice: Invoice, lines: Lines | None, *, reason: str, actor: Actor, key: str) -> Invoice:
    """Make and issue a credit note over these lines, or (None) over all that is left; the same key again: the same one.

    Raises Invalid("reason"), Invalid("lines", "nothing", "more_than_billed"), Conflict("not_issued", "credited",
    "key_reused"), Conflict("funds") where a distribution seller's own wallet has not enough to give back.
    """
    reason = reason.strip()
    if not reason or len(reason) > LONGEST_REASON:
        raise Invalid("reason", _("Say why, in at most 500 letters; the buyer reads it."), where="reason")

    def work() -> Invoice:
        standing = _standing(key, invoice, reason)
        if standing is not None:
            return standing
        giver, fresh = _locked(invoice)
        standing = _standing(key, invoice, reason)
        if standing is not None:
            return standing
        asked = preview(fresh, lines)
        _require_funds(giver, asked.part)
        return _make(fresh, asked, reason=reason, actor=actor, key=key)

    return in_transaction(work)


def _require_billed(invoice: Invoice) -> None:
    if invoice.is_credit_note:
        raise Conflict("credit_note", _("A credit note is not credited; bill it anew instead."))
    if not invoice.is_issued:
        raise Conflict(
            "not_issued", _("A draft is not credited."), hint=_("Throw it away, or issue it first; then credit it.")
        )


def _asked(left: list[Left], lines: Lines, decimals: int) -> dict[int, Decimal]:
    known = {one.line: one for one in left}
    found = {}
    for line, amount in lines.items():
        if line not in known:
            raise Invalid("lines", _("There is no such line on this bill."), where="lines")
        one = known[line]
        if amount is not None and (not amount.is_finite() or amount != amount.quantize(PLACES)):
            raise Invalid("lines", _("An amount has at most six decimals."), where=f"line_{line}")
        meant = one.left if amount is None else asked_amount(one, amount, decimals)
        if meant is None:
            raise Invalid("lines", _("Of this line at most %s is left.") % format(one.left, "f"), where=f"line_{line}")
        if meant:
            found[line] = meant
    return found


def _standing(key: str, invoice: Invoice, reason: str) -> Invoice | None:
    note: Invoice | None = Invoice.objects.filter(key=key).first()
    if note is not None and (note.corrects_id, note.reason) != (invoice.pk, reason):
        raise Conflict(
            "key_reused",
            _("This was already done otherwise, as credit note %s.") % note.number,
            hint=_("Start again from a fresh form, or send another idempotency key."),
        )
    return note


def _locked(invoice: Invoice) -> tuple[Wallet | None, Invoice]:
    """A distribution seller's own wallet, which gives back (None: no wallet does), and the bill; the buyer's too."""
    known = Wallet.objects.values_list("seller_wallet_id", flat=True).get(pk=invoice.wallet_id)
    locked = lock_wallets([invoice.wallet_id, *([known] if known else [])])
    related = ("seller", "buyer", "brand", "wallet__account", "wallet__seller")
    rows = Invoice.objects.select_for_update(of=("self",), no_key=True).select_related(*related)
    return (locked[known] if known else None), rows.get(pk=invoice.pk)


def _require_funds(giver: Wallet | None, part: Part) -> None:
    if giver is not None and giver.available < part.net:
        raise Conflict(
            "funds", _("There is not enough available for this."), hint=_("See the wallet's available funds.")
        )


def _make(bill: Invoice, asked: Credit, *, reason: str, actor: Actor, key: str) -> Invoice:
    note = _note(bill, asked, reason, actor, key)
    note.save()
    lines = _lines(note, bill, asked)
    InvoiceLine.objects.bulk_create(lines)
    made = post(list(_drafts(note, bill, asked.part)), actor=actor, cause=note.pk)
    BilledTransfer.objects.bulk_create([BilledTransfer(transfer=one, invoice=note) for one in made])
    terms = terms_of(bill.brand)
    note.issue_date = today_in(terms.brand.time_zone)
    number = next_number(note.seller_id, terms.paper.credit_series or terms.paper.series, note.issue_date)
    note.number, note.series, note.sequence = number.text, number.series, number.sequence
    note.context = credit_paper.freeze_note(note, bill, lines, terms).to_json()
    note.status, note.issued_at = InvoiceStatus.ISSUED, timezone.now()
    note.save()
    if asked.completes:
        Invoice.objects.filter(pk=bill.pk).update(status=InvoiceStatus.CREDITED, due=ZERO)
    settle_wallet(bill.wallet_id)
    return note


def _note(bill: Invoice, asked: Credit, reason: str, actor: Actor, key: str) -> Invoice:
    part = asked.part
    return Invoice(
        kind=InvoiceKind.CREDIT_NOTE.value,
        seller=bill.seller,
        buyer=bill.buyer,
        brand=bill.brand,
        wallet=bill.wallet,
        currency=bill.currency,
        month=bill.month,
        period_start=bill.period_start,
        period_end=bill.period_end,
        tax_name=bill.tax_name,
        tax_rate=bill.tax_rate,
        prices_include_tax=bill.prices_include_tax,
        net=part.net,
        tax_exact=part.tax,
        tax=part.tax,
        total=part.total,
        rounding=part.rounding,
        corrects=bill,
        reason=reason,
        key=key,
        created_by=actor.label[:254],
        approved_by=actor.label[:254],
        approved_at=timezone.now(),
    )


def _lines(note: Invoice, bill: Invoice, asked: Credit) -> list[InvoiceLine]:
    chosen = [line for line in bill.lines.all() if line.pk in asked.lines]
    return [
        InvoiceLine(
            invoice=note,
            position=position,
            kind=CREDIT,
            label=line.label,
            carrier=line.carrier,
            net=asked.lines[line.pk],
            corrects=line,
        )
        for position, line in enumerate(chosen, start=1)
    ]


def _drafts(note: Invoice, bill: Invoice, part: Part) -> Iterator[Draft]:
    """Out of the accounts that the bill was paid into; each names both papers."""
    for what, kind, amount in (
        ("net", AccountKind.REVENUE, part.net),
        ("tax", AccountKind.TAX, part.tax),
        ("rounding", AccountKind.ROUNDING, part.rounding),
    ):
        if amount:
            yield _draft(note, bill, what, counter_account(bill.wallet, kind), amount)


def _draft(note: Invoice, bill: Invoice, what: str, account: UUID, amount: Decimal) -> Draft:
    wallet = note.wallet_id
    payer, payee = (account, wallet) if amount > 0 else (wallet, account)
    return Draft(
        payer=payer,
        payee=payee,
        amount=abs(amount),
        currency=note.currency,
        kind=TransferKind.CREDIT,
        key=f"credit-note:{note.pk}:{what}",
        reason=note.reason,
        details={"part": what, "credit_note": str(note.pk), "invoice": str(bill.pk), "number": bill.number},
    )
