"""One call, priced at every tier: the sale of each seller in the chain, and what the carrier costs.

The sale follows the customer's choice of carrier (calls abroad only), the cost the trunk that the record names. A call
without a price at any selling tier is charged at none.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple
from uuid import UUID

from django.utils.translation import gettext as _

from rating.kernel import Charge, RateError, price
from rating.numbers import Number, ServiceClass
from rating.pricing.directory import Directory, Link, Purse, Tax
from rating.pricing.lists import Found
from rating.pricing.shelf import Groups, Shelf, find_in, in_table
from tiers.models import Kind

PLACES = Decimal("0.000001")
LARGEST_AMOUNT = Decimal(2**63 - 1).scaleb(-6)
"""What columns of 64-bit integers hold, far below what is worth a ledger's trust."""
NOTHING = Decimal(0)


class CallFacts(NamedTuple):
    """What pricing needs of a call. `trunk` is the carrier that carried it, `chosen` overrides the choice."""

    customer: UUID
    number: Number
    abroad: bool
    answered_at: datetime
    duration_s: int
    trunk: UUID | None = None
    chosen: UUID | None = None


class TierPrice(NamedTuple):
    """What one seller charges its buyer. `amount` is the list's price; `sale` and `tax` are what is posted now.

    A prepaid wallet pays tax with the charge. Where prices include tax, the tax is inside `amount`.
    """

    link: Link
    purse: Purse
    list_id: UUID
    found: Found
    charge: Charge
    sale: Decimal
    tax: Decimal

    @property
    def amount(self) -> Decimal:
        return self.charge.amount


class CarrierCost(NamedTuple):
    """What the operator pays. `found` is None where the carrier has no price: flagged, and costed later."""

    carrier: UUID
    found: Found | None
    charge: Charge | None

    @property
    def amount(self) -> Decimal | None:
        return None if self.charge is None else self.charge.amount


class PricedCall(NamedTuple):
    """`tiers` runs from the customer up to the operator."""

    tiers: tuple[TierPrice, ...]
    cost: CarrierCost | None
    carrier: UUID | None

    @property
    def charged(self) -> bool:
        return any(tier.charge.charged for tier in self.tiers)


@dataclass(frozen=True, slots=True)
class Unpriced:
    """Why there is no price, and at which tier (the seller's party; None where no tier is to blame)."""

    code: str
    reason: str
    seller: UUID | None = None
    buyer: UUID | None = None


@dataclass(slots=True)
class Till:
    """What one sale of the chain needs again and again: lists by carrier, purses by currency, the brand's tax."""

    tax: Tax | None
    lists: dict[UUID | None, Groups] = field(default_factory=dict)
    purses: dict[str, Purse | None] = field(default_factory=dict)


class Engine:
    """Prices calls against one snapshot of the directory and the lists."""

    def __init__(self, directory: Directory | None = None, shelf: Shelf | None = None) -> None:
        self.directory = directory or Directory()
        self.shelf = shelf or Shelf()
        self._tills: dict[Link, Till] = {}
        self.columns: object = None
        """What `columns.price_calls` made ready of this engine."""

    def make_ready(self, like: Engine | None = None) -> None:
        """Compile beforehand what is else compiled when the first call asks; what `like` was asked for above all."""
        self.shelf.make_ready(like.shelf if like else None)
        for carrier in self.directory.carriers_by_id.values():
            if carrier.cost_table_id:
                self.shelf.table(carrier.cost_table_id)

    def price(self, call: CallFacts) -> PricedCall | Unpriced:
        links = self.chain(call.customer, call.answered_at)
        if not links:
            return Unpriced("not_placed", _("Nobody sold to this customer at that time."))
        if not call.number.is_e164:
            return Unpriced("short_number", _("%s is not a number that a price list can price.") % call.number.e164)
        chosen = call.chosen or self.directory.choice(call.customer, links, call.answered_at)
        tiers = []
        for link in links:
            tier = self._tier(call, link, chosen if call.abroad else None)
            if isinstance(tier, Unpriced):
                return tier
            tiers.append(tier)
        trunk = call.trunk or (chosen if call.abroad else None)
        return PricedCall(tuple(tiers), self._cost(call, trunk), chosen if call.abroad else None)

    def chain(self, customer: UUID, moment: datetime) -> list[Link]:
        """The sales of a call of this customer up to the operator; empty where the chain did not reach it."""
        links = self.directory.chain(customer, moment)
        return links if links and self.directory.people[links[-1].seller].kind == Kind.OPERATOR else []

    def _tier(self, call: CallFacts, link: Link, carrier: UUID | None) -> TierPrice | Unpriced:
        till = self._till(link, carrier)
        hit = find_in(till.lists[carrier], call.number.e164, call.answered_at, call.number.service_class)
        if hit is None:
            return self._refuse(link, "no_price", _("%(seller)s has no price for %(what)s."), call.number.e164)
        found = hit.found
        if found.row.blocked:
            return self._refuse(link, "blocked", _("%(seller)s has closed %(what)s."), found.row.prefix)
        purse = self._purse(till, link, found.measure.currency)
        if purse is None:
            reason = _("%(buyer)s has no wallet in %(what)s with %(seller)s.")
            return self._refuse(link, "no_wallet", reason, found.measure.currency)
        charge = charge_of(found, call)
        if charge is None:
            return self._refuse(
                link, "beyond", _("%(seller)s cannot price so long a call of %(what)s."), call.number.e164
            )
        sale, tax = split_tax(charge.amount, till.tax, purse.prepaid)
        return TierPrice(link, purse, hit.list_id, found, charge, sale, tax)

    def _till(self, link: Link, carrier: UUID | None) -> Till:
        till = self._tills.get(link)
        if till is None:
            till = self._tills[link] = Till(self.directory.taxes.get(link.brand))
        if carrier not in till.lists:
            till.lists[carrier] = self.shelf.groups(link.brand, link.buyer, carrier)
        return till

    def _purse(self, till: Till, link: Link, currency: str) -> Purse | None:
        """The buyer's wallet with this very seller."""
        if currency not in till.purses:
            till.purses[currency] = self.directory.purse(link.buyer, link.seller, currency)
        return till.purses[currency]

    def _refuse(self, link: Link, code: str, reason: str, what: str) -> Unpriced:
        people = self.directory.people
        names = {"seller": people[link.seller].name, "buyer": people[link.buyer].name, "what": what}
        return Unpriced(code, reason % names, link.seller, link.buyer)

    def _cost(self, call: CallFacts, trunk: UUID | None) -> CarrierCost | None:
        if call.number.service_class is ServiceClass.ON_NET or trunk is None:
            return None
        carrier = self.directory.carriers_by_id.get(trunk)
        if carrier is None:
            return None
        table = carrier.cost_table
        found = in_table(self.shelf.table(table.pk), call.number.e164, call.answered_at) if table else None
        if found is None or found.row.blocked:
            return CarrierCost(trunk, None, None)
        charge = charge_of(found, call)
        return CarrierCost(trunk, None if charge is None else found, charge)


def charge_of(found: Found, call: CallFacts) -> Charge | None:
    """The price of the call; None where the kernel refuses its duration or no ledger could hold the amount."""
    try:
        charge = price(found.kernel, call.duration_s, call.answered_at)
    except RateError:
        return None
    return charge if charge.amount <= LARGEST_AMOUNT else None


def split_tax(amount: Decimal, tax: Tax | None, prepaid: bool) -> tuple[Decimal, Decimal]:
    """A list's amount as what is posted at once: (sale, tax), tax to 6 places half up.

    Postpaid: the amount as it is, its tax comes with the invoice. Prepaid: tax is added, or taken out where the
    brand's prices include it.
    """
    if tax is None or not prepaid or not tax.rate or not amount:
        return amount, NOTHING
    if tax.included:
        part = (amount * tax.rate / (100 + tax.rate)).quantize(PLACES, ROUND_HALF_UP)
        return amount - part, part
    return amount, (amount * tax.rate / 100).quantize(PLACES, ROUND_HALF_UP)
