"""A brand's catalogue beside calls: products, their dated prices, and what each is bought as from the seller above."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from accounts.services.ledger import LARGEST, PLACES
from invoicing.models import Anchor, Every, Product, ProductPrice, Timing
from invoicing.services.periods import today_in
from rating.numbers.number import ServiceClass
from tiers.errors import Conflict, Invalid
from tiers.models import Brand
from tiers.services.writing import apply_changes, check_code_free, check_fields, written_by
from tiers.viewer import Actor

MADE_WITH = frozenset({"every", "timing", "anchor"})
CHANGES = frozenset({"name", "group", "unit", "resells", "included", "included_unit", "included_classes", "active"})
ALWAYS = date(2000, 1, 1)  # before any subscription: a product has a price from the beginning


def create_product(brand: Brand, code: str, *, price: Decimal, actor: Actor, **values: Any) -> Product:
    """A product of the brand at a price that holds from the beginning. `values`: fields of Product by name.

    Raises Conflict("code_taken"), Invalid at the field.
    """
    check_code_free(Product, code)
    product = Product(seller=brand.owner, brand=brand, code=code, name=values.pop("name", code))
    apply_changes(product, values, CHANGES | MADE_WITH)
    _check(product)
    with written_by(actor):
        product.save(force_insert=True)
        ProductPrice.objects.create(product=product, valid_from=ALWAYS, price=check_price(price))
    return product


def update_product(product: Product, *, actor: Actor, **changes: Any) -> Product:
    """Change what may be changed. How often and when it is charged stays: another rhythm is another product."""
    refused = [name for name in MADE_WITH & changes.keys() if getattr(product, name) != changes[name]]
    if refused:
        raise Conflict(
            "product_rhythm",
            _("How often and when a product is charged stays as it was made."),
            where=refused[0],
            hint=_("Make another product, and change the subscriptions to it where they end."),
        )
    apply_changes(product, _without(changes, MADE_WITH), CHANGES)
    _check(product)
    with written_by(actor):
        product.save()
    return product


def set_price(product: Product, price: Decimal, *, actor: Actor, valid_from: date | None = None) -> ProductPrice:
    """The price of one for periods that begin on the day (today in the brand's zone) or later.

    A price never reaches back: subscribers were told another. Raises Conflict("price_past").
    """
    today = today_in(product.brand.time_zone)
    begin = valid_from or today
    if begin < today:
        raise Conflict(
            "price_past",
            _("A price can begin today or later."),
            where="valid_from",
            hint=_("For days that are over, give a credit or a charge with a reason."),
        )
    with written_by(actor):
        row, _made = ProductPrice.objects.update_or_create(
            product=product, valid_from=begin, defaults={"price": check_price(price)}
        )
    return row


def check_price(price: Decimal, where: str = "price") -> Decimal:
    """A price of one: nothing or more, at most six decimals. Raises Invalid."""
    if not price.is_finite() or price < 0 or price > LARGEST:
        raise Invalid("price", _("A price is 0 or more."), where=where)
    if price != price.quantize(PLACES):
        raise Invalid("price", _("A price has at most six decimals."), where=where)
    return price.quantize(PLACES)


def _check(product: Product) -> None:
    check_fields(product)
    _check_choices(product)
    _check_included(product)
    _check_resells(product)


def _check_choices(product: Product) -> None:
    for name, known in (("every", Every), ("timing", Timing), ("anchor", Anchor)):
        if getattr(product, name) not in known.values:
            raise Invalid(name, _("One of %s is needed here.") % ", ".join(known.values), where=name)


def _check_included(product: Product) -> None:
    unknown = sorted(set(product.included_classes) - set(ServiceClass))
    if unknown:
        raise Invalid("included_classes", _("%s is no class of calls.") % unknown[0], where="included_classes")
    if bool(product.included) != bool(product.included_unit):
        raise Invalid("included", _("Say how much is included, and of what."), where="included")
    if product.included and not product.recurs:
        raise Invalid("included", _("Only what recurs can include calls."), where="included")


def _check_resells(product: Product) -> None:
    """What is bought is of the seller's own seller, and has the same rhythm, so that both are charged alike."""
    bought = product.resells
    if bought is None:
        return
    if bought.seller.path != product.seller.parent_path:
        raise Invalid("resells", _("Only a product of your own seller can be resold."), where="resells")
    if any(getattr(bought, name) != getattr(product, name) for name in MADE_WITH):
        raise Invalid(
            "resells",
            _("%s is charged at other times; what is resold has the same rhythm.") % bought.name,
            where="resells",
        )


def _without(values: Mapping[str, Any], names: frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in names}
