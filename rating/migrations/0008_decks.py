"""Decks on their way in, kept with what was answered and shown; dial plans of brands."""

from __future__ import annotations

from typing import ClassVar

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

import tiers.ids


class Migration(migrations.Migration):
    dependencies: ClassVar = [("rating", "0007_usage")]

    operations: ClassVar = [
        migrations.CreateModel(
            name='DeckFile',
            fields=[
                ('id', models.UUIDField(default=tiers.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=255, verbose_name='file')),
                ('path', models.CharField(max_length=500)),
                ('size', models.BigIntegerField(default=0)),
                ('digest', models.CharField(max_length=64)),
                ('status', models.CharField(choices=[('reading', 'Being read'), ('asking', 'Waits for an answer'), ('ready', 'Waits for your yes'), ('importing', 'Being imported'), ('done', 'Imported'), ('refused', 'Refused'), ('discarded', 'Discarded')], default='reading', max_length=10)),
                ('answers', models.JSONField(blank=True, default=dict)),
                ('mapping', models.JSONField(blank=True, default=dict)),
                ('effective', models.DateTimeField(null=True)),
                ('questions', models.JSONField(null=True)),
                ('preview', models.JSONField(null=True)),
                ('result', models.JSONField(null=True)),
                ('error', models.JSONField(null=True)),
                ('seen_version', models.BigIntegerField(null=True)),
                ('lines_read', models.BigIntegerField(default=0)),
                ('lines', models.BigIntegerField(default=0)),
                ('actor', models.CharField(max_length=254)),
                ('actor_id', models.UUIDField(null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('changed_at', models.DateTimeField(auto_now=True)),
            ],
            options={
                'verbose_name': 'deck',
            },
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='priceterms',
            name='insert_insert',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='priceterms',
            name='update_update',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='priceterms',
            name='delete_delete',
        ),
        migrations.AddField(
            model_name='priceterms',
            name='dial_plan',
            field=models.JSONField(blank=True, default=dict, verbose_name='dial plan'),
        ),
        migrations.AddField(
            model_name='pricetermsevent',
            name='dial_plan',
            field=models.JSONField(blank=True, default=dict, verbose_name='dial plan'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='priceterms',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "rating_pricetermsevent" ("below_cost", "brand_id", "default_carrier_id", "dial_plan", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "prices_include_tax", "tax_name", "tax_rate") VALUES (NEW."below_cost", NEW."brand_id", NEW."default_carrier_id", NEW."dial_plan", _pgh_attach_context(), NOW(), \'insert\', NEW."brand_id", NEW."prices_include_tax", NEW."tax_name", NEW."tax_rate"); RETURN NULL;', hash='d83c337dfd0127d49a857fc6e34200b254faa8af', operation='INSERT', pgid='pgtrigger_insert_insert_ee79d', table='rating_priceterms', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='priceterms',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "rating_pricetermsevent" ("below_cost", "brand_id", "default_carrier_id", "dial_plan", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "prices_include_tax", "tax_name", "tax_rate") VALUES (NEW."below_cost", NEW."brand_id", NEW."default_carrier_id", NEW."dial_plan", _pgh_attach_context(), NOW(), \'update\', NEW."brand_id", NEW."prices_include_tax", NEW."tax_name", NEW."tax_rate"); RETURN NULL;', hash='577781d501584ac135f5be19238f632880eb8a5f', operation='UPDATE', pgid='pgtrigger_update_update_73c04', table='rating_priceterms', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='priceterms',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "rating_pricetermsevent" ("below_cost", "brand_id", "default_carrier_id", "dial_plan", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "prices_include_tax", "tax_name", "tax_rate") VALUES (OLD."below_cost", OLD."brand_id", OLD."default_carrier_id", OLD."dial_plan", _pgh_attach_context(), NOW(), \'delete\', OLD."brand_id", OLD."prices_include_tax", OLD."tax_name", OLD."tax_rate"); RETURN NULL;', hash='b9b8b54419cde5d854d8b0f668afcbdd59849eab', operation='DELETE', pgid='pgtrigger_delete_delete_ade76', table='rating_priceterms', when='AFTER')),
        ),
        migrations.AddField(
            model_name='deckfile',
            name='table',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='deck_files', to='rating.ratetable'),
        ),
    ]
