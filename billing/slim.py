"""The short way for switches: a knock goes from the WSGI server to the door, past what pages need.

No session, cookies, language or templates stand between a call and its answer, and no page's wait for the database
holds up a call: while the database does not answer, pages are turned away at once, and the threads stay free. What
else a request could need here (TLS, forms in parts) goes the long way, by the views of `rating.live.urls`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any, Final

from django.conf import settings
from django.utils import translation

from rating.live import guard
from rating.live.knock import FORM, JSON, Door, Knock
from rating.live.urls import CALLS, SESSIONS

Environ = dict[str, Any]
Start = Callable[[str, list[tuple[str, str]]], Any]
Application = Callable[[Environ, Any], Iterable[bytes]]
DOORS: Final[dict[str, Door]] = {
    **{f"/api/v1/calls/{name}": door for name, door in CALLS.items()},
    **{f"/radius/{name}": door for name, door in SESSIONS.items()},
}
LINES: Final = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}
PLAIN: Final = [("Content-Type", "text/plain; charset=utf-8"), ("Retry-After", "2"), ("Cache-Control", "no-store")]


def slim(pages: Callable[..., Iterable[bytes]]) -> Application:
    """Knocks to the door, everything else to `pages`."""

    def application(environ: Environ, start: Start) -> Iterable[bytes]:
        door = DOORS.get(environ.get("PATH_INFO", ""))
        if door is not None:
            knock = _knock(environ)
            if knock is not None:
                return _answered(door, knock, start)
        if guard.is_down():
            start(LINES[503], PLAIN)
            return [b"The service is not available at the moment."]
        with guard.watching():
            return pages(environ, start)

    return application


def _knock(environ: Environ) -> Knock | None:
    """The request; None for one that has to go the long way."""
    kind = environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
    if kind not in (JSON, FORM) or environ.get("HTTP_TRANSFER_ENCODING"):
        return None
    if settings.SECURE_SSL_REDIRECT and environ.get("HTTP_X_FORWARDED_PROTO") != "https":
        return None
    try:
        length = int(environ.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return None
    return Knock(
        method=environ["REQUEST_METHOD"],
        content_type=kind,
        length=length,
        read=lambda: environ["wsgi.input"].read(length),
        authorization=environ.get("HTTP_AUTHORIZATION", ""),
        address=environ.get("REMOTE_ADDR", ""),
    )


def _answered(door: Door, knock: Knock, start: Start) -> Iterable[bytes]:
    translation.activate(settings.LANGUAGE_CODE)  # This thread may have served somebody's page before.
    answer = door(knock)
    headers = [
        ("Content-Type", answer.content_type),
        ("Content-Length", str(len(answer.body))),
        ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
    ]
    start(LINES[answer.status], headers)
    return [answer.body]
