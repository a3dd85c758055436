"""Every address of the product: the way in, three portals, the API."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [
    path("auth/", include("allauth.urls")),
]
