"""What the pages about products have in common: the tabs, and which product or subscription an address names."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy

from billing.portals.tabs import Tab, tabs
from billing.portals.views import PortalView
from invoicing.models import Product, Subscription
from invoicing.selectors import products
from tiers.errors import NotFound
from tiers.models import Kind
from tiers.roles import May


def product_tabs(request: HttpRequest, kind: str) -> list[Tab]:
    entries = [
        (gettext_lazy("Catalogue"), "products"),
        (gettext_lazy("Subscriptions"), "subscriptions"),
        (gettext_lazy("Charges"), "charges"),
    ]
    if kind == Kind.DEALER:
        entries.append((gettext_lazy("You buy"), "subscribed"))
    return tabs(request, *((word, reverse(f"{kind}:{name}")) for word, name in entries))


class ProductView(PortalView):
    """A page of the products' place; `kind` comes from the portal."""

    kind = ""

    def url(self, name: str, *args: Any) -> str:
        return reverse(f"{self.kind}:{name}", args=args)

    def product_page(self, **context: Any) -> Any:
        may = self.viewer.may
        return self.page(
            tabs=product_tabs(self.request, self.kind),
            ns=self.kind,
            may_price=may(May.PRICES),
            may_money=may(May.MONEY),
            **context,
        )

    @cached_property
    def product(self) -> Product:
        return products.product_by_code(self.viewer, self.kwargs["code"])

    @cached_property
    def subscription(self) -> Subscription:
        """One that the viewer's own party sells."""
        found = products.subscription_by_id(self.viewer, self.kwargs["subscription"])
        if found.seller_id != self.viewer.party.pk:
            raise NotFound("no_subscription", "")
        return found
