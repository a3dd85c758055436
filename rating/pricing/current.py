"""The engine as prices stand now: compiled once for each process and state of the prices, swapped whole.

Reading all parties, lists and tables takes long, and what columns have learnt of them is worth keeping; so an engine is
kept until something it was made of changed. Triggers say so (`BookChange`); to look costs one small query.
"""

from __future__ import annotations

from threading import Lock
from typing import Final, NamedTuple

from django.db import connection

from rating.pricing.engine import Engine

TRIES: Final = 5
SEEN: Final = "SELECT coalesce(sum(changes), 0), coalesce(sum(coalesce(total, id)), 0) FROM rating_bookchange"
FOLD: Final = """
WITH gone AS (
    DELETE FROM rating_bookchange
     WHERE id IN (SELECT id FROM rating_bookchange ORDER BY id LIMIT 100000 FOR UPDATE SKIP LOCKED)
    RETURNING changes, coalesce(total, id) AS total, at)
INSERT INTO rating_bookchange (changes, total, at)
SELECT sum(changes), sum(total), max(at) FROM gone HAVING count(*) > 0
RETURNING changes
"""


class Seen(NamedTuple):
    """A state of everything that engines are made of: how many changes led to it, and which."""

    changes: int
    total: int


class _Kept(NamedTuple):
    seen: Seen
    engine: Engine


_lock = Lock()
_kept: dict[str, _Kept] = {}
"""By database; the last one only."""


def seen() -> Seen:
    """The state that this transaction sees, its own changes included."""
    with connection.cursor() as cursor:
        cursor.execute(SEEN)
        changes, total = cursor.fetchone()
    return Seen(int(changes), int(total))


def current_engine() -> Engine:
    """The engine of this very state; made anew where something changed since the last one was made.

    Whoever prices many calls asks for each chunk, and goes on with what it got.
    """
    name = str(connection.settings_dict["NAME"])
    with _lock:
        state, kept = seen(), _kept.get(name)
        if kept is not None and kept.seen == state:
            return kept.engine
        for _ in range(TRIES):
            made = _Kept(state, Engine())
            state = seen()
            if made.seen == state:
                break
        _kept[name] = made
        return made.engine


def fold_changes() -> int:
    """Fold the rows of past changes into one; what a reader sees stays the same state. How many changes they told."""
    with connection.cursor() as cursor:
        cursor.execute(FOLD)
        row = cursor.fetchone()
    return 0 if row is None else int(row[0])
