"""The keys of records: who took which first. One row a record, for ever, in whatever file it came."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple
from uuid import UUID

import numpy as np
from django.db import IntegrityError, connection, transaction
from numpy.typing import NDArray

from rating.services.binary import Column, copy_binary, digests, order_of, pack, repeated
from rating.services.copying import bytea_array

COLUMNS = "source_id, key, content, record_id"


class Overtaken(Exception):
    """Somebody else took one of the keys meanwhile. Nothing was written."""


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


def keys_of(source: UUID, keys: Sequence[bytes], contents: Sequence[bytes], ids: NDArray[np.void]) -> bytes:
    """Rows of keys in COPY's form, in key order: two workers with overlapping files wait for each other one way."""
    ordered = digests(keys)
    order = order_of(ordered)
    sources = Column(repeated(source, len(keys)))
    return pack([sources, Column(ordered[order]), Column(digests(contents)[order]), Column(ids[order])], [])


def claim(rows: bytes) -> None:
    """Take the keys in the open transaction. Waits for others who are about to take the same.

    Raises Overtaken where one of them is gone: look again who has which, and come with the others.
    """
    try:
        with transaction.atomic():
            copy_binary("rating_recordkey", COLUMNS, rows)
    except IntegrityError as error:
        raise Overtaken from error
