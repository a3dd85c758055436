"""What narrows a report: its time, and who, where and how; each from the address, so that a report can be kept."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from billing.portals.filters import Filters
from billing.portals.forms.money import date_input
from billing.portals.own.report_words import CLASSES
from rating.selectors.facts import Question
from rating.selectors.reports import Asked, Period, Span, period_of
from tiers.errors import Invalid

NO_DESTINATION = "-"
"""Calls without a price have no destination; an address says so with a dash."""
SPANS = (
    (Span.TODAY, gettext_lazy("Today")),
    (Span.YESTERDAY, gettext_lazy("Yesterday")),
    (Span.WEEK, gettext_lazy("This week")),
    (Span.MONTH, gettext_lazy("This month")),
    (Span.LAST_MONTH, gettext_lazy("Last month")),
)


class ReportFilters(Filters):
    noun = gettext_lazy("Calls")
    phrases: ClassVar[dict[str, Any]] = {
        "seller": gettext_lazy("sold by %s"),
        "buyer": gettext_lazy("to %s"),
        "destination": gettext_lazy("calling %s"),
        "carrier": gettext_lazy("by %s"),
        "service": "%s",
        "hour": gettext_lazy("at %s o'clock"),
    }

    period = forms.ChoiceField(choices=[*SPANS, (Span.DAYS, "")], widget=forms.HiddenInput)
    since = forms.DateField(label=gettext_lazy("From day"), widget=date_input())
    until = forms.DateField(label=gettext_lazy("To day"), widget=date_input())
    buyer = forms.SlugField(label=gettext_lazy("Customer (code)"), max_length=32)
    seller = forms.SlugField(label=gettext_lazy("Seller (code)"), max_length=32)
    destination = forms.CharField(label=gettext_lazy("Destination, as it is named"), max_length=200)
    carrier = forms.ChoiceField(label=gettext_lazy("Carrier"))
    service = forms.ChoiceField(
        label=gettext_lazy("Kind of call"),
        choices=[("", "—"), *((code, word) for code, word in CLASSES.items() if code)],
    )
    hour = forms.IntegerField(label=gettext_lazy("Hour of the day"), min_value=0, max_value=23)

    def __init__(self, request: HttpRequest, *, carriers: list[tuple[str, str]], bought: bool) -> None:
        self._carriers, self._bought = carriers, bought
        self.names: dict[str, str] = {}
        super().__init__(request)

    def prepare(self) -> None:
        field = self.fields["carrier"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", "—"), *self._carriers]
        if self._bought:
            del self.fields["buyer"], self.fields["seller"]

    def words(self, name: str) -> str:
        if name == "destination" and self.value(name) == NO_DESTINATION:
            return str(gettext_lazy("numbers without a price"))
        return self.names.get(name) or super().words(name)

    def time(self, zone: ZoneInfo, now: datetime) -> Period:
        """The period that was asked for; this month where none was, or none that makes sense."""
        since, until = self.value("since"), self.value("until")
        try:
            if since or until:
                return period_of(Span.DAYS, zone, now, since, until)
            span = Span(self.value("period") or Span.MONTH)
            return period_of(Span.MONTH if span == Span.DAYS else span, zone, now)
        except Invalid as error:
            self.add_error("until", error.message)
            return period_of(Span.MONTH, zone, now)

    def asked(self, *, every_seller: bool) -> Asked:
        destination = self.value("destination")
        return Asked(
            bought=self._bought,
            seller=self.value("seller") or "",
            buyer=self.value("buyer") or "",
            carrier=self.value("carrier") or "",
            service_class=self.value("service") or "",
            destination="" if destination == NO_DESTINATION else destination,
            hour=self.value("hour"),
            every_seller=every_seller,
        )

    def name(self, asked: Question) -> None:
        """Say parties by their names."""
        for field in ("buyer", "seller"):
            party = getattr(asked, field)
            if party is not None:
                self.names[field] = party.name
