"""Facts by the hour, the day and the clock: a report of a month reads thousands of rows, not hundreds of thousands.

What is there becomes loose and is folded anew.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models

GRAINS = [
    ("loose", "as written"),
    ("hour", "by the hour"),
    ("day", "by the UTC day"),
    ("clock", "by the hour, all buyers and destinations"),
]
KEY = ("seller", "grain", "hour", "buyer", "destination", "service_class", "carrier", "currency", "cost_currency")


class Migration(migrations.Migration):
    dependencies: ClassVar = [("rating", "0010_books")]

    operations: ClassVar = [
        migrations.RemoveConstraint("fact", "fact_folded_once"),
        migrations.RemoveIndex("fact", "fact_seller"),
        migrations.RemoveIndex("fact", "fact_buyer"),
        migrations.RemoveIndex("fact", "fact_to_fold"),
        migrations.RemoveField("fact", "folded"),
        migrations.AddField("fact", "grain", models.CharField(choices=GRAINS, db_default="loose", max_length=5)),
        migrations.AddIndex("fact", models.Index(fields=["seller", "grain", "hour"], name="fact_seller")),
        migrations.AddIndex("fact", models.Index(fields=["buyer", "grain", "hour"], name="fact_buyer")),
        migrations.AddIndex(
            "fact", models.Index(condition=models.Q(("grain", "loose")), fields=["id"], name="fact_to_fold")
        ),
        migrations.AddConstraint(
            "fact",
            models.UniqueConstraint(
                condition=models.Q(("grain", "loose"), _negated=True),
                fields=KEY,
                name="fact_folded_once",
                nulls_distinct=False,
            ),
        ),
    ]
