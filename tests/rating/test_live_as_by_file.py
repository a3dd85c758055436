"""A live call costs at every tier what the same call costs by file: in random worlds, and beside a real import.

By file: the engine prices the record at its answer (that columns do the same is proven elsewhere), and the posting's
own tables say between which accounts and for which month. Live: the seconds asked for, extended or not, then the end.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random, SystemRandom
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import pytest
import time_machine
from django.db import transaction

from accounts.models import AccountKind, Transfer, TransferKind, Wallet
from accounts.services.accounts import counter_account
from accounts.services.ledger import Draft, post
from rating.kernel import RateError
from rating.live.asking import Ask, authorize
from rating.live.ending import ended, find, going_on, started
from rating.live.switches import Switch
from rating.models import Carrier, LiveCall, RatedCall, RateTerms, Source, UsageRecord
from rating.numbers import DialPlan, Number
from rating.pricing import CallFacts, Engine, PricedCall, Unpriced
from rating.services.charges import Books, Route
from rating.services.imports import import_file
from rating.services.quote import is_abroad
from tests.cast import ACTOR, Cast
from tests.rating.calls_help import Call, write
from tests.rating.live_help import a_switch, ask, assert_clean, backdate
from tests.rating.random_world import CLASSES, World
from tiers.models import Party

PROOF = os.environ.get("TOLLGATE_PROOF") == "1"
CALLS = 40 if PROOF else 14
HOME = "US"


class Plan:
    """A dial plan of the worlds' numbers, which are of no country: each is what the test says it is."""

    home_country = HOME

    def __init__(self) -> None:
        self.numbers: dict[str, Number] = {}

    def normalise(self, raw: str) -> Number:
        return self.numbers[raw]


class Tier(NamedTuple):
    """One seller's part of a call."""

    buyer: UUID
    price_list: UUID
    terms: bytes
    sale: Decimal
    tax: Decimal
    billed_s: int
    cost: Decimal | None
    cost_currency: str | None
    carrier: UUID | None
    paid: frozenset[tuple[str, UUID, UUID, str, Decimal, date]]


def by_file(engine: Engine, priced: PricedCall, trunk: UUID | None, answered_at: datetime) -> dict[UUID, Tier]:
    books, made = Books(engine), {}
    for position, tier in enumerate(priced.tiers):
        above = priced.tiers[position + 1] if position + 1 < len(priced.tiers) else None
        month = answered_at.astimezone(engine.directory.zones[tier.link.brand]).date().replace(day=1)
        routes: list[tuple[str, Route, Any]] = [(TransferKind.USAGE, books.usage(tier.purse), tier.sale)]
        if tier.tax:
            routes.append((TransferKind.USAGE_TAX, books.tax(tier.purse), tier.tax))
        cost, currency = (above.sale, above.found.measure.currency) if above else (None, None)
        if above is None and priced.cost is not None and priced.cost.found is not None:
            cost, currency = priced.cost.amount, priced.cost.found.measure.currency
            route = books.cost(tier.link.seller, priced.cost.carrier, currency)
            routes.append((TransferKind.CARRIER_COST, route, priced.cost.amount))
        paid = frozenset(
            (str(kind), route.payer, route.payee, route.currency, amount, month)
            for kind, route, amount in routes
            if amount
        )
        made[tier.link.seller] = Tier(
            tier.link.buyer,
            tier.list_id,
            tier.found.digest,
            tier.sale,
            tier.tax,
            tier.charge.billed_s,
            cost,
            currency,
            priced.carrier if above else trunk,
            paid,
        )
    return made


def as_posted(call: LiveCall) -> dict[UUID, Tier]:
    rows = list(RatedCall.objects.filter(record_id=call.record_id))
    digests = dict(RateTerms.objects.filter(pk__in=[row.terms_id for row in rows]).values_list("pk", "digest"))
    transfers = {one.pk: one for one in Transfer.objects.filter(cause=call.pk)}
    made = {}
    for row in rows:
        mine = [transfers.pop(pk) for pk in (row.transfer_id, row.tax_transfer_id, row.cost_transfer_id) if pk]
        paid = frozenset((o.kind, o.payer_id, o.payee_id, o.currency, o.amount, o.for_month) for o in mine)
        made[row.seller_id] = Tier(
            row.buyer_id,
            row.price_list_id,
            bytes(digests[row.terms_id]),
            row.sale,
            row.tax,
            row.billed_s,
            row.cost,
            row.cost_currency,
            row.carrier_id,
            paid,
        )
    assert not transfers, "every transfer belongs to a tier"
    return made


class Talk(NamedTuple):
    """A call as it goes: it rings so long, lasts so long, and its switch asks for more time or not."""

    customer: UUID
    number: Number
    answered_at: datetime
    rings_s: int
    lasts_s: int
    interims: bool


def fund(wallets: Any) -> None:
    """More than any call costs."""
    drafts = [
        Draft(
            payer=counter_account(wallet, AccountKind.CASH),
            payee=wallet.pk,
            amount=Decimal(10**9),
            currency=wallet.account.currency,
            kind=TransferKind.PAYMENT,
            key=f"rich:{wallet.pk}",
        )
        for wallet in wallets
    ]
    post(drafts, actor=ACTOR)


def talk_of(world: World, random: Random) -> Talk:
    drawn = world.calls(1)[0]
    return Talk(
        world.people[random.choice(world.customers)].pk,
        Number(drawn.number.e164[:15], random.choice(CLASSES)),
        drawn.answered_at,
        random.choice([0, 1, 30, 90, 179]),
        random.choice([1, 6, 60, 61, *(random.randrange(300 * at + 1, 400 * at + 60) for at in range(5))]),
        random.choice([True, True, False]),
    )


def live(switch: Switch, engine: Engine, talk: Talk, name: str) -> LiveCall | None:
    """The call, as its switch tells it; None where it was refused."""
    asked_at = talk.answered_at - timedelta(seconds=talk.rings_s)
    switch = switch_with(switch, talk.interims)
    with time_machine.travel(asked_at, tick=False):
        answer = authorize(switch, Ask(call_id=name, to=talk.number.e164, account=code_of(talk.customer)), engine)
    if not answer.allow:
        return None
    with time_machine.travel(talk.answered_at, tick=False):
        upto_s = started(switch, find(switch, name), talk.answered_at).max_seconds
    while upto_s < talk.lasts_s:
        with time_machine.travel(talk.answered_at + timedelta(seconds=upto_s - 7), tick=False):
            more_s = going_on(switch, find(switch, name), upto_s - 7).max_seconds
        assert more_s > upto_s
        upto_s = more_s
    with time_machine.travel(talk.answered_at + timedelta(seconds=talk.lasts_s), tick=False):
        return ended(find(switch, name), talk.lasts_s)


def switch_with(switch: Switch, interims: bool) -> Switch:
    return replace(switch, interims=interims, slice_s=300 if interims else 3600)


def code_of(customer: UUID) -> str:
    return str(Party.objects.values_list("code", flat=True).get(pk=customer))


def a_world_switch(plan: Any, random: Random) -> Switch:
    operator = Party.objects.get(code="northstar")
    source = Source.objects.create(owner=operator, code="switch", name="Switch")
    carriers = [None, *Carrier.objects.order_by("code").values_list("pk", flat=True)]
    return Switch(
        uuid4(),
        source.pk,
        operator.path,
        plan,
        300,
        True,
        random.choice(carriers),
        (),
    )


def compare(seed: int, worth: Counter[str]) -> None:
    with transaction.atomic():
        random = Random(seed)
        world, plan = World(seed), Plan()
        fund(Wallet.objects.select_related("account", "seller"))
        switch, engine = a_world_switch(plan, random), Engine()
        for number in range(CALLS):
            talk = talk_of(world, random)
            plan.numbers[talk.number.e164] = talk.number
            one(switch, engine, talk, f"call-{number}", worth, f"seed {seed}: {talk}")
        assert_clean()
        transaction.set_rollback(True)


def one(switch: Switch, engine: Engine, talk: Talk, name: str, worth: Counter[str], told: str) -> None:
    asked_at = talk.answered_at - timedelta(seconds=talk.rings_s)
    if engine.chain(talk.customer, asked_at) != engine.chain(talk.customer, talk.answered_at):
        worth["moved while it rang"] += 1
        return
    try:
        call = live(switch, engine, talk, name)
    except (RateError, OverflowError):
        worth["beyond"] += 1
        return
    abroad = is_abroad(talk.number, DialPlan(home_country=HOME))
    trunk = call.carrier_id if call else None
    facts = CallFacts(talk.customer, talk.number, abroad, talk.answered_at, talk.lasts_s, trunk)
    priced = engine.price(facts)
    if call is None or isinstance(priced, Unpriced):
        refused = LiveCall.objects.get(call_id=name)
        worth[f"refused {refused.code}"] += 1
        assert refused.code != "funds", told
        return
    assert (call.duration_s, call.overrun_s, call.oddity) == (talk.lasts_s, 0, ""), told
    expected = by_file(engine, priced, trunk, talk.answered_at) if priced.charged else {}
    assert as_posted(call) == expected, told
    worth["charged" if expected else "free"] += 1
    worth["extended"] += talk.interims and talk.lasts_s > 300
    worth["tiers"] += len(expected) > 2
    worth["bands"] += any(tier.found.row.bands for tier in priced.tiers)
    worth["steps"] += any(tier.found.row.steps for tier in priced.tiers)
    worth["taxed"] += any(tier.tax for tier in priced.tiers)
    worth["costed"] += priced.cost is not None and priced.cost.found is not None


@pytest.mark.django_db
def test_a_live_call_costs_at_every_tier_what_it_costs_by_file(capsys: pytest.CaptureFixture[str]) -> None:
    seeds = [SystemRandom().getrandbits(48) for _ in range(60)] if PROOF else [101, 104, 108, 111]
    worth: Counter[str] = Counter()
    for seed in seeds:
        if PROOF:
            with capsys.disabled():
                print(f"\n{CALLS} live calls of a random world, seed {seed}")
        compare(seed, worth)
    figures = ("charged", "extended", "tiers", "bands", "steps", "taxed", "costed")
    assert min(worth[name] for name in figures) > 3, worth


def money(records: list[UUID], transfers: Any) -> tuple[set[tuple[Any, ...]], set[tuple[Any, ...]]]:
    """(what each tier's rated call says, what moved between which accounts)."""
    rated = RatedCall.objects.filter(record_id__in=records)
    figures = ("sale", "tax", "cost", "cost_currency", "billed_s", "terms", "cost_terms", "carrier", "destination")
    said = set(rated.values_list("seller", "buyer", *figures))
    return said, set(transfers.values_list("kind", "payer", "payee", "currency", "amount", "for_month"))


@pytest.mark.django_db
@pytest.mark.parametrize("who", ["alice", "bob", "carol", "dave", "erin"])
def test_a_live_call_and_its_twin_in_a_file_are_charged_alike(
    cast: Cast, settings: Any, tmp_path: Path, who: str
) -> None:
    """Wholesale, under two dealers, distribution, postpaid, direct; the twin comes from a switch that asks nobody."""
    settings.MEDIA_ROOT = str(tmp_path / "media")
    for code, amount in (("harbour", 100), ("pier", 50), ("bob", 20), ("alice", 20), ("erin", 10), ("summit", 500)):
        cast.fund(code, amount)
    cast.fund("carol", 100)
    switch = a_switch(cast, interims=True)
    answer = ask(switch, "live", account=f"ACC-{who}", caller="4930123456")
    started(switch, find(switch, "live"))
    backdate(find(switch, "live"), 290)
    going_on(switch, find(switch, "live"), 290)
    backdate(find(switch, "live"), 77)
    call = ended(find(switch, "live"), 367)
    assert call.duration_s == 367
    assert call.answered_at is not None
    live_money = money([call.record_id], Transfer.objects.filter(cause=call.pk))  # type: ignore[list-item]
    before = set(Transfer.objects.values_list("pk", flat=True))
    plan = cast.source("switch").dial_plan
    twin = Source.objects.create(owner=cast.northstar, code="twin", name="Twin", dial_plan=plan)
    at = call.answered_at - timedelta(seconds=5)
    line = Call("filed", who, seconds=367, at=at, carrier=answer.carrier or "")
    import_file(write(tmp_path / "twin.csv", [line]), twin, actor=ACTOR)
    filed = UsageRecord.objects.get(source=twin)
    assert money([filed.pk], Transfer.objects.exclude(pk__in=before)) == live_money
    assert live_money[0]
    assert_clean()
