"""The sellers of the story: the operator, its dealers, their brands and terms. Demo and tests share them.

Northstar sells to three dealers in three currencies. Harbour has a sub-dealer, Pier; Summit funds its buyers out of
its own wallet; Meadow sells to hosting companies on account. Quarry stands beside them and is a stranger to all.
"""

from __future__ import annotations

from typing import Any

Data = dict[str, Any]

EXCHANGE_RATES: list[Data] = [
    {"base": "USD", "quote": "EUR", "rate": "0.90"},
    {"base": "USD", "quote": "GBP", "rate": "0.80"},
    {"base": "USD", "quote": "HKD", "rate": "7.80"},
]

OPERATOR: Data = {
    "code": "northstar",
    "name": "Northstar Telecom",
    "email": "accounts@northstar.example",
    "address": "Northstar Telecom Inc.\n80 Pine Street\nNew York, NY 10005\nUnited States",
    "phone": "+1 212 555 0140",
    "brands": [
        {
            "code": "northstar",
            "name": "Northstar Telecom",
            "currency": "USD",
            "time_zone": "America/New_York",
            "accent": "#1f5fbf",
            "sender": "billing@northstar.example",
            "website": "northstar.example",
            "address": "Northstar Telecom Inc.\n80 Pine Street\nNew York, NY 10005\nUnited States",
            "prices": {"tax_name": "Tax", "tax_rate": 0, "default_carrier": "atlas"},
            "paper": {
                "series": "NS",
                "due_days": 14,
                "paper": "Letter",
                "bank_name": "First Harbor Bank, New York",
                "bank_account": "4400012345678",
                "bank_code": "FHBKUS33",
                "copy_to": "copies@northstar.example",
                "footer": "Northstar Telecom Inc., New York. Questions: billing@northstar.example",
            },
        },
        {
            "code": "northstar-eu",
            "name": "Northstar Europe",
            "currency": "EUR",
            "time_zone": "Europe/Dublin",
            "accent": "#1f5fbf",
            "sender": "billing@eu.northstar.example",
            "prices": {"tax_name": "VAT", "tax_rate": 0, "default_carrier": "atlas"},
            "paper": {"series": "NSE", "bank_name": "Bank of Liffey", "bank_account": "IE64LIFF93115212345678"},
        },
        {
            "code": "northstar-asia",
            "name": "Northstar Asia",
            "currency": "HKD",
            "time_zone": "Asia/Hong_Kong",
            "accent": "#1f5fbf",
            "sender": "billing@asia.northstar.example",
            "prices": {"tax_name": "Tax", "tax_rate": 0, "default_carrier": "atlas"},
            "paper": {"series": "NSA", "bank_name": "Victoria Peak Bank", "bank_account": "012-345-678901-001"},
        },
    ],
}

HARBOUR: Data = {
    "code": "harbour",
    "name": "Harbour Voice",
    "kind": "dealer",
    "seller": "northstar",
    "brand": "northstar-eu",
    "email": "accounts@harbour.example",
    "address": "Harbour Voice GmbH\nAm Sandtorkai 30\n20457 Hamburg\nGermany",
    "phone": "+49 40 5550 0100",
    "tax_id": "DE811223344",
    "wallet": {"warn_below": 250},
    "brands": [
        {
            "code": "harbour",
            "name": "Harbour Voice",
            "currency": "EUR",
            "time_zone": "Europe/Berlin",
            "accent": "#0f766e",
            "sender": "rechnung@harbour.example",
            "website": "harbour.example",
            "address": "Harbour Voice GmbH\nAm Sandtorkai 30\n20457 Hamburg\nGermany",
            "tax_id": "DE811223344",
            "prices": {"tax_name": "VAT", "tax_rate": 19, "default_carrier": "atlas"},
            "paper": {
                "series": "HV",
                "due_days": 14,
                "bank_name": "Hanseatische Volksbank",
                "bank_account": "DE89370400440532013000",
                "bank_code": "COBADEFFXXX",
                "copy_to": "copies@harbour.example",
                "footer": "Harbour Voice GmbH, Hamburg. HRB 123456.",
            },
        }
    ],
}

PIER: Data = {
    "code": "pier",
    "name": "Pier Communications",
    "kind": "dealer",
    "seller": "harbour",
    "brand": "harbour",
    "email": "office@pier.example",
    "address": "Pier Communications B.V.\nWesterkade 12\n3016 CL Rotterdam\nNetherlands",
    "phone": "+31 10 555 0110",
    "wallet": {"warn_below": 50},
    "brands": [
        {
            "code": "pier",
            "name": "Pier",
            "currency": "EUR",
            "time_zone": "Europe/Amsterdam",
            "accent": "#9a3412",
            "sender": "factuur@pier.example",
            "address": "Pier Communications B.V.\nWesterkade 12\n3016 CL Rotterdam\nNetherlands",
            "prices": {
                "prices_include_tax": True,
                "tax_name": "BTW",
                "tax_rate": 21,
                "default_carrier": "atlas",
            },
            "paper": {"series": "PC", "bank_name": "Maasbank", "bank_account": "NL91ABNA0417164300"},
        }
    ],
}

SUMMIT: Data = {
    "code": "summit",
    "name": "Summit Networks",
    "kind": "dealer",
    "seller": "northstar",
    "brand": "northstar-asia",
    "email": "accounts@summit.example",
    "address": "Summit Networks Limited\n18/F, 88 Queensway\nAdmiralty, Hong Kong",
    "phone": "+852 5550 0120",
    "language": "zh-hant",
    "wallet": {"warn_below": 2000},
    "brands": [
        {
            "code": "summit",
            "name": "Summit Networks",
            "currency": "HKD",
            "time_zone": "Asia/Hong_Kong",
            "language": "zh-hant",
            "accent": "#7c3aed",
            "sender": "billing@summit.example",
            "address": "Summit Networks Limited\n18/F, 88 Queensway\nAdmiralty, Hong Kong",
            "prices": {"tax_name": "Tax", "tax_rate": 0, "default_carrier": "boreal"},
            "paper": {
                "series": "SN",
                "bank_name": "Victoria Peak Bank",
                "bank_account": "012-888-765432-001",
                "calls_group": "number",
            },
        }
    ],
}

MEADOW: Data = {
    "code": "meadow",
    "name": "Meadow Hosting",
    "kind": "dealer",
    "seller": "northstar",
    "brand": "northstar",
    "email": "finance@meadow.example",
    "address": "Meadow Hosting Ltd\n5 Orchard Way\nCambridge CB1 2AB\nUnited Kingdom",
    "phone": "+44 1223 555 0130",
    "tax_id": "GB123456789",
    "wallet": {"billing": "postpaid", "credit_limit": 20000, "warn_below": 1000},
    "brands": [
        {
            "code": "meadow",
            "name": "Meadow Hosting",
            "currency": "GBP",
            "time_zone": "Europe/London",
            "accent": "#3f6212",
            "sender": "billing@meadow.example",
            "address": "Meadow Hosting Ltd\n5 Orchard Way\nCambridge CB1 2AB\nUnited Kingdom",
            "tax_id": "GB123456789",
            "prices": {"tax_name": "VAT", "tax_rate": 20, "default_carrier": "atlas"},
            "paper": {
                "series": "MH",
                "due_days": 30,
                "bank_name": "Fenland Bank",
                "bank_account": "GB29NWBK60161331926819",
                "bank_code": "60-16-13",
                "attach_docx": True,
            },
        }
    ],
}

OUTSIDER: Data = {
    "code": "outsider",
    "name": "Quarry Telecom",
    "kind": "dealer",
    "seller": "northstar",
    "brand": "northstar",
    "email": "office@quarry.example",
    "address": "Quarry Telecom LLC\n400 Granite Road\nDenver, CO 80202\nUnited States",
    "brands": [
        {
            "code": "quarry",
            "name": "Quarry",
            "currency": "USD",
            "time_zone": "America/Denver",
            "accent": "#475569",
            "sender": "billing@quarry.example",
            "prices": {"tax_name": "Tax", "tax_rate": 0, "default_carrier": "atlas"},
            "paper": {"series": "QT"},
        }
    ],
}

DEALERS: list[Data] = [HARBOUR, PIER, SUMMIT, MEADOW, OUTSIDER]

CARRIERS: list[Data] = [
    {
        "code": "atlas",
        "name": "Atlas Carrier Services",
        "cost_table": "atlas",
        "description": "Fair prices, some countries by the minute",
    },
    {
        "code": "boreal",
        "name": "Boreal Transit",
        "cost_table": "boreal",
        "description": "Premium routes, nearly all by the second",
    },
]

MARKUPS: dict[str, tuple[str, str]] = {
    "northstar": ("", "0.25"),
    "northstar-eu": ("", "0.25"),
    "northstar-asia": ("", "0.30"),
    "harbour": ("northstar-eu", "0.50"),
    "pier": ("harbour", "0.40"),
    "summit": ("northstar-asia", "0.60"),
    "meadow": ("northstar", "0.45"),
    "quarry": ("northstar", "0.35"),
}
"""By brand: the brand whose lists it buys by (none: the carriers' own tables), and its mark-up on them."""


DOMESTIC = "domestic"
"""The operator's table of what does not leave a country, and of toll-free and on-net calls: no carrier is chosen."""


def price_lists(own_rates: dict[str, list[Data]]) -> list[Data]:
    """For each brand a list by carrier and one for calls at home (any carrier), derived from what its seller buys by.

    They follow automatically, so that what is told of a base later reaches every tier.
    `own_rates` by list code: `harbour-atlas`, `harbour-boreal`, `harbour-domestic`.
    """
    kinds = [*(carrier["code"] for carrier in CARRIERS), DOMESTIC]
    return [_list(brand, base, kind, markup, own_rates) for brand, (base, markup) in MARKUPS.items() for kind in kinds]


def _list(brand: str, base: str, kind: str, markup: str, own_rates: dict[str, list[Data]]) -> Data:
    code = f"{brand}-{kind}"
    names = {each["code"]: each["name"] for party in [OPERATOR, *DEALERS] for each in party["brands"]}
    return {
        "code": code,
        "name": f"{names[brand]} at home" if kind == DOMESTIC else f"{names[brand]} by {kind.capitalize()}",
        "brand": brand,
        **({} if kind == DOMESTIC else {"carrier": kind}),
        **({"base_list": f"{base}-{kind}"} if base else {"base_table": kind}),
        "follows": "automatic",
        "terms": [{"markup": markup}],
        **({"rates": own_rates[code]} if code in own_rates else {}),
    }
