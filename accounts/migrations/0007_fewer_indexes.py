"""The ledger's hot tables: no index that another begins with, none for patterns that nobody asks for."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0006_charge_tax'),
    ]

    operations = [
        migrations.AlterField(
            model_name='hold',
            name='account',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='holds', to='accounts.account'),
        ),
        migrations.AlterField(
            model_name='transfer',
            name='payee',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='received', to='accounts.account'),
        ),
        migrations.AlterField(
            model_name='transfer',
            name='payer',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='paid', to='accounts.account'),
        ),
            migrations.RunSQL(
            "DROP INDEX IF EXISTS accounts_hold_key_81a40d50_like, accounts_transfer_key_72d081fd_like",
            migrations.RunSQL.noop,
        ),
    ]
