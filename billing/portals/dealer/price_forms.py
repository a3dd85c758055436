"""Forms about prices: a new list, its mark-up, a price of its own, a copy for one customer."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from billing.portals.dealer.customers import direct_buyers
from rating.models import PriceList
from tiers.models import Brand, Party
from tiers.models.party import code_validator
from tiers.viewer import Viewer


def moment_field(label: Any, help_text: Any) -> forms.DateTimeField:
    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    return forms.DateTimeField(label=label, required=False, widget=widget, help_text=help_text)


class MarkupForm(forms.Form):
    """What stands between what the dealer pays and what it charges."""

    more: ClassVar[tuple[str, ...]] = ("connect_fee", "first_s", "step_s")

    percent = forms.DecimalField(
        label=_("Mark-up in percent"),
        min_value=Decimal("-99.99"),
        max_value=Decimal(10_000),
        decimal_places=4,
        help_text=_("25 adds a quarter to the base. Less than 0 takes off."),
    )
    addon = forms.DecimalField(
        label=_("Add-on per minute"), min_value=Decimal(0), max_digits=18, decimal_places=8, initial=Decimal(0)
    )
    valid_from = moment_field(_("From"), _("Empty: from now on."))
    connect_fee = forms.DecimalField(
        label=_("Charge for connecting"),
        required=False,
        min_value=Decimal(0),
        max_digits=18,
        decimal_places=8,
        help_text=_("Empty: as the base has it, with the mark-up."),
    )
    first_s = forms.IntegerField(label=_("First increment, seconds"), required=False, min_value=1, max_value=3600)
    step_s = forms.IntegerField(
        label=_("Further increments, seconds"),
        required=False,
        min_value=1,
        max_value=3600,
        help_text=_("Empty: as the base counts."),
    )

    def terms(self) -> dict[str, Any]:
        data = self.cleaned_data
        kept = {name: data[name] for name in ("addon", "connect_fee", "first_s", "step_s")}
        return {"markup": data["percent"] / 100, **kept}


class NewListForm(forms.Form):
    """A list for everybody under a brand."""

    name = forms.CharField(label=_("Name"), max_length=200)
    code = forms.CharField(
        label=_("Code"), max_length=32, validators=[code_validator], help_text=_("Small letters, digits and hyphens.")
    )
    brand_code = forms.ChoiceField(label=_("For buyers under"))
    base_code = forms.ChoiceField(
        label=_("Starts from"), required=False, help_text=_("What the mark-up is added to. The carrier is the base's.")
    )
    percent = forms.DecimalField(
        label=_("Mark-up in percent"), min_value=Decimal("-99.99"), max_value=Decimal(10_000), initial=Decimal(25)
    )

    def __init__(self, *args: Any, brands: Sequence[Brand], bases: Sequence[PriceList], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._brands = {brand.code: brand for brand in brands}
        self._bases = {base.code: base for base in bases}
        of_brand, of_base = self.fields["brand_code"], self.fields["base_code"]
        assert isinstance(of_brand, forms.ChoiceField)
        assert isinstance(of_base, forms.ChoiceField)
        of_brand.choices = [(one.code, f"{one.name}, {one.currency}") for one in brands]
        of_base.choices = [
            *((one.code, f"{one.name}, {one.currency}") for one in bases),
            ("", _("nothing: own prices")),
        ]

    @property
    def brand(self) -> Brand:
        return self._brands[self.cleaned_data["brand_code"]]

    @property
    def base(self) -> PriceList | None:
        return self._bases.get(self.cleaned_data["base_code"])

    @property
    def markup(self) -> Decimal:
        return Decimal(self.cleaned_data["percent"]) / 100


class RateForm(forms.Form):
    """One price per minute."""

    VALUES: ClassVar[tuple[str, ...]] = ("destination", "connect_fee", "first_s", "step_s", "min_charge", "blocked")
    more: ClassVar[tuple[str, ...]] = ("connect_fee", "first_s", "step_s", "min_charge", "blocked")

    digits = forms.RegexField(
        r"^\+?[0-9]{1,20}$",
        label=_("Numbers that begin with"),
        help_text=_("With country code, such as 4940 for Hamburg."),
        error_messages={"invalid": _("Digits only, with the country code.")},
    )
    destination = forms.CharField(
        label=_("Name"), max_length=200, required=False, help_text=_("Empty: as your seller calls it.")
    )
    price = forms.DecimalField(label=_("Price a minute"), min_value=Decimal(0), max_digits=18, decimal_places=8)
    effective_from = moment_field(_("From"), _("Empty: from now on."))
    connect_fee = forms.DecimalField(
        label=_("Charge for connecting"), required=False, min_value=Decimal(0), max_digits=18, decimal_places=8
    )
    first_s = forms.IntegerField(label=_("First increment, seconds"), required=False, min_value=1, max_value=3600)
    step_s = forms.IntegerField(label=_("Further increments, seconds"), required=False, min_value=1, max_value=3600)
    min_charge = forms.DecimalField(
        label=_("At least for a call"), required=False, min_value=Decimal(0), max_digits=18, decimal_places=8
    )
    blocked = forms.BooleanField(label=_("Closed: calls there are not sold"), required=False)

    def clean_digits(self) -> str:
        return str(self.cleaned_data["digits"]).lstrip("+")


class CopyForm(forms.Form):
    buyer = forms.ModelChoiceField(label=_("For"), queryset=Party.visible.none())
    name = forms.CharField(label=_("Name"), max_length=200)
    code = forms.CharField(
        label=_("Code"), max_length=32, validators=[code_validator], help_text=_("Small letters, digits and hyphens.")
    )

    def __init__(self, *args: Any, viewer: Viewer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["buyer"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = direct_buyers(viewer)
