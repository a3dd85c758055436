"""Drafts: what lists that follow by publication would change if they were published, and which lists have one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from django.db import connection

from rating.models import Follows, PriceList, Publication, RateTable
from rating.pricing import Engine
from rating.pricing.current import current_engine
from rating.pricing.lists import Follow
from rating.selectors.differences import Difference, between_lists, counted
from tiers.viewer import Viewer

LONG_AGO = datetime.min.replace(tzinfo=UTC)
NEWEST_BY_LIST = """
SELECT price_list_id, max(at) FROM (
    SELECT price_list_id, max(recorded_at) AS at FROM rating_listterms GROUP BY 1
    UNION ALL SELECT price_list_id, max(recorded_at) FROM rating_listrule GROUP BY 1
    UNION ALL SELECT price_list_id, max(recorded_at) FROM rating_publication GROUP BY 1
    UNION ALL SELECT r.price_list_id, max(m.recorded_at) FROM rating_listrule r
                JOIN rating_groupmembers m USING (group_id) GROUP BY 1
    UNION ALL SELECT ("row" ->> 'price_list_id')::uuid, max(superseded_at) FROM rating_pastrow
               WHERE source IN ('rating_listterms', 'rating_listrule', 'rating_publication') GROUP BY 1
) every GROUP BY 1
"""
NEWEST_BY_TABLE = "SELECT table_id, max(at) FROM rating_tableversion GROUP BY 1"
NEWEST_BY_CURRENCY = """
SELECT code, max(at) FROM (
    SELECT unnest(ARRAY[base, quote]) AS code, recorded_at AS at FROM rating_exchangerate
    UNION ALL SELECT unnest(ARRAY["row" ->> 'base', "row" ->> 'quote']), superseded_at FROM rating_pastrow
               WHERE source = 'rating_exchangerate') every GROUP BY 1
"""


class Draft:
    """What would change in a list if it were published from a moment on."""

    def __init__(self, price_list: PriceList, at: datetime, engine: Engine | None = None) -> None:
        """The engine must know the newest prices."""
        self.price_list = price_list
        self.at = at
        self._engine = engine or current_engine()

    @cached_property
    def changes(self) -> list[Difference]:
        """By prefix; none for a list that follows automatically."""
        before = self._engine.shelf.book(self.price_list.pk)
        if before is None or self.price_list.follows != Follows.PUBLICATION:
            return []
        kept = [one for one in before.follows if one.since < self.at]
        after = before.changed(follows=[*kept, Follow(self.at, None)])
        return between_lists(before, after, self.at)

    @property
    def counts(self) -> dict[str, int]:
        """How many prices would be added, closed, raised, lowered or changed otherwise."""
        return counted(self.changes)

    def filtered(self, *, kind: str = "", text: str = "") -> list[Difference]:
        """Those of one kind, whose prefix begins with `text` or whose destination contains it."""
        digits, name = text.lstrip("+").replace(" ", ""), text.casefold()
        return [
            one
            for one in self.changes
            if (not kind or one.kind == kind)
            and (one.prefix.startswith(digits) if digits.isdigit() else name in one.destination.casefold())
        ]


def publications(viewer: Viewer, price_list: PriceList) -> list[Publication]:
    """When a list that the viewer was shown was published, the newest first."""
    rows = Publication.visible.for_viewer(viewer).filter(price_list=price_list)
    return list(rows.order_by("-valid_from")[:50])


def pending(viewer: Viewer) -> list[PriceList]:
    """The viewer's own lists whose base, or an exchange rate, was changed since they were published last.

    A change may turn out to move no price of the list; the draft says.
    """
    own = PriceList.visible.for_viewer(viewer).filter(seller=viewer.party, follows=Follows.PUBLICATION, active=True)
    found = list(own.exclude(base_table=None, base_list=None).order_by("code"))
    if not found:
        return []
    published = _known(found)
    changes = Changes()
    return [one for one in found if one.pk in published and changes.of_base(one) > published[one.pk]]


def _known(found: Iterable[PriceList]) -> dict[UUID, datetime]:
    rows = Publication.objects.filter(price_list__in=list(found), known_at__isnull=False).order_by("known_at")
    return dict(rows.values_list("price_list", "known_at"))


class Changes:
    """When the rows were last changed of which lists are made."""

    def __init__(self) -> None:
        self._tables = _asked(NEWEST_BY_TABLE)
        self._rows = _asked(NEWEST_BY_LIST)
        self._lists = {one.pk: one for one in PriceList.objects.all()}
        self._currencies = dict(RateTable.objects.values_list("pk", "currency"))
        self._live = set(Publication.objects.filter(known_at__isnull=True).values_list("price_list", flat=True))

    @cached_property
    def _exchange(self) -> dict[Any, datetime]:
        return _asked(NEWEST_BY_CURRENCY)

    def of_base(self, one: PriceList, depth: int = 0) -> datetime:
        """The newest change of what a list is derived from."""
        base = self._lists.get(one.base_list_id) if one.base_list_id else None
        stamps = [LONG_AGO]
        if one.base_table_id in self._tables:
            stamps.append(self._tables[one.base_table_id])
        if base is not None and depth < len(self._lists):
            stamps.append(self.of_list(base, depth + 1))
        currency = base.currency if base is not None else self._currencies.get(one.base_table_id)
        if currency not in (None, one.currency):
            stamps += [self._exchange[code] for code in (currency, one.currency) if code in self._exchange]
        return max(stamps)

    def of_list(self, one: PriceList, depth: int = 0) -> datetime:
        """The newest change of a list; of its base too where that reaches it unpublished."""
        stamps = [self._rows.get(one.pk), self._tables.get(one.own_table_id)]
        if one.follows == Follows.AUTOMATIC or one.pk in self._live:
            stamps.append(self.of_base(one, depth))
        return max((stamp for stamp in stamps if stamp is not None), default=LONG_AGO)


def _asked(query: str) -> dict[Any, datetime]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return dict(cursor.fetchall())
