"""Exchange rates by file, and the guard against sales below cost."""

from __future__ import annotations

from typing import ClassVar

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("rating", "0005_list_rules")]

    operations: ClassVar = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="priceterms",
            name="insert_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="priceterms",
            name="update_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="priceterms",
            name="delete_delete",
        ),
        migrations.AddField(
            model_name="exchangerate",
            name="origin",
            field=models.CharField(
                choices=[("typed", "Entered"), ("file", "From a file")], default="typed", max_length=8
            ),
        ),
        migrations.AddField(
            model_name="priceterms",
            name="below_cost",
            field=models.CharField(
                choices=[("warn", "Warn"), ("refuse", "Refuse")],
                default="warn",
                max_length=8,
                verbose_name="a sale price below its cost",
            ),
        ),
        migrations.AddField(
            model_name="pricetermsevent",
            name="below_cost",
            field=models.CharField(
                choices=[("warn", "Warn"), ("refuse", "Refuse")],
                default="warn",
                max_length=8,
                verbose_name="a sale price below its cost",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="priceterms",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "rating_pricetermsevent" ("below_cost", "brand_id", "default_carrier_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "prices_include_tax", "tax_name", "tax_rate") VALUES (NEW."below_cost", NEW."brand_id", NEW."default_carrier_id", _pgh_attach_context(), NOW(), \'insert\', NEW."brand_id", NEW."prices_include_tax", NEW."tax_name", NEW."tax_rate"); RETURN NULL;',
                    hash="466206f74fff9cd3d1e5b8c6748388072a9b27c3",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_ee79d",
                    table="rating_priceterms",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="priceterms",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "rating_pricetermsevent" ("below_cost", "brand_id", "default_carrier_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "prices_include_tax", "tax_name", "tax_rate") VALUES (NEW."below_cost", NEW."brand_id", NEW."default_carrier_id", _pgh_attach_context(), NOW(), \'update\', NEW."brand_id", NEW."prices_include_tax", NEW."tax_name", NEW."tax_rate"); RETURN NULL;',
                    hash="66ce5aebc7c80617319542b7a9de507a41a162de",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_73c04",
                    table="rating_priceterms",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="priceterms",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "rating_pricetermsevent" ("below_cost", "brand_id", "default_carrier_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "prices_include_tax", "tax_name", "tax_rate") VALUES (OLD."below_cost", OLD."brand_id", OLD."default_carrier_id", _pgh_attach_context(), NOW(), \'delete\', OLD."brand_id", OLD."prices_include_tax", OLD."tax_name", OLD."tax_rate"); RETURN NULL;',
                    hash="b9cc35dbdfefe8f3a371379407cc0d1d1ca92d99",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_ade76",
                    table="rating_priceterms",
                    when="AFTER",
                ),
            ),
        ),
    ]
