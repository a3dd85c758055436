"""The loss guard: what a seller sells below its cost, before a change is saved, on a page, and for one call.

A sale is compared with what the seller itself pays for the same number: a dealer by the lists it buys by, the operator
by the cost tables of its carriers (`rating.pricing.loss` says how two rates are compared). Every prefix of either side
counts, so that a flat price over a country meets the dear mobile code inside it.

A brand warns or refuses (PriceTerms.below_cost). A warning is a question: the change is saved when it is answered.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from rating.live.memory import Memory
from rating.models import PriceList, PriceTerms
from rating.models.lists import BelowCost
from rating.numbers import ServiceClass
from rating.pricing import Engine
from rating.pricing.engine import PricedCall
from rating.pricing.lists import Found
from rating.pricing.loss import Loss, widest_loss
from rating.pricing.shelf import Group, Groups, find_in, in_table
from tiers.errors import Conflict
from tiers.models import Kind

MOST_SHOWN = 50
AHEAD = timedelta(hours=1)
"""How far a call looks into the bands to come."""


@dataclass(frozen=True, slots=True)
class Sold:
    """A prefix sold below cost: amounts a minute in the list's currency, without tax. `carrier` "": for any."""

    prefix: str
    destination: str
    list_code: str
    list_name: str
    carrier: str
    currency: str
    loss: Loss

    @property
    def key(self) -> tuple[str, str, str]:
        return self.list_code, self.prefix, self.carrier

    def to_json(self) -> dict[str, str]:
        return {
            "list": self.list_code,
            "prefix": self.prefix,
            "destination": self.destination,
            "carrier": self.carrier,
            "currency": self.currency,
            "sale": f"{self.loss.sale:.8f}",
            "cost": f"{self.loss.cost:.8f}",
            "difference": f"{-self.loss.gap:.8f}",
        }


class BelowCostError(Conflict):
    """A change would sell below cost. `sold`: where, worst first. `refused`: the brand does not let it pass at all."""

    def __init__(self, sold: list[Sold], *, refused: bool) -> None:
        self.sold, self.refused = sold, refused
        worst = sold[0]
        message = _("%(count)d destinations would be sold below cost; %(worst)s by %(gap)s %(currency)s a minute.") % {
            "count": len(sold),
            "worst": worst.destination or worst.prefix,
            "gap": f"{worst.loss.gap.quantize(Decimal('0.0001'))}",
            "currency": worst.currency,
        }
        hint = _("The brand refuses this.") if refused else _("Say that it is meant, and it is saved.")
        super().__init__("below_cost", message, hint=hint)


class Cost:
    """What a seller pays for a number by one carrier (None: where none is chosen)."""

    def __init__(
        self, name: str, prefixes: Iterable[str], groups: Groups | None, table: UUID | None, brand: UUID | None = None
    ) -> None:
        self.name = name
        self.prefixes = prefixes
        self.brand = brand
        self._groups = groups
        self._table = table

    def find(self, engine: Engine, digits: str, at: datetime) -> Found | None:
        if self._table is not None:
            found = in_table(engine.shelf.table(self._table), digits, at)
        else:
            hit = find_in(self._groups or [], digits, at)
            found = hit.found if hit else None
        return None if found is None or found.row.blocked else found


def sold_below_cost(
    price_list: PriceList, *, engine: Engine | None = None, at: datetime | None = None, under: str = ""
) -> list[Sold]:
    """Where a list sells below cost at a moment (now), widest gap first; `under`: only for numbers of that prefix."""
    engine, moment = engine or Engine(), at or timezone.now()
    book = engine.shelf.book(price_list.pk)
    if book is None:
        return []
    group, found = Group([book]), []
    for cost in costs_of(price_list, engine, moment):
        net = _Net(engine, moment, price_list.brand_id, cost.brand)
        met: set[tuple[str, str]] = set()
        for prefix in _prefixes(group, cost, under):
            paid = cost.find(engine, prefix, moment)
            for sale in _sales(group, prefix, moment) if paid is not None else ():
                pair = (sale.row.prefix, paid.row.prefix if paid else "")
                loss = None if pair in met else net.loss(sale, paid)
                if loss is not None:
                    met.add(pair)
                    named = sale if paid is None or len(sale.row.prefix) >= len(paid.row.prefix) else paid
                    found.append(
                        Sold(
                            prefix,
                            named.row.destination or (paid.row.destination if paid else ""),
                            price_list.code,
                            price_list.name,
                            cost.name,
                            price_list.currency,
                            loss,
                        )
                    )
                    break
    return sorted(found, key=lambda one: (-one.loss.gap, one.prefix))


def _sales(group: Group, prefix: str, at: datetime) -> Iterator[Found]:
    """The sale's rate; where its mark-up looks at the class of a call, that of each class."""
    for service_class in (None, *ServiceClass) if group.by_class else (None,):
        hit = group.find(prefix, at, service_class)
        if hit is not None and not hit.found.row.blocked:
            yield hit.found


class _Net:
    """Compares without tax: what is inside the prices of a brand is no income, and inside those it buys by, no cost."""

    def __init__(self, engine: Engine, at: datetime, brand: UUID, bought: UUID | None) -> None:
        self._exchange, self._at = engine.shelf.exchange, at
        self.sold_tax, self._bought_tax = self._inside(engine, brand), self._inside(engine, bought)

    @staticmethod
    def _inside(engine: Engine, brand: UUID | None) -> Decimal:
        tax = engine.directory.taxes.get(brand) if brand else None
        return tax.rate if tax is not None and tax.included else Decimal(0)

    def loss(self, sale: Found, cost: Found | None) -> Loss | None:
        share = None if cost is None else self.share(sale, cost)
        return None if cost is None or share is None else widest_loss(sale, cost, share, self._at, self.sold_tax)

    def share(self, sale: Found, cost: Found) -> Decimal | None:
        """What of the cost counts, in the sale's currency: without the tax inside it. None without exchange rate."""
        rate = self._exchange.rate(cost.measure.currency, sale.measure.currency, self._at)
        return None if rate is None else rate * 100 / (100 + self._bought_tax)


def _prefixes(group: Group, cost: Cost, under: str) -> Iterable[str]:
    return sorted(one for one in group.prefixes | set(cost.prefixes) if one.startswith(under))


def costs_of(price_list: PriceList, engine: Engine, at: datetime) -> Iterator[Cost]:
    """What the list's seller pays: by the list's carrier. For a list for any carrier: where nobody chose, and by each
    carrier for which the brand has no list; at the operator by all, for any may carry a call at home."""
    directory, shelf = engine.directory, engine.shelf
    top = directory.people[price_list.seller_id].kind == Kind.OPERATOR
    nobody = price_list.buyer_id or UUID(int=0)
    carriers = [one for one in directory.carriers.values() if one.active]
    if price_list.carrier_id is not None:
        carriers = [one for one in carriers if one.pk == price_list.carrier_id]
    elif not top:
        carriers = [one for one in carriers if not shelf.carries(price_list.brand_id, nobody, one.pk)]
    if top:
        for one in carriers:
            if one.cost_table_id is not None:
                beside = price_list.carrier_id is None and shelf.carries(price_list.brand_id, nobody, one.pk)
                # Calls abroad go by that carrier's own list: here its other codes are met by nobody.
                prefixes: Iterable[str] = () if beside else shelf.table(one.cost_table_id).prefixes
                yield Cost(one.name, prefixes, None, one.cost_table_id)
        return
    links = directory.chain(price_list.seller_id, at)
    if not links:
        return
    wanted = [(one.name, one.pk) for one in carriers] if price_list.carrier_id else [("", None)]
    wanted += [] if price_list.carrier_id else [(one.name, one.pk) for one in carriers]
    for name, carrier in wanted:
        groups = shelf.groups(links[0].brand, price_list.seller_id, carrier)
        yield Cost(name, set[str]().union(*(group.prefixes for group in groups)), groups, None, links[0].brand)


def refuses(price_list: PriceList) -> bool:
    """Whether the list's brand refuses to sell below cost; the others warn."""
    return PriceTerms.objects.filter(brand=price_list.brand_id, below_cost=BelowCost.REFUSE).exists()


@contextmanager
def guarded(price_list: PriceList, *, accept: bool, under: str = "", at: datetime | None = None) -> Iterator[None]:
    """Around a change of a list, inside its transaction. Raises BelowCostError for what the change makes worse.

    `accept`: the warning was answered, so only a brand that refuses is asked about. What was below cost before and
    did not get worse is no reason. Nothing is computed where nothing can be said.
    """
    refused = refuses(price_list)
    if accept and not refused:
        yield
        return
    before = {one.key: one.loss.gap for one in sold_below_cost(price_list, at=at, under=under)}
    yield
    worse = [
        one
        for one in sold_below_cost(PriceList.objects.get(pk=price_list.pk), at=at, under=under)
        if one.loss.gap > before.get(one.key, Decimal(0))
    ]
    if worse:
        raise BelowCostError(worse, refused=refused)


@dataclass(frozen=True, slots=True)
class TierLoss:
    """A tier that would sell this call below what it pays: amounts a minute in its own currency."""

    seller: UUID
    buyer: UUID
    currency: str
    loss: Loss
    refused: bool


def losses_of_call(priced: PricedCall, engine: Engine, at: datetime) -> list[TierLoss]:
    """For a call that is priced (a live one before it begins): each tier whose sale is below its buy, customer's first.

    The buy of a tier is the sale of the one above it; the operator's is the carrier's cost, where that is known.
    Bands count that the call itself may meet. `refused`: the tier's brand does not let such a call pass.
    """
    found = []
    for position, tier in enumerate(priced.tiers):
        above = priced.tiers[position + 1] if position + 1 < len(priced.tiers) else None
        cost = above.found if above else (priced.cost.found if priced.cost else None)
        loss = _loss_of(tier.found, cost, _Net(engine, at, tier.link.brand, above.link.brand if above else None), at)
        if loss is not None:
            refused = engine.directory.below_cost.get(tier.link.brand) == BelowCost.REFUSE
            found.append(TierLoss(tier.link.seller, tier.link.buyer, tier.found.measure.currency, loss, refused))
    return found


_told: Memory[tuple[object, ...], tuple[Loss | None]] = Memory(100_000)
"""What two prices compared to, by all that they are made of; of prices with bands, for each minute."""


def _loss_of(sale: Found, cost: Found | None, net: _Net, at: datetime) -> Loss | None:
    share = None if cost is None else net.share(sale, cost)
    if cost is None or share is None:
        return None
    moment = at.replace(second=0, microsecond=0) if sale.row.bands or cost.row.bands else None
    key = (sale.digest, cost.digest, share, net.sold_tax, moment)
    return _told.ask(key, lambda: (widest_loss(sale, cost, share, moment or at, net.sold_tax, AHEAD),))[0]
