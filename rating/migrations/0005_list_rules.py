"""Price lists: mark-up rules, publication, and what prices were known to be.

Lists that stand already go on following their base automatically.
"""

from __future__ import annotations

from typing import ClassVar

import django.core.validators
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

import tiers.ids
from rating.sql import read

STANDING_VERSIONS = """
INSERT INTO rating_tableversion (table_id, version, at) SELECT id, version, now() FROM rating_ratetable;
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [("rating", "0004_rerating"), ("tiers", "0001_initial")]

    operations: ClassVar = [
        migrations.CreateModel(
            name="DestinationGroup",
            fields=[
                ("id", models.UUIDField(default=tiers.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                (
                    "code",
                    models.CharField(
                        max_length=32,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[a-z0-9-]{1,32}\\Z", "Use 1 to 32 of a-z, 0-9 and the hyphen."
                            )
                        ],
                        verbose_name="code",
                    ),
                ),
                ("name", models.CharField(max_length=200, verbose_name="name")),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "verbose_name": "group of destinations",
            },
        ),
        migrations.CreateModel(
            name="GroupMembers",
            fields=[
                ("id", models.UUIDField(default=tiers.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("valid_from", models.DateTimeField()),
                ("destinations", models.JSONField(blank=True, default=list)),
                ("prefixes", models.JSONField(blank=True, default=list)),
            ],
            options={
                "ordering": ("valid_from",),
            },
        ),
        migrations.CreateModel(
            name="ListRule",
            fields=[
                ("id", models.UUIDField(default=tiers.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("valid_from", models.DateTimeField()),
                (
                    "service_class",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("on_net", "on-net"),
                            ("local", "local"),
                            ("long_distance", "long distance"),
                            ("international", "international"),
                            ("mobile", "mobile"),
                            ("premium", "premium"),
                            ("toll_free", "toll-free"),
                        ],
                        max_length=16,
                        null=True,
                    ),
                ),
                ("prefix", models.CharField(blank=True, max_length=20, null=True)),
                ("off", models.BooleanField(default=False)),
                (
                    "markup",
                    models.DecimalField(blank=True, decimal_places=6, max_digits=9, null=True, verbose_name="mark-up"),
                ),
                (
                    "addon",
                    models.DecimalField(
                        blank=True, decimal_places=8, max_digits=18, null=True, verbose_name="add-on per minute"
                    ),
                ),
                (
                    "connect_fee",
                    models.DecimalField(
                        blank=True, decimal_places=8, max_digits=18, null=True, verbose_name="connection charge"
                    ),
                ),
                ("first_s", models.PositiveIntegerField(blank=True, null=True, verbose_name="first increment (s)")),
                ("step_s", models.PositiveIntegerField(blank=True, null=True, verbose_name="further increments (s)")),
                (
                    "min_charge",
                    models.DecimalField(
                        blank=True, decimal_places=8, max_digits=18, null=True, verbose_name="at least for a call"
                    ),
                ),
            ],
            options={
                "ordering": ("valid_from",),
            },
        ),
        migrations.CreateModel(
            name="PastRate",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("rate_id", models.BigIntegerField()),
                ("table_id", models.UUIDField()),
                ("prefix", models.CharField(max_length=20)),
                ("destination", models.CharField(max_length=200)),
                ("price", models.DecimalField(decimal_places=8, max_digits=18)),
                ("connect_fee", models.DecimalField(decimal_places=8, max_digits=18)),
                ("first_s", models.PositiveIntegerField(null=True)),
                ("step_s", models.PositiveIntegerField()),
                ("grace_s", models.PositiveIntegerField()),
                ("free_s", models.PositiveIntegerField()),
                ("min_charge", models.DecimalField(decimal_places=8, max_digits=18)),
                ("steps", models.JSONField(null=True)),
                ("bands", models.JSONField(null=True)),
                ("blocked", models.BooleanField()),
                ("effective_from", models.DateTimeField()),
                ("effective_to", models.DateTimeField(null=True)),
                ("recorded_at", models.DateTimeField()),
                ("superseded_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="PastRow",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("source", models.CharField(max_length=40)),
                ("row_id", models.TextField()),
                ("row", models.JSONField()),
                ("recorded_at", models.DateTimeField()),
                ("superseded_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Publication",
            fields=[
                ("id", models.UUIDField(default=tiers.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("valid_from", models.DateTimeField()),
                ("known_at", models.DateTimeField(null=True)),
                ("actor", models.CharField(default="", max_length=254)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "ordering": ("valid_from",),
            },
        ),
        migrations.CreateModel(
            name="TableVersion",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("table_id", models.UUIDField()),
                ("version", models.BigIntegerField()),
                ("at", models.DateTimeField()),
            ],
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="pricelist",
            name="insert_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="pricelist",
            name="update_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="pricelist",
            name="delete_delete",
        ),
        migrations.RemoveConstraint(
            model_name="pricelist",
            name="pricelist_one_per_brand_buyer_carrier",
        ),
        migrations.AddField(
            model_name="listterms",
            name="min_charge",
            field=models.DecimalField(
                blank=True, decimal_places=8, max_digits=18, null=True, verbose_name="at least for a call"
            ),
        ),
        migrations.AddField(
            model_name="pricelist",
            name="follows",
            field=models.CharField(
                choices=[("publication", "When published"), ("automatic", "Automatically")],
                default="automatic",
                max_length=12,
                verbose_name="follows its base",
            ),
        ),
        migrations.AddField(
            model_name="pricelistevent",
            name="follows",
            field=models.CharField(
                choices=[("publication", "When published"), ("automatic", "Automatically")],
                default="automatic",
                max_length=12,
                verbose_name="follows its base",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="pricelist",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "rating_pricelistevent" ("active", "band_rule", "base_list_id", "base_table_id", "brand_id", "buyer_id", "carrier_id", "code", "created_at", "currency", "decimals", "follows", "holidays", "id", "name", "own_table_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "rounding", "seller_id", "time_zone") VALUES (NEW."active", NEW."band_rule", NEW."base_list_id", NEW."base_table_id", NEW."brand_id", NEW."buyer_id", NEW."carrier_id", NEW."code", NEW."created_at", NEW."currency", NEW."decimals", NEW."follows", NEW."holidays", NEW."id", NEW."name", NEW."own_table_id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."rounding", NEW."seller_id", NEW."time_zone"); RETURN NULL;',
                    hash="08c1804cdd8244f7ae06a2a482bbbd4b4535396a",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_5caea",
                    table="rating_pricelist",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="pricelist",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "rating_pricelistevent" ("active", "band_rule", "base_list_id", "base_table_id", "brand_id", "buyer_id", "carrier_id", "code", "created_at", "currency", "decimals", "follows", "holidays", "id", "name", "own_table_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "rounding", "seller_id", "time_zone") VALUES (NEW."active", NEW."band_rule", NEW."base_list_id", NEW."base_table_id", NEW."brand_id", NEW."buyer_id", NEW."carrier_id", NEW."code", NEW."created_at", NEW."currency", NEW."decimals", NEW."follows", NEW."holidays", NEW."id", NEW."name", NEW."own_table_id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."rounding", NEW."seller_id", NEW."time_zone"); RETURN NULL;',
                    hash="5484450b107d5e55b6d1a5900f52446a8488ed54",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_34582",
                    table="rating_pricelist",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="pricelist",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "rating_pricelistevent" ("active", "band_rule", "base_list_id", "base_table_id", "brand_id", "buyer_id", "carrier_id", "code", "created_at", "currency", "decimals", "follows", "holidays", "id", "name", "own_table_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "rounding", "seller_id", "time_zone") VALUES (OLD."active", OLD."band_rule", OLD."base_list_id", OLD."base_table_id", OLD."brand_id", OLD."buyer_id", OLD."carrier_id", OLD."code", OLD."created_at", OLD."currency", OLD."decimals", OLD."follows", OLD."holidays", OLD."id", OLD."name", OLD."own_table_id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."rounding", OLD."seller_id", OLD."time_zone"); RETURN NULL;',
                    hash="50538e7f1d819c83842677c0d31840f5a9ebad97",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_2dfef",
                    table="rating_pricelist",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="pricelist",
            constraint=models.UniqueConstraint(
                condition=models.Q(("active", True)),
                fields=("brand", "buyer", "carrier", "currency"),
                name="pricelist_one_per_place",
                nulls_distinct=False,
            ),
        ),
        migrations.AddField(
            model_name="destinationgroup",
            name="seller",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="destination_groups", to="tiers.party"
            ),
        ),
        migrations.AddField(
            model_name="groupmembers",
            name="group",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="members", to="rating.destinationgroup"
            ),
        ),
        migrations.AddField(
            model_name="listrule",
            name="group",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="rules",
                to="rating.destinationgroup",
            ),
        ),
        migrations.AddField(
            model_name="listrule",
            name="price_list",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="rules", to="rating.pricelist"
            ),
        ),
        migrations.AddIndex(
            model_name="pastrate",
            index=models.Index(fields=["table_id", "superseded_at"], name="pastrate_table"),
        ),
        migrations.AddIndex(
            model_name="pastrate",
            index=models.Index(fields=["table_id", "prefix"], name="pastrate_prefix"),
        ),
        migrations.AddIndex(
            model_name="pastrow",
            index=models.Index(fields=["source", "superseded_at"], name="pastrow_source"),
        ),
        migrations.AddField(
            model_name="publication",
            name="price_list",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="publications", to="rating.pricelist"
            ),
        ),
        migrations.AddConstraint(
            model_name="tableversion",
            constraint=models.UniqueConstraint(fields=("table_id", "version"), name="tableversion_once"),
        ),
        migrations.AddConstraint(
            model_name="destinationgroup",
            constraint=models.UniqueConstraint(fields=("seller", "code"), name="destinationgroup_once"),
        ),
        migrations.AddConstraint(
            model_name="groupmembers",
            constraint=models.UniqueConstraint(fields=("group", "valid_from"), name="groupmembers_once"),
        ),
        migrations.AddConstraint(
            model_name="listrule",
            constraint=models.UniqueConstraint(
                fields=("price_list", "valid_from", "service_class", "group", "prefix"),
                name="listrule_once",
                nulls_distinct=False,
            ),
        ),
        migrations.AddConstraint(
            model_name="listrule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("group__isnull", True), ("prefix__isnull", True), ("service_class__isnull", False)),
                    models.Q(("group__isnull", False), ("prefix__isnull", True), ("service_class__isnull", True)),
                    models.Q(
                        ("group__isnull", True), ("prefix__regex", "^[0-9]{1,20}$"), ("service_class__isnull", True)
                    ),
                    _connector="OR",
                ),
                name="listrule_one_target",
            ),
        ),
        migrations.AddConstraint(
            model_name="listrule",
            constraint=models.CheckConstraint(
                condition=models.Q(("markup__isnull", True), ("markup__gt", -1), _connector="OR"),
                name="listrule_markup",
            ),
        ),
        migrations.AddConstraint(
            model_name="publication",
            constraint=models.UniqueConstraint(fields=("price_list", "valid_from"), name="publication_once"),
        ),
        migrations.RunSQL(read("price_history.sql"), migrations.RunSQL.noop),
        migrations.RunSQL(STANDING_VERSIONS, migrations.RunSQL.noop),
        migrations.AlterField(
            model_name="pricelist",
            name="follows",
            field=models.CharField(
                choices=[("publication", "When published"), ("automatic", "Automatically")],
                default="publication",
                max_length=12,
                verbose_name="follows its base",
            ),
        ),
        migrations.AlterField(
            model_name="pricelistevent",
            name="follows",
            field=models.CharField(
                choices=[("publication", "When published"), ("automatic", "Automatically")],
                default="publication",
                max_length=12,
                verbose_name="follows its base",
            ),
        ),
    ]
