"""Usage that comes in halves, packed, or by a mapping of the source's own; calls with a direction and a reference."""

from __future__ import annotations

from typing import ClassVar

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

import tiers.ids

RECORDS = """
    ALTER TABLE rating_usagerecord
        ADD COLUMN direction varchar(8) NOT NULL DEFAULT 'out' CHECK (direction IN ('out', 'in', 'internal')),
        ADD COLUMN reference text NOT NULL DEFAULT '';
    REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON rating_half FROM tollgate_web;
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [("rating", "0006_exchange"), ("tiers", "0001_initial")]

    operations: ClassVar = [
        migrations.CreateModel(
            name='UsageHalf',
            fields=[
                ('id', models.UUIDField(default=tiers.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('key', models.BinaryField(max_length=16)),
                ('side', models.CharField(max_length=32)),
                ('content', models.BinaryField(max_length=16)),
                ('fields', models.JSONField()),
                ('call_id', models.CharField(max_length=255)),
                ('began_at', models.DateTimeField()),
                ('seen_at', models.DateTimeField(auto_now_add=True)),
                ('import_id', models.UUIDField()),
                ('chunk_id', models.UUIDField()),
                ('line', models.BigIntegerField()),
                ('joined', models.BooleanField(default=False)),
            ],
            options={
                'db_table': 'rating_half',
            },
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='source',
            name='insert_insert',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='source',
            name='update_update',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='source',
            name='delete_delete',
        ),
        migrations.AddField(
            model_name='source',
            name='customer',
            field=models.ForeignKey(blank=True, help_text='Whose calls those are that name nobody known.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tiers.party'),
        ),
        migrations.AddField(
            model_name='source',
            name='mapping',
            field=models.JSONField(blank=True, default=dict, verbose_name='mapping'),
        ),
        migrations.AddField(
            model_name='sourceevent',
            name='customer',
            field=models.ForeignKey(blank=True, db_constraint=False, help_text='Whose calls those are that name nobody known.', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='tiers.party'),
        ),
        migrations.AddField(
            model_name='sourceevent',
            name='mapping',
            field=models.JSONField(blank=True, default=dict, verbose_name='mapping'),
        ),
        migrations.AddField(
            model_name="usageimport",
            name="mapping",
            field=models.JSONField(blank=True, default=dict),
        ),
        migrations.AddField(
            model_name='usageimport',
            name='archive',
            field=models.CharField(blank=True, default='', max_length=255),
        ),
        migrations.AddField(
            model_name='usageimport',
            name='archive_id',
            field=models.UUIDField(db_index=True, null=True),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='source',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "rating_sourceevent" ("active", "carrier_id", "code", "customer_id", "dial_plan", "format", "id", "mapping", "name", "owner_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "time_zone") VALUES (NEW."active", NEW."carrier_id", NEW."code", NEW."customer_id", NEW."dial_plan", NEW."format", NEW."id", NEW."mapping", NEW."name", NEW."owner_id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."time_zone"); RETURN NULL;', hash='09c5fca00c1b6f9a55b030522f5a480b29a146a9', operation='INSERT', pgid='pgtrigger_insert_insert_3f37f', table='rating_source', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='source',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "rating_sourceevent" ("active", "carrier_id", "code", "customer_id", "dial_plan", "format", "id", "mapping", "name", "owner_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "time_zone") VALUES (NEW."active", NEW."carrier_id", NEW."code", NEW."customer_id", NEW."dial_plan", NEW."format", NEW."id", NEW."mapping", NEW."name", NEW."owner_id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."time_zone"); RETURN NULL;', hash='395a65411503298c6af37ed31fbc5eab56ee9483', operation='UPDATE', pgid='pgtrigger_update_update_35ef6', table='rating_source', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='source',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "rating_sourceevent" ("active", "carrier_id", "code", "customer_id", "dial_plan", "format", "id", "mapping", "name", "owner_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "time_zone") VALUES (OLD."active", OLD."carrier_id", OLD."code", OLD."customer_id", OLD."dial_plan", OLD."format", OLD."id", OLD."mapping", OLD."name", OLD."owner_id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."time_zone"); RETURN NULL;', hash='5fd3b5faf2da19ca0d313382c090151239259dcd', operation='DELETE', pgid='pgtrigger_delete_delete_50dcc', table='rating_source', when='AFTER')),
        ),
        migrations.AddField(
            model_name='usagehalf',
            name='source',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='rating.source'),
        ),
        migrations.AddIndex(
            model_name='usagehalf',
            index=models.Index(condition=models.Q(('joined', False)), fields=['source', 'id'], name='half_waiting'),
        ),
        migrations.AddConstraint(
            model_name='usagehalf',
            constraint=models.UniqueConstraint(fields=('source', 'key', 'side'), name='half_once'),
        ),
        migrations.AddField(
            model_name="usagerecord",
            name="direction",
            field=models.CharField(
                choices=[("out", "Outgoing"), ("in", "Incoming"), ("internal", "Internal")], default="out", max_length=8
            ),
        ),
        migrations.AddField(
            model_name="usagerecord",
            name="reference",
            field=models.TextField(default=""),
        ),
        migrations.RunSQL(RECORDS, migrations.RunSQL.noop),
    ]
