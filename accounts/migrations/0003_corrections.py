"""What a transfer that corrects another must be."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

from accounts.sql import read


class Migration(migrations.Migration):
    dependencies: ClassVar = [("accounts", "0002_initial")]

    operations: ClassVar = [migrations.RunSQL(read("corrections.sql"), migrations.RunSQL.noop)]
