"""What every page of every portal needs: who looks, and whose portal it is."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def portal(request: HttpRequest) -> dict[str, Any]:
    return {"viewer": getattr(request, "viewer", None), "demo": settings.DEMO}
