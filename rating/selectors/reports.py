"""What a report is about: a time and the one before it, and who and what by their codes.

Read by the portals and the API alike, so that both ask the same question of the facts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from rating.models import Carrier
from rating.selectors import prices
from rating.selectors.facts import Question
from rating.selectors.figures import By
from tiers.errors import Invalid, NotFound
from tiers.models import Kind
from tiers.selectors import people
from tiers.selectors.look import brand_of_party
from tiers.viewer import Viewer

HOUR = timedelta(hours=1)
MOST_DAYS = 800
"""A report is of two years and a bit at most."""


class Span(StrEnum):
    TODAY = "today"
    YESTERDAY = "yesterday"
    WEEK = "week"
    MONTH = "month"
    LAST_MONTH = "last"
    DAYS = "days"


@dataclass(frozen=True)
class Period:
    """Whole days from `first` to `last` in `zone`, and as many before them, `before_first` to `before_last`.

    A period that is not over is compared with the same stretch of the one before: up to this hour, or this day.
    """

    span: Span
    first: date
    last: date
    zone: ZoneInfo
    now: datetime

    @property
    def start(self) -> datetime:
        return midnight(self.first, self.zone)

    @property
    def end(self) -> datetime:
        return midnight(self.last + timedelta(days=1), self.zone)

    @property
    def before_first(self) -> date:
        if self.span in (Span.MONTH, Span.LAST_MONTH):
            return (self.first - timedelta(days=1)).replace(day=1)
        return self.first - timedelta(days=self.days)

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def open(self) -> bool:
        return self.start <= self.now < self.end

    @property
    def before(self) -> tuple[datetime, datetime]:
        start = midnight(self.before_first, self.zone)
        if not self.open:
            return start, self.start
        passed = self.now.replace(minute=0, second=0, microsecond=0) + HOUR - self.start.astimezone(UTC)
        return start, min(start.astimezone(UTC) + passed, self.start)

    @property
    def before_last(self) -> date:
        return (self.before[1] - timedelta(microseconds=1)).astimezone(self.zone).date()


def period_of(
    span: Span, zone: ZoneInfo, now: datetime, since: date | None = None, until: date | None = None
) -> Period:
    """A period by its name, or the days from `since` to `until`. Raises Invalid("period") for days of no use."""
    today = now.astimezone(zone).date()
    month = today.replace(day=1)
    if span == Span.DAYS:
        first, last = since or until or today, until or max(since or today, today)
        if last < first or (last - first).days >= MOST_DAYS:
            raise Invalid("period", _("The days run from an earlier one to a later, two years at most."), where="to")
        return Period(span, first, last, zone, now)
    days = {
        Span.TODAY: (today, today),
        Span.YESTERDAY: (today - timedelta(days=1), today - timedelta(days=1)),
        Span.WEEK: (today - timedelta(days=today.weekday()), today - timedelta(days=today.weekday() - 6)),
        Span.MONTH: (month, _month_after(month) - timedelta(days=1)),
        Span.LAST_MONTH: ((month - timedelta(days=1)).replace(day=1), month - timedelta(days=1)),
    }
    return Period(span, *days[span], zone, now)


def _month_after(month: date) -> date:
    return (month + timedelta(days=32)).replace(day=1)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone)


@dataclass(frozen=True)
class Asked:
    """A report by codes, as an address or a request names things."""

    bought: bool = False
    seller: str = ""
    buyer: str = ""
    carrier: str = ""
    service_class: str = ""
    destination: str | None = None
    hour: int | None = None
    every_seller: bool = False


def question(viewer: Viewer, period: Period, asked: Asked, currency: str) -> Question:
    """The question to the facts. Raises NotFound for a party or carrier that is not the viewer's to see."""
    buyer = people.party_by_code(viewer, asked.buyer) if asked.buyer else None
    seller = people.party_by_code(viewer, asked.seller) if asked.seller else None
    if seller is None and buyer is not None and buyer.depth > viewer.party.depth + 1:
        seller = people.parties(viewer).filter(path=buyer.parent_path).first()
    return Question(
        viewer=viewer,
        start=period.start,
        end=period.end,
        zone=period.zone,
        currency=currency,
        bought=asked.bought,
        before=period.before,
        seller=seller,
        buyer=buyer,
        carrier=carrier_seen(viewer, asked.carrier) if asked.carrier else None,
        service_class=asked.service_class or None,
        destination=asked.destination,
        hour=asked.hour,
        every_seller=asked.every_seller,
    )


def carriers_seen(viewer: Viewer) -> list[Carrier]:
    """The carriers that a viewer's facts may name: all for the operator, those offered for everybody else."""
    if viewer.party.kind == Kind.OPERATOR:
        return list(prices.carriers(viewer))
    return list(prices.offered_carriers())


def carrier_seen(viewer: Viewer, code: str) -> Carrier:
    found = next((one for one in carriers_seen(viewer) if one.code == code), None)
    if found is None:
        raise NotFound("no_carrier", _("There is no such carrier here."), where="carrier")
    return found


def home_of(viewer: Viewer) -> tuple[ZoneInfo, str]:
    """The time zone and currency in which a party reads its reports: its brand's."""
    brand = brand_of_party(viewer.party)
    return (ZoneInfo(brand.time_zone), brand.currency) if brand else (ZoneInfo("UTC"), "USD")


SOLD = (By.BUYER, By.DESTINATION, By.DAY, By.CARRIER, By.SERVICE_CLASS, By.HOUR, By.MONTH)
BOUGHT = SOLD[1:]
"""How what was sold, and what was bought, may be grouped."""


def groupings(viewer: Viewer, *, bought: bool) -> tuple[By, ...]:
    if bought:
        return BOUGHT
    sells_below = people.parties_below(viewer).exclude(kind=Kind.CUSTOMER).exists()
    return (*SOLD[:1], By.SELLER, *SOLD[1:]) if sells_below else SOLD
