"""Re-rating: runs and the corrections they made."""

from __future__ import annotations

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
import tiers.ids
from django.db import migrations, models

from rating.sql import read


class Migration(migrations.Migration):

    dependencies = [
        ('pghistory', '0007_auto_20250421_0444'),
        ('rating', '0003_facts'),
        ('tiers', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='RerateRun',
            fields=[
                ('id', models.UUIDField(default=tiers.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('status', models.CharField(choices=[('previewing', 'Comparing'), ('ready', 'Compared'), ('applying', 'Correcting'), ('done', 'Corrected'), ('failed', 'Failed')], default='previewing', max_length=10, verbose_name='state')),
                ('period_from', models.DateTimeField(verbose_name='from')),
                ('period_to', models.DateTimeField(verbose_name='to')),
                ('reason', models.CharField(max_length=300, verbose_name='reason')),
                ('accepted', models.JSONField(null=True, verbose_name='increases accepted')),
                ('position', models.UUIDField(null=True)),
                ('counts', models.JSONField(default=dict)),
                ('totals', models.JSONField(default=list)),
                ('largest', models.JSONField(default=list)),
                ('increases', models.JSONField(default=list)),
                ('error', models.TextField(blank=True, default='')),
                ('actor', models.CharField(max_length=254)),
                ('actor_id', models.UUIDField(null=True)),
                ('applied_by', models.CharField(blank=True, default='', max_length=254)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('touched_at', models.DateTimeField(auto_now=True)),
                ('finished_at', models.DateTimeField(null=True)),
                ('customer', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tiers.party')),
                ('party', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tiers.party')),
                ('price_list', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='rating.pricelist')),
                ('source', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='rating.source')),
            ],
            options={
                'verbose_name': 're-rating',
            },
        ),
        migrations.CreateModel(
            name='RatedCorrection',
            fields=[
                ('id', models.UUIDField(primary_key=True, serialize=False)),
                ('number', models.PositiveSmallIntegerField()),
                ('record_id', models.UUIDField()),
                ('currency', models.CharField(max_length=3)),
                ('sale_before', models.DecimalField(decimal_places=6, max_digits=20)),
                ('tax_before', models.DecimalField(decimal_places=6, max_digits=20)),
                ('billed_s_before', models.IntegerField()),
                ('cost_before', models.DecimalField(decimal_places=6, max_digits=20, null=True)),
                ('cost_currency_before', models.CharField(max_length=3, null=True)),
                ('withdrawn_before', models.BooleanField()),
                ('sale', models.DecimalField(decimal_places=6, max_digits=20)),
                ('tax', models.DecimalField(decimal_places=6, max_digits=20)),
                ('billed_s', models.IntegerField()),
                ('cost', models.DecimalField(decimal_places=6, max_digits=20, null=True)),
                ('cost_currency', models.CharField(max_length=3, null=True)),
                ('withdrawn', models.BooleanField()),
                ('prefix', models.TextField()),
                ('destination', models.TextField()),
                ('service_class', models.CharField(max_length=16)),
                ('transfer_id', models.UUIDField(null=True)),
                ('tax_transfer_id', models.UUIDField(null=True)),
                ('cost_transfer_id', models.UUIDField(null=True)),
                ('cost_back_transfer_id', models.UUIDField(null=True)),
                ('created_at', models.DateTimeField()),
                ('buyer', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='tiers.party')),
                ('carrier', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='rating.carrier')),
                ('cost_terms', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='rating.rateterms')),
                ('price_list', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='rating.pricelist')),
                ('rated_call', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='corrections', to='rating.ratedcall')),
                ('seller', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='tiers.party')),
                ('terms', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='rating.rateterms')),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='corrections', to='rating.reraterun')),
            ],
        ),
        migrations.CreateModel(
            name='RerateRunEvent',
            fields=[
                ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                ('pgh_label', models.TextField(help_text='The event label.')),
                ('status', models.CharField(choices=[('previewing', 'Comparing'), ('ready', 'Compared'), ('applying', 'Correcting'), ('done', 'Corrected'), ('failed', 'Failed')], default='previewing', max_length=10, verbose_name='state')),
                ('period_from', models.DateTimeField(verbose_name='from')),
                ('period_to', models.DateTimeField(verbose_name='to')),
                ('reason', models.CharField(max_length=300, verbose_name='reason')),
                ('accepted', models.JSONField(null=True, verbose_name='increases accepted')),
                ('party', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='tiers.party')),
                ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='party_status_period_from_period_to_reason_accepted_events', to='rating.reraterun')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.AddIndex(
            model_name='reraterun',
            index=models.Index(fields=['party', '-id'], name='rerate_party'),
        ),
        migrations.AddIndex(
            model_name='reraterun',
            index=models.Index(condition=models.Q(('status__in', ['previewing', 'applying'])), fields=['touched_at'], name='rerate_under_way'),
        ),
        migrations.AddConstraint(
            model_name='reraterun',
            constraint=models.CheckConstraint(condition=models.Q(('period_to__gt', models.F('period_from'))), name='rerate_forward'),
        ),
        migrations.AddConstraint(
            model_name='reraterun',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['previewing', 'ready', 'applying', 'done', 'failed'])), name='rerate_status'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='reraterun',
            trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "rating_reraterunevent" ("accepted", "party_id", "period_from", "period_to", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "status") VALUES (NEW."accepted", NEW."party_id", NEW."period_from", NEW."period_to", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."reason", NEW."status"); RETURN NULL;', hash='adb65ccd1c7e382d25170022ec6b48de3b14889a', operation='INSERT', pgid='pgtrigger_insert_insert_7533f', table='rating_reraterun', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='reraterun',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."accepted" IS DISTINCT FROM (NEW."accepted") OR OLD."party_id" IS DISTINCT FROM (NEW."party_id") OR OLD."period_from" IS DISTINCT FROM (NEW."period_from") OR OLD."period_to" IS DISTINCT FROM (NEW."period_to") OR OLD."reason" IS DISTINCT FROM (NEW."reason") OR OLD."status" IS DISTINCT FROM (NEW."status"))', func='INSERT INTO "rating_reraterunevent" ("accepted", "party_id", "period_from", "period_to", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "status") VALUES (NEW."accepted", NEW."party_id", NEW."period_from", NEW."period_to", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."reason", NEW."status"); RETURN NULL;', hash='3b18a8c138b5776348ee4bd71c916bada78fe66b', operation='UPDATE', pgid='pgtrigger_update_update_49c9a', table='rating_reraterun', when='AFTER')),
        ),
        migrations.AddIndex(
            model_name='ratedcorrection',
            index=models.Index(condition=models.Q(('transfer_id__isnull', False)), fields=['transfer_id'], name='correction_transfer'),
        ),
        migrations.AddIndex(
            model_name='ratedcorrection',
            index=models.Index(fields=['record_id'], name='correction_record'),
        ),
        migrations.AddConstraint(
            model_name='ratedcorrection',
            constraint=models.UniqueConstraint(fields=('rated_call', 'number'), name='correction_number'),
        ),
        migrations.AddConstraint(
            model_name='ratedcorrection',
            constraint=models.CheckConstraint(condition=models.Q(('sale__gte', 0), ('tax__gte', 0), models.Q(('cost__isnull', True), ('cost__gte', 0), _connector='OR')), name='correction_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='ratedcorrection',
            constraint=models.CheckConstraint(condition=models.Q(('sale', models.F('sale_before')), ('transfer_id__isnull', False), _connector='OR'), name='correction_moves_sale'),
        ),
        migrations.AddConstraint(
            model_name='ratedcorrection',
            constraint=models.CheckConstraint(condition=models.Q(('tax', models.F('tax_before')), ('tax_transfer_id__isnull', False), _connector='OR'), name='correction_moves_tax'),
        ),
        migrations.AddConstraint(
            model_name='ratedcorrection',
            constraint=models.CheckConstraint(condition=models.Q(('withdrawn', False), models.Q(('billed_s', 0), ('sale', 0), ('tax', 0)), _connector='OR'), name='correction_withdrawn_is_nothing'),
        ),
        migrations.RunSQL(read("rerating.sql"), migrations.RunSQL.noop),
    ]
