"""What the pages of live calls share: their tabs in each portal, and parts that ask for themselves again."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext_lazy

from billing.portals.customer.reports import call_tabs
from billing.portals.tabs import Tab, tabs
from billing.portals.views import PortalView
from rating.selectors import live
from tiers.models import Kind

STATES: dict[str, Any] = {
    live.RINGING: gettext_lazy("Ringing"),
    live.TALKING: gettext_lazy("Talking"),
    live.UNREPORTED: gettext_lazy("Going on"),
    live.OVERDUE: gettext_lazy("No end told"),
    "refused": gettext_lazy("Refused"),
    "ended": gettext_lazy("Ended"),
    "failed": gettext_lazy("Not answered"),
    "reaped": gettext_lazy("Closed by us"),
}
TONES = {
    live.TALKING: "active",
    live.UNREPORTED: "active",
    live.RINGING: "open",
    live.OVERDUE: "low",
    "refused": "refused",
    "ended": "closed",
    "failed": "closed",
    "reaped": "low",
}
"""How the state's word is coloured (billing.templatetags.tollgate.TONES)."""


class LiveView(PortalView):
    """A page about live calls; `kind` says in which portal."""

    kind = ""

    @property
    def staff(self) -> bool:
        return self.kind != Kind.CUSTOMER

    def tabs(self) -> list[Tab]:
        if not self.staff:
            return call_tabs(self.request)
        return tabs(
            self.request,
            (gettext_lazy("Live calls"), reverse(f"{self.kind}:live")),
            (gettext_lazy("Attempts"), reverse(f"{self.kind}:live_asked")),
            (gettext_lazy("Holds"), reverse(f"{self.kind}:holds")),
            (gettext_lazy("Switches"), reverse(f"{self.kind}:switches")),
        )

    def live_page(self, *, template: str = "", **context: Any) -> HttpResponse:
        """The view's template, with what those of live calls want to know."""
        urls = {name: f"{self.kind}:{name}" for name in ("live", "live_call", "live_asked")}
        common: dict[str, Any] = {
            "ns": self.kind,
            "staff": self.staff,
            "live_url": urls["live"],
            "asked_url": urls["live_asked"],
        }
        return self.page(template, call_url=urls["live_call"], **common, **context)


class MovingPart(LiveView):
    """A part of a page that htmx asks for again and again. Once logged out, the page itself goes to the login."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if getattr(request, "viewer", None) is None and request.headers.get("HX-Request"):
            return again()
        response = super().dispatch(request, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        return response


def again() -> HttpResponse:
    """Tell the browser to load the whole page anew."""
    response = HttpResponse(status=200)
    response["HX-Refresh"] = "true"
    return response
