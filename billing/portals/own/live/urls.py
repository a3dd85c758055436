"""The addresses of these pages, for each portal."""

from __future__ import annotations

from django.urls import URLPattern, path

from billing.portals.own.live import calls, holds, switches
from tiers.models import Kind


def live_paths(kind: str) -> list[URLPattern]:
    """`live/...` for sellers, `calls/live/...` for end users; holds and switches are for sellers."""
    base = "calls/live" if kind == Kind.CUSTOMER else "live"
    shared = [
        path(f"{base}/", calls.Live.as_view(kind=kind), name="live"),
        path(f"{base}/now/", calls.LiveNow.as_view(kind=kind), name="live_now"),
        path(f"{base}/attempts/", calls.Asked.as_view(kind=kind), name="live_asked"),
        path(f"{base}/<uuid:call>/", calls.CallPage.as_view(kind=kind), name="live_call"),
        path(f"{base}/<uuid:call>/now/", calls.CallNow.as_view(kind=kind), name="live_call_now"),
        path(f"{base}/<uuid:call>/end/", calls.EndCall.as_view(kind=kind), name="live_call_end"),
    ]
    if kind == Kind.CUSTOMER:
        return shared
    return [
        *shared,
        path(f"{base}/holds/", holds.Holds.as_view(kind=kind), name="holds"),
        path("money/wallets/<uuid:wallet>/holds/", holds.HoldsOf.as_view(kind=kind), name="wallet_holds"),
        path(f"{base}/switches/", switches.Switches.as_view(kind=kind), name="switches"),
        path(f"{base}/switches/new/", switches.NewKey.as_view(kind=kind), name="switch_key_new"),
        path(f"{base}/switches/<uuid:key>/revoke/", switches.RevokeKey.as_view(kind=kind), name="switch_key_revoke"),
    ]
