"""What a deck would change in a table, by counts and price by price. Nothing is written to find out."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection, transaction

from rating.decks import Deck, DeckRows
from rating.models import Carrier, RateTable
from rating.sql import read as read_sql

BATCH_ROWS = 50_000
MOST_CHANGES, MOST_DATES, MOST_OUTLIERS, MOST_ABSENT = 200, 12, 20, 10
DECK_ROW = """
DROP TABLE IF EXISTS pg_temp.deck_row, pg_temp.deck_seen, pg_temp.deck_withdrawn, pg_temp.deck_outcome;
CREATE TEMP TABLE deck_row (
    prefix text NOT NULL, destination text NOT NULL, price numeric(18,8), connect_fee numeric(18,8) NOT NULL,
    first_s integer, step_s integer NOT NULL, grace_s integer NOT NULL, free_s integer NOT NULL,
    min_charge numeric(18,8) NOT NULL, begins timestamptz NOT NULL, closed boolean NOT NULL, blocked boolean NOT NULL
) ON COMMIT DROP;
"""
COPY = "COPY deck_row FROM STDIN (FORMAT csv, FORCE_NOT_NULL (destination))"
COUNTS = """
SELECT count(*) FILTER (WHERE kind = 'added') AS added,
       count(*) FILTER (WHERE kind = 'changed') AS changed,
       count(*) FILTER (WHERE kind IN ('closed', 'ended')) AS closed,
       count(*) FILTER (WHERE kind = 'same') AS unchanged,
       count(*) FILTER (WHERE kind = 'changed' AND price > price_before) AS raised,
       count(*) FILTER (WHERE kind = 'changed' AND price < price_before) AS lowered,
       count(*) FILTER (WHERE kind IN ('added', 'changed') AND next_from IS NOT NULL
                          AND NOT EXISTS (SELECT FROM deck_row o WHERE o.prefix = d.prefix AND o.begins = d.next_from))
           AS stand,
       count(*) FILTER (WHERE kind = 'same' AND NOT closed AND destination <> '' AND destination <> rate_destination)
           AS renamed
  FROM deck_outcome d
"""
CHANGES = """
SELECT prefix, coalesce(nullif(destination, ''), rate_destination, ''), price_before,
       CASE WHEN kind IN ('added', 'changed') AND NOT blocked THEN price END, begins
  FROM deck_outcome WHERE kind <> 'same'
 ORDER BY kind IN ('closed', 'ended') DESC, abs(price / NULLIF(price_before, 0) - 1) DESC NULLS LAST, prefix
 LIMIT %s
"""
DATES = """
SELECT begins, count(*) FROM deck_outcome WHERE kind <> 'same' GROUP BY begins ORDER BY begins LIMIT %s
"""
ABSENT = """
FROM rating_rate r WHERE r.table_id = %s AND r.effective_from <= %s AND coalesce(r.effective_to > %s, true)
 AND NOT r.blocked AND NOT EXISTS (SELECT FROM deck_row d WHERE d.prefix = r.prefix)
"""


@dataclass(frozen=True, slots=True)
class PriceChange:
    """One prefix: its price a minute before (None: new) and after (None: closed or barred)."""

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


@dataclass(frozen=True, slots=True)
class DeckDiff:
    """A deck against its table. Counts are prefixes; `absent` are in force and not in the deck, and stay as they are.

    `changes`: the largest first. `dates`: from when, and how many. `outliers`: (line, prefix, destination, price) far
    above the middle price of the deck.
    """

    added: int
    changed: int
    closed: int
    unchanged: int
    raised: int
    lowered: int
    stand: int
    renamed: int
    absent: int = 0
    absent_some: list[tuple[str, str]] = field(default_factory=list)
    changes: list[PriceChange] = field(default_factory=list)
    dates: list[tuple[datetime, int]] = field(default_factory=list)
    outliers: list[tuple[int, str, str, Decimal]] = field(default_factory=list)
    middle: Decimal | None = None

    def to_json(self) -> dict[str, Any]:
        """Prices as text, times ISO."""
        values = asdict(self)
        values["changes"] = [
            {**change, "share": _text(one.share), "before": _text(one.before), "after": _text(one.after),
             "effective_from": one.effective_from.isoformat()}
            for change, one in zip(values["changes"], self.changes, strict=True)
        ]  # fmt: skip
        values["dates"] = [{"from": begins.isoformat(), "prefixes": count} for begins, count in self.dates]
        values["outliers"] = [
            {"line": line, "prefix": prefix, "destination": name, "price": _text(price)}
            for line, prefix, name, price in self.outliers
        ]
        values["absent_some"] = [{"prefix": prefix, "destination": name} for prefix, name in self.absent_some]
        return values | {"middle": _text(self.middle)}


@contextmanager
def compared(table: RateTable, deck: Deck, now: datetime) -> Iterator[tuple[Any, DeckDiff]]:
    """(cursor, the counts) while the comparison stands as temporary tables; they go with the transaction."""
    reverts = Carrier.objects.filter(cost_table=table, closed_reverts=True).exists()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(DECK_ROW)
        _copy(cursor, deck.rows, now)
        cursor.execute(read_sql("deck_compare.sql"), {"table": table.pk, "reverts": reverts})
        cursor.execute(COUNTS)
        yield cursor, DeckDiff(*cursor.fetchone())


def diff(table: RateTable, deck: Deck, now: datetime) -> DeckDiff:
    """The counts and the details that a person wants to see before saying yes."""
    with compared(table, deck, now) as (cursor, counts):
        cursor.execute(CHANGES, [MOST_CHANGES])
        changes = [PriceChange(*row) for row in cursor.fetchall()]
        cursor.execute(DATES, [MOST_DATES])
        dates = cursor.fetchall()
        cursor.execute(f"SELECT count(*) {ABSENT}", [table.pk, now, now])
        (absent,) = cursor.fetchone()
        cursor.execute(f"SELECT r.prefix, r.destination {ABSENT} ORDER BY r.prefix LIMIT %s",
                       [table.pk, now, now, MOST_ABSENT])  # fmt: skip
        some = cursor.fetchall()
    outliers = deck.rows.outliers()
    lines = set(outliers.lines[:MOST_OUTLIERS]) if outliers else set()
    dear = [
        (row.line, row.prefix, row.destination, row.price)
        for row in (deck.rows.on_lines(lines) if outliers else [])
        if outliers and row.price is not None
    ]
    counted = {name: getattr(counts, name) for name in DeckDiff.__dataclass_fields__ if name in COUNTED}
    return DeckDiff(
        **counted, absent=absent, absent_some=some, changes=changes, dates=dates,
        outliers=dear[:MOST_OUTLIERS], middle=outliers.middle if outliers else None,
    )  # fmt: skip


COUNTED = ("added", "changed", "closed", "unchanged", "raised", "lowered", "stand", "renamed")


def _copy(cursor: Any, rows: DeckRows, now: datetime) -> None:
    """Send the rows in batches, so that a large deck does not stand in memory twice."""
    for at in range(0, len(rows), BATCH_ROWS):
        lines = rows[at : at + BATCH_ROWS].csv(now)
        cursor.copy_expert(COPY, io.StringIO("\n".join(lines)))


def _text(value: Decimal | None) -> str | None:
    return None if value is None else f"{value.normalize():f}"
