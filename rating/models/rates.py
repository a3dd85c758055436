"""Rate tables: prices per prefix, dated, in one currency. A carrier's deck, or a seller's own rates."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from tiers.ids import uuid7
from tiers.models import Party
from tiers.models.party import code_validator
from tiers.scope import Scoped


class Rounding(models.TextChoices):
    HALF_UP = "half_up", _("Half up")
    HALF_EVEN = "half_even", _("Half to even")
    UP = "up", _("Up")
    DOWN = "down", _("Down")


class BandRule(models.TextChoices):
    SPLIT = "split", _("Each increment by its own time")
    AT_START = "at_start", _("Whole call by its start")


class PricedIn(models.Model):
    """How amounts of a table or list are worked out: currency, decimals, rounding, zone of its bands."""

    currency = models.CharField(_("currency"), max_length=3)
    decimals = models.PositiveSmallIntegerField(_("decimals of a call's amount"), default=4)
    rounding = models.CharField(_("rounding"), max_length=10, choices=Rounding.choices, default=Rounding.HALF_UP)
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    band_rule = models.CharField(max_length=10, choices=BandRule.choices, default=BandRule.SPLIT)
    holidays = models.JSONField(default=list, blank=True)

    class Meta:
        abstract = True


class RateTable(Scoped, PricedIn):
    """`version` rises with every change, so that compiled price books know when they are stale."""

    SCOPE: ClassVar[tuple[str, ...]] = ("owner__path",)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="rate_tables")
    code = models.CharField(_("code"), max_length=32, unique=True, validators=[code_validator])
    name = models.CharField(_("name"), max_length=200)
    version = models.BigIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("rate table")
        constraints = [
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="ratetable_currency"),
            models.CheckConstraint(condition=Q(decimals__lte=6), name="ratetable_decimals"),
        ]

    def __str__(self) -> str:
        return self.name


class Rate(models.Model):
    """One prefix from one moment on. `price` is per minute. Increments and free seconds as in the kernel.

    `steps` and `bands` hold the kernel's wire form. A row with `blocked` closes the prefix: calls are unrated.
    """

    id = models.BigAutoField(primary_key=True)
    table = models.ForeignKey(RateTable, on_delete=models.CASCADE, related_name="rates")
    prefix = models.CharField(max_length=20)
    destination = models.CharField(max_length=200, blank=True, default="")
    price = models.DecimalField(max_digits=18, decimal_places=8, default=Decimal(0))
    connect_fee = models.DecimalField(max_digits=18, decimal_places=8, default=Decimal(0))
    first_s = models.PositiveIntegerField(null=True)
    step_s = models.PositiveIntegerField(default=1)
    grace_s = models.PositiveIntegerField(default=0)
    free_s = models.PositiveIntegerField(default=0)
    min_charge = models.DecimalField(max_digits=18, decimal_places=8, default=Decimal(0))
    steps = models.JSONField(null=True)
    bands = models.JSONField(null=True)
    blocked = models.BooleanField(default=False)
    effective_from = models.DateTimeField()
    effective_to = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["table", "prefix", "effective_from"], name="rate_once"),
            models.CheckConstraint(condition=Q(prefix__regex=r"^[0-9]{1,20}$"), name="rate_prefix_digits"),
            models.CheckConstraint(
                condition=Q(price__gte=0, connect_fee__gte=0, min_charge__gte=0), name="rate_not_negative"
            ),
            models.CheckConstraint(condition=Q(step_s__gte=1), name="rate_step_positive"),
            models.CheckConstraint(
                condition=Q(effective_to__isnull=True) | Q(effective_to__gt=F("effective_from")), name="rate_forward"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.prefix} {self.price}"
