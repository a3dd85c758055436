"""Forms about parties and who logs in for them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from accounts.models import Billing, Funding
from tiers.models import Brand, Kind, Party
from tiers.models.party import code_validator
from tiers.roles import Role
from tiers.selectors.people import brands
from tiers.viewer import Viewer


class DetailsForm(forms.Form):
    """How a party is reached and billed."""

    more: ClassVar[tuple[str, ...]] = ("contact", "phone", "address", "tax_id", "language")

    name = forms.CharField(label=_("Name"), max_length=200)
    email = forms.EmailField(label=_("E-mail for bills"), required=False, help_text=_("Invoices are mailed here."))
    contact = forms.CharField(label=_("Contact person"), max_length=200, required=False)
    phone = forms.CharField(label=_("Telephone"), max_length=40, required=False)
    address = forms.CharField(
        label=_("Postal address"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("As it stands on an envelope."),
    )
    tax_id = forms.CharField(label=_("Tax number"), max_length=40, required=False)
    language = forms.ChoiceField(label=_("Language of bills"), choices=settings.LANGUAGES, required=False)

    DETAILS: ClassVar[tuple[str, ...]] = ("email", "contact", "phone", "address", "tax_id", "language")

    def details(self) -> dict[str, Any]:
        found = {name: self.cleaned_data[name] for name in self.DETAILS if name in self.cleaned_data}
        found["language"] = found.get("language") or settings.LANGUAGE_CODE
        return found


class BrandField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """Brands by their name and the currency they sell in."""

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.name}, {obj.currency}"


class NewBuyerForm(DetailsForm):
    """Five things first: what it is, under which brand, name, code, and how it pays."""

    more: ClassVar[tuple[str, ...]] = (
        *("email", "credit_limit", "warn_below", "funding"),
        *DetailsForm.more,
    )
    field_order = ["kind", "brand", "name", "code", "billing", "email"]

    kind = forms.ChoiceField(
        label=_("It is a"), choices=[(Kind.CUSTOMER, _("Customer")), (Kind.DEALER, _("Dealer"))], initial=Kind.CUSTOMER
    )
    brand = BrandField(
        label=_("Buys under the brand"),
        queryset=Brand.visible.none(),
        help_text=_("The brand gives currency, prices and paper."),
    )
    code = forms.CharField(
        label=_("Code"),
        max_length=32,
        validators=[code_validator],
        help_text=_("Small letters, digits and hyphens, such as alice-hotel. It stays for ever."),
    )
    billing = forms.ChoiceField(label=_("Pays"), choices=Billing.choices, initial=Billing.PREPAID)
    credit_limit = forms.DecimalField(
        label=_("Credit limit"),
        required=False,
        min_value=Decimal(0),
        max_digits=20,
        decimal_places=6,
        help_text=_("Only postpaid: how far below 0 the wallet may go."),
    )
    warn_below = forms.DecimalField(
        label=_("Warn below"),
        required=False,
        max_digits=20,
        decimal_places=6,
        help_text=_("A mail goes out when less than this is available."),
    )
    funding = forms.ChoiceField(
        label=_("Funds come from"),
        choices=[
            (Funding.WHOLESALE, _("the seller's book (wholesale)")),
            (Funding.DISTRIBUTION, _("the seller's own wallet (distribution)")),
        ],
        initial=Funding.WHOLESALE,
        help_text=_("Fixed for ever when the wallet is opened."),
    )

    def __init__(self, *args: Any, viewer: Viewer, seller: Party, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["brand"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = brands(viewer).filter(owner=seller)
        field.initial = field.queryset.first()


class InviteForm(forms.Form):
    """A person who is to log in for a party."""

    email = forms.EmailField(label=_("E-mail"), help_text=_("The link to choose a password is sent here."))
    name = forms.CharField(label=_("Name"), max_length=200, required=False)
    role = forms.ChoiceField(
        label=_("Role"),
        choices=Role.choices,
        initial=Role.READER,
        help_text=_("Owner: everything. Finance: money, prices, invoices. Support: parties, usage. Reader: looks."),
    )


class RoleForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=200, required=False)
    role = forms.ChoiceField(label=_("Role"), choices=Role.choices)


class KeyForm(forms.Form):
    """A key for a program."""

    name = forms.CharField(label=_("What it is for"), max_length=50)
    role = forms.ChoiceField(label=_("Role"), choices=Role.choices, initial=Role.READER)
    expires_at = forms.DateTimeField(
        label=_("Ends"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=_("Empty: until it is revoked."),
    )


class BrandForm(forms.Form):
    """A seller's face, and its terms of price and paper."""

    more: ClassVar[tuple[str, ...]] = (
        *("language", "host", "logo", "address", "phone", "website", "tax_id"),
        *("tax_name", "prices_include_tax", "below_cost", "paper", "calls_group", "approval_required", "attach_docx"),
        *("credit_series", "bank_name", "bank_account", "bank_code", "payment_text", "footer", "copy_to"),
    )
    LOOK: ClassVar[tuple[str, ...]] = (
        *("time_zone", "language", "accent", "host", "sender", "address", "phone", "website", "tax_id"),
    )
    PRICE: ClassVar[tuple[str, ...]] = ("prices_include_tax", "tax_name", "tax_rate", "below_cost")
    PAPER: ClassVar[tuple[str, ...]] = (
        *("series", "credit_series", "due_days", "approval_required", "paper", "calls_group", "attach_docx"),
        *("bank_name", "bank_account", "bank_code", "payment_text", "footer", "copy_to"),
    )

    name = forms.CharField(label=_("Name"), max_length=200)
    code = forms.CharField(label=_("Code"), max_length=32, validators=[code_validator])
    currency = forms.CharField(label=_("Currency"), min_length=3, max_length=3, help_text=_("For example EUR."))
    accent = forms.CharField(
        label=_("Accent colour"),
        initial="#1f5fbf",
        widget=forms.TextInput(attrs={"type": "color"}),
        help_text=_("Made lighter or darker by itself where it would not be readable."),
    )
    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        choices=[(zone, zone) for zone in sorted(available_timezones())],
        initial="UTC",
        help_text=_("Its months are billed."),
    )
    sender = forms.EmailField(label=_("Sender of mails"), required=False)
    series = forms.CharField(label=_("Invoice numbers begin with"), max_length=16, help_text=_("Such as NS."))
    credit_series = forms.CharField(
        label=_("Numbers of credit notes begin with"),
        max_length=16,
        required=False,
        help_text=_("Such as NSC. Empty: they are numbered among the invoices."),
    )
    due_days = forms.IntegerField(label=_("Days to pay"), min_value=0, max_value=365, initial=14)
    tax_rate = forms.DecimalField(
        label=_("Tax in percent"), min_value=Decimal(0), max_value=Decimal("99.9999"), initial=Decimal(0)
    )
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
    host = forms.CharField(label=_("Host name"), required=False, help_text=_("Picks the look, never rights."))
    logo = forms.FileField(label=_("Logo"), required=False, help_text=_("A PNG of at most 300 kB."))
    address = forms.CharField(label=_("Postal address"), required=False, widget=forms.Textarea(attrs={"rows": 4}))
    phone = forms.CharField(label=_("Telephone"), max_length=40, required=False)
    website = forms.CharField(label=_("Website"), max_length=200, required=False)
    tax_id = forms.CharField(label=_("Tax number"), max_length=40, required=False)
    tax_name = forms.CharField(label=_("Name of the tax"), max_length=40, initial="VAT")
    prices_include_tax = forms.BooleanField(label=_("Prices include tax"), required=False)
    below_cost = forms.ChoiceField(
        label=_("A price below its cost"),
        choices=[("warn", _("is saved after a warning")), ("refuse", _("is refused"))],
        initial="warn",
        required=False,
    )
    paper = forms.ChoiceField(label=_("Paper"), choices=[("A4", "A4"), ("Letter", "Letter")])
    calls_group = forms.ChoiceField(
        label=_("Calls grouped by"), choices=[("day", _("day")), ("number", _("number"))], required=False
    )
    approval_required = forms.BooleanField(label=_("Somebody must approve each invoice"), required=False, initial=True)
    attach_docx = forms.BooleanField(label=_("Attach DOCX too"), required=False)
    bank_name = forms.CharField(label=_("Bank"), max_length=100, required=False)
    bank_account = forms.CharField(label=_("Account or IBAN"), max_length=40, required=False)
    bank_code = forms.CharField(label=_("BIC or sort code"), max_length=20, required=False)
    payment_text = forms.CharField(label=_("How to pay"), required=False, widget=forms.Textarea(attrs={"rows": 3}))
    footer = forms.CharField(label=_("Foot of the page"), required=False, widget=forms.Textarea(attrs={"rows": 2}))
    copy_to = forms.EmailField(label=_("Copy of each mail to"), required=False)

    def clean_below_cost(self) -> str:
        return self.cleaned_data["below_cost"] or "warn"

    def picked(self, names: tuple[str, ...]) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in names if name in self.cleaned_data}
