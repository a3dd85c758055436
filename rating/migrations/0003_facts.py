"""Rolled-up facts, from which reports are read. The web reads them; only those who write calls write facts."""

from __future__ import annotations

from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models

KEY = ("seller", "hour", "buyer", "destination", "service_class", "carrier", "currency", "cost_currency")
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
        migrations.RunSQL(
            "REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON rating_fact FROM tollgate_web", migrations.RunSQL.noop
        ),
    ]
