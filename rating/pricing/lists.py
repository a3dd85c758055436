"""Price lists compiled: which rate a list has for a prefix at a moment, entered or derived, with its derivation.

derived = base x (1 + mark-up) x exchange rate + add-on, kept to 8 places half up, in the list's currency. The base is a
table, or another list (the seller's own buy list), which may be derived itself.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Set
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from hashlib import blake2b
from typing import Any
from uuid import UUID

from rating.kernel import Rate as KernelRate
from rating.models import ListTerms, PriceList
from rating.pricing.exchange import Exchange
from rating.pricing.tables import Measure, RateRow, TableBook

PLACES = Decimal("0.00000001")


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


class ListBook:
    """One price list: entered rates before derived ones."""

    def __init__(
        self,
        price_list: PriceList,
        terms: Iterable[ListTerms],
        own: TableBook | None,
        base: TableBook | ListBook | None,
        exchange: Exchange,
    ) -> None:
        self.id: UUID = price_list.pk
        self.measure = Measure.of(price_list)
        self._own = own
        self._base = base
        self._exchange = exchange
        self._terms = sorted(terms, key=lambda one: one.valid_from)
        self._starts = [one.valid_from for one in self._terms]
        self._derived: dict[tuple[int, int, Decimal], Found] = {}
        self._kept_rows: list[RateRow] = []
        self._entered: dict[int, Found] = {}

    @cached_property
    def prefixes(self) -> Set[str]:
        """All that the list may have a rate for, at one time or another."""
        own, base = (part.prefixes if part else frozenset[str]() for part in (self._own, self._base))
        return own | base if own and base else own or base

    @cached_property
    def moments(self) -> frozenset[datetime]:
        """All instants at which what `at` answers may change for some prefix; see `Group.moments`."""
        own = self._own.moments if self._own else frozenset[datetime]()
        if self._base is None:
            return own
        exchanged = self._exchange.moments(self._base.measure.currency, self.measure.currency)
        return own.union(self._base.moments, self._starts, exchanged)

    @cached_property
    def longest(self) -> int:
        return max(map(len, self.prefixes), default=0)

    def entered(self, prefix: str, moment: datetime) -> Found | None:
        """The list's own rate of exactly this prefix."""
        row = self._own.at(prefix, moment) if self._own else None
        if row is None:
            return None
        found = self._entered.get(id(row))
        if found is None:
            found = Found(row, self.measure, (("kind", "own"), ("list", self.measure.code)))
            self._entered[id(row)] = found
        return found

    def derived(self, prefix: str, moment: datetime) -> Found | None:
        """The rate of exactly this prefix that follows from the base, by the terms and exchange rate of `moment`."""
        if self._base is None:
            return None
        base = self._base_rate(prefix, moment)
        position = bisect_right(self._starts, moment)
        if base is None or not position:
            return None
        terms = self._terms[position - 1]
        rate = self._exchange.rate(base.measure.currency, self.measure.currency, moment)
        if rate is None:
            return None
        key = (id(base.row), position, rate)
        found = self._derived.get(key)
        if found is None:
            found = self._derived[key] = self._derive(base, terms, rate)
            self._kept_rows.append(base.row)
        return found

    def at(self, prefix: str, moment: datetime) -> Found | None:
        """Entered before derived."""
        return self.entered(prefix, moment) or self.derived(prefix, moment)

    def _base_rate(self, prefix: str, moment: datetime) -> Found | None:
        base = self._base
        if isinstance(base, ListBook):
            return base.at(prefix, moment)
        assert base is not None
        row = base.at(prefix, moment)
        return None if row is None else deck_rate(base, row)

    def _derive(self, base: Found, terms: ListTerms, rate: Decimal) -> Found:
        row = base.row

        def sale(amount: Decimal) -> Decimal:
            return (amount * (1 + terms.markup) * rate).quantize(PLACES, ROUND_HALF_UP)

        def sale_per_minute(amount: Decimal) -> Decimal:
            return (amount * (1 + terms.markup) * rate + terms.addon).quantize(PLACES, ROUND_HALF_UP)

        own_increments = terms.step_s is not None or terms.first_s is not None
        derived = RateRow(
            prefix=row.prefix,
            destination=row.destination,
            price=sale_per_minute(row.price),
            connect_fee=sale(row.connect_fee) if terms.connect_fee is None else terms.connect_fee,
            first_s=terms.first_s if own_increments else row.first_s,
            step_s=(terms.step_s or terms.first_s or 1) if own_increments else row.step_s,
            grace_s=row.grace_s,
            free_s=row.free_s,
            min_charge=sale(row.min_charge),
            steps=_priced(row.steps, sale_per_minute),
            bands=_priced(row.bands, sale_per_minute),
            blocked=row.blocked,
            effective_from=row.effective_from,
            effective_to=row.effective_to,
        )
        origin = (
            ("kind", "derived"),
            ("list", self.measure.code),
            ("base", base.measure.code),
            ("base_price", f"{row.price.normalize():f}"),
            ("base_currency", base.measure.currency),
            ("markup", f"{terms.markup.normalize():f}"),
            ("addon", f"{terms.addon.normalize():f}"),
            ("exchange_rate", f"{rate.normalize():f}"),
        )
        return Found(derived, self.measure, origin)


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
