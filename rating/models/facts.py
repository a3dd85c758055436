"""Facts: rated calls rolled up by the hour, from which reports and the feet of lists are read.

A month of calls is millions of rows, a month of facts some thousands. Writers only ever insert; what they insert is
folded together afterwards, so a sum over the rows of a key is right at every moment, folded or not.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from rating.models.carriers import Carrier
from tiers.models import Party
from tiers.scope import Scoped

KEY = ("hour", "seller", "buyer", "carrier", "service_class", "destination", "currency", "cost_currency")
MEASURES = ("attempts", "answered", "charged", "duration_s", "billed_s", "sale_micro", "tax_micro", "cost_micro")


class Fact(Scoped):
    """What one seller sold to one buyer in one hour (UTC, by the call's start), to one destination, one way.

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
    folded = models.BooleanField(db_default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=[
                    *("seller", "hour", "buyer", "destination"),
                    *("service_class", "carrier", "currency", "cost_currency"),
                ],
                condition=Q(folded=True),
                nulls_distinct=False,
                name="fact_folded_once",
            )
        ]
        indexes = [
            models.Index(fields=["seller", "hour"], name="fact_seller"),
            models.Index(fields=["buyer", "hour"], name="fact_buyer"),
            models.Index(fields=["id"], condition=Q(folded=False), name="fact_to_fold"),
        ]
