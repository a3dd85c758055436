"""The list of alarms, and one alarm: what happened, who was told, what to do now."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy

from accounts.models import AlertEvent, AlertKind
from accounts.selectors import alerts
from billing.portals.filters import Filters
from billing.portals.keyset import page_of
from billing.portals.own.alarms.words import lines, said
from billing.portals.views import PortalView
from tiers.models import Kind, Status
from tiers.roles import May
from tiers.selectors import people


class AlarmFilters(Filters):
    noun = gettext_lazy("Alarms")
    phrases: ClassVar[dict[str, Any]] = {"state": "%s", "kind": gettext_lazy("of the kind: %s"), "party": "%s"}

    state = forms.ChoiceField(
        label=gettext_lazy("State"),
        choices=[("", "—"), ("open", gettext_lazy("still open")), ("blocked", gettext_lazy("that blocked"))],
    )
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=[("", "—"), *AlertKind.choices])
    party = forms.SlugField(label=gettext_lazy("Code of the customer or dealer"), max_length=32)


class Alarms(PortalView):
    """Newest first; `?state=open` is what still holds."""

    kind = ""
    template_name = "own/alarms/list.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        filters = AlarmFilters(request)
        found = alerts.events(self.viewer)
        state = filters.value("state")
        if state == "open":
            found = found.filter(ended_at__isnull=True)
        elif state == "blocked":
            found = found.filter(blocked=True)
        if (kind := filters.value("kind")) is not None:
            found = found.filter(kind=kind)
        if (code := filters.value("party")) is not None:
            found = found.filter(party__in=people.parties(self.viewer).filter(code=code))
        page = page_of(found, request.GET)
        return self.page(
            filters=filters, page=page, lines=lines(page.rows), ns=self.kind, sells=self.kind != Kind.CUSTOMER
        )


class AlarmPage(PortalView):
    """One alarm. Its rule and who else was told are for whoever set the rule."""

    kind = ""
    template_name = "own/alarms/one.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        event = alerts.event_by_id(self.viewer, self.kwargs["alarm"])
        mine = event.owner_id == self.viewer.party.pk
        about_buyer = event.party_id != self.viewer.party.pk
        return self.page(
            event=event,
            words=said(event),
            mine=mine,
            told=[*event.to, *(event.copy if mine else [])],
            party_url=self._party_url(event) if about_buyer else "",
            calls_url=self._calls_url(event),
            unblock_url=self._unblock_url(event) if about_buyer else "",
            rules_url=self._rules_url(event) if mine else "",
            ns=self.kind,
        )

    def _party_url(self, event: AlertEvent) -> str:
        name = "party" if self.kind == Kind.OPERATOR else "customer"
        return reverse(f"{self.kind}:{name}", args=[event.party.code])

    def _calls_url(self, event: AlertEvent) -> str:
        return reverse(f"{self.kind}:calls")

    def _unblock_url(self, event: AlertEvent) -> str:
        if event.party.status != Status.BLOCKED or not self.viewer.may(May.PARTIES):
            return ""
        name = "party_status" if self.kind == Kind.OPERATOR else "customer_status"
        return reverse(f"{self.kind}:{name}", args=[event.party.code, Status.ACTIVE])

    def _rules_url(self, event: AlertEvent) -> str:
        if event.party_id == self.viewer.party.pk:
            return reverse(f"{self.kind}:alarm_rules")
        return reverse(f"{self.kind}:alarm_rules_for", args=[event.party.code])
