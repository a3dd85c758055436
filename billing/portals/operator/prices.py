"""Prices: rate tables with their rates, decks on their way in, and the question what a call would cost."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.portals.filters import Filters
from billing.portals.forms.prices import QuoteForm, RateForm, TableForm
from billing.portals.keyset import page_of
from billing.portals.operator.base import OperatorForm, OperatorView
from billing.portals.own.rates import table_file
from billing.portals.shown import shown
from billing.portals.tabs import Tab, tabs
from billing.portals.views import explain
from rating.pricing.current import current_engine
from rating.selectors import decks, prices
from rating.services.quote import Question, as_json, quote
from rating.services.rates import RateEntry, create_table, set_rates
from tiers.errors import TollgateError
from tiers.roles import May
from tiers.selectors import people


def price_tabs(request: HttpRequest) -> list[Tab]:
    return tabs(
        request,
        (gettext_lazy("Rate tables"), reverse("operator:prices")),
        (gettext_lazy("Price lists"), reverse("operator:lists")),
        (gettext_lazy("Carriers"), reverse("operator:carriers")),
        (gettext_lazy("Side by side"), reverse("operator:compare")),
        (gettext_lazy("Exchange rates"), reverse("operator:exchange")),
        (gettext_lazy("Below cost"), reverse("operator:below_cost")),
        (gettext_lazy("Try a number"), reverse("operator:quote")),
    )


class Tables(OperatorView):
    template_name = "operator/tables.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        tables = list(prices.tables(self.viewer))
        counts = prices.rate_counts(tables, timezone.now())
        rows = [(table, counts.get(table.pk, 0)) for table in tables]
        return self.page(tabs=price_tabs(request), rows=rows)


class NewTable(OperatorForm):
    form_class = TableForm
    right = May.PRICES
    heading = gettext_lazy("New rate table")
    verb = gettext_lazy("Create")

    @property
    def back(self) -> str:  # type: ignore[override]
        return reverse("operator:prices")

    def save(self, form: Any) -> HttpResponse:
        data = dict(form.cleaned_data)
        table = create_table(
            self.viewer.party,
            data["code"],
            data["name"],
            data["currency"].upper(),
            actor=self.viewer.actor,
            decimals=4 if data["decimals"] is None else data["decimals"],
            rounding=data["rounding"] or "half_up",
            time_zone=data["time_zone"] or "UTC",
        )
        return self.go("table", table.code, said=_("%s is created. Import its deck.") % table.name)


class RateFilters(Filters):
    noun = gettext_lazy("Rates")
    phrases: ClassVar[dict[str, Any]] = {
        "q": gettext_lazy("to “%s”"),
        "when": gettext_lazy("%s"),
    }
    q = forms.CharField(label=gettext_lazy("Prefix or destination"))
    when = forms.ChoiceField(
        label=gettext_lazy("Which"),
        choices=[("", gettext_lazy("in force now")), ("all", gettext_lazy("past and future too"))],
    )


class TablePage(OperatorView):
    template_name = "operator/table.html"

    def get(self, request: HttpRequest, code: str, *args: Any, **kwargs: Any) -> HttpResponse:
        table = prices.table_by_code(self.viewer, code)
        filters = RateFilters(request)
        at = None if filters.value("when") else timezone.now()
        found = prices.rates(table, at=at, text=filters.value("q") or "")
        page = page_of(found, request.GET, newest_first=False, parse=int)
        counts = prices.rate_counts([table], timezone.now())
        return self.page(
            table=table,
            filters=filters,
            page=page,
            in_force=counts.get(table.pk, 0),
            decks=decks.recent(self.viewer, table),
            shown=shown(request, table.currency),
        )


class TableFile(OperatorView):
    """The rates in force and to come, as CSV or XLSX."""

    def get(self, request: HttpRequest, code: str, kind: str, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return table_file(prices.table_by_code(self.viewer, code), kind, request.GET.get("in", ""))


class SetRate(OperatorForm):
    """One rate by hand."""

    form_class = RateForm
    right = May.PRICES
    verb = gettext_lazy("Enter")
    heading = gettext_lazy("Enter a rate")

    @property
    def back(self) -> str:  # type: ignore[override]
        return reverse("operator:table", args=[self.kwargs["code"]])

    def save(self, form: Any) -> HttpResponse:
        table = prices.table_by_code(self.viewer, self.kwargs["code"])
        data = form.cleaned_data
        since = data["effective_from"] or timezone.now()
        entry = RateEntry(data["prefix"], data["price"], since, **form.values())
        set_rates(table, [entry], actor=self.viewer.actor)
        return self.go("table", table.code, said=_("The rate for %s is entered.") % data["prefix"])


class TryNumber(OperatorView):
    """What would this call cost, at every tier, and why?"""

    template_name = "operator/quote.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        asked = "to" in request.GET
        data = request.GET if asked else None
        carriers = prices.carriers(self.viewer).filter(active=True)
        form = QuoteForm(data, viewer=self.viewer, carriers=carriers, initial={"seconds": 90})
        answer = self.answer(form) if asked and form.is_valid() else None
        return self.page(tabs=price_tabs(request), form=form, answer=answer)

    def answer(self, form: QuoteForm) -> dict[str, Any] | None:
        data = form.cleaned_data
        carrier = data["carrier"]
        question = Question(
            data["customer"], data["to"], data["seconds"], data["at"] or timezone.now(), carrier and carrier.pk
        )
        engine = current_engine()
        try:
            answer = as_json(question, quote(question, engine), engine)
        except TollgateError as error:
            explain(form, error)
            return None
        names = dict(people.parties(self.viewer).values_list("code", "name"))
        for tier in answer["tiers"]:
            tier |= {"buyer": names[tier["buyer"]], "seller": names[tier["seller"]]}
        return answer
