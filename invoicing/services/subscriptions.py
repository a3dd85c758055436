"""Who subscribes to what: begin, change, end. Each reaches up the tree, where the product is bought as another's.

Nothing here moves money. Days are written, and `charging` compares them with what was charged, at once and later.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.utils.translation import gettext as _

from accounts.models import Wallet
from accounts.services.accounts import wallet_of
from accounts.services.transactions import in_transaction
from invoicing.models import Product, Subscription, SubscriptionTerms
from invoicing.services import charging
from invoicing.services.periods import today_in
from invoicing.services.products import MADE_WITH, check_price
from tiers.errors import Conflict, Invalid, NotFound
from tiers.models import Party, Status
from tiers.services.writing import check_fields, written_by
from tiers.viewer import Actor

MOST = 1_000_000
FARTHEST_YEARS = 10


@dataclass(frozen=True, slots=True)
class Order:
    """What a buyer is to have. `price` is an agreed one; None takes the product's. `key` makes a repeat harmless."""

    product: Product
    buyer: Party
    starts_on: date
    key: str
    quantity: int = 1
    price: Decimal | None = None
    ends_on: date | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """What is different from a day on; what is None stays. `list_price` drops an agreed price."""

    valid_from: date
    quantity: int | None = None
    price: Decimal | None = None
    product: Product | None = None
    list_price: bool = False


def subscribe(order: Order, *, actor: Actor, today: date | None = None) -> Subscription:
    """Begin a subscription, and with it those by which the seller buys it above; charge what is due.

    Raises Invalid at a field, NotFound for a buyer that is not the seller's own.
    """
    _check(order)

    def work() -> Subscription:
        standing = Subscription.objects.filter(key=order.key).first()
        if standing is not None:
            return _same(standing, order)
        with written_by(actor):
            return _begin(order, actor, None)

    made = in_transaction(work)
    charging.post_these(_chain(made), today=today, actor=actor)
    made.refresh_from_db()
    return made


def change(row: Subscription, wish: Change, *, actor: Actor, today: date | None = None) -> Subscription:
    """Another quantity, price or product from a day on. Days already charged otherwise are given back."""
    _require_own(row, wish)

    def work() -> None:
        with written_by(actor):
            _change(row.pk, wish)

    in_transaction(work)
    return _charged(row, actor, today)


def end(row: Subscription, on: date | None, *, actor: Actor, today: date | None = None) -> Subscription:
    """`on` is the first day without it (None: it goes on). What was paid beyond is given back."""
    if row.serves_id is not None:
        raise _follows()
    if on is not None and on < row.starts_on:
        raise Invalid("ends_on", _("It began on %s.") % row.starts_on, where="ends_on")

    def work() -> None:
        with written_by(actor):
            for pk in _chain(row):
                one = Subscription.objects.select_for_update().get(pk=pk)
                days = [day for day in (one.ends_on, on) if day is not None]
                one.ends_on = on
                _look_again(one, min(days, default=one.starts_on))
                one.save(update_fields=["ends_on", "check_from", "next_due"])

    in_transaction(work)
    return _charged(row, actor, today)


def _charged(row: Subscription, actor: Actor, today: date | None) -> Subscription:
    charging.post_these(_chain(row), today=today, actor=actor)
    row.refresh_from_db()
    return row


def _chain(row: Subscription) -> list[UUID]:
    """It and those above by which it is bought, from the bottom."""
    found = [row.pk]
    while above := Subscription.objects.filter(serves=found[-1]).values_list("pk", flat=True).first():
        found.append(above)
    return found


# -- beginning --------------------------------------------------------------------------------------------------------
def _check(order: Order) -> None:
    product, buyer = order.product, order.buyer
    if buyer.parent_path != product.seller.path:
        raise NotFound("no_buyer", _("There is no such buyer of yours."), where="buyer")
    if buyer.status == Status.CLOSED:
        raise Conflict("closed", _("%s is closed.") % buyer.name, where="buyer")
    if not product.active or not product.recurs:
        raise Invalid("product", _("%s cannot be subscribed to.") % product.name, where="product")
    _check_terms(order.quantity, order.price)
    _check_day(order.starts_on, today_in(product.brand.time_zone), "starts_on")
    if order.ends_on is not None and order.ends_on <= order.starts_on:
        raise Invalid("ends_on", _("It must end after it began."), where="ends_on")


def _check_terms(quantity: int | None, price: Decimal | None) -> None:
    if quantity is not None and not 1 <= quantity <= MOST:
        raise Invalid("quantity", _("A quantity is a whole number from 1 to 1,000,000."), where="quantity")
    if price is not None:
        check_price(price)


def _check_day(day: date, today: date, where: str) -> None:
    if abs(day.year - today.year) > FARTHEST_YEARS:
        raise Invalid(where, _("%s is too far away.") % day, where=where)


def _same(standing: Subscription, order: Order) -> Subscription:
    asked = (order.product.pk, order.buyer.pk, order.starts_on)
    if (standing.product_id, standing.buyer_id, standing.starts_on) != asked:
        raise Conflict("key_reused", _("This was already done with other values."))
    return standing


def _begin(order: Order, actor: Actor, serves: Subscription | None) -> Subscription:
    product = order.product
    row = Subscription(
        seller=product.seller,
        buyer=order.buyer,
        wallet=_wallet(order.buyer, product),
        product=product,
        serves=serves,
        note=order.note.strip(),
        starts_on=order.starts_on,
        ends_on=order.ends_on,
        check_from=order.starts_on,
        next_due=order.starts_on,
        key=order.key[:120],
        created_by=actor.label[:254],
    )
    check_fields(row, skip=("key", "short_since"))
    row.save(force_insert=True)
    SubscriptionTerms.objects.create(
        subscription=row,
        valid_from=order.starts_on,
        product=product,
        quantity=order.quantity,
        price=order.price,
    )
    if product.resells is not None:
        above = replace(order, product=product.resells, buyer=product.seller, price=None, key=f"for:{row.pk}")
        _begin(above, actor, row)
    return row


def _wallet(buyer: Party, product: Product) -> Wallet:
    currency = product.brand.currency
    wallet = wallet_of(buyer, currency)
    if wallet.seller_id != product.seller_id:
        raise Invalid(
            "currency",
            _("%(name)s has no wallet with you in %(currency)s.") % {"name": buyer.name, "currency": currency},
            where="buyer",
        )
    return wallet


# -- changing ---------------------------------------------------------------------------------------------------------
def _require_own(row: Subscription, wish: Change) -> None:
    if row.serves_id is not None and (wish.quantity is not None or wish.product is not None):
        raise _follows()
    _check_terms(wish.quantity, wish.price)
    _check_day(wish.valid_from, today_in(row.product.brand.time_zone), "valid_from")
    if wish.valid_from < row.starts_on or (row.ends_on is not None and wish.valid_from >= row.ends_on):
        raise Invalid("valid_from", _("It does not run on %s.") % wish.valid_from, where="valid_from")
    if wish.product is not None:
        _check_product(row.product, wish.product)


def _follows() -> Conflict:
    return Conflict(
        "follows",
        _("It is bought for a subscription further down, and follows that one."),
        hint=_("Change or end the one that it serves."),
    )


def _check_product(now: Product, wished: Product) -> None:
    alike = all(getattr(now, name) == getattr(wished, name) for name in MADE_WITH)
    if wished.brand_id != now.brand_id or not wished.active or not alike:
        raise Invalid(
            "product",
            _("It can be changed to a product of the same brand that is charged at the same times."),
            where="product",
            hint=_("Otherwise end this subscription and begin another."),
        )


def _change(pk: UUID, wish: Change) -> None:
    row = Subscription.objects.select_for_update().get(pk=pk)
    before = row.terms.filter(valid_from__lte=wish.valid_from).latest("valid_from")
    product = wish.product or before.product
    moved = product.pk != before.product_id
    price = wish.price if wish.price is not None else (None if wish.list_price or moved else before.price)
    SubscriptionTerms.objects.update_or_create(
        subscription=row,
        valid_from=wish.valid_from,
        defaults={"product": product, "quantity": wish.quantity or before.quantity, "price": price},
    )
    _look_again(row, wish.valid_from)
    row.save(update_fields=["check_from", "next_due"])
    if wish.quantity is not None or moved:
        _change_above(row, replace(wish, price=None, list_price=False, product=product if moved else None))


def _change_above(row: Subscription, wish: Change) -> None:
    """The same change where it is bought; another product may be bought as another, or be no longer."""
    above = Subscription.objects.filter(serves=row).first()
    if wish.product is None:
        if above is not None:
            _change(above.pk, wish)
        return
    bought = wish.product.resells
    if above is None and bought is None:
        return
    if above is None or bought is None:
        raise Invalid(
            "product",
            _("One of the two products is bought from your seller and the other is not."),
            where="product",
            hint=_("End this subscription and begin another."),
        )
    _change(above.pk, replace(wish, product=bought))


def _look_again(row: Subscription, since: date) -> None:
    """Compare charges from this day on, at the next pass, which is due now."""
    row.check_from = max(min(row.check_from, since), row.starts_on)
    row.next_due = row.starts_on


def running(row: Subscription, today: date) -> bool:
    return row.starts_on <= today and (row.ends_on is None or today < row.ends_on)
