"""Prices through time: a list on any day, what is to come, and the history of one prefix."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from django.db.models import Q

from rating.models import ListRule, ListTerms, PriceList, Publication, Rate
from rating.numbers import ServiceClass
from rating.pricing.lists import Found, ListBook
from tiers.viewer import Viewer

BEGINNING = datetime.min.replace(tzinfo=UTC)


class Change(StrEnum):
    """What is to come."""

    RATE = "rate"
    RATE_END = "rate_end"
    TERMS = "terms"
    RULE = "rule"
    PUBLICATION = "publication"


@dataclass(frozen=True, slots=True)
class Coming:
    """One change from `since` on; `row` is the rate, terms, rule or publication that says so."""

    kind: Change
    since: datetime
    row: Any


@dataclass(frozen=True, slots=True)
class Stretch:
    """How a prefix is priced from `since` up to `until` (None: for ever); None: not sold."""

    since: datetime | None
    until: datetime | None
    found: Found | None


def coming(viewer: Viewer, price_list: PriceList, at: datetime) -> list[Coming]:
    """What is entered for a list that the viewer was shown and has not begun, in order of time."""
    later = {"price_list": price_list, "valid_from__gt": at}
    terms = ListTerms.visible.for_viewer(viewer).filter(**later)
    rules = ListRule.visible.for_viewer(viewer).filter(**later).select_related("group")
    published = Publication.visible.for_viewer(viewer).filter(**later)
    found = [
        *(Coming(Change.TERMS, row.valid_from, row) for row in terms),
        *(Coming(Change.RULE, row.valid_from, row) for row in rules),
        *(Coming(Change.PUBLICATION, row.valid_from, row) for row in published),
    ]
    if price_list.own_table is not None:
        found += coming_rates(Rate.objects.filter(table=price_list.own_table), at)
    return sorted(found, key=lambda one: one.since)


def coming_rates(rates: Any, at: datetime, most: int = 500) -> list[Coming]:
    """Of some rates those that begin later, and those that end later with nothing after them; the soonest first."""
    rows = list(rates.filter(Q(effective_from__gt=at) | Q(effective_to__gt=at)).order_by("effective_from")[:most])
    begins = {(row.prefix, row.effective_from) for row in rows}
    found = [Coming(Change.RATE, row.effective_from, row) for row in rows if row.effective_from > at]
    ends = [row for row in rows if row.effective_to is not None and (row.prefix, row.effective_to) not in begins]
    found += [Coming(Change.RATE_END, row.effective_to, row) for row in ends]
    return sorted(found, key=lambda one: one.since)


def timeline(book: ListBook, digits: str, service_class: ServiceClass | None = None) -> list[Stretch]:
    """How numbers that begin with `digits` were, are and will be priced by a list, in order of time."""
    edges = [BEGINNING, *sorted(book.moments)]
    stretches: list[Stretch] = []
    for since in edges:
        found = longest(book, digits, since, service_class)
        last = stretches[-1] if stretches else None
        if last is not None and _same(last.found, found):
            continue
        if last is not None:
            stretches[-1] = Stretch(last.since, since, last.found)
        stretches.append(Stretch(None if since == BEGINNING else since, None, found))
    return [one for one in stretches if one.since is not None or one.found is not None]


def _same(one: Found | None, other: Found | None) -> bool:
    if one is None or other is None:
        return one is other
    return (
        one.row.prefix == other.row.prefix and one.terms["rate"] == other.terms["rate"] and one.origin == other.origin
    )


def longest(book: ListBook, digits: str, moment: datetime, service_class: ServiceClass | None = None) -> Found | None:
    """What a list charges for a number, or for all that begin so."""
    for length in range(min(len(digits), book.longest), 0, -1):
        found = book.at(digits[:length], moment, service_class)
        if found is not None:
            return found
    return None


def on_day(book: ListBook, at: datetime, text: str = "", after: str = "", before: str = "") -> Iterator[Found]:
    """What a list charges at a moment, by prefix; backwards from `before` where that is given."""
    prefixes = sorted(book.prefixes)
    digits = text.lstrip("+").replace(" ", "")
    if digits.isdigit():
        prefixes = prefixes[bisect_left(prefixes, digits) : bisect_right(prefixes, digits + "~")]
        text = ""
    chosen: Iterable[str] = prefixes[bisect_right(prefixes, after) :] if after else prefixes
    if before and not after:
        chosen = reversed(prefixes[: bisect_left(prefixes, before)])
    name = text.casefold()
    for prefix in chosen:
        found = book.at(prefix, at)
        if found is not None and name in found.row.destination.casefold():
            yield found
