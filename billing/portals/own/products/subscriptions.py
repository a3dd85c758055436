"""Subscriptions: who has what and what it brings; begin, change, end; charges and credits made once."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.formatting import day_text, money_text
from billing.portals.filters import Filters
from billing.portals.forms.money import date_input
from billing.portals.keyset import page_of
from billing.portals.own.products.base import ProductView
from billing.portals.views import FormPage, OnceForm
from invoicing.models import Every, Product, Subscription
from invoicing.selectors import products
from invoicing.services.one_off import Once, charge_once
from invoicing.services.periods import today_in
from invoicing.services.products import MADE_WITH
from invoicing.services.subscriptions import MOST, Change, Order, change, end, subscribe
from tiers.models import Party
from tiers.roles import May
from tiers.selectors import people
from tiers.viewer import Viewer

STATES = [("running", gettext_lazy("not ended")), ("short", gettext_lazy("waiting for funds"))]


def buyers(viewer: Viewer) -> Any:
    """Who buys from the viewer's party itself."""
    return people.parties_below(viewer).filter(depth=viewer.party.depth + 1).order_by("name")


class SubscriptionFilters(Filters):
    noun = gettext_lazy("Subscriptions")
    phrases: ClassVar[dict[str, Any]] = {
        "buyer": gettext_lazy("of %s"),
        "product": gettext_lazy("to %s"),
        "state": "%s",
    }

    buyer = forms.ModelChoiceField(label=gettext_lazy("Buyer"), queryset=Party.visible.none(), to_field_name="code")
    product = forms.ModelChoiceField(
        label=gettext_lazy("Product"), queryset=Product.visible.none(), to_field_name="code"
    )
    state = forms.ChoiceField(label=gettext_lazy("State"), choices=[("", "—"), *STATES])

    def __init__(self, request: HttpRequest, viewer: Viewer) -> None:
        self.viewer = viewer
        super().__init__(request)

    def prepare(self) -> None:
        for name, rows in (("buyer", buyers(self.viewer)), ("product", products.own_products(self.viewer))):
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset = rows

    def narrowed(self, rows: Any) -> Any:
        for name in ("buyer", "product"):
            if (value := self.value(name)) is not None:
                rows = rows.filter(**{name: value})
        if self.value("state") == "short":
            rows = rows.filter(short_since__isnull=False)
        elif self.value("state") == "running":
            rows = rows.filter(ends_on__isnull=True)
        return rows


class Subscriptions(ProductView):
    template_name = "own/subscriptions.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        filters = SubscriptionFilters(request, self.viewer)
        page = page_of(filters.narrowed(products.sold(self.viewer)), request.GET)
        return self.product_page(
            filters=filters,
            page=page,
            rows=products.lines(page.rows, costs=True),
            buyer=filters.value("buyer"),
            can_sell=products.own_products(self.viewer).filter(active=True).exists(),
        )


class Subscribed(ProductView):
    """What the viewer's party buys itself."""

    template_name = "own/subscribed.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        page = page_of(products.bought(self.viewer), request.GET)
        return self.product_page(page=page, rows=products.lines(page.rows, costs=False))


class SubscriptionPage(ProductView):
    template_name = "own/subscription.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        row = self.subscription
        today = today_in(row.product.brand.time_zone)
        (line,) = products.lines([row], costs=True)
        return self.product_page(
            row=row,
            line=line,
            terms=row.terms.select_related("product").order_by("-valid_from"),
            page=page_of(products.charges(self.viewer).filter(subscription=row), request.GET),
            uses=products.allowances_of(self.viewer, [row], today.replace(day=1)),
            own=row.serves_id is None,
        )


class SubscribeForm(OnceForm):
    more: ClassVar[tuple[str, ...]] = ("price", "ends_on", "note")

    buyer = forms.ModelChoiceField(label=gettext_lazy("Buyer"), queryset=Party.visible.none(), to_field_name="code")
    product = forms.ModelChoiceField(
        label=gettext_lazy("Product"), queryset=Product.visible.none(), to_field_name="code"
    )
    quantity = forms.IntegerField(label=gettext_lazy("How many"), min_value=1, max_value=MOST, initial=1)
    starts_on = forms.DateField(
        label=gettext_lazy("From"),
        widget=date_input(),
        help_text=gettext_lazy("The first day it is charged for; a day in the past is charged too."),
    )
    price = forms.DecimalField(
        label=gettext_lazy("Agreed price of one"),
        max_digits=20,
        decimal_places=6,
        required=False,
        help_text=gettext_lazy("Empty: the product's price, also when that changes."),
    )
    ends_on = forms.DateField(label=gettext_lazy("First day without it"), widget=date_input(), required=False)
    note = forms.CharField(
        label=gettext_lazy("Note"),
        max_length=100,
        required=False,
        help_text=gettext_lazy("Which line or number. Stands on the bill behind the name."),
    )

    def __init__(self, *args: Any, viewer: Viewer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = products.own_products(viewer).filter(active=True).exclude(every=Every.ONCE).order_by("name")
        for name, rows in (("buyer", buyers(viewer)), ("product", known)):
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset = rows


class Subscribe(ProductView, FormPage):
    form_class = SubscribeForm
    right = May.MONEY
    heading = gettext_lazy("New subscription")
    verb = gettext_lazy("Subscribe")

    @property
    def back(self) -> str:  # type: ignore[override]
        return self.url("subscriptions")

    def form_arguments(self) -> dict[str, Any]:
        asked = self.request.GET
        initial: dict[str, Any] = {name: asked[name] for name in ("buyer", "product") if name in asked}
        brand = people.own_brands(self.viewer).first()
        if brand is not None:
            initial["starts_on"] = today_in(brand.time_zone)
        return {"viewer": self.viewer, "initial": initial}

    def save(self, form: Any) -> HttpResponse:
        data = form.cleaned_data
        names = ("product", "buyer", "starts_on", "quantity", "price", "ends_on", "note")
        order = Order(key=form.once("subscribe"), **{name: data[name] for name in names})
        made = subscribe(order, actor=self.viewer.actor)
        return self.go("subscription", made.pk, said=_what_happened(made))


def _what_happened(row: Subscription) -> str:
    if row.short_since is not None:
        short = money_text(row.short_by, row.wallet.account.currency)
        return _("It runs. Its charge waits: the wallet needs %s more. The buyer was told.") % short
    if row.next_due is None:
        return _("All of it is charged.")
    return _("All that is due is charged. The next charge is on %s.") % day_text(row.next_due)


class ChangeForm(forms.Form):
    valid_from = forms.DateField(
        label=gettext_lazy("From"),
        widget=date_input(),
        help_text=gettext_lazy("Days from then on that are paid already are given back and charged anew."),
    )
    quantity = forms.IntegerField(label=gettext_lazy("How many"), min_value=1, max_value=MOST)
    product = forms.ModelChoiceField(label=gettext_lazy("Product"), queryset=Product.visible.none(), empty_label=None)
    price = forms.DecimalField(
        label=gettext_lazy("Agreed price of one"),
        max_digits=20,
        decimal_places=6,
        required=False,
        help_text=gettext_lazy("Empty: the product's own price."),
    )

    def __init__(self, *args: Any, viewer: Viewer, row: Subscription, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        alike = {name: getattr(row.product, name) for name in MADE_WITH}
        field = self.fields["product"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = products.own_products(viewer).filter(brand=row.product.brand, active=True, **alike)
        if row.serves_id is not None:
            del self.fields["quantity"], self.fields["product"]


class OneSubscription(ProductView, FormPage):
    right = May.MONEY

    @property
    def heading(self) -> str:  # type: ignore[override]
        row = self.subscription
        return _("%(product)s of %(buyer)s") % {"product": row.product.name, "buyer": row.buyer.name}

    @property
    def back(self) -> str:  # type: ignore[override]
        return self.url("subscription", self.subscription.pk)

    @cached_property
    def today(self) -> Any:
        return today_in(self.subscription.product.brand.time_zone)


class ChangeSubscription(OneSubscription):
    form_class = ChangeForm
    verb = gettext_lazy("Change")

    def form_arguments(self) -> dict[str, Any]:
        row = self.subscription
        now = row.terms.filter(valid_from__lte=max(self.today, row.starts_on)).latest("valid_from")
        initial = {"valid_from": max(self.today, row.starts_on), "quantity": now.quantity}
        initial |= {"product": row.product_id, "price": now.price}
        return {"viewer": self.viewer, "row": row, "initial": initial}

    def save(self, form: Any) -> HttpResponse:
        data, row = form.cleaned_data, self.subscription
        before = row.terms.filter(valid_from__lte=data["valid_from"]).order_by("-valid_from").first()
        product = data.get("product")
        moved = product is not None and before is not None and product.pk != before.product_id
        wish = Change(
            data["valid_from"],
            quantity=data.get("quantity"),
            price=data["price"],
            product=product if moved else None,
            list_price=data["price"] is None,
        )
        done = change(row, wish, actor=self.viewer.actor)
        return self.go("subscription", row.pk, said=_what_happened(done))


class EndForm(forms.Form):
    ends_on = forms.DateField(
        label=gettext_lazy("First day without it"),
        widget=date_input(),
        required=False,
        help_text=gettext_lazy("What is paid for this day and later is given back. Empty: it does not end."),
    )


class EndSubscription(OneSubscription):
    form_class = EndForm
    verb = gettext_lazy("Set the end")

    def form_arguments(self) -> dict[str, Any]:
        row = self.subscription
        return {"initial": {"ends_on": row.ends_on or max(self.today, row.starts_on)}}

    def save(self, form: Any) -> HttpResponse:
        row = end(self.subscription, form.cleaned_data["ends_on"], actor=self.viewer.actor)
        if row.ends_on is None:
            return self.go("subscription", row.pk, said=_("It goes on."))
        return self.go("subscription", row.pk, said=_("It ends before %s.") % day_text(row.ends_on))


class ChargeForm(OnceForm):
    more: ClassVar[tuple[str, ...]] = ("day",)

    buyer = forms.ModelChoiceField(label=gettext_lazy("Buyer"), queryset=Party.visible.none(), to_field_name="code")
    what = forms.ChoiceField(
        label=gettext_lazy("Kind"),
        choices=[("charge", gettext_lazy("Charge")), ("credit", gettext_lazy("Credit"))],
    )
    product = forms.ModelChoiceField(
        label=gettext_lazy("Product"),
        queryset=Product.visible.none(),
        required=False,
        empty_label=gettext_lazy("None: something else"),
    )
    price = forms.DecimalField(
        label=gettext_lazy("Amount of one"),
        max_digits=20,
        decimal_places=6,
        required=False,
        help_text=gettext_lazy("In the currency of the wallet; with tax where your prices include it."),
    )
    quantity = forms.IntegerField(label=gettext_lazy("How many"), min_value=1, max_value=MOST, initial=1)
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=200,
        required=False,
        help_text=gettext_lazy("Stands on the bill. Needed without a product."),
    )
    day = forms.DateField(label=gettext_lazy("Day"), widget=date_input())

    def __init__(self, *args: Any, viewer: Viewer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = products.own_products(viewer).filter(active=True, every=Every.ONCE).order_by("name")
        for name, rows in (("buyer", buyers(viewer)), ("product", known)):
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset = rows


class Charge(ProductView, FormPage):
    """A charge or credit, once."""

    form_class = ChargeForm
    right = May.MONEY
    heading = gettext_lazy("Charge or credit once")
    verb = gettext_lazy("Post it")
    lead = gettext_lazy("It stands on the next bill. A prepaid wallet pays at once. It cannot be undone, only set off.")

    @property
    def back(self) -> str:  # type: ignore[override]
        return self.url("charges")

    def form_arguments(self) -> dict[str, Any]:
        brand = people.own_brands(self.viewer).first()
        initial: dict[str, Any] = {"day": today_in(brand.time_zone if brand is not None else "UTC")}
        if "buyer" in self.request.GET:
            initial["buyer"] = self.request.GET["buyer"]
        return {"viewer": self.viewer, "initial": initial}

    def save(self, form: Any) -> HttpResponse:
        data = form.cleaned_data
        names = ("buyer", "day", "reason", "price", "quantity", "product")
        wish = Once(
            self.viewer.party,
            key=form.once("charge"),
            credit=data["what"] == "credit",
            **{name: data[name] for name in names},
        )
        made = charge_once(wish, actor=self.viewer.actor)
        said = _("%(amount)s is posted for %(buyer)s.") % {
            "amount": money_text(made.gross, made.currency),
            "buyer": made.buyer.name,
        }
        return self.go("charges", said=said)


class Charges(ProductView):
    template_name = "own/charges.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        found = products.charges(self.viewer).filter(seller=self.viewer.party)
        return self.product_page(page=page_of(found, request.GET))
