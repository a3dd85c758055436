"""Usage records and rated calls: the big tables.

Both are partitioned by UTC month on their id, which is a uuid7 carrying the call's start: the primary key stays one
column, newest-first pages and months prune by themselves. The tables are made in `rating/sql/`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from rating.models.carriers import Carrier, Source
from rating.models.lists import PriceList
from rating.numbers.number import ServiceClass
from tiers.models import Party
from tiers.scope import Scoped

if TYPE_CHECKING:
    from rating.models.rerating import RatedCorrection


class RateTerms(models.Model):
    """The numbers of a price, frozen: the kernel's rate, and how it was derived. Equal terms share a row."""

    id = models.BigAutoField(primary_key=True)
    digest = models.BinaryField(max_length=16, unique=True)
    body = models.JSONField()


class RecordStatus(models.TextChoices):
    RATED = "rated", _("Rated")
    UNRATED = "unrated", _("Unrated")
    FREE = "free", _("Not charged")


class Direction(models.TextChoices):
    OUT = "out", _("Outgoing")
    IN = "in", _("Incoming")
    INTERNAL = "internal", _("Internal")


class UsageRecord(Scoped):
    """What happened, as a source reported it. `reason` says why it is unrated, with the tier.

    Incoming and internal calls are kept and never charged; nor is `reference`, the switch's own figure. `overrun_s` of
    its seconds were beyond what a live call was charged for: the carrier is paid for them, nobody else pays.
    """

    SCOPE: ClassVar[tuple[str, ...]] = ("customer__path", "source__owner__path")

    id = models.UUIDField(primary_key=True)
    source = models.ForeignKey(Source, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False)
    import_id = models.UUIDField(null=True)
    line = models.BigIntegerField(null=True)
    call_id = models.TextField()
    status = models.CharField(max_length=8, choices=RecordStatus.choices)
    customer = models.ForeignKey(Party, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False)
    carrier = models.ForeignKey(Carrier, on_delete=models.DO_NOTHING, null=True, related_name="+", db_constraint=False)
    account = models.TextField()
    caller = models.TextField()
    callee = models.TextField()
    number = models.TextField()
    service_class = models.CharField(max_length=16)
    started_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    duration_s = models.IntegerField()
    overrun_s = models.IntegerField(default=0)
    src_ip = models.GenericIPAddressField(null=True)
    src_port = models.IntegerField(null=True)
    user_agent = models.TextField()
    reason = models.TextField()
    direction = models.CharField(max_length=8, choices=Direction.choices, default=Direction.OUT)
    reference = models.TextField(default="")

    class Meta:
        managed = False
        db_table = "rating_usagerecord"

    @property
    def charged_s(self) -> int:
        """The seconds that buyers pay for."""
        return self.duration_s - self.overrun_s

    @property
    def why_free(self) -> str:
        """Why nobody pays for it, in words; empty for calls that somebody pays for."""
        if self.status != RecordStatus.FREE:
            return ""
        if self.direction != Direction.OUT:
            return gettext("It came in.") if self.direction == Direction.IN else gettext("It never left the house.")
        if self.answered_at is None or self.duration_s == 0:
            return gettext("Nobody answered.")
        if self.service_class == ServiceClass.EMERGENCY:
            return gettext("Emergency calls are free.")
        if self.service_class == ServiceClass.ON_NET:
            return gettext("It never left the house.")
        return gettext("Its price charges nothing for so short a call.")


class RatedCall(Scoped):
    """A usage record as sold by one seller to one buyer. `cost` is what the seller pays, and only the seller's to see.

    `transfer` is the charge it is part of; `tax` and `tax_transfer` the tax charged with it (prepaid). For the
    operator `cost` is the carrier's, in `cost_transfer`; for a dealer it is what its own seller charged it.
    """

    SCOPE: ClassVar[tuple[str, ...]] = ("seller__path", "buyer__path")

    id = models.UUIDField(primary_key=True)
    record_id = models.UUIDField()
    seller = models.ForeignKey(Party, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False)
    buyer = models.ForeignKey(Party, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False)
    customer = models.ForeignKey(Party, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False)
    carrier = models.ForeignKey(Carrier, on_delete=models.DO_NOTHING, null=True, related_name="+", db_constraint=False)
    price_list = models.ForeignKey(PriceList, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False)
    terms = models.ForeignKey(RateTerms, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False)
    cost_terms = models.ForeignKey(
        RateTerms, on_delete=models.DO_NOTHING, null=True, related_name="+", db_constraint=False
    )
    caller = models.TextField()
    number = models.TextField()
    prefix = models.TextField()
    destination = models.TextField()
    service_class = models.CharField(max_length=16)
    started_at = models.DateTimeField()
    answered_at = models.DateTimeField()
    duration_s = models.IntegerField()
    billed_s = models.IntegerField()
    currency = models.CharField(max_length=3)
    sale = models.DecimalField(max_digits=20, decimal_places=6)
    tax = models.DecimalField(max_digits=20, decimal_places=6)
    cost_currency = models.CharField(max_length=3, null=True)
    cost = models.DecimalField(max_digits=20, decimal_places=6, null=True)
    transfer_id = models.UUIDField(null=True)
    tax_transfer_id = models.UUIDField(null=True)
    cost_transfer_id = models.UUIDField(null=True)

    correction: RatedCorrection | None = None
    corrected: bool = False
    """The newest correction, where a selector laid it over the call; whether its buyer pays another price by it."""

    class Meta:
        managed = False
        db_table = "rating_ratedcall"
