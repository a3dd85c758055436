"""Every address of the product: the way in, three portals, the API."""

from __future__ import annotations

from django.urls import include, path

from rating.live import urls as live

urlpatterns = [
    path("auth/", include("allauth.urls")),
    path("api/", include("billing.api")),
    path("radius/", include((live.sessions, "radius"))),
    path("", include("billing.portals.urls")),
]

handler400 = "billing.portals.errors.bad_request"
handler403 = "billing.portals.errors.forbidden"
handler404 = "billing.portals.errors.not_found"
handler500 = "billing.portals.errors.server_error"
