"""What the customer has beside calls: what it costs, when it is charged next, what is included and left."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from billing.portals.customer.base import CustomerView
from billing.portals.keyset import page_of
from invoicing.selectors import products

MOST = 200


class Subscriptions(CustomerView):
    template_name = "customer/subscriptions.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        today = timezone.localdate()
        rows = list(products.running(products.bought(self.viewer), today).order_by("starts_on", "id")[:MOST])
        return self.page(
            rows=products.lines(rows, costs=False),
            uses=products.allowances_of(self.viewer, rows, today.replace(day=1)),
            page=page_of(products.charges(self.viewer).filter(buyer=self.viewer.party), request.GET, size=20),
            month=today,
        )
