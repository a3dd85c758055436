"""A list's terms and rules compiled: which mark-up and other terms hold for one rate of the base at one moment.

Rules are for a service class, a group of destinations or a prefix. Each term comes from the most specific rule that
sets it: the longest prefix first, then groups (one that names a longer prefix first, one that names the destination
last), then the class of the call, then the list's own terms.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any
from uuid import UUID

from rating.models import GroupMembers, ListRule, ListTerms
from rating.numbers import ServiceClass

NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Effective:
    """The terms of one derived rate. `by` names, for each term that a rule set, the rule: ("markup", "class:mobile").

    `step_s` None: increments as in the base; the connection charge and the minimum likewise.
    """

    markup: Decimal
    addon: Decimal
    connect_fee: Decimal | None
    first_s: int | None
    step_s: int | None
    min_charge: Decimal | None
    by: tuple[tuple[str, str], ...] = ()


def _said(row: ListTerms | ListRule) -> tuple[Any, ...]:
    return row.markup, row.addon, row.connect_fee, row.first_s, row.step_s, row.min_charge


class GroupTest:
    """A group's members at one moment, ready to be asked."""

    def __init__(self, destinations: Iterable[str], prefixes: Iterable[str]) -> None:
        named = [one.strip().casefold() for one in destinations]
        self.prefixes = frozenset(prefixes)
        self._longest = max(map(len, self.prefixes), default=0)
        self._names = frozenset(one for one in named if "*" not in one)
        parts = [".*".join(map(re.escape, one.split("*"))) for one in named if "*" in one]
        self._pattern = re.compile("|".join(parts), re.DOTALL) if parts else None
        self._known: dict[str, bool] = {}
        self.members = (tuple(named), self.prefixes)

    def fit(self, prefix: str, destination: str) -> int | None:
        """How closely it fits: the length of its longest prefix that the rate's begins with, 0 by name, else None."""
        for length in range(min(len(prefix), self._longest), 0, -1):
            if prefix[:length] in self.prefixes:
                return length
        return 0 if self._named(destination) else None

    def _named(self, destination: str) -> bool:
        known = self._known.get(destination)
        if known is None:
            name = destination.strip().casefold()
            known = name in self._names or bool(self._pattern and self._pattern.fullmatch(name))
            self._known[destination] = known
        return known


@dataclass(frozen=True, slots=True)
class GroupRule:
    label: str
    rule: ListRule
    test: GroupTest


class Epoch:
    """The terms and rules of one stretch of time."""

    def __init__(self, terms: ListTerms, rules: Iterable[ListRule], groups: Iterable[GroupRule]) -> None:
        self.terms = terms
        self.by_class = {one.service_class: one for one in rules if one.service_class is not None}
        self.by_prefix = {one.prefix: one for one in rules if one.prefix is not None}
        self.groups = sorted(groups, key=lambda one: one.label)
        self.cuts: Set[str] = frozenset(self.by_prefix).union(*(one.test.prefixes for one in self.groups))
        self._longest = max(map(len, self.by_prefix), default=0)
        self.plain = not (self.by_class or self.by_prefix or self.groups)

    @cached_property
    def signature(self) -> object:
        """All that is said: the terms, the rules with theirs, who belongs to the groups."""
        ruled = [*self.by_class.items(), *self.by_prefix.items()]
        rules = frozenset((target, _said(rule)) for target, rule in ruled)
        return _said(self.terms), rules, tuple((one.label, _said(one.rule), one.test.members) for one in self.groups)

    def matching(self, prefix: str, destination: str, service_class: ServiceClass | None) -> list[tuple[str, ListRule]]:
        """The rules for a rate, the most specific first, each with its name."""
        lengths = range(min(len(prefix), self._longest), 0, -1)
        found = [
            (f"prefix:{prefix[:length]}", self.by_prefix[prefix[:length]])
            for length in lengths
            if prefix[:length] in self.by_prefix
        ]
        if self.groups:
            fits = [(fit, one) for one in self.groups if (fit := one.test.fit(prefix, destination)) is not None]
            found += [(f"group:{one.label}", one.rule) for _fit, one in sorted(fits, key=lambda pair: -pair[0])]
        rule = self.by_class.get(service_class.value) if service_class is not None else None
        return [*found, (f"class:{rule.service_class}", rule)] if rule is not None else found


class RuleBook:
    """All terms and rules that a list has or will have, as somebody knows them."""

    def __init__(
        self,
        terms: Iterable[ListTerms],
        rules: Iterable[ListRule] = (),
        groups: Mapping[UUID, tuple[str, Sequence[GroupMembers]]] | None = None,
    ) -> None:
        """`groups`: by id the name and the dated members. Without any terms a list derives at the base's own price."""
        self._terms = sorted(terms, key=lambda one: one.valid_from)
        self._rules = sorted(rules, key=lambda one: one.valid_from)
        used = {one.group_id for one in self._rules if one.group_id is not None}
        self._groups = {pk: named for pk, named in (groups or {}).items() if pk in used}
        dated: list[Any] = [
            *self._terms,
            *self._rules,
            *(m for _name, members in self._groups.values() for m in members),
        ]
        self.moments = sorted({one.valid_from for one in dated})
        self.classes = frozenset(
            ServiceClass(one.service_class) for one in self._rules if one.service_class is not None
        )
        self.by_class = bool(self.classes)
        self._epochs: dict[int, Epoch | None] = {}
        self._effective: dict[tuple[UUID, ...], Effective] = {}

    @cached_property
    def prefixes(self) -> Set[str]:
        """Every prefix at which a rule may cut a code of the base, at one time or another."""
        ruled = {one.prefix for one in self._rules if one.prefix is not None}
        return frozenset(ruled.union(*(one.prefixes for _name, members in self._groups.values() for one in members)))

    def with_terms(self, terms: ListTerms) -> RuleBook:
        """The same rules above other terms of the list."""
        return RuleBook([terms], self._rules, self._groups)

    def at(self, moment: datetime) -> Epoch | None:
        """None before the first terms begin."""
        position = bisect_right(self.moments, moment)
        if position not in self._epochs:
            self._epochs[position] = self._compile(moment)
        return self._epochs[position]

    def signature(self, moment: datetime) -> object:
        """Equal for rule books that give the same terms to every rate at a moment."""
        epoch = self.at(moment)
        return None if epoch is None else epoch.signature

    def effective(self, epoch: Epoch, prefix: str, destination: str, service_class: ServiceClass | None) -> Effective:
        """The terms of a rate; the same object for the same rules."""
        found = [] if epoch.plain else epoch.matching(prefix, destination, service_class)
        key = (epoch.terms.pk, *(rule.pk for _label, rule in found))
        known = self._effective.get(key)
        if known is None:
            known = self._effective[key] = combined(epoch.terms, found)
        return known

    def _compile(self, moment: datetime) -> Epoch | None:
        begun = [one for one in self._terms if one.valid_from <= moment]
        if self._terms and not begun:
            return None
        newest = {one.target: one for one in self._rules if one.valid_from <= moment}
        rules = [one for one in newest.values() if not one.off]
        terms = begun[-1] if begun else ListTerms(markup=NOTHING, addon=NOTHING)
        groups = [found for one in rules if (found := self._group_rule(one, moment)) is not None]
        return Epoch(terms, rules, groups)

    def _group_rule(self, rule: ListRule, moment: datetime) -> GroupRule | None:
        if rule.group_id is None or rule.group_id not in self._groups:
            return None
        name, members = self._groups[rule.group_id]
        begun = [one for one in members if one.valid_from <= moment]
        if not begun:
            return None
        newest = max(begun, key=lambda one: one.valid_from)
        return GroupRule(name, rule, GroupTest(newest.destinations, newest.prefixes))


def combined(terms: ListTerms, rules: Sequence[tuple[str, ListRule]]) -> Effective:
    """Each term from the first rule that sets it, else from the list. Increments go together."""
    by: list[tuple[str, str]] = []

    def term(name: str) -> Any:
        for label, rule in rules:
            if getattr(rule, name) is not None:
                by.append((name, label))
                return getattr(rule, name)
        return getattr(terms, name)

    first_s, step_s = terms.first_s, terms.step_s
    counting = next(((label, rule) for label, rule in rules if (rule.first_s or rule.step_s) is not None), None)
    if counting is not None:
        by.append(("increments", counting[0]))
        first_s, step_s = counting[1].first_s, counting[1].step_s
    if first_s is not None or step_s is not None:
        step_s = step_s or first_s or 1
    values = {name: term(name) for name in ("markup", "addon", "connect_fee", "min_charge")}
    return Effective(**values, first_s=first_s, step_s=step_s, by=tuple(by))
