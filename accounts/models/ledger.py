"""The ledger: transfers that never change, and holds that wait for an end.

The laws that matter (same currency, the right counter-account, no overspending, nothing edited) are triggers in
`accounts/sql/`, so that they hold for COPY, raw SQL and every future writer too.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models.account import Account
from tiers.ids import uuid7
from tiers.scope import Scoped


class TransferKind(models.TextChoices):
    ALLOCATION = "allocation", _("Funds allocated")
    WITHDRAWAL = "withdrawal", _("Funds withdrawn")
    PAYMENT = "payment", _("Payment")
    REFUND = "refund", _("Refund")
    USAGE = "usage", _("Calls")
    USAGE_TAX = "usage_tax", _("Tax on calls")
    CARRIER_COST = "carrier_cost", _("Carrier cost")
    TAX = "tax", _("Tax")
    ROUNDING = "rounding", _("Rounding")
    CREDIT = "credit", _("Credit")
    CHARGE = "charge", _("Charge")
    CHARGE_TAX = "charge_tax", _("Tax on charges")


class Transfer(Scoped):
    """One amount from one account to another. Corrected by new transfers that name it in `reverses`.

    A correction moves the difference between the same two accounts, either way; all corrections name the original.
    """

    SCOPE: ClassVar[tuple[str, ...]] = ("payer__owner__path", "payee__owner__path")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    payer = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="paid", db_index=False)
    payee = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="received", db_index=False)
    amount = models.DecimalField(max_digits=20, decimal_places=6)
    currency = models.CharField(max_length=3)
    kind = models.CharField(max_length=16, choices=TransferKind.choices)
    key = models.CharField(max_length=200, unique=True)
    cause = models.UUIDField(db_index=True)
    actor_id = models.UUIDField(null=True)
    actor = models.CharField(max_length=254)
    reason = models.CharField(max_length=500, blank=True, default="")
    details = models.JSONField(default=dict)
    for_month = models.DateField(null=True)
    reverses = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="reversals")
    book_version = models.BigIntegerField(default=0, editable=False)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="transfer_amount_positive"),
            models.CheckConstraint(condition=~Q(payer=F("payee")), name="transfer_two_accounts"),
            models.CheckConstraint(condition=Q(kind__in=TransferKind.values), name="transfer_kind"),
        ]
        indexes = [
            models.Index(fields=["payer", "-id"], name="transfer_payer"),
            models.Index(fields=["payee", "-id"], name="transfer_payee"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount} {self.currency}"


class HoldStatus(models.TextChoices):
    OPEN = "open", _("Open")
    SETTLED = "settled", _("Settled")
    RELEASED = "released", _("Released")


class Hold(Scoped):
    """Money of a wallet set aside for something not finished."""

    SCOPE: ClassVar[tuple[str, ...]] = ("account__owner__path",)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="holds", db_index=False)
    amount = models.DecimalField(max_digits=20, decimal_places=6)
    status = models.CharField(max_length=8, choices=HoldStatus.choices, default=HoldStatus.OPEN)
    key = models.CharField(max_length=200, unique=True)
    reason = models.CharField(max_length=500, blank=True, default="")
    expires_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount__gte=0), name="hold_amount_not_negative"),
            models.CheckConstraint(condition=Q(status__in=HoldStatus.values), name="hold_status"),
        ]
        indexes = [models.Index(fields=["account"], condition=Q(status="open"), name="hold_open")]

    def __str__(self) -> str:
        return f"{self.status} hold of {self.amount}"


class BookVersion(models.Model):
    """One row: the version that new transfers are stamped with. Raised when snapshots are cut."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    version = models.BigIntegerField(default=1)


class BookSnapshot(models.Model):
    """What an account without a running balance held by all transfers of a version up to `upto_version`."""

    account = models.OneToOneField(Account, on_delete=models.PROTECT, primary_key=True, related_name="snapshot")
    upto_version = models.BigIntegerField()
    posted = models.DecimalField(max_digits=20, decimal_places=6)
    taken_at = models.DateTimeField(auto_now=True)
