"""All active price lists, compiled and ranked: which of them price a buyer's call by a carrier, and in which order."""

from __future__ import annotations

from collections.abc import Sequence, Set
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from uuid import UUID

from rating.models import PriceList, RateTable
from rating.numbers import ServiceClass
from rating.pricing.exchange import Exchange
from rating.pricing.lists import Found, ListBook, deck_rate
from rating.pricing.shelf_memory import Memory, Reach
from rating.pricing.tables import CACHE, TableBook


class Shelf:
    """Lists by (brand, buyer, carrier). Tables come from the process's cache, lists are read anew each time.

    A list that is not active prices no calls; it stays the base of those that are derived from it.
    """

    def __init__(self) -> None:
        self.exchange = Exchange()
        self._tables = {table.pk: table for table in RateTable.objects.all()}
        self._lists = {one.pk: one for one in PriceList.objects.all()}
        self.memory = Memory(self._tables, self._lists)
        self._books: dict[tuple[UUID, datetime | None], ListBook] = {}
        self._reach: dict[tuple[UUID, bool], Reach] = {}
        self._by_place: dict[tuple[UUID, UUID | None, UUID | None], UUID] = {
            (one.brand_id, one.buyer_id, one.carrier_id): one.pk for one in self._lists.values() if one.active
        }
        self._ranked: dict[tuple[UUID, UUID, UUID | None], Groups] = {}
        self._grouped: dict[tuple[int, ...], Group] = {}

    def table(self, pk: UUID, known: datetime | None = None) -> TableBook:
        """A table as it stands, or as it was known at an instant."""
        table = self._tables[pk]
        if known is None:
            return CACHE.get(table)
        return CACHE.get_known(table, known, self.memory.versions.at(table, known))

    def find(
        self,
        brand: UUID,
        buyer: UUID,
        carrier: UUID | None,
        number: str,
        moment: datetime,
        service_class: ServiceClass | None = None,
    ) -> FoundIn | None:
        """The rate that holds: the longest prefix over the lists for this carrier, else over those for any."""
        return find_in(self.groups(brand, buyer, carrier), number, moment, service_class)

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
            self._ranked[key] = [self._group(books) for books in ranked]
        return self._ranked[key]

    def make_ready(self, like: Shelf | None) -> None:
        """Compile beforehand what calls will ask for: each active list, and the places that were asked of another."""
        for pk in list(self._by_place.values()):
            book = self.book(pk)
            if book is not None:
                _ = book.prefixes
        for brand, buyer, carrier in list(like._ranked) if like else []:
            self.groups(brand, buyer, carrier)

    def _group(self, books: list[ListBook]) -> Group:
        """Buyers with the same lists share one group: its prefixes are many."""
        key = tuple(id(book) for book in books)
        if key not in self._grouped:
            self._grouped[key] = Group(books)
        return self._grouped[key]

    def forget(self) -> None:
        """Let go of the rates derived so far, which are made anew when they are asked for."""
        for book in self._books.values():
            book.forget()

    def _at(self, brand: UUID, buyer: UUID | None, carrier: UUID | None) -> ListBook | None:
        pk = self._by_place.get((brand, buyer, carrier))
        return None if pk is None else self.book(pk)

    def book(self, pk: UUID, above: frozenset[UUID] = frozenset(), known: datetime | None = None) -> ListBook | None:
        """A list compiled, as it stands or as it was known; one that is its own base, directly or not, has no base."""
        if known is not None:
            known = self.memory.same_since(pk, known)
        if (pk, known) in self._books:
            return self._books[pk, known]
        one = self._lists.get(pk)
        if one is None or pk in above:
            return None
        own = self.table(one.own_table_id, known) if one.own_table_id else None
        around = Around(self, one, above | {pk}, known)
        book = ListBook(one, self.memory.rules(pk, known), own, around, self.memory.follows(pk, known))
        self._books[pk, known] = book
        return book

    def reach(self, pk: UUID, remembered: bool) -> Reach:
        """Where a list may have rates and when they may change; `remembered`: in the past's view of it as well."""
        key = (pk, remembered)
        if key not in self._reach:
            self._reach[key] = Reach(frozenset(), frozenset(), False)  # a list that is its own base adds nothing
            self._reach[key] = self._reached(self._lists.get(pk), remembered)
        return self._reach[key]

    def _reached(self, one: PriceList | None, remembered: bool) -> Reach:
        if one is None:
            return Reach(frozenset(), frozenset(), False)
        parts = [self.memory.ruled(one.pk, remembered)]
        if one.own_table_id:
            parts.append(self._table_reach(one.own_table_id, remembered))
        below = remembered or any(follow.known for follow in self.memory.follows(one.pk, None))
        if one.base_table_id:
            parts.append(self._table_reach(one.base_table_id, below))
        elif one.base_list_id:
            parts.append(self.reach(one.base_list_id, below))
        currency = self._base_currency(one)
        if currency is not None:
            exchanged = self.exchange.moments(currency, one.currency)
            past = self.memory.exchange_moments() if below and currency != one.currency else frozenset[datetime]()
            parts.append(Reach(frozenset(), frozenset(exchanged) | past, False))
        return Reach.of(parts)

    def _table_reach(self, pk: UUID, remembered: bool) -> Reach:
        book = self.table(pk)
        if remembered:
            return Reach(book.prefixes_ever, book.moments_ever, False)
        return Reach(book.prefixes, book.moments, False)

    def _base_currency(self, one: PriceList) -> str | None:
        if one.base_table_id:
            return self._tables[one.base_table_id].currency
        base = self._lists.get(one.base_list_id) if one.base_list_id else None
        return None if base is None else base.currency


class Around:
    """What surrounds one list on a shelf, as it stands or as it was known."""

    def __init__(self, shelf: Shelf, price_list: PriceList, above: frozenset[UUID], known: datetime | None) -> None:
        self._shelf = shelf
        self._list = price_list
        self._above = above
        self._known = known

    def base(self, known: datetime | None) -> TableBook | ListBook | None:
        known = known or self._known
        if self._list.base_table_id:
            return self._shelf.table(self._list.base_table_id, known)
        if self._list.base_list_id:
            return self._shelf.book(self._list.base_list_id, self._above, known)
        return None

    def exchange_rate(self, base: str, quote: str, moment: datetime, known: datetime | None) -> Decimal | None:
        known = known or self._known
        exchange = self._shelf.exchange if known is None else self._shelf.memory.exchange(known, self._shelf.exchange)
        return exchange.rate(base, quote, moment)

    @cached_property
    def _reach(self) -> Reach:
        return self._shelf.reach(self._list.pk, self._known is not None)

    @property
    def prefixes(self) -> Set[str]:
        return self._reach.prefixes

    @property
    def moments(self) -> frozenset[datetime]:
        return self._reach.moments

    @property
    def by_class(self) -> bool:
        return self._reach.by_class


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

    def __init__(self, books: list[ListBook]) -> None:
        self.books = books
        known = [book.prefixes for book in books]
        self.prefixes: Set[str] = known[0] if len(known) == 1 else frozenset[str]().union(*known)
        self.longest = max(map(len, self.prefixes), default=0)
        self.by_class = any(book.by_class for book in books)

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
                found = book.at(prefix, moment, service_class)
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
