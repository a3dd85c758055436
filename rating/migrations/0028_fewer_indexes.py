"""Live calls: no index that another begins with, and plans that never look at all rows."""

import django.db.models.deletion
from django.db import migrations, models

from rating.sql import read


class Migration(migrations.Migration):

    dependencies = [
        ('rating', '0027_live_again'),
        ('tiers', '0001_initial'),
    ]

    operations = [
        migrations.AlterField(
            model_name='livecall',
            name='carrier',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='rating.carrier'),
        ),
        migrations.AlterField(
            model_name='livecall',
            name='customer',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='live_calls', to='tiers.party'),
        ),
        migrations.AlterField(
            model_name='livecall',
            name='source',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='live_calls', to='rating.source'),
        ),
            migrations.RunSQL(read("live_plans.sql"), migrations.RunSQL.noop),
    ]
