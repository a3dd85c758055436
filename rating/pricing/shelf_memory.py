"""The small rows of all price lists (terms, rules, groups, publications, exchange rates), as they stand and as known.

What stands is read at once; what was is read when a list that follows by publication asks for it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from rating.models import (
    DestinationGroup,
    ExchangeRate,
    GroupMembers,
    ListRule,
    ListTerms,
    PriceList,
    Publication,
    RateTable,
)
from rating.pricing.exchange import Exchange, Rates
from rating.pricing.lists import ALWAYS_LIVE, Follow
from rating.pricing.memory import Spell, Versions, spells
from rating.pricing.rules import RuleBook

OWNED = (ListTerms, ListRule, Publication)


@dataclass(frozen=True, slots=True)
class Reach:
    """Where and when something may have, change or lose a rate, and whether that may differ by service class."""

    prefixes: Set[str]
    moments: frozenset[datetime]
    by_class: bool

    @classmethod
    def of(cls, parts: Iterable[Reach]) -> Reach:
        parts = list(parts)
        several = [part.prefixes for part in parts if part.prefixes]
        prefixes = several[0] if len(several) == 1 else frozenset[str]().union(*several)
        moments = frozenset[datetime]().union(*(part.moments for part in parts))
        return cls(prefixes, moments, any(part.by_class for part in parts))


class Memory:
    """Rows by list, now and at any instant."""

    def __init__(self, tables: Mapping[UUID, RateTable], lists: Mapping[UUID, PriceList]) -> None:
        self._tables = tables
        self._lists = lists
        self._live: dict[Any, dict[UUID, list[Any]]] = {model: _by_list(model.objects.all()) for model in OWNED}
        has_groups = any(rule.group_id for rules in self._live[ListRule].values() for rule in rules)
        self._members: list[GroupMembers] = list(GroupMembers.objects.all()) if has_groups else []
        self._exchanges: dict[int, Exchange] = {}
        self._stamps: dict[UUID, list[datetime]] = {}

    @cached_property
    def versions(self) -> Versions:
        return Versions()

    @cached_property
    def _names(self) -> dict[UUID, str]:
        return dict(DestinationGroup.objects.values_list("pk", "name"))

    @cached_property
    def _past(self) -> dict[Any, dict[UUID, list[Spell[Any]]]]:
        return {model: _by_list(spells(model), lambda spell: spell.row) for model in OWNED}

    @cached_property
    def _past_members(self) -> list[Spell[GroupMembers]]:
        return spells(GroupMembers)

    @cached_property
    def _past_exchange(self) -> list[Spell[ExchangeRate]]:
        return spells(ExchangeRate)

    def _rows(self, model: Any, pk: UUID, known: datetime | None) -> list[Any]:
        if known is None:
            return self._live[model].get(pk, [])
        return [spell.row for spell in self._past[model].get(pk, ()) if spell.known_at(known)]

    def rules(self, pk: UUID, known: datetime | None) -> RuleBook:
        """A list's terms and rules."""
        rules: list[ListRule] = self._rows(ListRule, pk, known)
        return RuleBook(self._rows(ListTerms, pk, known), rules, self._groups(rules, known))

    def _groups(self, rules: Iterable[ListRule], known: datetime | None) -> dict[UUID, tuple[str, list[GroupMembers]]]:
        wanted = {rule.group_id for rule in rules if rule.group_id is not None}
        if not wanted:
            return {}
        rows = self._members if known is None else [spell.row for spell in self._past_members if spell.known_at(known)]
        return {
            pk: (self._names.get(pk, ""), sorted((row for row in rows if row.group_id == pk), key=_begins))
            for pk in wanted
        }

    def follows(self, pk: UUID, known: datetime | None) -> tuple[Follow, ...]:
        """How a list follows its base, by its publications; automatically where there are none."""
        rows: list[Publication] = self._rows(Publication, pk, known)
        return tuple(Follow(row.valid_from, row.known_at) for row in sorted(rows, key=_begins)) or ALWAYS_LIVE

    def ruled(self, pk: UUID, remembered: bool) -> Reach:
        """Prefixes at which rules may cut, and when they change."""
        if not remembered:
            book = self.rules(pk, None)
            return Reach(book.prefixes, frozenset(book.moments), book.by_class)
        terms, rules, published = ([spell.row for spell in self._past[model].get(pk, ())] for model in OWNED)
        groups = {rule.group_id for rule in rules if rule.group_id is not None}
        members = [spell.row for spell in self._past_members if spell.row.group_id in groups]
        prefixes = {rule.prefix for rule in rules if rule.prefix is not None}.union(*(one.prefixes for one in members))
        moments = frozenset(row.valid_from for row in (*terms, *rules, *published, *members))
        return Reach(frozenset(prefixes), moments, any(rule.service_class is not None for rule in rules))

    def exchange(self, known: datetime, live: Exchange) -> Exchange:
        """Exchange rates as they were known; one copy for each time that they were changed."""
        changes = self._exchange_changes
        position = bisect_right(changes, known)
        if position == len(changes):
            return live
        if position not in self._exchanges:
            rows = sorted((one.row for one in self._past_exchange if one.known_at(known)), key=_begins)
            said = ((row.base, row.quote, row.valid_from, row.rate) for row in rows)
            self._exchanges[position] = Exchange(Rates(None, said))
        return self._exchanges[position]

    @cached_property
    def _exchange_changes(self) -> list[datetime]:
        return sorted({at for one in self._past_exchange for at in (one.since, one.until) if at is not None})

    def exchange_moments(self) -> frozenset[datetime]:
        """All instants from which an exchange rate held or was once to hold."""
        return frozenset(one.row.valid_from for one in self._past_exchange)

    def same_since(self, pk: UUID, known: datetime) -> datetime | None:
        """The earliest instant from which a list has been the same up to `known`; None if it is so still.

        So lists that were published at different times share what did not change between.
        """
        stamps = self._changes(pk)
        position = bisect_right(stamps, known)
        if position == len(stamps):
            return None
        return stamps[position - 1] if position else known

    def _changes(self, pk: UUID) -> list[datetime]:
        """When anything of which a list is made was changed."""
        if pk not in self._stamps:
            self._stamps[pk] = []
            self._stamps[pk] = sorted(self._gather(pk))
        return self._stamps[pk]

    def _gather(self, pk: UUID) -> set[datetime]:
        one = self._lists.get(pk)
        if one is None:
            return set()
        past = [spell for model in OWNED for spell in self._past[model].get(pk, ())]
        if any(spell.row.group_id for spell in self._past[ListRule].get(pk, ())):
            past += self._past_members
        stamps = {at for spell in past for at in (spell.since, spell.until) if at is not None}
        if one.own_table_id:
            stamps.update(self.versions.moments(one.own_table_id))
        published = self._past[Publication].get(pk, ())
        if not published or any(spell.row.known_at is None for spell in published):
            stamps |= self._gather_base(one)
        return stamps

    def _gather_base(self, one: PriceList) -> set[datetime]:
        base = self._lists.get(one.base_list_id) if one.base_list_id else None
        stamps = set(self._changes(base.pk)) if base is not None else set()
        if one.base_table_id:
            stamps.update(self.versions.moments(one.base_table_id))
        currency = self._tables[one.base_table_id].currency if one.base_table_id else base.currency if base else None
        return stamps | set(self._exchange_changes) if currency not in (None, one.currency) else stamps


def _begins(row: Any) -> datetime:
    begins: datetime = row.valid_from
    return begins


def _by_list(found: Iterable[Any], row_of: Any = lambda one: one) -> dict[UUID, list[Any]]:
    by_list: dict[UUID, list[Any]] = defaultdict(list)
    for one in found:
        by_list[row_of(one).price_list_id].append(one)
    return by_list
