"""Calls as a viewer may see them: sold at its own tier or below, cost only where the seller is the viewer's to see.

The big tables are asked by id, for ids carry the call's start: a month is a range of ids and touches one partition.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Count, F, Q, QuerySet, Sum
from django.utils.translation import gettext as _

from rating.models import RatedCall, RecordStatus, UsageRecord
from rating.selectors.corrections import as_now, moved
from tiers.errors import NotFound
from tiers.models import Party
from tiers.viewer import Viewer

MILLISECOND = timedelta(milliseconds=1)


def id_floor(moment: datetime) -> UUID:
    """The smallest id of a call that began at `moment` or later (as rating_id_floor in the database)."""
    return UUID(hex=f"{int(moment.timestamp() * 1000):012x}70008000000000000000")


def began_between(start: datetime, end: datetime) -> Q:
    """Rows whose call began from `start` to before `end`."""
    return Q(id__gte=id_floor(start), id__lt=id_floor(end))


def sold_calls(viewer: Viewer) -> QuerySet[RatedCall]:
    """What the viewer's party sold: one row a call, with its own sale and cost."""
    rows = RatedCall.visible.for_viewer(viewer).filter(seller=viewer.party)
    found: QuerySet[RatedCall] = rows.select_related("buyer", "customer", "carrier")
    return found


def bought_calls(viewer: Viewer, buyer: Party | None = None) -> QuerySet[RatedCall]:
    """What a party (the viewer's own unless said) was charged. Their cost is the seller's: never show it."""
    rows = RatedCall.visible.for_viewer(viewer).filter(buyer=buyer or viewer.party)
    found: QuerySet[RatedCall] = rows.defer("cost", "cost_currency", "cost_terms", "cost_transfer_id")
    return found.select_related("customer")


def tiers_of_call(viewer: Viewer, call: RatedCall) -> list[RatedCall]:
    """The same call at every tier that the viewer may see, from the customer up, at what it costs now."""
    rows = RatedCall.visible.for_viewer(viewer).filter(
        began_between(call.started_at, call.started_at + MILLISECOND), record_id=call.record_id
    )
    found = rows.select_related("seller", "buyer", "terms", "cost_terms", "price_list", "carrier")
    return sorted(as_now(found), key=lambda row: -row.seller.depth)


def rated_call(viewer: Viewer, key: UUID) -> RatedCall:
    """One rated call of the viewer's part of the tree, at what it costs now. Raises NotFound."""
    rows = RatedCall.visible.for_viewer(viewer).select_related("seller", "buyer", "customer", "carrier", "terms")
    found: RatedCall | None = rows.filter(pk=key).first()
    if found is None:
        raise NotFound("no_call", _("There is no such call here."))
    return as_now([found])[0]


def record_of(viewer: Viewer, call: RatedCall) -> UsageRecord | None:
    """What the source reported about a rated call."""
    found: UsageRecord | None = (
        UsageRecord.visible.for_viewer(viewer).select_related("source").filter(pk=call.record_id).first()
    )
    return found


def unrated(viewer: Viewer) -> QuerySet[UsageRecord]:
    """Calls that are charged nowhere because some tier has no price for them."""
    rows = UsageRecord.visible.for_viewer(viewer).filter(status=RecordStatus.UNRATED)
    found: QuerySet[UsageRecord] = rows.select_related("customer", "source")
    return found


def free(viewer: Viewer) -> QuerySet[UsageRecord]:
    """Calls that are kept and charged to nobody: ask for a stretch of time, for there is no index over all of them."""
    rows = UsageRecord.visible.for_viewer(viewer).filter(status=RecordStatus.FREE)
    found: QuerySet[UsageRecord] = rows.select_related("customer", "source")
    return found


@dataclass(frozen=True)
class CallSum:
    """What a list of calls comes to in one currency. `cost` is in `cost_currency`, None where nothing is costed."""

    currency: str
    calls: int
    duration_s: int
    sale: Decimal
    cost_currency: str | None
    cost: Decimal | None


def sums(rows: QuerySet[RatedCall]) -> list[CallSum]:
    """The foot of a table of calls: one line per pair of currencies."""
    found = (
        rows.order_by()
        .values("currency", costs_in=F("cost_currency"))
        .annotate(calls=Count("id"), seconds=Sum("duration_s"), sales=Sum("sale"), costs=Sum("cost"))
    )
    totals: dict[tuple[str, str | None], CallSum] = {}
    for sign, row in (*((1, row) for row in found), *moved(rows)):
        key = (row["currency"], row["costs_in"])
        totals[key] = _added(totals.get(key, CallSum(key[0], 0, 0, Decimal(0), key[1], None)), sign, row)
    return [totals[key] for key in sorted(totals, key=str) if totals[key].calls]


def _added(total: CallSum, sign: int, row: Any) -> CallSum:
    cost = total.cost if row["costs"] is None else (total.cost or Decimal(0)) + sign * row["costs"]
    return replace(
        total,
        calls=total.calls + sign * row["calls"],
        duration_s=total.duration_s + sign * int(row["seconds"] or 0),
        sale=total.sale + sign * row["sales"],
        cost=cost,
    )


def month_bounds(month: date, zone: object) -> tuple[datetime, datetime]:
    """A calendar month as two moments, in a zone."""
    first = datetime(month.year, month.month, 1, tzinfo=zone)  # type: ignore[arg-type]
    after = datetime(month.year + month.month // 12, month.month % 12 + 1, 1, tzinfo=zone)  # type: ignore[arg-type]
    return first, after
