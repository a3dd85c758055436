"""The catalogue: what a seller offers beside calls, at which prices, and what it pays for it itself."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.formatting import money_text
from billing.portals.forms.money import date_input
from billing.portals.keyset import page_of
from billing.portals.own.products.base import ProductView
from billing.portals.views import FormPage
from invoicing.models import AllowanceUnit, Anchor, Every, Product, Timing
from invoicing.selectors import products
from invoicing.services.periods import today_in
from invoicing.services.products import create_product, set_price, update_product
from rating.numbers.number import ServiceClass
from tiers.models import Brand
from tiers.models.party import code_validator
from tiers.roles import May
from tiers.selectors import people
from tiers.viewer import Viewer

CLASSES = [
    (ServiceClass.LOCAL, gettext_lazy("Local")),
    (ServiceClass.LONG_DISTANCE, gettext_lazy("Long distance")),
    (ServiceClass.MOBILE, gettext_lazy("Mobile")),
    (ServiceClass.INTERNATIONAL, gettext_lazy("International")),
    (ServiceClass.ON_NET, gettext_lazy("Within the network")),
]
MINUTE_S = 60


class Products(ProductView):
    template_name = "own/products.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        page = page_of(products.own_products(self.viewer), request.GET)
        found = page.rows
        bought = [one.resells for one in found if one.resells is not None]
        days = {one.brand.time_zone for one in found} or {"UTC"}
        prices = products.prices_on([*found, *bought], min(today_in(zone) for zone in days))
        counts = products.subscribers(found)
        rows = [(one, prices.get(one.pk), _cost(one, prices), counts.get(one.pk, 0)) for one in found]
        return self.product_page(page=page, rows=rows)


def _cost(one: Product, prices: dict[Any, Any]) -> tuple[Any, str] | None:
    """What the seller pays for it above, and in which currency."""
    return (prices.get(one.resells.pk), one.resells.brand.currency) if one.resells is not None else None


class ProductForm(forms.Form):
    more: ClassVar[tuple[str, ...]] = (
        "group",
        "unit",
        "anchor",
        "resells",
        "included_unit",
        "included",
        "included_classes",
        "active",
    )

    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=100, help_text=gettext_lazy("As it stands on the bill.")
    )
    code = forms.CharField(label=gettext_lazy("Code"), max_length=32, validators=[code_validator])
    brand = forms.ModelChoiceField(label=gettext_lazy("Brand"), queryset=Brand.visible.none(), empty_label=None)
    price = forms.DecimalField(
        label=gettext_lazy("Price of one"),
        max_digits=20,
        decimal_places=6,
        help_text=gettext_lazy("For a whole period, in the brand's currency; with tax where its prices include it."),
    )
    every = forms.ChoiceField(label=gettext_lazy("Charged"), choices=Every.choices, initial=Every.MONTH)
    timing = forms.ChoiceField(label=gettext_lazy("When"), choices=Timing.choices, initial=Timing.ADVANCE)
    group = forms.CharField(
        label=gettext_lazy("Class"),
        max_length=40,
        required=False,
        help_text=gettext_lazy("Lines, numbers, hosting: what belongs together in reports."),
    )
    unit = forms.CharField(
        label=gettext_lazy("Counted in"),
        max_length=20,
        required=False,
        help_text=gettext_lazy("Lines, numbers: stands behind the quantity on the bill."),
    )
    anchor = forms.ChoiceField(
        label=gettext_lazy("Periods begin"), choices=Anchor.choices, required=False, initial=Anchor.CALENDAR
    )
    resells = forms.ModelChoiceField(
        label=gettext_lazy("Bought as"),
        queryset=Product.visible.none(),
        required=False,
        help_text=gettext_lazy("With each one that you sell, you buy this one from your own seller."),
    )
    included_unit = forms.ChoiceField(
        label=gettext_lazy("Includes"), choices=AllowanceUnit.choices, required=False, initial=""
    )
    included = forms.IntegerField(
        label=gettext_lazy("How many a month"), min_value=0, max_value=10_000_000, required=False, initial=0
    )
    included_classes = forms.MultipleChoiceField(
        label=gettext_lazy("Of which calls"),
        choices=CLASSES,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("None chosen: of all calls that cost something."),
    )
    active = forms.BooleanField(label=gettext_lazy("Offered"), required=False, initial=True)

    def __init__(self, *args: Any, viewer: Viewer, product: Product | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, rows in (("brand", people.own_brands(viewer)), ("resells", products.to_resell(viewer))):
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset = rows
        if not products.to_resell(viewer).exists():
            del self.fields["resells"]
        if product is not None:
            for name in ("code", "brand", "price", "every", "timing", "anchor"):
                del self.fields[name]

    def values(self) -> dict[str, Any]:
        """What a service takes; minutes as seconds."""
        data = dict(self.cleaned_data)
        times = MINUTE_S if data["included_unit"] == AllowanceUnit.SECONDS else 1
        data["included"] = (data["included"] or 0) * times
        if "anchor" in data:
            data["anchor"] = data["anchor"] or Anchor.CALENDAR
        return data


class NewProduct(ProductView, FormPage):
    form_class = ProductForm
    right = May.PRICES
    heading = gettext_lazy("New product")
    verb = gettext_lazy("Create")
    lead = gettext_lazy("How often and when it is charged cannot be changed later.")

    @property
    def back(self) -> str:  # type: ignore[override]
        return self.url("products")

    def form_arguments(self) -> dict[str, Any]:
        return {"viewer": self.viewer}

    def save(self, form: Any) -> HttpResponse:
        values = form.values()
        brand, code, price = (values.pop(name) for name in ("brand", "code", "price"))
        made = create_product(brand, code, price=price, actor=self.viewer.actor, **values)
        return self.go("product", made.code, said=_("%s is in the catalogue.") % made.name)


class ProductPage(ProductView):
    template_name = "own/product.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        one = self.product
        today = today_in(one.brand.time_zone)
        rows = products.sold(self.viewer).filter(product=one)
        page = page_of(rows, request.GET)
        bought = [one.resells] if one.resells is not None else []
        prices = products.prices_on([one, *bought], today)
        words = dict(CLASSES)
        return self.product_page(
            product=one,
            price=prices.get(one.pk),
            cost=_cost(one, prices),
            prices=one.prices.order_by("-valid_from"),
            included=one.included // MINUTE_S if one.included_unit == AllowanceUnit.SECONDS else one.included,
            classes=[words.get(ServiceClass(name), name) for name in one.included_classes],
            page=page,
            rows=products.lines(page.rows, costs=True),
        )


class EditProduct(ProductView, FormPage):
    form_class = ProductForm
    right = May.PRICES
    verb = gettext_lazy("Save")

    @property
    def heading(self) -> str:  # type: ignore[override]
        return self.product.name

    @property
    def back(self) -> str:  # type: ignore[override]
        return self.url("product", self.product.code)

    def form_arguments(self) -> dict[str, Any]:
        one = self.product
        names = ("name", "group", "unit", "resells", "included_unit", "included", "included_classes", "active")
        initial = {name: getattr(one, name) for name in names}
        if one.included_unit == AllowanceUnit.SECONDS:
            initial["included"] = one.included // MINUTE_S
        return {"viewer": self.viewer, "product": one, "initial": initial}

    def save(self, form: Any) -> HttpResponse:
        update_product(self.product, actor=self.viewer.actor, **form.values())
        return self.go("product", self.product.code, said=_("Saved."))


class PriceForm(forms.Form):
    price = forms.DecimalField(label=gettext_lazy("Price of one"), max_digits=20, decimal_places=6)
    valid_from = forms.DateField(
        label=gettext_lazy("For periods that begin on or after"),
        widget=date_input(),
        required=False,
        help_text=gettext_lazy("Empty: today. Periods that are paid already stay as they are."),
    )


class SetPrice(ProductView, FormPage):
    form_class = PriceForm
    right = May.PRICES
    verb = gettext_lazy("Set the price")

    @property
    def heading(self) -> str:  # type: ignore[override]
        return _("Price of %s") % self.product.name

    @property
    def lead(self) -> str:  # type: ignore[override]
        return _("In %s. Subscriptions with an agreed price keep theirs.") % self.product.brand.currency

    @property
    def back(self) -> str:  # type: ignore[override]
        return self.url("product", self.product.code)

    def save(self, form: Any) -> HttpResponse:
        data = form.cleaned_data
        row = set_price(self.product, data["price"], actor=self.viewer.actor, valid_from=data["valid_from"])
        said = _("%(name)s costs %(price)s.") % {
            "name": self.product.name,
            "price": money_text(row.price, self.product.brand.currency),
        }
        return self.go("product", self.product.code, said=said)
