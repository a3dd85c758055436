"""What a price list charges, line by line: own prices and derived ones, a page at a time, in order of the prefix."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from heapq import nsmallest
from uuid import UUID

from rating.models import PriceList, Rate
from rating.pricing import Engine
from rating.pricing.lists import Found
from rating.selectors.prices import in_force

PAGE_ROWS = 50
MOST_ROWS = 500
MOST_TRIES = 5000
"""So many codes are looked at for one page, should most of them have no price now."""


def list_prices(
    price_list: PriceList, engine: Engine, at: datetime, *, text: str = "", after: str = "", size: int = PAGE_ROWS
) -> tuple[list[Found], str | None]:
    """Rates in force whose prefix or destination is `text`, from behind the prefix `after`: (a page, the key of the
    next one or None). The list is one that the viewer was shown."""
    book = engine.shelf.book(price_list.pk)
    if book is None:
        return [], None
    digits = text.lstrip("+").replace(" ", "")
    found: list[Found] = []
    wanted: Iterable[str]
    if text and not digits.isdigit():
        wanted = _named(price_list, text, after, at)
    else:
        ahead = (one for one in book.prefixes if one > after and one.startswith(digits))
        wanted = nsmallest(MOST_TRIES, ahead)
    for prefix in wanted:
        one = book.at(prefix, at)
        if one is None or (text and not digits.isdigit() and text.casefold() not in one.row.destination.casefold()):
            continue
        if len(found) == size:
            return found, found[-1].row.prefix
        found.append(one)
    return found, None


def _named(price_list: PriceList, text: str, after: str, at: datetime) -> list[str]:
    """Codes that some table under the list calls so, in order."""
    rows = Rate.objects.filter(
        in_force(at), table__in=_tables(price_list), destination__icontains=text, prefix__gt=after
    )
    return list(rows.order_by("prefix").values_list("prefix", flat=True).distinct()[:MOST_TRIES])


def _tables(price_list: PriceList) -> set[UUID]:
    found: set[UUID] = set()
    step: PriceList | None = price_list
    seen: set[UUID] = set()
    while step is not None and step.pk not in seen:
        seen.add(step.pk)
        found.update(pk for pk in (step.own_table_id, step.base_table_id) if pk)
        step = step.base_list
    return found
