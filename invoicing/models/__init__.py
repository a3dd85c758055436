"""The tables of what is owed."""

from __future__ import annotations

from invoicing.models.bank import BankEntry, BankFile, EntryStatus, PaymentMatch
from invoicing.models.books import ChartCode, Position
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
    "BankEntry",
    "BankFile",
    "BilledTransfer",
    "Charge",
    "ChargeKind",
    "ChartCode",
    "Document",
    "DocumentKind",
    "EntryStatus",
    "Every",
    "Invoice",
    "InvoiceKind",
    "InvoiceLine",
    "InvoiceSeries",
    "InvoiceStatus",
    "MailStatus",
    "OutboxMail",
    "PaperTerms",
    "PaymentMatch",
    "Position",
    "Product",
    "ProductPrice",
    "Subscription",
    "SubscriptionTerms",
    "Timing",
]
