"""All active price lists, compiled and ranked: which of them price a buyer's call by a carrier, and in which order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence, Set
from datetime import datetime
from functools import cached_property
from uuid import UUID

from rating.models import ListTerms, PriceList, RateTable
from rating.numbers import ServiceClass
from rating.pricing.exchange import Exchange
from rating.pricing.lists import Found, ListBook, deck_rate
from rating.pricing.tables import CACHE, TableBook


class Shelf:
    """Lists by (brand, buyer, carrier). Tables come from the process's cache, lists are read anew each time."""

    def __init__(self) -> None:
        self.exchange = Exchange()
        self._tables = {table.pk: table for table in RateTable.objects.all()}
        self._lists = {one.pk: one for one in PriceList.objects.filter(active=True)}
        self._terms: dict[UUID, list[ListTerms]] = defaultdict(list)
        for terms in ListTerms.objects.all():
            self._terms[terms.price_list_id].append(terms)
        self._books: dict[UUID, ListBook] = {}
        self._by_place: dict[tuple[UUID, UUID | None, UUID | None], UUID] = {
            (one.brand_id, one.buyer_id, one.carrier_id): one.pk for one in self._lists.values()
        }
        self._ranked: dict[tuple[UUID, UUID, UUID | None], Groups] = {}

    def table(self, pk: UUID) -> TableBook:
        return CACHE.get(self._tables[pk])

    def find(self, brand: UUID, buyer: UUID, carrier: UUID | None, number: str, moment: datetime) -> FoundIn | None:
        """The rate that holds: the longest prefix over the lists for this carrier, else over those for any."""
        return find_in(self.groups(brand, buyer, carrier), number, moment)

    def has_list(self, brand: UUID, buyer: UUID, carrier: UUID | None) -> bool:
        return any(group.books for group in self.groups(brand, buyer, carrier))

    def carries(self, brand: UUID, buyer: UUID, carrier: UUID) -> bool:
        """Whether a list for just this carrier prices the buyer's calls."""
        return any((brand, whom, carrier) in self._by_place for whom in (buyer, None))

    def tables_under(self, brand: UUID, buyer: UUID, carrier: UUID | None) -> set[UUID]:
        """The rate tables that these lists are made from, own ones and bases, at any depth."""
        places = [(brand, whom, by) for whom in (buyer, None) for by in {carrier, None}]
        waiting = [self._by_place.get(place) for place in places]
        seen: set[UUID] = set()
        tables: set[UUID] = set()
        while waiting:
            one = self._lists.get(waiting.pop())
            if one is None or one.pk in seen:
                continue
            seen.add(one.pk)
            tables.update(pk for pk in (one.own_table_id, one.base_table_id) if pk)
            waiting.append(one.base_list_id)
        return tables

    def groups(self, brand: UUID, buyer: UUID, carrier: UUID | None) -> Groups:
        """The buyer's own lists and the brand's for the carrier together; the brand's for any carrier behind them."""
        key = (brand, buyer, carrier)
        if key not in self._ranked:
            any_carrier = self._at(brand, None, None)
            group = [self._at(brand, buyer, carrier)] if carrier else []
            group += [self._at(brand, buyer, None)]
            if carrier:
                group += [self._at(brand, None, carrier)]
            first = [book for book in group if book is not None]
            ranked = [first, [any_carrier]] if any_carrier else [first]
            self._ranked[key] = [Group(books) for books in ranked]
        return self._ranked[key]

    def _at(self, brand: UUID, buyer: UUID | None, carrier: UUID | None) -> ListBook | None:
        pk = self._by_place.get((brand, buyer, carrier))
        return None if pk is None else self.book(pk)

    def book(self, pk: UUID, above: frozenset[UUID] = frozenset()) -> ListBook | None:
        """A list compiled; a list that is its own base, directly or not, has no base."""
        if pk in self._books:
            return self._books[pk]
        one = self._lists.get(pk)
        if one is None or pk in above:
            return None
        base: TableBook | ListBook | None = None
        if one.base_table_id:
            base = self.table(one.base_table_id)
        elif one.base_list_id:
            base = self.book(one.base_list_id, above | {pk})
        own = self.table(one.own_table_id) if one.own_table_id else None
        self._books[pk] = ListBook(one, self._terms[pk], own, base, self.exchange)
        return self._books[pk]


class FoundIn:
    """A rate and the list it stands in."""

    __slots__ = ("found", "list_id")

    def __init__(self, list_id: UUID, found: Found) -> None:
        self.list_id = list_id
        self.found = found


class Group:
    """Lists of equal rank: the longest prefix over all of them holds.

    Pricing by columns asks `find` once for all calls that must have the same answer, so what `find` gives may depend
    on nothing but: which of `prefixes` the number begins with; between which two neighbours of `moments` the call
    lies; and, only where `by_class` is True, the service class.
    """

    by_class = False
    """Whether the answer may differ by service class."""

    def __init__(self, books: list[ListBook]) -> None:
        self.books = books
        known = [book.prefixes for book in books]
        self.prefixes: Set[str] = known[0] if len(known) == 1 else frozenset[str]().union(*known)
        self.longest = max(map(len, self.prefixes), default=0)

    @cached_property
    def moments(self) -> Sequence[datetime]:
        """All instants, in order, at which the answer for some number may change: each counts to what follows it."""
        return sorted(frozenset[datetime]().union(*(book.moments for book in self.books)))

    def find(self, number: str, moment: datetime, service_class: ServiceClass | None = None) -> FoundIn | None:
        """Longest prefix first; at equal length in the order of the lists, entered before derived within a list."""
        for length in range(min(len(number), self.longest), 0, -1):
            prefix = number[:length]
            if prefix not in self.prefixes:
                continue
            for book in self.books:
                found = book.at(prefix, moment)
                if found is not None:
                    return FoundIn(book.id, found)
        return None


Groups = list[Group]


def find_in(groups: Groups, number: str, moment: datetime, service_class: ServiceClass | None = None) -> FoundIn | None:
    """The rate of the first group that has one."""
    for group in groups:
        found = group.find(number, moment, service_class)
        if found is not None:
            return found
    return None


def in_table(book: TableBook, number: str, moment: datetime) -> Found | None:
    """The longest prefix in force in one table: what a carrier charges."""
    for length in range(min(len(number), book.longest), 0, -1):
        row = book.at(number[:length], moment)
        if row is not None:
            return deck_rate(book, row)
    return None
