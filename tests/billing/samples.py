"""A sample of every page: who may see it and with which arguments. A page without a sample fails test_urls.

`seen_by` is the member whose page it is; a stranger to that member must not see it. Pages of the frame have no owner.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from tests.billing.world import World

Arguments = Callable[[World], tuple[Any, ...]]


@dataclass(frozen=True)
class Sample:
    """`owned`: the arguments name something of `seen_by`'s part of the tree, so a like member elsewhere gets 404.

    `shown`: a page to look at (not a download, a part of a page, or an address that only takes posts).
    """

    name: str
    seen_by: str
    arguments: Arguments = lambda world: ()
    owned: bool = False
    shown: bool = True
    query: str = ""
    posts: bool = False

    def url(self, world: World) -> str:
        return reverse(self.name, args=self.arguments(world)) + self.query


def _list_pages(portal: str, seen_by: str, code: str, buyer: str) -> list[Sample]:
    """What the portals of sellers have alike about a price list."""

    def own(name: str, arguments: Arguments = lambda world: (code,), **more: Any) -> Sample:
        return Sample(f"{portal}:{name}", seen_by, arguments, **{"owned": True, **more})

    def change(name: str, *kind: str) -> Sample:
        return own(name, lambda world: (code, *kind, world.price_changes(code)[name].pk))

    return [
        *(own(name) for name in ("list_rules", "list_rule", "list_draft", "list_publish", "list_follows", "list_day")),
        own("list_coming"),
        own("list_history", query="?prefix=4420"),
        own("list_draft_file", shown=False),
        *(change(name) for name in ("list_rule_end", "publication_cancel")),
        change("list_cancel", "terms"),
        Sample(f"{portal}:groups", seen_by),
        Sample(f"{portal}:group_new", seen_by),
        own("group", lambda world: (world.price_changes(code)["group"].code,)),
        own("own_list", lambda world: (buyer,)),
    ]


def _live_pages(portal: str, seen_by: str) -> list[Sample]:
    """What the portals have alike about live calls."""

    def own(name: str, **more: Any) -> Sample:
        return Sample(f"{portal}:{name}", seen_by, lambda world: (world.live_call(),), owned=True, **more)

    return [
        *(Sample(f"{portal}:{name}", seen_by) for name in ("live", "live_asked")),
        Sample(f"{portal}:live_now", seen_by, shown=False),
        *(own(name) for name in ("live_call", "live_call_end")),
        own("live_call_now", shown=False),
    ]


def _switch_pages(portal: str, seen_by: str, source: str, buyer: str) -> list[Sample]:
    """What the portals of sellers have alike about holds and switches."""
    wallet = Sample(f"{portal}:wallet_holds", seen_by, lambda world: (world.cast.wallet(buyer).pk,), owned=True)
    revoke = Sample(f"{portal}:switch_key_revoke", seen_by, lambda world: (world.switch_key(source),), owned=True)
    lift = Sample(f"{portal}:bar_lift", seen_by, lambda world: (buyer, world.bar(buyer, seen_by)), owned=True)
    of_buyer = ("call_limits", "limits_calls", "limits_spend", "bar_new")
    return [
        *(Sample(f"{portal}:{name}", seen_by) for name in ("holds", "switches", "switch_key_new")),
        *(Sample(f"{portal}:{name}", seen_by, lambda world: (buyer,), owned=True) for name in of_buyer),
        wallet,
        revoke,
        lift,
    ]


def _product_pages(portal: str, seen_by: str, code: str) -> list[Sample]:
    """What the portals of sellers have alike about products and subscriptions."""

    def own(name: str, arguments: Arguments) -> Sample:
        return Sample(f"{portal}:{name}", seen_by, arguments, owned=True)

    def one(world: World) -> tuple[Any, ...]:
        return (world.subscription(seen_by).pk,)

    plain = ("products", "product_new", "subscriptions", "subscribe", "charges", "charge")
    return [
        *(Sample(f"{portal}:{name}", seen_by) for name in plain),
        *(own(name, lambda world: (code,)) for name in ("product", "product_edit", "product_price")),
        *(own(name, one) for name in ("subscription", "subscription_change", "subscription_end")),
    ]


def _book_pages(portal: str, seen_by: str) -> list[Sample]:
    """What the portals of sellers have alike for accountants: each shows its own books, whoever it is."""
    file = Sample(f"{portal}:books_file", seen_by, lambda world: ("days", "csv"), shown=False)
    return [*(Sample(f"{portal}:{name}", seen_by) for name in ("books", "books_chart", "books_code")), file]


def _bank_pages(portal: str, seen_by: str) -> list[Sample]:
    """What the portals of sellers have alike about the bank and what is owed by age."""
    one = ("bank_entry", "bank_aside", "bank_undo")
    return [
        *(Sample(f"{portal}:{name}", seen_by) for name in ("bank", "bank_upload", "ageing")),
        Sample(f"{portal}:ageing_file", seen_by, lambda world: ("csv",), shown=False),
        *(Sample(f"{portal}:{name}", seen_by, lambda world: (world.bank_entry(seen_by),), owned=True) for name in one),
    ]


def _operator() -> list[Sample]:
    def own(name: str, arguments: Arguments, **more: Any) -> Sample:
        return Sample(f"operator:{name}", "northstar", arguments, **{"owned": True, **more})

    def plain(name: str, **more: Any) -> Sample:
        return Sample(f"operator:{name}", "northstar", **more)

    def party(world: World) -> tuple[Any, ...]:
        return ("harbour",)

    def wallet(world: World) -> tuple[Any, ...]:
        return (world.cast.wallet("harbour").pk,)

    def bill(world: World) -> tuple[Any, ...]:
        return (world.bill("northstar").pk,)

    def draft(world: World) -> tuple[Any, ...]:
        return (world.bill("northstar", issued=False).pk,)

    def member(world: World) -> tuple[Any, ...]:
        return (world.cast.member("harbour").pk,)

    return [
        *(plain(name) for name in ("home", "parties", "party_new", "money", "wallets", "ledger", "prices")),
        *(plain(name) for name in ("table_new", "lists", "list_new", "carriers", "carrier_new", "exchange")),
        *(
            plain(name)
            for name in ("usage", "upload", "quarantine", "waiting", "sources", "source_new", "calls", "unrated")
        ),
        *(plain(name) for name in ("rate_unrated", "invoices", "invoice_run", "outbox", "settings", "brand_new")),
        *(plain(name) for name in ("members", "invite", "keys", "key_new", "trail")),
        plain("search", query="?q=harbour"),
        plain("reports", query="?by=destination&period=month"),
        plain("report_file", arguments=lambda world: ("csv",), shown=False),
        plain("quote", query="?customer=alice&to=%2B85225550123&seconds=90"),
        *(own(name, party) for name in ("party", "party_edit", "party_invite", "party_identity")),
        own("party_status", lambda world: ("harbour", "blocked")),
        *(own(name, wallet) for name in ("wallet", "allocate", "withdraw", "payment", "refund", "credit")),
        own("move_preview", wallet, shown=False, query="?amount=5&purpose=allocate"),
        own("transfer", lambda world: (world.transfer("northstar").pk,)),
        *(own(name, lambda world: ("atlas",)) for name in ("table", "rate_new", "deck_new")),
        *(own(name, lambda world: (world.deck(),)) for name in ("deck", "deck_discard")),
        own("deck_rows", lambda world: (world.deck(),), shown=False),
        own("deck_progress", lambda world: (world.deck(),), shown=False),
        own("carrier_forget", lambda world: ("atlas", "date_order")),
        *(own(name, lambda world: ("northstar-atlas",)) for name in ("list", "list_terms", "list_rate")),
        *_list_pages("operator", "northstar", "northstar-atlas", "erin"),
        *_live_pages("operator", "northstar"),
        *_switch_pages("operator", "northstar", "switch", "harbour"),
        *_product_pages("operator", "northstar", "ns-line"),
        *_book_pages("operator", "northstar"),
        *_bank_pages("operator", "northstar"),
        own("table_file", lambda world: ("atlas", "csv"), shown=False),
        own("list_prices", lambda world: ("northstar-atlas",), query="?in=HKD"),
        own("list_file", lambda world: ("northstar-atlas", "csv"), shown=False),
        own("carrier", lambda world: ("atlas",)),
        own("carrier_limits", lambda world: ("atlas",)),
        plain("exchange_upload"),
        plain("below_cost"),
        plain("compare", query="?q=4"),
        plain("compare_csv", shown=False),
        own("exchange_file", lambda world: ("01890000-0000-7000-8000-000000000000",), shown=False),
        own("exchange_pair", lambda world: ("USD", "EUR")),
        own("import", lambda world: (world.usage_import.pk,)),
        own("told_otherwise", lambda world: (world.usage_import.pk,)),
        own("import_progress", lambda world: (world.usage_import.pk,), shown=False),
        own("mapping", lambda world: ("switch",)),
        plain("free_calls"),
        *(own(name, lambda world: ("switch",)) for name in ("source", "source_plan")),
        plain("numbers", query="?plan=source:switch&customer=alice&numbers=%2B85225550123%0A911"),
        own("brand_plan", lambda world: ("northstar",)),
        own("call", lambda world: (world.call("northstar").pk,)),
        *(plain(name) for name in ("reratings", "rerating_new")),
        *(own(name, lambda world: (world.rerating("northstar"),)) for name in ("rerating", "rerating_post")),
        own("rerating_progress", lambda world: (world.rerating("northstar"),), shown=False),
        own("invoice", bill),
        own("invoice_act", lambda world: (*draft(world), "approve")),
        own("invoice_credit", bill),
        own("invoice_document", lambda world: (*bill(world), "pdf"), shown=False),
        own("brand", lambda world: ("northstar",)),
        *(own(name, member) for name in ("member", "member_switch")),
        own("key_revoke", lambda world: (world.keys["northstar"].prefix,)),
    ]


def _dealer() -> list[Sample]:
    def own(name: str, arguments: Arguments, **more: Any) -> Sample:
        return Sample(f"dealer:{name}", "harbour", arguments, **{"owned": True, **more})

    def plain(name: str, **more: Any) -> Sample:
        return Sample(f"dealer:{name}", "harbour", **more)

    def customer(world: World) -> tuple[Any, ...]:
        return ("alice",)

    def wallet(world: World) -> tuple[Any, ...]:
        return (world.cast.wallet("alice").pk,)

    def price_list(world: World) -> tuple[Any, ...]:
        return ("harbour-atlas",)

    def bill(world: World) -> tuple[Any, ...]:
        return (world.bill("harbour").pk,)

    def draft(world: World) -> tuple[Any, ...]:
        return (world.bill("harbour", issued=False).pk,)

    def member(world: World) -> tuple[Any, ...]:
        return (world.cast.member("reader.harbour").pk,)

    return [
        *(plain(name) for name in ("home", "customers", "customer_new", "money", "wallets", "prices", "list_new")),
        *(plain(name) for name in ("buy_prices", "calls", "unrated", "invoices", "invoices_run", "received")),
        *(plain(name) for name in ("brand", "brand_new", "members", "member_invite", "key_new")),
        plain("calls_csv", shown=False),
        plain("search", query="?q=alice"),
        plain("below_cost"),
        plain("compare", query="?q=4"),
        plain("compare_csv", shown=False),
        plain("reports", query="?by=destination&period=month"),
        plain("report_file", arguments=lambda world: ("xlsx",), shown=False),
        plain("try", query="?customer=alice&to=%2B85225550123&seconds=90"),
        *(own(name, customer) for name in ("customer", "customer_edit", "customer_invite", "customer_identity")),
        own("customer_status", lambda world: ("alice", "blocked")),
        own("customer_carrier", lambda world: ("alice", "boreal")),
        own("customer_identity_remove", lambda world: ("alice", world.identity("alice").pk)),
        *(own(name, wallet) for name in ("wallet", "allocate", "withdraw", "payment", "refund", "limits")),
        own("sides", wallet, shown=False, query="?amount=5&purpose=allocate"),
        *(own(name, price_list) for name in ("list", "markup", "rate", "list_copy")),
        own("list_prices", lambda world: ("harbour-atlas",), query="?in=HKD"),
        own("list_file", lambda world: ("harbour-atlas", "xlsx"), shown=False),
        *_list_pages("dealer", "harbour", "harbour-atlas", "alice"),
        *_live_pages("dealer", "harbour"),
        *_switch_pages("dealer", "harbour", "pbx", "alice"),
        *_product_pages("dealer", "harbour", "hv-line"),
        *_book_pages("dealer", "harbour"),
        *_bank_pages("dealer", "harbour"),
        plain("subscribed"),
        own("markup_effect", price_list, shown=False, query="?percent=60&addon=0"),
        own("rate_end", lambda world: ("harbour-domestic", "4940")),
        own("call", lambda world: (world.call("harbour").pk,)),
        *(plain(name) for name in ("reratings", "rerating_new")),
        *(own(name, lambda world: (world.rerating("harbour"),)) for name in ("rerating", "rerating_post")),
        own("rerating_progress", lambda world: (world.rerating("harbour"),), shown=False),
        own("invoices_send", lambda world: (f"{world.last_month:%Y-%m}",), owned=False),
        own("invoice", bill),
        *(own(f"invoice_{deed}", draft) for deed in ("approve", "issue", "discard")),
        own("invoice_send", bill),
        own("invoice_credit", bill),
        own("invoice_file", lambda world: (world.rendered(world.bill("harbour")), "csv"), shown=False),
        own("received_one", lambda world: (world.bill_to("harbour").pk,)),
        *(own(name, member) for name in ("member", "member_switch")),
        *(own(name, lambda world: ("harbour",)) for name in ("brand_edit", "brand_plan")),
        plain("numbers", query="?plan=brand:harbour&customer=alice&numbers=0049401234567"),
        own("key_revoke", lambda world: (world.keys["harbour"].prefix,)),
    ]


def _customer() -> list[Sample]:
    def own(name: str, arguments: Arguments, **more: Any) -> Sample:
        return Sample(f"customer:{name}", "alice", arguments, **{"owned": True, **more})

    def plain(name: str, **more: Any) -> Sample:
        return Sample(f"customer:{name}", "alice", **more)

    def member(world: World) -> tuple[Any, ...]:
        return (world.cast.member("alice").pk,)

    return [
        *(plain(name) for name in ("home", "calls", "prices", "invoices", "account", "details", "warning")),
        *_live_pages("customer", "alice"),
        *(plain(name) for name in ("members", "member_invite", "key_new", "subscriptions")),
        plain("calls_csv", shown=False),
        plain("reports", query="?by=destination&period=month"),
        plain("report_file", arguments=lambda world: ("csv",), shown=False),
        Sample("customer:carrier", "alice", lambda world: ("boreal",)),
        own("call", lambda world: (world.call_of("alice").pk,)),
        own("invoice", lambda world: (world.bill_to("alice").pk,)),
        own("invoice_file", lambda world: (world.rendered(world.bill_to("alice")), "csv"), shown=False),
        *(own(name, member) for name in ("member", "member_switch")),
        own("key_revoke", lambda world: (world.keys["alice"].prefix,)),
    ]


def _alarm_pages(portal: str, seen_by: str, buyer: str) -> list[Sample]:
    """Alarms and their rules, in each portal."""

    def own(name: str, arguments: Arguments, **more: Any) -> Sample:
        return Sample(f"{portal}:{name}", seen_by, arguments, **{"owned": True, **more})

    found = [
        *(Sample(f"{portal}:{name}", seen_by) for name in ("alarms", "alarm_rules")),
        Sample(f"{portal}:alarm_rule", seen_by, lambda world: ("spend_hour",)),
        own("alarm", lambda world: (world.alarm(seen_by).pk,)),
        own("alarm_rule_end", lambda world: (world.alarm_rule(seen_by).pk,)),
        own("alarm_rule_for", lambda world: ("spend_day", buyer)),
    ]
    return found if portal == "customer" else [*found, own("alarm_rules_for", lambda world: (buyer,))]


SAMPLES: list[Sample] = [
    *_operator(),
    *_dealer(),
    *_customer(),
    *_alarm_pages("operator", "northstar", "harbour"),
    *_alarm_pages("dealer", "harbour", "alice"),
    *_alarm_pages("customer", "alice", "alice"),
    *(Sample(f"operator:{name}", "northstar") for name in ("alarm_ranges", "alarm_range_new")),
    Sample("operator:alarm_range", "northstar", lambda world: ("881",)),
]
