"""Calls: what the dealer sold, what each cost it and brought it, why; and those that have no price."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.portals.dealer.base import DealerView
from billing.portals.dealer.customers import direct_buyers
from billing.portals.keyset import page_of
from billing.portals.look import look_of
from billing.portals.own.calls import CallFilters, base_columns, csv_of
from billing.portals.tabs import Tab, tabs
from invoicing.render.calls_csv import safe_text
from rating.models import RatedCall
from rating.selectors import calls, corrections
from rating.selectors.explanations import cost_lines, sale_lines
from rating.selectors.foot import foot
from tiers.errors import NotFound
from tiers.models import Party
from tiers.selectors import people
from tiers.viewer import Viewer


class SoldFilters(CallFilters):
    phrases: ClassVar[dict[str, Any]] = {"buyer": gettext_lazy("of %s"), **CallFilters.phrases}
    field_order = ["buyer", "period", "to"]

    buyer = forms.ModelChoiceField(label=gettext_lazy("Customer"), queryset=Party.visible.none(), to_field_name="code")

    def __init__(self, request: HttpRequest, viewer: Viewer) -> None:
        self.viewer = viewer
        super().__init__(request)

    def full_clean(self) -> None:
        field = self.fields["buyer"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = direct_buyers(self.viewer)
        super().full_clean()

    def of(self, rows: QuerySet[RatedCall]) -> QuerySet[RatedCall]:
        rows = super().of(rows)
        buyer = self.value("buyer")
        return rows if buyer is None else rows.filter(buyer=buyer)


class CallView(DealerView):
    def tabs(self) -> list[Tab]:
        return tabs(
            self.request,
            (gettext_lazy("Sold"), reverse("dealer:calls")),
            (gettext_lazy("Unrated"), reverse("dealer:unrated")),
            (gettext_lazy("Re-rating"), reverse("dealer:reratings")),
        )


class Calls(CallView):
    template_name = "dealer/calls.html"
    as_file: ClassVar[bool] = False

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        filters = SoldFilters(request, self.viewer)
        found = filters.of(calls.sold_calls(self.viewer))
        if self.as_file:
            return self.file(found)
        page = page_of(found, request.GET)
        added = foot(found, filters.asked(self.viewer, buyer=filters.value("buyer")))
        corrections.as_now(page.rows)
        return self.page(
            tabs=self.tabs(),
            filters=filters,
            page=page,
            lines=[(call, margin_of(call)) for call in page.rows],
            sums=[(one, one.sale - one.cost if one.cost is not None and one.currency == one.cost_currency else None)
                  for one in added.sums],
            newest=added.newest,
            export=request.GET.urlencode(),
        )  # fmt: skip

    def file(self, found: QuerySet[RatedCall]) -> HttpResponseBase:
        columns = [
            ("customer", lambda call: safe_text(call.buyer.code)),
            *base_columns(look_of(self.request).zone),
            ("sale", lambda call: format(call.sale, "f")),
            ("tax", lambda call: format(call.tax, "f")),
            ("currency", lambda call: call.currency),
            ("cost", lambda call: "" if call.cost is None else format(call.cost, "f")),
            ("cost_currency", lambda call: call.cost_currency or ""),
        ]
        return csv_of(found, columns, f"sold-{self.viewer.party.code}")


def margin_of(call: RatedCall) -> Any:
    """What is left of a sale; unknown while it is not costed, or where the two currencies differ."""
    return call.sale - call.cost if call.cost is not None and call.currency == call.cost_currency else None


class CallPage(DealerView):
    template_name = "dealer/call.html"

    def get(self, request: HttpRequest, call: UUID, *args: Any, **kwargs: Any) -> HttpResponse:
        found = calls.rated_call(self.viewer, call)
        if found.seller_id != self.viewer.party.pk:
            raise NotFound("no_call", _("There is no such call here."))
        return self.page(
            call=found,
            record=calls.record_of(self.viewer, found),
            margin=margin_of(found),
            sale_lines=sale_lines(found),
            history=corrections.history(self.viewer, found),
            cost_lines=cost_lines(found),
        )


class Unrated(CallView):
    """Calls that are charged nowhere, with the reason; a tier above the dealer's seller is not named."""

    template_name = "dealer/unrated.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        page = page_of(calls.unrated(self.viewer), request.GET)
        hidden = people.names_above_seller(self.viewer)
        return self.page(tabs=self.tabs(), page=page, lines=[(one, why(one.reason, hidden)) for one in page.rows])


def why(reason: str, hidden: list[str]) -> str:
    return _("There is no price for it above you.") if any(name in reason for name in hidden) else reason
