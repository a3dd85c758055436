"""Halves of calls find each other: in one file or in two, in any order, in imports that lie days apart.

What they will join to is foreseen when the chunk is made ready, and done in its transaction: the calls that it has
parts of are locked first, in the order of their keys, so that of two workers with one half each whoever comes second
joins. If others brought a part meanwhile, the chunk is made ready again.

A part that waits is counted as waiting where it was read, and as joined, there too, once its call is whole; the part
that completed the call is the record. So the counts of every import add up at any time. A part that is known comes
again as a duplicate; where what it completed had gone to the quarantine, the end of the call brings it up anew.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.db import connection
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from rating.models import UsageChunk
from rating.services.copying import bytea_array, copy_fields, copy_rows
from rating.usage.fields import FieldError
from rating.usage.halves import BEGIN, END, Half, span_row
from rating.usage.record import BadRow, UsageRow, bad_row
from tiers.ids import uuid7

COLUMNS = "id, source_id, key, side, content, fields, call_id, began_at, seen_at, import_id, chunk_id, line, joined"
CALL = ""
"""The side of the row that stands for the call itself: it is locked, and says whether the call is whole."""


@dataclass(slots=True)
class Joined:
    """What became of a chunk's halves: records that are whole now, parts that cannot be, and how many of the rest."""

    rows: list[UsageRow] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)
    waiting: int = 0
    joined: int = 0
    duplicates: int = 0


@dataclass(slots=True)
class _Part:
    """One side of a call. `half` where it came in this chunk; `id` where it was stored before."""

    content: bytes
    fields: dict[str, str]
    joined: bool
    half: Half | None = None
    id: UUID | None = None


@dataclass(slots=True)
class _Call:
    whole: bool
    parts: dict[str, _Part] = field(default_factory=dict)


class Rejoined(Exception):
    """Somebody else brought parts of these calls meanwhile. Nothing was written; foresee again."""


def foresee(source: UUID, halves: Sequence[Half]) -> Joined:
    """What the halves come to as things stand. Writes and locks nothing.

    rows + bad + waiting + joined + duplicates are as many as the halves.
    """
    return _join(_known(source, {half.key for half in halves}), halves) if halves else Joined()


def join_halves(source: UUID, chunk: UsageChunk, halves: Sequence[Half], foreseen: Joined) -> None:
    """Store the chunk's halves and what they complete. In the open transaction; locks the calls until commit.

    Counts of other chunks, whose halves waited until now, are moved from waiting to joined. Raises Rejoined where it
    came out otherwise than foreseen.
    """
    if not halves:
        return
    keys = sorted({half.key for half in halves})
    _lock(source, chunk, keys)
    calls = _known(source, keys)
    whole_before = {key for key, call in calls.items() if call.whole}
    if _join(calls, halves) != foreseen:
        raise Rejoined
    _store_new(source, chunk, calls)
    _settle(source, chunk, calls, whole_before)


def _join(calls: dict[bytes, _Call], halves: Sequence[Half]) -> Joined:
    """Take the halves into the calls, in their order."""
    made = Joined()
    for half in halves:
        _take(calls[half.key], half, made)
    own = [part for call in calls.values() for part in call.parts.values() if part.half]
    completing = {row.line for row in made.rows}
    made.waiting = sum(1 for part in own if not part.joined)
    made.joined = sum(1 for part in own if part.joined and part.half and part.half.line not in completing)
    return made


def _take(call: _Call, half: Half, made: Joined) -> None:
    kept = call.parts.get(half.side)
    if half.row is not None:
        call.whole = True
        made.rows.append(half.row)
    elif kept is not None:
        _take_again(call, half, kept, made)
    else:
        part = _Part(half.content, dict(half.fields), call.whole, half)
        other = call.parts.get({BEGIN: END, END: BEGIN}.get(half.side, CALL))
        if other is not None and not call.whole:
            begin, end = (part, other) if half.side == BEGIN else (other, part)
            if not _complete(half, begin, end, made):
                return
            call.whole = part.joined = True
        call.parts[half.side] = part
    if call.whole:
        for part in call.parts.values():
            part.joined = True


def _take_again(call: _Call, half: Half, kept: _Part, made: Joined) -> None:
    if kept.content != half.content:
        reason = _("This part of the call %s came before with other figures.") % half.call_id
        made.bad.append(bad_row(half.line, half.text, "call_id", "conflict", reason))
    elif kept.joined and half.side == END and BEGIN in call.parts and kept.half is None:
        _complete(half, call.parts[BEGIN], kept, made)
    else:
        made.duplicates += 1


def _complete(half: Half, begin: _Part, end: _Part, made: Joined) -> bool:
    """Make the record; what cannot be one sends the half to the quarantine, and its other half goes on waiting."""
    try:
        made.rows.append(span_row(half.line, half.text, begin.fields, end.fields))
    except FieldError as error:
        made.bad.append(bad_row(half.line, half.text, error.field, error.code, error.reason))
        return False
    return True


def _lock(source: UUID, chunk: UsageChunk, keys: Sequence[bytes]) -> None:
    """A row for each call, made where it is missing, locked in the order of the keys."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO rating_half ({COLUMNS}) SELECT gen_random_uuid(), %s, one, %s, '', '{{}}', '', now(), now(),"
            " %s, %s, 0, false FROM unnest(%s::bytea[]) one ON CONFLICT (source_id, key, side)"
            " DO UPDATE SET joined = rating_half.joined",
            [source, CALL, chunk.usage_import_id, chunk.pk, bytea_array(keys)],
        )


def _known(source: UUID, keys: Iterable[bytes]) -> dict[bytes, _Call]:
    """The calls with the parts that came before."""
    calls = {key: _Call(False) for key in keys}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, key, side, content, fields::text, joined FROM rating_half"
            " WHERE source_id = %s AND key = ANY(%s::bytea[])",
            [source, bytea_array(calls)],
        )
        for pk, key, side, content, said, joined in cursor.fetchall():
            call = calls[bytes(key)]
            if side == CALL:
                call.whole = joined
            else:
                call.parts[side] = _Part(bytes(content), json.loads(said), joined, None, pk)
    return calls


def _store_new(source: UUID, chunk: UsageChunk, calls: dict[bytes, _Call]) -> None:
    now, lines = timezone.now(), []
    for key, call in calls.items():
        for side, part in call.parts.items():
            if part.half is None or part.id is not None:
                continue
            half = part.half
            values = (
                uuid7(),
                source,
                f"\\x{key.hex()}",
                side,
                f"\\x{part.content.hex()}",
                json.dumps(part.fields),
                half.call_id,
                half.at,
                now,
                chunk.usage_import_id,
                chunk.pk,
                half.line,
                "t" if part.joined else "f",
            )
            lines.append(copy_fields(values) + "\n")
    copy_rows("rating_half", COLUMNS, lines)


def _settle(source: UUID, chunk: UsageChunk, calls: dict[bytes, _Call], whole_before: set[bytes]) -> None:
    """Calls that became whole say so, and so do the parts of theirs that waited, where they were counted."""
    whole = [key for key, call in calls.items() if call.whole and key not in whole_before]
    if not whole:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE rating_half SET joined = true WHERE source_id = %s AND key = ANY(%s::bytea[]) AND NOT joined"
            " RETURNING side, chunk_id",
            [source, bytea_array(whole)],
        )
        waited = Counter(chunk_id for side, chunk_id in cursor.fetchall() if side != CALL)
    for chunk_id in sorted(waited, key=lambda one: one.hex):
        if chunk_id != chunk.pk:
            moved = waited[chunk_id]
            UsageChunk.objects.filter(pk=chunk_id).update(waiting=F("waiting") - moved, joined=F("joined") + moved)
