"""The sentences of paper and mail, in one place, so that PDF, DOCX and mail say the same.

Called under `translation.override(context.language)`; everything returned is final text.
"""

from __future__ import annotations

from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from invoicing.render import formats
from invoicing.render.context import CALLS, CREDIT_NOTE, RENTAL, STATEMENT, InvoiceContext
from invoicing.render.figures import Line


def kind_name(context: InvoiceContext) -> str:
    """What the paper is called."""
    if context.kind == CREDIT_NOTE:
        return _("Credit note")
    return _("Statement") if context.kind == STATEMENT else _("Invoice")


def number_label(context: InvoiceContext) -> str:
    """The label beside the number."""
    if context.kind == CREDIT_NOTE:
        return _("Credit note number")
    return _("Statement number") if context.kind == STATEMENT else _("Invoice number")


def heading(context: InvoiceContext) -> str:
    """ "Invoice 2026-00042"; a draft says so in the number's place."""
    number = formats.tidy(context.number, 40) or _("draft")
    return f"{kind_name(context)} {number}"


def page_label(context: InvoiceContext, page: int, pages: int) -> str:
    """What stands at the foot of each page."""
    where = _("Page %(page)s of %(pages)s") % {"page": page, "pages": pages}
    return f"{heading(context)} \N{MIDDLE DOT} {where}"


def hero(context: InvoiceContext) -> tuple[str, str, str]:
    """The answer, large: label, amount, and the sentence under it."""
    if context.kind == CREDIT_NOTE:
        return _("Credited to you"), amount(context, context.total), _credit_note_sentence(context)
    if context.kind == STATEMENT:
        label = _("Balance on %(date)s") % {"date": formats.format_day(context.period_end, context.locale)}
        return label, amount(context, context.closing_balance), _statement_sentence(context)
    if context.due <= 0:
        return (
            _("Amount due"),
            amount(context, context.due),
            _("Nothing to pay: your balance covers this invoice."),
        )
    return _("Amount due"), amount(context, context.due), _due_sentence(context)


def amount(context: InvoiceContext, value: object) -> str:
    """An amount in the bill's currency and decimals."""
    return formats.format_amount(value, context.currency, context.locale, context.decimals)  # type: ignore[arg-type]


def day(context: InvoiceContext, value: date) -> str:
    """A date, written out."""
    return formats.format_day(value, context.locale)


def _due_sentence(context: InvoiceContext) -> str:
    if context.due_date is None:
        return _("Payable on receipt")
    return _("Payable by %(date)s") % {"date": day(context, context.due_date)}


def _statement_sentence(context: InvoiceContext) -> str:
    if context.closing_balance < 0:
        return _("Your balance is below zero: top up to make calls.")
    return _("Nothing to pay: charges were taken from your balance.")


def _credit_note_sentence(context: InvoiceContext) -> str:
    if context.original_date is None:
        return _("Corrects invoice %(number)s") % {"number": formats.tidy(context.original_number, 40)}
    return _("Corrects invoice %(number)s of %(date)s") % {
        "number": formats.tidy(context.original_number, 40),
        "date": day(context, context.original_date),
    }


def line_label(line: Line) -> str:
    """A line's own label, or what several were summed up as."""
    if line.merged == 1:
        return formats.tidy(line.source.label, 80)
    if line.source.carrier:
        return _("Calls by %(carrier)s") % {"carrier": formats.tidy(line.source.carrier, 60)}
    names = {
        RENTAL: _("Other line rental"),
        CALLS: _("Other calls"),
        "usage": _("Other usage"),
        "correction": _("Corrections"),
        "credit": _("Credits"),
    }
    return names.get(line.source.kind, _("Other charges"))


def line_detail(line: Line, locale: str) -> str:
    """How much of it: "1,204 calls, 312 min", "3 numbers", "" where it is one of something."""
    source = line.source
    quantity = formats.format_quantity(source.quantity, locale)
    if source.kind == CALLS:
        minutes = formats.format_number(formats.minutes_of(source.duration_s), locale)
        calls = ngettext("%(count)s call", "%(count)s calls", int(source.quantity)) % {"count": quantity}
        return _("%(calls)s, %(minutes)s min") % {"calls": calls, "minutes": minutes}
    if line.merged > 1:
        return ngettext("%(count)s item", "%(count)s items", line.merged) % {"count": line.merged}
    if source.quantity != 1:
        return f"{quantity} {formats.tidy(source.unit, 20)}" if source.unit else f"{quantity} \N{MULTIPLICATION SIGN}"
    return ""


def tax_label(name: str, rate: str) -> str:
    """ "VAT 19 %"."""
    return _("%(tax)s %(rate)s %%") % {"tax": formats.tidy(name, 30) or _("Tax"), "rate": rate}


def details_note(context: InvoiceContext) -> str:
    """Why the detail shows more decimals than page one, and whether it holds the tax."""
    if context.prices_include_tax:
        return _("Amounts are as rated and include tax. Page one rounds them to the currency, without tax.")
    return _("Amounts are as rated, without tax. Page one rounds them to the currency.")
