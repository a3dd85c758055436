"""The world of `./bench live`: an operator, 200 dealers, customers of theirs, and calls that all may be made.

Three tiers: the operator sells to dealers, dealers sell to customers, a carrier carries. Each list follows from the one
above it. Everybody has credit, so that no call is refused.
"""

from __future__ import annotations

import random
from typing import Any

from django.db import connection

from accounts.models import AccountKind
from accounts.services.accounts import book
from billing.bench.world import ACTOR, ALWAYS, deck
from billing.setup import load
from rating.live.switches import create_switch_key
from rating.models import Rate, RateTable, Source
from tiers.models import Kind, Party

DEALERS = 200
CUSTOMERS = 4
"""Of each dealer."""
PREFIXES = 2_000
SEED = 5
NUMBER_DIGITS = 12


def stage() -> str:
    """Put the world into the empty database; the key of its switch."""
    if not Party.objects.filter(code="northstar").exists():
        load(_world(), actor=ACTOR)
    table = RateTable.objects.get(code="atlas")
    Rate.objects.bulk_create(
        (Rate(table=table, destination="Somewhere", effective_from=ALWAYS, **one._asdict()) for one in rates()),
        batch_size=5_000,
    )
    RateTable.objects.filter(pk=table.pk).update(version=table.version + 1)
    _open_books()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_wallet SET credit_limit = 100000000")
        cursor.execute("ANALYZE")
    return create_switch_key(Source.objects.get(code="switch"), "bench", [], actor=ACTOR)[1]


def _open_books() -> None:
    """Opened at the first call of each else."""
    for seller in Party.objects.exclude(kind=Kind.CUSTOMER):
        book(seller, AccountKind.REVENUE, "USD")
    operator = Party.objects.get(code="northstar")
    book(operator, AccountKind.COST, "USD")
    book(operator, AccountKind.CARRIER, "USD", "atlas")


def rates() -> list[Any]:
    return deck()[:PREFIXES]


def asks(count: int, dealer: int | None = None) -> list[dict[str, str]]:
    """Calls to ask for, without their ids: of any dealer's customers, or of this one's alone."""
    chance = random.Random(SEED)
    prefixes = [one.prefix for one in rates()]
    made = []
    for _ in range(count):
        of = chance.randrange(DEALERS) if dealer is None else dealer
        number = chance.choice(prefixes) + f"{chance.randrange(10**12):012d}"
        made.append(
            {
                "account": _customer(of, chance.randrange(CUSTOMERS)),
                "caller": "+85223456789",
                "to": f"+{number[:NUMBER_DIGITS]}",
                "switch": "front",
                "src_ip": "198.51.100.7",
                "src_port": "5062",
                "user_agent": "Yealink SIP-T54W 96.86.0.100",
            }
        )
    return made


def _customer(dealer: int, number: int) -> str:
    return f"d{dealer}-c{number}"


def _world() -> dict[str, Any]:
    dealers = [f"d{number}" for number in range(DEALERS)]
    parties = [_party(code, "dealer", "northstar") | {"brands": [_brand(code)]} for code in dealers]
    for at, code in enumerate(dealers):
        parties += [_party(_customer(at, number), "customer", code) for number in range(CUSTOMERS)]
    operator = _brand("northstar", default_carrier="atlas")
    return {
        "operator": {"code": "northstar", "name": "Northstar", "brands": [operator]},
        "parties": parties,
        "rate_tables": [{"code": "atlas", "currency": "USD", "rates": []}],
        "carriers": [{"code": "atlas", "name": "Atlas", "cost_table": "atlas"}],
        "sources": [{"code": "switch", "name": "Switch", "dial_plan": {"home_country": "HK"}, "carrier": "atlas"}],
        "price_lists": [
            _list("northstar", {"base_table": "atlas"}),
            *(_list(code, {"base_list": "northstar-all"}) for code in dealers),
        ],
    }


def _brand(code: str, **prices: str) -> dict[str, Any]:
    paper = {"series": code[:8].upper()}
    return {"code": code, "name": code.title(), "currency": "USD", "prices": prices, "paper": paper}


def _party(code: str, kind: str, seller: str) -> dict[str, Any]:
    wallet = {"billing": "postpaid", "credit_limit": "1000000"}
    return {"code": code, "name": code.title(), "kind": kind, "seller": seller, "brand": seller, "wallet": wallet}


def _list(seller: str, base: dict[str, str]) -> dict[str, Any]:
    terms = {"markup": "0.15", "addon": "0.001"}
    return {"code": f"{seller}-all", "brand": seller, "terms": [terms], "follows": "automatic", **base}
