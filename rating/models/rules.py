"""What changes a list's derived rates for some calls only, and when a list takes over what its base says.

A rule sets the mark-up and other terms for a service class, a group of destinations or a prefix. Rows are dated: of
the rows of one target the newest begun holds, and one that is `off` ends what was before it.

Each of these tables, and the rates themselves, are remembered as they were (rating/sql/price_history.sql): a list that
follows by publication is derived from its base as it was known at the publication.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from rating.models.lists import PriceList
from rating.numbers import ServiceClass
from tiers.ids import uuid7
from tiers.models import Party
from tiers.models.party import code_validator
from tiers.scope import Scoped

CLASS_NAMES = {
    ServiceClass.ON_NET: _("on-net"),
    ServiceClass.LOCAL: _("local"),
    ServiceClass.LONG_DISTANCE: _("long distance"),
    ServiceClass.INTERNATIONAL: _("international"),
    ServiceClass.MOBILE: _("mobile"),
    ServiceClass.PREMIUM: _("premium"),
    ServiceClass.TOLL_FREE: _("toll-free"),
    ServiceClass.EMERGENCY: _("emergency"),
}
PRICED_CLASSES = [(one.value, name) for one, name in CLASS_NAMES.items() if one is not ServiceClass.EMERGENCY]
"""Emergency calls are free at every tier: no rule is for them."""


class DestinationGroup(Scoped):
    """Destinations that a seller prices alike, under a name; what belongs to it is dated."""

    SCOPE: ClassVar[tuple[str, ...]] = ("seller__path",)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    seller = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="destination_groups")
    code = models.CharField(_("code"), max_length=32, validators=[code_validator])
    name = models.CharField(_("name"), max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("group of destinations")
        constraints = [models.UniqueConstraint(fields=["seller", "code"], name="destinationgroup_once")]

    def __str__(self) -> str:
        return self.name


class GroupMembers(Scoped):
    """From a moment on: destinations by name (any case, `*` for any letters) and prefixes. The newest begun holds."""

    SCOPE: ClassVar[tuple[str, ...]] = ("group__seller__path",)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    group = models.ForeignKey(DestinationGroup, on_delete=models.CASCADE, related_name="members")
    valid_from = models.DateTimeField()
    destinations: models.JSONField[list[str], list[str]] = models.JSONField(default=list, blank=True)
    prefixes: models.JSONField[list[str], list[str]] = models.JSONField(default=list, blank=True)

    class Meta:
        ordering = ("valid_from",)
        constraints = [models.UniqueConstraint(fields=["group", "valid_from"], name="groupmembers_once")]


class ListRule(Scoped):
    """Terms of a list for one target from a moment on. What is null is as with the next less specific."""

    SCOPE: ClassVar[tuple[str, ...]] = ("price_list__seller__path",)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    price_list = models.ForeignKey(PriceList, on_delete=models.CASCADE, related_name="rules")
    valid_from = models.DateTimeField()
    service_class = models.CharField(max_length=16, choices=PRICED_CLASSES, null=True, blank=True)
    group = models.ForeignKey(DestinationGroup, on_delete=models.PROTECT, null=True, blank=True, related_name="rules")
    prefix = models.CharField(max_length=20, null=True, blank=True)
    off = models.BooleanField(default=False)
    markup = models.DecimalField(_("mark-up"), max_digits=9, decimal_places=6, null=True, blank=True)
    addon = models.DecimalField(_("add-on per minute"), max_digits=18, decimal_places=8, null=True, blank=True)
    connect_fee = models.DecimalField(_("connection charge"), max_digits=18, decimal_places=8, null=True, blank=True)
    first_s = models.PositiveIntegerField(_("first increment (s)"), null=True, blank=True)
    step_s = models.PositiveIntegerField(_("further increments (s)"), null=True, blank=True)
    min_charge = models.DecimalField(_("at least for a call"), max_digits=18, decimal_places=8, null=True, blank=True)

    class Meta:
        ordering = ("valid_from",)
        constraints = [
            models.UniqueConstraint(
                fields=["price_list", "valid_from", "service_class", "group", "prefix"],
                nulls_distinct=False,
                name="listrule_once",
            ),
            models.CheckConstraint(
                condition=Q(service_class__isnull=False, group__isnull=True, prefix__isnull=True)
                | Q(service_class__isnull=True, group__isnull=False, prefix__isnull=True)
                | Q(service_class__isnull=True, group__isnull=True, prefix__regex=r"^[0-9]{1,20}$"),
                name="listrule_one_target",
            ),
            models.CheckConstraint(condition=Q(markup__isnull=True) | Q(markup__gt=-1), name="listrule_markup"),
        ]

    @property
    def target(self) -> tuple[str, Any]:
        """What it is for: ("class", service class), ("group", group's id) or ("prefix", digits)."""
        if self.prefix is not None:
            return "prefix", self.prefix
        return ("group", self.group_id) if self.group_id is not None else ("class", self.service_class)


class Publication(Scoped):
    """From a moment on a list is derived from its base as it was known at `known_at`; null: as it stands, always.

    Of those begun the newest holds; before the first, the first. `known_at` is the database's clock.
    """

    SCOPE: ClassVar[tuple[str, ...]] = ("price_list__seller__path",)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    price_list = models.ForeignKey(PriceList, on_delete=models.CASCADE, related_name="publications")
    valid_from = models.DateTimeField()
    known_at = models.DateTimeField(null=True)
    actor = models.CharField(max_length=254, default="")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("valid_from",)
        constraints = [models.UniqueConstraint(fields=["price_list", "valid_from"], name="publication_once")]


class PastRate(models.Model):
    """A rate as it stood until `superseded_at`, kept by triggers. `rate_id` is that of the row it was."""

    id = models.BigAutoField(primary_key=True)
    rate_id = models.BigIntegerField()
    table_id = models.UUIDField()
    prefix = models.CharField(max_length=20)
    destination = models.CharField(max_length=200)
    price = models.DecimalField(max_digits=18, decimal_places=8)
    connect_fee = models.DecimalField(max_digits=18, decimal_places=8)
    first_s = models.PositiveIntegerField(null=True)
    step_s = models.PositiveIntegerField()
    grace_s = models.PositiveIntegerField()
    free_s = models.PositiveIntegerField()
    min_charge = models.DecimalField(max_digits=18, decimal_places=8)
    steps = models.JSONField(null=True)
    bands = models.JSONField(null=True)
    blocked = models.BooleanField()
    effective_from = models.DateTimeField()
    effective_to = models.DateTimeField(null=True)
    recorded_at = models.DateTimeField()
    superseded_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["table_id", "superseded_at"], name="pastrate_table"),
            models.Index(fields=["table_id", "prefix"], name="pastrate_prefix"),
        ]


class PastRow(models.Model):
    """A row of terms, rules, group members, publications or exchange rates as it stood until `superseded_at`."""

    id = models.BigAutoField(primary_key=True)
    source = models.CharField(max_length=40)
    row_id = models.TextField()
    row = models.JSONField()
    recorded_at = models.DateTimeField()
    superseded_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["source", "superseded_at"], name="pastrow_source")]


class TableVersion(models.Model):
    """When a rate table got which version; kept by a trigger."""

    id = models.BigAutoField(primary_key=True)
    table_id = models.UUIDField()
    version = models.BigIntegerField()
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["table_id", "version"], name="tableversion_once")]
