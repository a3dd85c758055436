"""Reports: what the operator sold, and what each seller below it sold."""

from __future__ import annotations

from urllib.parse import urlencode

from django.urls import reverse

from billing.portals.operator.base import OperatorView
from billing.portals.own.report_filters import NO_DESTINATION
from billing.portals.own.reports import Params, ReportView


class Reports(OperatorView, ReportView):
    def calls_url(self, params: Params) -> str:
        """The list of calls knows the operator's own sales, by month or day."""
        if "seller" in params or params.get("destination") == NO_DESTINATION or "hour" in params:
            return ""
        names = {"buyer": "party", "carrier": "carrier", "service": "service", "destination": "destination"}
        asked = {there: params[here] for here, there in names.items() if here in params}
        return f"{reverse('operator:calls')}?{urlencode(asked | self.days(params))}"
