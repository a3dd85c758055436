"""Price lists: what a seller charges, by own rates and by rates derived from a base with a mark-up.

Which list prices a call: the buyer's own list for the carrier, then the brand's list for the carrier, then the
brand's list for any carrier. Within them the longest prefix wins; at equal length the buyer's own before the
brand's, a rate entered before a rate derived.
"""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

import pghistory
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from rating.models.carriers import Carrier
from rating.models.rates import PricedIn, RateTable
from tiers.ids import uuid7
from tiers.models import Brand, Party
from tiers.models.party import code_validator
from tiers.scope import Scoped


class BelowCost(models.TextChoices):
    """What the loss guard does when a change would sell below cost."""

    WARN = "warn", _("Warn")
    REFUSE = "refuse", _("Refuse")


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent())
class PriceTerms(Scoped):
    """How a brand prices: its tax, the carrier used where nobody chose, and what it does about sales below cost."""

    SCOPE: ClassVar[tuple[str, ...]] = ("brand__owner__path",)

    brand = models.OneToOneField(Brand, on_delete=models.PROTECT, primary_key=True, related_name="price_terms")
    prices_include_tax = models.BooleanField(_("prices include tax"), default=False)
    tax_name = models.CharField(_("name of the tax"), max_length=40, default="VAT")
    tax_rate = models.DecimalField(_("tax rate in percent"), max_digits=7, decimal_places=4, default=Decimal(0))
    default_carrier = models.ForeignKey(Carrier, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    below_cost = models.CharField(
        _("a sale price below its cost"), max_length=8, choices=BelowCost.choices, default=BelowCost.WARN
    )
    dial_plan = models.JSONField(_("dial plan"), default=dict, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(tax_rate__gte=0, tax_rate__lt=100), name="terms_tax_rate")]


class Follows(models.TextChoices):
    """How a change of the base, or of an exchange rate, reaches a list."""

    PUBLICATION = "publication", _("When published")
    AUTOMATIC = "automatic", _("Automatically")


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent())
class PriceList(Scoped, PricedIn):
    """What a seller charges under a brand, or one buyer. `own_table` holds entered rates, the base derived ones."""

    SCOPE: ClassVar[tuple[str, ...]] = ("seller__path",)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    seller = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="price_lists")
    code = models.CharField(_("code"), max_length=32, unique=True, validators=[code_validator])
    name = models.CharField(_("name"), max_length=200)
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="price_lists")
    buyer = models.ForeignKey(
        Party,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="own_price_lists",
        help_text=_("Only for this buyer; empty for everybody under the brand."),
    )
    carrier = models.ForeignKey(
        Carrier, on_delete=models.PROTECT, null=True, blank=True, help_text=_("Empty: for any carrier.")
    )
    own_table = models.ForeignKey(
        RateTable, on_delete=models.PROTECT, null=True, blank=True, related_name="lists_owning"
    )
    base_table = models.ForeignKey(
        RateTable, on_delete=models.PROTECT, null=True, blank=True, related_name="lists_derived"
    )
    base_list = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="lists_derived")
    follows = models.CharField(
        _("follows its base"), max_length=12, choices=Follows.choices, default=Follows.PUBLICATION
    )
    active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("price list")
        constraints = [
            models.UniqueConstraint(
                fields=["brand", "buyer", "carrier", "currency"],
                condition=Q(active=True),
                nulls_distinct=False,
                name="pricelist_one_per_place",
            ),
            models.CheckConstraint(
                condition=Q(base_table__isnull=True) | Q(base_list__isnull=True), name="pricelist_one_base"
            ),
            models.CheckConstraint(condition=Q(decimals__lte=6), name="pricelist_decimals"),
        ]

    def __str__(self) -> str:
        return self.name


class ListTerms(Scoped):
    """From one date on: the mark-up on the base and what the brand sets itself. The newest begun holds."""

    SCOPE: ClassVar[tuple[str, ...]] = ("price_list__seller__path",)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    price_list = models.ForeignKey(PriceList, on_delete=models.CASCADE, related_name="terms")
    valid_from = models.DateTimeField()
    markup = models.DecimalField(
        _("mark-up"), max_digits=9, decimal_places=6, default=Decimal(0), help_text=_("0.25 adds a quarter.")
    )
    addon = models.DecimalField(_("add-on per minute"), max_digits=18, decimal_places=8, default=Decimal(0))
    connect_fee = models.DecimalField(_("connection charge"), max_digits=18, decimal_places=8, null=True, blank=True)
    first_s = models.PositiveIntegerField(_("first increment (s)"), null=True, blank=True)
    step_s = models.PositiveIntegerField(_("further increments (s)"), null=True, blank=True)
    min_charge = models.DecimalField(_("at least for a call"), max_digits=18, decimal_places=8, null=True, blank=True)

    class Meta:
        ordering = ("valid_from",)
        constraints = [
            models.UniqueConstraint(fields=["price_list", "valid_from"], name="listterms_once"),
            models.CheckConstraint(condition=Q(markup__gt=-1), name="listterms_markup"),
        ]


class RateOrigin(models.TextChoices):
    TYPED = "typed", _("Entered")
    FILE = "file", _("From a file")


class ExchangeRate(models.Model):
    """1 `base` = `rate` `quote`, from a moment on. The installation's own, entered by the operator.

    A row is never changed in place: a correction is a new row, so the largest id tells whether anything is new.
    """

    id = models.BigAutoField(primary_key=True)
    base = models.CharField(max_length=3)
    quote = models.CharField(max_length=3)
    rate = models.DecimalField(max_digits=18, decimal_places=8)
    valid_from = models.DateTimeField()
    origin = models.CharField(max_length=8, choices=RateOrigin.choices, default=RateOrigin.TYPED)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["base", "quote", "valid_from"], name="fx_once"),
            models.CheckConstraint(condition=Q(rate__gt=0), name="fx_positive"),
            models.CheckConstraint(condition=~Q(base=F("quote")), name="fx_two_currencies"),
        ]

    def __str__(self) -> str:
        return f"1 {self.base} = {self.rate} {self.quote}"
