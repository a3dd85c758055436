"""What facts come to: the words a report is asked in, and the figures it answers with."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

COUNTS = ("attempts", "answered", "charged", "duration_s", "billed_s", "uncosted")
MONEY = ("sale", "tax", "cost")


class By(StrEnum):
    """What the rows of a report are."""

    DAY = "day"
    MONTH = "month"
    HOUR = "hour"
    BUYER = "buyer"
    SELLER = "seller"
    DESTINATION = "destination"
    CARRIER = "carrier"
    SERVICE_CLASS = "class"


IN_TIME = frozenset({By.DAY, By.MONTH})
"""Groups of which an earlier time has none in common."""
CLOCKED = IN_TIME | {By.HOUR}
"""Groups with an order of their own."""


class Order(StrEnum):
    """By what rows are ranked, the greatest first; NAME (and every group in time) in its natural order."""

    SALE = "sale"
    COST = "cost"
    MARGIN = "margin"
    MARGIN_SHARE = "margin_share"
    CALLS = "calls"
    MINUTES = "minutes"
    ANSWERED = "asr"
    LASTED = "acd"
    NAME = "name"


@dataclass
class Figures:
    """What some facts come to: per currency, and `sale_in` and `cost_in` in the report's.

    `uncosted` charged calls have a carrier whose cost is not known yet. `no_rate`: currencies left out of what is
    converted, for want of an exchange rate.
    """

    attempts: int = 0
    answered: int = 0
    charged: int = 0
    duration_s: int = 0
    billed_s: int = 0
    uncosted: int = 0
    sale: dict[str, Decimal] = field(default_factory=dict)
    tax: dict[str, Decimal] = field(default_factory=dict)
    cost: dict[str, Decimal] = field(default_factory=dict)
    sale_in: Decimal = Decimal(0)
    cost_in: Decimal = Decimal(0)
    no_rate: set[str] = field(default_factory=set)

    @property
    def asr(self) -> Decimal | None:
        """Answer-seizure ratio: the share of attempts that somebody answered."""
        return Decimal(self.answered) / self.attempts if self.attempts else None

    @property
    def acd_s(self) -> int | None:
        """Average duration of a charged call, in whole seconds."""
        return round(self.duration_s / self.charged) if self.charged else None

    @property
    def minutes(self) -> Decimal:
        return Decimal(self.duration_s) / 60

    @property
    def margin_in(self) -> Decimal:
        return self.sale_in - self.cost_in

    @property
    def margin_share(self) -> Decimal | None:
        return self.margin_in / self.sale_in if self.sale_in else None

    def add(self, part: Part) -> None:
        for name, count in zip(COUNTS, part.counts, strict=True):
            setattr(self, name, getattr(self, name) + count)
        for name, currency in (("sale", part.currency), ("tax", part.currency), ("cost", part.cost_currency)):
            amount = getattr(part, name)
            if currency and (amount or name == "sale"):
                kept = getattr(self, name)
                kept[currency] = kept.get(currency, Decimal(0)) + amount
        for converted, currency in ((part.sale_in, part.currency), (part.cost_in, part.cost_currency)):
            if converted is None and currency:
                self.no_rate.add(currency)
        self.sale_in += part.sale_in or 0
        self.cost_in += part.cost_in or 0


@dataclass
class Line:
    """One row of a report: now, before, and where it ranks (from 1)."""

    key: str
    now: Figures = field(default_factory=Figures)
    before: Figures = field(default_factory=Figures)
    place: int = 0
    moved: int = 0

    @property
    def change(self) -> Decimal:
        return self.now.sale_in - self.before.sale_in


@dataclass
class Table:
    """The rows of one grouping, and what all of them come to, also those beyond the most that were asked for."""

    by: By
    lines: list[Line]
    movers: list[Line]
    count: int
    total: Figures
    total_before: Figures

    @property
    def more(self) -> int:
        return self.count - len(self.lines)


class Part(NamedTuple):
    """Of one row of a table: one pair of currencies, now or before. `kind`: "row" or "sum" (of all rows)."""

    kind: str
    key: str | None
    past: bool
    place: int
    moved: int
    rows: int
    currency: str
    cost_currency: str | None
    counts: tuple[int, ...]
    sale: Decimal
    tax: Decimal
    cost: Decimal
    sale_in: Decimal | None
    cost_in: Decimal | None
