"""The operator's list of high-risk ranges: the product's own, switched on and off, and what the operator adds."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.portals.views import Act, FormPage, PortalView
from rating.alerts.risk import Range, ranges, set_range
from tiers.errors import NotFound
from tiers.roles import May


class Ranges(PortalView):
    kind = ""
    template_name = "operator/alarm_ranges.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.page(ranges=ranges(), may=self.viewer.may(May.PARTIES))


class RangeForm(forms.Form):
    begins = forms.CharField(
        label=gettext_lazy("Prefix"), max_length=16, help_text=gettext_lazy("How numbers begin, such as 881 or 4470.")
    )
    name = forms.CharField(label=gettext_lazy("Name"), max_length=80)


class NewRange(FormPage):
    kind = ""
    form_class = RangeForm
    right = May.PARTIES
    heading = gettext_lazy("New high-risk range")
    verb = gettext_lazy("Add")

    @property
    def back(self) -> str:  # type: ignore[override]
        return reverse(f"{self.kind}:alarm_ranges")

    def save(self, form: Any) -> HttpResponse:
        data = form.cleaned_data
        set_range(self.viewer.party, data["begins"], data["name"], True, actor=self.viewer.actor)
        return self.go("alarm_ranges", said=_("Added. First calls there are told of from the next minute on."))


class SwitchRange(Act):
    """Watch a range, or no longer."""

    kind = ""
    right = May.PARTIES

    @cached_property
    def range(self) -> Range:
        found = next((one for one in ranges() if one.prefix == self.kwargs["prefix"]), None)
        if found is None:
            raise NotFound("no_range", _("There is no such range in the list."))
        return found

    @property
    def verb(self) -> str:  # type: ignore[override]
        return _("Stop watching") if self.range.watched else _("Watch")

    def question(self) -> str:
        return f"{self.verb}: {self.range.name}?"

    def consequence(self) -> str:
        if self.range.watched:
            return _("First calls there are no longer told of, and block nobody.")
        return _("First calls there are told of, and block where a rule says so.")

    def back(self) -> str:
        return reverse(f"{self.kind}:alarm_ranges")

    def act(self) -> HttpResponse:
        found = self.range
        set_range(self.viewer.party, found.prefix, found.name, not found.watched, actor=self.viewer.actor)
        return self.go("alarm_ranges", said=_("Saved."))
