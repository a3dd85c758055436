"""API keys as a way to be somebody: the key's party and role become the request's viewer."""

from __future__ import annotations

from typing import Any

import pghistory
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from tiers.models import ApiKey
from tiers.viewer import Actor, Viewer

SCHEME = b"api-key"


class KeyUser(AnonymousUser):
    """Stands where Django wants a user; rights come from the viewer alone."""

    is_authenticated = True  # type: ignore[assignment]


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Api-Key <key>`."""

    def authenticate(self, request: Request) -> tuple[Any, ApiKey] | None:
        parts = get_authorization_header(request).split()
        if not parts or parts[0].lower() != SCHEME:
            return None
        key = self._key(parts)
        viewer = Viewer(key.party, Actor(f"API key {key.name}"), key.role)
        request._request.viewer = viewer  # type: ignore[attr-defined]
        pghistory.context(actor=viewer.actor.label)  # joins the context that ViewerMiddleware opened
        return KeyUser(), key

    def authenticate_header(self, request: Request) -> str:
        return "Api-Key"

    @staticmethod
    def _key(parts: list[bytes]) -> Any:
        try:
            text = parts[1].decode("ascii") if len(parts) == 2 else ""
            key: Any = ApiKey.objects.get_from_key(text)
        except (UnicodeDecodeError, ApiKey.DoesNotExist, ValueError):
            raise AuthenticationFailed(_("This API key is not known, or was revoked.")) from None
        if key.has_expired or not key.party.is_active:
            raise AuthenticationFailed(_("This API key has expired or its party is not active."))
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=timezone.now())
        return key


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "tiers.authentication.ApiKeyAuthentication"
    name = "ApiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "header", "name": "Authorization", "description": "Api-Key <key>"}
