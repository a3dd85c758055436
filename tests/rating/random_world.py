"""Random installations and calls: tiers, moves between sellers, choices of carriers, lists of every kind, all dated.

Everything changes at a handful of moments, and calls are answered around them, so that each change decides some calls.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

from django.utils import timezone

from accounts.models import Account, AccountKind, Billing, Wallet
from billing.setup import load
from rating.kernel import RateError
from rating.models import (
    Carrier,
    CarrierChoice,
    ExchangeRate,
    ListRule,
    ListTerms,
    PriceList,
    Publication,
    Rate,
    RateTable,
)
from rating.numbers import Number, ServiceClass
from rating.pricing import CallFacts
from tests.cast import ACTOR
from tests.rating.test_kernel_oracle import MODES, ZONES, Maker
from tiers.models import Party, Placement

ALWAYS = datetime(2000, 1, 1, tzinfo=UTC)
SPRING, AUTUMN = datetime(2026, 3, 27, tzinfo=UTC), datetime(2026, 10, 23, tzinfo=UTC)
MOMENTS = [start + timedelta(hours=hours) for start in (SPRING, AUTUMN) for hours in (0, 9, 24, 37, 49, 60, 72)]
CURRENCIES = ["USD", "EUR", "HKD"]
TAXES = ["0", "0", "21", "8.875", "19.6", "7.0001"]
HOLIDAYS = [date(2026, 3, 28), date(2026, 3, 29), date(2026, 10, 24), date(2026, 10, 26)]
CLASSES = [kind for kind in ServiceClass if kind is not ServiceClass.EMERGENCY]
MICROSECOND = timedelta(microseconds=1)
PREFIXES = 60
DECKS = ["deck-0", "deck-1", "deck-2"]


class World:
    """One installation, and calls of its customers."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.prefixes = sorted({self.digits(7) for _ in range(PREFIXES)})
        self.dealers = [f"dealer-{at}" for at in range(self.random.randint(1, 4))]
        self.sellers = ["northstar", *self.dealers]
        self.customers = [f"customer-{at}" for at in range(self.random.randint(2, 6))]
        self.currency = {code: self.random.choice(CURRENCIES) for code in self.sellers}
        load(self.file(), actor=ACTOR)
        self.people = {party.code: party for party in Party.objects.all()}
        self.tables, self.carriers = list(RateTable.objects.order_by("code")), list(Carrier.objects.order_by("code"))
        self.fill_tables()
        self.fill_lists()
        self.fill_exchange()
        self.move_some()
        self.choose_carriers()

    def one_in(self, n: int) -> bool:
        return self.random.randrange(n) == 0

    def digits(self, longest: int) -> str:
        """Few digits, so that prefixes nest; lengths as in decks."""
        return "".join(self.random.choice("0149") for _ in range(self.random.randint(1, longest)))

    def moments(self, count: int) -> list[datetime]:
        """So many moments, the first of them sometimes always."""
        found = sorted(self.random.sample(MOMENTS, count))
        return [ALWAYS, *found[1:]] if found and not self.one_in(8) else found

    # -- the file: people, brands, carriers, empty tables and lists --------------------------------------------------
    def file(self) -> dict[str, Any]:
        dealers = [self.dealer(at) for at in range(len(self.dealers))]
        return {
            "operator": self.party("northstar", {"name": "Northstar"}),
            "parties": dealers + [self.customer(code) for code in self.customers],
            "rate_tables": [self.table(code) for code in DECKS],
            "carriers": [
                {"code": f"carrier-{at}", "name": f"Carrier {at}", **({"cost_table": table} if table else {})}
                for at, table in enumerate(["deck-0", "deck-1", ""])
            ],
        }

    def party(self, code: str, more: dict[str, Any]) -> dict[str, Any]:
        prices: dict[str, Any] = {"tax_rate": self.random.choice(TAXES), "prices_include_tax": self.one_in(2)}
        if self.one_in(2):
            prices["default_carrier"] = f"carrier-{self.random.randrange(3)}"
        brand = {"code": code, "name": code.title(), "currency": self.currency[code], "prices": prices}
        brand |= {"paper": {"series": code[-1:].upper() + code[:2].upper()}}
        return {"code": code, "name": code.title(), "brands": [brand], **more}

    def dealer(self, at: int) -> dict[str, Any]:
        seller = self.random.choice(self.sellers[: at + 1])
        return self.party(self.dealers[at], {"kind": "dealer", **self.bought_from(seller)})

    def customer(self, code: str) -> dict[str, Any]:
        return {
            "code": code,
            "name": code.title(),
            "kind": "customer",
            **self.bought_from(self.random.choice(self.sellers)),
        }

    def bought_from(self, seller: str) -> dict[str, Any]:
        since = {} if self.one_in(2) else {"since": MOMENTS[0].isoformat()}
        wallet = {"billing": self.random.choice(["prepaid", "prepaid", "postpaid"])}
        return {"seller": seller, "brand": seller, "wallet": wallet, **since}

    def measured(self, currency: str) -> dict[str, Any]:
        return {
            "currency": currency,
            "decimals": self.random.choice([0, 2, 3, 4, 4, 5, 6]),
            "rounding": self.random.choice(sorted(MODES)),
            "time_zone": self.random.choice(ZONES),
            "band_rule": self.random.choice(["split", "split", "at_start"]),
            "holidays": [day.isoformat() for day in self.random.sample(HOLIDAYS, self.random.randrange(3))],
        }

    def table(self, code: str) -> dict[str, Any]:
        return {"code": code, "rates": [], **self.measured(self.random.choice(CURRENCIES))}

    # -- prices ------------------------------------------------------------------------------------------------------
    def fill_tables(self) -> None:
        for table in self.tables:
            self.fill_table(table, PREFIXES)

    def fill_table(self, table: RateTable, count: int) -> None:
        rows = {}
        drawn = [
            (self.random.choice(self.prefixes), self.random.choice([ALWAYS, ALWAYS, *MOMENTS])) for _ in range(count)
        ]
        if count == PREFIXES:
            drawn += [(digit, ALWAYS) for digit in "0149"]
        for prefix, since in drawn:
            later = [moment for moment in MOMENTS if moment > since]
            until = self.random.choice(later) if later and self.one_in(3) and len(prefix) > 1 else None
            rows[prefix, since] = Rate(
                table=table,
                prefix=prefix,
                destination=f"Place {prefix[:2]}",
                effective_from=since,
                effective_to=until,
                blocked=self.one_in(25),
                **self.terms_of(table),
            )
        Rate.objects.bulk_create(rows.values())
        RateTable.objects.filter(pk=table.pk).update(version=table.version + 1)

    def terms_of(self, table: RateTable) -> dict[str, Any]:
        """A rate with anything in it, whose bands suit the table's holidays; prices as the database stores them."""
        maker = Maker(self.random.getrandbits(64), self.random.choice([300, 20_000]))
        holidays = frozenset(date.fromisoformat(day) for day in table.holidays)
        rate = maker.rate()
        try:
            rate = replace(rate, holidays=holidays)
        except RateError:
            rate = replace(rate, bands=())
        if self.one_in(2):
            rate = replace(rate, bands=(), steps=())
        wire: dict[str, Any] = rate.to_json()
        plain = ("price", "connect_fee", "first_s", "step_s", "grace_s", "free_s", "min_charge")
        terms = {name: getattr(rate, name) for name in plain}
        return {**terms, "steps": wire.get("steps"), "bands": wire.get("bands")}

    def fill_lists(self) -> None:
        for seller in self.sellers:
            for at, place in enumerate(self.places()):
                self.price_list(seller, f"{seller}-{at}", place)

    def places(self) -> list[dict[str, Any]]:
        """The brand's lists for any carrier and by carrier, and some for one buyer; now and then one is missing."""
        buyers = [self.people[code] for code in (*self.customers, *self.dealers)]
        places: list[dict[str, Any]] = [{}] if not self.one_in(25) else []
        places += [{"carrier": carrier} for carrier in self.carriers if self.one_in(3)]
        places += [{"buyer": buyer} for buyer in buyers if self.one_in(8)]
        return places + [{"buyer": buyer, "carrier": self.carriers[0]} for buyer in buyers if self.one_in(12)]

    def price_list(self, seller: str, code: str, place: dict[str, Any]) -> None:
        """Its currency is the brand's, but for some that nobody has a wallet for."""
        currency = self.currency[seller] if not self.one_in(30) else self.random.choice(CURRENCIES)
        sold_above = self.sellers[: self.sellers.index(seller)]
        above = PriceList.objects.filter(seller__code__in=sold_above).order_by("code")
        base: dict[str, Any] = {"base_table": self.random.choice(self.tables)} if not self.one_in(20) else {}
        if above and self.one_in(2):
            base = {"base_list": self.random.choice(above)}
        owner = self.people[seller]
        made = {"seller": owner, "brand": owner.brands.get(), "code": code, "name": code}
        price_list = PriceList.objects.create(**made, **self.measured(currency), **base, **place)
        for valid_from in self.moments(self.random.choice([1, 1, 2, 3])):
            ListTerms.objects.create(price_list=price_list, **self.list_terms(valid_from))
        if self.one_in(2):
            self.own_rates(price_list)
        for _ in range(self.random.choice([0, 0, 1, 4])):
            self.rule(price_list)
        if self.one_in(4):
            for valid_from in self.moments(2):
                known_at = None if self.one_in(3) else timezone.now()
                Publication.objects.create(price_list=price_list, valid_from=valid_from, known_at=known_at)

    def list_terms(self, valid_from: datetime) -> dict[str, Any]:
        increments = {"first_s": self.random.choice([None, 30]), "step_s": 6} if self.one_in(4) else {}
        fee = {"connect_fee": Decimal("0.05")} if self.one_in(6) else {}
        markup = Decimal(self.random.randrange(-20, 90)).scaleb(-2)
        addon = Decimal(self.random.randrange(3)).scaleb(-3)
        return {"valid_from": valid_from, "markup": markup, "addon": addon, **increments, **fee}

    def own_rates(self, price_list: PriceList) -> None:
        measure = {name: getattr(price_list, name) for name in ("currency", "decimals", "rounding", "time_zone")}
        table = RateTable.objects.create(
            owner=price_list.seller, code=f"own-{price_list.code}", name="Own", holidays=price_list.holidays, **measure
        )
        price_list.own_table = table
        price_list.save(update_fields=["own_table"])
        self.fill_table(table, 6)

    def rule(self, price_list: PriceList) -> None:
        target = (
            {"service_class": self.random.choice(CLASSES)}
            if self.one_in(2)
            else {"prefix": self.random.choice(self.prefixes)}
        )
        terms = {"off": True} if self.one_in(6) else {"markup": Decimal(self.random.randrange(200)).scaleb(-2)}
        since = self.random.choice([ALWAYS, *MOMENTS])
        kept = ListRule.objects.filter(price_list=price_list, valid_from=since, **target).exists()
        if not kept:
            ListRule.objects.create(price_list=price_list, valid_from=since, **target, **terms)

    def fill_exchange(self) -> None:
        for base, quote in (("USD", "EUR"), ("HKD", "USD")):
            starts = [ALWAYS if not self.one_in(12) else MOMENTS[2], *self.random.sample(MOMENTS[3:], 4)]
            ExchangeRate.objects.bulk_create(
                ExchangeRate(
                    base=base,
                    quote=quote,
                    valid_from=since,
                    rate=Decimal(self.random.randrange(1, 3 * 10**8)).scaleb(-8),
                )
                for since in starts
            )

    # -- who buys from whom, and by which carrier --------------------------------------------------------------------
    def move_some(self) -> None:
        """Customers go to another seller, or come back; some without a wallet there."""
        for code in self.customers:
            for moment in sorted(self.random.sample(MOMENTS[1:], self.random.choice([0, 0, 1, 2]))):
                self.move(self.people[code], self.people[self.random.choice(self.sellers)], moment)

    def move(self, party: Party, seller: Party, moment: datetime) -> None:
        old = Placement.objects.get(party=party, valid_to=None)
        old.valid_to = moment
        old.save()
        if self.one_in(8):
            moment += timedelta(hours=1)
        Placement.objects.create(party=party, seller=seller, brand=seller.brands.get(), valid_from=moment)
        if not self.one_in(8):
            self.open_wallet(party, seller, self.currency[seller.code])

    def open_wallet(self, buyer: Party, seller: Party, currency: str) -> None:
        """Beside the one with the former seller."""
        if not Wallet.objects.filter(account__owner=buyer, account__currency=currency, seller=seller).exists():
            account = Account.objects.create(owner=buyer, kind=AccountKind.WALLET, currency=currency, label=seller.code)
            Wallet.objects.create(account=account, seller=seller, billing=self.random.choice(Billing.values))

    def choose_carriers(self) -> None:
        for code in self.customers:
            moments = sorted(self.random.sample(MOMENTS, self.random.choice([0, 1, 3])))
            for at, since in enumerate(moments):
                until = moments[at + 1] if at + 1 < len(moments) else None
                CarrierChoice.objects.create(
                    party=self.people[code],
                    carrier=self.random.choice(self.carriers),
                    valid_from=since,
                    valid_to=until,
                    actor="test",
                )

    # -- calls -------------------------------------------------------------------------------------------------------
    def calls(self, count: int) -> list[CallFacts]:
        trunks = [None, *(carrier.pk for carrier in self.carriers), self.people["northstar"].pk]
        return [self.call(trunks) for _ in range(count)]

    def call(self, trunks: list[UUID | None]) -> CallFacts:
        number = self.random.choice(self.prefixes) + self.digits(5)
        if self.one_in(100):
            number = self.random.choice(["9" * 19, "4" * 18, "7"])
        customer = self.random.choice([*self.customers, *self.customers, "northstar"])
        return CallFacts(
            customer=self.people[customer].pk,
            number=Number(number, self.random.choice(CLASSES), is_e164=not self.one_in(50)),
            abroad=self.one_in(2),
            answered_at=self.answered_at(),
            duration_s=self.duration_s(),
            trunk=self.random.choice(trunks),
        )

    def answered_at(self) -> datetime:
        near = self.random.choice(
            [timedelta(0), -MICROSECOND, MICROSECOND, -timedelta(seconds=self.random.randrange(7200))]
        )
        return self.random.choice(MOMENTS) + near + timedelta(days=self.random.choice([0, 0, 0, 1, -30]))

    def duration_s(self) -> int:
        if self.one_in(200):
            return self.random.choice([10**12 + 1, 4 * 10**6])
        return self.random.choice([1, 6, 59, 60, 61, self.random.randrange(1, 300), self.random.randrange(1, 20_000)])
