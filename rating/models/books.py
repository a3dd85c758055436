"""That something changed on which prices depend: what a compiled engine looks at to know whether it is stale."""

from __future__ import annotations

from django.db import models


class BookChange(models.Model):
    """One statement that changed prices, parties, wallets or choices; or many, folded into one row.

    Written by triggers (`rating/sql/books.sql`), only ever inserted, so that no two writers wait for each other. What a
    reader sees is told from any other state by how many changes it sees and the sum of their ids: a change that
    commits late shows, whatever its id.
    """

    id = models.BigAutoField(primary_key=True)
    changes = models.BigIntegerField(default=1)
    total = models.BigIntegerField(null=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.changes} changes"
