"""The keys of records: who took which first. One row a record, for ever, in whatever file it came."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from rating.services.copying import bytea_array, uuid_array
from rating.services.sorting import Sorted


class Holder(NamedTuple):
    """Which record has a key, and what it said (16 bytes)."""

    record_id: UUID
    content: bytes


def taken(source: UUID, keys: Iterable[bytes]) -> dict[bytes, Holder]:
    """Those of the keys that somebody has, as far as this transaction sees."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT key, record_id, content FROM rating_recordkey WHERE source_id = %s AND key = ANY(%s::bytea[])",
            [source, bytea_array(keys)],
        )
        return {bytes(key): Holder(record_id, bytes(content)) for key, record_id, content in cursor.fetchall()}


def claim_keys(source: UUID, records: Iterable[Sorted]) -> int:
    """Take the keys that nobody has; how many. Waits for others who are about to take the same.

    Keys are claimed in key order, so that two workers with overlapping files wait for each other only one way.
    """
    ordered = sorted(records, key=lambda record: record.key)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO rating_recordkey (source_id, key, content, record_id)"
            " SELECT %s, * FROM unnest(%s::bytea[], %s::bytea[], %s::uuid[]) ON CONFLICT DO NOTHING",
            [
                source,
                bytea_array(record.key for record in ordered),
                bytea_array(record.content for record in ordered),
                uuid_array(record.id for record in ordered),
            ],
        )
        return int(cursor.rowcount)
