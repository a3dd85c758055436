"""What lists of calls share: filters that read as a sentence, and the same calls as a CSV file."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.portals.filters import Filters
from billing.portals.forms.money import date_input
from billing.portals.own.report_words import CLASSES
from invoicing.render.calls_csv import safe_number, safe_text
from rating.models import Carrier, RatedCall
from rating.selectors.calls import began_between, month_bounds
from rating.selectors.corrections import over as sold_over
from rating.selectors.corrections import streamed_as_now
from rating.selectors.facts import Question
from rating.selectors.prices import offered_carriers
from tiers.viewer import Viewer

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
THIS_MONTH, LAST_MONTH, ALL = "month", "last", "all"


class CallFilters(Filters):
    """Calls of this month unless another time is asked for."""

    noun = gettext_lazy("Calls")
    phrases: ClassVar[dict[str, Any]] = {
        "to": gettext_lazy("to %s"),
        "caller": gettext_lazy("from %s"),
        "period": "%s",
        "since": gettext_lazy("from %s on"),
        "until": gettext_lazy("up to %s"),
        "over": gettext_lazy("over %s"),
        "destination": gettext_lazy("calling %s"),
        "carrier": gettext_lazy("by %s"),
        "service": "%s",
    }

    period = forms.ChoiceField(
        label=gettext_lazy("When"),
        choices=[
            (THIS_MONTH, gettext_lazy("this month")),
            (LAST_MONTH, gettext_lazy("last month")),
            (ALL, gettext_lazy("at any time")),
        ],
    )
    to = forms.CharField(label=gettext_lazy("Destination or number"), max_length=60)
    caller = forms.CharField(label=gettext_lazy("Caller"), max_length=40)
    since = forms.DateField(label=gettext_lazy("From day"), widget=date_input())
    until = forms.DateField(label=gettext_lazy("To day"), widget=date_input())
    over = forms.DecimalField(label=gettext_lazy("Cost over"), min_value=0, max_digits=14, decimal_places=4)

    destination = forms.CharField(widget=forms.HiddenInput, max_length=200)
    carrier = forms.ModelChoiceField(widget=forms.HiddenInput, queryset=Carrier.visible.none(), to_field_name="code")
    service = forms.ChoiceField(widget=forms.HiddenInput, choices=list(CLASSES.items()))

    def prepare(self) -> None:
        field = self.fields["carrier"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = offered_carriers()

    def __init__(self, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(request, **kwargs)
        data = request.GET.copy()
        if not data.get("period"):
            dated = self.cleaned_data.get("since") or self.cleaned_data.get("until")
            data["period"] = ALL if dated else THIS_MONTH
        self.data = data
        self.full_clean()

    def value(self, name: str) -> Any:
        found = super().value(name)
        return None if name == "period" and found == ALL else found

    def _without(self, name: str) -> str:
        if name != "period":
            return super()._without(name)
        params = self.request.GET.copy()
        for dropped in ("after", "before"):
            params.pop(dropped, None)
        params["period"] = ALL
        return f"{self.request.path}?{params.urlencode()}"

    def of(self, rows: QuerySet[RatedCall]) -> QuerySet[RatedCall]:
        """The calls that were asked for. Times in the zone that is active (the brand's)."""
        start, end = self.bounds()
        if start or end:
            rows = rows.filter(began_between(start or LONG_AGO, end or _far()))
        if (to := self.value("to")) is not None:
            digits = "".join(char for char in to if char.isdigit())
            numeric = digits and not any(char.isalpha() for char in to)
            rows = rows.filter(number__startswith=digits) if numeric else rows.filter(destination__icontains=to)
        if (caller := self.value("caller")) is not None:
            rows = rows.filter(caller__contains=caller.lstrip("+").replace(" ", ""))
        for name, column in (("destination", "destination"), ("carrier", "carrier"), ("service", "service_class")):
            if (value := self.value(name)) is not None:
                rows = rows.filter(**{column: value})
        if (over := self.value("over")) is not None:
            rows = sold_over(rows, over)
        return rows

    def asked(self, viewer: Viewer, **more: Any) -> Question | None:
        """The same filters as a question to the facts; None where they do not keep what is asked for."""
        if any(self.value(name) is not None for name in ("to", "caller", "over")):
            return None
        start, end = self.bounds()
        return Question(
            viewer=viewer,
            start=start or LONG_AGO,
            end=end or _far(),
            zone=timezone.get_current_timezone(),
            currency="",
            carrier=self.value("carrier"),
            service_class=self.value("service"),
            destination=self.value("destination"),
            **more,
        )

    def bounds(self) -> tuple[datetime | None, datetime | None]:
        zone = timezone.get_current_timezone()
        today = timezone.localdate()
        if (period := self.value("period")) is not None:
            first = today.replace(day=1)
            return month_bounds(first if period == THIS_MONTH else (first - timedelta(days=1)).replace(day=1), zone)
        since, until = self.value("since"), self.value("until")
        return (_midnight(since, zone) if since else None), (
            _midnight(until + timedelta(days=1), zone) if until else None
        )


def _midnight(day: date, zone: Any) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone)


def _far() -> datetime:
    """A whole hour, up to which facts know everything."""
    return timezone.now().replace(minute=0, second=0, microsecond=0) + timedelta(days=366)


Column = tuple[str, Callable[[RatedCall], Any]]


def base_columns(zone: ZoneInfo) -> list[Column]:
    """What every reader of a call may have."""
    return [
        ("started_at", lambda call: call.started_at.astimezone(zone).isoformat()),
        ("caller", lambda call: safe_number(_plus(call.caller))),
        ("number", lambda call: safe_number(_plus(call.number))),
        ("destination", lambda call: safe_text(call.destination)),
        ("duration_s", lambda call: call.duration_s),
        ("billed_s", lambda call: call.billed_s),
    ]


def csv_of(calls: QuerySet[RatedCall], columns: Iterable[Column], name: str) -> StreamingHttpResponse:
    """Every call that is filtered, oldest first, streamed: memory stays flat however many there are."""
    listed = list(columns)
    response = StreamingHttpResponse(_lines(calls.order_by("id"), listed), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


class _Echo:
    def write(self, text: str) -> str:
        return text


def _lines(calls: QuerySet[RatedCall], columns: list[Column]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield writer.writerow([name for name, _value in columns])
    for call in streamed_as_now(calls):
        yield writer.writerow([value(call) for _name, value in columns])


def _plus(number: str) -> str:
    plain = number.isascii() and number.isdigit() and len(number) >= 7
    return f"+{number}" if plain else number


def increments(first_s: int | None, step_s: int) -> str:
    """How a price counts time, in words."""
    if (first_s or step_s) == step_s:
        return {1: _("by the second"), 60: _("by the minute")}.get(step_s) or _("in steps of %s seconds") % step_s
    if step_s == 1:
        return _("at least %s seconds, then by the second") % first_s
    return _("at least %(first)s seconds, then in steps of %(step)s") % {"first": first_s, "step": step_s}
