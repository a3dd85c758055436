"""Price lists: mark-up rules, publication, future changes."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("rating", "0004_rerating")]

    operations: ClassVar = []
