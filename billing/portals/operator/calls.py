"""Calls: what was sold with its cost, why each cost what it cost, and those without a price."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.formatting import month_text
from billing.portals.filters import Filters
from billing.portals.forms.money import date_input
from billing.portals.keyset import page_of
from billing.portals.look import look_of
from billing.portals.operator.base import OperatorAct, OperatorView
from billing.portals.tabs import Tab, tabs
from rating.models import Direction, RatedCall
from rating.numbers.number import ServiceClass
from rating.selectors import calls, corrections, prices
from rating.selectors.explanations import cost_lines, sale_lines
from rating.selectors.facts import Question
from rating.selectors.foot import foot
from rating.selectors.reports import midnight
from rating.services.unrated import rate_waiting
from tiers.roles import May
from tiers.selectors import people

MONTHS_BACK = 13


def month_choices(today: date) -> list[tuple[str, str]]:
    """This month and those before it, as ("2026-11", "November 2026")."""
    found = []
    year, month = today.year, today.month
    for _back in range(MONTHS_BACK):
        found.append((f"{year:04}-{month:02}", month_text(date(year, month, 1))))
        year, month = (year, month - 1) if month > 1 else (year - 1, 12)
    return found


class MonthFilters(Filters):
    """A month, this one unless said."""

    month = forms.ChoiceField(label=gettext_lazy("Month"))

    def prepare(self) -> None:
        field = self.fields["month"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = month_choices(timezone.localdate())

    def chosen_month(self) -> date:
        year, month = (self.value("month") or f"{timezone.localdate():%Y-%m}").split("-")
        return date(int(year), int(month), 1)


class CallFilters(MonthFilters):
    noun = gettext_lazy("Calls")
    phrases: ClassVar[dict[str, Any]] = {
        "party": gettext_lazy("of %s"),
        "number": gettext_lazy("to %s"),
        "month": gettext_lazy("in %s"),
        "carrier": gettext_lazy("by %s"),
        "service": gettext_lazy("that are %s"),
        "over": gettext_lazy("over %s"),
        "destination": gettext_lazy("calling %s"),
        "since": gettext_lazy("from %s on"),
        "until": gettext_lazy("up to %s"),
    }

    party = forms.CharField(label=gettext_lazy("Dealer or customer (code)"))
    number = forms.CharField(label=gettext_lazy("Called number begins with"))
    carrier = forms.CharField(label=gettext_lazy("Carrier (code)"))
    service = forms.ChoiceField(
        label=gettext_lazy("Service class"), choices=[("", "—"), *((one.value, one.value) for one in ServiceClass)]
    )
    over = forms.DecimalField(label=gettext_lazy("Sale over"), min_value=Decimal(0))
    destination = forms.CharField(widget=forms.HiddenInput, max_length=200)
    since = forms.DateField(label=gettext_lazy("From day"), widget=date_input())
    until = forms.DateField(label=gettext_lazy("To day"), widget=date_input())

    def bounds(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """The days that were asked for, else the month."""
        since, until = self.value("since"), self.value("until")
        if since is None and until is None:
            return calls.month_bounds(self.chosen_month(), zone)
        last = until or timezone.localdate()
        return midnight(since or last.replace(day=1), zone), midnight(last + timedelta(days=1), zone)


class CallsView(OperatorView):
    def tabs(self) -> list[Tab]:
        unrated = calls.unrated(self.viewer)[:100].count()
        found = tabs(
            self.request,
            (gettext_lazy("Rated"), reverse("operator:calls")),
            (gettext_lazy("Unrated"), reverse("operator:unrated")),
            (gettext_lazy("Not charged"), reverse("operator:free_calls")),
            (gettext_lazy("Re-rating"), reverse("operator:reratings")),
        )
        return [found[0], replace(found[1], count=unrated), *found[2:]]


class Calls(CallsView):
    """The operator's own sales of a month; the foot sums all that the filters let through."""

    template_name = "operator/calls.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        filters = CallFilters(request)
        found, asked = self.filtered(filters)
        page = page_of(found, request.GET)
        corrections.as_now(page.rows)
        added = foot(found, asked)
        dated = filters.value("since") or filters.value("until")
        month = None if dated else filters.chosen_month()
        return self.page(
            tabs=self.tabs(), filters=filters, page=page, sums=added.sums, newest=added.newest, month=month
        )

    def filtered(self, filters: CallFilters) -> tuple[QuerySet[RatedCall], Question | None]:
        """The calls that were asked for, and the same as a question to the facts, where they keep what is asked."""
        zone = look_of(self.request).zone
        start, end = filters.bounds(zone)
        found = calls.sold_calls(self.viewer).filter(calls.began_between(start, end))
        narrow: dict[str, Any] = {}
        known = True
        if (code := filters.value("party")) is not None:
            party = people.party_by_code(self.viewer, code)
            direct = party.depth == self.viewer.party.depth + 1
            below = people.parties(self.viewer).filter(path__startswith=party.path).values("pk")
            found = found.filter(buyer=party) if direct else found.filter(customer__in=below)
            narrow["buyer"], known = party, direct
        if (number := filters.value("number")) is not None:
            found, known = found.filter(number__startswith="".join(filter(str.isdigit, number))), False
        if (code := filters.value("carrier")) is not None:
            narrow["carrier"] = prices.carrier_by_code(self.viewer, code)
            found = found.filter(carrier=narrow["carrier"])
        for name in ("service", "destination"):
            if (value := filters.value(name)) is not None:
                column = "service_class" if name == "service" else name
                narrow[column] = value
                found = found.filter(**{column: value})
        if (over := filters.value("over")) is not None:
            found, known = corrections.over(found, over), False
        asked = Question(viewer=self.viewer, start=start, end=end, zone=zone, currency="", **narrow) if known else None
        return found, asked


class CallPage(OperatorView):
    """One call at every tier, each with its reasons."""

    template_name = "operator/call.html"

    def get(self, request: HttpRequest, call: UUID, *args: Any, **kwargs: Any) -> HttpResponse:
        found = calls.rated_call(self.viewer, call)
        tiers = calls.tiers_of_call(self.viewer, found)
        histories = corrections.histories(self.viewer, tiers)
        told = [(one, sale_lines(one), histories[one.pk]) for one in tiers]
        top = next((one for one in tiers if one.seller_id == self.viewer.party.pk), None)
        return self.page(
            call=found,
            record=calls.record_of(self.viewer, found),
            tiers=told,
            top=top,
            cost=cost_lines(top) if top is not None else [],
        )


class Unrated(CallsView):
    template_name = "operator/unrated.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        page = page_of(calls.unrated(self.viewer), request.GET)
        return self.page(tabs=self.tabs(), page=page, may=self.viewer.may(May.USAGE))


class FreeFilters(MonthFilters):
    noun = gettext_lazy("Calls that nobody pays for")
    phrases: ClassVar[dict[str, Any]] = {
        "month": gettext_lazy("in %s"),
        "direction": gettext_lazy("that are %s"),
        "party": gettext_lazy("of %s"),
    }

    direction = forms.ChoiceField(label=gettext_lazy("Direction"), choices=[("", "—"), *Direction.choices])
    party = forms.CharField(label=gettext_lazy("Customer (code)"))


class FreeCalls(CallsView):
    """What was kept and costs nothing: not answered, come in, inside the house, emergency."""

    template_name = "operator/free_calls.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        filters = FreeFilters(request)
        bounds = calls.month_bounds(filters.chosen_month(), look_of(request).zone)
        found = calls.free(self.viewer).filter(calls.began_between(*bounds))
        if (direction := filters.value("direction")) is not None:
            found = found.filter(direction=direction)
        if (code := filters.value("party")) is not None:
            found = found.filter(customer=people.party_by_code(self.viewer, code))
        return self.page(tabs=self.tabs(), filters=filters, page=page_of(found, request.GET))


class RateUnrated(OperatorAct):
    """Try them all again, after a rate was entered."""

    right = May.USAGE
    verb = gettext_lazy("Rate them")

    def question(self) -> str:
        return _("Rate the calls without a price again?")

    def consequence(self) -> str:
        return _("Those that now have a price that was in force at their answer are charged at every tier.")

    def back(self) -> str:
        return reverse("operator:unrated")

    def act(self) -> HttpResponse:
        count = rate_waiting(self.viewer.actor)
        return self.go("unrated", said=_("%d calls are rated.") % count)
