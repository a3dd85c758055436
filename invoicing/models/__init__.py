"""The tables of what is owed."""

from __future__ import annotations

from invoicing.models.delivery import Document, DocumentKind, MailStatus, OutboxMail
from invoicing.models.invoice import BilledTransfer, Invoice, InvoiceKind, InvoiceLine, InvoiceStatus
from invoicing.models.terms import InvoiceSeries, PaperTerms

__all__ = [
    "BilledTransfer",
    "Document",
    "DocumentKind",
    "Invoice",
    "InvoiceKind",
    "InvoiceLine",
    "InvoiceSeries",
    "InvoiceStatus",
    "MailStatus",
    "OutboxMail",
    "PaperTerms",
]
