"""The application that `./bench live` serves: the product's own, and beside it two ways to do nothing.

`/bench/view` is a view of Django's behind all the middleware that every page has; `/bench/knock` is a door that answers
without a look, on the short way that switches go.
"""

from __future__ import annotations

from billing.wsgi import application  # isort: skip  # first, for it makes the apps ready

from django.http import HttpRequest, HttpResponse
from django.urls import clear_url_caches, include, path

from billing import urls
from billing.slim import DOORS
from rating.live.knock import Answer, Knock


def view(_request: HttpRequest) -> HttpResponse:
    return HttpResponse(b"{}", content_type="application/json")


def knock(_knock: Knock) -> Answer:
    return Answer(200, b"{}")


urls.urlpatterns.insert(0, path("bench/", include(([path("view", view)], "bench"))))
clear_url_caches()  # The resolver was filled before.
DOORS["/bench/knock"] = knock

__all__ = ["application"]
