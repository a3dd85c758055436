"""One subscription with all that its charges follow from: its dated terms, the products' dated prices, the tax.

A product's own price counts for a whole period, as it stood on the period's first day: who paid in advance pays
nothing more when the price rises. What a subscription agreed on (price, quantity, product) counts from its day.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from uuid import UUID

from accounts.models import Wallet
from invoicing.charges.periods import ONE_DAY, Period, period_of
from invoicing.charges.plan import Charged, Item, Stretch, Terms
from invoicing.models import Anchor, Charge, Product, ProductPrice, Subscription, SubscriptionTerms, Timing
from invoicing.services.charge_rows import Sheet, Tax, recurring, returned, tax_of
from tiers.models import Brand

FOR_EVER = date.max


@dataclass
class Subscribed:
    """`terms` in order of time, the products that they name, and each one's prices in order of time."""

    row: Subscription
    terms: list[SubscriptionTerms]
    products: dict[UUID, Product]
    prices: dict[UUID, list[ProductPrice]]

    @property
    def brand(self) -> Brand:
        return self.row.product.brand

    @property
    def wallet(self) -> Wallet:
        return self.row.wallet

    @property
    def anchor(self) -> date | None:
        return self.row.starts_on if self.row.product.anchor == Anchor.START else None

    @property
    def end(self) -> date:
        return self.row.ends_on or FOR_EVER

    @cached_property
    def tax(self) -> Tax:
        return tax_of(self.row.wallet, self.row.seller)

    @cached_property
    def _charges(self) -> dict[UUID, Charge]:
        return {}

    def wanted(self, period: Period) -> list[Stretch]:
        """The days of the period as they should be charged."""
        found = []
        ends = [*(one.valid_from for one in self.terms[1:]), FOR_EVER]
        for one, end in zip(self.terms, ends, strict=True):
            start = max(one.valid_from, self.row.starts_on, period.start)
            until = min(end, self.end, period.end)
            if start < until:
                found.append(Stretch(start, until, self._terms(one, period)))
        return found

    def terms_on(self, day: date) -> SubscriptionTerms:
        """Those of the day; before the first the first."""
        at = bisect_right([one.valid_from for one in self.terms], day)
        return self.terms[max(at - 1, 0)]

    def product_on(self, day: date) -> Product:
        return self.products[self.terms_on(day).product_id]

    def now(self, day: date) -> Terms:
        """Quantity and price of the period that the day lies in; before it begins those of its beginning."""
        day = max(day, self.row.starts_on)
        return self._terms(self.terms_on(day), period_of(day, self.row.product.every, self.anchor))

    def _terms(self, one: SubscriptionTerms, period: Period) -> Terms:
        price = one.price
        if price is None:
            price = price_at(self.prices[one.product_id], max(period.start, self._since(one)))
        return Terms(one.product_id, one.quantity, price)

    def _since(self, one: SubscriptionTerms) -> date:
        """Since when it has been this product without a break."""
        at = self.terms.index(one)
        while at and self.terms[at - 1].product_id == one.product_id:
            at -= 1
        return max(self.terms[at].valid_from, self.row.starts_on)

    def charged(self, rows: Iterable[Charge]) -> list[Charged]:
        """Charges of one period as stretches, with what was given back of each."""
        rows = list(rows)
        self._charges.update({row.pk: row for row in rows})
        back: dict[UUID | None, list[tuple[date, date]]] = {}
        for row in rows:
            back.setdefault(row.gives_back_id, []).append((row.starts_on, row.ends_on))
        return [
            Charged(
                row.pk,
                Stretch(row.starts_on, row.ends_on, Terms(row.product_id, row.quantity, row.unit_price)),
                back.get(row.pk, ()),
            )
            for row in rows
            if row.gives_back_id is None
        ]

    def due_on(self, period: Period, item: Item) -> date:
        """In advance on its first day, in arrears when the period or the subscription is over."""
        if self.row.product.timing == Timing.ADVANCE or item.gives_back is not None:
            return item.stretch.start
        return max(min(period.end, self.end), item.stretch.start)

    def sheet(self, period: Period, item: Item, due_on: date) -> Sheet:
        """What is to be written of it. A give-back is worth what its charge took for these days, tax and all."""
        if item.gives_back is not None:
            sheet = returned(self._charges[item.gives_back], item.stretch.start, item.stretch.end)
        else:
            product = self.product_on(item.stretch.start)
            sheet = recurring(self.row, product, period, item.stretch, self.tax)
        sheet.due_on, sheet.for_month = due_on, self.month_of(due_on)
        return sheet

    def month_of(self, due_on: date) -> date:
        """On which month's bill it stands. What is due on the first of December stands on the bill made on that day,
        which is November's; a prepaid wallet's statement of December tells what December took from it.
        """
        in_advance = self.row.product.timing == Timing.ADVANCE
        day = due_on if self.wallet.is_prepaid and in_advance else due_on - ONE_DAY
        return day.replace(day=1)


def subscribed(row: Subscription) -> Subscribed:
    return subscribed_many([row])[0]


def subscribed_many(rows: Sequence[Subscription]) -> list[Subscribed]:
    """Many at once: two questions, however many."""
    terms: dict[UUID, list[SubscriptionTerms]] = {row.pk: [] for row in rows}
    found = SubscriptionTerms.objects.filter(subscription__in=terms).order_by("valid_from")
    for one in found.select_related("product__brand"):
        terms[one.subscription_id].append(one)
    products = {one.product_id: one.product for mine in terms.values() for one in mine}
    prices: dict[UUID, list[ProductPrice]] = {pk: [] for pk in products}
    for price in ProductPrice.objects.filter(product__in=products).order_by("valid_from"):
        prices[price.product_id].append(price)
    return [Subscribed(row, terms[row.pk], products, prices) for row in rows]


def price_at(prices: list[ProductPrice], day: date) -> Decimal:
    """The price in force on the day; before the first one the first."""
    at = bisect_right([one.valid_from for one in prices], day)
    return prices[max(at - 1, 0)].price
