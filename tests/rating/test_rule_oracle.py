"""Rules above a base, against a plain reading of the words: each term from the most specific rule that sets it.

And what pricing by columns relies on: the answer depends on nothing but the prefixes that a number begins with, the
stretch between two moments, and the service class where rules look at it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fnmatch import fnmatchcase
from itertools import pairwise
from random import Random
from typing import Any
from uuid import UUID, uuid4

import pytest

from rating.models import GroupMembers, ListRule, ListTerms, PriceList, RateTable
from rating.numbers import ServiceClass
from rating.pricing.lists import Found, ListBook
from rating.pricing.rules import RuleBook
from rating.pricing.shelf import Group
from rating.pricing.tables import RateRow, TableBook

DAY = timedelta(days=1)
START = datetime(2026, 10, 1, tzinfo=UTC)
NAMES = ("United Kingdom", "United Kingdom mobile", "France", "Germany Mobile")
CLASSES = (ServiceClass.MOBILE, ServiceClass.INTERNATIONAL, ServiceClass.LOCAL)
TERMS = ("markup", "addon", "connect_fee", "min_charge")
RATE = Decimal("0.9")


@dataclass
class World:
    rows: list[RateRow]
    terms: list[ListTerms]
    rules: list[ListRule]
    groups: dict[UUID, tuple[str, list[GroupMembers]]]
    table: TableBook

    def base(self, known: datetime | None) -> TableBook:
        return self.table

    def exchange_rate(self, base: str, quote: str, moment: datetime, known: datetime | None) -> Decimal:
        return RATE

    @property
    def prefixes(self) -> Any:
        return self.table.prefixes

    @property
    def moments(self) -> frozenset[datetime]:
        return self.table.moments

    @property
    def by_class(self) -> bool:
        return False

    def book(self) -> ListBook:
        price_list = PriceList(code="list", currency="EUR", holidays=[])
        return ListBook(price_list, RuleBook(self.terms, self.rules, self.groups), None, self)


def digits(random: Random, longest: int = 5) -> str:
    return "".join(random.choice("014") for _ in range(random.randint(1, longest)))


def day(random: Random) -> datetime:
    return START + random.randrange(8) * DAY


def some(random: Random, value: Any) -> Any:
    return value if random.random() < 0.5 else None


def a_world(random: Random) -> World:
    rows = {}
    for _ in range(random.randint(1, 25)):
        prefix, since = digits(random), day(random)
        until = some(random, since + random.randint(1, 5) * DAY)
        price = Decimal(random.randint(1, 99)) / 1000
        rows[prefix, since] = RateRow(
            prefix, random.choice(NAMES), price, Decimal(0), None, 6, 0, 0, Decimal(0), None, None, False, since, until
        )
    by_prefix: dict[str, list[RateRow]] = {}
    for (prefix, _since), row in sorted(rows.items(), key=lambda item: item[0][1]):
        by_prefix.setdefault(prefix, []).append(row)
    table = TableBook(RateTable(code="base", currency="USD", holidays=[], version=1), by_prefix)
    terms = {day(random): None for _ in range(random.randint(1, 3))}
    groups = {uuid4(): (f"group {number}", members(random)) for number in range(2)}
    rules = {}
    for _ in range(random.randint(0, 18)):
        rule = a_rule(random, list(groups))
        rules[rule.target, rule.valid_from] = rule
    listed = [ListTerms(valid_from=since, markup=share(random), addon=Decimal(0)) for since in terms]
    return World(list(rows.values()), listed, list(rules.values()), groups, table)


def share(random: Random) -> Decimal:
    return Decimal(random.randint(-50, 200)) / 100


def members(random: Random) -> list[GroupMembers]:
    starts = {day(random) for _ in range(random.randint(0, 2))}
    return [
        GroupMembers(
            valid_from=since,
            destinations=random.sample(["united kingdom*", "*mobile", "France", "nowhere"], random.randint(0, 2)),
            prefixes=[digits(random, 3) for _ in range(random.randint(0, 4))],
        )
        for since in starts
    ]


def a_rule(random: Random, groups: Sequence[UUID]) -> ListRule:
    kind = random.choice(["class", "group", "prefix"])
    return ListRule(
        valid_from=day(random),
        service_class=random.choice(CLASSES).value if kind == "class" else None,
        group_id=random.choice(groups) if kind == "group" else None,
        prefix=digits(random) if kind == "prefix" else None,
        off=random.random() < 0.15,
        markup=some(random, share(random)),
        addon=some(random, Decimal(random.randint(0, 9)) / 100),
        connect_fee=some(random, Decimal(random.randint(0, 9)) / 10),
        min_charge=some(random, Decimal(random.randint(0, 9)) / 10),
        first_s=some(random, random.choice([30, 60])),
        step_s=some(random, random.choice([1, 6, 60])),
    )


# -- the plain reading ----------------------------------------------------------------------------------------------
def newest(dated: Sequence[Any], moment: datetime) -> Any:
    begun = [one for one in dated if one.valid_from <= moment]
    return max(begun, key=lambda one: one.valid_from) if begun else None


def in_force(world: World, moment: datetime) -> list[ListRule]:
    targets = {rule.target for rule in world.rules}
    found = [newest([rule for rule in world.rules if rule.target == target], moment) for target in targets]
    return [rule for rule in found if rule is not None and not rule.off]


def base_rate(world: World, prefix: str, moment: datetime) -> RateRow | None:
    begun = [row for row in world.rows if row.prefix == prefix and row.effective_from <= moment]
    row = max(begun, key=lambda one: one.effective_from, default=None)
    return row if row and (row.effective_to is None or row.effective_to > moment) else None


def reads_so(world: World, number: str, moment: datetime, kind: ServiceClass | None) -> tuple[Any, ...] | None:
    """(prefix, price, connection charge, minimum, increments), or None where there is no price."""
    terms = newest(world.terms, moment)
    if terms is None:
        return None
    rules = in_force(world, moment)
    group_members = {pk: newest(dated, moment) for pk, (_name, dated) in world.groups.items()}
    cuts = {rule.prefix for rule in rules if rule.prefix}
    for rule in rules:
        if rule.group_id and group_members[rule.group_id]:
            cuts.update(group_members[rule.group_id].prefixes)
    for length in range(len(number), 0, -1):
        prefix = number[:length]
        under = range(length, 0, -1) if prefix in cuts else [length]
        row = next(filter(None, (base_rate(world, number[:size], moment) for size in under)), None)
        if row is None:
            continue
        ranked: list[tuple[Any, ListRule]] = []
        for rule in rules:
            if rule.prefix and prefix.startswith(rule.prefix):
                ranked.append(((3, len(rule.prefix)), rule))
            if rule.group_id and group_members[rule.group_id]:
                one = group_members[rule.group_id]
                lengths = [len(each) for each in one.prefixes if prefix.startswith(each)]
                named = any(fnmatchcase(row.destination.casefold(), each.casefold()) for each in one.destinations)
                if lengths or named:
                    other = world.groups[rule.group_id][0] == "group 0"
                    ranked.append(((2, max(lengths, default=0), other), rule))
            if rule.service_class and kind and rule.service_class == kind.value:
                ranked.append(((1,), rule))
        ranked.sort(key=lambda pair: pair[0], reverse=True)
        return worked_out(prefix, row, terms, [rule for _rank, rule in ranked])
    return None


def worked_out(prefix: str, row: RateRow, terms: ListTerms, rules: list[ListRule]) -> tuple[Any, ...]:
    def term(name: str) -> Any:
        return next((getattr(rule, name) for rule in rules if getattr(rule, name) is not None), getattr(terms, name))

    price = (row.price * (1 + term("markup")) * RATE + term("addon")).quantize(Decimal("1e-8"), ROUND_HALF_UP)
    counting = next((rule for rule in rules if rule.first_s or rule.step_s), None)
    first_s, step_s = (counting.first_s, counting.step_s or counting.first_s) if counting else (None, 6)
    return prefix, price, term("connect_fee") or 0, term("min_charge") or 0, first_s, step_s


def answer(found: Found | None) -> tuple[Any, ...] | None:
    if found is None:
        return None
    row = found.row
    return row.prefix, row.price, row.connect_fee, row.min_charge, row.first_s, row.step_s


@pytest.mark.parametrize("seed", range(40))
def test_each_term_comes_from_the_most_specific_rule_that_sets_it(seed: int) -> None:
    random = Random(seed)
    world = a_world(random)
    group = Group([world.book()])
    for _ in range(150):
        number, moment = digits(random, 8), day(random) + random.choice([-1, 0, 1]) * timedelta(microseconds=1)
        kind = random.choice([*CLASSES, None])
        hit = group.find(number, moment, kind)
        assert answer(hit.found if hit else None) == reads_so(world, number, moment, kind), (number, moment, kind)


@pytest.mark.parametrize("seed", range(80, 100))
def test_columns_may_ask_once_for_all_calls_alike(seed: int) -> None:
    """Numbers with the same prefixes, within one stretch of time and of one class, have one and the same rate."""
    random = Random(seed)
    group = Group([a_world(random).book()])
    edges = [START - DAY, *group.moments, START + 20 * DAY]
    for since, until in pairwise(edges):
        seen: dict[Any, Found | None] = {}
        for _ in range(60):
            number, kind = digits(random, 8), random.choice([*CLASSES, None])
            moment = since + (until - since) * random.randrange(100) / 100
            hit = group.find(number, moment, kind)
            held = frozenset(number[:length] for length in range(1, 9) if number[:length] in group.prefixes)
            key = (held, kind if group.by_class else None)
            found = hit.found if hit else None
            assert seen.setdefault(key, found) is found, (number, moment, kind)
