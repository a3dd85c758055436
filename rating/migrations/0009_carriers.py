"""One-time links by which a customer chooses its carrier."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("rating", "0008_decks")]

    operations: ClassVar = []
