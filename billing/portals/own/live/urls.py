"""The addresses of these pages, for each portal."""

from __future__ import annotations

from django.urls import URLPattern, path

from billing.portals.own.live import calls, holds, limits, switches
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
    buyer = ("parties" if kind == Kind.OPERATOR else "customers") + "/<slug:code>/calls"
    carrier = path("prices/carriers/<slug:code>/calls/", limits.CarrierLimits.as_view(kind=kind), name="carrier_limits")
    return [
        *shared,
        *([carrier] if kind == Kind.OPERATOR else []),
        path(f"{buyer}/", limits.CallLimits.as_view(kind=kind), name="call_limits"),
        path(f"{buyer}/limits/", limits.SetCallLimits.as_view(kind=kind), name="limits_calls"),
        path(f"{buyer}/spend/", limits.SetSpendLimit.as_view(kind=kind), name="limits_spend"),
        path(f"{buyer}/closed/", limits.AddBar.as_view(kind=kind), name="bar_new"),
        path(f"{buyer}/closed/<uuid:bar>/", limits.LiftBar.as_view(kind=kind), name="bar_lift"),
        path(f"{base}/holds/", holds.Holds.as_view(kind=kind), name="holds"),
        path("money/wallets/<uuid:wallet>/holds/", holds.HoldsOf.as_view(kind=kind), name="wallet_holds"),
        path(f"{base}/switches/", switches.Switches.as_view(kind=kind), name="switches"),
        path(f"{base}/switches/new/", switches.NewKey.as_view(kind=kind), name="switch_key_new"),
        path(f"{base}/switches/<uuid:key>/revoke/", switches.RevokeKey.as_view(kind=kind), name="switch_key_revoke"),
    ]
