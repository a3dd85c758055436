"""Records of a file that tell of live calls: never rated, for the call was charged as it was made.

They take their keys like any record, pointing at the live call's, so the same line again is a duplicate; each is kept
with what became of it. Calls of which a file tells something new are settled or corrected in the chunk's transaction,
under locks in the order of live calls: the calls by id, then limits by id, then all wallets of the chunk by id.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
import polars as pl
from django.db import connection
from django.utils import timezone
from numpy.typing import NDArray

from accounts.services.ledger import lock_wallets
from rating.batch.times import moment_of
from rating.live.bill import Outcome, settlement
from rating.live.telling import Became, Told, agrees, lock, told_by_file
from rating.models import Done, LiveCall, LiveStatus, UsageImport
from rating.numbers.columns import NONE
from rating.services.binary import digests
from rating.services.copying import copy_fields, copy_rows, text_array, uuid_array
from rating.services.records import Records
from rating.services.sorting import Flags, Keyed
from tiers.ids import uuid7

COLUMNS = "id, live_call_id, usage_import_id, line, duration_s, answered_at, live_s, done, odd, created_at"
LIVE = "live"
"""The column of a frame that says which of the source's live calls a record is of; NONE: of none."""


class Known(NamedTuple):
    """A live call as it stood when the chunk was made ready. `live_s` None: it was open."""

    id: UUID
    status: str
    asked_at: datetime
    live_s: int | None
    record_id: UUID | None


class LiveCalls:
    """The live calls of one source, asked for chunk by chunk; of one that never asked live, nothing is asked."""

    def __init__(self, source: UUID) -> None:
        self._source = source
        self._any = LiveCall.objects.filter(source=source).exists()

    def marked(self, records: Records) -> tuple[Records, Sequence[Known]]:
        """The records with the column LIVE, where any is of a live call that was let through; and these calls."""
        frame = records.frame
        known = self._named({*frame["call_id"].unique(), *frame["session"].unique()} - {""}) if self._any else {}
        if not known:
            return records, ()
        calls: dict[UUID, int] = {}
        found: list[Known] = []
        places = []
        for call_id, session, started_us in frame.select("call_id", "session", "started_us").iter_rows():
            named = known.get(call_id) or known.get(session)
            if named is None:
                places.append(NONE)
                continue
            nearest = named[0] if len(named) == 1 else _nearest(named, started_us)
            at = calls.setdefault(nearest.id, len(found))
            if at == len(found):
                found.append(nearest)
            places.append(at)
        return Records(frame.with_columns(pl.Series(LIVE, places, dtype=pl.Int32)), records.text), found

    def _named(self, names: Iterable[str]) -> dict[str, list[Known]]:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT call_id, id, status, asked_at, CASE WHEN status IN ('ended', 'failed', 'reaped')"
                " THEN duration_s + overrun_s END, record_id FROM rating_livecall"
                " WHERE source_id = %s AND call_id = ANY(%s::text[]) AND status <> 'refused' ORDER BY id",
                [self._source, text_array(names)],
            )
            known: dict[str, list[Known]] = {}
            for call_id, *rest in cursor.fetchall():
                known.setdefault(call_id, []).append(Known(*rest))
            return known


def _nearest(named: Sequence[Known], started_us: int) -> Known:
    """Two switches of a source gave the same id: the call that was asked for nearest to the record's start."""
    started_at = moment_of(started_us)
    assert started_at is not None
    return min(named, key=lambda one: abs(one.asked_at - started_at))


@dataclass(slots=True)
class Telling:
    """What the new records of a chunk tell of live calls. `rows` are those of `keyed` that nobody told before."""

    usage_import: UsageImport
    keyed: Keyed
    calls: Sequence[Known]
    rows: NDArray[np.intp] = field(default_factory=lambda: np.zeros(0, dtype=np.intp))
    _told: dict[int, tuple[int, Told]] = field(default_factory=dict)
    _fresh: dict[UUID, LiveCall] = field(default_factory=dict)
    _records: dict[UUID, UUID] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.rows)

    def new(self) -> Keyed:
        """The records that nobody told before."""
        return self.keyed.only(self.rows)

    def take(self, rows: NDArray[np.intp]) -> None:
        """These rows are new. Of a call's several the longest counts; books that a charge may need are opened."""
        self.rows, self._told = rows, {}
        for row, call, told in zip(rows.tolist(), self._call_at(), self._tellings(), strict=True):
            if call not in self._told or told.duration_s > self._told[call][1].duration_s:
                self._told[call] = (row, told)
        chargeable = [one.id for one in self._open() if one.live_s is None or one.status == LiveStatus.FAILED]
        for call in LiveCall.objects.filter(pk__in=chargeable):
            settlement(call, Outcome(LiveStatus.ENDED, 1, call.asked_at, timezone.now(), ""))

    def lock(self) -> None:
        """In the transaction, before any key is claimed: the calls that this may change, read anew."""
        self._fresh = {}
        wanted = [one.id for one in self._open()]
        if wanted:
            lock(wanted)
            self._fresh = LiveCall.objects.in_bulk(wanted)
        self._records = {one.id: one.record_id for one in self.calls if one.record_id is not None}
        self._records |= {pk: call.record_id or uuid7(call.asked_at) for pk, call in self._fresh.items()}

    def record_ids(self) -> NDArray[np.void]:
        """Of each new row the live call's record."""
        return digests([self._records[self.calls[call].id].bytes for call in self._call_at()])

    def settle(self, accounts: Iterable[UUID]) -> None:
        """Settle and correct, and keep every row with what became of it. `accounts`: those that the chunk moves too."""
        became = self._settled(accounts) if self._fresh else {}
        now, lines = timezone.now(), []
        frame = self.keyed.records.frame[self.rows]
        cells = zip(self.rows.tolist(), self._call_at(), frame["line"].to_list(), self._tellings(), strict=True)
        for row, at, line, told in cells:
            call = self.calls[at]
            counts = self._told[at][0] == row
            done = became[call.id] if counts and call.id in became else Became(Done.SAME, call.live_s)
            odd = counts and done.odd(told.duration_s)
            whose = (uuid7(), call.id, self.usage_import.pk, line, told.duration_s, told.answered_at, done.live_s)
            lines.append(copy_fields((*whose, str(done.done), "t" if odd else "f", now)) + "\n")
        copy_rows("rating_reconciled", COLUMNS, lines)

    def _settled(self, accounts: Iterable[UUID]) -> dict[UUID, Became]:
        calls = self._fresh.values()
        _lock_limits({slot for call in calls if call.is_open for slot in call.slots})
        _lock_days([one for call in calls for one in call.spends])
        lock_wallets({*accounts, *(wallet for call in calls for wallet in call.wallets)})
        became = {}
        for at, (_row, told) in sorted(self._told.items()):
            call = self._fresh.get(self.calls[at].id)
            if call is not None:
                became[call.pk] = told_by_file(call, told, self._records[call.pk])
        return became

    def _open(self) -> list[Known]:
        """The calls of which something new is told."""
        return [
            self.calls[at]
            for at, (_row, told) in self._told.items()
            if (live_s := self.calls[at].live_s) is None or not agrees(self.calls[at].status, live_s, told.duration_s)
        ]

    def _call_at(self) -> list[int]:
        places: list[int] = self.keyed.records.frame[self.rows][LIVE].to_list()
        return places

    def _tellings(self) -> list[Told]:
        frame = self.keyed.records.frame[self.rows].select("duration_s", "answered", "answered_us")
        return [
            Told(duration_s if answered else 0, None if answered_us is None else moment_of(answered_us))
            for duration_s, answered, answered_us in frame.iter_rows()
        ]


def _lock_limits(slots: Iterable[UUID]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM rating_calllimit WHERE id = ANY(%s::uuid[]) ORDER BY id FOR NO KEY UPDATE",
            [uuid_array(slots)],
        )


def _lock_days(spends: list[dict[str, Any]]) -> None:
    """The days of limited wallets that these calls count to."""
    if not spends:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM rating_dayspend WHERE (wallet_id, day) IN (SELECT s.wallet, s.day"
            " FROM jsonb_to_recordset(%s) AS s(wallet uuid, day date)) ORDER BY wallet_id, day FOR NO KEY UPDATE",
            [json.dumps(spends)],
        )


def is_live(records: Records) -> Flags | None:
    """Which records `marked` found to be of live calls; None where none is."""
    return records.frame[LIVE].to_numpy() != NONE if LIVE in records.frame.columns else None


def apart(usage_import: UsageImport, keyed: Keyed, calls: Sequence[Known]) -> tuple[Telling | None, Keyed]:
    """The records that tell of live calls, and the others."""
    if not calls:
        return None, keyed
    mine = keyed.column(LIVE) != NONE
    return Telling(usage_import, keyed.only(np.flatnonzero(mine)), calls), keyed.only(np.flatnonzero(~mine))
