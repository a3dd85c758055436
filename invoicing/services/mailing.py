"""Putting a bill into the outbox: to the customer, with a blind copy to the seller.

The row's key names the invoice and the version of its mail, so that a second click, task or run queues nothing. What
is written is made now, from the frozen context; the server may be down for a day.
"""

from __future__ import annotations

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from invoicing.models import DocumentKind, Invoice, MailStatus, OutboxMail
from invoicing.render.mail import render_mail
from invoicing.services import documents
from invoicing.services.terms import Terms, terms_of
from tiers.errors import Conflict
from tiers.ids import uuid7

MAIL_VERSION = 1


def mail_key(invoice: Invoice) -> str:
    return f"invoice:{invoice.pk}:v{MAIL_VERSION}"


def send(invoice: Invoice) -> OutboxMail:
    """Queue the bill's mail; the one that stands already, whatever became of it, is returned.

    Raises Conflict("not_issued") for a draft, Conflict("no_address") where the customer has no e-mail for bills.
    """
    context = documents.context_of(invoice)
    terms = terms_of(invoice.brand)
    if not invoice.buyer.email:
        raise Conflict(
            "no_address",
            _("%s has no e-mail for bills.") % invoice.buyer.name,
            where=invoice.buyer.code,
            hint=_("Enter one with the party, then send again."),
        )
    mail = render_mail(context, link=f"{settings.PUBLIC_URL}/customer/invoices/{invoice.pk}/")
    key = uuid7()
    values = {
        "id": key,
        "seller_id": invoice.seller_id,
        "invoice": invoice,
        "sender": terms.brand.sender or settings.DEFAULT_FROM_EMAIL,
        "sender_name": terms.brand.name[:200],
        "to": [invoice.buyer.email],
        "bcc": _copies(invoice, terms),
        "subject": mail.subject[:300],
        "text": mail.text,
        "html": mail.html,
        "attachments": _attachments(terms),
        "message_id": f"<{key}@{_domain(terms)}>",
        "next_try_at": timezone.now(),
    }
    row, _made = OutboxMail.objects.get_or_create(key=mail_key(invoice), defaults=values)
    return row


def send_again(mail: OutboxMail) -> OutboxMail:
    """Try a failed mail again, at the customer's address as it is now; for the button beside the failure."""
    failed = OutboxMail.objects.filter(pk=mail.pk, status=MailStatus.FAILED)
    to = [mail.invoice.buyer.email] if mail.invoice is not None and mail.invoice.buyer.email else mail.to
    failed.update(status=MailStatus.QUEUED, to=to, refused={}, error="", attempts=0, next_try_at=timezone.now())
    mail.refresh_from_db()
    return mail


def _copies(invoice: Invoice, terms: Terms) -> list[str]:
    """The seller's copy, unless it would reach the customer's own box a second time."""
    copy = terms.paper.copy_to or invoice.seller.email
    return [copy] if copy and copy.casefold() != invoice.buyer.email.casefold() else []


def _attachments(terms: Terms) -> list[str]:
    kinds = [DocumentKind.PDF, DocumentKind.DOCX, DocumentKind.CSV]
    return [kind.value for kind in kinds if kind != DocumentKind.DOCX or terms.paper.attach_docx]


def _domain(terms: Terms) -> str:
    address = terms.brand.sender or settings.DEFAULT_FROM_EMAIL
    domain = address.rpartition("@")[2].strip("> ")
    return domain if domain.isascii() and domain else "localhost"
