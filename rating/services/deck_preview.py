"""What a deck would change, price by price, before anybody decides: the import itself, looked at and rolled back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from django.db import connection, transaction

from rating.models import RateTable
from rating.services.decks import DeckImport, import_deck
from tiers.viewer import Actor

MOST_CHANGES = 200

CHANGES = """
    SELECT n.prefix, n.destination, o.price, n.price, n.effective_from, n.blocked
    FROM rating_rate n
    LEFT JOIN LATERAL (
        SELECT price FROM rating_rate b
        WHERE b.table_id = n.table_id AND b.prefix = n.prefix AND b.effective_from < n.effective_from
        ORDER BY b.effective_from DESC LIMIT 1) o ON true
    WHERE n.table_id = %s AND n.id > %s
    ORDER BY n.blocked DESC, abs(n.price / NULLIF(o.price, 0) - 1) DESC NULLS LAST, n.prefix
    LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class PriceChange:
    """One prefix: its price a minute before (None: new) and after (None: closed)."""

    prefix: str
    destination: str
    before: Decimal | None
    after: Decimal | None
    effective_from: datetime

    @property
    def share(self) -> Decimal | None:
        """0.25: a quarter dearer."""
        if not self.before or self.after is None:
            return None
        return self.after / self.before - 1


def preview_deck(
    table: RateTable, path: Path, *, actor: Actor, effective: datetime | None, answers: Mapping[str, str]
) -> tuple[DeckImport, list[PriceChange]]:
    """(the counts, the largest changes first, at most 200). Nothing is written. Raises as `import_deck` does."""
    with transaction.atomic():
        newest = table.rates.order_by("-id").values_list("id", flat=True).first() or 0
        result = import_deck(table, path, actor=actor, effective=effective, answers=answers)
        with connection.cursor() as cursor:
            cursor.execute(CHANGES, [table.pk, newest, MOST_CHANGES])
            changes = [
                PriceChange(prefix, name, before, None if blocked else after, since)
                for prefix, name, before, after, since, blocked in cursor.fetchall()
            ]
        transaction.set_rollback(True)
    return result, changes
