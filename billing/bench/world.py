"""What the benchmarks price: an operator, a dealer, its sub-dealer and 200 customers, 50,000 real prefixes, any number
of calls. Deterministic, so that two runs measure the same work.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from phonenumbers.carrierdata import CARRIER_DATA
from phonenumbers.geodata import GEOCODE_DATA

from billing.setup import load
from rating.models import Rate, RateTable
from rating.numbers.countries import calling_code, country, regions
from tiers.models import Party
from tiers.viewer import Actor

ACTOR = Actor("benchmark")
SEED = 7
PREFIXES = 50_000
CUSTOMERS = 200
NUMBER_DIGITS = 12
FIRST_CALL = datetime(2026, 1, 1, tzinfo=UTC)
SPAN_S = 28 * 24 * 3600
ALWAYS = datetime(2000, 1, 1, tzinfo=UTC)
INCREMENTS: tuple[tuple[int | None, int], ...] = ((None, 1), (60, 1), (30, 6), (60, 60))


class DeckRate(NamedTuple):
    """One line of the carrier's deck; prices in USD, per minute."""

    prefix: str
    price: Decimal
    connect_fee: Decimal
    first_s: int | None
    step_s: int


class Markup(NamedTuple):
    """How a seller's list follows from what the seller buys by."""

    seller: str
    markup: Decimal
    addon: Decimal
    exchange_rate: Decimal


class Call(NamedTuple):
    """One answered call; `number` as it was dialled, with `+` or `00`."""

    id: str
    customer: str
    number: str
    started_at: datetime
    answered_at: datetime
    duration_s: int


TIERS = (
    Markup("northstar", Decimal("0.10"), Decimal(0), Decimal(1)),
    Markup("harbour", Decimal("0.15"), Decimal("0.001"), Decimal(1)),
    Markup("pier", Decimal("0.25"), Decimal(0), Decimal("0.90")),
)
"""From the operator down. Pier sells in EUR, the others in USD."""


def deck() -> list[DeckRate]:
    """Real prefixes of all lengths with invented prices."""
    chance = random.Random(SEED)
    real = sorted(filter(_unambiguous, {*GEOCODE_DATA, *CARRIER_DATA}))
    return [_rate(prefix, chance) for prefix in sorted(chance.sample(real, PREFIXES))]


def _rate(prefix: str, chance: random.Random) -> DeckRate:
    first_s, step_s = chance.choice(INCREMENTS)
    fee = Decimal("0.01") if chance.random() < 0.05 else Decimal(0)
    return DeckRate(prefix, Decimal(chance.randrange(20, 9000)).scaleb(-4), fee, first_s, step_s)


def _unambiguous(prefix: str) -> bool:
    """Numbers that no reading shortens: none that could carry the zero of national dialling."""
    code = calling_code(prefix)
    if code is None or not regions(code) or len(prefix) >= NUMBER_DIGITS:
        return False
    trunk, national = country(regions(code)[0]).trunk_prefix, prefix[len(code) :]
    return bool(national) and not (trunk and national.startswith(trunk))


def calls(count: int, rates: list[DeckRate]) -> Iterator[Call]:
    """Answered calls in order of time, spread evenly over customers and prefixes: nothing to gain from habits."""
    chance = random.Random(SEED + 1)
    for index in range(count):
        prefix = chance.choice(rates).prefix
        digits = prefix + f"{chance.randrange(10**12):012d}"[: NUMBER_DIGITS - len(prefix)]
        started_at = FIRST_CALL + timedelta(seconds=SPAN_S * index // count)
        yield Call(
            f"call-{index:08d}",
            f"customer-{chance.randrange(CUSTOMERS)}",
            ("+" if chance.random() < 0.5 else "00") + digits,
            started_at,
            started_at + timedelta(seconds=chance.randrange(1, 20)),
            min(1 + int(chance.expovariate(1 / 150)), 7200),
        )


def stage() -> list[DeckRate]:
    """Put the world into the database, once; the deck."""
    rates = deck()
    if Party.objects.filter(code="pier").exists():
        return rates
    load(_without_rates(), actor=ACTOR)
    table = RateTable.objects.get(code="atlas")
    Rate.objects.bulk_create(
        (Rate(table=table, destination="Somewhere", effective_from=ALWAYS, **rate._asdict()) for rate in rates),
        batch_size=5_000,
    )
    RateTable.objects.filter(pk=table.pk).update(version=table.version + 1)
    return rates


def _without_rates() -> dict[str, Any]:
    return {
        "operator": {"code": "northstar", "name": "Northstar", "brands": [_brand("northstar", "USD")]},
        "parties": [
            _party("harbour", "dealer", "northstar") | {"brands": [_brand("harbour", "USD")]},
            _party("pier", "dealer", "harbour")
            | {"brands": [_brand("pier", "EUR", prices_include_tax=True, tax_rate=21)]},
            *(_party(f"customer-{number}", "customer", "pier") for number in range(CUSTOMERS)),
        ],
        "exchange_rates": [{"base": "USD", "quote": "EUR", "rate": "0.90"}],
        "rate_tables": [{"code": "atlas", "currency": "USD", "rates": []}],
        "carriers": [{"code": "atlas", "name": "Atlas", "cost_table": "atlas"}],
        "sources": [{"code": "switch", "name": "Switch", "dial_plan": {"home_country": "HK"}}],
        "price_lists": [_list(at, tier) for at, tier in enumerate(TIERS)],
    }


def _brand(code: str, currency: str, **prices: Any) -> dict[str, Any]:
    paper = {"series": code[:3].upper()}
    return {"code": code, "name": code.title(), "currency": currency, "prices": prices, "paper": paper}


def _party(code: str, kind: str, seller: str) -> dict[str, Any]:
    return {"code": code, "name": code.title(), "kind": kind, "seller": seller, "brand": seller}


def _list(at: int, tier: Markup) -> dict[str, Any]:
    base = {"base_list": f"{TIERS[at - 1].seller}-all"} if at else {"base_table": "atlas"}
    terms = {"markup": str(tier.markup), "addon": str(tier.addon)}
    return {"code": f"{tier.seller}-all", "brand": tier.seller, "terms": [terms], "follows": "automatic", **base}
