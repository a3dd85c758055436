"""Every address of the API has a sample here, and a stranger gets 404 for what is not theirs, by every method there is.

Lists show each party its own part of the tree, so a stranger's answer must not hold a single id of somebody else's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import get_resolver, resolve, reverse

from tests.billing.test_urls import API, names
from tests.billing.world import World

FOR_ALL = {"api:api-root", "api:me-list", "api:exchange-rates-holds"}
"""They show what the reader itself is, only addresses, or what is the same for everybody."""

WRITES = {"api:funds-allocate", "api:funds-refund", "api:funds-withdraw", "api:payments-list", "api:carriers-choose"}
WRITES |= {"api:bank-entries-upload", "api:invoices-run-month", "api:exchange-rates-import-file", "api:carriers-link"}
"""Posts whose object stands in the body; `test_api` holds what they refuse."""

OWN: dict[str, tuple[str, ...]] = {"api:books-list": (), "api:books-chart": (), "api:books-file": ("journal", "csv")}
"""Of the reader's own party alone, and only for who may move money; test_book_pages holds it."""

LISTS = {
    *("api:parties-list", "api:brands-list", "api:members-list", "api:api-keys-list", "api:wallets-list"),
    *("api:transfers-list", "api:carriers-list", "api:rate-tables-list", "api:price-lists-list", "api:sources-list"),
    *("api:usage-imports-list", "api:calls-list", "api:quote-list", "api:invoices-list", "api:exchange-rates-list"),
    *("api:carriers-offers", "api:reratings-list"),
    *("api:live-calls-list", "api:holds-list", "api:switch-keys-list", "api:call-limits-list"),
    *("api:alarms-list", "api:alarm-rules-list"),
    *("api:bank-entries-list", "api:ageing-list"),
    *("api:products-list", "api:subscriptions-list", "api:charges-list"),
    *("api:decks-list", "api:destination-groups-list", "api:reports-list"),
}

OWNED: dict[str, Callable[[World], tuple[Any, ...]]] = {
    "api:parties-detail": lambda world: ("alice",),
    "api:parties-set-status": lambda world: ("alice",),
    "api:brands-detail": lambda world: ("harbour",),
    "api:members-detail": lambda world: (world.cast.member("alice").pk,),
    "api:api-keys-detail": lambda world: (world.keys["alice"].prefix,),
    "api:wallets-detail": lambda world: (world.cast.wallet("alice").pk,),
    "api:wallets-credit": lambda world: (world.cast.wallet("alice").pk,),
    "api:transfers-detail": lambda world: (world.transfer("harbour").pk,),
    "api:rate-tables-detail": lambda world: ("atlas",),
    "api:rate-tables-rates": lambda world: ("atlas",),
    "api:decks-detail": lambda world: (world.deck(),),
    "api:decks-answer": lambda world: (world.deck(),),
    "api:decks-confirm": lambda world: (world.deck(),),
    "api:decks-discard": lambda world: (world.deck(),),
    **dict.fromkeys(
        (
            "api:price-lists-detail",
            *(
                f"api:price-lists-{name}"
                for name in ("prices", "terms", "rules", "end-rule", "rates", "draft", "publish")
            ),
            *(f"api:price-lists-{name}" for name in ("publications", "follow", "coming", "history")),
        ),
        lambda world: ("harbour-atlas",),
    ),
    **dict.fromkeys(("api:products-detail", "api:products-prices"), lambda world: ("hv-line",)),
    **dict.fromkeys(
        (f"api:subscriptions-{name}" for name in ("detail", "change", "end", "included")),
        lambda world: (world.subscription("harbour").pk,),
    ),
    **dict.fromkeys(
        (f"api:bank-entries-{name}" for name in ("detail", "book", "aside", "undo")),
        lambda world: (world.bank_entry("harbour"),),
    ),
    "api:destination-groups-detail": lambda world: ("near",),
    "api:sources-detail": lambda world: ("switch",),
    "api:usage-imports-detail": lambda world: (world.usage_import.pk,),
    "api:usage-imports-quarantine": lambda world: (world.usage_import.pk,),
    "api:usage-imports-told-otherwise": lambda world: (world.usage_import.pk,),
    "api:calls-detail": lambda world: (world.call("harbour").pk,),
    "api:calls-explanation": lambda world: (world.call("harbour").pk,),
    "api:live-calls-detail": lambda world: (world.live_call(),),
    "api:live-calls-end": lambda world: (world.live_call(),),
    "api:switch-keys-detail": lambda world: (world.switch_key("pbx"),),
    "api:call-limits-detail": lambda world: (world.call_limit("alice"),),
    "api:reratings-detail": lambda world: (world.rerating("harbour"),),
    "api:reratings-apply": lambda world: (world.rerating("harbour"),),
    "api:alarms-detail": lambda world: (world.alarm("harbour").pk,),
    "api:alarm-rules-detail": lambda world: (world.alarm_rule("harbour").pk,),
    "api:invoices-detail": lambda world: (world.bill("harbour").pk,),
    "api:invoices-approve": lambda world: (world.bill("harbour").pk,),
    "api:invoices-credit": lambda world: (world.bill("harbour").pk,),
    "api:invoices-document": lambda world: (world.bill("harbour").pk, "csv"),
    "api:invoices-issue": lambda world: (world.bill("harbour").pk,),
    "api:invoices-send": lambda world: (world.bill("harbour").pk,),
}
STRANGERS = ("mallory", "outsider")


def test_every_address_of_the_api_has_a_sample() -> None:
    ours = {name for name in names(get_resolver().url_patterns) if name.startswith(API)}
    known = FOR_ALL | WRITES | LISTS | set(OWNED) | set(OWN)
    assert ours - known == set(), "resources without a sample"
    assert known - ours == set(), "samples of resources that are gone"


def test_strangers_get_404_by_every_method(world: World) -> None:
    seen = {}
    for stranger in STRANGERS:
        browser = world.cast.client(stranger)
        for name, arguments in OWNED.items():
            url = reverse(name, args=arguments(world))
            for method in list(resolve(url).func.actions):  # type: ignore[attr-defined]
                status = getattr(browser, method)(url, {}, content_type="application/json").status_code
                if status != 404:
                    seen[f"{method} {name} as {stranger}"] = status
    assert seen == {}


def test_nobody_without_a_key_or_login_gets_an_answer(world: World) -> None:
    for name in sorted(LISTS | WRITES | FOR_ALL - {"api:api-root"}):
        assert Client().get(reverse(name)).status_code in {401, 403, 405}, name
        assert Client().post(reverse(name), {}, content_type="application/json").status_code in {401, 403, 405}, name
    for name, fixed in OWN.items():
        assert Client().get(reverse(name, args=fixed)).status_code in {401, 403}, name
    for name, arguments in OWNED.items():
        assert Client().get(reverse(name, args=arguments(world))).status_code in {401, 403, 405}, name


@pytest.mark.parametrize("stranger", STRANGERS)
def test_lists_hold_nothing_of_anybody_else(world: World, stranger: str) -> None:
    cast = world.cast
    others = {
        *("alice", "harbour", "pier", "bob", "summit", "meadow"),
        str(cast.wallet("alice").pk),
        str(world.call("harbour").pk),
        str(world.bill("harbour").pk),
        str(world.transfer("harbour").pk),
        world.keys["alice"].prefix,
    }
    browser = cast.client(stranger)
    for name in sorted(LISTS - {"api:quote-list"}):
        answer = browser.get(reverse(name))
        assert answer.status_code == 200, name
        text = answer.content.decode()
        assert [word for word in others if f'"{word}"' in text] == [], name
