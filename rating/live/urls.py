"""Where switches knock. Without trailing slashes: a redirect would lose what was posted."""

from __future__ import annotations

from django.urls import path

from rating.live import door, freeswitch, radius
from rating.live.knock import Door, as_view

CALLS: dict[str, Door] = {
    "authorize": door.authorize,
    "start": door.start,
    "interim": door.interim,
    "end": door.end,
    "failed": door.failed,
}
SESSIONS: dict[str, Door] = {"authorize": radius.authorize, "accounting": radius.accounting}

calls = [path(name, as_view(one), name=f"call_{name}") for name, one in CALLS.items()]
calls.append(path("freeswitch", freeswitch.record, name="call_freeswitch"))
sessions = [path(name, as_view(one), name=f"radius_{name}") for name, one in SESSIONS.items()]
