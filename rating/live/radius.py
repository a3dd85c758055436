"""The door for RADIUS devices: FreeRADIUS speaks HTTP by rlm_rest, and this is what it asks and hears.

    POST /radius/authorize     attributes of an Access-Request; 200 with reply attributes, or 401 with a reason
    POST /radius/accounting    attributes of an Accounting-Request; 204

Attributes come as `{"Name": {"type": ..., "value": [...]}}`. A refusal is always HTTP 401: on any other status the
device's user hears nothing of the reason. A call that two legs report (answer and originate) is charged once, since
both carry the session's id. The figures that a device names are distrusted as everywhere else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from rating.live import asking, door, ending
from rating.live.asking import Ask
from rating.live.door import Refused, body_of, key_of, switch_at
from rating.live.emergency import EMERGENCY_SECONDS, is_emergency
from rating.pricing.current import current_engine
from tiers.errors import NotFound, TollgateError

INTERIM_S: Final = 60
RETURN_CODES: Final = {402: 2, 403: 14, 404: 6, 486: 7, 503: 5}
"""h323-return-code, as Cisco lists them: 2 no money, 5 service, 6 number, 7 in use, 14 blocked."""

Attributes = Mapping[str, Any]


@csrf_exempt
def authorize(request: HttpRequest) -> HttpResponse:
    """May this session have a call, and for how long?"""
    try:
        said = body_of(request)
        key = key_of(request, said)
        to = first(said, "Called-Station-Id")
        if is_emergency(to, None):
            return accepted(EMERGENCY_SECONDS)
        switch = switch_at(request, key)
        if is_emergency(to, switch.plan):
            return accepted(EMERGENCY_SECONDS)
        decision = asking.authorize(switch, ask_of(said), current_engine())
    except Refused as refused:
        return rejected(refused.title, 5)
    except (DatabaseError, TollgateError) as error:
        door.unavailable(error)
        return rejected("The service is not available at the moment.", 5)
    if decision.allow:
        return accepted(decision.max_seconds)
    return rejected(asking.reason_text(decision.code), RETURN_CODES.get(decision.sip_code, 5))


@csrf_exempt
def accounting(request: HttpRequest) -> HttpResponse:
    """Start, interim or stop of a session. Of one that was never asked for, nothing is known here: its CDR tells."""
    try:
        said = body_of(request)
        switch = switch_at(request, key_of(request, said))
        kind = first(said, "Acct-Status-Type")
        call = ending.find(switch, call_id_of(said))
        lasted = first(said, "Acct-Session-Time")
        if kind == "Start":
            ending.started(switch, call)
        elif kind == "Interim-Update":
            ending.going_on(switch, call, lasted)
        elif kind == "Stop":
            ending.ended(call, lasted or 0)
    except NotFound:
        return HttpResponse(status=204)
    except Refused as refused:
        return HttpResponse(refused.title, status=401, content_type="text/plain")
    except (DatabaseError, TollgateError) as error:
        return door.unavailable(error)
    return HttpResponse(status=204)


def first(said: Attributes, name: str) -> str:
    """The first value of an attribute as text; empty where there is none."""
    attribute = said.get(name)
    if isinstance(attribute, dict):
        values = attribute.get("value")
        attribute = values[0] if isinstance(values, list) and values else values
    return "" if attribute is None else str(attribute).strip()[: door.MAX_TEXT]


def pair(said: Attributes, name: str) -> str:
    """A value of the form `name=value` among the vendor's pairs."""
    attribute = said.get("Cisco-AVPair")
    values = attribute.get("value", []) if isinstance(attribute, dict) else []
    for one in values if isinstance(values, list) else [values]:
        before, _equals, after = str(one).partition("=")
        if before.strip() == name:
            return after.strip()[: door.MAX_TEXT]
    return ""


def call_id_of(said: Attributes) -> str:
    """The session: one id for all legs of a call, as the reader of `detail` files knows it too."""
    conference = first(said, "h323-conf-id").removeprefix("h323-conf-id=").strip()
    return pair(said, "call-id") or conference or first(said, "Acct-Session-Id")


def ask_of(said: Attributes) -> Ask:
    to, call_id = first(said, "Called-Station-Id"), call_id_of(said)
    if not to or not call_id:
        raise Refused(401, "missing", "A request needs Called-Station-Id and an id of its session.")
    agent = pair(said, "h323-ivr-out")
    return Ask(
        call_id=call_id,
        to=to,
        account=first(said, "User-Name"),
        caller=first(said, "Calling-Station-Id"),
        src_ip=asking.address(first(said, "h323-remote-address") or first(said, "User-Name")),
        user_agent=agent.removeprefix("sip_ua:"),
    )


def accepted(seconds: int) -> JsonResponse:
    return JsonResponse(
        {
            "control:Auth-Type": "Accept",
            "reply:Session-Timeout": seconds,
            "reply:h323-credit-time": f"h323-credit-time={seconds}",
            "reply:h323-return-code": "h323-return-code=0",
            "reply:Acct-Interim-Interval": INTERIM_S,
        }
    )


def rejected(reason: str, return_code: int) -> HttpResponse:
    body = {"reply:Reply-Message": reason, "reply:h323-return-code": f"h323-return-code={return_code}"}
    return HttpResponse(json.dumps(body), status=401, content_type="application/json")
