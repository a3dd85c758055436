"""One-time links by which a customer comes from its seller's web site to the choice of carriers, logged in for that.

Only a digest of a link is kept: who reads the database cannot open one. A link is spent by its first use and stays as
the trail of who made it for whom, and from where it was opened.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from tiers.ids import uuid7
from tiers.models import Party
from tiers.scope import Scoped


class CarrierLink(Scoped):
    """`party` may choose; `maker` is the seller that asked for the link; the page stays open `until` then."""

    SCOPE: ClassVar[tuple[str, ...]] = ("party__path",)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="+")
    maker = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="+")
    actor = models.CharField(max_length=254)
    digest = models.BinaryField(max_length=32, unique=True)
    back = models.URLField(_("back to"), max_length=500, blank=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    used_from = models.GenericIPAddressField(null=True)
    until = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("link to the choice of carriers")
        constraints = [
            models.CheckConstraint(condition=Q(expires_at__gt=F("created_at")), name="carrierlink_forward"),
        ]

    def __str__(self) -> str:
        return f"{self.party_id} by {self.actor}"
