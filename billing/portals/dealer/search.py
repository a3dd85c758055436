"""Search: one box over customers, invoices and price lists of the dealer."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse

from billing.portals.dealer.base import DealerView
from invoicing.selectors import invoices
from rating.selectors import prices
from tiers.selectors import people

MOST = 20


class Search(DealerView):
    template_name = "dealer/search.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        text = request.GET.get("q", "").strip()[:100]
        if not text:
            return self.page(text="")
        bills = invoices.made_by(self.viewer).filter(number__icontains=text)
        lists = prices.lists(self.viewer).filter(seller=self.viewer.party, name__icontains=text)
        return self.page(
            text=text,
            parties=people.matching(people.parties_below(self.viewer), text)[:MOST],
            bills=bills.order_by("-id")[:MOST],
            lists=lists[:MOST],
            digits="".join(char for char in text if char.isdigit()),
        )
