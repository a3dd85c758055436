"""Pages by key for the portals: a page costs the same at the start and after five million rows; nothing is counted.

Two questions per page at most stay one: the rows are asked for with one more than fits, which says whether there is a
further page. `?after=KEY` shows what follows a row, `?before=KEY` what precedes it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet

PAGE_ROWS = 50
M = TypeVar("M", bound=Model)


@dataclass(frozen=True)
class Page(Generic[M]):
    """Rows of one page; `previous` and `following` are keys for `?before=` and `?after=`, or None at an end."""

    rows: list[M]
    previous: str | None
    following: str | None

    def __bool__(self) -> bool:
        return bool(self.rows)


def page_of(
    rows: QuerySet[M],
    params: Mapping[str, Any],
    *,
    key: str = "id",
    newest_first: bool = True,
    parse: Callable[[str], Any] = UUID,
    size: int = PAGE_ROWS,
) -> Page[M]:
    """One page of `rows` in the order of `key`, which must be unique. A key that cannot be read starts at the top."""
    after, before = _key(params.get("after"), parse), _key(params.get("before"), parse)
    backwards = before is not None and after is None
    pivot = before if backwards else after
    descending = newest_first != backwards
    if pivot is not None:
        rows = rows.filter(**{f"{key}__{'lt' if descending else 'gt'}": pivot})
    found = list(rows.order_by(f"-{key}" if descending else key)[: size + 1])
    more, shown = len(found) > size, found[:size]
    if backwards:
        shown.reverse()
    has_previous = more if backwards else pivot is not None
    has_following = pivot is not None if backwards else more
    return Page(
        shown,
        str(_value(shown[0], key)) if shown and has_previous else None,
        str(_value(shown[-1], key)) if shown and has_following else None,
    )


def _value(row: Model, key: str) -> Any:
    return getattr(row, key)


def _key(text: str | None, parse: Callable[[str], Any]) -> Any:
    if not text:
        return None
    try:
        return parse(text)
    except ValueError:
        return None
