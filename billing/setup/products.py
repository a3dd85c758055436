"""Set-up of what is sold beside calls: the catalogue, and who subscribes to what since when."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from billing.setup.reading import Entry, decimal, flag, listed, text, whole
from billing.setup.tally import Tally
from billing.setup.who import differs, find
from invoicing.models import Product, Subscription
from invoicing.services.products import create_product, update_product
from invoicing.services.subscriptions import Order, subscribe
from tiers.errors import Invalid
from tiers.models import Brand, Party
from tiers.viewer import Actor

FIELDS = {
    "name": text,
    "group": text,
    "unit": text,
    "every": text,
    "timing": text,
    "anchor": text,
    "included": whole,
    "included_unit": text,
    "included_classes": listed,
    "active": flag,
}


class Products:
    """Loads the sections that name products; prices change in the portal, where they get their day."""

    def __init__(self, tally: Tally, actor: Actor) -> None:
        self.tally = tally
        self.actor = actor

    def product(self, entry: Entry) -> None:
        code, brand, price = entry.text("code"), find(Brand, entry, "brand"), entry.read("price", decimal)
        values: dict[str, Any] = entry.pick(**FIELDS)
        if entry.has("resells"):
            values["resells"] = find(Product, entry, "resells")
        standing = Product.objects.select_related("brand", "seller", "resells").filter(code=code).first()
        if standing is None:
            create_product(brand, code, price=price, actor=self.actor, **values)
            self.tally.count(created=True)
            return
        changed = differs(standing, values)
        if changed:
            update_product(standing, actor=self.actor, **values)
        self.tally.count(changed=changed)

    def subscription(self, entry: Entry) -> None:
        """Known by product, buyer and note: the same in the file again is the same one."""
        product, buyer = find(Product, entry, "product"), find(Party, entry, "buyer")
        note, begin = entry.get("note", text, ""), entry.read("starts_on", day)
        quantity, price = entry.get("quantity", whole, 1), entry.get("price", decimal, None)
        key = f"setup:{product.code}:{buyer.code}:{note}"[:120]
        if Subscription.objects.filter(key=key).exists():
            self.tally.count()
            return
        order = Order(product, buyer, begin, key, quantity=quantity, price=price, note=note)
        subscribe(order, actor=self.actor)
        self.tally.count(created=True)


def day(value: object, where: str) -> date:
    try:
        return date.fromisoformat(text(value, where))
    except ValueError:
        raise Invalid("not_a_day", _("There must be a day here, such as 2026-11-01."), where=where) from None
