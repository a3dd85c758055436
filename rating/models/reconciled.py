"""What was told of a live call after it was closed, or in place of its end: by its switch's file, or late at the door.

A live call is charged once, as a live call. What a file says of it is kept here, line by line, with what became of it.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from rating.models.live import LiveCall
from rating.models.usage import UsageImport
from tiers.ids import uuid7
from tiers.scope import Scoped


class Done(models.TextChoices):
    SAME = "same", _("As charged")
    ENDED = "ended", _("Ended by the file")
    CORRECTED = "corrected", _("Charge corrected")
    CHARGED = "charged", _("Charged now")
    OVERRUN = "overrun", _("Carrier's cost corrected")
    NOTED = "noted", _("Charge kept")


class Reconciled(Scoped):
    """One telling of a live call. Without an import: an end that came after we had closed the call.

    `duration_s` is what was told, 0 where nobody answered; `live_s` what the live call had lasted as far as it was
    known before (null: it was open). `odd`: the two differ by more than clocks do.
    """

    SCOPE: ClassVar[tuple[str, ...]] = ("live_call__source__owner__path",)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    live_call = models.ForeignKey(LiveCall, on_delete=models.PROTECT, related_name="tellings")
    usage_import = models.ForeignKey(UsageImport, on_delete=models.PROTECT, null=True, related_name="reconciled")
    line = models.BigIntegerField(null=True)
    duration_s = models.IntegerField()
    answered_at = models.DateTimeField(null=True)
    live_s = models.IntegerField(null=True)
    done = models.CharField(max_length=10, choices=Done.choices)
    odd = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(done__in=Done.values), name="reconciled_done")]
        indexes = [models.Index(fields=["usage_import", "id"], condition=Q(odd=True), name="reconciled_odd")]
