"""What is sold below cost: the question before a change is saved, and the page that lists it all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django import forms

from rating.models import PriceList
from rating.pricing import Engine
from rating.selectors.exchange import Exchange
from rating.services.guard import MOST_SHOWN, BelowCostError, Sold, sold_below_cost

ACCEPTED = "accept_loss"
MOST_AT_ONCE = 15_000
"""So many codes are compared while the reader waits; beyond, a list is chosen."""


class AsksAboutLoss:
    """Mix-in for a form that changes prices: what would be sold below cost is shown, and saved when that is meant."""

    request: Any
    below: BelowCostError | None = None

    @property
    def accepted(self) -> bool:
        return self.request.POST.get(ACCEPTED) == "1"

    def form_page(self, form: forms.Form, status: int = 200) -> Any:
        self.below = getattr(form, "below", None)
        return super().form_page(form, status)  # type: ignore[misc]

    def more_context(self, form: forms.Form) -> dict[str, Any]:
        found: dict[str, Any] = super().more_context(form)  # type: ignore[misc]
        return found | {"below": self.below, "below_rows": self.below.sold[:MOST_SHOWN] if self.below else []}


@dataclass(frozen=True)
class BelowPage:
    """`rows` widest first, at most so many of `count`. `lists` may be looked at; `chosen` is, None: all of them."""

    rows: list[Sold]
    count: int
    lists: list[PriceList]
    chosen: PriceList | None


def below_cost_page(
    lists: Iterable[PriceList], engine: Engine, at: Any, wanted: str = "", most: int = 500
) -> BelowPage:
    """Over all active lists of a seller, by the gap a minute, whatever the currency; of long lists one at a time."""
    known = [one for one in lists if one.active]
    chosen = next((one for one in known if one.code == wanted), None)
    books = (engine.shelf.book(one.pk) for one in known)
    if chosen is None and known and sum(len(book.prefixes) for book in books if book) > MOST_AT_ONCE:
        chosen = known[0]
    rows: list[Sold] = []
    for one in [chosen] if chosen else known:
        rows += sold_below_cost(one, engine=engine, at=at)
    exchange = Exchange(at)
    first = rows[0].currency if rows else ""
    rates = {code: exchange.rate(code, first) or 1 for code in {one.currency for one in rows}}
    rows.sort(key=lambda one: -one.loss.gap * rates[one.currency])
    return BelowPage(rows[:most], len(rows), known, chosen)
