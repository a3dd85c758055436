"""One-time links by which a customer chooses its carrier."""

from __future__ import annotations

from typing import ClassVar

import django.db.models.deletion
import tiers.ids
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("rating", "0008_decks")]

    operations: ClassVar = [
        migrations.CreateModel(
            name="CarrierLink",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tiers.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("actor", models.CharField(max_length=254)),
                ("digest", models.BinaryField(max_length=32, unique=True)),
                ("back", models.URLField(blank=True, max_length=500, verbose_name="back to")),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("used_at", models.DateTimeField(null=True)),
                ("used_from", models.GenericIPAddressField(null=True)),
                ("until", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name": "link to the choice of carriers",
            },
        ),
        migrations.AddField(
            model_name="carrierlink",
            name="maker",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tiers.party"
            ),
        ),
        migrations.AddField(
            model_name="carrierlink",
            name="party",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tiers.party"
            ),
        ),
        migrations.AddConstraint(
            model_name="carrierlink",
            constraint=models.CheckConstraint(
                condition=models.Q(("expires_at__gt", models.F("created_at"))), name="carrierlink_forward"
            ),
        ),
    ]
