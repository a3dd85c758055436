"""The tables of what is owed."""

from __future__ import annotations

from invoicing.models.charges import (
    AllowanceUnit,
    AllowanceUse,
    Anchor,
    Charge,
    ChargeKind,
    Every,
    Product,
    ProductPrice,
    Subscription,
    SubscriptionTerms,
    Timing,
)
from invoicing.models.delivery import Document, DocumentKind, MailStatus, OutboxMail
from invoicing.models.invoice import BilledTransfer, Invoice, InvoiceKind, InvoiceLine, InvoiceStatus
from invoicing.models.terms import InvoiceSeries, PaperTerms

__all__ = [
    "AllowanceUnit",
    "AllowanceUse",
    "Anchor",
    "BilledTransfer",
    "Charge",
    "ChargeKind",
    "Document",
    "DocumentKind",
    "Every",
    "Invoice",
    "InvoiceKind",
    "InvoiceLine",
    "InvoiceSeries",
    "InvoiceStatus",
    "MailStatus",
    "OutboxMail",
    "PaperTerms",
    "Product",
    "ProductPrice",
    "Subscription",
    "SubscriptionTerms",
    "Timing",
]
