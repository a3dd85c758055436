"""A page asks the database as often for many rows as for few: what grows with the business grows in one question."""

from __future__ import annotations

from pathlib import Path

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billing.services.buyers import WalletTerms, add_buyer
from rating.live.ending import find, started
from rating.pricing.current import current_engine
from tests.billing.samples import SAMPLES, Sample
from tests.billing.world import CALLERS, World, build_world
from tests.cast import ACTOR, Cast
from tests.invoicing.month import load_calls
from tests.rating.live_help import a_switch, ask
from tiers.models import Kind

LISTS = (
    *("home", "parties", "party", "customers", "customer", "wallets", "wallet", "money", "ledger", "usage", "import"),
    *(
        "quarantine",
        "calls",
        "call",
        "unrated",
        "reratings",
        "invoices",
        "invoice",
        "outbox",
        "received",
        "members",
        "keys",
    ),
    *("live", "live_now", "live_asked", "holds", "switches"),
    *("reports", "prices", "lists", "list", "search", "account", "buy_prices"),
    *("alarms", "alarm_rules", "alarm_rules_for"),
)


def test_query_counts_do_not_grow_with_rows(cast: Cast, tmp_path: Path) -> None:
    world = build_world(cast, tmp_path, calls=1)
    world.live_call()
    samples = [sample for sample in SAMPLES if sample.name.partition(":")[2] in LISTS]
    few = counts(world, samples)
    more_business(world, tmp_path)
    many = counts(world, samples)
    assert {name: (few[name], many[name]) for name in few if many[name] > few[name]} == {}


def more_business(world: World, folder: Path) -> None:
    cast = world.cast
    switch = a_switch(cast, interims=True)
    for number in range(8):
        ask(switch, f"more-{number}", requested_s=60)
        ask(switch, f"refused-{number}", account="nobody")
        started(switch, find(switch, f"more-{number}"))
    load_calls(cast, folder, CALLERS, 12, day=world.this_month, tag="more")
    for _time in range(12):
        cast.fund("alice", 1)
    for seller, brand in (("northstar", "northstar"), ("harbour", "harbour")):
        for number in range(8):
            code = f"{seller}-more-{number}"
            add_buyer(cast.party(seller), Kind.CUSTOMER, code, code, cast.brand(brand), WalletTerms(), actor=ACTOR)


def counts(world: World, samples: list[Sample]) -> dict[str, int]:
    browsers = {name: world.cast.client(name) for name in {sample.seen_by for sample in samples}}
    for browser in browsers.values():
        browser.get("/")
    current_engine()  # made once after a change, not for each page
    return {sample.name: count(browsers[sample.seen_by], sample.url(world)) for sample in samples}


def count(browser: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert browser.get(url).status_code == 200, url
    return len(queries)
