"""Search over everything: parties, invoices, price tables, and calls by their number."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from billing.portals.operator.base import OperatorView
from invoicing.selectors import invoices
from rating.selectors import calls, corrections, prices
from tiers.selectors import people

MOST = 20
CALLS_BACK = timedelta(days=62)
LEAST_DIGITS = 4


class Search(OperatorView):
    """The newest calls of the last two months to or from a number; names anywhere."""

    template_name = "operator/search.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        text = request.GET.get("q", "").strip()
        return self.page(text=text, **(self.found(text) if text else {}))

    def found(self, text: str) -> dict[str, Any]:
        digits = "".join(char for char in text if char.isdigit())
        is_number = len(digits) >= LEAST_DIGITS and not any(char.isalpha() for char in text)
        now = timezone.now()
        sold = calls.sold_calls(self.viewer).filter(calls.began_between(now - CALLS_BACK, now + timedelta(days=1)))
        return {
            "parties": people.matching(people.parties(self.viewer), text)[:MOST],
            "bills": invoices.invoices(self.viewer).filter(number__icontains=text).order_by("-id")[:MOST],
            "tables": prices.tables(self.viewer).filter(name__icontains=text)[:MOST],
            "calls": corrections.as_now(sold.filter(number__startswith=digits).order_by("-id")[:MOST])
            if is_number
            else [],
        }
