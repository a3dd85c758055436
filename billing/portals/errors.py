"""Errors in words, in the frame's look: what happened, and what to do next.

A service refuses by raising TollgateError. Forms show it at the field; where no form is there to show it, the page of
its status does, so that a refusal never looks like a crash.
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from tiers.errors import TollgateError

MISSING = 404


class RefusalMiddleware:
    """Turns a TollgateError that no view handled into the page of its status."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        if not isinstance(exception, TollgateError):
            return None
        if exception.status == MISSING:
            return not_found(request)
        title = _("Not allowed") if exception.status == 403 else _("This cannot be done")
        said = " ".join(filter(None, [exception.message, exception.hint]))
        return _error(request, exception.status, title, said)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponseBase:
    return _error(request, 400, _("This request cannot be read"), _("Go back and try once more."))


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponseBase:
    return _error(request, 403, _("Not allowed"), _("Your role does not allow this. An owner can."))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponseBase:
    hint = _("The page was open for too long, or cookies are switched off. Go back, reload the page and try once more.")
    return _error(request, 403, _("This form has expired"), hint)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponseBase:
    hint = _("It does not exist, or it belongs to somebody else. Check the address, or start from Home.")
    return _error(request, 404, _("There is no such page"), hint)


def server_error(request: HttpRequest) -> HttpResponseBase:
    """Renders without the database and the frame: they may be what failed."""
    return HttpResponse(render_to_string("500.html"), status=500)


def _error(request: HttpRequest, status: int, title: str, hint: str) -> HttpResponse:
    return render(request, "error.html", {"status": status, "title": title, "hint": hint}, status=status)
