"""Facts: rated calls rolled up by the hour, from which reports and the feet of lists are read.

A month of calls is millions of rows, a month of facts some thousands. Writers only ever insert; what they insert is
folded together afterwards, so a sum over the rows of a key is right at every moment, folded or not.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from rating.models.carriers import Carrier
from tiers.models import Party
from tiers.scope import Scoped


class Grain(models.TextChoices):
    """How finely a row is rolled up. A call is in one loose row, or else once in each of the other grains.

    CLOCK tells neither buyers nor destinations apart: its `buyer` is the seller and its `destination` empty.
    """

    LOOSE = "loose", _("as written")
    HOUR = "hour", _("by the hour")
    DAY = "day", _("by the UTC day")
    CLOCK = "clock", _("by the hour, all buyers and destinations")


class Fact(Scoped):
    """What one seller sold to one buyer in one hour (UTC, by the call's start), to one destination, one way.

    Ask for the loose rows and those of one grain (`rating/selectors/facts.py`); in a DAY row `hour` is the day's first.
    `attempts` counts calls, answered or not; `answered` those somebody took; `charged` those that are rated calls.
    Seconds and money are of the charged calls only and equal the sums over them; money is in millionths. `cost` is in
    `cost_currency`, and only the seller's to see. There may be several rows of a key: add them up.
    """

    SCOPE: ClassVar[tuple[str, ...]] = ("seller__path", "buyer__path")

    id = models.BigAutoField(primary_key=True)
    hour = models.DateTimeField()
    seller = models.ForeignKey(
        Party, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    buyer = models.ForeignKey(Party, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False)
    carrier = models.ForeignKey(
        Carrier, on_delete=models.DO_NOTHING, null=True, related_name="+", db_constraint=False, db_index=False
    )
    service_class = models.CharField(max_length=16)
    destination = models.TextField()
    currency = models.CharField(max_length=3)
    cost_currency = models.CharField(max_length=3, null=True)
    attempts = models.BigIntegerField()
    answered = models.BigIntegerField()
    charged = models.BigIntegerField()
    duration_s = models.BigIntegerField()
    billed_s = models.BigIntegerField()
    sale_micro = models.BigIntegerField()
    tax_micro = models.BigIntegerField()
    cost_micro = models.BigIntegerField()
    grain = models.CharField(max_length=5, choices=Grain.choices, db_default=Grain.LOOSE)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=[
                    *("seller", "grain", "hour", "buyer", "destination"),
                    *("service_class", "carrier", "currency", "cost_currency"),
                ],
                condition=~Q(grain="loose"),
                nulls_distinct=False,
                name="fact_folded_once",
            )
        ]
        indexes = [
            models.Index(fields=["seller", "grain", "hour"], name="fact_seller"),
            models.Index(fields=["buyer", "grain", "hour"], name="fact_buyer"),
            models.Index(fields=["id"], condition=Q(grain="loose"), name="fact_to_fold"),
        ]
