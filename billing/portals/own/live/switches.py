"""Switches that may ask: their keys, where they may come from, how much a call is allowed at once."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.portals.own.live.base import LiveView
from billing.portals.views import Act, FormPage
from rating.live.switches import LONGEST_SLICE_S, create_switch_key, revoke_switch_key
from rating.models import Source, SwitchKey
from rating.selectors import switches, usage
from rating.services.sources import create_source
from tiers.models.party import code_validator
from tiers.roles import May


class Switches(LiveView):
    """The keys of each source, with when a switch last showed one."""

    template_name = "own/live/switches.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        sources = list(usage.sources(self.viewer))
        return self.live_page(
            tabs=self.tabs(),
            sources=switches.with_keys(self.viewer, sources),
            may=self.viewer.may(May.SETTINGS),
            new_url=f"{self.kind}:switch_key_new",
            revoke_url=f"{self.kind}:switch_key_revoke",
            door=request.build_absolute_uri("/api/v1/calls/authorize"),
        )


class KeyForm(forms.Form):
    more = ("interims", "slice_s", "code")

    source = forms.ModelChoiceField(
        label=gettext_lazy("Switch"),
        queryset=Source.visible.none(),
        to_field_name="code",
        required=False,
        empty_label=gettext_lazy("a new one"),
        help_text=gettext_lazy("Its dial plan says how numbers are read; only calls of its owner's buyers are known."),
    )
    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=50, help_text=gettext_lazy("Such as “Kamailio, Frankfurt”.")
    )
    networks = forms.CharField(
        label=gettext_lazy("Addresses it may come from"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "placeholder": "203.0.113.7\n203.0.113.0/24"}),
        help_text=gettext_lazy("One a line. Empty: from anywhere, with the key alone."),
    )
    interims = forms.BooleanField(
        label=gettext_lazy("It reports during the call"),
        required=False,
        help_text=gettext_lazy(
            "It tells when a call is answered, and while it goes on. Calls are then allowed bit by bit."
        ),
    )
    slice_s = forms.IntegerField(
        label=gettext_lazy("Seconds allowed at once"),
        required=False,
        min_value=1,
        max_value=LONGEST_SLICE_S,
        help_text=gettext_lazy(
            "Empty: 300 with reports, else 3,600. A switch that cannot lengthen a call cuts it then: give it 7,200, or"
            " what your longest call is. Money for so long is set aside."
        ),
    )
    code = forms.CharField(
        label=gettext_lazy("Code of a new switch"), max_length=32, required=False, validators=[code_validator]
    )

    def __init__(self, *args: Any, sources: QuerySet[Source], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["source"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = sources

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not data.get("source") and not data.get("code") and not self.errors:
            self.add_error("source", _("Choose a switch, or give a new one a code under More."))
        return data


class NewKey(LiveView, FormPage):
    """A key is shown once, on the page that answers the form."""

    form_class = KeyForm
    right = May.SETTINGS
    heading = gettext_lazy("Connect a switch")
    verb = gettext_lazy("Make the key")
    lead = gettext_lazy(
        "A switch shows the key with each question. Make one for each switch, so that one can be revoked."
    )

    @property
    def back(self) -> str:  # type: ignore[override]
        return reverse(f"{self.kind}:switches")

    def form_arguments(self) -> dict[str, Any]:
        sources = usage.sources(self.viewer).filter(active=True)
        return {"sources": sources, "initial": {"source": self.request.GET.get("source") or sources.first()}}

    def save(self, form: Any) -> HttpResponse:
        data, actor = form.cleaned_data, self.viewer.actor
        source = data["source"] or create_source(self.viewer.party, data["code"], data["name"], actor=actor)
        key, plain = create_switch_key(
            source,
            data["name"],
            data["networks"].replace(",", " ").split(),
            actor=actor,
            interims=data["interims"],
            slice_s=data["slice_s"],
        )
        response = self.live_page(
            template="own/live/switch_once.html",
            key=key,
            plain=plain,
            door=self.request.build_absolute_uri("/api/v1/calls/authorize"),
            back=self.back,
        )
        response["Cache-Control"] = "no-store"
        return response


class RevokeKey(LiveView, Act):
    """The switch that shows it is refused from then on."""

    right = May.SETTINGS
    verb = gettext_lazy("Revoke")
    danger = True

    @cached_property
    def key(self) -> SwitchKey:
        return switches.key_by_id(self.viewer, self.kwargs["key"])

    def question(self) -> str:
        return _("Revoke the key “%(name)s” of %(switch)s?") % {"name": self.key.name, "switch": self.key.source.name}

    def consequence(self) -> str:
        return _(
            "Within seconds the switch that shows it is refused. Calls that go on cannot be told to have ended by it:"
            " they are closed when their time is over. This cannot be undone."
        )

    def back(self) -> str:
        return reverse(f"{self.kind}:switches")

    def act(self) -> HttpResponse:
        revoke_switch_key(self.key, actor=self.viewer.actor)
        return self.go("switches", said=_("The key is revoked."))
