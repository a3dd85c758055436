"""The addresses of these pages, for either portal."""

from __future__ import annotations

from django.urls import URLPattern, path

from billing.portals.own.products import catalogue, subscriptions
from tiers.models import Kind


def product_paths(kind: str) -> list[URLPattern]:
    """`products/...`: the catalogue, subscriptions, charges."""
    one = "products/subscriptions/<uuid:subscription>"
    bought = path("products/subscribed/", subscriptions.Subscribed.as_view(kind=kind), name="subscribed")
    return [
        *([bought] if kind == Kind.DEALER else []),
        path("products/", catalogue.Products.as_view(kind=kind), name="products"),
        path("products/new/", catalogue.NewProduct.as_view(kind=kind), name="product_new"),
        path("products/subscriptions/", subscriptions.Subscriptions.as_view(kind=kind), name="subscriptions"),
        path("products/subscriptions/new/", subscriptions.Subscribe.as_view(kind=kind), name="subscribe"),
        path(f"{one}/", subscriptions.SubscriptionPage.as_view(kind=kind), name="subscription"),
        path(f"{one}/change/", subscriptions.ChangeSubscription.as_view(kind=kind), name="subscription_change"),
        path(f"{one}/end/", subscriptions.EndSubscription.as_view(kind=kind), name="subscription_end"),
        path("products/charges/", subscriptions.Charges.as_view(kind=kind), name="charges"),
        path("products/charges/new/", subscriptions.Charge.as_view(kind=kind), name="charge"),
        path("products/one/<slug:code>/", catalogue.ProductPage.as_view(kind=kind), name="product"),
        path("products/one/<slug:code>/edit/", catalogue.EditProduct.as_view(kind=kind), name="product_edit"),
        path("products/one/<slug:code>/price/", catalogue.SetPrice.as_view(kind=kind), name="product_price"),
    ]
