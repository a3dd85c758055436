"""Calls that go on, one of them with all that was asked and answered, and every attempt with its outcome."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.formatting import phone_text
from billing.portals.filters import Filters
from billing.portals.keyset import page_of
from billing.portals.own.live.base import STATES, TONES, LiveView, MovingPart, again
from billing.portals.own.live.told import events, price_words, tiers_of
from billing.portals.own.report_words import CLASSES
from billing.portals.views import Act
from rating.live.asking import reason_text
from rating.live.cutting import can_cut
from rating.models import LiveCall, LiveStatus
from rating.selectors import live, prices, usage
from rating.selectors.calls import id_floor
from rating.selectors.live_holds import holds_of
from rating.services.call_cuts import end_call
from tiers.errors import NotFound
from tiers.models import Kind, Party
from tiers.roles import May
from tiers.selectors import people
from tiers.viewer import Viewer

MOST = 100
REASONS = (
    *("funds", "spend", "blocked", "barred", "closed", "below_cost"),
    *("concurrent", "rate", "no_price", "number", "unknown", "unavailable"),
)
PERIODS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7), "month": timedelta(days=31)}


class LiveFilters(Filters):
    """Which calls that go on. What names nobody is said at its field."""

    noun = gettext_lazy("Live calls")
    phrases: ClassVar[dict[str, Any]] = {
        "party": gettext_lazy("of %s"),
        "to": gettext_lazy("to %s"),
        "carrier": gettext_lazy("by %s"),
        "switch": gettext_lazy("through %s"),
    }

    party = forms.CharField(label=gettext_lazy("Dealer or customer (code)"), max_length=32)
    to = forms.CharField(label=gettext_lazy("Number begins with"), max_length=32)
    carrier = forms.CharField(label=gettext_lazy("Carrier (code)"), max_length=32)
    switch = forms.CharField(label=gettext_lazy("Switch (code of its source)"), max_length=32)

    def __init__(self, request: HttpRequest, viewer: Viewer) -> None:
        self.viewer = viewer
        super().__init__(request)

    def prepare(self) -> None:
        dropped: dict[str, tuple[str, ...]] = {Kind.CUSTOMER: ("party", "carrier", "switch"), Kind.DEALER: ("carrier",)}
        for name in dropped.get(self.viewer.party.kind, ()):
            del self.fields[name]

    def clean_party(self) -> Party | None:
        return self._known(people.party_by_code, "party")

    def clean_carrier(self) -> Any:
        return self._known(prices.carrier_by_code, "carrier")

    def clean_switch(self) -> Any:
        return self._known(usage.source_by_code, "switch")

    def _known(self, find: Any, name: str) -> Any:
        code = self.cleaned_data[name]
        try:
            return find(self.viewer, code) if code else None
        except NotFound as error:
            raise forms.ValidationError(error.message) from error

    def words(self, name: str) -> str:
        value = self.value(name)
        return str(getattr(value, "name", "")) or super().words(name)

    def of(self, rows: QuerySet[LiveCall]) -> QuerySet[LiveCall]:
        """The calls that were asked for."""
        if (party := self.value("party")) is not None:
            below = people.parties(self.viewer).filter(path__startswith=party.path)
            rows = rows.filter(customer=party) if party.kind == Kind.CUSTOMER else rows.filter(customer__in=below)
        if (to := self.value("to")) is not None:
            digits = "".join(filter(str.isdigit, to))
            rows = rows.filter(Q(number__startswith=digits) | Q(callee__startswith=to))
        if (carrier := self.value("carrier")) is not None:
            rows = rows.filter(carrier=carrier)
        if (switch := self.value("switch")) is not None:
            rows = rows.filter(source=switch)
        return rows


@dataclass(frozen=True)
class Shown:
    """A line with its words; `via` is the buyer of the viewer's sale where that is not the customer."""

    line: live.Line
    state: str
    tone: str
    via: str = ""
    told: live.Told | None = None


def shown_lines(viewer: Viewer, calls: list[LiveCall]) -> list[Shown]:
    """Figures, states and names for one page of calls; as many questions for many as for few."""
    lines = live.lines(viewer, calls)
    told = live.reasons(viewer, calls)
    buyers = {one.sold.with_whom for one in lines if one.sold and one.sold.with_whom != one.call.customer_id}
    names = dict(people.parties(viewer).filter(pk__in=buyers).values_list("pk", "name")) if buyers else {}
    return [
        Shown(
            one,
            str(STATES[one.state]),
            TONES[one.state],
            names.get(one.sold.with_whom, "") if one.sold else "",
            told.get(one.call.pk),
        )
        for one in lines
    ]


def sums_of(shown: list[Shown]) -> dict[str, list[tuple[str, Decimal]]]:
    """What the shown calls come to, by currency."""
    totals: dict[str, dict[str, Decimal]] = {"sold": {}, "bought": {}}
    for one in shown:
        for name, part in (("sold", one.line.sold), ("bought", one.line.bought)):
            if part is not None:
                totals[name][part.currency] = totals[name].get(part.currency, Decimal(0)) + part.amount
    return {name: sorted(sums.items()) for name, sums in totals.items()}


class Calls:
    """Mix-in: the calls that go on, newest first, as context of the page and of its moving part."""

    viewer: Viewer
    kind: str
    request: HttpRequest

    def part_url(self) -> str:
        asked = self.request.GET.urlencode()
        return reverse(f"{self.kind}:live_now") + (f"?{asked}" if asked else "")

    def going_on(self, filters: LiveFilters) -> dict[str, Any]:
        found = filters.of(live.open_calls(self.viewer))
        rows = list(found.order_by("-id")[: MOST + 1])
        shown = shown_lines(self.viewer, rows[:MOST])
        return {
            "shown": shown,
            "sums": sums_of(shown),
            "sum": live.now_at(self.viewer, found),
            "more": len(rows) > MOST,
            "most": MOST,
            "moment": timezone.now(),
            "part_url": self.part_url(),
            "narrowed": bool(filters.chips),
        }


class Live(LiveView, Calls):
    """The page: its middle moves by itself."""

    template_name = "own/live/calls.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        filters = LiveFilters(request, self.viewer)
        return self.live_page(tabs=self.tabs(), filters=filters, **self.going_on(filters))


class LiveNow(MovingPart, Calls):
    """The moving middle alone."""

    template_name = "own/live/calls_now.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.live_page(**self.going_on(LiveFilters(request, self.viewer)))


# -- every attempt --------------------------------------------------------------------------------------------------
def outcome_choices() -> list[tuple[str, Any]]:
    codes = [(code, reason_text(code).rstrip(".")) for code in REASONS]
    return [
        ("", "—"),
        ("refused", _("refused, for any reason")),
        *codes,
        (LiveStatus.ENDED, _("ended")),
        (LiveStatus.FAILED, _("not answered")),
        (LiveStatus.REAPED, _("closed by us, no end was told")),
        ("odd", _("with figures that were not believed")),
    ]


class AskedFilters(LiveFilters):
    """Attempts of the last day, unless another time is asked for."""

    noun = gettext_lazy("Attempts")
    phrases: ClassVar[dict[str, Any]] = {"period": "%s", "outcome": "“%s”", "caller": gettext_lazy("from %s")}
    phrases |= LiveFilters.phrases
    field_order = ["period", "outcome", "party", "to", "caller"]

    period = forms.ChoiceField(
        label=gettext_lazy("When"),
        choices=[
            ("day", gettext_lazy("in the last 24 hours")),
            ("hour", gettext_lazy("in the last hour")),
            ("week", gettext_lazy("in the last 7 days")),
            ("month", gettext_lazy("in the last 31 days")),
        ],
    )
    outcome = forms.ChoiceField(label=gettext_lazy("Outcome"), choices=outcome_choices)
    caller = forms.CharField(label=gettext_lazy("Caller or account"), max_length=64)

    def of(self, rows: QuerySet[LiveCall]) -> QuerySet[LiveCall]:
        since = timezone.now() - PERIODS[self.value("period") or "day"]
        rows = super().of(rows).filter(id__gte=id_floor(since))
        if (caller := self.value("caller")) is not None:
            plain = caller.lstrip("+")
            rows = rows.filter(Q(caller__in=[caller, plain, f"+{plain}"]) | Q(account__iexact=caller))
        if (outcome := self.value("outcome")) is None:
            return rows
        if outcome in LiveStatus.values and outcome != LiveStatus.REFUSED:
            return rows.filter(status=outcome)
        if outcome == "odd":
            return rows.exclude(oddity="")
        return rows.filter(live.refused_for(self.viewer, "" if outcome == "refused" else outcome))


class Asked(LiveView):
    """What was asked lately and what became of it: the page to have open when somebody says "I could not call"."""

    template_name = "own/live/asked.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        filters = AskedFilters(request, self.viewer)
        page = page_of(filters.of(live.asked_calls(self.viewer)), request.GET)
        return self.live_page(
            tabs=self.tabs(), filters=filters, page=page, shown=shown_lines(self.viewer, page.rows), narrowed=True
        )


# -- one call -------------------------------------------------------------------------------------------------------
class OneCall(LiveView):
    """A call that the viewer may see, or 404."""

    @cached_property
    def call(self) -> LiveCall:
        return live.call_by_id(self.viewer, self.kwargs["call"])

    def figures(self) -> dict[str, Any]:
        """What of it moves."""
        [shown] = shown_lines(self.viewer, [self.call])
        return {
            "one": shown,
            "call": self.call,
            "holds": holds_of(self.viewer, self.call),
            "moment": timezone.now(),
            "part_url": reverse(f"{self.kind}:live_call_now", args=[self.call.pk]),
        }


class CallPage(OneCall):
    """All that was asked, answered and told about one call."""

    template_name = "own/live/call.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        figures = self.figures()
        bought = figures["one"].line.bought
        return self.live_page(
            tiers=tiers_of(self.viewer, figures["one"].line),
            events=events(self.call, figures["one"].told, live.cuts_of(self.viewer, self.call)),
            rated=live.rated_calls(self.viewer, self.call),
            own_price=price_words(bought.rate, bought.currency) if bought else "",
            may_end=self.viewer.may(May.CALLS) and can_cut(self.call),
            below_cost=people.parties(self.viewer).filter(pk__in=self.call.below_cost) if self.staff else [],
            service=CLASSES.get(self.call.service_class, self.call.service_class),
            end_url=f"{self.kind}:live_call_end",
            rated_url=f"{self.kind}:call",
            party_url="operator:party" if self.kind == Kind.OPERATOR else "dealer:customer",
            **figures,
        )


class CallNow(OneCall, MovingPart):
    """Its figures alone; when it is over, the page is shown anew."""

    template_name = "own/live/call_now.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        shown_open = request.GET.get("state", "")
        figures = self.figures()
        if figures["one"].line.state != shown_open and request.headers.get("HX-Request"):
            return again()
        return self.live_page(**figures)


class EndCall(OneCall, Act):
    """Told to the switch; the page then says what the switch said."""

    right = May.CALLS
    verb = gettext_lazy("End the call")
    danger = True

    def question(self) -> str:
        return _("End the call to %s?") % phone_text(self.call.number or self.call.callee)

    def consequence(self) -> str:
        whose = self.call.customer.name if self.call.customer else _("nobody known")
        return _(
            "The switch %(switch)s is told to hang up on both sides, in the middle of a sentence. %(customer)s pays"
            " for the time until then. Your name stands with it in the audit trail."
        ) % {"switch": self.call.source.name, "customer": whose}

    def back(self) -> str:
        return reverse(f"{self.kind}:live_call", args=[self.call.pk])

    def act(self) -> HttpResponse:
        made = end_call(self.call, actor=self.viewer.actor)
        (messages.success if made.done else messages.error)(self.request, made.words)
        return HttpResponseRedirect(self.back())
