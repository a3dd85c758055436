"""What a seller sells under: name, look, languages, currency, sender. What it charges and prints hangs on it above."""

from __future__ import annotations

from typing import ClassVar

import pghistory
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from tiers.ids import uuid7
from tiers.models.party import Party, code_validator
from tiers.scope import Scoped


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent(), exclude=["logo"])
class Brand(Scoped):
    """A seller's face. Its currency is the one new wallets under it get; its zone cuts its months."""

    SCOPE: ClassVar[tuple[str, ...]] = ("owner__path",)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="brands")
    code = models.CharField(_("code"), max_length=32, unique=True, validators=[code_validator])
    name = models.CharField(_("name"), max_length=200)
    currency = models.CharField(_("currency"), max_length=3)
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    language = models.CharField(_("language"), max_length=10, default="en")
    accent = models.CharField(
        _("accent colour"),
        max_length=7,
        default="#1f5fbf",
        validators=[RegexValidator(r"^#[0-9a-fA-F]{6}\Z", _("Use a colour such as #1f5fbf."))],
    )
    logo = models.BinaryField(_("logo (PNG)"), null=True, blank=True, max_length=300_000)
    host = models.CharField(_("host name"), max_length=253, blank=True, help_text=_("Picks the look, never rights."))
    sender = models.EmailField(_("sender of mails"), blank=True)
    address = models.TextField(_("postal address"), blank=True)
    phone = models.CharField(_("telephone"), max_length=40, blank=True)
    website = models.CharField(_("website"), max_length=200, blank=True)
    tax_id = models.CharField(_("tax number"), max_length=40, blank=True)

    class Meta:
        verbose_name = _("brand")
        constraints = [
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="brand_currency"),
            models.UniqueConstraint(fields=["host"], condition=~Q(host=""), name="brand_host"),
        ]

    def __str__(self) -> str:
        return self.name
