"""What a switch tells of a call that was allowed: answered, going on, ended, not answered.

Each event may come twice, late, or never. What was used is charged at every tier in one transaction, by the terms
that were frozen when the call was allowed, for at most the seconds that were allowed. Figures that the clock
contradicts are not believed, and marked.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, Decimal

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.services.transactions import in_transaction
from rating.live.asking import GRACE, LOCK_TIMEOUT_MS, LONGEST_ASKED_S
from rating.live.bill import Outcome
from rating.live.needs import Curve, curves_answered
from rating.live.settling import CLOCK_SLACK_S, NO_ANSWER, settle
from rating.live.spending import asked_again
from rating.live.switches import Switch
from rating.live.telling import assumed, may_be_told, told_late
from rating.live.terms import ANSWERED_WITHIN, from_json
from rating.models import LiveCall, LiveStatus
from tiers.errors import NotFound


@dataclass(frozen=True, slots=True)
class Standing:
    """How a call stands after an event. `max_seconds` count from its answer."""

    call: LiveCall
    max_seconds: int


def find(switch: Switch, call_id: str, name: str = "") -> LiveCall:
    """The call of this switch. Raises NotFound."""
    found = LiveCall.objects.filter(source_id=switch.source_id, switch=name[:64], call_id=call_id).first()
    if found is None:
        raise NotFound("call", _("This switch was never answered about the call %s.") % call_id)
    return found


def started(switch: Switch, call: LiveCall, answered_at: datetime | None = None) -> Standing:
    """The call was answered. Answered later than prices were frozen for, its time is reckoned anew."""
    if call.status != LiveStatus.ALLOWED:
        return Standing(call, call.max_seconds)
    now = timezone.now()
    moment = _believed(answered_at, call, now)
    with connection.cursor() as cursor:
        cursor.execute("SELECT rating_live_answer(%s, %s, %s::interval)", [call.pk, moment, _interval(GRACE)])
    call.refresh_from_db()
    if moment > call.asked_at + ANSWERED_WITHIN:
        return Standing(call, _extend(call, call.max_seconds, moment, now, anew=True))
    return Standing(call, call.max_seconds)


def going_on(switch: Switch, call: LiveCall, duration_s: object) -> Standing:
    """The call goes on: allow it another slice from where it is, as far as there is money for it."""
    if not call.is_open:
        return Standing(call, call.max_seconds)
    now = timezone.now()
    told_s = _seconds(duration_s)
    if call.answered_at is None:
        since_asked_s = int((now - call.asked_at).total_seconds())
        started(switch, call, now - timedelta(seconds=min(max(told_s or 0, 0), since_asked_s)))
        call.refresh_from_db()
    assert call.answered_at is not None
    lasted_s = max(0, int((now - call.answered_at).total_seconds()))
    if told_s is not None and 0 <= told_s <= lasted_s + CLOCK_SLACK_S:
        lasted_s = told_s
    wanted_s = min(lasted_s + switch.slice_s, LONGEST_ASKED_S)
    if wanted_s <= call.max_seconds:
        return Standing(call, call.max_seconds)
    return Standing(call, _extend(call, wanted_s, call.answered_at, now))


def ended(call: LiveCall, duration_s: object, *, answered_at: datetime | None = None) -> LiveCall:
    """The call is over after so many seconds: charge them, free the rest. Once; a second end changes nothing.

    An end that comes after the reaper corrects what he assumed, where its figure can be believed.
    """
    now = timezone.now()
    told_s = _seconds(duration_s)
    most_s = max(0, int((now - (call.answered_at or call.asked_at)).total_seconds())) + CLOCK_SLACK_S
    if not call.is_open:
        believed = told_s is not None and 0 <= told_s <= most_s and may_be_told(call, told_s)
        return told_late(call, told_s or 0) if believed else call
    oddity = ""
    if told_s is None or told_s < 0 or told_s > most_s:
        oddity = f"reported {str(duration_s)[:40]} s of at most {most_s} s"
        told_s = max(0, most_s - CLOCK_SLACK_S)
    began = call.answered_at or _believed(answered_at or now - timedelta(seconds=told_s), call, now)
    return settle(call, Outcome(LiveStatus.ENDED if told_s else LiveStatus.FAILED, told_s, began, now, oddity))


def failed(call: LiveCall) -> LiveCall:
    """Nobody answered: everything set aside is free again, and what the reaper took for the call flows back."""
    if not call.is_open:
        return told_late(call, 0) if assumed(call) else call
    return settle(call, Outcome(LiveStatus.FAILED, 0, None, timezone.now(), ""))


def reaped(call: LiveCall) -> LiveCall:
    """The end never came. An answered call is charged for all it was allowed; one never answered, for nothing.

    A switch without reports during the call cannot tell of an answer: its calls count as answered when asked for.
    """
    if not call.is_open:
        return call
    now = timezone.now()
    if call.answered_at is None and call.interims:
        return settle(call, Outcome(LiveStatus.FAILED, 0, None, now, NO_ANSWER))
    began = call.answered_at or call.asked_at
    oddity = "its end was never reported"
    return settle(call, Outcome(LiveStatus.REAPED, call.max_seconds, began, now, oddity))


def _extend(call: LiveCall, wanted_s: int, answered_at: datetime, seen: datetime, *, anew: bool = False) -> int:
    terms = from_json(call.tiers, call.cost, call.carrier_id)
    needed: list[Curve] = curves_answered(terms.tiers, wanted_s, answered_at) if terms.tiers else []
    spend = asked_again(call.spends, terms.tiers, wanted_s, answered_at)
    starts = [1]
    for curve in needed:
        starts.append(starts[-1] + len(curve.seconds))

    def work() -> int:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT rating_live_extend(%s, %s, %s, %s::uuid[], %s::int[], %s::int[], %s::bigint[], %s::interval,"
                " %s, %s::jsonb)",
                [
                    call.pk,
                    seen,
                    wanted_s,
                    [curve.wallet for curve in needed],
                    starts,
                    [second for curve in needed for second in curve.seconds],
                    [micros for curve in needed for micros in curve.micros],
                    _interval(GRACE),
                    anew,
                    json.dumps(spend) if spend else None,
                ],
            )
            return int(cursor.fetchone()[0])

    return in_transaction(work, lock_timeout_ms=LOCK_TIMEOUT_MS)


def _believed(moment: datetime | None, call: LiveCall, now: datetime) -> datetime:
    """The time of answer that a switch names, where it lies between its question and now; else now."""
    slack = timedelta(seconds=CLOCK_SLACK_S)
    if moment is None or not call.asked_at - slack <= moment <= now + slack:
        return now
    return max(moment, call.asked_at)


def _seconds(told: object) -> int | None:
    """Whole seconds, begun ones counted; None for what is no number."""
    try:
        seconds = Decimal(str(told).strip())
    except ArithmeticError:
        return None
    if not seconds.is_finite() or abs(seconds) > 10**9:
        return None
    return int(seconds.to_integral_value(ROUND_CEILING))


def _interval(length: timedelta) -> str:
    """For `%s::interval`."""
    return f"{length.total_seconds()} seconds"
