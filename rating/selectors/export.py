"""Rates on their way out: a table or a price list as lines that the reader of decks takes back unchanged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from django.db.models import Q

from rating.models import PriceList, RateTable
from rating.pricing.lists import ListBook
from rating.selectors.prices import begins_after, in_force, rates
from rating.selectors.shown_in import ShownIn

HEADER = (
    "Prefix",
    "Destination",
    "Rate {currency}",
    "Connect Fee",
    "First Interval",
    "Next Interval",
    "Grace",
    "Free Seconds",
    "Min Charge",
    "Effective Date",
    "Forbidden",
    "By Time",
)
PRICED = tuple(HEADER.index(name) for name in ("Rate {currency}", "Connect Fee", "Min Charge"))
AT_A_TIME = 5000

Line = tuple[Any, ...]


def header(shown: ShownIn) -> list[str]:
    """The names of the columns; prices are per minute in the currency shown, times in seconds, dates in UTC."""
    names = [name.format(currency=shown.currency) for name in HEADER]
    return [*names, "Exchange Rate"] if shown.said else names


def taken_over(lines: Iterable[Line], shown: ShownIn) -> Iterator[Line]:
    """The same lines in another currency, with the rate stated on each; as they are where none was chosen."""
    if shown.said is None:
        yield from lines
        return
    for line in lines:
        prices = {at: _plain(shown.price(line[at])) for at in PRICED}
        yield (*(prices.get(at, value) for at, value in enumerate(line)), shown.plainly)


def table_lines(table: RateTable, at: datetime) -> Iterator[Line]:
    """The rates of a table that the viewer was shown: those in force at a moment and those to come, by prefix."""
    found: Q = in_force(at) | begins_after(at)
    for rate in rates(table).filter(found).order_by("prefix", "effective_from").iterator(chunk_size=AT_A_TIME):
        yield _line(rate.prefix, rate, rate.effective_from)


def list_lines(price_list: PriceList, book: ListBook, at: datetime) -> Iterator[Line]:
    """What a list charges at a moment, own prices and derived ones, by prefix; never what they are derived from."""
    for prefix in sorted(book.prefixes):
        found = book.at(prefix, at)
        if found is not None:
            yield _line(prefix, found.row, at)


def _line(prefix: str, rate: Any, begins: datetime) -> Line:
    return (
        prefix,
        rate.destination,
        _plain(rate.price),
        _plain(rate.connect_fee),
        rate.first_s or rate.step_s,
        rate.step_s,
        rate.grace_s,
        rate.free_s,
        _plain(rate.min_charge),
        begins.astimezone(UTC).isoformat(timespec="seconds"),
        int(rate.blocked),
        int(bool(rate.steps or rate.bands)),
    )


def _plain(amount: Any) -> Any:
    """The amount without needless zeros, still exact and never in powers of ten."""
    short = amount.normalize()
    return short if short.as_tuple().exponent <= 0 else short.quantize(1)
