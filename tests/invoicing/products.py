"""Products for the cast: line rentals, numbers and plans, bought and sold down the tiers."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import count
from typing import Any

from accounts.services.accounts import wallet_of
from invoicing.models import Charge, Product, Subscription
from invoicing.services.products import create_product
from invoicing.services.subscriptions import Order, subscribe
from tests.cast import ACTOR, Cast

_keys = count(1)


def product(cast: Cast, brand: str, code: str, price: str, **values: Any) -> Product:
    return create_product(cast.brand(brand), code, price=Decimal(price), actor=ACTOR, **values)


def subscribed(
    cast: Cast, buyer: str, what: Product, starts_on: str, *, today: str = "", **values: Any
) -> Subscription:
    """`today` is the first day unless said; charges are posted as of then."""
    key = values.pop("key", f"order-{next(_keys)}")
    order = Order(what, cast.party(buyer), day(starts_on), key=key, **values)
    return subscribe(order, actor=ACTOR, today=day(today or starts_on))


def day(text: str) -> date:
    return date.fromisoformat(text)


def amounts_of(row: Subscription) -> list[tuple[str, str, str]]:
    """(first day, last day and one, amount) of each charge in order."""
    return [(str(c.starts_on), str(c.ends_on), str(c.amount.normalize())) for c in row.charges.order_by("number")]


def charged(cast: Cast, buyer: str) -> Decimal:
    """What the buyer paid for charges beside calls, tax too."""
    return sum((charge.gross for charge in Charge.objects.filter(buyer=cast.party(buyer))), Decimal(0))


def balance(cast: Cast, buyer: str) -> Decimal:
    return wallet_of(cast.party(buyer)).posted
