"""A list through time: what it charges on any day, what is to come and can be taken back, how one prefix went."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, ClassVar

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.formatting import moment_text, price_text
from billing.portals.filters import Filters
from billing.portals.keyset import PAGE_ROWS
from billing.portals.own.calls import increments
from billing.portals.own.lists.base import ListView
from billing.portals.own.lists.drafts import moment_input
from billing.portals.own.lists.rules import rule_name
from billing.portals.views import Act
from rating.models import ListTerms, Rate
from rating.pricing.lists import Found
from rating.selectors.timeline import Change, Coming, coming, on_day, timeline
from rating.services.quote import origin_lines
from rating.services.rate_changes import cancel_end, cancel_rate, cancel_terms
from tiers.errors import NotFound
from tiers.roles import May


class DayFilters(Filters):
    noun = gettext_lazy("Prices")
    phrases: ClassVar[dict[str, Any]] = {"q": gettext_lazy("to “%s”"), "at": gettext_lazy("on %s")}
    q = forms.CharField(label=gettext_lazy("Prefix or destination"), max_length=60)
    at = forms.DateTimeField(label=gettext_lazy("On"), widget=moment_input())

    def words(self, name: str) -> str:
        return moment_text(self.value(name)) if name == "at" else super().words(name)


@dataclass(frozen=True, slots=True)
class PriceLine:
    found: Found
    counted: str
    how: str


@dataclass(frozen=True, slots=True)
class PageOfPrices:
    rows: list[PriceLine]
    previous: str | None
    following: str | None


class Day(ListView):
    """What the list charges at a moment, by prefix: own prices and derived ones, with how each came about."""

    template_name = "own/list_day.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        filters = DayFilters(request)
        at: datetime = filters.value("at") or timezone.now()
        text = filters.value("q") or ""
        page = self.prices(at, text, request.GET.get("after", ""), request.GET.get("before", ""))
        answer: HttpResponse = self.list_page(filters=filters, at=at, page=page)
        return answer

    def prices(self, at: datetime, text: str, after: str, before: str) -> PageOfPrices:
        backwards = bool(before and not after)
        found = list(islice(on_day(self.book, at, text, after, before), PAGE_ROWS + 1))
        more, shown = len(found) > PAGE_ROWS, found[:PAGE_ROWS]
        if backwards:
            shown.reverse()
        lines = [PriceLine(one, increments(one.row.first_s, one.row.step_s), self.how(one)) for one in shown]
        earlier, later = (more, True) if backwards else (bool(after), more)
        return PageOfPrices(
            lines,
            shown[0].row.prefix if shown and earlier else None,
            shown[-1].row.prefix if shown and later else None,
        )

    def how(self, found: Found) -> str:
        """Own, or how it was derived: for the seller, never for those who buy."""
        return " ".join(line["text"] for line in origin_lines(dict(found.origin)))


class History(ListView):
    """One prefix of a list through time."""

    template_name = "own/list_history.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        digits = "".join(char for char in request.GET.get("prefix", "")[:40] if char.isdigit())
        stretches = timeline(self.book, digits) if digits else []
        now = timezone.now()
        answer: HttpResponse = self.list_page(
            digits=digits,
            stretches=[
                {
                    "since": one.since,
                    "until": one.until,
                    "found": one.found,
                    "counted": increments(one.found.row.first_s, one.found.row.step_s) if one.found else "",
                    "how": " ".join(line["text"] for line in origin_lines(dict(one.found.origin))) if one.found else "",
                    "now": (one.since is None or one.since <= now) and (one.until is None or one.until > now),
                    "to_come": one.since is not None and one.since > now,
                }
                for one in reversed(stretches)
            ],
        )
        return answer


@dataclass(frozen=True, slots=True)
class ComingLine:
    """`cancel`: the page that asks whether to take it back."""

    since: datetime
    what: str
    detail: str
    cancel: str


class ComingPage(ListView):
    template_name = "own/list_coming.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        found = coming(self.viewer, self.price_list, timezone.now())
        answer: HttpResponse = self.list_page(lines=[self.line(one) for one in found])
        return answer

    def line(self, one: Coming) -> ComingLine:
        code, row = self.price_list.code, one.row
        if one.kind is Change.RULE:
            what = _("Rule for %s ends") if row.off else _("Rule for %s")
            return ComingLine(one.since, what % rule_name(row), _terms(row), self.url("list_rule_end", code, row.pk))
        cancel = self.url("list_cancel", code, one.kind.value, row.pk)
        if one.kind is Change.TERMS:
            return ComingLine(one.since, _("Mark-up of the list"), _terms(row), cancel)
        if one.kind is Change.PUBLICATION:
            detail = "" if row.known_at is None else _("what was known on %s") % moment_text(row.known_at)
            what = _("Follows automatically") if row.known_at is None else _("Publication")
            return ComingLine(one.since, what, detail, self.url("publication_cancel", code, row.pk))
        name = f"{row.destination} +{row.prefix}".strip()
        if one.kind is Change.RATE_END:
            return ComingLine(one.since, _("Own price of %s ends") % name, _("then the base with its mark-up"), cancel)
        detail = _("closed") if row.blocked else f"{price_text(row.price)} {self.price_list.currency}"
        return ComingLine(one.since, _("Own price of %s") % name, detail, cancel)


def _terms(row: Any) -> str:
    """`30 %, + 0.01 a minute`; empty for the end of a rule."""
    parts = []
    if row.markup is not None:
        parts.append(f"{(row.markup * 100).normalize():f} %")
    if row.addon:
        parts.append(_("+ %s a minute") % price_text(row.addon))
    if row.connect_fee is not None:
        parts.append(_("%s for connecting") % price_text(row.connect_fee))
    if row.step_s or row.first_s:
        parts.append(increments(row.first_s, row.step_s or row.first_s or 1))
    if row.min_charge is not None:
        parts.append(_("at least %s") % price_text(row.min_charge))
    return ", ".join(parts)


class CancelChange(ListView, Act):
    """Takes back a mark-up or an own price that is to come."""

    right = May.PRICES
    own_only = True
    danger = True
    verb = gettext_lazy("Take it back")

    @cached_property
    def change(self) -> Coming:
        known = coming(self.viewer, self.price_list, timezone.now())
        kind, row = self.kwargs["kind"], self.kwargs["row"]
        found = [one for one in known if one.kind.value == kind and str(one.row.pk) == row]
        if not found or found[0].kind in (Change.RULE, Change.PUBLICATION):
            raise NotFound("no_change", _("There is no such change to come."))
        return found[0]

    def question(self) -> str:
        return _("Take back what is entered for %s?") % moment_text(self.change.since)

    def consequence(self) -> str:
        return _("What holds now goes on. Nothing was charged by it yet.")

    def back(self) -> str:
        return self.url("list_coming")

    def act(self) -> HttpResponse:
        one, actor = self.change, self.viewer.actor
        if isinstance(one.row, ListTerms):
            cancel_terms(self.price_list, one.since, actor=actor)
        elif isinstance(one.row, Rate):
            cancel = cancel_end if one.kind is Change.RATE_END else cancel_rate
            cancel(one.row.table, one.row.prefix, one.since, actor=actor)
        return self.go("list_coming", self.price_list.code, said=_("Taken back."))
