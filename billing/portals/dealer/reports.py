"""Reports: what the dealer sold, what it paid for it and what was left."""

from __future__ import annotations

from urllib.parse import urlencode

from django.urls import reverse

from billing.portals.dealer.base import DealerView
from billing.portals.own.report_filters import NO_DESTINATION
from billing.portals.own.reports import Params, ReportView


class Reports(DealerView, ReportView):
    def calls_url(self, params: Params) -> str:
        if "seller" in params or params.get("destination") == NO_DESTINATION or "hour" in params:
            return ""
        asked = {name: params[name] for name in ("buyer", "carrier", "service", "destination") if name in params}
        return f"{reverse('dealer:calls')}?{urlencode(asked | self.days(params))}"
