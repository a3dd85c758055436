"""The two things that vary a price inside one rate: steps by elapsed time and bands by week time."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from rating.kernel.errors import RateError
from rating.kernel.numbers import money, seconds

DAY_MINUTES = 1440
MAX_STEPS = 1000


@dataclass(frozen=True, slots=True)
class Step:
    """From this second after the answer on: another price per minute and, if given, increment length."""

    from_s: int
    price: Decimal
    step_s: int | None = None

    def __post_init__(self) -> None:
        seconds(self.from_s, "from_s")
        object.__setattr__(self, "price", money(self.price, "price"))
        if self.step_s is not None:
            seconds(self.step_s, "step_s", least=1)


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch of the day, on some days of the week and maybe on holidays, with a price or steps of its own.

    `days` holds 1 (Monday) to 7; `holiday` is the `h` of the wire form. Minutes count from local midnight;
    `to_minute` is exclusive. At or before `from_minute` it means the next day: the band runs across midnight
    and belongs, holiday or not, to the day on which it began.
    Before the first of its own steps its price holds, or without one the rate's own price.
    """

    days: frozenset[int]
    holiday: bool
    from_minute: int
    to_minute: int
    price: Decimal | None = None
    steps: tuple[Step, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "days", frozenset(self.days))
        if not all(type(day) is int and 1 <= day <= 7 for day in self.days):
            raise RateError("days", "must be days from 1 (Monday) to 7 (Sunday)")
        if not self.days and not self.holiday:
            raise RateError("days", "names no day")
        if type(self.from_minute) is not int or not 0 <= self.from_minute < DAY_MINUTES:
            raise RateError("from", "must be a time from 00:00 to 23:59")
        if type(self.to_minute) is not int or not 0 <= self.to_minute <= DAY_MINUTES:
            raise RateError("to", "must be a time from 00:00 to 24:00")
        if self.price is None and not self.steps:
            raise RateError("price", "a band needs a price or steps")
        if self.price is not None:
            object.__setattr__(self, "price", money(self.price, "price"))
        object.__setattr__(self, "steps", ordered_steps(self.steps))

    @property
    def head_end(self) -> int:
        """The minute at which it ends on the day on which it began."""
        return self.to_minute if self.to_minute > self.from_minute else DAY_MINUTES

    @property
    def tail_end(self) -> int:
        """The minute of the next day up to which it still runs; 0 if it does not reach into it."""
        return 0 if self.to_minute > self.from_minute else self.to_minute

    @property
    def label(self) -> str:
        """Its days and times as written: `1-5,h 08:00-19:00`."""
        return f"{self.days_text} {clock(self.from_minute)}-{clock(self.to_minute)}"

    @property
    def days_text(self) -> str:
        """Its days in the wire form, shortest way: `1-5,7,h`."""
        runs: list[list[int]] = []
        for day in sorted(self.days):
            if runs and runs[-1][-1] == day - 1:
                runs[-1].append(day)
            else:
                runs.append([day])
        texts = [str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs]
        return ",".join([*texts, "h"] if self.holiday else texts)


def clock(minute: int) -> str:
    """Minutes since midnight as `HH:MM`; 1440 is `24:00`."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


def ordered_steps(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """The steps in order of time; two that start at the same second are refused."""
    if len(steps) > MAX_STEPS:
        raise RateError("steps", f"at most {MAX_STEPS} steps")
    ordered = tuple(sorted(steps, key=lambda step: step.from_s))
    for earlier, later in pairwise(ordered):
        if earlier.from_s == later.from_s:
            raise RateError("steps", f"two steps start at second {later.from_s}")
    return ordered
