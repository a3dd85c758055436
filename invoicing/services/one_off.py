"""Charges and credits made once, by a person, with a reason: a set-up fee, a repair, something given back.

A credit lessens what is billed: it is a charge the other way, and tax follows it. A one-off product that the seller
buys above is charged to the seller too, in the same transaction.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.utils.translation import gettext as _

from accounts.models import Wallet
from accounts.services.accounts import wallet_of
from accounts.services.ledger import check_amount, lock_wallets
from accounts.services.transactions import in_transaction
from invoicing.charges.periods import ONE_DAY, Period
from invoicing.models import Charge, ChargeKind, Product, ProductPrice
from invoicing.services.charge_rows import Sheet, tax_of, write
from invoicing.services.subscribed import price_at
from tiers.errors import Conflict, Invalid, NotFound
from tiers.models import Party
from tiers.viewer import Actor


@dataclass(frozen=True, slots=True)
class Once:
    """What is charged or credited, in listed money: with tax where the brand's prices include it.

    `price` is for one; without it the product's holds. `key` names it for ever: the same key again is the same charge.
    """

    seller: Party
    buyer: Party
    day: date
    reason: str
    key: str
    price: Decimal | None = None
    quantity: int = 1
    product: Product | None = None
    currency: str | None = None
    credit: bool = False


def charge_once(wish: Once, *, actor: Actor) -> Charge:
    """Post it. Raises Invalid, NotFound, Conflict("funds") where a prepaid wallet holds too little for it."""

    def work() -> Charge:
        steps = _steps(wish)
        standing = Charge.objects.filter(key=steps[0][1].key).first()
        if standing is not None:
            return _same(standing, steps[0][1])
        locked = lock_wallets([pk for wallet, _sheet in steps for pk in _touched(wallet)])
        made = []
        for wallet, sheet in steps:
            _require_funds(locked, wallet, sheet)
            made += write(wallet, [sheet], actor=actor)
        return made[0]

    return in_transaction(work)


def _steps(wish: Once) -> list[tuple[Wallet, Sheet]]:
    """The charge, and those of the sellers above that it is bought from."""
    found = [_step(wish)]
    product = wish.product
    if product is not None and product.resells is not None and not wish.credit:
        above = product.resells
        up = replace(
            wish, seller=above.seller, buyer=wish.seller, product=above, price=None, currency=None, key=f"{wish.key}:up"
        )
        found += _steps(up)
    return found


def _step(wish: Once) -> tuple[Wallet, Sheet]:
    _check(wish)
    wallet = _wallet(wish)
    price = _price(wish)
    sign = -1 if wish.credit else 1
    law = tax_of(wallet, wish.seller)
    amount, tax = law.split(check_amount(price * wish.quantity, "price"))
    sheet = Sheet(
        kind=ChargeKind.CREDIT if wish.credit else ChargeKind.ONE_OFF,
        period=Period(wish.day, wish.day + ONE_DAY),
        start=wish.day,
        end=wish.day + ONE_DAY,
        quantity=wish.quantity,
        unit_price=price,
        amount=sign * amount,
        tax=sign * tax,
        law=law,
        label=wish.product.name if wish.product is not None else wish.reason.strip(),
        key=f"once:{wish.seller.pk}:{wish.key}",
        unit=wish.product.unit if wish.product is not None else "",
        product=wish.product,
        reason=wish.reason.strip(),
        due_on=wish.day,
        for_month=wish.day.replace(day=1),
    )
    return wallet, sheet


def _check(wish: Once) -> None:
    product = wish.product
    if wish.buyer.parent_path != wish.seller.path:
        raise NotFound("no_buyer", _("There is no such buyer of yours."), where="buyer")
    if product is not None and (product.seller_id != wish.seller.pk or product.recurs or not product.active):
        raise Invalid("product", _("Only a one-off product of your own can be charged so."), where="product")
    if product is None and not wish.reason.strip():
        raise Invalid("reason", _("Say what this is for; the buyer reads it."), where="reason")
    if wish.quantity < 1:
        raise Invalid("quantity", _("A quantity is a whole number from 1 on."), where="quantity")
    if len(wish.key) > 100:
        raise Invalid("key", _("A key has at most 100 characters."), where="key")


def _wallet(wish: Once) -> Wallet:
    currency = wish.product.brand.currency if wish.product is not None else wish.currency
    wallet = wallet_of(wish.buyer, currency)
    if wallet.seller_id != wish.seller.pk:
        raise NotFound("not_yours", _("There is no such buyer of yours."), where="buyer")
    return wallet


def _price(wish: Once) -> Decimal:
    if wish.price is not None:
        return wish.price
    if wish.product is None:
        raise Invalid("price", _("Say how much."), where="price")
    return price_at(list(ProductPrice.objects.filter(product=wish.product).order_by("valid_from")), wish.day)


def _touched(wallet: Wallet) -> list[UUID]:
    return [wallet.pk, *([wallet.seller_wallet_id] if wallet.seller_wallet_id else [])]


def _require_funds(locked: dict[UUID, Wallet], wallet: Wallet, sheet: Sheet) -> None:
    """A prepaid buyer pays it at once; what a distribution seller credits leaves the seller's own wallet."""
    cost = sheet.amount + sheet.tax
    if cost > 0 and wallet.is_prepaid:
        short = cost > locked[wallet.pk].available
    else:
        short = cost < 0 and wallet.seller_wallet_id is not None and -cost > locked[wallet.seller_wallet_id].available
    if short:
        raise Conflict(
            "funds",
            _("There is not enough available for this."),
            where="price",
            hint=_("A prepaid wallet pays at once: it needs the funds first."),
        )


def _same(standing: Charge, sheet: Sheet) -> Charge:
    if (standing.amount, standing.kind, standing.label) != (sheet.amount, sheet.kind, sheet.label[:200]):
        raise Conflict("key_reused", _("This was already done with other values."))
    return standing
