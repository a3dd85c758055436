"""Forms about prices: rate tables, decks, price lists, carriers, and the question what a call would cost."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from rating.models import Carrier, PriceList, RateTable
from rating.models.rates import Rounding
from tiers.models import Brand, Kind, Party
from tiers.models.party import code_validator
from tiers.selectors import people
from tiers.viewer import Viewer


def moment_input() -> forms.DateTimeInput:
    return forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")


class TableForm(forms.Form):
    """A new rate table."""

    more: ClassVar[tuple[str, ...]] = ("decimals", "rounding", "time_zone")

    name = forms.CharField(label=_("Name"), max_length=200)
    code = forms.CharField(label=_("Code"), max_length=32, validators=[code_validator])
    currency = forms.CharField(label=_("Currency"), min_length=3, max_length=3, help_text=_("For example USD."))
    decimals = forms.IntegerField(
        label=_("Decimals of a call's amount"), min_value=0, max_value=6, initial=4, required=False
    )
    rounding = forms.ChoiceField(label=_("Rounding"), choices=Rounding.choices, required=False)
    time_zone = forms.CharField(
        label=_("Time zone"), initial="UTC", required=False, help_text=_("A deck's dates begin at its midnight.")
    )


class ListForm(forms.Form):
    """A new price list, derived from a base with a mark-up."""

    more: ClassVar[tuple[str, ...]] = ("buyer", "carrier", "addon", "decimals")

    name = forms.CharField(label=_("Name"), max_length=200)
    code = forms.CharField(label=_("Code"), max_length=32, validators=[code_validator])
    brand = forms.ModelChoiceField(label=_("Brand"), queryset=Brand.visible.none())
    base = forms.ChoiceField(
        label=_("Derived from"), required=False, help_text=_("Empty: only the rates you enter yourself.")
    )
    markup = forms.DecimalField(
        label=_("Mark-up in percent"), initial=Decimal(0), required=False, help_text=_("25 adds a quarter.")
    )
    buyer = forms.ModelChoiceField(
        label=_("Only for"),
        queryset=Party.visible.none(),
        required=False,
        help_text=_("Empty: for everybody under the brand."),
    )
    carrier = forms.ModelChoiceField(
        label=_("Only by carrier"), queryset=Carrier.visible.none(), required=False, help_text=_("Empty: any carrier.")
    )
    addon = forms.DecimalField(label=_("Add-on per minute"), required=False, min_value=Decimal(0), decimal_places=8)
    decimals = forms.IntegerField(
        label=_("Decimals of a call's amount"), min_value=0, max_value=6, initial=4, required=False
    )

    def __init__(
        self,
        *args: Any,
        viewer: Viewer,
        tables: QuerySet[RateTable],
        lists: QuerySet[PriceList],
        carriers: QuerySet[Carrier],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._offer("brand", people.own_brands(viewer))
        depth = viewer.party.depth + 1
        self._offer("buyer", people.parties_below(viewer).filter(depth=depth))
        self._offer("carrier", carriers)
        base = self.fields["base"]
        assert isinstance(base, forms.ChoiceField)
        base.choices = [
            ("", "—"),
            (_("Rate tables"), [(f"table:{one.code}", f"{one.name}, {one.currency}") for one in tables]),
            (_("Price lists"), [(f"list:{one.code}", f"{one.name}, {one.currency}") for one in lists]),
        ]

    def _offer(self, name: str, rows: QuerySet[Any]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = rows


class TermsForm(forms.Form):
    """The mark-up of a list from a moment on."""

    more: ClassVar[tuple[str, ...]] = ("connect_fee", "first_s", "step_s")

    markup = forms.DecimalField(label=_("Mark-up in percent"), help_text=_("25 adds a quarter, -10 takes a tenth off."))
    addon = forms.DecimalField(
        label=_("Add-on per minute"), required=False, min_value=Decimal(0), decimal_places=8, initial=Decimal(0)
    )
    valid_from = forms.DateTimeField(
        label=_("From"), required=False, widget=moment_input(), help_text=_("Empty: from now on. Never backwards.")
    )
    connect_fee = forms.DecimalField(
        label=_("Connection charge"), required=False, help_text=_("Empty: as in the base.")
    )
    first_s = forms.IntegerField(label=_("First increment in seconds"), required=False, min_value=1)
    step_s = forms.IntegerField(label=_("Further increments in seconds"), required=False, min_value=1)

    def clean_valid_from(self) -> Any:
        moment = self.cleaned_data["valid_from"]
        if moment is not None and moment < timezone.now():
            raise forms.ValidationError(_("That moment has passed; calls of then keep their prices."))
        return moment

    def terms(self) -> dict[str, Any]:
        data = self.cleaned_data
        found: dict[str, Any] = {name: data[name] for name in ("connect_fee", "first_s", "step_s")}
        return found | {"markup": data["markup"] / 100, "addon": data["addon"] or Decimal(0)}


class RateForm(forms.Form):
    """One price of one's own."""

    more: ClassVar[tuple[str, ...]] = ("connect_fee", "first_s", "step_s", "min_charge", "effective_from")

    prefix = forms.RegexField(  # type: ignore[assignment]
        r"^\+?[0-9 ]{1,20}$", label=_("Prefix"), help_text=_("The first digits with country code, such as 852.")
    )
    destination = forms.CharField(label=_("Destination"), max_length=200, required=False)
    price = forms.DecimalField(label=_("Price per minute"), min_value=Decimal(0), decimal_places=8)
    connect_fee = forms.DecimalField(label=_("Connection charge"), required=False, min_value=Decimal(0))
    first_s = forms.IntegerField(label=_("First increment in seconds"), required=False, min_value=1)
    step_s = forms.IntegerField(label=_("Further increments in seconds"), required=False, min_value=1, initial=1)
    min_charge = forms.DecimalField(label=_("At least"), required=False, min_value=Decimal(0))
    effective_from = forms.DateTimeField(label=_("From"), required=False, widget=moment_input())

    def clean_prefix(self) -> str:
        return "".join(char for char in self.cleaned_data["prefix"] if char.isdigit())

    def values(self) -> dict[str, Any]:
        data = self.cleaned_data
        return {
            "destination": data["destination"],
            "connect_fee": data["connect_fee"] or Decimal(0),
            "first_s": data["first_s"],
            "step_s": data["step_s"] or 1,
            "min_charge": data["min_charge"] or Decimal(0),
        }


class CarrierForm(forms.Form):
    """A supplier of termination."""

    more: ClassVar[tuple[str, ...]] = ("description", "closed_reverts")

    name = forms.CharField(label=_("Name"), max_length=200)
    code = forms.CharField(label=_("Code"), max_length=32, validators=[code_validator])
    cost_table = forms.ModelChoiceField(
        label=_("Cost table"), queryset=RateTable.visible.none(), required=False, help_text=_("What it charges you.")
    )
    offered = forms.BooleanField(label=_("End users may choose it"), required=False, initial=True)
    active = forms.BooleanField(label=_("Active"), required=False, initial=True)
    description = forms.CharField(
        label=_("Description"), max_length=300, required=False, help_text=_("End users read it when they choose.")
    )
    closed_reverts = forms.BooleanField(
        label=_("A closed code falls back to the shorter one"),
        required=False,
        help_text=_("Otherwise calls to a closed code are blocked."),
    )

    def __init__(self, *args: Any, tables: QuerySet[RateTable], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["cost_table"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = tables


class QuoteForm(forms.Form):
    """A call that might be made."""

    customer = forms.ModelChoiceField(label=_("Customer"), queryset=Party.visible.none(), to_field_name="code")
    to = forms.CharField(label=_("Number"), max_length=40, help_text=_("As the customer would dial it."))
    seconds = forms.IntegerField(label=_("Seconds"), min_value=0, max_value=7 * 24 * 3600, initial=90)
    at = forms.DateTimeField(label=_("Answered"), required=False, widget=moment_input(), help_text=_("Empty: now."))
    carrier = forms.ModelChoiceField(
        label=_("Carrier"), queryset=Carrier.visible.none(), required=False, help_text=_("Empty: as chosen.")
    )

    def __init__(self, *args: Any, viewer: Viewer, carriers: QuerySet[Carrier] | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        customer, carrier = self.fields["customer"], self.fields["carrier"]
        assert isinstance(customer, forms.ModelChoiceField)
        assert isinstance(carrier, forms.ModelChoiceField)
        customer.queryset = people.parties(viewer).filter(kind=Kind.CUSTOMER).order_by("name")
        if carriers is None:
            del self.fields["carrier"]
        else:
            carrier.queryset = carriers
