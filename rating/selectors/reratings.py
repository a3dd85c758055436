"""Re-ratings as a viewer may see them: runs of its own party and of sellers below, with what they came to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from rating.models import RerateRun
from tiers.errors import NotFound
from tiers.viewer import Viewer

BULKY = ("totals", "largest", "increases")


def runs(viewer: Viewer) -> QuerySet[RerateRun]:
    """Newest first by id, without what only a run's own page shows."""
    rows = RerateRun.visible.for_viewer(viewer).select_related("party", "price_list", "customer", "source")
    found: QuerySet[RerateRun] = rows.defer(*BULKY)
    return found


def run_by_id(viewer: Viewer, key: UUID | str) -> RerateRun:
    """Raises NotFound."""
    rows = RerateRun.visible.for_viewer(viewer).select_related("party", "price_list", "customer", "source")
    found: RerateRun | None = rows.filter(pk=key).first()
    if found is None:
        raise NotFound("no_rerating", _("There is no such re-rating here."))
    return found


@dataclass(slots=True)
class Line:
    """Differences of one pair, or (`buyer` and `carrier` empty) of all that a seller sold in a currency."""

    seller: str
    buyer: str
    carrier: str
    currency: str
    calls: int = 0
    more: Decimal = Decimal(0)
    less: Decimal = Decimal(0)
    tax: Decimal = Decimal(0)
    pairs: list[Line] = field(default_factory=list)

    @property
    def difference(self) -> Decimal:
        return self.more + self.less

    def add(self, other: Line) -> None:
        self.calls += other.calls
        self.more += other.more
        self.less += other.less
        self.tax += other.tax


def by_tier(run: RerateRun) -> list[Line]:
    """One line for each seller and currency and one for what carriers are paid, each with its pairs, largest first."""
    tiers: dict[tuple[str, bool, str], Line] = {}
    for row in run.totals:
        pair = _line(row)
        key = (pair.seller, bool(pair.carrier), pair.currency)
        tier = tiers.setdefault(key, Line(pair.seller, "", "", pair.currency))
        tier.add(pair)
        tier.pairs.append(pair)
    for tier in tiers.values():
        tier.pairs.sort(key=lambda pair: -abs(pair.difference))
    return [tiers[key] for key in sorted(tiers)]


def _line(row: dict[str, Any]) -> Line:
    more, less, tax = (Decimal(row[name]) for name in ("more", "less", "tax"))
    buyer, carrier = row["buyer"] or "", row["carrier"] or ""
    return Line(row["seller"], buyer, carrier, row["currency"], row["calls"], more, less, tax)


@dataclass(frozen=True, slots=True)
class Increase:
    """What a prepaid buyer would pay more, or (`done`) was charged; with tax."""

    party: str
    code: str
    name: str
    seller: str
    currency: str
    calls: int
    amount: Decimal
    done: bool


def increases(run: RerateRun) -> list[Increase]:
    """Largest first."""
    return [Increase(**{**row, "amount": Decimal(row["amount"])}) for row in run.increases]


@dataclass(frozen=True, slots=True)
class Largest:
    """One of the largest differences: a call (None: of a pair that is charged for it the first time)."""

    call: str | None
    record: str
    number: str
    seller: str
    buyer: str
    currency: str
    before: Decimal
    after: Decimal

    @property
    def difference(self) -> Decimal:
        return self.after - self.before


def largest(run: RerateRun) -> list[Largest]:
    rows: Iterable[dict[str, Any]] = run.largest
    return [Largest(**{**row, "before": Decimal(row["before"]), "after": Decimal(row["after"])}) for row in rows]
