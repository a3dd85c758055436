"""Rolled-up facts, from which reports are read. The web reads them; only those who write calls write facts."""

from __future__ import annotations

from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models

KEY = ("seller", "hour", "buyer", "destination", "service_class", "carrier", "currency", "cost_currency")
CALLS_UNTIL_NOW = """
INSERT INTO rating_fact (hour, seller_id, buyer_id, carrier_id, service_class, destination, currency, cost_currency,
    attempts, answered, charged, duration_s, billed_s, sale_micro, tax_micro, cost_micro, folded)
SELECT date_trunc('hour', started_at, 'UTC'), seller_id, buyer_id, carrier_id, service_class, destination, currency,
    cost_currency, count(*), count(*), count(*), sum(duration_s), sum(billed_s),
    sum(sale) * 1000000, sum(tax) * 1000000, COALESCE(sum(cost), 0) * 1000000, true
FROM rating_ratedcall GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
"""
"""Calls that were not charged are added by `./manage rebuild_facts --all`."""
UNSEEN_BY_KEYS = {"db_constraint": False, "db_index": False, "related_name": "+"}


class Migration(migrations.Migration):
    dependencies: ClassVar = [("rating", "0002_initial"), ("tiers", "0001_initial")]

    operations: ClassVar = [
        migrations.CreateModel(
            name="Fact",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("hour", models.DateTimeField()),
                ("service_class", models.CharField(max_length=16)),
                ("destination", models.TextField()),
                ("currency", models.CharField(max_length=3)),
                ("cost_currency", models.CharField(max_length=3, null=True)),
                ("attempts", models.BigIntegerField()),
                ("answered", models.BigIntegerField()),
                ("charged", models.BigIntegerField()),
                ("duration_s", models.BigIntegerField()),
                ("billed_s", models.BigIntegerField()),
                ("sale_micro", models.BigIntegerField()),
                ("tax_micro", models.BigIntegerField()),
                ("cost_micro", models.BigIntegerField()),
                ("folded", models.BooleanField(db_default=False)),
                (
                    "buyer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.DO_NOTHING, to="tiers.party", **UNSEEN_BY_KEYS
                    ),
                ),
                (
                    "carrier",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.DO_NOTHING, to="rating.carrier", **UNSEEN_BY_KEYS
                    ),
                ),
                (
                    "seller",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.DO_NOTHING, to="tiers.party", **UNSEEN_BY_KEYS
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["seller", "hour"], name="fact_seller"),
                    models.Index(fields=["buyer", "hour"], name="fact_buyer"),
                    models.Index(condition=models.Q(("folded", False)), fields=["id"], name="fact_to_fold"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("folded", True)), fields=KEY, name="fact_folded_once", nulls_distinct=False
                    )
                ],
            },
        ),
        migrations.RunSQL(CALLS_UNTIL_NOW, migrations.RunSQL.noop),
        migrations.RunSQL(
            "REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON rating_fact FROM tollgate_web", migrations.RunSQL.noop
        ),
    ]
