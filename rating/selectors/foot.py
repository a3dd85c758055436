"""The foot of a list of calls: what all that is filtered comes to, from facts where they know the filter.

A month of calls is not added up for a page. Where a filter asks for what facts do not keep (a number, a caller, an
amount), the newest calls are added up, so many and no more, and the page says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from django.db.models import QuerySet, Sum

from rating.models import RatedCall
from rating.selectors.calls import CallSum, began_between, sums
from rating.selectors.facts import MICRO, Question, facts_of, rows_of
from rating.selectors.figures import By

MOST_ADDED = 10_000
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Foot:
    """`newest`: only so many of the calls are in the sums; None where all are."""

    sums: list[CallSum]
    newest: int | None = None


def foot(rows: QuerySet[RatedCall], asked: Question | None) -> Foot:
    """What `rows` come to. `asked` says the same as their filters; None where facts cannot."""
    if asked is None:
        return _newest(rows)
    first, last = _hour_from(asked.start), _hour_before(asked.end)
    if first >= last:
        return Foot(sums(rows))
    found = _of_facts(replace(asked, start=first, end=last))
    for start, end in ((asked.start, first), (last, asked.end)):
        if start < end:
            found = [*found, *sums(rows.filter(began_between(start, end)))]
    return Foot(_joined(found))


def _newest(rows: QuerySet[RatedCall]) -> Foot:
    bound = rows.order_by("-id").values_list("id", flat=True)[MOST_ADDED : MOST_ADDED + 1].first()
    return Foot(sums(rows)) if bound is None else Foot(sums(rows.filter(id__gt=bound)), MOST_ADDED)


def _of_facts(asked: Question) -> list[CallSum]:
    rows = facts_of(asked).filter(rows_of(asked, By.CARRIER, asked.start, asked.end)).order_by()
    kinds = ("currency",) if asked.bought else ("currency", "cost_currency")
    found = rows.values(*kinds).annotate(
        calls=Sum("charged"), seconds=Sum("duration_s"), sales=Sum("sale_micro"), costs=Sum("cost_micro")
    )
    return [
        CallSum(
            currency=row["currency"],
            calls=int(row["calls"]),
            duration_s=int(row["seconds"]),
            sale=Decimal(row["sales"]).scaleb(-MICRO),
            cost_currency=None if asked.bought else row["cost_currency"],
            cost=None if asked.bought or row["cost_currency"] is None else Decimal(row["costs"]).scaleb(-MICRO),
        )
        for row in found
    ]


def _joined(found: Iterable[CallSum]) -> list[CallSum]:
    """One line for each pair of currencies."""
    totals: dict[tuple[str, str], CallSum] = {}
    for one in found:
        key = (one.currency, one.cost_currency or "")
        before = totals.get(key)
        totals[key] = one if before is None else _added(before, one)
    return [totals[key] for key in sorted(totals) if totals[key].calls]


def _added(one: CallSum, other: CallSum) -> CallSum:
    cost = None if one.cost is None and other.cost is None else (one.cost or Decimal(0)) + (other.cost or Decimal(0))
    return replace(
        one,
        calls=one.calls + other.calls,
        duration_s=one.duration_s + other.duration_s,
        sale=one.sale + other.sale,
        cost=cost,
    )


def _hour_before(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _hour_from(moment: datetime) -> datetime:
    return _hour_before(moment + HOUR - timedelta(microseconds=1))
