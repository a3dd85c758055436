"""The chart of accounts: under which code an accountant books what the ledger knows by kind.

The ledger has kinds of accounts, an accountant has numbers. A seller maps one to the other here; what it did not map
goes under a default code, so that an export is complete from the first day.
"""

from __future__ import annotations

from typing import ClassVar

import pghistory
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from tiers.ids import uuid7
from tiers.models import Party
from tiers.scope import Scoped


class Position(models.TextChoices):
    """What an account of the ledger is in a seller's books. `own_funds` and `passed_on` exist by distribution only."""

    CASH = "cash", _("Cash and bank")
    RECEIVABLES = "receivables", _("Customers, postpaid")
    OWN_FUNDS = "own_funds", _("Own wallet, as funds for buyers")
    CARRIER = "carrier", _("Carriers")
    DEPOSITS = "deposits", _("Customers, prepaid")
    PASSED_ON = "passed_on", _("Funds that buyers passed on")
    TAX = "tax", _("Tax")
    REVENUE = "revenue", _("Revenue")
    ADJUSTMENTS = "adjustments", _("Adjustments")
    ROUNDING = "rounding", _("Rounding")
    COST = "cost", _("Cost")


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent())
class ChartCode(Scoped):
    """A seller's own code for a position; with `of`, for one customer or carrier of it alone (by its code)."""

    SCOPE: ClassVar[tuple[str, ...]] = ("seller__path",)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    seller = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="chart_codes")
    position = models.CharField(max_length=12, choices=Position.choices)
    of = models.CharField(max_length=32, blank=True, default="")
    code = models.CharField(
        max_length=20, validators=[RegexValidator(r"^[A-Za-z0-9][A-Za-z0-9._/-]*\Z", _("Letters, digits and . _ / -"))]
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["seller", "position", "of"], name="chart_code_once")]

    def __str__(self) -> str:
        return f"{self.position} {self.of} {self.code}"
