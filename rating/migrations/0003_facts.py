"""Rolled-up facts, from which reports are read."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("rating", "0002_initial")]

    operations: ClassVar = []
