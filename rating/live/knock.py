"""What a switch says at the door, and what it is told: plain values, for a view of Django's and for the short way.

JSON or a form; numbers may come as text.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl

from django.http import HttpRequest, HttpResponse
from django.utils.dateparse import parse_datetime
from django.views.decorators.csrf import csrf_exempt

MAX_BODY_BYTES: Final = 64 * 1024
MAX_TEXT: Final = 255
MAX_FIELDS: Final = 100
FORM: Final = "application/x-www-form-urlencoded"
JSON: Final = "application/json"
PROBLEM: Final = "application/problem+json"

Said = Mapping[str, Any]


class Refused(Exception):
    """What is wrong with a knock: HTTP status, code, words."""

    def __init__(self, status: int, code: str, title: str) -> None:
        super().__init__(title)
        self.status, self.code, self.title = status, code, title


class Knock(NamedTuple):
    """A request at the door. `fields`: of a form that was read already."""

    method: str
    content_type: str
    length: int
    read: Callable[[], bytes]
    authorization: str
    address: str
    fields: Said | None = None

    def said(self) -> Said:
        """The fields. Raises Refused."""
        if self.method != "POST":
            raise Refused(405, "method", "Knock with POST.")
        if self.length > MAX_BODY_BYTES:
            raise Refused(413, "too_large", "A call is told in less than 64 KB.")
        if self.fields is not None:
            return self.fields
        body = self.read()
        try:
            if self.content_type != JSON:
                return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS))
            said = json.loads(body or b"{}")
        except ValueError:
            raise Refused(400, "json", "The body is not JSON." if self.content_type == JSON else "No form.") from None
        if not isinstance(said, dict):
            raise Refused(400, "json", "The body is not a JSON object.")
        return said

    def key(self, said: Said) -> str:
        """`Bearer <key>`, or the password of `Basic` where a switch can do no better, or a field of the body."""
        scheme, _space, shown = self.authorization.partition(" ")
        if scheme.lower() == "bearer":
            return shown.strip()
        if scheme.lower() == "basic":
            try:
                return b64decode(shown, validate=True).decode("ascii").partition(":")[2]
            except ValueError:
                return ""
        return str(said.get("key") or "")


class Answer(NamedTuple):
    """What a switch is told."""

    status: int
    body: bytes = b""
    content_type: str = JSON


Door = Callable[[Knock], Answer]


def as_view(door: Door) -> Callable[[HttpRequest], HttpResponse]:
    """The door as a view, behind whatever middleware there is."""

    @csrf_exempt
    def view(request: HttpRequest) -> HttpResponse:
        return to_response(door(knock_of(request)))

    return view


def knock_of(request: HttpRequest) -> Knock:
    kind = request.content_type or ""
    return Knock(
        method=request.method or "",
        content_type=kind,
        length=int(request.META.get("CONTENT_LENGTH") or 0),
        read=lambda: request.body,
        authorization=request.headers.get("Authorization", ""),
        address=str(request.META.get("REMOTE_ADDR", "")),
        fields=request.POST.dict() if kind.startswith("multipart/") and request.method == "POST" else None,
    )


def to_response(answer: Answer) -> HttpResponse:
    return HttpResponse(answer.body, status=answer.status, content_type=answer.content_type)


def told(said: Mapping[str, Any], status: int = 200, content_type: str = JSON) -> Answer:
    return Answer(status, json.dumps(said, separators=(",", ":")).encode(), content_type)


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
