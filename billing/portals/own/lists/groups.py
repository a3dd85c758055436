"""Groups of destinations: names and prefixes that a seller prices alike in its rules."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.portals.views import FormPage, PortalView
from rating.models import DestinationGroup
from rating.selectors import prices
from rating.services.list_rules import create_group, rename_group, set_group
from tiers.models import Kind
from tiers.models.party import code_validator
from tiers.roles import May


class Groups(PortalView):
    kind = ""
    template_name = "own/groups.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        groups = list(prices.groups(self.viewer).filter(seller=self.viewer.party))
        members = prices.members_of(groups, timezone.now())
        return self.page(
            groups=[(group, members.get(group.pk)) for group in groups],
            may_change=self.viewer.may(May.PRICES),
            ns=self.kind,
            lists_url=reverse("operator:lists" if self.kind == Kind.OPERATOR else "dealer:prices"),
        )


class GroupForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=200)
    code = forms.CharField(
        label=gettext_lazy("Code"),
        max_length=32,
        validators=[code_validator],
        help_text=gettext_lazy("Small letters, digits and hyphens."),
    )
    destinations = forms.CharField(
        label=gettext_lazy("Destinations"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=gettext_lazy("One a line, as the base names them; * stands for any letters: United Kingdom*"),
    )
    prefixes = forms.CharField(
        label=gettext_lazy("Prefixes"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("With country code, by space, comma or line: 4420 4421"),
    )
    valid_from = forms.DateTimeField(
        label=gettext_lazy("From"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=gettext_lazy("Empty: from now on. Never backwards."),
    )

    def clean_valid_from(self) -> Any:
        moment = self.cleaned_data["valid_from"]
        if moment is not None and moment < timezone.now():
            raise forms.ValidationError(_("That moment has passed; calls of then keep their prices."))
        return moment

    def members(self) -> dict[str, Any]:
        data = self.cleaned_data
        return {
            "destinations": data["destinations"].splitlines(),
            "prefixes": data["prefixes"].replace(",", " ").replace(";", " ").split(),
            "valid_from": data["valid_from"],
        }


class GroupPage(FormPage):
    """A new group, or (with a code) one that stands."""

    kind = ""
    form_class = GroupForm
    right = May.PRICES
    verb = gettext_lazy("Save")
    lead = gettext_lazy("A rule of a price list can be for a whole group.")

    @cached_property
    def group(self) -> DestinationGroup | None:
        code = self.kwargs.get("code")
        return prices.own_group(self.viewer, code) if code else None

    @property
    def heading(self) -> str:  # type: ignore[override]
        return self.group.name if self.group else _("New group of destinations")

    @property
    def back(self) -> str:  # type: ignore[override]
        return reverse(f"{self.kind}:groups")

    def form(self, *data: Any) -> forms.Form:
        form = super().form(*data)
        if self.group:
            form.fields["code"].disabled = True
        return form

    def form_arguments(self) -> dict[str, Any]:
        if self.group is None:
            return {}
        held = prices.members_of([self.group], timezone.now()).get(self.group.pk)
        initial = {"name": self.group.name, "code": self.group.code}
        if held:
            initial |= {"destinations": "\n".join(held.destinations), "prefixes": " ".join(held.prefixes)}
        return {"initial": initial}

    def save(self, form: Any) -> HttpResponse:
        data, actor = form.cleaned_data, self.viewer.actor
        if self.group is None:
            create_group(self.viewer.party, data["code"], data["name"], actor=actor, **form.members())
        else:
            rename_group(self.group, data["name"], actor=actor)
            set_group(self.group, actor=actor, **form.members())
        return self.go("groups", said=_("%s is saved.") % data["name"])
