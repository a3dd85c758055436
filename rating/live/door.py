"""The door that switches knock at: plain views, no session, no cookies, one decision each.

    POST /api/v1/calls/authorize    account or caller, to, call_id, switch, src_ip, src_port, user_agent, requested_s?
    POST /api/v1/calls/start        call_id, switch, answered_at?
    POST /api/v1/calls/interim      call_id, switch, duration
    POST /api/v1/calls/end          call_id, switch, duration, answered_at?
    POST /api/v1/calls/failed       call_id, switch

JSON or a form; numbers may come as text. `Authorization: Bearer <key>` names the switch. The HTTP status follows the
answer, since some switches look at nothing else; a door that cannot ask the database refuses, but for emergencies.
"""

from __future__ import annotations

import json
import logging
from base64 import b64decode
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from django.db import DatabaseError
from django.http import HttpRequest, JsonResponse
from django.utils.dateparse import parse_datetime
from django.views.decorators.csrf import csrf_exempt

from rating.live import asking, ending, switches
from rating.live.asking import Ask, Decision
from rating.live.emergency import EMERGENCY_SECONDS, is_emergency
from rating.live.switches import Switch
from rating.pricing.current import current_engine
from tiers.errors import TollgateError

MAX_BODY_BYTES: Final = 64 * 1024
MAX_TEXT: Final = 255
HTTP_OF_SIP: Final = {402: 402, 403: 403, 404: 404, 486: 403, 503: 503}
log = logging.getLogger(__name__)

Said = Mapping[str, Any]
Handler = Callable[[Switch, Said], dict[str, Any]]


class Refused(Exception):
    """What is wrong with a knock: HTTP status, code, words."""

    def __init__(self, status: int, code: str, title: str) -> None:
        super().__init__(title)
        self.status, self.code, self.title = status, code, title


@csrf_exempt
def authorize(request: HttpRequest) -> JsonResponse:
    """May this call be made? An emergency call always may, whoever asks and whatever is down."""
    try:
        said = body_of(request)
        key = key_of(request, said)
        plan = switches.known_switch(key) if key else None
        if is_emergency(text(said, "to"), plan.plan if plan else None):
            return JsonResponse(decision_json(Decision(True, EMERGENCY_SECONDS, 200, "emergency")))
        switch = switch_at(request, key)
        decision = asking.authorize(switch, ask_of(said), current_engine())
        return JsonResponse(decision_json(decision), status=http_status(decision))
    except Refused as refused:
        return problem(refused)
    except (DatabaseError, TollgateError) as error:
        return unavailable(error)


def event(handler: Handler) -> Callable[[HttpRequest], JsonResponse]:
    """A view for what a switch tells afterwards; an event that came before is answered alike."""

    @csrf_exempt
    def view(request: HttpRequest) -> JsonResponse:
        try:
            said = body_of(request)
            switch = switch_at(request, key_of(request, said))
            return JsonResponse(handler(switch, said))
        except Refused as refused:
            return problem(refused)
        except TollgateError as error:
            return problem(Refused(error.status, error.code, error.message))
        except DatabaseError as error:
            return unavailable(error)

    return view


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
def body_of(request: HttpRequest) -> Said:
    """The request's fields. Raises Refused."""
    if request.method != "POST":
        raise Refused(405, "method", "Knock with POST.")
    if int(request.META.get("CONTENT_LENGTH") or 0) > MAX_BODY_BYTES:
        raise Refused(413, "too_large", "A call is told in less than 64 KB.")
    if request.content_type != "application/json":
        return request.POST.dict()
    try:
        said = json.loads(request.body or b"{}")
    except ValueError:
        raise Refused(400, "json", "The body is not JSON.") from None
    if not isinstance(said, dict):
        raise Refused(400, "json", "The body is not a JSON object.")
    return said


def key_of(request: HttpRequest, said: Said) -> str:
    """`Bearer <key>`, or the password of `Basic` where a switch can do no better, or a field of the body."""
    scheme, _space, shown = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return shown.strip()
    if scheme.lower() == "basic":
        try:
            return b64decode(shown, validate=True).decode("ascii").partition(":")[2]
        except ValueError:
            return ""
    return str(said.get("key") or "")


def switch_at(request: HttpRequest, key: str) -> Switch:
    """The switch that shows the key, at an address it may come from. Raises Refused."""
    switch = switches.switch_of(key) if key else None
    if switch is None:
        raise Refused(401, "key", "This key is not known, or was revoked.")
    if not switch.may_come_from(str(request.META.get("REMOTE_ADDR", ""))):
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


def text(said: Said, name: str) -> str:
    value = said.get(name)
    if value is None:
        return ""
    if not isinstance(value, str | int):
        raise Refused(400, "field", f"`{name}` is text.")
    return str(value).replace("\0", "").strip()[:MAX_TEXT]


def number(said: Said, name: str, most: int) -> int | None:
    value = said.get(name)
    if value is None or value == "":
        return None
    try:
        whole = int(str(value).strip())
    except ValueError:
        raise Refused(400, "field", f"`{name}` is a whole number.") from None
    return min(whole, most) if whole >= 0 else None


def moment(said: Said, name: str) -> datetime | None:
    """A time with its offset; one that cannot be read is none, since the event itself must not be lost."""
    value = said.get(name)
    try:
        found = parse_datetime(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None


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


def problem(refused: Refused) -> JsonResponse:
    body = {"type": "about:blank", "title": refused.title, "status": refused.status, "code": refused.code}
    body |= {"allow": False, "max_seconds": 0, "sip_code": 503 if refused.status >= 500 else 403}
    return JsonResponse(body, status=refused.status, content_type="application/problem+json")


def unavailable(error: Exception) -> JsonResponse:
    log.warning("a knock could not be answered: %s", type(error).__name__)
    return problem(Refused(503, "unavailable", "The service is not available at the moment."))
