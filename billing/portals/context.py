"""What every page of every portal needs: who looks, whose portal it is, where one can go."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from billing.portals.look import look_of
from billing.portals.navigation import address, links
from tiers.models import Member


def portal(request: HttpRequest) -> dict[str, Any]:
    """Works for error pages and pages before the login too: what is unknown is absent."""
    viewer = getattr(request, "viewer", None)
    kind = str(viewer.party.kind) if viewer else ""
    user = getattr(request, "user", None)
    return {
        "viewer": viewer,
        "look": look_of(request),
        "places": links(kind, request.path, viewer),
        "search_url": address(f"{kind}:search") if kind else "",
        "own_party": user.party if viewer and viewer.acting and isinstance(user, Member) else None,
        "demo": settings.DEMO,
        "languages": settings.LANGUAGES,
    }
