"""The world in which the state machine of live calls runs: made once, and rolled back to before each sequence.

Making people, prices and funds anew took most of a sequence's time; so did asking the ORM wallet by wallet whether the
model is right, which one statement tells here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from types import SimpleNamespace
from unittest.mock import patch
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Wallet
from accounts.services.funds import Move, set_credit
from billing.setup import load
from rating.live.asking import Ask, authorize
from rating.live.ending import ended, find, started
from rating.live.needs import Curve, curves, curves_answered, takings
from rating.live.switches import Switch
from rating.live.terms import CallTerms, freeze
from rating.models import Carrier
from rating.pricing import CallFacts, Engine
from rating.services.lists import set_own_rate
from rating.services.rates import RateEntry, set_rates
from tests.cast import ACTOR, Cast, load_cast
from tests.rating.live_help import MOBILE, a_switch, backdate
from tests.rating.live_model import CHAINS, WALLETS, Model
from tiers.models import Brand, Party

STATE = """
    SELECT w.account_id, w.posted, w.held,
        (SELECT COALESCE(sum(amount), 0) FROM accounts_hold h WHERE h.account_id = w.account_id AND h.status = 'open')
    FROM accounts_wallet w WHERE w.account_id = ANY(%s)
    UNION ALL SELECT id, active, NULL, NULL FROM rating_calllimit
    UNION ALL SELECT NULL, count(*), NULL, NULL FROM accounts_hold h WHERE h.status = 'open' AND NOT EXISTS (
        SELECT 1 FROM rating_livecall c
        WHERE c.id = split_part(h.key, ':', 2)::uuid AND c.status IN ('allowed', 'talking'))
"""
UNSPENT = """
    SELECT COALESCE(sum(amount) FILTER (WHERE payee_id = w AND kind = 'allocation'), 0)
        - COALESCE(sum(amount) FILTER (WHERE payer_id = w AND kind IN ('usage', 'usage_tax', 'withdrawal')), 0)
    FROM accounts_transfer, (SELECT %s::uuid AS w) x WHERE w IN (payer_id, payee_id)
"""

CHARGED = "SELECT COALESCE(sum(amount), 0) FROM accounts_transfer WHERE payer_id = %s AND kind LIKE 'usage%%'"


@dataclass
class World:
    """`engines`: the prices of three days, one after the other; `terms` of each for each customer."""

    cast: Cast
    switch: Switch
    parties: dict[str, Party]
    wallets: dict[str, Wallet]
    carriers: dict[UUID, Carrier]
    engines: list[Engine] = field(default_factory=list)
    terms: list[dict[str, CallTerms]] = field(default_factory=list)
    start: Model = field(default_factory=lambda: Model({}, {}, {}))
    numbers: Iterator[int] = field(default_factory=count)
    _curves: dict[tuple[int, str, int, bool | None], list[Curve]] = field(default_factory=dict)

    def move(self, code: str, amount: Decimal) -> Move:
        return Move(amount, self.wallets[code].account.currency, f"machine-{next(self.numbers)}", ACTOR)

    def needed(self, day: int, who: str, longest_s: int, *, answered: bool = False) -> list[Curve]:
        """Prices here know no bands, so when a call is asked for changes nothing."""
        key = (day, who, longest_s, answered)
        if key not in self._curves:
            reckon = curves_answered if answered else curves
            self._curves[key] = reckon(self.terms[day][who].tiers, longest_s, datetime(2026, 11, 2, tzinfo=UTC))
        return self._curves[key]

    def taken(self, day: int, who: str, longest_s: int) -> list[Curve]:
        """What each tier pays, whatever comes in."""
        key, at = (day, who, longest_s, None), datetime(2026, 11, 2, tzinfo=UTC)
        if key not in self._curves:
            self._curves[key] = takings(self.terms[day][who].tiers, longest_s, at, at)
        return self._curves[key]

    def limit_days(self, wallets: Iterable[UUID]) -> None:
        """As engines made anew would know it."""
        limited = frozenset(wallets)
        for engine in self.engines:
            engine.directory.limited = limited

    def model(self) -> Model:
        """The books at the beginning, as the model has them."""
        return deepcopy(self.start)

    def differences(self, model: Model) -> list[str]:
        """Where the database says otherwise than the model."""
        codes = {wallet.pk: code for code, wallet in self.wallets.items()}
        expected: dict[UUID | None, tuple[object, ...]] = {
            self.limited(code).pk: (model.going_on(code), None, None) for code in model.limits
        }
        for wallet, code in codes.items():
            held = model.held(code)
            expected[wallet] = (model.posted[code], held, held)
        with connection.cursor() as cursor:
            cursor.execute(STATE, [list(codes)])
            said = {key: tuple(values) for key, *values in cursor.fetchall()}
            cursor.execute("SELECT wallet_id, spent, held FROM rating_dayspend")
            days = {codes[wallet]: (spent, held) for wallet, spent, held in cursor.fetchall()}
        names = codes | {self.limited(code).pk: f"calls of {code}" for code in model.limits}
        found = [f"{names[key]}: {said[key]}, not {right}" for key, right in expected.items() if said[key] != right]
        for code in model.per_day:
            right = (model.spent[code], model.day_held(code))
            found += [f"the day of {code}: {days[code]}, not {right}"] if days[code] != right else []
        return found + (["a hold without a call"] if said[None][0] else [])

    def limited(self, code: str) -> Party | Carrier:
        """A party or carrier by its code."""
        return self.parties.get(code) or next(one for one in self.carriers.values() if one.code == code)


def make_world() -> World:
    """Inside a transaction: the cast, a second customer of Summit's, funds, and prices of three days.

    It is about noon at every brand, so that no sequence crosses midnight.
    """
    cast = load_cast()
    second: dict[str, object] = {
        "code": "faye",
        "name": "Faye Imports",
        "kind": "customer",
        "seller": "summit",
        "brand": "summit",
    }
    second |= {"wallet": {"funding": "distribution"}, "identities": [{"kind": "account", "value": "ACC-faye"}]}
    load({"parties": [second]}, actor=ACTOR)
    people = sorted({code for chain in CHAINS.values() for code in chain})
    world = World(
        cast,
        a_switch(cast, interims=True),
        {code: cast.party(code) for code in people},
        {code: cast.wallet(code) for code in WALLETS},
        {one.pk: one for one in Carrier.objects.all()},
    )
    for code in ("harbour", "pier", "summit", "summit", "summit", "alice", "bob", "carol", "faye", "erin"):
        cast.fund(code, 400)
    for code in ("dave", "meadow"):
        set_credit(world.wallets[code].pk, billing="postpaid", credit_limit=Decimal(400))
    hour = timezone.now().hour - 12
    Brand.objects.update(time_zone=f"Etc/GMT{hour:+d}" if hour else "Etc/GMT")
    with patch("rating.live.memory.connection", SimpleNamespace(in_atomic_block=False)):
        for change in (lambda _world: None, _dearer, _below_cost):
            change(world)
            _a_day(world)
    _leave_little(world)
    world.start = _books(world)
    return world


def _books(world: World) -> Model:
    wallets = {code: Wallet.objects.get(pk=wallet.pk) for code, wallet in world.wallets.items()}
    unspent, charged = {}, {}
    with connection.cursor() as cursor:
        for code, wallet in wallets.items():
            cursor.execute(UNSPENT, [wallet.pk])
            unspent[code] = cursor.fetchone()[0]
            cursor.execute(CHARGED, [wallet.pk])
            charged[code] = cursor.fetchone()[0]
    return Model(
        {code: wallet.posted for code, wallet in wallets.items()},
        unspent,
        {code: wallet.credit_limit for code, wallet in wallets.items()},
        charged=charged,
    )


def _dearer(world: World) -> None:
    """Both carriers raise their prices, and bill the first half minute whole."""
    since = timezone.now() - timedelta(hours=1)
    entry = RateEntry("447", Decimal("0.6"), since, destination="United Kingdom mobile", first_s=30, step_s=6)
    for code in ("atlas", "boreal"):
        set_rates(world.cast.table(code), [entry], actor=ACTOR)


def _below_cost(world: World) -> None:
    """Carriers bill by the minute, and a dealer sells by the second: it loses at first, and earns later."""
    since = timezone.now() - timedelta(minutes=30)
    entry = RateEntry("447", Decimal("0.3"), since, destination="United Kingdom mobile", first_s=60, step_s=60)
    for code in ("atlas", "boreal"):
        set_rates(world.cast.table(code), [entry], actor=ACTOR)
        for dealer, price in (("summit", "4"), ("harbour", "0.5")):
            mine = world.cast.price_list(f"{dealer}-{code}")
            set_own_rate(mine, "447", Decimal(price), actor=ACTOR, effective_from=since, first_s=1, step_s=1)


def _a_day(world: World) -> None:
    """Keep today's prices, and let everybody make a call by them, so that all accounts they need are open."""
    engine, number = Engine(), world.switch.plan.normalise(MOBILE)
    terms = {}
    for who in CHAINS:
        facts = CallFacts(world.parties[who].pk, number, True, timezone.now(), 1)  # type: ignore[arg-type]
        frozen = freeze(engine, facts)
        assert isinstance(frozen, CallTerms)
        assert not any(one.rate.bands for tier in frozen.tiers for one in tier.rates)
        terms[who] = frozen
        name = f"day-{len(world.engines)}-{who}"
        assert authorize(world.switch, Ask(call_id=name, to=MOBILE, account=f"ACC-{who}"), engine).allow
        call = find(world.switch, name)
        started(world.switch, call)
        backdate(call, 20)
        ended(find(world.switch, name), 20)
    world.engines.append(engine)
    world.terms.append(terms)


def _leave_little(world: World) -> None:
    """Wallets with enough for a short call or two: sequences should meet their ends."""
    from accounts.services.funds import withdraw, withdrawable

    for code in sorted(WALLETS, key=lambda code: code not in ("carol", "faye")):
        wallet = Wallet.objects.select_related("seller").get(pk=world.wallets[code].pk)
        surplus = withdrawable(wallet) - 2
        if surplus > 0:
            withdraw(wallet.seller, world.parties[code], world.move(code, surplus))
    for code in ("dave", "meadow"):
        set_credit(world.wallets[code].pk, billing="postpaid", credit_limit=Decimal(3))


@contextmanager
def undone() -> Iterator[None]:
    """What happens inside never happened."""
    point = transaction.savepoint()
    try:
        yield
    finally:
        connection.needs_rollback = False
        transaction.savepoint_rollback(point)
