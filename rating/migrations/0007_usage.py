"""Usage that comes in halves, packed, or by a mapping of the source's own."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("rating", "0006_exchange")]

    operations: ClassVar = []
