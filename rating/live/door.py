"""The door that switches knock at: no session, no cookies, one decision each.

    POST /api/v1/calls/authorize    account or caller, to, call_id, switch, src_ip, src_port, user_agent, requested_s?
    POST /api/v1/calls/start        call_id, switch, answered_at?
    POST /api/v1/calls/interim      call_id, switch, duration
    POST /api/v1/calls/end          call_id, switch, duration, answered_at?
    POST /api/v1/calls/failed       call_id, switch

JSON or a form; numbers may come as text. `Authorization: Bearer <key>` names the switch. The HTTP status follows the
answer, since some switches look at nothing else; a door that cannot ask the database refuses, but for emergencies.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final

from django.db import DatabaseError

from rating.live import asking, ending, guard, switches
from rating.live.asking import Ask, Decision
from rating.live.emergency import EMERGENCY_SECONDS, is_emergency
from rating.live.knock import PROBLEM, Answer, Door, Knock, Refused, Said, moment, number, text, told
from rating.live.standing import standing_engine
from rating.live.switches import Switch
from tiers.errors import TollgateError

HTTP_OF_SIP: Final = {402: 402, 403: 403, 404: 404, 486: 403, 503: 503}
log = logging.getLogger(__name__)

Handler = Callable[[Switch, Said], dict[str, Any]]


def authorize(knock: Knock) -> Answer:
    """May this call be made? An emergency call always may, whoever asks and whatever is down."""
    try:
        said = knock.said()
        key = knock.key(said)
        known = switches.known_switch(key) if key else None
        if is_emergency(text(said, "to"), known.plan if known else None):
            return told(decision_json(Decision(True, EMERGENCY_SECONDS, 200, "emergency")))
        decision = decided(switch_at(knock, key), ask_of(said))
        return told(decision_json(decision), http_status(decision))
    except Refused as refused:
        return problem(refused)
    except (DatabaseError, TollgateError) as error:
        return unavailable(error)


def decided(switch: Switch, ask: Ask) -> Decision:
    """The decision by the prices that stand ready, in time. Raises DatabaseError, Conflict where there is none."""
    engine = standing_engine()
    return guard.in_time(lambda: asking.authorize(switch, ask, engine))


def event(handler: Handler) -> Door:
    """What a switch tells afterwards; an event that came before is answered alike."""

    def door(knock: Knock) -> Answer:
        try:
            said = knock.said()
            switch = switch_at(knock, knock.key(said))
            return told(guard.in_time(lambda: handler(switch, said)))
        except Refused as refused:
            return problem(refused)
        except TollgateError as error:
            return problem(Refused(error.status, error.code, error.message))
        except DatabaseError as error:
            return unavailable(error)

    return door


def _start(switch: Switch, said: Said) -> dict[str, Any]:
    call = ending.find(switch, text(said, "call_id"), text(said, "switch"))
    standing = ending.started(switch, call, moment(said, "answered_at"))
    return {"call": str(call.pk), "max_seconds": standing.max_seconds}


def _interim(switch: Switch, said: Said) -> dict[str, Any]:
    call = ending.find(switch, text(said, "call_id"), text(said, "switch"))
    standing = ending.going_on(switch, call, said.get("duration"))
    return {"call": str(call.pk), "max_seconds": standing.max_seconds, "allow": call.is_open}


def _end(switch: Switch, said: Said) -> dict[str, Any]:
    call = ending.find(switch, text(said, "call_id"), text(said, "switch"))
    call = ending.ended(call, said.get("duration"), answered_at=moment(said, "answered_at"))
    return {"call": str(call.pk), "status": call.status, "charged_seconds": call.duration_s}


def _failed(switch: Switch, said: Said) -> dict[str, Any]:
    call = ending.failed(ending.find(switch, text(said, "call_id"), text(said, "switch")))
    return {"call": str(call.pk), "status": call.status, "charged_seconds": call.duration_s}


start = event(_start)
interim = event(_interim)
end = event(_end)
failed = event(_failed)


# -- what was said --------------------------------------------------------------------------------------------------
def switch_at(knock: Knock, key: str) -> Switch:
    """The switch that shows the key, at an address it may come from. Raises Refused."""
    switch = guard.in_time(lambda: switches.switch_of(key)) if key else None
    if switch is None:
        raise Refused(401, "key", "This key is not known, or was revoked.")
    if not switch.may_come_from(knock.address):
        raise Refused(401, "address", "This key is not used from this address.")
    return switch


def ask_of(said: Said) -> Ask:
    to, call_id = text(said, "to"), text(said, "call_id")
    if not to or not call_id:
        raise Refused(400, "missing", "A call needs `to` and `call_id`.")
    return Ask(
        call_id=call_id,
        to=to,
        account=text(said, "account"),
        caller=text(said, "caller"),
        switch=text(said, "switch"),
        src_ip=asking.address(text(said, "src_ip")),
        src_port=number(said, "src_port", 65_535),
        user_agent=text(said, "user_agent"),
        requested_s=number(said, "requested_s", asking.LONGEST_ASKED_S) or None,
    )


# -- the answers ----------------------------------------------------------------------------------------------------
def decision_json(decision: Decision) -> dict[str, Any]:
    return {
        "allow": decision.allow,
        "max_seconds": decision.max_seconds,
        "carrier": decision.carrier,
        "sip_code": decision.sip_code,
        "code": decision.code,
        "reason": "" if decision.allow else asking.reason_text(decision.code),
        "call": str(decision.call) if decision.call else None,
    }


def http_status(decision: Decision) -> int:
    return 200 if decision.allow else HTTP_OF_SIP.get(decision.sip_code, 403)


def problem(refused: Refused) -> Answer:
    body = {"type": "about:blank", "title": refused.title, "status": refused.status, "code": refused.code}
    body |= {"allow": False, "max_seconds": 0, "sip_code": 503 if refused.status >= 500 else 403}
    return told(body, refused.status, PROBLEM)


def unavailable(error: Exception) -> Answer:
    log.warning("a knock could not be answered: %s: %s", type(error).__name__, error)
    return problem(Refused(503, "unavailable", "The service is not available at the moment."))
