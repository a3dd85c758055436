"""Rates with steps or bands, by columns: the kernel's walk over a call, one stretch of all calls at a time.

Each round counts the increments up to the next change of price, for all calls that are not covered yet; most calls
need two or three rounds. What needs very many is the kernel's.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rating.batch.calendars import FIRST_S, LAST_S, Calendars
from rating.batch.digits import Ints
from rating.batch.growing import Growing
from rating.batch.timelines import Timelines
from rating.batch.times import FOR_EVER, NO_TIME, SECOND_US
from rating.kernel import Rate
from rating.kernel.numbers import POWERS
from rating.kernel.plan import Plan

MAX_ROUNDS: Final = 200
MAX_WALK_S: Final = 10**8
NO_CALENDAR: Final = -1


class Laid(NamedTuple):
    """What was laid: seconds and points of each call, and whether that is all of it."""

    billed_s: Ints
    points: Ints
    done: NDArray[np.bool_]


class Walks:
    """The ladders and calendars of such rates, by a number of their own."""

    def __init__(self) -> None:
        self._calendars = Calendars()
        self._ladders = Timelines()
        self._units = Growing(0)
        self._step_s = Growing(1)
        self._columns = Growing([0, NO_CALENDAR, 0])
        """The ladder outside all bands (those of the bands follow it), the calendar, whether the answer decides."""

    def add(self, rate: Rate, plan: Plan, scale: int) -> int:
        """The number of a rate; its prices in units of 10**-scale, no fewer places than the plan's."""
        factor, outside = POWERS[scale - plan.scale], 0
        for at, ladder in enumerate(plan.ladders):
            line = self._ladders.add(ladder.starts[1:])
            outside = outside if at else line
            self._units.extend([row.units * factor for row in ladder.rows])
            self._step_s.extend([row.step_s for row in ladder.rows])
        calendar = self._calendars.add(rate) if rate.bands else NO_CALENDAR
        self._columns.extend([[outside, calendar, rate.band_rule == "at_start"]])
        return self._columns.count - 1

    def lay(self, walks: Ints, free_s: Ints, first_s: Ints, duration_s: Ints, answered_us: Ints) -> Laid:
        """Lay increments from `free_s` on until they cover the duration; `first_s` 0 where there is none of its own.

        Calls outside the calendar, or without a time that is needed, come back as not done.
        """
        ladder, calendar, at_start = self._columns.view.take(walks, axis=0).T.copy()
        answer_s = answered_us // SECOND_US
        timed = calendar != NO_CALENDAR
        inside = (answered_us != NO_TIME) & (answer_s >= FIRST_S) & (answer_s < LAST_S - 2 * MAX_WALK_S)
        done = (duration_s <= MAX_WALK_S) & (free_s <= MAX_WALK_S) & (inside | ~timed)
        fixed = np.flatnonzero(timed & done & (at_start == 1))
        if len(fixed):
            ladder[fixed] += self._calendars.band_at(calendar[fixed], answer_s[fixed])[0] + 1
            calendar[fixed] = NO_CALENDAR
        laid = Laid(np.zeros(len(walks), np.int64), np.zeros(len(walks), np.int64), done)
        self._go(laid, (ladder, calendar, answer_s, duration_s), free_s.copy(), first_s)
        return laid

    def _go(self, laid: Laid, calls: tuple[Ints, Ints, Ints, Ints], at: Ints, first_s: Ints) -> None:
        ladders, calendars, answers, durations = calls
        rows = np.flatnonzero(laid.done & (at < durations))
        for turn in range(MAX_ROUNDS):
            if not len(rows):
                return
            here, duration_s = at[rows], durations[rows]
            units, step_s, until = self._terms(ladders[rows], calendars[rows], answers[rows], here)
            count = (np.minimum(until, duration_s) - here + step_s - 1) // step_s
            if not turn:
                own = first_s[rows] > 0
                step_s, count = np.where(own, first_s[rows], step_s), np.where(own, 1, count)
            length_s = step_s * count
            laid.billed_s[rows] += length_s
            laid.points[rows] += length_s * units
            at[rows] += length_s
            rows = rows[at[rows] < duration_s]
        laid.done[rows] = False

    def _terms(self, ladders: Ints, calendars: Ints, answers: Ints, elapsed_s: Ints) -> tuple[Ints, Ints, Ints]:
        """(price in units, length of an increment, the second until which both hold) at this second of the calls."""
        changes_s = np.full(len(ladders), FOR_EVER)
        timed = np.flatnonzero(calendars != NO_CALENDAR)
        if len(timed):
            band, changes_at = self._calendars.band_at(calendars[timed], answers[timed] + elapsed_s[timed])
            ladders[timed] += band + 1
            changes_s[timed] = changes_at - answers[timed]
        segments = self._ladders.find(ladders, elapsed_s)
        until = np.minimum(self._ladders.ends.take(segments), changes_s)
        return self._units.view.take(segments), self._step_s.view.take(segments), until
