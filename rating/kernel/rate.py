"""The rate: everything that prices one call, as one value that is either valid or cannot exist."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Final

from rating.kernel.codec import rate_fields, rate_json
from rating.kernel.errors import RateError
from rating.kernel.numbers import money, seconds
from rating.kernel.terms import Band, Step, ordered_steps
from rating.kernel.week import refuse_overlaps
from rating.kernel.zone import clock_named

ROUNDINGS: Final = ("half_up", "half_even", "up", "down")
BAND_RULES: Final = ("split", "at_start")
MAX_DECIMALS: Final = 6
MAX_BANDS: Final = 200


@dataclass(frozen=True, slots=True)
class Rate:
    """What a call costs. Prices are per minute, in the list's currency; lengths are in whole seconds.

    first_s: length of the first increment (None: the step in force there). step_s: of the others.
    grace_s: calls of at most so many seconds cost nothing at all. free_s: taken off the start.
    decimals, rounding: how the amount is rounded, once. time_zone, holidays: the bands' clock and calendar.
    band_rule: `split` (each increment by the band in which it begins) or `at_start` (the band of the answer).
    Raises RateError with the field and the reason.
    """

    price: Decimal
    connect_fee: Decimal = Decimal(0)
    first_s: int | None = None
    step_s: int = 1
    grace_s: int = 0
    free_s: int = 0
    min_charge: Decimal = Decimal(0)
    decimals: int = 4
    rounding: str = "half_up"
    time_zone: str = "UTC"
    band_rule: str = "split"
    steps: tuple[Step, ...] = ()
    bands: tuple[Band, ...] = ()
    holidays: frozenset[date] = frozenset()
    _plan: object = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name in ("price", "connect_fee", "min_charge"):
            object.__setattr__(self, name, money(getattr(self, name), name))
        if self.first_s is not None:
            seconds(self.first_s, "first_s", least=1)
        seconds(self.step_s, "step_s", least=1)
        seconds(self.grace_s, "grace_s")
        seconds(self.free_s, "free_s")
        if type(self.decimals) is not int or not 0 <= self.decimals <= MAX_DECIMALS:
            raise RateError("decimals", f"must be a whole number from 0 to {MAX_DECIMALS}")
        _one_of(self.rounding, ROUNDINGS, "rounding")
        _one_of(self.band_rule, BAND_RULES, "band_rule")
        clock_named(self.time_zone)
        object.__setattr__(self, "steps", ordered_steps(self.steps))
        self._check_calendar()

    def _check_calendar(self) -> None:
        object.__setattr__(self, "bands", tuple(self.bands))
        object.__setattr__(self, "holidays", frozenset(self.holidays))
        if not all(type(day) is date for day in self.holidays):
            raise RateError("holidays", "must be dates")
        if len(self.bands) > MAX_BANDS:
            raise RateError("bands", f"at most {MAX_BANDS} bands")
        if self.bands:
            refuse_overlaps(self.bands, self.holidays)

    @classmethod
    def from_json(cls, mapping: Mapping[str, object]) -> Rate:
        """A rate from its wire form (the `rate` of `./manage price`). Strict: unknown keys are refused.

        Numbers are int, Decimal or text, never float; null means absent. Raises RateError.
        """
        return cls(**rate_fields(mapping))

    def to_json(self) -> dict[str, object]:
        """The wire form, with only what differs from the defaults; `from_json` gives the same rate back."""
        return rate_json(self)


def _one_of(value: object, choices: tuple[str, ...], field_name: str) -> None:
    if not isinstance(value, str) or value not in choices:
        raise RateError(field_name, f"must be one of {', '.join(choices)}")
