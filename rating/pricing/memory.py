"""What prices were known to be at an earlier instant: rows with the time in which each of their values stood.

The database's triggers keep what was changed (rating/sql/price_history.sql); here it is read back.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db import connection
from django.db.models import Model

from rating.models import RateTable, TableVersion

M = TypeVar("M", bound=Model)
RATE_FIELDS = (
    "prefix, destination, price, connect_fee, first_s, step_s, grace_s, free_s, min_charge, steps, bands, blocked,"
    " effective_from, effective_to"
)
RATES_AS_KNOWN = f"""
SELECT {RATE_FIELDS} FROM (
    SELECT {RATE_FIELDS} FROM rating_rate r
     WHERE table_id = %(table)s AND recorded_at <= %(known)s
       AND NOT EXISTS (SELECT FROM rating_pastrate p
                        WHERE p.table_id = %(table)s AND p.rate_id = r.id AND p.superseded_at > %(known)s)
    UNION ALL
    (SELECT DISTINCT ON (rate_id) {RATE_FIELDS} FROM rating_pastrate
      WHERE table_id = %(table)s AND recorded_at <= %(known)s AND superseded_at > %(known)s
      ORDER BY rate_id, superseded_at, id)
) known ORDER BY effective_from
"""
GONE_PREFIXES = """
SELECT DISTINCT prefix FROM rating_pastrate p
 WHERE table_id = %(table)s
   AND NOT EXISTS (SELECT FROM rating_rate r WHERE r.table_id = %(table)s AND r.prefix = p.prefix)
"""
PAST_MOMENTS = """
SELECT effective_from FROM rating_pastrate WHERE table_id = %(table)s
 UNION SELECT effective_to FROM rating_pastrate WHERE table_id = %(table)s AND effective_to IS NOT NULL
"""
SPELLS = """
SELECT *, coalesce(lag(known_until) OVER (PARTITION BY id ORDER BY known_until NULLS LAST), recorded_at) AS known_since
  FROM (SELECT t.*, NULL::timestamptz AS known_until FROM {table} t
         UNION ALL
        SELECT was.*, p.superseded_at FROM rating_pastrow p
         CROSS JOIN LATERAL jsonb_populate_record(NULL::{table}, p."row") was
         WHERE p.source = '{table}') every
"""


@dataclass(frozen=True, slots=True)
class Spell(Generic[M]):
    """A row's values, and how long they stood: from `since` up to `until` (None: still)."""

    row: M
    since: datetime
    until: datetime | None

    def known_at(self, known: datetime | None) -> bool:
        """Whether it stood so at an instant; None asks for what stands now."""
        if known is None:
            return self.until is None
        return self.since <= known and (self.until is None or self.until > known)


def spells(model: type[M]) -> list[Spell[M]]:
    """Everything that rows of one of the remembered tables ever said."""
    found: Iterable[Any] = model._default_manager.raw(SPELLS.format(table=model._meta.db_table))
    return [Spell(one, one.known_since, one.known_until) for one in found]


def rates_as_known(table: RateTable, known: datetime) -> Iterable[tuple[Any, ...]]:
    """The rates of a table as they stood at an instant, in the order of RateRow's fields, by their beginning."""
    with connection.cursor() as cursor:
        cursor.execute(RATES_AS_KNOWN, {"table": table.pk, "known": known})
        for row in cursor:
            steps, bands = (None if part is None else json.loads(part) for part in row[9:11])
            yield (*row[:9], steps, bands, *row[11:])


def gone_prefixes(table: UUID) -> set[str]:
    """Prefixes that a table once had and has no more."""
    return {prefix for (prefix,) in _asked(GONE_PREFIXES, table)}


def past_moments(table: UUID) -> set[datetime]:
    """Instants at which a rate that was changed since began or ended."""
    return {moment for (moment,) in _asked(PAST_MOMENTS, table)}


def _asked(query: str, table: UUID) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, {"table": table})
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


class Versions:
    """Which version each table had when."""

    def __init__(self) -> None:
        self._known: dict[UUID, tuple[list[datetime], list[int]]] = {}
        for table, version, at in TableVersion.objects.order_by("at", "version").values_list(
            "table_id", "version", "at"
        ):
            moments, versions = self._known.setdefault(table, ([], []))
            moments.append(at)
            versions.append(version)

    def moments(self, table: UUID) -> list[datetime]:
        return self._known.get(table, ([], []))[0]

    def at(self, table: RateTable, known: datetime) -> int:
        """The first one before it had any."""
        moments, versions = self._known.get(table.pk, ([], [table.version]))
        return versions[max(bisect_right(moments, known) - 1, 0)] if versions else table.version
