"""Freezing a bill: everything that it prints, as it is at the moment of issue.

Whatever is changed later (the brand's look, an address, a carrier's name), the paper stays as it was sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from babel.dates import format_date
from django.conf import settings
from django.db.models import Sum
from django.utils import translation
from django.utils.translation import gettext as _

from invoicing.models import AllowanceUse, Invoice, InvoiceKind
from invoicing.render import formats
from invoicing.render.context import (
    CALLS,
    DetailRow,
    InvoiceContext,
    MonthBar,
    PartyBlock,
    PaymentBlock,
    SummaryLine,
    TaxLine,
)
from invoicing.services import amounts, files, gathering, labels
from invoicing.services.gathering import Charge
from invoicing.services.periods import month_before
from invoicing.services.terms import Terms
from tiers.models import Brand, Party

HISTORY_MONTHS = 7
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Material:
    """What takes longest to read, and is read before anything is locked: detail by destination, months before."""

    details: tuple[DetailRow, ...]
    months: dict[date, Decimal]
    lines: tuple[SummaryLine, ...]
    logo: str
    included: tuple[AllowanceUse, ...] = ()


def read_material(invoice: Invoice, charges: Sequence[Charge], brand: Brand) -> Material:
    sums = gathering.destinations(charges, invoice.seller_id, invoice.buyer_id)
    details = tuple(
        DetailRow(
            carrier=one.carrier,
            destination=one.destination,
            calls=one.calls,
            duration_s=one.duration_s,
            net=one.sale,
        )
        for one in sums
    )
    lines = tuple(
        SummaryLine(
            label=line.label,
            net=line.net,
            kind=line.kind,
            carrier=line.carrier,
            quantity=Decimal(line.calls if line.kind == CALLS else line.quantity),
            unit=line.unit,
            duration_s=line.duration_s,
        )
        for line in invoice.lines.order_by("position")
    )
    logo = files.keep_logo(bytes(brand.logo or b""))
    uses = AllowanceUse.objects.filter(subscription__wallet=invoice.wallet_id, month=invoice.month, included__gt=0)
    included = uses.select_related("product").order_by("subscription__starts_on", "pk")
    return Material(details, _months(invoice), lines, logo, tuple(included))


def _months(invoice: Invoice) -> dict[date, Decimal]:
    """What was billed for each of the months before, credit notes not counted."""
    rows = (
        Invoice.objects.filter(wallet=invoice.wallet_id, number__isnull=False)
        .filter(month__lte=invoice.month, month__gte=month_before(invoice.month, HISTORY_MONTHS - 1))
        .exclude(kind=InvoiceKind.CREDIT_NOTE)
        .values_list("month")
        .annotate(Sum("total"))
    )
    return dict(rows)


def freeze(invoice: Invoice, terms: Terms, material: Material) -> InvoiceContext:
    """The context of an invoice that has its number, dates and figures."""
    language = labels.language_of(invoice.buyer.language)
    zone = ZoneInfo(terms.brand.time_zone)
    issued_on = invoice.issue_date
    assert issued_on is not None
    assert invoice.number is not None
    locale = labels.locale_of(language)
    return InvoiceContext(
        kind=invoice.kind,
        number=invoice.number,
        series=invoice.series,
        language=language,
        locale=locale,
        time_zone=terms.brand.time_zone,
        currency=invoice.currency,
        decimals=amounts.currency_decimals(invoice.currency),
        issue_date=issued_on,
        due_date=invoice.due_date,
        period_start=invoice.period_start.astimezone(zone).date(),
        period_end=(invoice.period_end - timedelta(microseconds=1)).astimezone(zone).date(),
        seller=_seller(terms.brand, material.logo),
        buyer=_buyer(invoice.buyer),
        lines=material.lines,
        net=invoice.net,
        tax_lines=_tax_lines(invoice),
        tax=invoice.tax,
        total=invoice.total,
        rounding=invoice.rounding,
        due=invoice.due,
        opening_balance=invoice.opening_balance,
        payments=invoice.payments,
        adjustments=invoice.adjustments,
        closing_balance=invoice.closing_balance,
        prepaid=invoice.kind == InvoiceKind.STATEMENT,
        prices_include_tax=invoice.prices_include_tax,
        history=_history(invoice, material.months, locale),
        details=material.details,
        payment=_payment(invoice, terms),
        notes=(*_notes(invoice, language, locale), *_included_notes(material.included, language)),
        footer=terms.paper.footer,
        calls_group=terms.paper.calls_group,
        paper=terms.paper.paper,
    )


def _address(text: str, name: str) -> tuple[str, ...]:
    """Its lines, without the name when that leads them: it stands above already."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return tuple(lines[1:] if lines and lines[0].casefold() == name.casefold() else lines)


def _seller(brand: Brand, logo: str) -> PartyBlock:
    return PartyBlock(
        name=brand.name,
        address=_address(brand.address, brand.name),
        tax_id=brand.tax_id,
        email=brand.sender or settings.DEFAULT_FROM_EMAIL,
        phone=brand.phone,
        website=brand.website,
        code=brand.code,
        logo=logo,
        accent=brand.accent,
    )


def _buyer(party: Party) -> PartyBlock:
    return PartyBlock(
        name=party.name,
        address=_address(party.address, party.name),
        tax_id=party.tax_id,
        email=party.email,
        phone=party.phone,
        code=party.code,
        contact=party.contact,
    )


def _tax_lines(invoice: Invoice) -> tuple[TaxLine, ...]:
    if not invoice.tax_rate and not invoice.tax:
        return ()
    line = TaxLine(name=invoice.tax_name, rate=invoice.tax_rate.normalize(), base=invoice.net, amount=invoice.tax)
    return (line,)


def _history(invoice: Invoice, months: dict[date, Decimal], locale: str) -> tuple[MonthBar, ...]:
    """Seven months up to this one, from the first that had a bill; several bills of a month as one."""
    totals = {**months, invoice.month: months.get(invoice.month, ZERO) + invoice.total}
    wanted = [month_before(invoice.month, back) for back in range(HISTORY_MONTHS - 1, -1, -1)]
    begun = [month for month in wanted if month >= min(totals)]
    chosen = formats.locale_of(locale)
    return tuple(
        MonthBar(label=str(format_date(month, "LLL", locale=chosen)), total=totals.get(month, ZERO)) for month in begun
    )


def _payment(invoice: Invoice, terms: Terms) -> PaymentBlock:
    paper = terms.paper
    return PaymentBlock(
        holder=invoice.seller.name,
        bank=paper.bank_name,
        account=paper.bank_account,
        bic=paper.bank_code,
        reference=invoice.number or "",
        text=paper.payment_text,
    )


def open_before(invoice: Invoice) -> Decimal:
    """What is still open on earlier invoices, beyond what is due on this one."""
    if invoice.kind != InvoiceKind.INVOICE:
        return ZERO
    return max(ZERO, -invoice.closing_balance - invoice.due)


def _notes(invoice: Invoice, language: str, locale: str) -> tuple[str, ...]:
    earlier = open_before(invoice)
    if not earlier:
        return ()
    amount = formats.format_amount(earlier, invoice.currency, locale)
    with translation.override(language):
        return (
            _("Earlier invoices of %(amount)s are still open; they are due on their own dates.") % {"amount": amount},
        )


def _included_notes(uses: Sequence[AllowanceUse], language: str) -> tuple[str, ...]:
    """What was included in the month and what was left of it."""
    with translation.override(language):
        return tuple(labels.included_label(use) for use in uses)
