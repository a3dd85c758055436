"""The door for RADIUS devices: FreeRADIUS speaks HTTP by rlm_rest, and this is what it asks and hears.

    POST /radius/authorize     attributes of an Access-Request; 200 with reply attributes, or 401 with a reason
    POST /radius/accounting    attributes of an Accounting-Request; 204

Attributes come as `{"Name": {"type": ..., "value": [...]}}`. A refusal is always HTTP 401: on any other status the
device's user hears nothing of the reason. A call that two legs report (answer and originate) is charged once, since
both carry the session's id. The figures that a device names are distrusted as everywhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.db import DatabaseError

from rating.live import asking, door, ending, guard
from rating.live.asking import Ask
from rating.live.door import decided, switch_at
from rating.live.emergency import EMERGENCY_SECONDS, is_emergency
from rating.live.knock import MAX_TEXT, Answer, Knock, Refused, told
from rating.live.switches import Switch
from tiers.errors import NotFound, TollgateError

INTERIM_S: Final = 60
RETURN_CODES: Final = {402: 2, 403: 14, 404: 6, 486: 7, 503: 5}
"""h323-return-code, as Cisco lists them: 2 no money, 5 service, 6 number, 7 in use, 14 blocked."""

Attributes = Mapping[str, Any]


def authorize(knock: Knock) -> Answer:
    """May this session have a call, and for how long?"""
    try:
        said = knock.said()
        key = knock.key(said)
        to = first(said, "Called-Station-Id")
        if is_emergency(to, None):
            return accepted(EMERGENCY_SECONDS)
        switch = switch_at(knock, key)
        if is_emergency(to, switch.plan):
            return accepted(EMERGENCY_SECONDS)
        decision = decided(switch, ask_of(said))
    except Refused as refused:
        return rejected(refused.title, 5)
    except (DatabaseError, TollgateError) as error:
        door.unavailable(error)
        return rejected("The service is not available at the moment.", 5)
    if decision.allow:
        return accepted(decision.max_seconds)
    return rejected(asking.reason_text(decision.code), RETURN_CODES.get(decision.sip_code, 5))


def accounting(knock: Knock) -> Answer:
    """Start, interim or stop of a session. Of one that was never asked for, nothing is known here: its CDR tells."""
    try:
        said = knock.said()
        switch = switch_at(knock, knock.key(said))
        guard.in_time(lambda: _tell(switch, said))
    except NotFound:
        return Answer(204)
    except Refused as refused:
        return Answer(401, refused.title.encode(), "text/plain")
    except (DatabaseError, TollgateError) as error:
        return door.unavailable(error)
    return Answer(204)


def _tell(switch: Switch, said: Attributes) -> None:
    kind, lasted = first(said, "Acct-Status-Type"), first(said, "Acct-Session-Time")
    call = ending.find(switch, call_id_of(said))
    if kind == "Start":
        ending.started(switch, call)
    elif kind == "Interim-Update":
        ending.going_on(switch, call, lasted)
    elif kind == "Stop":
        ending.ended(call, lasted or 0)


def first(said: Attributes, name: str) -> str:
    """The first value of an attribute as text; empty where there is none."""
    attribute = said.get(name)
    if isinstance(attribute, dict):
        values = attribute.get("value")
        attribute = values[0] if isinstance(values, list) and values else values
    return "" if attribute is None else str(attribute).strip()[:MAX_TEXT]


def pair(said: Attributes, name: str) -> str:
    """A value of the form `name=value` among the vendor's pairs."""
    attribute = said.get("Cisco-AVPair")
    values = attribute.get("value", []) if isinstance(attribute, dict) else []
    for one in values if isinstance(values, list) else [values]:
        before, _equals, after = str(one).partition("=")
        if before.strip() == name:
            return after.strip()[:MAX_TEXT]
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


def accepted(seconds: int) -> Answer:
    return told(
        {
            "control:Auth-Type": "Accept",
            "reply:Session-Timeout": seconds,
            "reply:h323-credit-time": f"h323-credit-time={seconds}",
            "reply:h323-return-code": "h323-return-code=0",
            "reply:Acct-Interim-Interval": INTERIM_S,
        }
    )


def rejected(reason: str, return_code: int) -> Answer:
    body = {"reply:Reply-Message": reason, "reply:h323-return-code": f"h323-return-code={return_code}"}
    return told(body, 401)
