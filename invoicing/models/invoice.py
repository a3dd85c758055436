"""Invoices, their lines, and which transfers each of them bills.

A transfer is billed once: its row in `BilledTransfer` is unique, so a second run finds nothing, and two runs at once
cannot both take it. Calls belong to an invoice through the transfer that charged them.
"""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Transfer, Wallet
from tiers.ids import uuid7
from tiers.models import Brand, Party
from tiers.scope import Scoped


class InvoiceKind(models.TextChoices):
    INVOICE = "invoice", _("Invoice")
    STATEMENT = "statement", _("Statement")
    CREDIT_NOTE = "credit_note", _("Credit note")


class InvoiceStatus(models.TextChoices):
    DRAFT = "draft", _("Draft")
    APPROVED = "approved", _("Approved")
    ISSUED = "issued", _("Issued")
    SENT = "sent", _("Sent")
    PAID = "paid", _("Paid")
    OVERDUE = "overdue", _("Overdue")
    CREDITED = "credited", _("Credited")


class Invoice(Scoped):
    """A bill of one seller to one buyer for one period in one currency.

    `net` is the exact sum of what it bills; `tax` and `total` are rounded once each to the currency's decimals, and
    `rounding` is what issuing adds to the wallet's charges (or takes off) so that they come to `total`. Balances are
    as in the wallet: closing = opening + payments + adjustments - total. `due` is what is unpaid of this invoice, now.
    `context` is what is printed, frozen at issue. A prepaid customer's is a statement: it never has anything due.

    A credit note gives part or all of the bill that it `corrects` back: its net, tax and total are positive, and no
    balance stands on it. `key` names the click or request that made it, `reason` says why.
    """

    SCOPE: ClassVar[tuple[str, ...]] = ("seller__path", "buyer__path")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=11, choices=InvoiceKind.choices, default=InvoiceKind.INVOICE)
    status = models.CharField(max_length=10, choices=InvoiceStatus.choices, default=InvoiceStatus.DRAFT)
    number = models.CharField(max_length=40, null=True)
    series = models.CharField(max_length=24, blank=True, default="")
    sequence = models.PositiveIntegerField(null=True)
    seller = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="invoices_issued")
    buyer = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="invoices_received")
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+")
    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="invoices")
    currency = models.CharField(max_length=3)
    month = models.DateField()
    period_start = models.DateTimeField()
    period_end = models.DateTimeField()
    calls = models.PositiveIntegerField(default=0)
    duration_s = models.BigIntegerField(default=0)
    tax_name = models.CharField(max_length=40, blank=True, default="")
    tax_rate = models.DecimalField(max_digits=7, decimal_places=4, default=Decimal(0))
    prices_include_tax = models.BooleanField(default=False)
    net = models.DecimalField(max_digits=20, decimal_places=6, default=Decimal(0))
    tax_exact = models.DecimalField(max_digits=20, decimal_places=6, default=Decimal(0))
    tax = models.DecimalField(max_digits=20, decimal_places=6, default=Decimal(0))
    total = models.DecimalField(max_digits=20, decimal_places=6, default=Decimal(0))
    rounding = models.DecimalField(max_digits=20, decimal_places=6, default=Decimal(0))
    due = models.DecimalField(max_digits=20, decimal_places=6, default=Decimal(0))
    opening_balance = models.DecimalField(max_digits=20, decimal_places=6, default=Decimal(0))
    payments = models.DecimalField(max_digits=20, decimal_places=6, default=Decimal(0))
    adjustments = models.DecimalField(max_digits=20, decimal_places=6, default=Decimal(0))
    closing_balance = models.DecimalField(max_digits=20, decimal_places=6, default=Decimal(0))
    issue_date = models.DateField(null=True)
    due_date = models.DateField(null=True)
    context = models.JSONField(null=True)
    corrects = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="corrections")
    reason = models.CharField(max_length=500, blank=True, default="")
    key = models.CharField(max_length=200, null=True, unique=True)
    created_by = models.CharField(max_length=254)
    approved_by = models.CharField(max_length=254, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)
    approved_at = models.DateTimeField(null=True)
    issued_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    paid_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("invoice")
        constraints = [
            models.UniqueConstraint(
                fields=["seller", "series", "sequence"],
                condition=Q(sequence__isnull=False),
                name="invoice_number_once",
            ),
            models.UniqueConstraint(
                fields=["wallet", "month"],
                condition=Q(status__in=["draft", "approved"]) & ~Q(kind="credit_note"),
                name="invoice_one_draft",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["draft", "approved"], number__isnull=True)
                | Q(number__isnull=False, context__isnull=False, issue_date__isnull=False),
                name="invoice_number_when_issued",
            ),
        ]
        indexes = [
            models.Index(fields=["seller", "-id"], name="invoice_seller"),
            models.Index(fields=["buyer", "-id"], name="invoice_buyer"),
        ]

    def __str__(self) -> str:
        return self.number or f"draft {self.month:%Y-%m}"

    @property
    def is_issued(self) -> bool:
        return self.number is not None

    @property
    def is_credit_note(self) -> bool:
        return self.kind == InvoiceKind.CREDIT_NOTE

    @property
    def charged(self) -> Decimal:
        """The total as lists add it up: what a credit note gives back is less than nothing."""
        return -self.total if self.is_credit_note else self.total


class InvoiceLine(models.Model):
    """A line of the bill: calls of one class by one carrier, a charge. Exact amounts; paper rounds what it shows.

    A credit note's line names the line that it gives back; the calls stay on that one.
    """

    id = models.BigAutoField(primary_key=True)
    invoice = models.ForeignKey(Invoice, on_delete=models.CASCADE, related_name="lines")
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=16)
    label = models.CharField(max_length=200)
    carrier = models.CharField(max_length=200, blank=True, default="")
    calls = models.PositiveIntegerField(default=0)
    duration_s = models.BigIntegerField(default=0)
    quantity = models.PositiveIntegerField(default=1)
    unit = models.CharField(max_length=20, blank=True, default="")
    net = models.DecimalField(max_digits=20, decimal_places=6)
    corrects = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="corrections")

    class Meta:
        ordering = ("position",)


class BilledTransfer(models.Model):
    """This transfer is on this invoice, and on no other."""

    transfer = models.OneToOneField(Transfer, on_delete=models.PROTECT, primary_key=True, related_name="billed")
    invoice = models.ForeignKey(Invoice, on_delete=models.CASCADE, related_name="billed")
