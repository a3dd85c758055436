"""Prices of one customer alone: the list it has of its own, or one made from what it pays now."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.portals.views import FormPage
from rating.models import PriceList
from rating.selectors import prices
from rating.services.list_copy import copy_list
from tiers.errors import NotFound
from tiers.models import Kind, Party
from tiers.models.party import code_validator
from tiers.roles import May
from tiers.selectors import people


class OwnListForm(forms.Form):
    source = forms.ChoiceField(
        label=gettext_lazy("It starts as a copy of"), help_text=gettext_lazy("What this customer pays by now.")
    )
    name = forms.CharField(label=gettext_lazy("Name"), max_length=200)
    code = forms.CharField(
        label=gettext_lazy("Code"),
        max_length=32,
        validators=[code_validator],
        help_text=gettext_lazy("Small letters, digits and hyphens."),
    )

    def __init__(self, *args: Any, sources: list[PriceList], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        source = self.fields["source"]
        assert isinstance(source, forms.ChoiceField)
        source.choices = [(one.code, f"{one.name}, {one.currency}") for one in sources]


class OwnListOf(FormPage):
    """Own prices and rules for a customer that buys from the viewer itself; the list is made at first use."""

    kind = ""
    form_class = OwnListForm
    right = May.PRICES
    verb = gettext_lazy("Make its own list")
    lead = gettext_lazy("It holds for this customer alone: then enter own prices or rules. Others pay as before.")

    @cached_property
    def party(self) -> Party:
        """Raises NotFound for who does not buy from the viewer's party."""
        found: Party = people.party_by_code(self.viewer, self.kwargs["code"])
        if found.parent_path != self.viewer.party.path:
            raise NotFound("no_party", _("There is no such customer here."))
        return found

    @property
    def heading(self) -> str:  # type: ignore[override]
        return _("Own prices of %s") % self.party.name

    @property
    def back(self) -> str:  # type: ignore[override]
        name = "operator:party" if self.kind == Kind.OPERATOR else "dealer:customer"
        return reverse(name, args=[self.party.code])

    @cached_property
    def sources(self) -> list[PriceList]:
        """The lists for everybody under its brand, which it has no own one beside yet."""
        placed = people.placements_of(self.viewer, self.party).filter(valid_to__isnull=True).first()
        if placed is None:
            return []
        found = list(prices.lists(self.viewer).filter(brand=placed.brand, active=True))
        own = {one.carrier_id for one in found if one.buyer_id == self.party.pk}
        return [one for one in found if one.buyer_id is None and one.carrier_id not in own]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        own = prices.lists(self.viewer).filter(buyer=self.party, active=True, seller=self.viewer.party)
        if not self.sources and own.exists():
            return self.go("list", own[0].code)
        return super().get(request, *args, **kwargs)

    def form_arguments(self) -> dict[str, Any]:
        code = f"{self.party.code[:20]}-prices"
        return {"sources": self.sources, "initial": {"name": _("Prices of %s") % self.party.name, "code": code}}

    def save(self, form: Any) -> HttpResponse:
        data = form.cleaned_data
        source = next(one for one in self.sources if one.code == data["source"])
        made = copy_list(source, self.party, data["code"], data["name"], actor=self.viewer.actor)
        said = _("%s has a list of its own now. Enter its own prices and rules here.") % self.party.name
        return self.go("list", made.code, said=said)
