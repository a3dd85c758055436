"""Spending: where the money went, by destination, day and carrier. What calls cost their seller is not the buyer's."""

from __future__ import annotations

from typing import ClassVar
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy

from billing.portals.customer.base import CustomerView
from billing.portals.own.report_filters import NO_DESTINATION
from billing.portals.own.reports import Params, ReportView
from billing.portals.tabs import Tab, tabs


def call_tabs(request: HttpRequest) -> list[Tab]:
    return tabs(
        request,
        (gettext_lazy("Calls"), reverse("customer:calls")),
        (gettext_lazy("Live"), reverse("customer:live")),
        (gettext_lazy("Attempts"), reverse("customer:live_asked")),
        (gettext_lazy("Spending"), reverse("customer:reports")),
    )


class Reports(CustomerView, ReportView):
    spending: ClassVar[bool] = True

    def tabs(self) -> list[Tab]:
        return call_tabs(self.request)

    def calls_url(self, params: Params) -> str:
        if params.get("destination") == NO_DESTINATION or "hour" in params:
            return ""
        asked = {name: params[name] for name in ("carrier", "service", "destination") if name in params}
        return f"{reverse('customer:calls')}?{urlencode(asked | self.days(params))}"
