"""Who bought from whom, under which brand and terms, by which carrier and wallet, at any moment.

Read whole once for a batch of calls: pricing a call must not ask the database. Everything dated is answered for the
call's own moment, today or when it is rated again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from accounts.models import Billing, Wallet
from rating.models import Carrier, CarrierChoice, PriceTerms, SpendLimit
from rating.pricing.bars import Bars
from tiers.models import Brand, Kind, Party, Placement

BEGINNING = datetime.min.replace(tzinfo=UTC)
Dated = tuple[datetime, datetime | None, UUID, UUID]
"""From, to (None: open), seller, brand."""


@dataclass(frozen=True, slots=True)
class Tax:
    """A brand's tax: percent, and whether its prices include it."""

    rate: Decimal
    included: bool


@dataclass(frozen=True, slots=True)
class Purse:
    """A buyer's wallet with its seller, as far as pricing needs it."""

    id: UUID
    seller: UUID
    currency: str
    prepaid: bool
    counter: UUID | None


@dataclass(frozen=True, slots=True, eq=False)
class Link:
    """One sale in the chain: who sells to whom under which brand. A directory has one object for each."""

    seller: UUID
    buyer: UUID
    brand: UUID


@dataclass(frozen=True, slots=True)
class Chain:
    """A customer's chain, and how long it stood. A later moment outside [since, until) asks for another."""

    links: list[Link]
    since: datetime
    until: datetime | None

    def covers(self, moment: datetime) -> bool:
        return self.since <= moment and (self.until is None or moment < self.until)


@dataclass(frozen=True, slots=True)
class Person:
    id: UUID
    code: str
    name: str
    path: str
    kind: str


class Directory:
    """A snapshot of parties, placements, wallets, terms and choices."""

    def __init__(self) -> None:
        self.people = {row[0]: Person(*row) for row in Party.objects.values_list("id", "code", "name", "path", "kind")}
        self.by_code = {person.code: person for person in self.people.values()}
        self._placements = self._read_placements()
        self._chains: dict[UUID, Chain] = {}
        self._links: dict[tuple[UUID, UUID, UUID], Link] = {}
        self._purses = self._read_purses()
        self._choices: dict[UUID, list[tuple[datetime, datetime | None, UUID]]] = defaultdict(list)
        for party, start, end, carrier in CarrierChoice.objects.values_list(
            "party", "valid_from", "valid_to", "carrier"
        ):
            self._choices[party].append((start, end, carrier))
        self.taxes: dict[UUID, Tax] = {}
        self.default_carriers: dict[UUID, UUID | None] = {}
        self.below_cost: dict[UUID, str] = {}
        for terms in PriceTerms.objects.all():
            self.taxes[terms.brand_id] = Tax(terms.tax_rate, terms.prices_include_tax)
            self.default_carriers[terms.brand_id] = terms.default_carrier_id
            self.below_cost[terms.brand_id] = terms.below_cost
        brands = list(Brand.objects.values_list("pk", "time_zone", "currency"))
        self.zones = {pk: ZoneInfo(zone) for pk, zone, _currency in brands}
        self.currencies = {pk: currency for pk, _zone, currency in brands}
        self.limited = frozenset(SpendLimit.objects.values_list("wallet_id", flat=True))
        self.bars = Bars()
        self.carriers = {carrier.code: carrier for carrier in Carrier.objects.select_related("cost_table")}
        self.carriers_by_id = {carrier.pk: carrier for carrier in self.carriers.values()}

    @staticmethod
    def _read_placements() -> dict[UUID, list[Dated]]:
        placed: dict[UUID, list[Dated]] = defaultdict(list)
        rows = Placement.objects.order_by("valid_from")
        for party, start, end, seller, brand in rows.values_list("party", "valid_from", "valid_to", "seller", "brand"):
            placed[party].append((start, end, seller, brand))
        return placed

    @staticmethod
    def _read_purses() -> dict[tuple[UUID, UUID, str], Purse]:
        rows = Wallet.objects.values_list(
            "account_id", "seller_id", "account__currency", "billing", "seller_wallet_id", "account__owner_id"
        )
        return {
            (owner, seller, currency): Purse(account, seller, currency, billing == Billing.PREPAID, seller_wallet)
            for account, seller, currency, billing, seller_wallet, owner in rows
        }

    def chain(self, customer: UUID, moment: datetime) -> list[Link]:
        """Every sale of a call of this customer at this moment, from the customer up to the operator.

        Empty, or cut short below the operator, where somebody was not placed then.
        """
        chain = self._chains.get(customer)
        if chain is None or not chain.covers(moment):
            chain = self._chains[customer] = self._follow(customer, moment)
        return chain.links

    def _follow(self, customer: UUID, moment: datetime) -> Chain:
        links: list[Link] = []
        buyer, since, until = customer, BEGINNING, None
        while len(links) <= len(self.people):
            placed = _in_force(self._placements.get(buyer, ()), moment)
            if placed is None:
                break
            start, end, seller, brand = placed
            since = max(since, start)
            until = min(filter(None, (until, end)), default=None)
            links.append(self._links.setdefault((seller, buyer, brand), Link(seller, buyer, brand)))
            buyer = seller
        complete = bool(links) and self.people[buyer].kind == Kind.OPERATOR
        return Chain(links, since if complete else moment, until if complete else moment)

    def turns(self, customer: UUID) -> list[datetime]:
        """All moments, in order, at which the customer's chain or choice of carrier may change."""
        choices = self._choices.get(customer, ())
        moments = {end for _, end, _ in choices} | {start for start, _, _ in choices}
        waiting, seen = [customer], set[UUID]()
        while waiting:
            buyer = waiting.pop()
            seen.add(buyer)
            for start, end, seller, _brand in self._placements.get(buyer, ()):
                moments |= {start, end}
                waiting += [] if seller in seen else [seller]
        return sorted(moment for moment in moments if moment is not None)

    def purse(self, buyer: UUID, seller: UUID, currency: str) -> Purse | None:
        """The buyer's wallet with this seller: a party that moved has one with each."""
        return self._purses.get((buyer, seller, currency))

    def choice(self, customer: UUID, links: Iterable[Link], moment: datetime) -> UUID | None:
        """The carrier chosen by the customer at this moment, else the nearest seller's brand's default."""
        for start, end, carrier in self._choices.get(customer, ()):
            if start <= moment and (end is None or moment < end):
                return carrier
        for link in links:
            default = self.default_carriers.get(link.brand)
            if default is not None:
                return default
        return None


def _in_force(dated: Iterable[Dated], moment: datetime) -> Dated | None:
    for one in dated:
        if one[0] <= moment and (one[1] is None or moment < one[1]):
            return one
    return None
