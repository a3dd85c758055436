"""What a mark-up would earn, before it is set: the list derived anew with other terms, beside what the seller pays."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from rating.models import ListTerms, PriceList
from rating.pricing.lists import Found, ListBook
from rating.selectors.tariffs import Tariff

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Effect:
    """Per minute and in the list's currency: what the seller pays, sells at now, and would sell at and earn."""

    destination: str
    number: str
    currency: str
    buy: Decimal | None
    now: Decimal | None
    then: Decimal | None

    @property
    def earn(self) -> Decimal | None:
        return None if self.buy is None or self.then is None else self.then - self.buy

    @property
    def earn_now(self) -> Decimal | None:
        return None if self.buy is None or self.now is None else self.now - self.buy


def effects(price_list: PriceList, terms: ListTerms, bought: Tariff, numbers: Iterable[str]) -> list[Effect]:
    """For each E.164 number; own rates of the list stay as they are. `bought` is the seller's tariff as a buyer."""
    present = bought.engine.shelf.book(price_list.pk)
    terms.valid_from = LONG_AGO
    changed = present.changed(rules=present.rules.with_terms(terms)) if present else None
    return [_effect(price_list, number, bought, present, changed) for number in numbers]


def _effect(
    price_list: PriceList, number: str, bought: Tariff, present: ListBook | None, changed: ListBook | None
) -> Effect:
    buy = bought.by_list(number, price_list.carrier_id)
    now = _longest(present, number, bought.at) if present else None
    then = _longest(changed, number, bought.at) if changed else None
    named = then or now or buy
    return Effect(
        named.row.destination if named else number,
        number,
        price_list.currency,
        _in_currency(buy, price_list.currency, bought),
        now.row.price if now else None,
        then.row.price if then else None,
    )


def _longest(book: ListBook, number: str, moment: datetime) -> Found | None:
    for length in range(min(len(number), book.longest), 0, -1):
        found = book.at(number[:length], moment)
        if found is not None:
            return found
    return None


def _in_currency(found: Found | None, currency: str, bought: Tariff) -> Decimal | None:
    if found is None:
        return None
    rate = bought.engine.shelf.exchange.rate(found.measure.currency, currency, bought.at)
    return None if rate is None else found.row.price * rate
