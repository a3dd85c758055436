"""What allowances cover of a month's calls: in order of time, from the first to the last second included.

A call that the allowance does not cover whole is covered in part, and pays for the rest at its own price. What is
given back of a call in parts never exceeds its charge, since the parts are differences of rounded running sums.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from uuid import UUID

PLACES = Decimal("0.000001")
SECONDS, CALLS = "seconds", "calls"


@dataclass(frozen=True, slots=True)
class Call:
    """As it is charged: `charge` of all of its billed seconds, `tax` charged beside it; `day` is its local day."""

    day: date
    customer: UUID
    service_class: str
    billed_s: int
    charge: Decimal
    tax: Decimal


@dataclass(slots=True)
class Allowance:
    """So many seconds or calls of these classes (none: of all) from `start` to before `end`.

    `customer` is whose calls it covers, where it was bought for one of several. `used` and `worth` are counted up.
    """

    unit: str
    included: int
    classes: frozenset[str]
    start: date
    end: date
    customer: UUID | None = None
    used: int = 0
    worth: Decimal = Decimal(0)
    worth_tax: Decimal = Decimal(0)

    @property
    def left(self) -> int:
        return self.included - self.used

    def takes(self, call: Call) -> bool:
        """Whether it covers such a call and has something left. A call that costs nothing uses nothing up."""
        return (
            self.left > 0
            and call.charge > 0
            and self.start <= call.day < self.end
            and self.customer in (None, call.customer)
            and (not self.classes or call.service_class in self.classes)
        )


def use_up(allowances: Sequence[Allowance], calls: Iterable[Call]) -> None:
    """Lay the calls, in order of time, on the allowances, in the order given; each counts what it covered."""
    for call in calls:
        covered = 0
        for allowance in allowances:
            if covered >= call.billed_s or not allowance.takes(call):
                continue
            whole = call.billed_s - covered
            seconds = whole if allowance.unit == CALLS else min(allowance.left, whole)
            allowance.used += 1 if allowance.unit == CALLS else seconds
            allowance.worth += _between(call.charge, call.billed_s, covered, covered + seconds)
            allowance.worth_tax += _between(call.tax, call.billed_s, covered, covered + seconds)
            covered += seconds
        if all(allowance.left <= 0 for allowance in allowances):
            return


def _between(amount: Decimal, seconds: int, start: int, end: int) -> Decimal:
    return _share(amount, end, seconds) - _share(amount, start, seconds)


def _share(amount: Decimal, part: int, whole: int) -> Decimal:
    return (amount * part / whole).quantize(PLACES, rounding=ROUND_HALF_UP)
