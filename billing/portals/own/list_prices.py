"""All prices of a list, for its seller: searched, a page at a time, in any currency."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from billing.portals.own.calls import increments
from billing.portals.shown import shown
from rating.models import PriceList
from rating.pricing.current import current_engine
from rating.pricing.lists import Found
from rating.selectors.listing import list_prices


class ListPricesPage:
    """Mix-in beside the portal's own `OneList`."""

    template_name = "own/list_prices.html"
    price_list: PriceList
    page: Any
    kind: Any

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        found = self.price_list
        text, after = request.GET.get("q", "").strip()[:60], request.GET.get("after", "")[:20]
        rows, following = list_prices(found, current_engine(), timezone.now(), text=text, after=after)
        response: HttpResponse = self.page(
            list=found,
            text=text,
            after=after,
            rows=[_line(one) for one in rows],
            following=following,
            shown=shown(request, found.currency),
            up=reverse(f"{self.kind}:list", args=[found.code]),
            csv=reverse(f"{self.kind}:list_file", args=[found.code, "csv"]),
            xlsx=reverse(f"{self.kind}:list_file", args=[found.code, "xlsx"]),
        )
        return response


def _line(found: Found) -> dict[str, Any]:
    row = found.row
    return {
        "found": found,
        "own": dict(found.origin).get("kind") == "own",
        "increments": increments(row.first_s, row.step_s),
        "varies": bool(row.steps or row.bands),
    }
