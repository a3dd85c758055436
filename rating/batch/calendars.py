"""Which band is in force at an instant, by columns: the kernel's `Week.band_at` for many calls at once.

A day's stretches depend only on what kind of day it is and what kind the one before was, so each calendar needs a
handful of laid days, which the kernel's own function lays. Offsets from UTC are the kernel's, one line for each zone.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rating.batch.digits import Ints
from rating.batch.growing import Growing
from rating.batch.timelines import Timelines
from rating.kernel import Band, Rate
from rating.kernel.week import EPOCH_DAY, HOLIDAY, lay_day
from rating.kernel.zone import DAY_S, LocalClock, clock_named

NO_LINE: Final = -1
FIRST_S: Final = 0
LAST_S: Final = (date(2100, 1, 1).toordinal() - EPOCH_DAY) * DAY_S
"""What these columns reckon with, in seconds since 1970; calls outside are the kernel's."""
_FAR_DAYS: Final = 1 << 24
_PAIRS: Final = HOLIDAY * HOLIDAY
Flags = NDArray[np.bool_]


class Zones:
    """The offsets of time zones from UTC between the first and the last instant asked for so far."""

    def __init__(self) -> None:
        self._clocks: list[LocalClock] = []
        self._known: dict[str, int] = {}
        self._lines = Timelines()
        self._line_of = Growing(NO_LINE)
        self._offsets = Growing(0)
        self._days: list[tuple[int, int]] = []

    def add(self, name: str) -> int:
        if name not in self._known:
            self._known[name] = len(self._clocks)
            self._clocks.append(clock_named(name))
            self._line_of.extend([NO_LINE])
            self._days.append((0, 0))
        return self._known[name]

    def find(self, zones: Ints, instants: Ints) -> tuple[Ints, Ints]:
        """(seconds to add to UTC, the instant at which that changes) at each instant, FIRST_S to LAST_S."""
        first, last = int(instants.min()) // DAY_S, int(instants.max()) // DAY_S + 2
        for zone in np.unique(zones).tolist():
            self._cover(zone, first, last)
        segments = self._lines.find(self._line_of.view.take(zones), instants)
        return self._offsets.view.take(segments), self._lines.ends.take(segments)

    def _cover(self, zone: int, first: int, last: int) -> None:
        since, until = self._days[zone]
        if since <= first and last <= until:
            return
        if since != until:
            first, last = min(first, since), max(last, until)
        changes = list(_changes(self._clocks[zone], first, last))
        offset = self._clocks[zone].offset
        self._line_of.view[zone] = self._lines.add(changes)
        self._offsets.extend([offset(first * DAY_S), *map(offset, changes)])
        self._days[zone] = first, last


def _changes(clock: LocalClock, first: int, last: int) -> Sequence[int]:
    """The instants between two days at which the offset changes."""
    found, before = [], clock.offset(first * DAY_S)
    for day in range(first, last):
        after = clock.offset((day + 1) * DAY_S)
        if after != before:
            found.append(clock.same_until(day * DAY_S, (day + 1) * DAY_S + 1))
        before = after
    return found


class Calendars:
    """The bands of rates as days and times, whatever they cost: rates of a list mostly share one calendar."""

    def __init__(self) -> None:
        self._zones = Zones()
        self._known: dict[object, int] = {}
        self._bands: list[Sequence[Band]] = []
        self._zone_of = Growing(0)
        self._holidays_of = Growing(0)
        self._holiday_sets: dict[frozenset[date], int] = {frozenset(): 0}
        self._holiday_codes: Ints = np.zeros(0, np.int64)
        self._days = Timelines()
        self._laid = Growing([NO_LINE] * _PAIRS)
        self._band_of = Growing(-1)

    def add(self, rate: Rate) -> int:
        """The calendar of a rate that has bands."""
        times = tuple((band.days, band.holiday, band.from_minute, band.to_minute) for band in rate.bands)
        key = (times, rate.holidays, rate.time_zone)
        if key not in self._known:
            self._known[key] = len(self._bands)
            self._bands.append(rate.bands)
            self._zone_of.extend([self._zones.add(rate.time_zone)])
            self._holidays_of.extend([self._holiday_set(rate.holidays)])
            self._laid.extend([[NO_LINE] * _PAIRS])
        return self._known[key]

    def _holiday_set(self, holidays: frozenset[date]) -> int:
        if holidays not in self._holiday_sets:
            self._holiday_sets[holidays] = number = len(self._holiday_sets)
            codes = [number * _FAR_DAYS + day.toordinal() - EPOCH_DAY for day in holidays]
            self._holiday_codes = np.sort(np.concatenate([self._holiday_codes, np.array(codes, np.int64)]))
        return self._holiday_sets[holidays]

    def band_at(self, calendars: Ints, instants: Ints) -> tuple[Ints, Ints]:
        """(the band in force or -1, the first later instant at which that may change), by row.

        `instants`: whole seconds since 1970, from FIRST_S to before LAST_S.
        """
        offset, same_until = self._zones.find(self._zone_of.view.take(calendars), instants)
        local = instants + offset
        day = local // DAY_S
        second = local - day * DAY_S
        segments = self._days.find(self._lines_of(calendars, day), second)
        until = instants + np.minimum(self._days.ends.take(segments), DAY_S) - second
        return self._band_of.view.take(segments), np.minimum(until, same_until)

    def _lines_of(self, calendars: Ints, day: Ints) -> Ints:
        """The laid day of each call."""
        holidays = self._holidays_of.view.take(calendars)
        pair = self._kind(holidays, day - 1) * HOLIDAY + self._kind(holidays, day)
        wanted = calendars * _PAIRS + pair
        lines: Ints = self._laid.view.reshape(-1).take(wanted)
        missing = wanted[lines == NO_LINE]
        if len(missing):
            for one in np.unique(missing).tolist():
                self._lay(*divmod(one, _PAIRS))
            lines = self._laid.view.reshape(-1).take(wanted)
        return lines

    def _kind(self, holidays: Ints, day: Ints) -> Ints:
        """0 (Monday) to 6, 7 for a holiday."""
        kind = (day + 3) % 7
        if len(self._holiday_codes):
            codes = holidays * _FAR_DAYS + day
            at = np.searchsorted(self._holiday_codes, codes).clip(max=len(self._holiday_codes) - 1)
            kind[(holidays > 0) & (self._holiday_codes[at] == codes)] = HOLIDAY - 1
        return kind

    def _lay(self, calendar: int, pair: int) -> None:
        yesterday, today = divmod(pair, HOLIDAY)
        starts, bands = lay_day(self._bands[calendar], yesterday + 1, today + 1)
        self._laid.view[calendar, pair] = self._days.add(starts[1:])
        self._band_of.extend(bands)
