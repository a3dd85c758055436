"""The end of a call as FreeSWITCH's own mod_json_cdr posts it, taken as it comes.

    POST /api/v1/calls/freeswitch?uuid=...    the call record; `cred` of json_cdr.conf.xml is `switch:KEY`

The record arrives as JSON, or as `cdr=` percent-encoded or in base64 (setting `encode`); its values may be encoded once
more (`encode-values`). Content types are not trusted: with `disable-100-continue` the module sends JSON as a form.
Any 2xx is taken for good; on anything else it tries again, then keeps the record in a file. So calls that were never
asked for (far legs, calls inside) are answered 200 and left; a record that cannot be read is answered 400.
"""

from __future__ import annotations

import binascii
import json
from base64 import b64decode
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import unquote_plus

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from rating.live import door, ending
from rating.live.door import switch_at
from rating.live.knock import MAX_TEXT, Refused, knock_of, to_response
from rating.usage.formats.freeswitch_call import decoded
from tiers.errors import NotFound, TollgateError

MAX_BODY_BYTES: Final = 1024 * 1024
SWITCH_VARIABLE: Final = "tollgate_switch"
"""What the dialplan calls this machine at the door, where several share a source."""


@csrf_exempt
def record(request: HttpRequest) -> HttpResponse:
    """A call is over. The same record twice changes nothing."""
    try:
        knock = knock_of(request)
        switch = switch_at(knock, knock.key({}))
        variables = variables_of(whole(request))
        call_id = variables.get("uuid") or request.GET.get("uuid", "")
        call = ending.find(switch, call_id[:MAX_TEXT], variables.get(SWITCH_VARIABLE, ""))
        answered_at = answer_of(variables)
        if answered_at is None:
            call = ending.failed(call)
        else:
            call = ending.ended(call, variables.get("billsec"), answered_at=answered_at)
    except NotFound:
        return JsonResponse({"call": None, "status": "unknown"})
    except Refused as refused:
        return to_response(door.problem(refused))
    except (DatabaseError, TollgateError) as error:
        return to_response(door.unavailable(error))
    return JsonResponse({"call": str(call.pk), "status": call.status, "charged_seconds": call.duration_s})


def whole(request: HttpRequest) -> Mapping[str, Any]:
    """The record, whichever way it was packed. Raises Refused."""
    if request.method != "POST":
        raise Refused(405, "method", "A record is posted.")
    if int(request.META.get("CONTENT_LENGTH") or 0) > MAX_BODY_BYTES:
        raise Refused(413, "too_large", "A record is less than 1 MB.")
    try:
        told = json.loads(unpacked(request.body), strict=False)
    except (ValueError, RecursionError):
        raise Refused(400, "json", "This is no record of mod_json_cdr.") from None
    if not isinstance(told, dict) or not isinstance(told.get("variables"), dict):
        raise Refused(400, "json", "The record holds no variables of a call.")
    return told


def unpacked(body: bytes) -> str:
    """The JSON text in a body. Raises ValueError."""
    packed = body.strip()
    if not packed.startswith(b"cdr="):
        return packed.decode(errors="replace")
    packed = packed[4:]
    if packed[:1] == b"{" or packed[:1] == b"%":
        return unquote_plus(packed.decode(errors="replace"), errors="replace")
    try:
        # Padding and line ends as the module leaves them; a zero byte may follow the text.
        return b64decode(packed.rstrip(b"=\0") + b"===").rstrip(b"\0").decode(errors="replace")
    except binascii.Error as error:
        raise ValueError("neither percent-encoded nor base64") from error


def variables_of(told: Mapping[str, Any]) -> dict[str, str]:
    return {name: decoded(value) for name, value in told["variables"].items() if not isinstance(value, dict | list)}


def answer_of(variables: Mapping[str, str]) -> datetime | None:
    """When it was answered; None where nobody did."""
    micros, seconds = variables.get("answer_uepoch", ""), variables.get("answer_epoch", "")
    told = micros[:-6] if micros.isascii() and micros.isdigit() and len(micros) > 6 else seconds
    if not (told.isascii() and told.isdigit() and int(told[:12]) > 0 and len(told) < 12):
        return None
    return datetime.fromtimestamp(int(told), UTC)
