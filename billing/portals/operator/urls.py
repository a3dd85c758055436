"""The operator's addresses, by what people do."""

from __future__ import annotations

from django.urls import path

from billing.portals.operator import home

app_name = "operator"

urlpatterns = [
    path("", home.Home.as_view(), name="home"),
]
