"""What the door of live calls checks besides funds: destinations that are closed to somebody, and spend by the day.

Bars and limits are settings, read into the compiled engine; what a day came to is counted by the functions of
`rating/sql/live_checks.sql` alone. Only who has a limit has rows that calls must lock.
"""

from __future__ import annotations

from typing import ClassVar

import pghistory
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Wallet
from tiers.ids import uuid7
from tiers.models import Party
from tiers.scope import Scoped


class BarKind(models.TextChoices):
    PREFIX = "prefix", _("Numbers that begin with")
    INTERNATIONAL = "international", _("Calls abroad")
    LONG_DISTANCE = "long_distance", _("Long-distance calls")
    MOBILE = "mobile", _("Mobile numbers")
    PREMIUM = "premium", _("Premium numbers, at home and abroad")
    SATELLITE = "satellite", _("Satellite telephones")


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent())
class Bar(Scoped):
    """A destination closed to a party and all below it, by `maker`: the party itself or one above it.

    `open`: an exception, by prefix, from what the same maker closed; the longest prefix decides. No maker opens what
    another closed. Emergency numbers are never closed, and files of calls that took place do not ask.
    """

    SCOPE: ClassVar[tuple[str, ...]] = ("party__path",)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    party = models.ForeignKey(Party, on_delete=models.CASCADE, related_name="bars")
    maker = models.ForeignKey(Party, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(_("what"), max_length=16, choices=BarKind.choices)
    prefix = models.CharField(
        _("prefix"),
        max_length=15,
        blank=True,
        default="",
        validators=[RegexValidator(r"^[0-9]{1,15}\Z", _("A prefix is 1 to 15 digits, with the country's code."))],
    )
    open = models.BooleanField(_("an exception: open all the same"), default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("closed destination")
        constraints = [
            models.UniqueConstraint(fields=["party", "maker", "kind", "prefix"], name="bar_once"),
            models.CheckConstraint(condition=Q(kind__in=BarKind.values), name="bar_kind"),
            models.CheckConstraint(
                condition=Q(kind="prefix", prefix__regex=r"^[0-9]{1,15}$") | (~Q(kind="prefix") & Q(prefix="")),
                name="bar_prefix",
            ),
            models.CheckConstraint(condition=Q(open=False) | Q(kind="prefix"), name="bar_exception_by_prefix"),
        ]

    def __str__(self) -> str:
        return f"{self.prefix or self.kind} {'open' if self.open else 'closed'}"


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent())
class SpendLimit(Scoped):
    """What live calls may take from a wallet in a day, tax included where the wallet pays it."""

    SCOPE: ClassVar[tuple[str, ...]] = ("wallet__account__owner__path",)

    wallet = models.OneToOneField(Wallet, on_delete=models.CASCADE, primary_key=True, related_name="spend_limit")
    per_day = models.DecimalField(_("at most a day"), max_digits=20, decimal_places=6)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(per_day__gte=0), name="spendlimit_not_negative")]


class DaySpend(Scoped):
    """What the live calls of one day took from a limited wallet, and what is set aside for those that go on.

    A call belongs to the day on which it was asked for, in the time zone of its seller's brand. Calls that come by file
    only do not count: they took place hours ago, and no door can stop them.
    """

    SCOPE: ClassVar[tuple[str, ...]] = ("wallet__account__owner__path",)

    wallet = models.ForeignKey(Wallet, on_delete=models.CASCADE, related_name="days")
    day = models.DateField()
    spent = models.DecimalField(max_digits=20, decimal_places=6, default=0)
    held = models.DecimalField(max_digits=20, decimal_places=6, default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["wallet", "day"], name="dayspend_once")]
