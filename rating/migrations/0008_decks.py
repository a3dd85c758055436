"""Deck mappings, watched folders and dial plans."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("rating", "0007_usage")]

    operations: ClassVar = []
