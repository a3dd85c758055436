"""Alarms: what a seller (or a party itself) wants to know of, and what came to pass.

A rule says what is watched and what follows; an alarm is one row, from the moment its condition held to its end. Two
constraints make it one, however many look at once: open once, and once for ever for what belongs to an hour or day.
"""

from __future__ import annotations

from typing import ClassVar

import pghistory
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models.account import Wallet
from tiers.ids import uuid7
from tiers.models import Party
from tiers.scope import Scoped


class AlertKind(models.TextChoices):
    LOW = "low", _("Warning balance")
    EMPTY = "empty", _("Nothing left")
    BLOCKED = "blocked", _("Blocked")
    SPEND_HOUR = "spend_hour", _("Spend in an hour")
    SPEND_DAY = "spend_day", _("Spend in a day")
    USUAL_HOUR = "usual_hour", _("More than usual in an hour")
    USUAL_DAY = "usual_day", _("More than usual in a day")
    RISK = "risk", _("First call to a high-risk destination")
    PLACES = "places", _("Calls in many places at once")


BLOCKING = (
    AlertKind.SPEND_HOUR,
    AlertKind.SPEND_DAY,
    AlertKind.USUAL_HOUR,
    AlertKind.USUAL_DAY,
    AlertKind.RISK,
    AlertKind.PLACES,
)
"""Kinds that may block; the rest tell of what the door itself already heeds."""


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent())
class AlertRule(Scoped):
    """What `owner` wants to know of `party`, of all its buyers (`party` empty), or of itself (`party` is `owner`).

    `threshold` is an amount in `currency`: of LOW what is left, of the others what is spent (of USUAL_* the least that
    counts). `factor`: how many times the usual. `also_to`: further addresses beside the party's own and the seller's.
    """

    SCOPE: ClassVar[tuple[str, ...]] = ("owner__path",)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="alert_rules_set")
    party = models.ForeignKey(Party, on_delete=models.PROTECT, null=True, related_name="alert_rules")
    kind = models.CharField(_("kind"), max_length=12, choices=AlertKind.choices)
    enabled = models.BooleanField(_("on"), default=True)
    currency = models.CharField(_("currency"), max_length=3, blank=True, default="")
    threshold = models.DecimalField(_("amount"), max_digits=20, decimal_places=6, null=True)
    factor = models.DecimalField(_("times the usual"), max_digits=6, decimal_places=2, null=True)
    most_countries = models.PositiveIntegerField(_("countries"), null=True)
    most_addresses = models.PositiveIntegerField(_("addresses"), null=True)
    tell_buyer = models.BooleanField(_("mail to the buyer"), default=True)
    tell_seller = models.BooleanField(_("mail to the seller"), default=True)
    also_to = models.JSONField(_("further addresses"), default=list)
    block = models.BooleanField(_("block"), default=False)

    class Meta:
        verbose_name = _("alarm rule")
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "party", "kind", "currency"], nulls_distinct=False, name="alertrule_one"
            ),
            models.CheckConstraint(condition=Q(kind__in=AlertKind.values), name="alertrule_kind"),
            models.CheckConstraint(condition=Q(block=False) | Q(kind__in=BLOCKING), name="alertrule_may_block"),
            models.CheckConstraint(
                condition=Q(block=False) | Q(party__isnull=True) | ~Q(party=F("owner")),
                name="alertrule_block_by_seller",
            ),
        ]

    def __str__(self) -> str:
        return str(AlertKind(self.kind).label)


class AlertEvent(Scoped):
    """One alarm. `owner`: whose rule it was (the seller's where none was written). `figures`: what the mail says.

    `occasion` names the hour, day or destination; empty where a condition lasts. `to` and `copy` are who is told;
    `mailed_at` stays empty where that is nobody. `blocked`: the party was blocked by it.
    """

    SCOPE: ClassVar[tuple[str, ...]] = ("party__path",)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=12, choices=AlertKind.choices)
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="alerts")
    owner = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="alerts_raised")
    rule = models.ForeignKey(AlertRule, on_delete=models.SET_NULL, null=True, related_name="alarms")
    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, null=True, related_name="alerts")
    occasion = models.CharField(max_length=80, default="")
    figures = models.JSONField(default=dict)
    to = models.JSONField(default=list)
    copy = models.JSONField(default=list)
    wants_mail = models.BooleanField(default=True)
    blocked = models.BooleanField(default=False)
    opened_at = models.DateTimeField()
    mailed_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["party", "owner", "kind", "wallet", "occasion"],
                condition=Q(ended_at__isnull=True),
                nulls_distinct=False,
                name="alertevent_open_once",
            ),
            models.UniqueConstraint(
                fields=["party", "owner", "kind", "occasion"],
                condition=Q(kind__in=["spend_hour", "spend_day", "usual_hour", "usual_day", "places"])
                & ~Q(occasion=""),
                name="alertevent_once",
            ),
            models.CheckConstraint(condition=Q(kind__in=AlertKind.values), name="alertevent_kind"),
        ]
        indexes = [
            models.Index(fields=["party", "-id"], name="alertevent_party"),
            models.Index(fields=["kind", "wallet"], condition=Q(ended_at__isnull=True), name="alertevent_open"),
            models.Index(fields=["id"], condition=Q(mailed_at__isnull=True, wants_mail=True), name="alertevent_mail"),
        ]

    def __str__(self) -> str:
        return str(AlertKind(self.kind).label)

    @property
    def is_open(self) -> bool:
        return self.ended_at is None


class AlertMark(models.Model):
    """How far each watch has looked; the row is also the lock that lets one watch run at a time."""

    name = models.CharField(primary_key=True, max_length=32)
    upto = models.DateTimeField()
