"""Products beside calls: what a seller offers, who subscribed to what, and each charge that came of it.

A product that resells one of the seller's own seller makes the seller a subscriber there too, so every tier buys and
sells a line rental as it does a call. Charges are rows of their own beside the transfers: they say which days of which
period a transfer paid, and are never changed.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import ClassVar

import pghistory
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Transfer, Wallet
from tiers.ids import uuid7
from tiers.models import Brand, Party
from tiers.models.party import code_validator
from tiers.scope import Scoped


class Every(models.TextChoices):
    """How often a product is charged."""

    ONCE = "once", _("Once")
    MONTH = "month", _("Every month")
    QUARTER = "quarter", _("Every quarter")
    YEAR = "year", _("Every year")


class Timing(models.TextChoices):
    ADVANCE = "advance", _("In advance")
    ARREARS = "arrears", _("In arrears")


class Anchor(models.TextChoices):
    CALENDAR = "calendar", _("With the calendar")
    START = "start", _("On the day the subscription began")


class AllowanceUnit(models.TextChoices):
    NONE = "", _("Nothing")
    SECONDS = "seconds", _("Minutes")
    CALLS = "calls", _("Calls")


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent())
class Product(Scoped):
    """Something a brand sells beside calls. How often and when it is charged stays as it was made.

    `included` seconds or calls of `included_classes` (empty: of all) come with each one of it, by calendar month.
    """

    SCOPE: ClassVar[tuple[str, ...]] = ("seller__path",)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    seller = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="products")
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="products", verbose_name=_("brand"))
    code = models.CharField(_("code"), max_length=32, unique=True, validators=[code_validator])
    name = models.CharField(_("name"), max_length=100, help_text=_("As it stands on the bill."))
    group = models.CharField(_("class"), max_length=40, blank=True, help_text=_("For reports and tax: lines, hosting."))
    unit = models.CharField(_("counted in"), max_length=20, blank=True, help_text=_("Numbers, lines; none for one."))
    every = models.CharField(_("charged"), max_length=7, choices=Every.choices, default=Every.MONTH)
    timing = models.CharField(_("when"), max_length=7, choices=Timing.choices, default=Timing.ADVANCE)
    anchor = models.CharField(_("periods begin"), max_length=8, choices=Anchor.choices, default=Anchor.CALENDAR)
    resells = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="resold_as",
        verbose_name=_("bought as"),
        help_text=_("The product of your own seller that you buy with each one sold."),
    )
    included = models.PositiveIntegerField(default=0)
    included_unit = models.CharField(max_length=7, choices=AllowanceUnit.choices, blank=True, default="")
    included_classes = ArrayField(models.CharField(max_length=16), default=list, blank=True)
    active = models.BooleanField(_("offered"), default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("product")
        constraints = [
            models.CheckConstraint(condition=Q(every__in=Every.values), name="product_every"),
            models.CheckConstraint(condition=Q(timing__in=Timing.values), name="product_timing"),
            models.CheckConstraint(condition=~Q(resells=F("id")), name="product_not_itself"),
            models.CheckConstraint(
                condition=Q(included=0, included_unit="")
                | (Q(included__gt=0, included_unit__in=["seconds", "calls"]) & ~Q(every="once")),
                name="product_included",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def recurs(self) -> bool:
        return self.every != Every.ONCE


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent())
class ProductPrice(Scoped):
    """What one of a product costs for a whole period, in the brand's currency, from a day on."""

    SCOPE: ClassVar[tuple[str, ...]] = ("product__seller__path",)

    id = models.BigAutoField(primary_key=True)
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="prices")
    valid_from = models.DateField()
    price = models.DecimalField(max_digits=20, decimal_places=6)

    class Meta:
        ordering = ("valid_from",)
        constraints = [
            models.UniqueConstraint(fields=["product", "valid_from"], name="product_price_once"),
            models.CheckConstraint(condition=Q(price__gte=0), name="product_price_not_negative"),
        ]


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(),
    fields=["id", "buyer", "product", "starts_on", "ends_on", "note"],
    model_name="SubscriptionEvent",
)
class Subscription(Scoped):
    """Who has how many of what since when. `ends_on` is the first day without it.

    `product` is what it is now; `SubscriptionTerms` say what it was and will be. `serves` is the subscription further
    down for which it was bought. `short_since` is the day of the oldest charge that a prepaid wallet cannot pay yet.
    """

    SCOPE: ClassVar[tuple[str, ...]] = ("seller__path", "buyer__path")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    seller = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="subscriptions_sold")
    buyer = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="subscriptions")
    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="subscriptions")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="subscriptions")
    serves = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="bought_as")
    note = models.CharField(_("note"), max_length=100, blank=True, help_text=_("Which line or number; on the bill."))
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("until"), null=True, blank=True)
    check_from = models.DateField(help_text="Charges of periods before this day stand as they are.")
    next_due = models.DateField(null=True)
    short_since = models.DateField(null=True)
    short_by = models.DecimalField(max_digits=20, decimal_places=6, default=Decimal(0))
    key = models.CharField(max_length=120, unique=True)
    created_by = models.CharField(max_length=254)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")), name="subscription_forward"
            ),
        ]
        indexes = [
            models.Index(fields=["seller", "-id"], name="subscription_seller"),
            models.Index(fields=["buyer", "-id"], name="subscription_buyer"),
            models.Index(fields=["next_due"], condition=Q(next_due__isnull=False), name="subscription_due"),
        ]

    def __str__(self) -> str:
        return f"{self.product_id} for {self.buyer_id}"


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent())
class SubscriptionTerms(Scoped):
    """What a subscription is from a day on. `price` is the agreed one; without it the product's holds."""

    SCOPE: ClassVar[tuple[str, ...]] = ("subscription__seller__path",)

    id = models.BigAutoField(primary_key=True)
    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="terms")
    valid_from = models.DateField()
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    quantity = models.PositiveIntegerField(default=1)
    price = models.DecimalField(max_digits=20, decimal_places=6, null=True)

    class Meta:
        ordering = ("valid_from",)
        constraints = [
            models.UniqueConstraint(fields=["subscription", "valid_from"], name="subscription_terms_once"),
            models.CheckConstraint(condition=Q(price__isnull=True) | Q(price__gte=0), name="subscription_price"),
            models.CheckConstraint(condition=Q(quantity__gte=1), name="subscription_quantity"),
        ]


class ChargeKind(models.TextChoices):
    RECURRING = "recurring", _("Recurring")
    ONE_OFF = "one_off", _("One-off")
    CREDIT = "credit", _("Credit")
    INCLUDED = "included", _("Included calls")


class Charge(Scoped):
    """One charge or credit beside calls: `amount` and `tax` as the wallet was charged (negative: given back).

    Of a recurring one, the days from `starts_on` to before `ends_on` of a period. `gives_back` names the charge of
    which these days are given back. `number` counts up within the subscription. Never changed.
    """

    SCOPE: ClassVar[tuple[str, ...]] = ("seller__path", "buyer__path")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=9, choices=ChargeKind.choices)
    seller = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="charges_made")
    buyer = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="charges")
    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="charges")
    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, null=True, related_name="charges")
    number = models.PositiveIntegerField(default=0)
    product = models.ForeignKey(Product, on_delete=models.PROTECT, null=True, related_name="charges")
    label = models.CharField(max_length=200)
    unit = models.CharField(max_length=20, blank=True, default="")
    period_start = models.DateField()
    period_end = models.DateField()
    starts_on = models.DateField()
    ends_on = models.DateField()
    quantity = models.PositiveIntegerField(default=1)
    unit_price = models.DecimalField(max_digits=20, decimal_places=6)
    currency = models.CharField(max_length=3)
    amount = models.DecimalField(max_digits=20, decimal_places=6)
    tax = models.DecimalField(max_digits=20, decimal_places=6, default=Decimal(0))
    tax_rate = models.DecimalField(max_digits=7, decimal_places=4, default=Decimal(0))
    tax_included = models.BooleanField(default=False)
    prepaid = models.BooleanField(default=False)
    gives_back = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="given_back")
    transfer = models.OneToOneField(Transfer, on_delete=models.PROTECT, null=True, related_name="charge")
    tax_transfer = models.OneToOneField(Transfer, on_delete=models.PROTECT, null=True, related_name="+")
    due_on = models.DateField()
    for_month = models.DateField()
    reason = models.CharField(max_length=500, blank=True, default="")
    actor = models.CharField(max_length=254)
    key = models.CharField(max_length=160, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["subscription", "number"], condition=Q(subscription__isnull=False), name="charge_number_once"
            ),
            models.CheckConstraint(condition=Q(kind__in=ChargeKind.values), name="charge_kind"),
            models.CheckConstraint(condition=Q(ends_on__gt=F("starts_on")), name="charge_forward"),
            models.CheckConstraint(
                condition=Q(period_start__lte=F("starts_on"), period_end__gte=F("ends_on")), name="charge_in_period"
            ),
        ]
        indexes = [
            models.Index(fields=["seller", "-id"], name="charge_seller"),
            models.Index(fields=["buyer", "-id"], name="charge_buyer"),
        ]

    @property
    def gross(self) -> Decimal:
        """With its tax, where that was charged beside it."""
        return self.amount + self.tax

    @property
    def last_day(self) -> date:
        return self.ends_on - timedelta(days=1)


class AllowanceUse(Scoped):
    """What a subscription's product included in a month, and how much of it is used: seconds or calls.

    `worth` and `worth_tax` are what these calls were charged, and what the charges of kind "included" gave back.
    `seen` is the wallet's version when it was reckoned: as long as that stands, nothing happened.
    """

    SCOPE: ClassVar[tuple[str, ...]] = ("subscription__seller__path", "subscription__buyer__path")

    id = models.BigAutoField(primary_key=True)
    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="allowances")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    month = models.DateField()
    unit = models.CharField(max_length=7)
    included = models.PositiveBigIntegerField()
    used = models.PositiveBigIntegerField(default=0)
    worth = models.DecimalField(max_digits=20, decimal_places=6, default=Decimal(0))
    worth_tax = models.DecimalField(max_digits=20, decimal_places=6, default=Decimal(0))
    seen = models.BigIntegerField(default=-1)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["subscription", "product", "month"], name="allowance_once"),
            models.CheckConstraint(condition=Q(used__lte=F("included")), name="allowance_within"),
        ]

    @property
    def left(self) -> int:
        return self.included - self.used
