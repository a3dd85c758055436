"""The form of a dial plan, field by field, and the one to try numbers by it."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from babel import Locale
from django import forms
from django.db.models import QuerySet
from django.utils.translation import get_language, gettext_lazy, to_locale
from django.utils.translation import gettext as _

from rating.numbers import DialPlan
from rating.numbers.countries import is_country
from rating.selectors.dial_plans import MOST_CHARS, MOST_NUMBERS, KnownPlan
from tiers.models import Party

NO_TRUNK = "-"
_LISTED = re.compile(r"[\s,;]+")


def country_choices() -> list[tuple[str, str]]:
    """Countries with a numbering plan, by their names in the reader's language."""
    names = Locale.parse(to_locale(get_language() or "en")).territories
    known = [(str(code), f"{names[code]} ({code})") for code in names if is_country(str(code))]
    return sorted(known, key=lambda one: one[1])


def country_name(region: str | None) -> str:
    """A country in the reader's language; nothing for none."""
    if not region:
        return ""
    return str(Locale.parse(to_locale(get_language() or "en")).territories.get(region, region))


class DialPlanForm(forms.Form):
    """How numbers are dialled at one place. All but the home country may be left to that country."""

    more: ClassVar[tuple[str, ...]] = ("international_prefixes", "trunk_prefix", "extension_lengths", "plain_e164")

    home_country = forms.ChoiceField(
        label=gettext_lazy("Home country"),
        help_text=gettext_lazy("Numbers without a country code are read as its own."),
    )
    area_code = forms.CharField(
        label=gettext_lazy("Area code"),
        max_length=8,
        required=False,
        help_text=gettext_lazy(
            "Of the place, without the trunk prefix: 40 for Hamburg. Tells local from long distance."
        ),
    )
    access_codes = forms.CharField(
        label=gettext_lazy("Access codes"),
        max_length=100,
        required=False,
        help_text=gettext_lazy("For an outside line, such as 9. One with a dial tone, 8~10, dials abroad."),
    )
    on_net = forms.CharField(
        label=gettext_lazy("On-net ranges"),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3, "class": "tg-mono"}),
        help_text=gettext_lazy("One a line, from the first to the last: 494055510-494055519, or 200-299."),
    )
    emergency = forms.CharField(
        label=gettext_lazy("Emergency numbers"),
        max_length=200,
        required=False,
        help_text=gettext_lazy("Beyond those of the country and 112. They are always let through, and free."),
    )
    international_prefixes = forms.CharField(
        label=gettext_lazy("International prefixes"),
        max_length=100,
        required=False,
        help_text=gettext_lazy("What stands for +. Empty: as usual in the country (00, 011, 8~10)."),
    )
    trunk_prefix = forms.CharField(
        label=gettext_lazy("Trunk prefix"),
        max_length=8,
        required=False,
        help_text=gettext_lazy("What stands before an area code. Empty: as usual in the country. A dash: none."),
    )
    extension_lengths = forms.CharField(
        label=gettext_lazy("Digits of an extension"),
        max_length=20,
        required=False,
        help_text=gettext_lazy("Plain numbers of these lengths stay in the house. Empty: 3 4. A dash: none."),
    )
    plain_e164 = forms.BooleanField(
        label=gettext_lazy("Numbers come with the country code, without +"),
        required=False,
        help_text=gettext_lazy("As wholesale switches write them."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["home_country"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = country_choices()

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if not self.errors:
            try:
                DialPlan.from_json(self.plan())
            except ValueError as error:
                raise forms.ValidationError(str(error)) from error
        return cleaned

    def plan(self) -> dict[str, Any]:
        """The wire form of the plan: what differs from the country's usual."""
        data = self.cleaned_data
        found: dict[str, Any] = {"home_country": data["home_country"]}
        for name in ("access_codes", "emergency", "international_prefixes"):
            if values := _listed(data[name]):
                found[name] = values
        if data["area_code"]:
            found["area_code"] = data["area_code"]
        if data["trunk_prefix"]:
            found["trunk_prefix"] = "" if data["trunk_prefix"] == NO_TRUNK else data["trunk_prefix"]
        if ranges := _listed(data["on_net"]):
            found["on_net"] = [[part.strip() for part in (one.split("-") * 2)[:2]] for one in ranges]
        if data["extension_lengths"]:
            lengths = [] if data["extension_lengths"] == NO_TRUNK else _listed(data["extension_lengths"])
            found["extension_lengths"] = [int(one) if one.isdecimal() else 0 for one in lengths]
        if data["plain_e164"]:
            found["plain_e164"] = True
        return found

    @staticmethod
    def initial_of(plan: dict[str, Any]) -> dict[str, Any]:
        """The fields from the wire form."""
        lists = ("access_codes", "emergency", "international_prefixes", "extension_lengths")
        found = {name: " ".join(map(str, plan.get(name, ()))) for name in lists}
        if plan.get("trunk_prefix") == "":
            found["trunk_prefix"] = NO_TRUNK
        elif plan.get("trunk_prefix"):
            found["trunk_prefix"] = plan["trunk_prefix"]
        if plan.get("extension_lengths") == []:
            found["extension_lengths"] = NO_TRUNK
        ranges = (one if isinstance(one, str) else "-".join(one) for one in plan.get("on_net", ()))
        return {
            **found,
            "home_country": plan.get("home_country", DialPlan().home_country),
            "area_code": plan.get("area_code", ""),
            "on_net": "\n".join(ranges),
            "plain_e164": plan.get("plain_e164", False),
        }


class TryNumbersForm(forms.Form):
    """Numbers as somebody dialled them, a plan, and perhaps a customer whose price is wanted."""

    plan = forms.ChoiceField(label=gettext_lazy("Dial plan"))
    customer = forms.ModelChoiceField(
        label=gettext_lazy("Price for"), queryset=Party.visible.none(), required=False, to_field_name="code"
    )
    numbers = forms.CharField(
        label=gettext_lazy("Numbers"),
        max_length=MOST_NUMBERS * (MOST_CHARS + 2),
        widget=forms.Textarea(attrs={"rows": 6, "class": "tg-mono"}),
        help_text=gettext_lazy("As dialled, one a line; up to 50."),
    )

    def __init__(self, *args: Any, plans: list[KnownPlan], customers: QuerySet[Party], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        plan, customer = self.fields["plan"], self.fields["customer"]
        assert isinstance(plan, forms.ChoiceField)
        assert isinstance(customer, forms.ModelChoiceField)
        plan.choices = [(one.key, f"{one.name} ({one.plan.home_country})") for one in plans]
        customer.queryset = customers

    def clean_numbers(self) -> list[str]:
        """The lines that are not blank."""
        lines = [line.strip() for line in self.cleaned_data["numbers"].splitlines() if line.strip()]
        if len(lines) > MOST_NUMBERS or any(len(line) > MOST_CHARS for line in lines):
            raise forms.ValidationError(_("At most 50 numbers of 64 characters at once."))
        return lines


def _listed(text: str) -> list[str]:
    return [part for part in _LISTED.split(text) if part]
