"""A call that is over, or another call under its id, is not allowed by the answer that was given before."""

from django.db import migrations

from rating.sql import read


class Migration(migrations.Migration):
    dependencies = [("rating", "0023_alerts")]

    operations = [migrations.RunSQL(read("live_again.sql"), migrations.RunSQL.noop)]
