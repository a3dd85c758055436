"""API errors are problem+json (RFC 9457), each with a stable code, where it is and what to do."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler

from tiers.errors import TollgateError

CONTENT_TYPE = "application/problem+json"


def problem(status: int, code: str, title: str, **members: Any) -> Response:
    body = {"type": "about:blank", "title": title, "status": status, "code": code}
    body.update({name: value for name, value in members.items() if value is not None})
    return Response(body, status=status, content_type=CONTENT_TYPE)


def problem_response(exc: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler. What it does not know is a bug, and stays a 500 without a traceback in the reply."""
    if isinstance(exc, TollgateError):
        return problem(exc.status, exc.code, exc.message, where=exc.where, hint=exc.hint)
    if isinstance(exc, exceptions.ValidationError):
        return problem(400, "invalid", "Some fields are not right.", errors=exc.get_full_details())
    if isinstance(exc, Http404):
        return problem(404, "not_found", "There is no such thing here.")
    if isinstance(exc, PermissionDenied):
        return problem(403, "forbidden", "This is not allowed for your role.")
    response = exception_handler(exc, context)
    if response is None:
        return None
    detail = exc.detail if isinstance(exc, exceptions.APIException) else str(exc)
    code = exc.get_codes() if isinstance(exc, exceptions.APIException) else "error"
    response.data = {
        "type": "about:blank",
        "title": str(detail),
        "status": response.status_code,
        "code": code if isinstance(code, str) else "invalid",
    }
    response.content_type = CONTENT_TYPE
    return response
