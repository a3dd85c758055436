"""Accounts, and the wallets among them.

An account holds money in one currency. A wallet is the account a buyer has with its seller: the only kind with a
running balance and limits, kept in its own narrow row because that row is what writers lock.
"""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

import pghistory
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from tiers.ids import uuid7
from tiers.models import Party
from tiers.scope import Scoped


class AccountKind(models.TextChoices):
    WALLET = "wallet", _("Wallet")
    CASH = "cash", _("Cash")
    REVENUE = "revenue", _("Revenue")
    COST = "cost", _("Cost")
    TAX = "tax", _("Tax")
    ROUNDING = "rounding", _("Rounding")
    ADJUSTMENTS = "adjustments", _("Adjustments")
    CARRIER = "carrier", _("Carrier")


class Funding(models.TextChoices):
    """What stands on the other side of a wallet: the seller's book, or the seller's own wallet."""

    WHOLESALE = "wholesale", _("Wholesale")
    DISTRIBUTION = "distribution", _("Distribution")


class Billing(models.TextChoices):
    PREPAID = "prepaid", _("Prepaid")
    POSTPAID = "postpaid", _("Postpaid")


class Account(Scoped):
    """Money in one currency. All kinds but the wallet belong to a seller's book.

    `label` names a carrier; or, on the wallet of a party that moved, the new seller: what it owes or has with the one
    before stays where it is.
    """

    SCOPE: ClassVar[tuple[str, ...]] = ("owner__path",)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="accounts")
    kind = models.CharField(max_length=12, choices=AccountKind.choices)
    currency = models.CharField(max_length=3)
    label = models.CharField(max_length=32, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner", "kind", "currency", "label"], name="account_one_of_a_kind"),
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="account_currency"),
            models.CheckConstraint(condition=Q(kind__in=AccountKind.values), name="account_kind"),
            models.CheckConstraint(
                condition=Q(kind__in=["carrier", "wallet"]) | Q(label=""), name="account_label_carrier_or_wallet"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.owner_id} {self.kind} {self.currency}"


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(),
    fields=["account", "seller", "funding", "billing", "credit_limit", "warn_below", "overcommit"],
    model_name="WalletEvent",
)
class Wallet(Scoped):
    """Terms and running balance of a buyer's account with its seller.

    available = posted - held - owed_below + credit_limit. `posted`, `held`, `owed_below` and `version` are written by
    the database's own triggers alone; any other writer is refused.
    """

    SCOPE: ClassVar[tuple[str, ...]] = ("account__owner__path",)

    account = models.OneToOneField(Account, on_delete=models.PROTECT, primary_key=True, related_name="wallet")
    seller = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="wallets_sold")
    seller_wallet = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="buyer_wallets"
    )
    funding = models.CharField(max_length=12, choices=Funding.choices, default=Funding.WHOLESALE)
    billing = models.CharField(max_length=8, choices=Billing.choices, default=Billing.PREPAID)
    credit_limit = models.DecimalField(max_digits=20, decimal_places=6, default=Decimal(0))
    overcommit = models.DecimalField(
        max_digits=6,
        decimal_places=4,
        null=True,
        blank=True,
        help_text=_("Share of what this wallet has available that its owner may promise to its own buyers."),
    )
    warn_below = models.DecimalField(max_digits=20, decimal_places=6, null=True, blank=True)
    posted = models.DecimalField(max_digits=20, decimal_places=6, default=Decimal(0), editable=False)
    held = models.DecimalField(max_digits=20, decimal_places=6, default=Decimal(0), editable=False)
    owed_below = models.DecimalField(max_digits=20, decimal_places=6, default=Decimal(0), editable=False)
    version = models.BigIntegerField(default=0, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(held__gte=0), name="wallet_held_not_negative"),
            models.CheckConstraint(condition=Q(owed_below__gte=0), name="wallet_owed_not_negative"),
            models.CheckConstraint(condition=Q(credit_limit__gte=0), name="wallet_limit_not_negative"),
            models.CheckConstraint(
                condition=Q(billing="postpaid") | Q(credit_limit=0), name="wallet_prepaid_without_credit"
            ),
            models.CheckConstraint(
                condition=Q(funding="wholesale", seller_wallet__isnull=True)
                | Q(funding="distribution", seller_wallet__isnull=False, billing="prepaid"),
                name="wallet_distribution_prepaid",
            ),
            models.CheckConstraint(condition=~Q(seller_wallet=F("account")), name="wallet_not_own_seller"),
        ]

    def __str__(self) -> str:
        return f"wallet {self.account_id}"

    @property
    def available(self) -> Decimal:
        return self.posted - self.held - self.owed_below + self.credit_limit

    @property
    def is_prepaid(self) -> bool:
        return self.billing == Billing.PREPAID
