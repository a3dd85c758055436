"""Rates as columns take them: plain ones straight from their rows, without making a kernel's rate of each.

What the kernel would refuse is told apart here once for each list, or left to the kernel itself.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from rating.batch.scaled import COMMON_PLACES, Flat
from rating.kernel import Rate as KernelRate
from rating.kernel import RateError
from rating.kernel.numbers import MAX_SECONDS, MAX_WHOLE_DIGITS
from rating.pricing.lists import Found
from rating.pricing.tables import Measure, RateRow

ZERO: Final = Decimal(0)
MOST: Final = Decimal(10) ** MAX_WHOLE_DIGITS
NO_ROW: Final = RateRow(
    *("", "", ZERO, ZERO, None, 1, 0, 0, ZERO, None, None, False, datetime(2000, 1, 1, tzinfo=UTC), None)
)


class Terms:
    """Rates as columns take them: plain ones without the kernel's own checks, which the database made already."""

    def __init__(self) -> None:
        self._measures: dict[Measure, bool] = {}

    def rate_of(self, found: Found) -> Flat | KernelRate | None:
        """None for a rate that is closed, or that the kernel refuses."""
        row = found.row
        if row.blocked:
            return None
        if not row.steps and not row.bands and self._plain(row) and self._known(found.measure):
            lengths = (row.step_s, row.grace_s, row.free_s)
            rounding = (found.measure.decimals, found.measure.rounding)
            return Flat(row.price, row.connect_fee, row.min_charge, row.first_s, *lengths, *rounding)
        try:
            return found.kernel
        except RateError:
            return None

    @staticmethod
    def _plain(row: RateRow) -> bool:
        lengths = (row.first_s or 1, row.step_s, row.grace_s, row.free_s)
        return (
            row.first_s != 0
            and row.step_s > 0
            and max(lengths) <= MAX_SECONDS
            and min(lengths) >= 0
            and all(map(_storable, (row.price, row.connect_fee, row.min_charge)))
        )

    def _known(self, measure: Measure) -> bool:
        """Whether the kernel knows how amounts of this table or list are worked out."""
        if measure not in self._measures:
            try:
                self._measures[measure] = bool(Found(NO_ROW, measure, ()).kernel)
            except RateError:
                self._measures[measure] = False
        return self._measures[measure]


def _storable(price: Decimal) -> bool:
    exponent = price.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= -COMMON_PLACES and ZERO <= price < MOST
