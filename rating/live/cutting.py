"""Ending a call from outside, at the switch that carries it.

The switch is told to hang up; it then reports the end itself, as of any call, and only that report charges the call.
Asterisk takes the order by ARI, Kamailio by JSON-RPC (package `dialog`), FreeSWITCH by its web API. An order that goes
unanswered for two seconds has failed: the call ends at the latest when its allowed seconds are over.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from typing import Any, Final
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import HTTPErrorProcessor, ProxyHandler, Request, build_opener

import structlog
from django.utils.translation import gettext as _

from rating.live.controls import Control, Kind, control_of
from rating.models import LiveCall
from rating.numbers import ServiceClass

TIMEOUT_S: Final = 2
MOST_BYTES: Final = 256 * 1024
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Cut:
    """Whether the switch took the order, and what happened in words for who gave it."""

    done: bool
    words: str


class Failed(Exception):
    """The switch could not be told, or said no; the text is for people."""


def can_cut(call: LiveCall) -> bool:
    """Whether a button makes sense: the call is open, its switch takes orders, and nobody's life may hang on it."""
    if not call.is_open or call.service_class == ServiceClass.EMERGENCY:
        return False
    return control_of(call.source.code, call.switch) is not None


def cut(call: LiveCall) -> Cut:
    """Tell the call's switch to hang up. Writes nothing: the end comes from the switch. Never raises."""
    if not call.is_open:
        return Cut(False, _("This call is over already."))
    if call.service_class == ServiceClass.EMERGENCY:
        return Cut(False, _("Nobody ends an emergency call from here."))
    control = control_of(call.source.code, call.switch)
    if control is None:
        return Cut(False, _("This switch takes no orders: its control address is not set up on the server."))
    try:
        HANG_UP[control.kind](control, call.call_id)
    except Failed as failed:
        log.warning("call_not_cut", call=str(call.pk), source=call.source.code, why=str(failed))
        return Cut(False, str(failed))
    log.info("call_cut", call=str(call.pk), source=call.source.code)
    return Cut(True, _("The switch has hung up; it reports the end in a moment."))


def _asterisk(control: Control, call_id: str) -> None:
    """ARI: the channel's id is the UNIQUEID that the dialplan gives as call id."""
    status, body = _send(control, "DELETE", f"/channels/{quote(call_id, safe='')}?reason_code=16")
    if status == 404:
        raise Failed(_gone())
    if status not in (200, 204):
        raise Failed(_strange(status, body))


def _freeswitch(control: Control, call_id: str) -> None:
    status, body = _send(control, "GET", f"/webapi/uuid_kill?{quote(call_id, safe='')}")
    if "No such channel" in body:
        raise Failed(_gone())
    if status != 200 or "+OK" not in body:
        raise Failed(_strange(status, body))


def _kamailio(control: Control, call_id: str) -> None:
    """The dialog's tags are asked for first: they are the third part of its name."""
    found = _rpc(control, "dlg.dlg_list", [call_id])
    dialog = found[0] if isinstance(found, list) and found else found
    caller, callee = (_tag(dialog, side) for side in ("caller", "callee"))
    if not caller:
        raise Failed(_gone())
    _rpc(control, "dlg.terminate_dlg", [call_id, caller, callee])


HANG_UP: Final[Mapping[Kind, Callable[[Control, str], None]]] = {
    Kind.ASTERISK: _asterisk,
    Kind.FREESWITCH: _freeswitch,
    Kind.KAMAILIO: _kamailio,
}


def _tag(dialog: Any, side: str) -> str:
    part = dialog.get(side) if isinstance(dialog, dict) else None
    return str(part.get("tag") or "") if isinstance(part, dict) else ""


def _rpc(control: Control, method: str, params: list[str]) -> Any:
    asked = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    status, body = _send(control, "POST", "", json.dumps(asked).encode())
    try:
        said = json.loads(body)
    except ValueError:
        raise Failed(_strange(status, body)) from None
    error = said.get("error") if isinstance(said, dict) else {}
    if error is not None:
        code = error.get("code") if isinstance(error, dict) else None
        raise Failed(_gone() if code == 404 else _strange(status, body))
    return said.get("result")


class _NoRedirects(HTTPErrorProcessor):
    """Answers as they are, of any status: a switch that sends us elsewhere is not followed."""

    def http_response(self, request: Request, response: HTTPResponse) -> HTTPResponse:
        return response

    https_response = http_response


def _send(control: Control, method: str, path: str, body: bytes | None = None) -> tuple[int, str]:
    """(status, text). Raises Failed when there is no answer in time."""
    login = base64.b64encode(f"{control.user}:{control.password}".encode()).decode()
    headers = {"Authorization": f"Basic {login}"} | ({"Content-Type": "application/json"} if body else {})
    request = Request(control.url + path, body, headers, method=method)
    try:
        with build_opener(ProxyHandler({}), _NoRedirects).open(request, timeout=TIMEOUT_S) as answer:
            return answer.status, answer.read(MOST_BYTES).decode(errors="replace")
    except (OSError, HTTPError, HTTPException) as error:
        log.warning("switch_not_reached", kind=control.kind, error=type(error).__name__)
        raise Failed(_("The switch did not answer; try again, or end the call there.")) from None


def _gone() -> str:
    return _("The switch has no such call any more; if its end was lost, it is closed when its time is over.")


def _strange(status: int, body: str) -> str:
    log.warning("switch_refused", status=status, body=body[:200])
    if status in (401, 403):
        return _("The switch does not accept the login that the server has for it.")
    return _("The switch did not take the order (its answer was %s).") % status
