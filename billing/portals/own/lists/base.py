"""What every page of one price list has: the list, or 404; its tabs; whether the reader may change it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.portals.tabs import Tab, tabs
from billing.portals.views import PortalView
from rating.models import Follows, PriceList
from rating.pricing import Engine
from rating.pricing.lists import ListBook
from rating.selectors import prices
from tiers.errors import NotFound
from tiers.models import Kind
from tiers.roles import May

T = TypeVar("T")


def list_tabs(request: HttpRequest, kind: str, price_list: PriceList) -> list[Tab]:
    """The pages of one list."""
    entries = [
        (gettext_lazy("Prices"), "list"),
        (gettext_lazy("Rules"), "list_rules"),
        (gettext_lazy("On a day"), "list_day"),
        (gettext_lazy("To come"), "list_coming"),
    ]
    if price_list.follows == Follows.PUBLICATION and (price_list.base_table_id or price_list.base_list_id):
        entries.append((gettext_lazy("Draft"), "list_draft"))
    return tabs(request, *((word, reverse(f"{kind}:{name}", args=[price_list.code])) for word, name in entries))


class ListView(PortalView):
    """A page of a list that the viewer may see; a dealer sees its own lists only."""

    kind = ""
    own_only = False
    """The page changes the list: it must be of the viewer's own party."""

    @cached_property
    def price_list(self) -> PriceList:
        found = prices.list_by_code(self.viewer, self.kwargs["code"])
        own = found.seller_id == self.viewer.party.pk
        if not own and (self.own_only or self.kind != Kind.OPERATOR):
            raise NotFound("no_list", _("There is no such price list here."))
        return found

    @property
    def may_change(self) -> bool:
        return self.price_list.seller_id == self.viewer.party.pk and self.viewer.may(May.PRICES)

    @cached_property
    def engine(self) -> Engine:
        return Engine()

    @property
    def book(self) -> ListBook:
        found = self.engine.shelf.book(self.price_list.pk)
        assert found is not None
        return found

    def url(self, name: str, *args: Any) -> str:
        return reverse(f"{self.kind}:{name}", args=args or [self.kwargs["code"]])

    def list_page(self, **context: Any) -> Any:
        """The view's template with the list, its tabs and where its pages are."""
        return self.page(
            list=self.price_list,
            tabs=list_tabs(self.request, self.kind, self.price_list),
            may_change=self.may_change,
            ns=self.kind,
            lists_url=reverse("operator:lists" if self.kind == Kind.OPERATOR else "dealer:prices"),
            **context,
        )


class Slice(Generic[T]):
    """One page of rows that stand in memory, in the order of a key; `previous`, `following` as in keyset pages."""

    def __init__(self, rows: Sequence[T], params: Mapping[str, Any], key: Callable[[T], str], size: int = 50) -> None:
        rows = sorted(rows, key=key)
        keys = [key(row) for row in rows]
        after, before = params.get("after"), params.get("before")
        start = bisect_right(keys, after) if after else 0
        if before and not after:
            start = max(bisect_left(keys, before) - size, 0)
        self.rows = rows[start : start + size]
        self.previous = keys[start] if start and self.rows else None
        self.following = keys[start + size - 1] if start + size < len(rows) else None

    def __bool__(self) -> bool:
        return bool(self.rows)
