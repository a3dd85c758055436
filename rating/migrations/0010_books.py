"""When the compiled price books are stale."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("rating", "0009_carriers")]

    operations: ClassVar = []
