"""The bill as text in its places: what PDF and DOCX lay out, built once so that they cannot differ.

`Paper` holds only finished strings and plain figures for drawing; a template decides nothing but where they
stand.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from invoicing.render import figures, formats, words
from invoicing.render.context import CREDIT_NOTE, STATEMENT, InvoiceContext, PartyBlock

ADDRESS_LINES = 6  # what the window of an envelope shows, the name included


@dataclass(frozen=True, slots=True)
class Fact:
    """A label and its value: number, dates, period."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the sum. `role`: balance, line, tax, total, due; decides rules and weight only."""

    label: str
    detail: str
    amount: str
    role: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A month of the chart: `share` is its height, 0 to 100 of the tallest."""

    label: str
    amount: str
    share: int
    current: bool


@dataclass(frozen=True, slots=True)
class Paper:
    """Page one, ready to be laid out."""

    kind: str
    heading: str
    draft: bool
    seller_name: str
    seller_lines: tuple[str, ...]
    return_line: str
    buyer_lines: tuple[str, ...]
    facts: tuple[Fact, ...]
    hero_label: str
    hero_amount: str
    hero_note: str
    rows_title: str
    rows: tuple[Row, ...]
    bars: tuple[Bar, ...]
    bars_title: str
    pay_title: str
    pay_facts: tuple[Fact, ...]
    pay_text: str
    notes: tuple[str, ...]
    footer: str
    accent: str


def build_paper(context: InvoiceContext) -> Paper:
    """All texts of page one. Call it under the context's language."""
    hero_label, hero_amount, hero_note = words.hero(context)
    pays = context.kind == "invoice" and context.due > 0
    return Paper(
        kind=context.kind,
        heading=words.heading(context),
        draft=not context.number,
        seller_name=formats.tidy(context.seller.name, 60),
        seller_lines=_seller_lines(context.seller),
        return_line=" \N{MIDDLE DOT} ".join(_address(context.seller, 3, 40)),
        buyer_lines=_buyer_lines(context.buyer),
        facts=tuple(_facts(context)),
        hero_label=hero_label,
        hero_amount=hero_amount,
        hero_note=hero_note,
        rows_title=_("What was credited and why") if context.kind == CREDIT_NOTE else _rows_title(context),
        rows=tuple(_rows(context)),
        bars=_bars(context),
        bars_title=_("Your months, in %(currency)s") % {"currency": context.currency},
        pay_title=_("How to pay") if pays else "",
        pay_facts=tuple(_pay_facts(context)) if pays else (),
        pay_text=formats.tidy(context.payment.text, 300) if pays else "",
        notes=tuple(formats.tidy(note, 600) for note in context.notes[:6]),
        footer=formats.tidy(context.footer, 300),
        accent=formats.ink(context.seller.accent),
    )


def _rows_title(context: InvoiceContext) -> str:
    return _("What was charged and why") if context.kind == STATEMENT else _("What you owe and why")


def _address(party: PartyBlock, lines: int, width: int) -> tuple[str, ...]:
    texts = (formats.tidy(text, width) for text in (party.name, *party.address))
    return tuple(text for text in texts if text)[:lines]


def _buyer_lines(buyer: PartyBlock) -> tuple[str, ...]:
    name, *rest = _address(buyer, ADDRESS_LINES, 60) or ("",)
    contact = formats.tidy(buyer.contact, 60)
    return (name, *([contact] if contact else []), *rest)[:ADDRESS_LINES]


def _seller_lines(seller: PartyBlock) -> tuple[str, ...]:
    contact = (seller.phone, seller.email, seller.website)
    texts = (*_address(seller, 5, 44), *(formats.tidy(text, 44) for text in contact))
    tax_id = formats.tidy(seller.tax_id, 30)
    return tuple(t for t in (*texts, _("Tax ID %(id)s") % {"id": tax_id} if tax_id else "") if t)


def _facts(context: InvoiceContext) -> Iterator[Fact]:
    if context.number:
        yield Fact(words.number_label(context), formats.tidy(context.number, 40))
    yield Fact(_("Date"), words.day(context, context.issue_date))
    yield Fact(_("Period"), formats.format_period(context.period_start, context.period_end, context.locale))
    if context.original_number:
        yield Fact(_("Corrects invoice"), formats.tidy(context.original_number, 40))
    if context.buyer.code:
        yield Fact(_("Customer number"), formats.tidy(context.buyer.code, 32))
    if context.buyer.tax_id:
        yield Fact(_("Your tax ID"), formats.tidy(context.buyer.tax_id, 30))


def _rows(context: InvoiceContext) -> Iterator[Row]:
    """The column of sums. On an invoice what is owed counts up, on a statement what is there counts down."""
    charge_sign = -1 if context.kind == STATEMENT else 1
    if context.kind == STATEMENT or (context.kind == "invoice" and figures.carried(context)):
        yield from _balance_rows(context, -charge_sign)
    lines = figures.paper_lines(context, figures.line_budget(context))
    nets = figures.apportion([line.source.net for line in lines], context.paper_net, figures.unit_of(context))
    for line, net in zip(lines, nets, strict=True):
        detail = words.line_detail(line, context.locale)
        yield Row(words.line_label(line), detail, words.amount(context, net * charge_sign), "line")
    for tax, base in zip(context.tax_lines, figures.printed_bases(context), strict=True):
        label = words.tax_label(tax.name, formats.format_rate(tax.rate, context.locale))
        detail = _("on %(base)s") % {"base": words.amount(context, base)}
        yield Row(label, detail, words.amount(context, tax.amount * charge_sign), "tax")
    yield from _end_rows(context)


def _balance_rows(context: InvoiceContext, sign: int) -> Iterator[Row]:
    statement = context.kind == STATEMENT
    opening = _("Opening balance") if statement else _("Balance from before")
    payments = _("Top-ups and payments") if statement else _("Payments received")
    yield Row(opening, "", words.amount(context, context.opening_balance * sign), "balance")
    yield Row(payments, "", words.amount(context, context.payments * sign), "balance")
    if context.adjustments:
        adjustments = _("Refunds and adjustments")
        yield Row(adjustments, "", words.amount(context, context.adjustments * sign), "balance")


def _end_rows(context: InvoiceContext) -> Iterator[Row]:
    if context.kind == STATEMENT:
        yield Row(_("Closing balance"), "", words.amount(context, context.closing_balance), "due")
        return
    label = _("Total credited") if context.kind == CREDIT_NOTE else _("Total of this invoice")
    yield Row(label, "", words.amount(context, context.total), "total")
    if context.kind == "invoice" and figures.carried(context):
        elsewhere = figures.open_elsewhere(context)
        if elsewhere:
            yield Row(_("Open on earlier invoices"), "", words.amount(context, -elsewhere), "balance")
        yield Row(_("Amount due"), "", words.amount(context, context.due), "due")


def _bars(context: InvoiceContext) -> tuple[Bar, ...]:
    months = context.history[-7:]
    tallest = max((month.total for month in months), default=Decimal(0))
    if len(months) < 2 or tallest <= 0:
        return ()
    return tuple(
        Bar(
            label=formats.tidy(month.label, 8),
            amount=formats.format_number(month.total, context.locale, _bar_decimals(tallest, context)),
            share=int(max(month.total, Decimal(0)) * 100 / tallest),
            current=month is months[-1],
        )
        for month in months
    )


def _bar_decimals(tallest: Decimal, context: InvoiceContext) -> int:
    """Cents say nothing beside thousands, and would not fit over a bar."""
    return 0 if tallest >= 1000 else context.decimals


def _pay_facts(context: InvoiceContext) -> Iterator[Fact]:
    payment = context.payment
    holder = payment.holder or (context.seller.name if payment.account else "")
    for label, value in (
        (_("Payee"), formats.tidy(holder, 60)),
        (_("Bank"), formats.tidy(payment.bank, 60)),
        (_("Account"), _grouped(formats.tidy(payment.account, 40))),
        (_("BIC"), formats.tidy(payment.bic, 11)),
        (_("Reference"), formats.tidy(payment.reference or context.number, 40)),
    ):
        if value:
            yield Fact(label, value)


def _grouped(account: str) -> str:
    """An IBAN in fours, as people copy it from paper; anything else as it is."""
    plain = account.replace(" ", "")
    if plain[:2].isalpha() and plain[2:4].isdigit():
        return " ".join(plain[i : i + 4] for i in range(0, len(plain), 4))
    return account
