"""Price lists with their mark-up, and carriers."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.portals.forms.prices import CarrierForm, ListForm, RateForm, TermsForm
from billing.portals.keyset import page_of
from billing.portals.losses import AsksAboutLoss, below_cost_page
from billing.portals.operator.base import OperatorForm, OperatorView
from billing.portals.operator.decks import memory_lines
from billing.portals.operator.prices import RateFilters, price_tabs
from billing.portals.own.compare import ComparePage
from billing.portals.own.list_prices import ListPricesPage
from billing.portals.own.lists.base import list_tabs
from billing.portals.own.rates import list_file
from billing.portals.shown import shown
from rating.models import Carrier, PriceList
from rating.pricing.current import current_engine
from rating.selectors import prices
from rating.selectors.compare import Side, cost_sides, sale_sides
from rating.selectors.drafts import pending
from rating.services.carriers import create_carrier, update_carrier
from rating.services.deck_memory import memory_of
from rating.services.lists import create_list, set_list_terms, set_own_rate
from tiers.roles import May
from tiers.selectors import people


class Lists(OperatorView):
    template_name = "operator/lists.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        lists = list(prices.lists(self.viewer))
        terms = prices.terms_now(lists, timezone.now())
        waiting = {one.pk for one in pending(self.viewer)}
        rows = [(one, terms.get(one.pk), one.pk in waiting) for one in lists]
        return self.page(tabs=price_tabs(request), rows=rows)


class OneList:
    """Mix-in: the price list that the address names, or 404."""

    viewer: Any
    kwargs: dict[str, Any]

    @property
    def price_list(self) -> PriceList:
        found = getattr(self, "_list", None)
        if found is None:
            found = self._list = prices.list_by_code(self.viewer, self.kwargs["code"])
        return found

    @property
    def back(self) -> str:
        return reverse("operator:list", args=[self.kwargs["code"]])


class ListPage(OneList, OperatorView):
    template_name = "operator/list.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        found = self.price_list
        filters = RateFilters(request)
        now = timezone.now()
        own = None
        if found.own_table is not None:
            at = None if filters.value("when") else now
            rates = prices.rates(found.own_table, at=at, text=filters.value("q") or "")
            own = page_of(rates, request.GET, newest_first=False, parse=int)
        return self.page(
            list=found,
            tabs=list_tabs(request, "operator", found),
            waiting=found in pending(self.viewer),
            rule_count=len(prices.rules_at(prices.rules(self.viewer, found), now)),
            filters=filters,
            page=own,
            now=now,
            terms=prices.terms_now([found], now).get(found.pk),
            history=prices.terms_history(found),
            mine=found.seller_id == self.viewer.party.pk,
            shown=shown(request, found.currency),
        )


class ListPrices(ListPricesPage, OneList, OperatorView):
    """All that the list charges, in any currency."""


class ListFile(OneList, OperatorView):
    """What the list charges now, as CSV or XLSX."""

    def get(self, request: HttpRequest, kind: str, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return list_file(self.price_list, kind, request.GET.get("in", ""))


class NewList(OperatorForm):
    form_class = ListForm
    right = May.PRICES
    heading = gettext_lazy("New price list")
    verb = gettext_lazy("Create")

    @property
    def back(self) -> str:  # type: ignore[override]
        return reverse("operator:lists")

    def form_arguments(self) -> dict[str, Any]:
        return {
            "viewer": self.viewer,
            "tables": prices.tables(self.viewer).filter(owner=self.viewer.party),
            "lists": prices.lists(self.viewer).filter(seller=self.viewer.party),
            "carriers": prices.carriers(self.viewer),
        }

    def save(self, form: Any) -> HttpResponse:
        data = form.cleaned_data
        kind, _colon, code = data["base"].partition(":")
        made = create_list(
            self.viewer.party,
            data["code"],
            data["brand"],
            actor=self.viewer.actor,
            name=data["name"],
            buyer=data["buyer"],
            carrier=data["carrier"],
            base_table=prices.table_by_code(self.viewer, code) if kind == "table" else None,
            base_list=prices.list_by_code(self.viewer, code) if kind == "list" else None,
            decimals=4 if data["decimals"] is None else data["decimals"],
        )
        markup = (data["markup"] or Decimal(0)) / 100
        set_list_terms(made, actor=self.viewer.actor, markup=markup, addon=data["addon"] or Decimal(0))
        return self.go("list", made.code, said=_("%s is created.") % made.name)


class SetTerms(AsksAboutLoss, OneList, OperatorForm):  # type: ignore[override]
    form_class = TermsForm
    right = May.PRICES
    verb = gettext_lazy("Save")

    @property
    def heading(self) -> str:  # type: ignore[override]
        return _("Mark-up of %s") % self.price_list.name

    def form_arguments(self) -> dict[str, Any]:
        now = prices.terms_now([self.price_list], timezone.now()).get(self.price_list.pk)
        if now is None:
            return {"initial": {"markup": 0}}
        names = ("addon", "connect_fee", "first_s", "step_s")
        initial = {name: _short(getattr(now, name)) for name in names}
        return {"initial": {"markup": _short(now.markup * 100), **initial}}

    def save(self, form: Any) -> HttpResponse:
        set_list_terms(
            self.price_list,
            actor=self.viewer.actor,
            valid_from=form.cleaned_data["valid_from"],
            accept_loss=self.accepted,
            **form.terms(),
        )
        return self.go("list", self.price_list.code, said=_("The terms are saved."))


class SetOwnRate(AsksAboutLoss, OneList, OperatorForm):  # type: ignore[override]
    form_class = RateForm
    right = May.PRICES
    verb = gettext_lazy("Enter")

    @property
    def heading(self) -> str:  # type: ignore[override]
        return _("Own price in %s") % self.price_list.name

    def save(self, form: Any) -> HttpResponse:
        data = form.cleaned_data
        set_own_rate(
            self.price_list,
            data["prefix"],
            data["price"],
            actor=self.viewer.actor,
            effective_from=data["effective_from"],
            accept_loss=self.accepted,
            **form.values(),
        )
        return self.go("list", self.price_list.code, said=_("The price for %s is entered.") % data["prefix"])


def _short(value: Any) -> Any:
    return f"{value.normalize():f}" if isinstance(value, Decimal) else value


class BelowCost(OperatorView):
    """What the operator sells below its cost now, worst first."""

    template_name = "operator/below_cost.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        own = prices.lists(self.viewer).filter(seller=self.viewer.party)
        return self.page(
            tabs=price_tabs(request),
            found=below_cost_page(own, current_engine(), timezone.now(), request.GET.get("list", "")),
        )


class Compare(ComparePage, OperatorView):
    """What the carriers charge for each destination, or what a brand asks for them, cheapest first."""

    def tabs(self) -> Any:
        return price_tabs(self.request)

    def choices(self) -> list[tuple[str, str]]:
        brands = [(one.code, _("What %s charges") % one.name) for one in people.own_brands(self.viewer)]
        return [("cost", _("What carriers charge you")), *brands]

    def sides(self, what: str, at: datetime) -> tuple[list[Side], str]:
        engine, brands = current_engine(), {one.code: one for one in people.own_brands(self.viewer)}
        brand = brands.get(what)
        if brand is not None:
            return sale_sides(engine, brand.pk, None, at), brand.currency
        carriers = list(prices.carriers(self.viewer))
        first = next((one.cost_table.currency for one in carriers if one.cost_table is not None), "USD")
        return cost_sides(engine, carriers, at), first


class Carriers(OperatorView):
    template_name = "operator/carriers.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.page(tabs=price_tabs(request), carriers=prices.carriers(self.viewer))


class CarrierPage(OperatorForm):
    """A new carrier, or (with a code) one that stands."""

    form_class = CarrierForm
    template_name = "operator/carrier.html"
    right = May.PRICES
    verb = gettext_lazy("Save")

    @property
    def carrier(self) -> Carrier | None:
        code = self.kwargs.get("code")
        return prices.carrier_by_code(self.viewer, code) if code else None

    @property
    def heading(self) -> str:  # type: ignore[override]
        return self.carrier.name if self.carrier else _("New carrier")

    @property
    def back(self) -> str:  # type: ignore[override]
        return reverse("operator:carriers")

    def form(self, *data: Any) -> forms.Form:
        form = super().form(*data)
        if self.carrier:
            form.fields["code"].disabled = True
        return form

    def form_arguments(self) -> dict[str, Any]:
        carrier = self.carrier
        names = CarrierForm.base_fields
        initial = {name: getattr(carrier, name) for name in names} if carrier else {}
        return {"tables": prices.tables(self.viewer).filter(owner=self.viewer.party), "initial": initial}

    def more_context(self, form: forms.Form) -> dict[str, Any]:
        carrier = self.carrier
        return {"carrier": carrier, "remembered": memory_lines(memory_of(carrier)) if carrier else []}

    def save(self, form: Any) -> HttpResponse:
        data = dict(form.cleaned_data)
        code, name = data.pop("code"), data.pop("name")
        if self.carrier:
            update_carrier(self.carrier, actor=self.viewer.actor, name=name, **data)
        else:
            create_carrier(self.viewer.party, code, name, actor=self.viewer.actor, **data)
        return self.go("carriers", said=_("%s is saved.") % name)
