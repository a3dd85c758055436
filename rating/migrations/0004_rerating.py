"""Re-rating: runs and the corrections they made."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("rating", "0003_facts")]

    operations: ClassVar = []
