"""Who carries the calls, who reports them, and how a reported call finds its customer."""

from __future__ import annotations

from typing import ClassVar

import pghistory
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from rating.models.rates import RateTable
from tiers.ids import uuid7
from tiers.models import Party
from tiers.models.party import code_validator
from tiers.scope import Scoped


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent())
class Carrier(Scoped):
    """A supplier of termination outside the tree. Its cost table says what the operator pays it."""

    SCOPE: ClassVar[tuple[str, ...]] = ("owner__path",)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="carriers")
    code = models.CharField(_("code"), max_length=32, unique=True, validators=[code_validator])
    name = models.CharField(_("name"), max_length=200)
    description = models.CharField(_("description"), max_length=300, blank=True)
    cost_table = models.ForeignKey(RateTable, on_delete=models.PROTECT, null=True, blank=True, related_name="carriers")
    offered = models.BooleanField(_("end users may choose it"), default=True)
    active = models.BooleanField(_("active"), default=True)
    closed_reverts = models.BooleanField(
        _("a closed code falls back to the shorter one"),
        default=False,
        help_text=_("Otherwise calls to a closed code are blocked."),
    )
    deck_answers = models.JSONField(default=dict, blank=True)

    class Meta:
        verbose_name = _("carrier")

    def __str__(self) -> str:
        return self.name


class CarrierChoice(Scoped):
    """Which carrier a party chose for its international calls, and from when to when."""

    SCOPE: ClassVar[tuple[str, ...]] = ("party__path",)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="carrier_choices")
    carrier = models.ForeignKey(Carrier, on_delete=models.PROTECT, related_name="+")
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField(null=True)
    actor = models.CharField(max_length=254)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["party"], condition=Q(valid_to__isnull=True), name="choice_one_open"),
            models.UniqueConstraint(fields=["party", "valid_from"], name="choice_once_at_a_time"),
            models.CheckConstraint(
                condition=Q(valid_to__isnull=True) | Q(valid_to__gt=F("valid_from")), name="choice_forward"
            ),
        ]


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent())
class Source(Scoped):
    """A switch, PBX or meter that reports usage. Its zone reads naive times; its dial plan reads numbers."""

    SCOPE: ClassVar[tuple[str, ...]] = ("owner__path",)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="sources")
    code = models.CharField(_("code"), max_length=32, unique=True, validators=[code_validator])
    name = models.CharField(_("name"), max_length=200)
    format = models.CharField(_("format"), max_length=32, default="auto")
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    dial_plan = models.JSONField(_("dial plan"), default=dict, blank=True)
    carrier = models.ForeignKey(
        Carrier, on_delete=models.PROTECT, null=True, blank=True, help_text=_("Where a record names none.")
    )
    customer = models.ForeignKey(
        Party,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text=_("Whose calls those are that name nobody known."),
    )
    mapping = models.JSONField(_("mapping"), default=dict, blank=True)
    active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("source")

    def __str__(self) -> str:
        return self.name


class IdentityKind(models.TextChoices):
    ACCOUNT = "account", _("Account code")
    CALLER = "caller", _("Caller number")
    IP = "ip", _("IP address")


class SourceIdentity(Scoped):
    """What a usage record may carry that tells whose call it is. A customer's own code is one without being listed."""

    SCOPE: ClassVar[tuple[str, ...]] = ("party__path",)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="identities")
    kind = models.CharField(max_length=8, choices=IdentityKind.choices)
    value = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "value"], name="identity_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.value}"
