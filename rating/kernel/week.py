"""Which band is in force at an instant, and until when.

Works in whole seconds: bands and offset changes fall on whole seconds, so an answer's fraction of a second
changes nothing and is cut off. The local time is that of the UTC instant: a repeated hour counts as it comes.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import combinations

from rating.kernel.errors import RateError
from rating.kernel.terms import Band, clock
from rating.kernel.zone import DAY_S, LocalClock

EPOCH_DAY = date(1970, 1, 1).toordinal()
LAST_S = int(datetime(9999, 1, 1, tzinfo=UTC).timestamp())
HOLIDAY = 8
"""The kind of a day is 1 (Monday) to 7, or this."""


def utc_second(answered_at: object) -> int:
    """The instant as whole seconds since 1970 in UTC. Raises RateError for a naive or an extreme time."""
    if not isinstance(answered_at, datetime) or answered_at.utcoffset() is None:
        raise RateError("answered_at", "must be a time with its offset from UTC")
    if not 1900 <= answered_at.year < 9999:
        raise RateError("answered_at", "must lie in the years 1900 to 9998")
    return (answered_at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)


class Week:
    """The bands of one rate laid on the local calendar; a lookup costs a few microseconds."""

    __slots__ = ("_bands", "_clock", "_days", "_holidays")

    def __init__(self, bands: Sequence[Band], holidays: frozenset[date], local: LocalClock) -> None:
        self._bands = bands
        self._holidays = frozenset(day.toordinal() - EPOCH_DAY for day in holidays)
        self._clock = local
        self._days: dict[tuple[int, int], tuple[list[int], list[int]]] = {}

    def band_at(self, instant: int) -> tuple[int, int]:
        """(index of the band in force or -1, the first later instant at which that may change)."""
        day, second = divmod(instant + self._clock.offset(instant), DAY_S)
        starts, bands = self._day(day)
        at = bisect_right(starts, second) - 1
        until = instant + (starts[at + 1] if at + 1 < len(starts) else DAY_S) - second
        return bands[at], self._clock.same_until(instant, until)

    def _kind(self, day: int) -> int:
        return HOLIDAY if day in self._holidays else (day + 3) % 7 + 1

    def _day(self, day: int) -> tuple[list[int], list[int]]:
        kinds = (self._kind(day - 1), self._kind(day))
        found = self._days.get(kinds)
        if found is None:
            found = self._days[kinds] = lay_day(self._bands, *kinds)
        return found


def _runs_on(band: Band, kind: int) -> bool:
    return band.holiday if kind == HOLIDAY else kind in band.days


def lay_day(bands: Sequence[Band], yesterday: int, today: int) -> tuple[list[int], list[int]]:
    """One local day cut into stretches: the seconds at which they start, and the band (or -1) of each."""
    taken = [(0, band.tail_end, i) for i, band in enumerate(bands) if band.tail_end and _runs_on(band, yesterday)]
    taken += [(band.from_minute, band.head_end, i) for i, band in enumerate(bands) if _runs_on(band, today)]
    starts, found = [0], [-1]
    for begin, end, i in sorted(taken):
        if begin * 60 == starts[-1]:
            found[-1] = i
        else:
            starts.append(begin * 60)
            found.append(i)
        if end * 60 < DAY_S:
            starts.append(end * 60)
            found.append(-1)
    return starts, found


def refuse_overlaps(bands: Sequence[Band], holidays: frozenset[date]) -> None:
    """Raise RateError if two bands could be in force at once, in a plain week or around the holidays."""
    for kind in range(1, HOLIDAY + 1):
        today = [(i, band) for i, band in enumerate(bands) if _runs_on(band, kind)]
        for (i, one), (k, other) in combinations(today, 2):
            if one.from_minute < other.head_end and other.from_minute < one.head_end:
                raise _overlap(i, one, k, other)
    for yesterday, today_kind in _neighbours(holidays):
        _refuse_tails(bands, yesterday, today_kind)


def _neighbours(holidays: frozenset[date]) -> set[tuple[int, int]]:
    """The kinds of day that follow each other: a plain week, and around each holiday."""
    kinds = {(day, day % 7 + 1) for day in range(1, HOLIDAY)}

    def kind(ordinal: int) -> int:
        return HOLIDAY if ordinal in ordinals else (ordinal - 1) % 7 + 1

    ordinals = {day.toordinal() for day in holidays}
    for ordinal in ordinals:
        kinds.add((kind(ordinal - 1), HOLIDAY))
        kinds.add((HOLIDAY, kind(ordinal + 1)))
    return kinds


def _refuse_tails(bands: Sequence[Band], yesterday: int, today: int) -> None:
    """Refuse a band of yesterday that still runs when one of today has begun."""
    heads = [(k, band) for k, band in enumerate(bands) if _runs_on(band, today)]
    for i, late in enumerate(bands):
        if late.tail_end and _runs_on(late, yesterday):
            for k, early in heads:
                if early.from_minute < late.tail_end:
                    raise _overlap(i, late, k, early)


def _overlap(i: int, one: Band, k: int, other: Band) -> RateError:
    first, second = sorted(((i, one), (k, other)), key=lambda pair: pair[0])
    return RateError(
        f"bands[{second[0]}]",
        f"overlaps bands[{first[0]}]: {second[1].label} and {first[1].label}",
        f"end one of them before the other begins; `to` is exclusive, {clock(1440)} is the end of the day",
    )
