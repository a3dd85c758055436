"""Calls that are going on: what was authorised, what is held for it, and how it ended.

A live call keeps the terms of its price at every tier as they stood when it was allowed, so that its charge never
depends on who settles it, or when. Its money stands in `accounts` as holds.
"""

from __future__ import annotations

from typing import ClassVar

import pghistory
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from rating.models.carriers import Carrier, Source
from tiers.ids import uuid7
from tiers.models import Party
from tiers.scope import Scoped


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent(), exclude=["last_used_at"])
class SwitchKey(Scoped):
    """What a switch shows at the door. Only a digest is kept; `networks` are the addresses it may come from."""

    SCOPE: ClassVar[tuple[str, ...]] = ("source__owner__path",)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="keys")
    name = models.CharField(_("name"), max_length=50)
    digest = models.BinaryField(max_length=32, unique=True)
    networks = models.JSONField(_("addresses"), default=list, blank=True)
    interims = models.BooleanField(
        _("reports during the call"),
        default=False,
        help_text=_("It tells when a call is answered, and while it goes on."),
    )
    slice_s = models.PositiveIntegerField(
        _("seconds allowed at once"), null=True, blank=True, help_text=_("Empty: 300 with reports, else 3,600.")
    )
    revoked_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name


class CallLimit(Scoped):
    """How many calls at once, and how many new ones a second, a party or carrier may have.

    The id is that of the party or carrier. `active` and the count of this second are written by the functions of
    `rating/sql/live.sql` alone; only who has a limit has a row, so nobody else waits for one.
    """

    SCOPE: ClassVar[tuple[str, ...]] = ("party__path", "carrier__owner__path")

    id = models.UUIDField(primary_key=True, editable=False)
    party = models.OneToOneField(Party, on_delete=models.CASCADE, null=True, related_name="call_limit")
    carrier = models.OneToOneField(Carrier, on_delete=models.CASCADE, null=True, related_name="call_limit")
    max_calls = models.PositiveIntegerField(_("calls at once"), null=True, blank=True)
    max_per_second = models.PositiveIntegerField(_("new calls a second"), null=True, blank=True)
    active = models.IntegerField(default=0, editable=False)
    second = models.BigIntegerField(default=0, editable=False)
    in_second = models.IntegerField(default=0, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(party__isnull=True, carrier__isnull=False) | Q(party__isnull=False, carrier__isnull=True),
                name="calllimit_one_owner",
            ),
            models.CheckConstraint(condition=Q(active__gte=0), name="calllimit_not_negative"),
        ]


class LiveStatus(models.TextChoices):
    REFUSED = "refused", _("Refused")
    ALLOWED = "allowed", _("Ringing")
    TALKING = "talking", _("Talking")
    ENDED = "ended", _("Ended")
    FAILED = "failed", _("Not answered")
    REAPED = "reaped", _("Closed by us")


class LiveCall(Scoped):
    """A call that a switch asked for. `tiers` and `cost` freeze the terms of its price, `slots` whose limits it uses.

    `spends`: the days of limited wallets that it counts to ([{wallet, day, micros}]); `below_cost`: the sellers that
    sell it for less than they pay. max_seconds count from the answer. `duration_s` is what was charged for;
    `overrun_s` what the switch reported beyond; `oddity` says why a reported figure was not believed.
    """

    SCOPE: ClassVar[tuple[str, ...]] = ("customer__path", "source__owner__path")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="live_calls", db_index=False)
    switch = models.CharField(max_length=64, default="")
    call_id = models.CharField(max_length=255)
    status = models.CharField(max_length=8, choices=LiveStatus.choices)
    customer = models.ForeignKey(Party, on_delete=models.PROTECT, null=True, related_name="live_calls", db_index=False)
    carrier = models.ForeignKey(Carrier, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    account = models.CharField(max_length=128, default="")
    caller = models.CharField(max_length=128, default="")
    callee = models.CharField(max_length=128)
    number = models.CharField(max_length=32, default="")
    service_class = models.CharField(max_length=16, default="")
    destination = models.CharField(max_length=200, default="")
    tiers = models.JSONField(default=list)
    cost = models.JSONField(null=True)
    slots = ArrayField(models.UUIDField(), default=list)
    wallets = ArrayField(models.UUIDField(), default=list)
    spends = models.JSONField(default=list)
    below_cost = ArrayField(models.UUIDField(), default=list)
    asked_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField()
    max_seconds = models.IntegerField(default=0)
    duration_s = models.IntegerField(default=0)
    overrun_s = models.IntegerField(default=0)
    oddity = models.CharField(max_length=200, default="")
    code = models.CharField(max_length=32, default="")
    blame = models.UUIDField(null=True)
    sip_code = models.SmallIntegerField(default=200)
    src_ip = models.GenericIPAddressField(null=True)
    src_port = models.IntegerField(null=True)
    user_agent = models.CharField(max_length=255, default="")
    interims = models.BooleanField(default=False)
    record_id = models.UUIDField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "switch", "call_id"], name="livecall_once"),
            models.CheckConstraint(condition=Q(status__in=LiveStatus.values), name="livecall_status"),
        ]
        indexes = [
            models.Index(fields=["expires_at"], condition=Q(status__in=["allowed", "talking"]), name="livecall_open"),
            models.Index(fields=["customer", "-id"], name="livecall_customer"),
            models.Index(fields=["source", "call_id"], name="livecall_call_id"),
            models.Index(fields=["-id"], condition=Q(status="refused"), name="livecall_refused"),
        ]

    def __str__(self) -> str:
        return f"{self.call_id} {self.status}"

    @property
    def is_open(self) -> bool:
        return self.status in (LiveStatus.ALLOWED, LiveStatus.TALKING)


@pghistory.track(pghistory.InsertEvent())
class CallCut(Scoped):
    """Somebody told a switch to end a call. The switch's own report of the end charges it, not this.

    `name`: the call as the audit trail names it. `words`: what the switch said to it.
    """

    SCOPE: ClassVar[tuple[str, ...]] = ("call__customer__path", "call__source__owner__path")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    call = models.ForeignKey(LiveCall, on_delete=models.CASCADE, related_name="cuts")
    name = models.CharField(max_length=200)
    actor = models.CharField(max_length=254)
    done = models.BooleanField()
    words = models.CharField(max_length=300)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("end of a call by hand")

    def __str__(self) -> str:
        return self.name
