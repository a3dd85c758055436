"""Parties in a tree, and since when each stands where it stands.

The tree of today is a materialised path (treebeard), which makes "mine and all below" one index range. A placement is
the dated truth: under which seller and brand a party was at a moment, which prices a call of that moment.
"""

from __future__ import annotations

from typing import ClassVar

import pghistory
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Func, Q
from django.utils.translation import gettext_lazy as _
from treebeard.mp_tree import MP_Node, MP_NodeManager

from tiers.ids import uuid7
from tiers.scope import Scoped, VisibleManager

code_validator = RegexValidator(r"^[a-z0-9-]{1,32}\Z", _("Use 1 to 32 of a-z, 0-9 and the hyphen."))


class Kind(models.TextChoices):
    OPERATOR = "operator", _("Operator")
    DEALER = "dealer", _("Dealer")
    CUSTOMER = "customer", _("Customer")


class Status(models.TextChoices):
    ACTIVE = "active", _("Active")
    BLOCKED = "blocked", _("Blocked")
    CLOSED = "closed", _("Closed")


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(),
    pghistory.DeleteEvent(),
    pghistory.ManualEvent("acting_started"),  # type: ignore[no-untyped-call]
    pghistory.ManualEvent("acting_stopped"),  # type: ignore[no-untyped-call]
    fields=["id", "code", "name", "kind", "status", "email", "address", "tax_id", "language"],
    model_name="PartyEvent",
)
class Party(MP_Node):
    """Anyone in the tree. The operator is its root; a customer is a leaf."""

    SCOPE: ClassVar[tuple[str, ...]] = ("path",)
    node_order_by: ClassVar[list[str]] = []

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    code = models.CharField(_("code"), max_length=32, unique=True, validators=[code_validator])
    name = models.CharField(_("name"), max_length=200)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.ACTIVE)
    email = models.EmailField(_("e-mail for bills"), blank=True)
    contact = models.CharField(_("contact person"), max_length=200, blank=True)
    phone = models.CharField(_("telephone"), max_length=40, blank=True)
    address = models.TextField(_("postal address"), blank=True, help_text=_("As it stands on an envelope."))
    tax_id = models.CharField(_("tax number"), max_length=40, blank=True)
    language = models.CharField(_("language"), max_length=10, default="en")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = MP_NodeManager()
    visible: ClassVar[VisibleManager[Party]] = VisibleManager()

    class Meta:
        verbose_name = _("party")
        verbose_name_plural = _("parties")
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=Kind.values), name="party_kind"),
            models.CheckConstraint(condition=Q(status__in=Status.values), name="party_status"),
            models.CheckConstraint(condition=Q(code__regex=r"^[a-z0-9-]{1,32}$"), name="party_code"),
            models.CheckConstraint(
                condition=Q(kind=Kind.OPERATOR, depth=1) | (~Q(kind=Kind.OPERATOR) & Q(depth__gt=1)),
                name="party_operator_is_root",
            ),
            models.CheckConstraint(condition=~Q(kind=Kind.CUSTOMER) | Q(numchild=0), name="party_customer_is_leaf"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def parent_path(self) -> str | None:
        return None if self.depth == 1 else str(self.path)[: -self.steplen]

    def ancestor_paths(self) -> list[str]:
        """Paths from the root down to this party itself."""
        return [str(self.path)[: (i + 1) * self.steplen] for i in range(self.depth)]

    def is_at_or_below(self, other: Party) -> bool:
        return str(self.path).startswith(str(other.path))

    @property
    def is_active(self) -> bool:
        return self.status == Status.ACTIVE


class TsTzRange(Func):
    function = "TSTZRANGE"


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent())
class Placement(Scoped):
    """From when to when a party buys from a seller, under which of its brands."""

    SCOPE: ClassVar[tuple[str, ...]] = ("seller__path",)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="placements")
    seller = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="buyers_placed")
    brand = models.ForeignKey("tiers.Brand", on_delete=models.PROTECT, related_name="placements")
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="placement_one_at_a_time",
                expressions=[
                    (F("party"), RangeOperators.EQUAL),
                    (TsTzRange("valid_from", "valid_to"), RangeOperators.OVERLAPS),
                ],
            ),
            models.CheckConstraint(condition=~Q(party=F("seller")), name="placement_not_own_seller"),
            models.CheckConstraint(
                condition=Q(valid_to__isnull=True) | Q(valid_to__gt=F("valid_from")), name="placement_forward"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.party_id} under {self.seller_id} from {self.valid_from:%Y-%m-%d}"
