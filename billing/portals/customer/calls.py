"""Calls: what was called, how long, what it cost and why. Only the buyer's own side of each call."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _

from billing.portals.customer.base import CustomerView
from billing.portals.customer.reports import call_tabs
from billing.portals.keyset import page_of
from billing.portals.look import look_of
from billing.portals.own.calls import CallFilters, base_columns, csv_of
from rating.models import RatedCall
from rating.selectors import calls, corrections
from rating.selectors.explanations import price_lines
from rating.selectors.foot import foot
from tiers.errors import NotFound


class Calls(CustomerView):
    template_name = "customer/calls.html"
    as_file: ClassVar[bool] = False

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        filters = CallFilters(request)
        found = filters.of(calls.bought_calls(self.viewer))
        if self.as_file:
            return self.file(found)
        added = foot(found, filters.asked(self.viewer, bought=True))
        page = page_of(found.select_related("carrier"), request.GET)
        corrections.as_now(page.rows)
        return self.page(
            filters=filters,
            page=page,
            sums=added.sums,
            newest=added.newest,
            tabs=call_tabs(request),
            export=request.GET.urlencode(),
        )

    def file(self, found: QuerySet[RatedCall]) -> HttpResponseBase:
        own = [
            *base_columns(look_of(self.request).zone),
            ("cost", lambda call: format(call.sale, "f")),
            ("tax", lambda call: format(call.tax, "f")),
            ("currency", lambda call: call.currency),
        ]
        return csv_of(found, own, f"calls-{self.viewer.party.code}")


class CallPage(CustomerView):
    template_name = "customer/call.html"

    def get(self, request: HttpRequest, call: UUID, *args: Any, **kwargs: Any) -> HttpResponse:
        found = calls.rated_call(self.viewer, call)
        if found.buyer_id != self.viewer.party.pk:
            raise NotFound("no_call", _("There is no such call here."))
        return self.page(
            call=found,
            record=calls.record_of(self.viewer, found),
            lines=price_lines(found),
            history=corrections.history(self.viewer, found),
        )
