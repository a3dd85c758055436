"""What a call really was, told after it was over, or instead of its end: late by the switch, or by the switch's file.

A call is settled once; which of end, reaper and file comes first does not matter. What the reaper assumed is corrected
by the first that knows better. What a switch said at the end of a call is a promise to all who paid by it: its file
changes nothing of it, but is kept beside it; only the carrier is paid for seconds beyond what was allowed. A file may
tell of a leg before the call is over: what only files told of lasts as long as the longest of them, or as its end says.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from django.db import connection
from django.utils import timezone

from accounts.services.transactions import in_transaction
from rating.live.asking import LOCK_TIMEOUT_MS
from rating.live.bill import Outcome
from rating.live.correcting import Correction, Truth, correction
from rating.live.settling import CLOCK_SLACK_S, NO_ANSWER, settle
from rating.live.terms import ANSWERED_WITHIN
from rating.models import Done, LiveCall, LiveStatus
from tiers.ids import uuid7

TOLERANCE_S: Final = 2
"""By how much two clocks may differ over one call."""


class Told(NamedTuple):
    """What was told: seconds, 0 where nobody answered; when it was answered, where that was said."""

    duration_s: int
    answered_at: datetime | None = None


class Became(NamedTuple):
    """What was done about it. `live_s`: the seconds known before; None where the call was open."""

    done: str
    live_s: int | None

    def odd(self, told_s: int) -> bool:
        return self.live_s is not None and abs(self.live_s - told_s) > TOLERANCE_S


def lasted_s(call: LiveCall) -> int | None:
    """What a call that is over lasted as far as is known, the seconds beyond the allowed ones too."""
    return None if call.is_open else call.duration_s + call.overrun_s


def agrees(status: str, live_s: int, told_s: int) -> bool:
    """Whether nothing is to be done about a call that is over."""
    return (status == LiveStatus.ENDED and abs(live_s - told_s) <= TOLERANCE_S) or (
        status == LiveStatus.FAILED and not told_s
    )


def told_late(call: LiveCall, told_s: int) -> LiveCall:
    """The switch's own end of a call that we had closed: what we assumed is corrected. Else nothing changes."""

    def work() -> None:
        lock([call.pk])
        call.refresh_from_db()
        live_s = lasted_s(call)
        if live_s is None or not may_be_told(call, told_s):
            return
        done = _corrected(call, Told(told_s), "its end was told late")
        telling = {
            "id": str(uuid7()),
            "live_call_id": str(call.pk),
            "duration_s": told_s,
            "live_s": live_s,
            "done": done,
            "odd": Became(done, live_s).odd(told_s),
            "created_at": timezone.now().isoformat(),
        }
        with connection.cursor() as cursor:
            cursor.execute("SELECT rating_live_told(%s)", [json.dumps(telling)])

    in_transaction(work, lock_timeout_ms=4 * LOCK_TIMEOUT_MS)
    call.refresh_from_db()
    return call


def assumed(call: LiveCall) -> bool:
    """Closed by us, without knowing how it went."""
    return call.status == LiveStatus.REAPED or (call.status == LiveStatus.FAILED and call.oddity == NO_ANSWER)


def may_be_told(call: LiveCall, told_s: int) -> bool:
    """Whether a call that is over is charged for what was assumed, or for less than now told and only by files."""
    longer = told_s > call.duration_s + call.overrun_s + TOLERANCE_S
    return assumed(call) or (longer and only_files_told(call))


def only_files_told(call: LiveCall) -> bool:
    """Whether files alone said how long the call was."""
    telling = call.tellings.filter(done__in=[Done.ENDED, Done.CORRECTED, Done.CHARGED])
    said = list(telling.values_list("usage_import", flat=True))
    return bool(said) and None not in said


def told_by_file(call: LiveCall, told: Told, record_id: UUID) -> Became:
    """A line of the switch's file, the longest of a call's. `call` is locked and fresh (`lock`).

    An open call is ended by it, and becomes the record of this id.
    """
    live_s, most_s = lasted_s(call), _most_s(call)
    if live_s is None and call.status == LiveStatus.TALKING and not told.duration_s:
        return Became(Done.NOTED, None)
    if live_s is None:
        told = told._replace(duration_s=min(told.duration_s, most_s))
        answered_at = _answered_at(call, told)
        status = LiveStatus.ENDED if told.duration_s else LiveStatus.FAILED
        ended_at, said = _ended_at(answered_at, told), "its end was told by file"
        settle(call, Outcome(status, told.duration_s, answered_at, ended_at, said), record_id)
        return Became(Done.ENDED, None)
    if told.duration_s > most_s:
        return _noted(call, told, live_s)
    if call.status == LiveStatus.REAPED or (call.status == LiveStatus.FAILED and told.duration_s):
        return Became(_corrected(call, told, "its file told"), live_s)
    if told.duration_s > live_s + TOLERANCE_S and only_files_told(call):
        return Became(_corrected(call, told, "another record told"), live_s)
    if agrees(call.status, live_s, told.duration_s):
        return Became(Done.SAME, live_s)
    if told.duration_s > max(call.max_seconds, live_s):
        return Became(_carried_longer(call, told), live_s)
    return _noted(call, told, live_s)


def lock(calls: list[UUID]) -> None:
    """These calls, in one order, until commit; and no re-rating corrects them meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT rating_live_lock(%s::uuid[])", [calls])


def _corrected(call: LiveCall, told: Told, how: str) -> str:
    """Charge what was told instead of what was assumed; what was done, by its name."""
    answered_at = _answered_at(call, told)
    said = f"{how}: {told.duration_s} s, charged before for {call.duration_s} s"
    truth = Truth(
        min(told.duration_s, call.max_seconds), told.duration_s, answered_at, _ended_at(answered_at, told), said
    )
    first = not call.duration_s
    made = correction(call, truth)
    _write(call, made)
    return Done.CHARGED if first and made.rated else Done.CORRECTED if made.moved else Done.SAME


def _noted(call: LiveCall, told: Told, live_s: int) -> Became:
    said = f"its file says {told.duration_s} s, charged were {live_s} s"
    LiveCall.objects.filter(pk=call.pk).update(oddity=said)
    return Became(Done.NOTED, live_s)


def _carried_longer(call: LiveCall, told: Told) -> str:
    live_s = call.duration_s + call.overrun_s
    said = f"its file says {told.duration_s} s, its end said {live_s} s; allowed were {call.max_seconds} s"
    truth = Truth(call.duration_s, told.duration_s, call.answered_at, None, said)
    _write(call, correction(call, truth))
    return Done.OVERRUN


def _write(call: LiveCall, made: Correction) -> None:
    parts = (made.outcome, made.transfers, made.rated, made.corrections, made.facts)
    with connection.cursor() as cursor:
        values = [json.dumps(part) for part in parts]
        cursor.execute("SELECT rating_live_correct(%s, %s, %s, %s, %s, %s)", [call.pk, *values])


def _answered_at(call: LiveCall, told: Told) -> datetime:
    """As the switch reported it live; else as told now, where the frozen prices hold for it."""
    if call.answered_at is not None:
        return call.answered_at
    moment, slack = told.answered_at, timedelta(seconds=CLOCK_SLACK_S)
    if moment is None or not call.asked_at - slack <= moment <= timezone.now() + slack:
        return call.asked_at
    return min(max(moment, call.asked_at), call.asked_at + ANSWERED_WITHIN)


def _ended_at(answered_at: datetime, told: Told) -> datetime:
    return answered_at + timedelta(seconds=told.duration_s)


def _most_s(call: LiveCall) -> int:
    """No call lasted longer than since it was asked for."""
    return int((timezone.now() - call.asked_at).total_seconds()) + CLOCK_SLACK_S
