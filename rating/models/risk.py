"""Ranges of numbers whose calls are often fraud: the operator's changes to the product's own list."""

from __future__ import annotations

from typing import ClassVar

import pghistory
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from tiers.ids import uuid7
from tiers.models import Party
from tiers.scope import Scoped


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent())
class RiskRange(Scoped):
    """A range that is watched (or, `watched` false, one of the product's own that is not).

    `prefix` is what an E.164 number begins with, or "premium" for what the dial plan calls premium rate.
    """

    SCOPE: ClassVar[tuple[str, ...]] = ("owner__path",)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="+")
    prefix = models.CharField(
        _("prefix"), max_length=15, unique=True, validators=[RegexValidator(r"^([1-9][0-9]{0,14}|premium)\Z")]
    )
    name = models.CharField(_("name"), max_length=80)
    watched = models.BooleanField(_("watched"), default=True)

    class Meta:
        verbose_name = _("high-risk range")

    def __str__(self) -> str:
        return f"{self.prefix} {self.name}"
