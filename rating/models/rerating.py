"""Re-rating: runs over calls that were charged already, and the corrections that they made.

A rated call is never edited. What it costs now is what its newest correction says, or, without one, what it said at
first. A correction is one row for one rated call: what stood before, what holds from now on, and the transfers that
moved the difference.
"""

from __future__ import annotations

from typing import Any, ClassVar

import pghistory
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from rating.models.calls import RatedCall, RateTerms
from rating.models.carriers import Carrier, Source
from rating.models.lists import PriceList
from tiers.ids import uuid7
from tiers.models import Party
from tiers.scope import Scoped


class RerateStatus(models.TextChoices):
    PREVIEWING = "previewing", _("Comparing")
    READY = "ready", _("Compared")
    APPLYING = "applying", _("Correcting")
    DONE = "done", _("Corrected")
    FAILED = "failed", _("Failed")


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(),
    fields=["party", "status", "period_from", "period_to", "reason", "accepted"],
    model_name="RerateRunEvent",
)
class RerateRun(Scoped):
    """Calls of one period priced again, for a seller and all below it. Calls are chosen by their start.

    `position` is the last usage record that is done: whoever goes on, goes on there. `counts`, `totals`, `largest`
    and `increases` are what was found (services/rerating_tally.py gives their shapes). `accepted`: null, "all", or
    the ids of the prepaid buyers whose increases somebody said yes to.
    """

    SCOPE: ClassVar[tuple[str, ...]] = ("party__path",)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="+")
    status = models.CharField(_("state"), max_length=10, choices=RerateStatus.choices, default=RerateStatus.PREVIEWING)
    period_from = models.DateTimeField(_("from"))
    period_to = models.DateTimeField(_("to"))
    price_list = models.ForeignKey(PriceList, on_delete=models.PROTECT, null=True, related_name="+")
    customer = models.ForeignKey(Party, on_delete=models.PROTECT, null=True, related_name="+")
    source = models.ForeignKey(Source, on_delete=models.PROTECT, null=True, related_name="+")
    reason = models.CharField(_("reason"), max_length=300)
    accepted = models.JSONField(_("increases accepted"), null=True)
    position = models.UUIDField(null=True)
    counts = models.JSONField(default=dict)
    totals = models.JSONField(default=list)
    largest = models.JSONField(default=list)
    increases = models.JSONField(default=list)
    error = models.TextField(blank=True, default="")
    actor = models.CharField(max_length=254)
    actor_id = models.UUIDField(null=True)
    applied_by = models.CharField(max_length=254, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)
    touched_at = models.DateTimeField(auto_now=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("re-rating")
        constraints = [
            models.CheckConstraint(condition=Q(period_to__gt=F("period_from")), name="rerate_forward"),
            models.CheckConstraint(condition=Q(status__in=RerateStatus.values), name="rerate_status"),
        ]
        indexes = [
            models.Index(fields=["party", "-id"], name="rerate_party"),
            models.Index(
                fields=["touched_at"], condition=Q(status__in=["previewing", "applying"]), name="rerate_under_way"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.period_from:%Y-%m-%d} to {self.period_to:%Y-%m-%d}"

    @property
    def finished(self) -> bool:
        """Nobody is at work on it."""
        return self.status not in (RerateStatus.PREVIEWING, RerateStatus.APPLYING)

    @property
    def share(self) -> int:
        """How far it is, in whole percent of the period's time."""
        if self.finished:
            return 100
        if self.position is None:
            return 0
        at = (self.position.int >> 80) / 1000 - self.period_from.timestamp()
        whole: float = (self.period_to - self.period_from).total_seconds()
        return max(0, min(99, int(100 * at / whole)))


class RatedCorrection(Scoped):
    """The `number`-th correction of a rated call: `*_before` is what stood, the plain fields what holds since.

    `run` is the re-rating that made it; None where a live call turned out to be shorter or longer than it was charged
    for. `duration_s` None: as the call says.

    `withdrawn`: the call is no longer this pair's at all (its chain was corrected); amounts are then 0. A transfer is
    named for each difference, and itself names the transfer that charged the call at first; `cost_back_transfer` is
    what took a carrier's old cost back where the carrier or the currency changed.
    """

    SCOPE: ClassVar[tuple[str, ...]] = ("seller__path", "buyer__path")

    id = models.UUIDField(primary_key=True)
    rated_call = models.ForeignKey(
        RatedCall, on_delete=models.DO_NOTHING, related_name="corrections", db_constraint=False, db_index=False
    )
    number = models.PositiveSmallIntegerField()
    run = models.ForeignKey(RerateRun, on_delete=models.PROTECT, null=True, related_name="corrections")
    record_id = models.UUIDField()
    seller = models.ForeignKey(
        Party, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    buyer = models.ForeignKey(Party, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False)
    currency = models.CharField(max_length=3)
    sale_before = models.DecimalField(max_digits=20, decimal_places=6)
    tax_before = models.DecimalField(max_digits=20, decimal_places=6)
    billed_s_before = models.IntegerField()
    duration_s_before = models.IntegerField(null=True)
    cost_before = models.DecimalField(max_digits=20, decimal_places=6, null=True)
    cost_currency_before = models.CharField(max_length=3, null=True)
    withdrawn_before = models.BooleanField()
    sale = models.DecimalField(max_digits=20, decimal_places=6)
    tax = models.DecimalField(max_digits=20, decimal_places=6)
    billed_s = models.IntegerField()
    duration_s = models.IntegerField(null=True)
    cost = models.DecimalField(max_digits=20, decimal_places=6, null=True)
    cost_currency = models.CharField(max_length=3, null=True)
    withdrawn = models.BooleanField()
    terms = models.ForeignKey(
        RateTerms, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    cost_terms = models.ForeignKey(
        RateTerms, on_delete=models.DO_NOTHING, null=True, related_name="+", db_constraint=False, db_index=False
    )
    price_list = models.ForeignKey(
        PriceList, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    carrier = models.ForeignKey(
        Carrier, on_delete=models.DO_NOTHING, null=True, related_name="+", db_constraint=False, db_index=False
    )
    prefix = models.TextField()
    destination = models.TextField()
    service_class = models.CharField(max_length=16)
    transfer_id = models.UUIDField(null=True)
    tax_transfer_id = models.UUIDField(null=True)
    cost_transfer_id = models.UUIDField(null=True)
    cost_back_transfer_id = models.UUIDField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["rated_call", "number"], name="correction_number"),
            models.CheckConstraint(
                condition=Q(sale__gte=0, tax__gte=0) & (Q(cost__isnull=True) | Q(cost__gte=0)),
                name="correction_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(sale=F("sale_before")) | Q(transfer_id__isnull=False), name="correction_moves_sale"
            ),
            models.CheckConstraint(
                condition=Q(tax=F("tax_before")) | Q(tax_transfer_id__isnull=False), name="correction_moves_tax"
            ),
            models.CheckConstraint(
                condition=Q(withdrawn=False) | Q(sale=0, tax=0, billed_s=0), name="correction_withdrawn_is_nothing"
            ),
        ]
        indexes = [
            models.Index(fields=["transfer_id"], condition=Q(transfer_id__isnull=False), name="correction_transfer"),
            models.Index(fields=["record_id"], name="correction_record"),
        ]

    @property
    def difference(self) -> Any:
        """What the buyer pays more than before, with its tax; negative: less."""
        return self.sale + self.tax - self.sale_before - self.tax_before
