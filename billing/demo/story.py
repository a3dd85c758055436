"""The story told by the demo, as one set-up file: sellers, about forty customers, two carriers, what calls cost.

Nothing here touches the database; `loading` does, through the same services as everybody else.
"""

from __future__ import annotations

import base64
from copy import deepcopy
from datetime import date, datetime
from pathlib import Path
from typing import Any, NamedTuple

from billing.demo.customers import CUSTOMERS, Customer
from billing.demo.logos import logo
from billing.demo.sellers import CARRIERS, DEALERS, DOMESTIC, EXCHANGE_RATES, OPERATOR, Data, price_lists

PASSWORD = "tollgate-demo"


class Login(NamedTuple):
    """A login that the entrance page shows in the demo."""

    who: str
    email: str
    password: str
    portal: str


LOGINS = [
    Login("Northstar Telecom, operator", "operator@northstar.example", PASSWORD, "operator"),
    Login("Harbour Voice, dealer in EUR", "dealer@harbour.example", PASSWORD, "dealer"),
    Login("Pier, Harbour's sub-dealer", "dealer@pier.example", PASSWORD, "dealer"),
    Login("Summit Networks, dealer in HKD that funds its buyers", "dealer@summit.example", PASSWORD, "dealer"),
    Login("Meadow Hosting, dealer in GBP on account", "dealer@meadow.example", PASSWORD, "dealer"),
    Login("Hotel Alsterblick, prepaid customer of Harbour", "guest@alster-hotel.example", PASSWORD, "customer"),
    Login("Queensway Grand Hotel, customer of Summit", "guest@queensway-hotel.example", PASSWORD, "customer"),
    Login("Fen Hosting, postpaid customer of Meadow", "guest@fen-hosting.example", PASSWORD, "customer"),
    Login("Quarry Telecom, a stranger beside them all", "dealer@quarry.example", PASSWORD, "dealer"),
]
OWNER_OF = {
    "northstar": "operator@northstar.example",
    "outsider": "dealer@quarry.example",
    **{code: f"dealer@{code}.example" for code in ("harbour", "pier", "summit", "meadow")},
}
STAFF = [
    ("northstar", "finance@northstar.example", "Noor Haddad", "finance"),
    ("northstar", "support@northstar.example", "Ravi Menon", "support"),
    ("northstar", "reader@northstar.example", "Ida Falk", "reader"),
    ("harbour", "finance@harbour.example", "Jonas Petersen", "finance"),
    ("harbour", "support@harbour.example", "Lene Krause", "support"),
    ("summit", "finance@summit.example", "Winnie Chan", "finance"),
]
NAMES = {
    "northstar": "Maya Stern",
    "harbour": "Henrike Brandt",
    "pier": "Daan Visser",
    "summit": "Kelvin Ho",
    "meadow": "Eleanor Marsh",
    "outsider": "Bill Quarry",
}

SELLER_OF = {"harbour": "harbour", "pier": "pier", "summit": "summit", "meadow": "meadow", "northstar": "northstar",
             "quarry": "outsider"}  # fmt: skip
LANGUAGES = {"summit": "zh-hant"}

SOURCES: list[Data] = [
    {"code": "northstar-switch", "name": "Northstar switch, New York", "time_zone": "America/New_York",
     "dial_plan": {"home_country": "US", "plain_e164": True}},
    {"code": "harbour-sbc", "name": "Harbour border controller", "owner": "harbour", "time_zone": "Europe/Berlin",
     "dial_plan": {"home_country": "DE", "area_code": "40", "on_net": [["49405551000", "49405559999"]]}},
    {"code": "harbour-pbx", "name": "Hotel Alsterblick's Asterisk", "owner": "harbour", "format": "asterisk",
     "time_zone": "Europe/Berlin", "carrier": "atlas",
     "dial_plan": {"home_country": "DE", "area_code": "40", "on_net": [["49405551000", "49405559999"]]}},
    {"code": "pier-sbc", "name": "Pier border controller", "owner": "pier", "time_zone": "Europe/Amsterdam",
     "dial_plan": {"home_country": "NL", "area_code": "10"}},
    {"code": "summit-sbc", "name": "Summit border controller", "owner": "summit", "time_zone": "Asia/Hong_Kong",
     "dial_plan": {"home_country": "HK"}},
    {"code": "meadow-sbc", "name": "Meadow border controller", "owner": "meadow", "time_zone": "Europe/London",
     "dial_plan": {"home_country": "GB", "area_code": "1223"}},
]  # fmt: skip

AT_HOME = {
    "1": ("United States", "0.0090"),
    "1800": ("United States toll-free", "0"),
    "1888": ("United States toll-free", "0"),
    "31": ("Netherlands", "0.0100"),
    "316": ("Netherlands mobile", "0.0290"),
    "31800": ("Netherlands toll-free", "0"),
    "44": ("United Kingdom", "0.0110"),
    "447": ("United Kingdom mobile", "0.0420"),
    "44800": ("United Kingdom toll-free", "0"),
    "44808": ("United Kingdom toll-free", "0"),
    "49": ("Germany", "0.0100"),
    "4915": ("Germany mobile", "0.0280"),
    "4916": ("Germany mobile", "0.0280"),
    "4917": ("Germany mobile", "0.0280"),
    "49800": ("Germany toll-free", "0"),
    "4940555": ("Harbour on-net", "0"),
    "852": ("Hong Kong", "0.0140"),
    "8525": ("Hong Kong mobile", "0.0240"),
    "8526": ("Hong Kong mobile", "0.0240"),
    "8529": ("Hong Kong mobile", "0.0240"),
    "852800": ("Hong Kong toll-free", "0"),
}
"""A minute in USD, charged by the second; what leaves the country goes by a carrier's table instead."""
INCREMENTS = {"852": {"first_s": 60, "step_s": 6}}

WEEK = [{"days": "1-5", "from": "08:00", "to": "19:00", "price": "0.019"}]
OWN_RATES: dict[str, list[Data]] = {
    "harbour-domestic": [
        {"prefix": "4940", "destination": "Hamburg", "price": "0.015", "bands": WEEK},
        {"prefix": "4930", "destination": "Berlin", "price": "0.016"},
    ],
    "harbour-atlas": [
        {"prefix": "45", "destination": "Denmark", "price": "0.0190", "step_s": 60},
        {"prefix": "43", "destination": "Austria", "price": "0.0210", "connect_fee": "0.02"},
    ],
    "summit-boreal": [{"prefix": "86", "destination": "China", "price": "0.2900", "first_s": 30, "step_s": 6}],
    "summit-domestic": [{"prefix": "852", "destination": "Hong Kong", "price": "0.2400", "first_s": 60, "step_s": 6}],
    "meadow-atlas": [{"prefix": "353", "destination": "Ireland", "price": "0.0260"}],
    "pier-domestic": [{"prefix": "3110", "destination": "Rotterdam", "price": "0.0260"}],
}


def data(since: datetime) -> Data:
    """The set-up file. Its decks `atlas.csv` and `boreal.csv` lie beside it; customers buy from `since` on."""
    dealers = [_seller(dealer) for dealer in DEALERS]
    return {
        "operator": _seller(OPERATOR),
        "parties": [*dealers, *(_customer(customer, since) for customer in CUSTOMERS)],
        "exchange_rates": EXCHANGE_RATES,
        "rate_tables": [_deck("atlas"), _deck("boreal"), _at_home()],
        "carriers": CARRIERS,
        "sources": SOURCES,
        "price_lists": price_lists(OWN_RATES),
    }


def write_decks(folder: Path, effective: date) -> None:
    """The two carriers' decks as they mail them, in force by `effective` at the latest."""
    from billing.demo.deck import az_deck, write_csv

    for carrier in CARRIERS:
        write_csv(folder / f"{carrier['code']}.csv", az_deck(carrier["code"], effective=effective))


def _seller(party: Data) -> Data:
    code = party["code"]
    told = deepcopy(party)
    told["members"] = [_member(OWNER_OF[code], NAMES[code], "owner")]
    told["members"] += [_member(email, name, role) for owner, email, name, role in STAFF if owner == code]
    for brand in told["brands"]:
        brand["logo"] = base64.b64encode(logo(brand["name"], brand["accent"])).decode()
    return told


def _member(email: str, name: str, role: str) -> Data:
    return {"email": email, "name": name, "role": role, "password": PASSWORD}


def _customer(customer: Customer, since: datetime) -> Data:
    terms: Data = {"warn_below": max(5, customer.calls // 40)}
    if customer.postpaid:
        terms |= {"billing": "postpaid", "credit_limit": customer.credit}
    if customer.brand == "summit":
        terms["funding"] = "distribution"
    told: Data = {
        "code": customer.code,
        "name": customer.name,
        "kind": "customer",
        "seller": SELLER_OF[customer.brand],
        "brand": customer.brand,
        "since": since,
        "status": "blocked" if customer.blocked else "active",
        "email": f"bills@{customer.code}.example",
        "address": f"{customer.name}\n" + customer.address.replace(", ", "\n"),
        "language": LANGUAGES.get(customer.brand, "en"),
        "wallet": terms,
        "identities": [{"kind": "account", "value": customer.account}],
    }
    if customer.carrier:
        told |= {"carrier": customer.carrier, "carrier_from": since}
    email = f"guest@{customer.code}.example"
    if any(login.email == email for login in LOGINS):
        told["members"] = [_member(email, f"{customer.name} front desk", "owner")]
    return told


def _deck(carrier: str) -> Data:
    return {
        "code": carrier,
        "name": f"{carrier.capitalize()} A-Z",
        "currency": "USD",
        "deck": {"file": f"{carrier}.csv"},
    }


def _at_home() -> Data:
    rates: list[dict[str, Any]] = [
        {"prefix": prefix, "destination": name, "price": price, **INCREMENTS.get(prefix[:3], {})}
        for prefix, (name, price) in AT_HOME.items()
    ]
    return {"code": DOMESTIC, "name": "Calls at home", "currency": "USD", "rates": rates}
