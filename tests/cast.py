"""The cast of all tests: the story's sellers, six customers, a dozen prefixes with round prices.

    northstar (operator, USD)        erin: prepaid, direct
      harbour (EUR, wholesale)       alice: prepaid
        pier (EUR, tax included)     bob: prepaid
      summit (HKD)                   carol: prepaid, funded by distribution
      meadow (GBP, postpaid in USD)  dave: postpaid, credit limit 500
      outsider (USD)                 mallory: prepaid; a stranger to all the others

Everybody's login is `<code>@cast.example` with PASSWORD; harbour also has finance, support and reader. Nobody has
money until a test gives it (`cast.fund`). The fixture `cast` (conftest) loads it through the set-up service once and
copies the rows for every further test.
"""

from __future__ import annotations

import io
from copy import deepcopy
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count
from typing import Any

from django.apps import apps
from django.db import connection, transaction
from django.test import Client

from accounts.models import Transfer, Wallet
from accounts.services.accounts import wallet_of
from accounts.services.funds import Move, allocate
from billing.demo.sellers import CARRIERS, DEALERS, DOMESTIC, EXCHANGE_RATES, OPERATOR, price_lists
from billing.setup import load
from rating.models import Carrier, PriceList, RateTable, Source
from tiers.models import Brand, Member, Party
from tiers.viewer import Actor, Viewer

PASSWORD = "correct horse battery"
ACTOR = Actor("test")

ATLAS = {
    "1": ("United States", "0.0050"),
    "1868": ("Trinidad and Tobago", "0.1200"),
    "33": ("France", "0.0090"),
    "336": ("France mobile", "0.0400"),
    "44": ("United Kingdom", "0.0100"),
    "447": ("United Kingdom mobile", "0.0300"),
    "49": ("Germany", "0.0080"),
    "4915": ("Germany mobile", "0.0350"),
    "61": ("Australia", "0.0200"),
    "852": ("Hong Kong", "0.0150"),
    "86": ("China", "0.0160"),
    "91": ("India", "0.0180"),
}
"""Prefix: destination, cost a minute in USD, by the second. Boreal: a quarter dearer, in steps of six seconds."""

HOME = {"1": "0.0060", "1800": "0", "49": "0.0080", "49800": "0"}
"""The operator's table for calls at home (the switch's is the US, the PBX's Germany), a minute in USD."""

OWN_RATES = {"harbour-domestic": [{"prefix": "4940", "destination": "Hamburg", "price": "0.02"}]}

CUSTOMERS: list[dict[str, Any]] = [
    {"code": "alice", "name": "Alice's Hotel", "seller": "harbour", "brand": "harbour"},
    {"code": "bob", "name": "Bob's Office", "seller": "pier", "brand": "pier"},
    {"code": "carol", "name": "Carol Trading", "seller": "summit", "brand": "summit",
     "wallet": {"funding": "distribution"}, "language": "zh-hant"},
    {"code": "dave", "name": "Dave Hosting", "seller": "meadow", "brand": "meadow",
     "wallet": {"billing": "postpaid", "credit_limit": 500}},
    {"code": "erin", "name": "Erin Campus", "seller": "northstar", "brand": "northstar"},
    {"code": "mallory", "name": "Mallory Mining", "seller": "outsider", "brand": "quarry"},
]  # fmt: skip

SOURCES = [
    {"code": "switch", "name": "Northstar switch", "dial_plan": {"home_country": "US", "plain_e164": True}},
    {"code": "pbx", "name": "Harbour PBX", "owner": "harbour", "format": "asterisk", "time_zone": "Europe/Berlin",
     "dial_plan": {"home_country": "DE", "area_code": "40"}, "carrier": "atlas"},
]  # fmt: skip


def data() -> dict[str, Any]:
    """The cast as a set-up file."""
    parties = [_with_login(party) for party in (*DEALERS, *CUSTOMERS)]
    for party in parties:
        party.setdefault("kind", "customer")
        if party["kind"] == "customer":
            party["email"] = f"bills@{party['code']}.example"
            party["identities"] = [{"kind": "account", "value": f"ACC-{party['code']}"}]
    for role in ("finance", "support", "reader"):
        parties[0]["members"].append(_login(f"{role}.harbour", role))
    return {
        "operator": _with_login(OPERATOR),
        "parties": parties,
        "exchange_rates": EXCHANGE_RATES,
        "rate_tables": [_table("atlas", Decimal(1), 1), _table("boreal", Decimal("1.25"), 6), _home_table()],
        "carriers": CARRIERS,
        "sources": SOURCES,
        "price_lists": price_lists(OWN_RATES),
    }


def _with_login(party: dict[str, Any]) -> dict[str, Any]:
    return deepcopy(party) | {"members": [_login(party["code"], "owner")]}


def _login(name: str, role: str) -> dict[str, Any]:
    return {"email": f"{name}@cast.example", "name": name.title(), "role": role, "password": PASSWORD}


def _table(code: str, share: Decimal, step_s: int) -> dict[str, Any]:
    rates = [
        {"prefix": prefix, "destination": name, "price": str(Decimal(price) * share), "step_s": step_s}
        for prefix, (name, price) in ATLAS.items()
    ]
    return {"code": code, "name": f"{code.capitalize()} A-Z", "currency": "USD", "rates": rates}


def _home_table() -> dict[str, Any]:
    rates = [{"prefix": prefix, "destination": "Home", "price": price} for prefix, price in HOME.items()]
    return {"code": DOMESTIC, "name": "Calls at home", "currency": "USD", "rates": rates}


@dataclass
class Cast:
    """Names lead to rows: `cast.alice`, `cast.harbour` are parties; the methods give what belongs to them."""

    numbers: count[int] = field(default_factory=count)

    def __getattr__(self, code: str) -> Party:
        if code.startswith("_"):
            raise AttributeError(code)
        return self.party(code)

    def party(self, code: str) -> Party:
        party: Party = Party.objects.get(code=code)
        return party

    def member(self, name: str) -> Member:
        """`alice`, or `finance.harbour`."""
        return Member.objects.select_related("party").get(email=f"{name}@cast.example")

    def viewer(self, name: str) -> Viewer:
        return Viewer.of_member(self.member(name))

    def client(self, name: str) -> Client:
        """A browser in which this member is logged in."""
        client = Client()
        client.force_login(self.member(name))
        return client

    def brand(self, code: str) -> Brand:
        return Brand.objects.get(code=code)

    def carrier(self, code: str) -> Carrier:
        return Carrier.objects.get(code=code)

    def source(self, code: str = "switch") -> Source:
        return Source.objects.get(code=code)

    def table(self, code: str) -> RateTable:
        return RateTable.objects.get(code=code)

    def price_list(self, code: str) -> PriceList:
        return PriceList.objects.get(code=code)

    def wallet(self, code: str) -> Wallet:
        return wallet_of(self.party(code))

    def fund(self, code: str, amount: str | int | Decimal) -> list[Transfer]:
        """The party's seller allocates it funds in the currency of its wallet. (Summit gives out of its own.)"""
        wallet = self.wallet(code)
        move = Move(Decimal(amount), wallet.account.currency, f"cast-{code}-{next(self.numbers)}", ACTOR)
        return allocate(wallet.seller, self.party(code), move)


# -- loading: once through the set-up service, then row by row ------------------------------------------------------
_kept: list[tuple[str, str]] = []


def load_cast() -> Cast:
    """Put the cast into an empty database, inside or outside a transaction."""
    if _kept:
        _restore()
    else:
        load(data(), actor=ACTOR)
        _keep()
    return Cast()


def _keep() -> None:
    """Remember every row as COPY writes it, tables in an order in which they can be filled."""
    with connection.cursor() as cursor:
        for model in apps.get_models():
            table = model._meta.db_table
            ours = model._meta.app_label in {"tiers", "accounts", "rating", "invoicing"}
            kept_by_triggers = table.endswith(("event", "pastrate", "pastrow", "tableversion"))
            if not ours or not model._meta.managed or kept_by_triggers:
                continue
            order = "ORDER BY seller_wallet_id NULLS FIRST" if model is Wallet else ""
            text = io.StringIO()
            cursor.copy_expert(f'COPY (SELECT * FROM "{table}" {order}) TO STDOUT', text)
            if text.getvalue():
                _kept.append((table, text.getvalue()))


def _restore() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        for table, text in _kept:
            cursor.copy_expert(f'COPY "{table}" FROM STDIN', io.StringIO(text))
