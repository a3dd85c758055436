"""The functions of live calls, made to cost the server less."""

from django.db import migrations

from rating.sql import read


class Migration(migrations.Migration):
    dependencies = [("rating", "0021_reconcile")]

    operations = [migrations.RunSQL(read("live_fast.sql"), migrations.RunSQL.noop)]
