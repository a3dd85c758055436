"""Price lists compiled: which rate a list has for a prefix at a moment, entered or derived, with its derivation.

derived = base x (1 + mark-up) x exchange rate + add-on, kept to 8 places half up, in the list's currency. The base is a
table, or another list (the seller's own buy list), which may be derived itself. A list that follows by publication
takes base and exchange rate as they were known at its publication.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from hashlib import blake2b
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from rating.kernel import Rate as KernelRate
from rating.models import PriceList
from rating.numbers import ServiceClass
from rating.pricing.rules import Effective, RuleBook
from rating.pricing.tables import Measure, RateRow, TableBook

PLACES = Decimal("0.00000001")
TICK = timedelta(microseconds=1)


@dataclass(frozen=True)
class Found:
    """A rate found for a prefix: its row, how amounts are worked out, and where it came from.

    `origin` tells the derivation in plain figures: kind (deck, own, derived), list or table, base price, mark-up,
    add-on, exchange rate.
    """

    row: RateRow
    measure: Measure
    origin: tuple[tuple[str, str], ...]

    @cached_property
    def kernel(self) -> KernelRate:
        row, measure = self.row, self.measure
        body: dict[str, Any] = {
            "price": row.price,
            "connect_fee": row.connect_fee,
            "first_s": row.first_s,
            "step_s": row.step_s,
            "grace_s": row.grace_s,
            "free_s": row.free_s,
            "min_charge": row.min_charge,
            "decimals": measure.decimals,
            "rounding": measure.rounding,
            "time_zone": measure.time_zone,
            "band_rule": measure.band_rule,
        }
        if not row.steps and not row.bands:
            return KernelRate(**body)
        body |= {"steps": row.steps or [], "bands": row.bands or []}
        return KernelRate.from_json(body | {"holidays": list(measure.holidays) if row.bands else []})

    @cached_property
    def terms(self) -> dict[str, Any]:
        """What is frozen with a rated call, and enough to explain it for ever."""
        return {
            "rate": _plain(self.kernel.to_json()),
            "currency": self.measure.currency,
            "prefix": self.row.prefix,
            "destination": self.row.destination,
            "origin": dict(self.origin),
        }

    @cached_property
    def digest(self) -> bytes:
        """16 bytes over all that `terms` is made of, without making it."""
        row, measure = self.row, self.measure
        rate = (row.price, row.connect_fee, row.first_s, row.step_s, row.grace_s, row.free_s, row.min_charge)
        rounding = (measure.currency, measure.decimals, measure.rounding)
        calendar = (row.steps, row.bands, measure.time_zone, measure.band_rule, measure.holidays)
        whole = repr((row.prefix, row.destination, rate, rounding, calendar, self.origin))
        return blake2b(whole.encode(), digest_size=16).digest()


def deck_rate(book: TableBook, row: RateRow) -> Found:
    """A row of a table as a rate, made once."""
    found = book.made.get(id(row))
    if found is None:
        found = book.made[id(row)] = Found(row, book.measure, (("kind", "deck"), ("table", book.measure.code)))
    assert isinstance(found, Found)
    return found


class Follow(NamedTuple):
    """From a moment on a list is derived from its base as it was known then; `known` None: as it stands."""

    since: datetime
    known: datetime | None


ALWAYS_LIVE = (Follow(datetime.min.replace(tzinfo=UTC), None),)


class Surroundings(Protocol):
    """What a list is derived from and bounded by; the shelf's business."""

    def base(self, known: datetime | None) -> TableBook | ListBook | None:
        """The base as it stands, or as it was known."""

    def exchange_rate(self, base: str, quote: str, moment: datetime, known: datetime | None) -> Decimal | None:
        """The rate in force at a moment, as it stands or as it was known."""

    @property
    def prefixes(self) -> Set[str]:
        """All for which a rate of the base or of the list's own may be found, at one time or another."""

    @property
    def moments(self) -> frozenset[datetime]:
        """All instants at which the base, the exchange rate or an own rate may change."""

    @property
    def by_class(self) -> bool:
        """Whether the base's answer may differ by service class."""


class ListBook:
    """One price list: entered rates before derived ones."""

    def __init__(
        self,
        price_list: PriceList,
        rules: RuleBook,
        own: TableBook | None,
        around: Surroundings,
        follows: Sequence[Follow] = ALWAYS_LIVE,
    ) -> None:
        """`follows`: at least one; before the first begins, it holds already."""
        self.id: UUID = price_list.pk
        self.measure = Measure.of(price_list)
        self.rules = rules
        self.around = around
        self.follows = sorted(follows, key=lambda one: one.since)
        self._price_list = price_list
        self.own = own
        self._starts = [one.since for one in self.follows]
        self._bases: dict[datetime | None, TableBook | ListBook | None] = {}
        self._derived: dict[tuple[int, str, int, Decimal], Found] = {}
        self._kept: list[RateRow] = []
        self._entered: dict[int, Found] = {}

    def changed(self, *, rules: RuleBook | None = None, follows: Sequence[Follow] | None = None) -> ListBook:
        """The same list with other terms, or derived from the base as known at other instants."""
        return ListBook(self._price_list, rules or self.rules, self.own, self.around, follows or self.follows)

    @cached_property
    def prefixes(self) -> Set[str]:
        """All that the list may have a rate for, at one time or another."""
        cuts, known = self.rules.prefixes, self.around.prefixes
        return known | cuts if cuts else known

    @cached_property
    def moments(self) -> frozenset[datetime]:
        """All instants at which what `at` answers may change for some prefix; see `Group.moments`."""
        return self.around.moments.union(self.rules.moments, self._starts)

    @cached_property
    def by_class(self) -> bool:
        """Whether the answer may differ by service class, here or in the base."""
        return self.rules.by_class or self.around.by_class

    @cached_property
    def longest(self) -> int:
        return max(map(len, self.prefixes), default=0)

    @property
    def classes(self) -> frozenset[ServiceClass]:
        """Those that rules look at now, here or in the base as it stands."""
        base = self._base_known(self.follows[-1].known)
        return self.rules.classes | base.classes if isinstance(base, ListBook) else self.rules.classes

    def source(self, moment: datetime) -> tuple[TableBook | ListBook | None, Decimal | None]:
        """What the list is derived from at a moment, and at which exchange rate."""
        known = self.follows[max(bisect_right(self._starts, moment) - 1, 0)].known
        base = self._base_known(known)
        if base is None:
            return None, None
        return base, self.around.exchange_rate(base.measure.currency, self.measure.currency, moment, known)

    def changing(self, moment: datetime) -> Set[str] | None:
        """The prefixes whose rate may change just then, beside codes cut out of them; None: all of them."""
        base, rate = self.source(moment)
        if moment in self.rules.moments or self.source(moment - TICK) != (base, rate):
            return None
        own = self.own.changing(moment) if self.own else set[str]()
        below = base.changing(moment) if base is not None else set[str]()
        return None if below is None else own | below

    def entered(self, prefix: str, moment: datetime) -> Found | None:
        """The list's own rate of exactly this prefix."""
        row = self.own.at(prefix, moment) if self.own else None
        if row is None:
            return None
        found = self._entered.get(id(row))
        if found is None:
            found = Found(row, self.measure, (("kind", "own"), ("list", self.measure.code)))
            self._entered[id(row)] = found
        return found

    def derived(self, prefix: str, moment: datetime, service_class: ServiceClass | None = None) -> Found | None:
        """The rate of exactly this prefix that follows from the base, by the terms and exchange rate of `moment`.

        A rule for a prefix cuts the base's longest code that it lies under.
        """
        epoch = self.rules.at(moment)
        if epoch is None:
            return None
        known = self.follows[max(bisect_right(self._starts, moment) - 1, 0)].known
        source = self._base_known(known)
        if source is None:
            return None
        base = _rate_of(source, prefix, moment, service_class)
        if base is None and prefix in epoch.cuts:
            shorter = (prefix[:length] for length in range(len(prefix) - 1, 0, -1))
            base = next(filter(None, (_rate_of(source, one, moment, service_class) for one in shorter)), None)
        if base is None:
            return None
        rate = self.around.exchange_rate(base.measure.currency, self.measure.currency, moment, known)
        if rate is None:
            return None
        terms = self.rules.effective(epoch, prefix, base.row.destination, service_class)
        key = (id(base.row), prefix, id(terms), rate)
        found = self._derived.get(key)
        if found is None:
            found = self._derived[key] = derive(base, prefix, terms, rate, self.measure)
            self._kept.append(base.row)
        return found

    def forget(self) -> None:
        """Let go of what was derived: with new exchange rates every day it has no end."""
        self._derived.clear()
        self._kept.clear()

    def at(self, prefix: str, moment: datetime, service_class: ServiceClass | None = None) -> Found | None:
        """Entered before derived."""
        return self.entered(prefix, moment) or self.derived(prefix, moment, service_class)

    def _base_known(self, known: datetime | None) -> TableBook | ListBook | None:
        if known not in self._bases:
            self._bases[known] = self.around.base(known)
        return self._bases[known]


def _rate_of(
    source: TableBook | ListBook, prefix: str, moment: datetime, service_class: ServiceClass | None
) -> Found | None:
    if isinstance(source, ListBook):
        return source.at(prefix, moment, service_class)
    row = source.at(prefix, moment)
    return None if row is None else deck_rate(source, row)


def derive(base: Found, prefix: str, terms: Effective, rate: Decimal, measure: Measure) -> Found:
    """A rate of the base for this prefix (the base's, or one that a rule cuts out of it) by these terms."""
    row = base.row

    def sale(amount: Decimal) -> Decimal:
        return (amount * (1 + terms.markup) * rate).quantize(PLACES, ROUND_HALF_UP)

    def sale_per_minute(amount: Decimal) -> Decimal:
        return (amount * (1 + terms.markup) * rate + terms.addon).quantize(PLACES, ROUND_HALF_UP)

    own_increments = terms.step_s is not None
    derived = RateRow(
        prefix=prefix,
        destination=row.destination,
        price=sale_per_minute(row.price),
        connect_fee=sale(row.connect_fee) if terms.connect_fee is None else terms.connect_fee,
        first_s=terms.first_s if own_increments else row.first_s,
        step_s=terms.step_s if terms.step_s is not None else row.step_s,
        grace_s=row.grace_s,
        free_s=row.free_s,
        min_charge=sale(row.min_charge) if terms.min_charge is None else terms.min_charge,
        steps=_priced(row.steps, sale_per_minute),
        bands=_priced(row.bands, sale_per_minute),
        blocked=row.blocked,
        effective_from=row.effective_from,
        effective_to=row.effective_to,
    )
    origin = (
        ("kind", "derived"),
        ("list", measure.code),
        ("base", base.measure.code),
        ("base_price", f"{row.price.normalize():f}"),
        ("base_currency", base.measure.currency),
        ("markup", f"{terms.markup.normalize():f}"),
        ("addon", f"{terms.addon.normalize():f}"),
        ("exchange_rate", f"{rate.normalize():f}"),
        *((f"{name}_by", label) for name, label in terms.by),
        *((("cut_from", row.prefix),) if row.prefix != prefix else ()),
    )
    return Found(derived, measure, origin)


def _priced(parts: Any, sale: Callable[[Decimal], Decimal]) -> Any:
    """Steps or bands with every price in them derived."""
    if not parts:
        return parts
    marked = []
    for part in parts:
        copy = dict(part)
        if copy.get("price") is not None:
            copy["price"] = str(sale(Decimal(str(copy["price"]))))
        if copy.get("steps"):
            copy["steps"] = _priced(copy["steps"], sale)
        marked.append(copy)
    return marked


def _plain(value: Any) -> Any:
    """JSON without Decimal: figures as text, so that nothing reads them as floats."""
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value
