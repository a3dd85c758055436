"""Price lists: what the dealer charges, by a mark-up on what it pays and by prices of its own."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.formatting import price_text
from billing.portals.dealer.base import DealerAct, DealerForm, DealerView
from billing.portals.dealer.price_forms import CopyForm, MarkupForm, NewListForm, RateForm
from billing.portals.keyset import page_of
from billing.portals.losses import AsksAboutLoss
from billing.portals.own.calls import increments
from billing.portals.own.list_prices import ListPricesPage
from billing.portals.own.lists.base import list_tabs
from billing.portals.own.rates import list_file
from billing.portals.tabs import Tab, tabs
from rating.models import ListTerms, PriceList, Rate
from rating.selectors import prices, tariffs, traffic
from rating.selectors.drafts import pending
from rating.selectors.markup import Effect, effects
from rating.selectors.prices import in_force
from rating.selectors.tariffs import SAMPLES
from rating.services.list_copy import copy_list
from rating.services.lists import create_list, end_own_rate, set_list_terms, set_own_rate
from tiers.errors import NotFound
from tiers.roles import May

MOST_EFFECTS = 8


class PriceView(DealerView):
    def tabs(self) -> list[Tab]:
        return tabs(
            self.request,
            (gettext_lazy("Your lists"), reverse("dealer:prices")),
            (gettext_lazy("What you pay"), reverse("dealer:buy_prices")),
            (gettext_lazy("Side by side"), reverse("dealer:compare")),
            (gettext_lazy("Below cost"), reverse("dealer:below_cost")),
            (gettext_lazy("Try a number"), reverse("dealer:try")),
            (gettext_lazy("Read numbers"), reverse("dealer:numbers")),
        )

    def numbers(self) -> list[str]:
        """Numbers of the destinations that its customers call most; some usual ones where nobody called yet."""
        known = [one.number for one in traffic.favourites(self.viewer, most=MOST_EFFECTS)]
        return known or list(SAMPLES)


class Lists(PriceView):
    template_name = "dealer/lists.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        found = list(prices.lists(self.viewer).filter(seller=self.viewer.party))
        terms = prices.terms_now(found, timezone.now())
        waiting = {one.pk for one in pending(self.viewer)}
        return self.page(
            tabs=self.tabs(),
            lines=[(one, terms.get(one.pk), one.pk in waiting) for one in found],
            may_change=self.viewer.may(May.PRICES),
            has_brand=bool(self.brands),
        )


class OneList:
    """Mix-in: a list of the viewer's own party, or 404."""

    viewer: Any
    kwargs: dict[str, Any]

    @cached_property
    def price_list(self) -> PriceList:
        found = prices.list_by_code(self.viewer, self.kwargs["code"])
        if found.seller_id != self.viewer.party.pk:
            raise NotFound("no_list", _("There is no such price list here."))
        return found

    @cached_property
    def terms(self) -> ListTerms:
        """The terms in force, or the base's own price."""
        found = prices.terms_now([self.price_list], timezone.now()).get(self.price_list.pk)
        return found or ListTerms(price_list=self.price_list)

    @property
    def list_url(self) -> str:
        return reverse("dealer:list", args=[self.kwargs["code"]])


class ListPrices(ListPricesPage, OneList, PriceView):
    """All that the list charges, in any currency."""


class ListFile(OneList, PriceView):
    """What the list charges now, as CSV or XLSX."""

    def get(self, request: HttpRequest, kind: str, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return list_file(self.price_list, kind, request.GET.get("in", ""))


class ListPage(OneList, PriceView):
    template_name = "dealer/list.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        price_list, text = self.price_list, request.GET.get("q", "").strip()[:60]
        page = None
        if price_list.own_table is not None:
            found = prices.rates(price_list.own_table, text=text).exclude(effective_to__lte=timezone.now())
            page = page_of(found, request.GET, key="id", parse=int)
        return self.page(
            list=price_list,
            tabs=list_tabs(request, "dealer", price_list),
            waiting=price_list in pending(self.viewer),
            rule_count=len(prices.rules_at(prices.rules(self.viewer, price_list), timezone.now())),
            terms=self.terms,
            history=prices.terms_history(price_list)[:10],
            effects=shown(effects(price_list, self.terms, self.bought, self.numbers())),
            page=page,
            rates=[self.rate_line(rate) for rate in page.rows] if page else [],
            text=text,
            may_change=self.viewer.may(May.PRICES),
        )

    def rate_line(self, rate: Rate) -> dict[str, Any]:
        buy = self.bought.by_list(rate.prefix, self.price_list.carrier_id)
        same = buy is not None and buy.measure.currency == self.price_list.currency
        pays = buy.row.price if buy is not None and same else None
        return {
            "rate": rate,
            "pays": pays,
            "earns": None if pays is None else rate.price - pays,
            "increments": increments(rate.first_s, rate.step_s),
            "to_come": rate.effective_from > timezone.now(),
        }


class NewList(DealerForm):
    form_class = NewListForm
    right = May.PRICES
    heading = gettext_lazy("New price list")
    verb = gettext_lazy("Create")

    @property
    def back(self) -> str:  # type: ignore[override]
        return reverse("dealer:prices")

    def form_arguments(self) -> dict[str, Any]:
        return {
            "brands": self.brands,
            "bases": [*tariffs.buy_lists(self.viewer), *prices.lists(self.viewer).filter(seller=self.viewer.party)],
        }

    def save(self, form: Any) -> HttpResponse:
        data = form.cleaned_data
        base = form.base
        made = create_list(
            self.viewer.party,
            data["code"],
            form.brand,
            actor=self.viewer.actor,
            name=data["name"],
            base_list=base,
            carrier=base.carrier if base else None,
        )
        set_list_terms(made, actor=self.viewer.actor, markup=form.markup)
        return self.go("list", made.code, said=_("The list is in force from now on."))


class SetMarkup(AsksAboutLoss, OneList, DealerForm, PriceView):
    """The mark-up, with what it earns shown while it is typed."""

    form_class = MarkupForm
    template_name = "dealer/markup.html"
    right = May.PRICES
    verb = gettext_lazy("Save")

    @property
    def heading(self) -> str:  # type: ignore[override]
        return _("Mark-up of %s") % self.price_list.name

    @property
    def back(self) -> str:  # type: ignore[override]
        return self.list_url

    def form_arguments(self) -> dict[str, Any]:
        terms = self.terms
        return {
            "initial": {
                "percent": f"{(terms.markup * 100).normalize():f}",
                "addon": f"{terms.addon.normalize():f}",
                "connect_fee": None if terms.connect_fee is None else f"{terms.connect_fee.normalize():f}",
                "first_s": terms.first_s,
                "step_s": terms.step_s,
            }
        }

    def more_context(self, form: forms.Form) -> dict[str, Any]:
        typed = ListTerms(price_list=self.price_list, markup=self.terms.markup, addon=self.terms.addon)
        return {**super().more_context(form), "list": self.price_list, **effect_context(self, typed)}

    def save(self, form: Any) -> HttpResponse:
        _terms, changed = set_list_terms(
            self.price_list,
            actor=self.viewer.actor,
            valid_from=form.cleaned_data["valid_from"],
            accept_loss=self.accepted,
            **form.terms(),
        )
        return self.go("list", self.price_list.code, said=_("Saved.") if changed else _("Nothing was changed."))


class MarkupEffect(OneList, PriceView):
    """What the mark-up that is being typed would earn; part of a page."""

    template_name = "dealer/effect.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        percent, addon = _decimal(request.GET.get("percent", "")), _decimal(request.GET.get("addon", ""))
        typed = ListTerms(price_list=self.price_list, markup=percent / 100, addon=max(addon, Decimal(0)))
        return self.page(list=self.price_list, **effect_context(self, typed))


def effect_context(view: Any, typed: ListTerms) -> dict[str, Any]:
    found = shown(effects(view.price_list, typed, view.bought, view.numbers()))
    return {"effects": found, "sentence": effect_sentence(found)}


def shown(found: list[Effect]) -> list[Effect]:
    """Each destination once, to four decimals, as many as a reader compares."""
    once = {one.destination: one for one in reversed(found) if one.then is not None or one.now is not None}
    return [
        replace(one, buy=_four(one.buy), now=_four(one.now), then=_four(one.then)) for one in reversed(once.values())
    ]


def _four(price: Decimal | None) -> Decimal | None:
    return None if price is None else price.quantize(Decimal("0.0001"), ROUND_HALF_UP)


def effect_sentence(found: list[Effect]) -> str:
    """`At this mark-up you earn 0.0067 EUR a minute to China.`"""
    first = next((one for one in found if one.earn is not None), None)
    if first is None or first.earn is None:
        return ""
    said = {"amount": price_text(abs(first.earn)), "currency": first.currency, "to": first.destination}
    if first.earn < 0:
        return _("At this mark-up you lose %(amount)s %(currency)s a minute to %(to)s.") % said
    return _("At this mark-up you earn %(amount)s %(currency)s a minute to %(to)s.") % said


def _decimal(text: str) -> Decimal:
    try:
        value = Decimal(text.strip())
    except ArithmeticError:
        return Decimal(0)
    return value if value.is_finite() and abs(value) < Decimal(10) ** 8 else Decimal(0)


class SetRate(AsksAboutLoss, OneList, DealerForm):
    """A price of its own for one destination, from a moment on, whatever the base says."""

    form_class = RateForm
    right = May.PRICES
    verb = gettext_lazy("Save")

    @property
    def heading(self) -> str:  # type: ignore[override]
        return _("Own price in %s") % self.price_list.name

    @property
    def lead(self) -> str:  # type: ignore[override]
        return _("Prices are per minute in %s. It holds from its date until the next one.") % self.price_list.currency

    @property
    def back(self) -> str:  # type: ignore[override]
        return self.list_url

    def form_arguments(self) -> dict[str, Any]:
        prefix = self.request.GET.get("prefix", "")
        if not prefix.isdigit():
            return {}
        now = self.bought.by_list(prefix, self.price_list.carrier_id)
        return {"initial": {"digits": prefix, "destination": now.row.destination if now else ""}}

    def save(self, form: Any) -> HttpResponse:
        data = form.cleaned_data
        if not data["destination"]:
            known = self.bought.by_list(data["digits"], self.price_list.carrier_id)
            data["destination"] = known.row.destination if known else ""
        values = {name: data[name] for name in RateForm.VALUES if data[name] is not None}
        rate = set_own_rate(
            self.price_list,
            data["digits"],
            data["price"],
            actor=self.viewer.actor,
            effective_from=data["effective_from"],
            accept_loss=self.accepted,
            **values,
        )
        return self.go("list", self.price_list.code, said=self.said(rate))

    def said(self, rate: Rate) -> str:
        """What it earns, or that it costs more than it brings."""
        buy = self.bought.by_list(rate.prefix, self.price_list.carrier_id)
        if buy is None or buy.measure.currency != self.price_list.currency:
            return _("Saved.")
        earn = rate.price - buy.row.price
        said = {
            "amount": price_text(abs(earn)),
            "currency": self.price_list.currency,
            "to": rate.destination or rate.prefix,
        }
        if earn < 0:
            return _("Saved. You lose %(amount)s %(currency)s a minute to %(to)s.") % said
        return _("Saved. You earn %(amount)s %(currency)s a minute to %(to)s.") % said


class EndRate(OneList, DealerAct):
    right = May.PRICES
    verb = gettext_lazy("End this price")
    danger = True

    @property
    def rate(self) -> Rate:
        table = self.price_list.own_table
        rows = prices.rates(table).filter(in_force_or_to_come(), prefix=self.kwargs["prefix"]) if table else None
        found = rows.order_by("effective_from").first() if rows is not None else None
        if found is None:
            raise NotFound("no_rate", _("There is no such price here."))
        return found

    def question(self) -> str:
        return _("End the own price of %s?") % (self.rate.destination or self.rate.prefix)

    def consequence(self) -> str:
        return _("From now on the base with its mark-up holds again. Calls already charged stay as they are.")

    def back(self) -> str:
        return self.list_url

    def act(self) -> HttpResponse:
        end_own_rate(self.price_list, self.rate.prefix, actor=self.viewer.actor)
        return self.go("list", self.price_list.code, said=_("Ended."))


def in_force_or_to_come() -> Any:
    now: datetime = timezone.now()
    return in_force(now) | prices.begins_after(now)


class CopyList(OneList, DealerForm):
    """The same prices for one customer alone, to be changed for it."""

    form_class = CopyForm
    right = May.PRICES
    verb = gettext_lazy("Copy")
    lead = gettext_lazy("The copy starts with the same mark-up and own prices and holds for this customer alone.")

    @property
    def heading(self) -> str:  # type: ignore[override]
        return _("Copy %s for one customer") % self.price_list.name

    @property
    def back(self) -> str:  # type: ignore[override]
        return self.list_url

    def form_arguments(self) -> dict[str, Any]:
        return {"viewer": self.viewer}

    def save(self, form: Any) -> HttpResponse:
        data = form.cleaned_data
        made = copy_list(self.price_list, data["buyer"], data["code"], data["name"], actor=self.viewer.actor)
        return self.go("list", made.code, said=_("%s has a list of its own now.") % data["buyer"].name)
