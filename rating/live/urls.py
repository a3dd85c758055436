"""Where switches knock. Without trailing slashes: a redirect would lose what was posted."""

from __future__ import annotations

from django.urls import path

from rating.live import door, freeswitch, radius

calls = [
    path("authorize", door.authorize, name="call_authorize"),
    path("start", door.start, name="call_start"),
    path("interim", door.interim, name="call_interim"),
    path("end", door.end, name="call_end"),
    path("failed", door.failed, name="call_failed"),
    path("freeswitch", freeswitch.record, name="call_freeswitch"),
]
sessions = [
    path("authorize", radius.authorize, name="radius_authorize"),
    path("accounting", radius.accounting, name="radius_accounting"),
]
