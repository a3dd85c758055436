"""Brand: the dealer's face to its buyers, its tax, and what its paper says."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.services.transactions import in_transaction
from billing.portals.dealer.base import DealerForm, DealerView
from billing.portals.forms.people import BrandForm
from billing.portals.own import people as own
from billing.portals.own.dial_plans import BrandPlan
from invoicing.models import PaperTerms
from invoicing.services.paper_terms import set_paper_terms
from rating.models import Carrier, PriceTerms
from rating.services.lists import set_price_terms
from tiers.errors import NotFound
from tiers.models import Brand
from tiers.roles import May
from tiers.selectors import people
from tiers.services.brands import LARGEST_LOGO_BYTES, create_brand, update_brand


class BrandPage(DealerView):
    template_name = "dealer/brand.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        price = PriceTerms.visible.for_viewer(self.viewer).select_related("default_carrier").in_bulk()
        paper = PaperTerms.visible.for_viewer(self.viewer).in_bulk()
        lines = [(brand, price.get(brand.pk), paper.get(brand.pk)) for brand in self.brands]
        return self.page(lines=lines, may_change=self.viewer.may(May.SETTINGS))


class OwnBrandForm(BrandForm):
    """The brand with the carrier of those who did not choose; a logo is read only up to its bound."""

    more: ClassVar[tuple[str, ...]] = tuple(name for name in BrandForm.more if name != "logo")

    default_carrier = forms.ChoiceField(
        label=gettext_lazy("Calls abroad go by"),
        required=False,
        help_text=gettext_lazy("For customers who did not choose a carrier."),
    )

    def __init__(self, *args: Any, carriers: list[Carrier], standing: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._carriers = {one.code: one for one in carriers}
        field = self.fields["default_carrier"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", "—"), *((one.code, one.name) for one in carriers)]
        if standing:
            del self.fields["code"]

    def clean_logo(self) -> bytes | None:
        """PNG bytes, or None where none was given. Never reads more than the bound."""
        file = self.cleaned_data.get("logo")
        if not isinstance(file, UploadedFile):
            return None
        if (file.size or 0) > LARGEST_LOGO_BYTES:
            raise forms.ValidationError(_("This picture is too large. A logo is a PNG of at most 300 kB."))
        return file.read(LARGEST_LOGO_BYTES + 1)

    def look(self) -> dict[str, Any]:
        picked = self.picked(self.LOOK)
        return {**picked, "logo": self.cleaned_data["logo"]} if self.cleaned_data.get("logo") else picked

    def price_terms(self) -> dict[str, Any]:
        return {**self.picked(self.PRICE), "default_carrier": self._carriers.get(self.cleaned_data["default_carrier"])}


class BrandPages(DealerForm):
    form_class = OwnBrandForm
    right = May.SETTINGS
    verb = gettext_lazy("Save")

    @property
    def back(self) -> str:  # type: ignore[override]
        return reverse("dealer:brand")

    def carriers(self) -> list[Carrier]:
        known = self.bought.engine.directory.carriers
        return [known[one.code] for one in self.bought.offers()]


class NewBrand(BrandPages):
    heading = gettext_lazy("New brand")

    def form_arguments(self) -> dict[str, Any]:
        return {"carriers": self.carriers(), "standing": False}

    def save(self, form: Any) -> HttpResponse:
        data = form.cleaned_data
        actor = self.viewer.actor

        def work() -> Brand:
            made = create_brand(
                self.viewer.party, data["code"], data["name"], data["currency"].upper(), actor=actor, **form.look()
            )
            set_price_terms(made, actor=actor, **form.price_terms())
            set_paper_terms(made, actor=actor, **form.picked(form.PAPER))
            return made

        in_transaction(work)
        return self.go("brand", said=_("The brand is created. Now give it a price list."))


class EditBrand(BrandPages):
    @cached_property
    def brand(self) -> Brand:
        found = people.brand_by_code(self.viewer, self.kwargs["code"])
        if found.owner_id != self.viewer.party.pk:
            raise NotFound("no_brand", _("There is no such brand here."))
        return found

    @property
    def heading(self) -> str:  # type: ignore[override]
        return self.brand.name

    def form_arguments(self) -> dict[str, Any]:
        brand = self.brand
        price = PriceTerms.visible.for_viewer(self.viewer).filter(pk=brand.pk).select_related("default_carrier").first()
        paper = PaperTerms.visible.for_viewer(self.viewer).filter(pk=brand.pk).first()
        initial: dict[str, Any] = {name: getattr(brand, name) for name in ("name", "currency", *BrandForm.LOOK)}
        if price is not None:
            initial |= {name: getattr(price, name) for name in BrandForm.PRICE}
            initial["tax_rate"] = _plain(price.tax_rate)
            initial["default_carrier"] = price.default_carrier.code if price.default_carrier else ""
        if paper is not None:
            initial |= {name: getattr(paper, name) for name in BrandForm.PAPER}
        return {"initial": initial, "carriers": self.carriers(), "standing": True}

    def save(self, form: Any) -> HttpResponse:
        data = form.cleaned_data
        actor = self.viewer.actor

        def work() -> None:
            update_brand(self.brand, actor=actor, name=data["name"], currency=data["currency"].upper(), **form.look())
            set_price_terms(self.brand, actor=actor, **form.price_terms())
            set_paper_terms(self.brand, actor=actor, **form.picked(form.PAPER))

        in_transaction(work)
        return self.go("brand", said=_("Saved. Invoices already issued stay as they were printed."))


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"


class DialPlan(DealerView, BrandPlan):
    """The dial plan of one of the dealer's brands."""

    @property
    def back(self) -> str:  # type: ignore[override]
        return reverse("dealer:brand")

    @property
    def try_url(self) -> str:  # type: ignore[override]
        return reverse("dealer:numbers")

    def done(self) -> HttpResponse:
        return self.go("brand", said=_("The dial plan is saved."))


class Members(DealerView, own.OwnMembers):
    """Members and keys."""


class Invite(DealerView, own.InviteOwn):
    """Invite a member."""


class EditMember(DealerView, own.EditOwn):
    """A member's role."""


class SwitchMember(DealerView, own.SwitchOwn):
    """Switch a member on or off."""


class NewKey(DealerView, own.NewOwnKey):
    """Create a key."""


class RevokeKey(DealerView, own.RevokeOwnKey):
    """Revoke a key."""
