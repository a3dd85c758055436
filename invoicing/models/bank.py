"""What a bank says came in: files, their entries, and which invoices each payment was for.

An entry is kept whether or not anything came of it, under a key that is the same whenever the bank tells of it again:
the same file twice, or two files that overlap, book nothing twice.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Transfer
from invoicing.models.invoice import Invoice
from tiers.ids import uuid7
from tiers.models import Party
from tiers.scope import Scoped


class BankFile(Scoped):
    """A file as it came in: `entries` in it, of which `fresh` were not known yet."""

    SCOPE: ClassVar[tuple[str, ...]] = ("seller__path",)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    seller = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    form = models.CharField(max_length=8)
    entries = models.PositiveIntegerField()
    fresh = models.PositiveIntegerField()
    created_by = models.CharField(max_length=254)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class EntryStatus(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    BOOKED = "booked", _("Booked")
    ASIDE = "aside", _("Set aside")
    DEBIT = "debit", _("Not for us")


class BankEntry(Scoped):
    """One movement on the seller's bank account; `amount` is positive, `status` says which way it went.

    `reversal`: the bank takes an earlier movement back; a person decides. `attempt` counts how often it was booked, so
    that a match which was undone can be made anew under a key of its own.
    """

    SCOPE: ClassVar[tuple[str, ...]] = ("seller__path",)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    seller = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="+")
    file = models.ForeignKey(BankFile, on_delete=models.PROTECT, related_name="rows")
    key = models.CharField(max_length=64)
    account = models.CharField(max_length=40, blank=True)
    bank_reference = models.CharField(max_length=100, blank=True)
    value_date = models.DateField()
    amount = models.DecimalField(max_digits=20, decimal_places=6)
    currency = models.CharField(max_length=3)
    payer = models.CharField(max_length=200, blank=True)
    text = models.CharField(max_length=500, blank=True)
    reversal = models.BooleanField(default=False)
    status = models.CharField(max_length=8, choices=EntryStatus.choices, default=EntryStatus.WAITING)
    attempt = models.PositiveSmallIntegerField(default=0)
    transfer = models.ForeignKey(Transfer, on_delete=models.PROTECT, null=True, related_name="+")
    reason = models.CharField(max_length=200, blank=True)
    decided_by = models.CharField(max_length=254, blank=True)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("bank entry")
        constraints = [
            models.UniqueConstraint(fields=["seller", "key"], name="bank_entry_once"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="bank_entry_positive"),
            models.CheckConstraint(
                condition=Q(status="booked", transfer__isnull=False) | (~Q(status="booked") & Q(transfer__isnull=True)),
                name="bank_entry_booked",
            ),
        ]
        indexes = [models.Index(fields=["seller", "status", "-id"], name="bank_entry_list")]

    def __str__(self) -> str:
        return f"{self.amount} {self.currency} {self.value_date}"


class PaymentMatch(models.Model):
    """So much of this payment is for this invoice. What is matched to none pays the oldest first."""

    id = models.BigAutoField(primary_key=True)
    transfer = models.ForeignKey(Transfer, on_delete=models.PROTECT, related_name="matches")
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="matches")
    amount = models.DecimalField(max_digits=20, decimal_places=6)

    class Meta:
        ordering = ("id",)
        constraints = [
            models.UniqueConstraint(fields=["transfer", "invoice"], name="payment_match_once"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="payment_match_positive"),
        ]
