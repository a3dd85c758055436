"""What differs between two states of prices: a table or list before and after, prefix by prefix, and from when.

For a draft before it is published, a deck before it is imported, or the prices of two days.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from rating.numbers import ServiceClass
from rating.pricing.lists import ListBook
from rating.pricing.tables import RateRow, TableBook


class Kind(TextChoices):
    """What becomes of a price."""

    ADDED = "added", _("added")
    CLOSED = "closed", _("closed")
    RAISED = "raised", _("raised")
    LOWERED = "lowered", _("lowered")
    OTHERWISE = "otherwise", _("changed otherwise")


Priced = TableBook | ListBook | None
PriceOf = Callable[[str, datetime, "ServiceClass | None"], "RateRow | None"]
"""The rate of numbers that begin with a prefix at a moment, for calls of a class where that matters."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One prefix from `since` on: its rate before (None: none) and after; only for one class of calls, or for all."""

    prefix: str
    since: datetime
    before: RateRow | None
    after: RateRow | None
    service_class: ServiceClass | None = None

    @property
    def kind(self) -> Kind:
        before, after = _sold(self.before), _sold(self.after)
        if before is None or after is None:
            return Kind.ADDED if before is None and after is not None else Kind.CLOSED
        if before.price == after.price:
            return Kind.OTHERWISE
        return Kind.RAISED if after.price > before.price else Kind.LOWERED

    @property
    def destination(self) -> str:
        row = self.after or self.before
        return row.destination if row else ""

    @property
    def old(self) -> Decimal | None:
        """The price a minute before; None: not sold."""
        row = _sold(self.before)
        return None if row is None else row.price

    @property
    def new(self) -> Decimal | None:
        row = _sold(self.after)
        return None if row is None else row.price

    @property
    def share(self) -> Decimal | None:
        """0.25: a quarter dearer; None where there is nothing to compare."""
        if not self.old or self.new is None:
            return None
        return self.new / self.old - 1


def _sold(row: RateRow | None) -> RateRow | None:
    return None if row is None or row.blocked else row


@dataclass(frozen=True, slots=True)
class Look:
    """A moment at which two states are compared, for those prefixes that may differ anew."""

    moment: datetime
    prefixes: Iterable[str]


def differences(
    looks: Iterable[Look],
    before: PriceOf,
    after: PriceOf,
    classes: Collection[ServiceClass] = (),
    cause: Callable[[str, datetime], object] | None = None,
) -> list[Difference]:
    """What differs, by prefix and moment. A difference that goes on, with the same `cause`, is told once.

    Where `classes` matter, and only calls of one differ, it is named.
    """
    told: dict[tuple[str, ServiceClass | None], object] = {}
    found: list[Difference] = []
    for look in looks:
        for prefix in look.prefixes:
            general = _pair(before, after, prefix, look.moment, None)
            pairs = (
                [(None, general)]
                if general.differs
                else [(one, _pair(before, after, prefix, look.moment, one)) for one in classes]
            )
            for one, pair in pairs:
                why = pair.values if cause is None else cause(prefix, look.moment)
                if pair.differs and told.get((prefix, one)) != why:
                    found.append(Difference(prefix, look.moment, pair.before, pair.after, one))
                told[prefix, one] = why if pair.differs else None
    return sorted(found, key=lambda one: (one.prefix, one.since))


@dataclass(frozen=True, slots=True)
class _Pair:
    before: RateRow | None
    after: RateRow | None
    values: tuple[object, object]

    @property
    def differs(self) -> bool:
        return self.values[0] != self.values[1]


def _pair(before: PriceOf, after: PriceOf, prefix: str, moment: datetime, kind: ServiceClass | None) -> _Pair:
    old, new = before(prefix, moment, kind), after(prefix, moment, kind)
    return _Pair(old, new, (_terms(old), _terms(new)))


def _terms(row: RateRow | None) -> object:
    """What a buyer would notice: a name or a date alone is no other price, and what is closed is not sold."""
    if row is None or row.blocked:
        return None
    return (
        row.price, row.connect_fee, row.first_s or row.step_s, row.step_s, row.grace_s, row.free_s, row.min_charge,
        str(row.steps or ""), str(row.bands or ""),
    )  # fmt: skip


def of_list(book: ListBook) -> PriceOf:
    """By the longest prefix: where a code goes, calls are priced by a shorter one."""

    def price(prefix: str, moment: datetime, service_class: ServiceClass | None) -> RateRow | None:
        for length in range(len(prefix), 0, -1):
            found = book.at(prefix[:length], moment, service_class)
            if found is not None:
                return found.row
        return None

    return price


def of_table(book: TableBook) -> PriceOf:
    """By the longest prefix."""

    def price(prefix: str, moment: datetime, _service_class: ServiceClass | None) -> RateRow | None:
        for length in range(len(prefix), 0, -1):
            row = book.at(prefix[:length], moment)
            if row is not None:
                return row
        return None

    return price


def between_lists(before: ListBook, after: ListBook, since: datetime) -> list[Difference]:
    """What differs from a moment on between two states of a list that have the same own rates and rules."""
    later = sorted(moment for moment in before.moments | after.moments if moment > since)

    def cause(prefix: str, moment: datetime) -> object:
        """What the two are derived from: the list's own terms may change meanwhile."""
        return tuple(
            (_terms(_longest_in(base, prefix, moment)), rate)
            for base, rate in (before.source(moment), after.source(moment))
        )

    looks = _looks(before, after, since, later)
    return differences(looks, of_list(before), of_list(after), before.classes | after.classes, cause)


def _longest_in(book: Priced, prefix: str, moment: datetime) -> RateRow | None:
    if book is None:
        return None
    price = of_list(book) if isinstance(book, ListBook) else of_table(book)
    return price(prefix, moment, None)


def _looks(before: ListBook, after: ListBook, since: datetime, later: Sequence[datetime]) -> Iterator[Look]:
    """Only prefixes for which something below differs can differ; later on, those of them that change just then."""
    every = before.prefixes | after.prefixes
    for number, moment in enumerate([since, *later]):
        differing = _differing(before, after, moment)
        changing = _together(before.changing(moment), after.changing(moment)) if number else None
        chosen = every if differing is None else differing
        if changing is not None:
            chosen = chosen & _with_cuts(changing, before, after)
        yield Look(moment, sorted(chosen))


def _together(one: Set[str] | None, other: Set[str] | None) -> Set[str] | None:
    return None if one is None or other is None else one | other


def _differing(old: Priced, new: Priced, moment: datetime) -> Set[str] | None:
    """The prefixes whose rate may differ between two states at a moment, without deriving any; None: all."""
    if old is new:
        return frozenset()
    if isinstance(old, TableBook) and isinstance(new, TableBook):
        return {one for one in old.prefixes | new.prefixes if old.at(one, moment) != new.at(one, moment)}
    if not isinstance(old, ListBook) or not isinstance(new, ListBook):
        return None
    (old_base, old_rate), (new_base, new_rate) = old.source(moment), new.source(moment)
    if old_rate != new_rate or old.rules.signature(moment) != new.rules.signature(moment):
        return None
    both = _together(_differing(old_base, new_base, moment), _differing(old.own, new.own, moment))
    return None if both is None else _with_cuts(both, old, new)


def _with_cuts(prefixes: Set[str], *books: ListBook) -> Set[str]:
    """And the longer ones that rules cut out of them."""
    cuts = frozenset[str]().union(*(book.rules.prefixes for book in books))
    return prefixes | {cut for cut in cuts if any(cut[:length] in prefixes for length in range(1, len(cut)))}


def between_tables(before: TableBook, after: TableBook, since: datetime) -> list[Difference]:
    """What differs between two states of a table from a moment on, by prefix."""
    later = sorted(moment for moment in before.moments | after.moments if moment > since)
    looks = [Look(since, before.prefixes | after.prefixes)]
    looks += [Look(moment, before.changing(moment) | after.changing(moment)) for moment in later]
    return differences(looks, of_table(before), of_table(after))


def counted(found: Iterable[Difference]) -> dict[str, int]:
    """How many of each kind, every kind named."""
    counts = Counter(one.kind for one in found)
    return {kind.value: counts[kind] for kind in Kind}
