"""The mail that brings a bill: one figure, one button, and the same in plain text.

The subject answers before the mail is opened. Styles stand at the elements, since mail programs drop style
sheets.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from invoicing.render import formats, words
from invoicing.render.context import CREDIT_NOTE, STATEMENT, InvoiceContext
from invoicing.render.paper import Paper, build_paper


@dataclass(frozen=True, slots=True)
class Mail:
    """A message without its addresses and attachments."""

    subject: str
    text: str
    html: str


def render_mail(context: InvoiceContext, *, link: str = "") -> Mail:
    """The mail in the bill's language. `link` is the button's http(s) address; none or another kind: no
    button.
    """
    with translation.override(context.language):
        paper = build_paper(context)
        values = {
            "paper": paper,
            "context": context,
            "subject": _subject(context, paper),
            "intro": _intro(context, paper),
            "button": _button(context),
            "link": link if urlsplit(link).scheme in ("http", "https") else "",
            "attached": _attached(context),
            "question": _question(context),
            "period": formats.format_period(context.period_start, context.period_end, context.locale),
        }
        html = render_to_string("invoicing/mail.html", values)
        text = _without_gaps(render_to_string("invoicing/mail.txt", values))
    return Mail(str(values["subject"]), text, html)


def attachment_name(context: InvoiceContext, extension: str) -> str:
    """ "Northstar-invoice-2026-00042.pdf": ASCII, no spaces, whatever the brand is called."""
    words_of_name = formats.tidy(context.seller.short_name or context.seller.name, 60).split()
    seller = _plain(context.seller.short_name) or next(filter(None, map(_plain, words_of_name)), "")
    kind = context.kind.replace("_", "-")
    parts = (seller[:32], kind, _plain(context.number) or "draft")
    return "-".join(part for part in parts if part) + "." + extension.lstrip(".")


def _plain(text: str) -> str:
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9]+", "-", ascii_text).strip("-")


def _subject(context: InvoiceContext, paper: Paper) -> str:
    """ "Invoice 2026-00042 from Northstar Telecom: 38.20 EUR, due 14 December"."""
    values = {
        "heading": paper.heading,
        "seller": paper.seller_name,
        "amount": paper.hero_amount.replace(formats.NO_BREAK_SPACE, " "),
        "original": formats.tidy(context.original_number, 40),
    }
    if context.kind == CREDIT_NOTE:
        return _("%(heading)s from %(seller)s: %(amount)s for invoice %(original)s") % values
    if context.kind == STATEMENT:
        if context.closing_balance < 0:
            return _("%(heading)s from %(seller)s: balance %(amount)s") % values
        return _("%(heading)s from %(seller)s: balance %(amount)s, nothing to pay") % values
    if context.due <= 0:
        return _("%(heading)s from %(seller)s: nothing to pay") % values
    if context.due_date is None:
        return _("%(heading)s from %(seller)s: %(amount)s") % values
    values["day"] = formats.format_day_short(context.due_date, context.locale)
    if context.due_date.year != context.issue_date.year:
        values["day"] = words.day(context, context.due_date)
    return _("%(heading)s from %(seller)s: %(amount)s, due %(day)s") % values


def _intro(context: InvoiceContext, paper: Paper) -> str:
    values = {
        "seller": paper.seller_name,
        "period": formats.format_period(context.period_start, context.period_end, context.locale),
        "original": formats.tidy(context.original_number, 40),
    }
    if context.kind == CREDIT_NOTE:
        return _("%(seller)s has credited part or all of invoice %(original)s.") % values
    if context.kind == STATEMENT:
        return _("This is what %(seller)s charged to your balance, %(period)s.") % values
    return _("This is your bill from %(seller)s, %(period)s.") % values


def _attached(context: InvoiceContext) -> str:
    if context.kind == CREDIT_NOTE:
        return _("The attached files hold the credit note.")
    return _("The attached files hold the detail and each call.")


def _button(context: InvoiceContext) -> str:
    if context.kind == CREDIT_NOTE:
        return _("See the credit note")
    return _("See the statement") if context.kind == STATEMENT else _("See the invoice")


def _question(context: InvoiceContext) -> str:
    """Whom to ask, as far as the seller says."""
    ways = " \N{MIDDLE DOT} ".join(
        text for text in (formats.tidy(context.seller.email, 60), formats.tidy(context.seller.phone, 40)) if text
    )
    return _("Questions: %(ways)s") % {"ways": ways} if ways else ""


def _without_gaps(text: str) -> str:
    """At most one empty line in a row, none at the ends: templates leave some behind."""
    return re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in text.splitlines())).strip() + "\n"
